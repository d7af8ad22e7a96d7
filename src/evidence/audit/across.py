"""Across printings and documents: one result one figure, one trial one identifier, one name one meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from evidence.audit.finding import Consequence, Finding, Verdict
from evidence.audit.material import Claim, Count, Material, Measure, Test, grouped
from evidence.audit.printed import result_of
from evidence.audit.reported import Reported
from evidence.data.recover import FIGURE, recover_events

REGISTRY = re.compile(r"\b(?:NCT|ChiCTR|ISRCTN|EUCTR|JPRN|CTR)-?\w*\d\w*\b")
POWER = re.compile(r"\b10\^(\d+)")
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
SIGNS = {
    ">=": "≥", "<=": "≤", "=": "of", "increase>=": "risen by ≥", "ratio>=": "risen to ≥",
}  # fmt: skip
WELL_FORMED = {
    "NCT": re.compile(r"NCT\d{8}"),
    "ISRCTN": re.compile(r"ISRCTN\d{8}"),
    "CTR": re.compile(r"CTR\d{8}"),
}


def counts_agree_everywhere(m: Material) -> Iterator[Finding]:
    """Compare every further printing of a count or percentage with the one that analyses take.

    A quotation is held against what the study itself prints by ``quoted_figures_match_their_study``.
    """
    for row in m.counts:
        first = m.by_id.get(row.same_as)
        if first is not None and (first.cites or not row.cites):
            yield agreement(row, first)


def shown_count(row: Count) -> str:
    """Return a count with its percentage as printed."""
    count = f"{row.events if row.printed else '?'}/{row.n if row.n is not None else '?'}"
    return f"{count} ({row.percent}%)" if row.percent else count


def agreement(row: Count, first: Count) -> Finding:
    """Return whether two printings of a count agree."""
    ids, places = (row.row_id, first.row_id), f"{row.locator} and {first.locator}"
    if same_count(row, first):
        return Finding(ids, shown_count(row), shown_count(first), "consistent", "The printings of it agree.")
    two = row.source_id != first.source_id
    shown = (shown_count(row), shown_count(first))
    why = f"{places}{' of two documents' if two else ''} print it as {shown[0]} and {shown[1]}."
    return Finding(ids, *shown, "inconsistent", why, "number")


def same_count(row: Count, first: Count) -> bool:
    """Return whether two printings can be of one count, whatever each of them leaves out."""
    if row.printed and first.printed and (row.events != first.events or not _equal(row.n, first.n)):
        return False
    if row.percent and first.percent:
        spans = [Reported(one.percent).bounds for one in (row, first)]
        return max(low for low, _ in spans) <= min(high for _, high in spans) + 1e-9
    for one, other in ((row, first), (first, row)):
        if one.printed and FIGURE.fullmatch(other.percent) and (n := other.n or one.n):
            return one.events in recover_events(other.percent, n)
    return _equal(row.n, first.n)


def _equal(one: int | None, other: int | None) -> bool:
    return None in (one, other) or one == other


def measurements_agree_everywhere(m: Material) -> Iterator[Finding]:
    """Compare every further printing of a mean, median or range with the one that analyses take."""
    rows = {row.row_id: row for row in m.measurements}
    for row in m.measurements:
        first = rows.get(row.same_as)
        if first is not None:
            yield _measured(row, first)


def _measured(row: Measure, first: Measure) -> Finding:
    ids, shown = (row.row_id, first.row_id), [" ".join(filter(None, _figures(one))) for one in (row, first)]
    pairs = zip(_figures(row), _figures(first), strict=True)
    if all(_overlap(one, other) for one, other in pairs if one and other):
        return Finding(ids, shown[0], shown[1], "consistent", "The printings of it agree.")
    why = f"{row.locator} and {first.locator} print it as {shown[0]} and {shown[1]}."
    return Finding(ids, shown[0], shown[1], "inconsistent", why, "number")


def _figures(row: Measure) -> tuple[str, str, str, str]:
    return row.value, row.spread, row.low, row.high


def _overlap(one: str, other: str) -> bool:
    spans = [Reported(text).bounds for text in (one, other)]
    return max(low for low, _ in spans) <= min(high for _, high in spans) + 1e-9


def effects_agree_everywhere(m: Material) -> Iterator[Finding]:
    """Compare the effects and intervals printed in several places for one comparison."""
    rows = [test for test in m.tests if test.effect]
    for same in grouped(rows, lambda test: (result_of(test), test.arms, test.effect_label.lower())).values():
        if len(same) > 1:
            yield _one_effect(same)


def _one_effect(same: list[Test]) -> Finding:
    ids = tuple(test.row_id for test in same)
    figures = [(test.effect, test.low, test.high) for test in same]
    said = list(dict.fromkeys(f"{effect} ({low} to {high})" for effect, low, high in figures))
    pairs = [
        (one, other)
        for first, second in combinations(figures, 2)
        for one, other in zip(first, second, strict=True)
        if one and other
    ]
    if all(_overlap(one, other) for one, other in pairs):
        why = f"{len(same)} printings of one effect agree."
        return Finding(ids, " and ".join(said), said[0], "consistent", why)
    why = f"One effect is printed as {' and as '.join(said)}."
    return Finding(ids, " and ".join(said), "", "inconsistent", why, "number")


def registry_ids_are_sound(m: Material) -> Iterator[Finding]:
    """Look at the form of every trial identifier, and at what documents say that it stands for.

    The registry itself is not asked. Where several documents say what an identifier is, they are quoted side
    by side: whether they mean one study has to be read.
    """
    said = _identities(m)
    studies = m.data.studies
    names = ("study_id", "row_id", "registry_id", "parent_study_id")
    rows = list(zip(*(studies[name].tolist() for name in names), strict=True))
    found = [(study, row, one, parent) for study, row, ids, parent in rows for one in REGISTRY.findall(ids)]
    for name, same in grouped(found, lambda item: item[2]).items():
        verdict, why = _identified(name, {item[3] or item[0] for item in same})
        told = said.get(name, [])
        ids = (*(item[1] for item in same), *(claim.row_id for claim in told))
        if verdict == "consistent" and len({claim.source_id for claim in told}) > 1:
            verdict, why = "not_checkable", _quoted(name, told, m)
        change: Consequence = "" if verdict == "consistent" else "number"
        yield Finding(ids, name, "", verdict, why, change, name)
    claims = zip(m.data.claims["row_id"].tolist(), m.data.claims["value"].tolist(), strict=True)
    for row, value in claims:
        for name in REGISTRY.findall(value):
            if not _well_formed(name):
                yield Finding((row,), name, "", "inconsistent", _malformed(name), "cosmetic", name)


def _identities(m: Material) -> dict[str, list[Claim]]:
    """Return, by trial identifier, what documents say that it is."""
    claims = [claim for claim in m.claims if claim.kind == "identity"]
    pairs = [
        (name, claim) for claim in claims for name in REGISTRY.findall(f"{claim.value} {claim.paraphrase}")
    ]
    named = grouped(dict.fromkeys(pairs), lambda pair: pair[0])
    return {name: [claim for _, claim in same] for name, same in named.items()}


def _quoted(name: str, told: list[Claim], m: Material) -> str:
    said = "; ".join(f"“{claim.paraphrase.rstrip('.')}” ({m.document(claim.source_id)})" for claim in told)
    return f"Several documents say what {name} is, and it has to be read whether they mean one study: {said}."


def _well_formed(name: str) -> bool:
    form = next((form for prefix, form in WELL_FORMED.items() if name.startswith(prefix)), None)
    return form is None or form.fullmatch(name) is not None


def _malformed(name: str) -> str:
    return f"{name} is no identifier of that registry: it has the wrong number of digits."


def _identified(name: str, studies: set[str]) -> tuple[Verdict, str]:
    if not _well_formed(name):
        return "inconsistent", _malformed(name)
    if len(studies) > 1:
        return "inconsistent", f"{name} is given for different studies: {', '.join(sorted(studies))}."
    return "consistent", f"{name} is well formed and given for one study; the registry was not asked."


def definitions_are_one(m: Material) -> Iterator[Finding]:
    """Compare the definitions that documents print for one outcome.

    A criterion that one document prints and another does not is a question: silence is not a difference.
    """
    frame = m.data.definitions[m.data.definitions["cites"] == ""]
    columns = [frame[name].tolist() for name in ("outcome_id", "source_id", "row_id")]
    criteria = [frame[name].map(str).tolist() for name in ("criterion", "operator", "threshold", "unit")]
    rows = list(zip(*columns, zip(*criteria, strict=True), strict=True))
    for outcome, same in grouped(rows, lambda row: row[0]).items():
        by_place = grouped(same, lambda row: row[1])
        ways = {
            frozenset(row[3] for row in one): m.document(source) for source, one in reversed(by_place.items())
        }
        if len(by_place) > 1:
            yield _defined(tuple(row[2] for row in same), m.outcome(outcome), ways)


def _defined(ids: tuple[str, ...], outcome: str, ways: dict[frozenset[tuple[str, ...]], str]) -> Finding:
    said = [f"{_criteria(way)} ({source})" for way, source in ways.items()]
    if len(ways) == 1:
        why = "It is defined alike wherever it is defined."
        return Finding(ids, said[0], "", "consistent", why)
    what = ", but ".join(said)
    shared = frozenset.intersection(*ways)
    if (
        any(way == shared for way in ways)
        and len({_scales(way - shared) for way in ways} - {frozenset()}) == 1
    ):
        extra = _criteria(frozenset.union(*ways) - shared)
        why = (
            f"{outcome} is {what}. A document that does not print “{extra}” may have asked for it all the "
            "same; if it did not, the rates are not rates of one thing."
        )
        return Finding(ids, "; ".join(said), "", "not_checkable", why, "conclusion")
    why = f"As printed, {outcome} means {what}: their rates are not rates of one thing."
    return Finding(ids, "; ".join(said), "", "inconsistent", why, "conclusion")


def _scales(way: frozenset[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(one[0] for one in way)


def _words(text: str) -> str:
    if re.fullmatch(r"\d+\.\d+", text):
        return f"{float(text):g}"
    return SIGNS.get(text) or POWER.sub(_power, text.replace("_", " "))


def _power(found: re.Match[str]) -> str:
    return f"× 10{found[1].translate(RAISED)}"


def _criteria(way: frozenset[tuple[str, ...]]) -> str:
    shown = [_criterion(*one) for one in way]
    return " and ".join(sorted(shown))


def _criterion(name: str, operator: str, threshold: str, unit: str) -> str:
    figure = "" if threshold == "nan" else f"{_words(threshold)} {_units(unit, threshold)}".strip()
    sign = _words(operator)
    return (
        f"{_words(name)} {sign}{figure}"
        if sign.endswith(("≥", "≤", "<", ">"))
        else f"{_words(name)} {sign} {figure}".strip()
    )


def _units(unit: str, figure: str) -> str:
    """Return a unit as print has it: powers raised, and the plural of what can be counted."""
    countable = unit in ("day", "week", "month", "year", "cycle", "lineage") and float(figure) != 1
    return f"{_words(unit)}s" if countable else _words(unit)
