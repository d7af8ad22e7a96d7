"""Across printings and documents: one result one figure, one trial one identifier, one name one meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evidence.audit.finding import Finding, Verdict
from evidence.audit.material import Count, Material, Measure, grouped
from evidence.audit.reported import Reported
from evidence.data.recover import FIGURE, recover_events

REGISTRY = re.compile(r"\b(?:NCT|ChiCTR|ISRCTN|EUCTR|JPRN|CTR)-?\w*\d\w*\b")
WELL_FORMED = {
    "NCT": re.compile(r"NCT\d{8}"),
    "ISRCTN": re.compile(r"ISRCTN\d{8}"),
    "CTR": re.compile(r"CTR\d{8}"),
}


def counts_agree_everywhere(m: Material) -> Iterator[Finding]:
    """Compare every further printing of a count or percentage with the one that analyses take."""
    for row in m.counts:
        first = m.by_id.get(row.same_as)
        if first is not None:
            yield _agreement(row, first)


def _shown(row: Count) -> str:
    count = f"{row.events if row.printed else '?'}/{row.n if row.n is not None else '?'}"
    return f"{count} ({row.percent}%)" if row.percent else count


def _agreement(row: Count, first: Count) -> Finding:
    ids, places = (row.row_id, first.row_id), f"{row.locator} and {first.locator}"
    if _same_count(row, first):
        return Finding(ids, _shown(row), _shown(first), "consistent", "The printings of it agree.")
    two = row.source_id != first.source_id
    why = f"{places}{' of two documents' if two else ''} print it as {_shown(row)} and {_shown(first)}."
    return Finding(ids, _shown(row), _shown(first), "inconsistent", why, "number")


def _same_count(row: Count, first: Count) -> bool:
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


def registry_ids_are_sound(m: Material) -> Iterator[Finding]:
    """Look at the form of every trial identifier, and whether two studies claim the same one."""
    studies = m.data.studies
    names = ("study_id", "row_id", "registry_id", "parent_study_id")
    rows = list(zip(*(studies[name].tolist() for name in names), strict=True))
    found = [(study, row, one, parent) for study, row, ids, parent in rows for one in REGISTRY.findall(ids)]
    for name, same in grouped(found, lambda item: item[2]).items():
        verdict, why = _identified(name, {item[3] or item[0] for item in same})
        change = "" if verdict == "consistent" else "number"
        yield Finding(tuple(item[1] for item in same), name, "", verdict, why, change, name)  # type: ignore[arg-type]
    claims = zip(m.data.claims["row_id"].tolist(), m.data.claims["value"].tolist(), strict=True)
    for row, value in claims:
        for name in REGISTRY.findall(value):
            if not _well_formed(name):
                yield Finding((row,), name, "", "inconsistent", _malformed(name), "cosmetic", name)


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
    return "consistent", f"{name} stands for one study."


def definitions_are_one(m: Material) -> Iterator[Finding]:
    """Compare the definitions that documents print for one outcome."""
    frame = m.data.definitions[m.data.definitions["cites"] == ""]
    columns = [frame[name].tolist() for name in ("outcome_id", "source_id", "row_id")]
    criteria = [frame[name].map(str).tolist() for name in ("criterion", "operator", "threshold", "unit")]
    rows = list(zip(*columns, zip(*criteria, strict=True), strict=True))
    for outcome, same in grouped(rows, lambda row: row[0]).items():
        by_place = grouped(same, lambda row: row[1])
        ways = {frozenset(row[3] for row in one): source for source, one in reversed(by_place.items())}
        if len(by_place) > 1:
            yield _defined(tuple(row[2] for row in same), m.outcome(outcome), ways)


def _defined(ids: tuple[str, ...], outcome: str, ways: dict[frozenset[tuple[str, ...]], str]) -> Finding:
    said = [f"{_criteria(way)} ({source})" for way, source in ways.items()]
    if len(ways) == 1:
        why = "It is defined alike wherever it is defined."
        return Finding(ids, said[0], "", "consistent", why)
    what = ", but ".join(said)
    why = f"As printed, {outcome} means {what}: their rates are not rates of one thing."
    return Finding(ids, "; ".join(said), "", "inconsistent", why, "conclusion")


def _criteria(way: frozenset[tuple[str, ...]]) -> str:
    shown = [" ".join(text for text in one if text and text != "nan") for one in way]
    return " and ".join(sorted(shown))


def documents_are_listed_once(m: Material) -> Iterator[Finding]:
    """Find two documents with one DOI."""
    pairs = zip(m.data.sources["source_id"].tolist(), m.data.sources["doi"].tolist(), strict=True)
    for doi, same in grouped((pair for pair in pairs if pair[1]), lambda pair: pair[1]).items():
        if len(same) > 1:
            why = f"{' and '.join(one[0] for one in same)} have one DOI."
            yield Finding(tuple(one[0] for one in same), doi, "", "inconsistent", why, "cosmetic", doi)
