"""Claims: what a document says, against what its figures show."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations
from operator import itemgetter
from typing import NamedTuple

from evidence.audit.finding import Finding, Verdict
from evidence.audit.margin import AS_PRINTED, CHOSEN, margin_words, printed_margin
from evidence.audit.material import Claim, Count, Material, Measure, Test, days, grouped, moment, part, plain
from evidence.audit.printed import p_is, p_text, result_of
from evidence.audit.reported import Reported
from evidence.audit.tests_from_data import AS_ERRORS
from evidence.errors import StatisticsError
from evidence.format import in_sentence, percent, sentence, span
from evidence.stats import (
    breslow_day,
    cochran_armitage,
    compare,
    fisher_exact,
    fisher_freeman_halton,
    holm,
    mean_difference,
)

SAME = ("comparable", "no_difference")
NOT_SIGNIFICANT = re.compile(r"\b(?:not|no) (?:statistically )?significant", re.IGNORECASE)
SAID = {
    "non_inferior": "said to be not inferior",
    "superior": "said to be better",
    "comparable": "said to be alike",
    "no_difference": "said not to differ",
    "subgroup_consistent": "said to be the same in all subgroups",
}
# What checks of other families have against a test or a median that a claim rests on; the last one holds.
AGAINST = {
    "medians_are_of_everybody": "compares medians among those who had the event",
    "p_fits_statistic": "has a P that does not fit its statistic",
    "p_values_stand_in_their_rows": "stands in the wrong row",
    "p_fits_interval": "has a P that does not fit its interval",
    "test_recomputes": "does not follow from the printed figures",
    "patients_fit_f": "is of fewer patients than the groups have",
    "patients_fit_means_and_intervals": "is of fewer patients than the groups have",
}


class _Pair(NamedTuple):
    """Events and patients of two arms at one time."""

    one: Count
    none: Count

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """Return events and patients of the first arm, then of the second."""
        return self.one.events or 0, self.one.n or 0, self.none.events or 0, self.none.n or 0


def _own(m: Material, *kinds: str) -> list[Claim]:
    """Return the claims of the given kinds that a document makes of its own arms."""
    return [
        claim
        for claim in m.claims
        if claim.kind in kinds
        and not claim.cites
        and claim.arm_ids
        and all((claim.study_id, arm) in m.arms for arm in claim.arm_ids)
    ]


def _tests(claim: Claim, m: Material) -> list[Test]:
    """Return the printed tests that a claim can rest on: of the same result, part, arms and time."""
    rows = m.tests_of.get(part(claim), ())
    if not claim.outcome_id:
        rows = [test for key, tests in m.tests_of.items() if key[0] == claim.study_id for test in tests]
    arms = set(claim.arm_ids)
    return [test for test in rows if set(test.arm_ids) == arms and test.p and _same_time(test, claim)]


def _same_time(row: Test | Count, claim: Claim) -> bool:
    return claim.time is None or days(row) == days(claim)


def _pairs(claim: Claim, m: Material) -> list[_Pair]:
    """Return the counts of two arms that a claim can rest on, by time."""
    rows = [row for row in m.counts_of.get(part(claim), ()) if row.events is not None and row.n]
    rows = [row for row in rows if _same_time(row, claim) and not row.category]
    made = []
    for same in grouped(rows, moment).values():
        cells = {row.arm_id: row for row in same}
        if len(claim.arm_ids) == 2 and all(arm in cells for arm in claim.arm_ids):
            made.append(_Pair(cells[claim.arm_ids[0]], cells[claim.arm_ids[1]]))
    return made


def _difference(pair: _Pair) -> str:
    made = compare(*pair.figures, measure="RD")
    return f"{_points(made.estimate)} points ({_points(made.low)} to {_points(made.high)})"


def _points(share: float) -> str:
    """Return a difference of proportions in percentage points, with its sign but none for zero."""
    text = f"{100 * share:+.1f}"
    return text[1:] if text in ("+0.0", "-0.0") else text


def _intervals(claim: Claim, m: Material) -> str:
    """Return the differences, with 95% intervals, that the figures behind a claim give."""
    counted = [_difference(pair) for pair in _pairs(claim, m)]
    printed = [
        f"{test.effect} ({test.low} to {test.high})" for test in _tests(claim, m) if test.low and test.high
    ]
    return "; ".join(dict.fromkeys(counted or printed or _mean_intervals(claim, m)))


def _mean_intervals(claim: Claim, m: Material) -> list[str]:
    """Return the differences of means with 95% intervals, the spread read as the printed tests read it."""
    tests = [test for test in _tests(claim, m) if test.exact_p]
    as_errors = any(AS_ERRORS in m.again(test).method for test in tests)
    rows = [row for row in m.measures_of.get(part(claim), ()) if row.statistic == "mean" and row.spread]
    made = []
    for same in grouped((row for row in rows if row.time != 0), moment).values():
        cells = {row.arm_id: row for row in same}
        if len(claim.arm_ids) == 2 and set(claim.arm_ids) <= set(cells) and _same_moment(same[0], claim):
            made += _mean_interval([cells[arm] for arm in claim.arm_ids], m, as_errors=as_errors)
    return [f"{one}, ± read as standard errors" for one in made] if as_errors else made


def _same_moment(row: Measure, claim: Claim) -> bool:
    return claim.time is None or days(row) == days(claim)


def _mean_interval(rows: Sequence[Measure], m: Material, *, as_errors: bool) -> list[str]:
    sizes = [row.n or m.arms[row.study_id, row.arm_id].n or 0 for row in rows]
    if min(sizes) < 2:
        return []
    scale = [math.sqrt(n) if as_errors else 1.0 for n in sizes]
    groups = [
        (Reported(row.value).value, Reported(row.spread).value * factor, n)
        for row, factor, n in zip(rows, scale, sizes, strict=True)
    ]
    made = mean_difference(*groups[0], *groups[1], method="welch")
    when = f" at {span(rows[0].time, rows[0].time_unit)}" if rows[0].time is not None else ""
    return [f"{made.estimate:+.1f} ({made.low:+.1f} to {made.high:+.1f}){when}"]


def _reported(claim: Claim, m: Material) -> str:
    outcome = m.outcome(claim.outcome_id) if claim.outcome_id else ""
    about = " in ".join(filter(None, (outcome, plain(claim.level)))) if claim.level else outcome
    names = (m.names_inside if about else m.names)(claim.study_id, claim.arm_ids)
    return f"{sentence(about)}{': ' if about else ''}{names}, {SAID.get(claim.kind, claim.kind)}"


def _subject(claim: Claim, m: Material) -> str:
    """Return what a claim says: outcome, part of the study, and arms in their order."""
    outcome = m.outcome(claim.outcome_id) if claim.outcome_id else "Everything"
    part = f" in {plain(claim.level)}" if claim.level else ""
    one, *others = (in_sentence(m.label(claim.study_id, arm)) for arm in claim.arm_ids)
    called, than = ("better", "than with") if claim.kind == "superior" else ("not inferior", "against")
    against = f" {than} {' or '.join(others)}" if others else ""
    return f"{outcome}{part} is called {called} with {one}{against}"


def non_inferiority_has_a_margin(m: Material) -> Iterator[Finding]:
    """Find claims of non-inferiority for which no margin is printed; a P above alpha is no such test."""
    printed = _margins(m)
    for claim in _own(m, "non_inferior"):
        if claim.study_id in printed:
            yield _held_against(claim, printed[claim.study_id], m)
        else:
            yield _without_margin(claim, m)


def _held_against(claim: Claim, printed: float, m: Material) -> Finding:
    """Hold a claim against the margin that its document prints, or against the one chosen instead."""
    margin, ids, shown = m.margin or printed, (claim.row_id,), _intervals(claim, m)
    loss = _loss(claim, m)
    if math.isnan(margin) or loss is None:
        why = "A margin is printed; the interval has to be held against it."
        return Finding(ids, _reported(claim, m), shown, "not_checkable", why)
    why = margin_words(loss, margin, CHOSEN if m.margin else AS_PRINTED)
    if loss < margin:
        return Finding(ids, _reported(claim, m), shown, "consistent", why)
    return Finding(ids, _reported(claim, m), shown, "inconsistent", why, "conclusion")


def _without_margin(claim: Claim, m: Material) -> Finding:
    """Find a claim without a margin; one that a chosen margin would bear out is left open."""
    shown, loss = _intervals(claim, m), _loss(claim, m)
    every = list(dict.fromkeys(test.p for test in _tests(claim, m)))
    shown_p = " and ".join(filter(None, (", ".join(every[:-1]), every[-1]))) if every else ""
    fails = "fails" if len(every) == 1 else "fail"
    basis = f" P {shown_p} {fails} to show a difference, which is another thing." if every else ""
    room = f" The data allow a difference of {shown}." if shown else ""
    why = f"{_subject(claim, m)}, without a margin.{basis}{room}{_at_margin(loss, m)}"
    borne_out = loss is not None and loss < m.margin
    where = f"{claim.source_id} {claim.locator}"
    verdict: Verdict = "not_checkable" if borne_out else "inconsistent"
    return Finding((claim.row_id,), _reported(claim, m), shown, verdict, why, "conclusion", cause=where)


def _margins(m: Material) -> dict[str, float]:
    """Return the margin in percentage points of every study whose document prints one."""
    studies = dict.fromkeys(m.data.protocols["study_id"].tolist())
    found = {study: printed_margin(m.data.protocols, study) for study in studies}
    return {study: margin for study, margin in found.items() if margin is not None}


def _loss(claim: Claim, m: Material) -> float | None:
    """Return the largest loss, in percentage points, that the counts behind a claim allow; None without."""
    better = m.outcomes[claim.outcome_id].better if claim.outcome_id in m.outcomes else ""
    made = [compare(*pair.figures, measure="RD") for pair in _pairs(claim, m)]
    if not made or better not in ("higher", "lower"):
        return None
    return 100 * max(-one.low if better == "higher" else one.high for one in made)


def _at_margin(loss: float | None, m: Material) -> str:
    """Return what follows at the margin chosen for the report; nothing where none was chosen."""
    if not m.margin:
        return ""
    if loss is None:
        return f" The margin chosen for this report, {m.margin:g} percentage points, is for proportions."
    before = " A margin has to be set before the data are seen." if loss < m.margin else ""
    return f" {margin_words(loss, m.margin, CHOSEN)}{before}"


def superiority_is_shown(m: Material) -> Iterator[Finding]:
    """Hold every claim that one arm is better against the printed tests, else against the counts."""
    for claim in _own(m, "superior"):
        if len(claim.arm_ids) == 2:
            yield _superior(claim, m)


def _superior(claim: Claim, m: Material) -> Finding:
    tests, pairs = _tests(claim, m), _pairs(claim, m)
    rows = tuple(dict.fromkeys([claim.row_id, *(test.row_id for test in tests)]))
    shown = ", ".join(dict.fromkeys(f"P {test.p}" for test in tests)) or _exact_p(pairs)
    if _wrong_way(claim, m):
        why = "The figures point the other way."
        return Finding(rows, _reported(claim, m), shown, "inconsistent", why, "conclusion")
    if tests:
        return _superior_by_tests(claim, tests, rows, shown, m)
    if not pairs:
        return _without_figures(claim, rows, m)
    return _superior_by_counts(claim, pairs, shown, m)


def _without_figures(claim: Claim, rows: tuple[str, ...], m: Material) -> Finding:
    where, alone = f"{claim.source_id} {claim.locator}", _centres(claim, m)
    only = f"No test of it is printed, only {alone}."
    why = only if alone else "No figures of these arms are printed for it."
    return Finding(rows, _reported(claim, m), alone, "not_checkable", why, "conclusion", cause=where)


def _centres(claim: Claim, m: Material) -> str:
    """Return the means or medians of all arms of a claim: ``the means 3 against 2 at 6 months``."""
    made: dict[str, list[str]] = {}
    for cells in _centres_by_time(claim, m).values():
        first = cells[claim.arm_ids[0]]
        values = " against ".join(_with_spread(cells[arm]) for arm in claim.arm_ids)
        made.setdefault(first.statistic, []).append(f"{values}{_at_time(first)}")
    return " and ".join(f"the {name}s {', '.join(dict.fromkeys(told))}" for name, told in made.items())


def _with_spread(row: Measure) -> str:
    limits = f" ({row.low} to {row.high})" if row.low and row.high else ""
    return f"{row.value} ± {row.spread}" if row.spread else f"{row.value}{limits}"


def _centres_by_time(claim: Claim, m: Material) -> dict[Hashable, dict[str, Measure]]:
    """Return the means or medians of all arms of a claim, by statistic and time, then by arm."""
    rows = [
        row for row in m.measures_of.get(part(claim), ()) if row.statistic in ("mean", "median") and row.value
    ]
    by_time = grouped((row for row in rows if row.counted), lambda row: (row.statistic, moment(row)))
    cells = {key: {row.arm_id: row for row in same} for key, same in by_time.items()}
    return {
        key: arms
        for key, arms in cells.items()
        if set(claim.arm_ids) <= set(arms) and _same_moment(arms[claim.arm_ids[0]], claim)
    }


def _superior_by_tests(
    claim: Claim, tests: list[Test], rows: tuple[str, ...], shown: str, m: Material
) -> Finding:
    support = [test for test in tests if _below(test, m.alpha)]
    if support:
        return _supported(claim, support, rows, shown, m)
    printed = list(dict.fromkeys(f"P {test.p}{_at_time(test)}" for test in sorted(tests, key=_day)))
    shows = "the printed test does not show it" if len(printed) == 1 else "no printed test shows it"
    told = _disclosures(claim, m)
    further = f"{_admitted(told)}{_room(claim, m)}{_if(claim, m)}"
    why = f"{_subject(claim, m)}, but {shows}: {', '.join(printed)}.{further}"
    rows = (*rows, *(one.row_id for one in told))
    verdict: Verdict = "not_checkable" if _names_other(claim, m) else "inconsistent"
    return Finding(rows, _reported(claim, m), shown, verdict, why, "conclusion")


def _supported(claim: Claim, support: list[Test], rows: tuple[str, ...], shown: str, m: Material) -> Finding:
    """Return that printed tests support a claim, and what is known against those tests."""
    medians = [m.doubted[row.row_id] for row in m.measures_of.get(part(claim), ()) if row.row_id in m.doubted]
    printings = grouped(support, result_of).values()
    against = [_against(same, m, medians) for same in printings]
    if all(against):
        printed = " and ".join(dict.fromkeys(f"P {test.p}" for test in support))
        reasons = "; ".join(dict.fromkeys(reason for some in against for reason in some))
        why = f"A printed test supports it ({printed}), but that test {reasons}."
        about = f"{claim.source_id} {claim.outcome_id} {days(support[0])}"
        return Finding(rows, _reported(claim, m), shown, "not_checkable", why, "conclusion", cause=about)
    done = any(m.again(test).agrees for test in support)
    why = "A printed test supports it" + ("." if done else "; it cannot be done again from what is printed.")
    return Finding(rows, _reported(claim, m), shown, "consistent", why)


def _against(printings: Sequence[Test], m: Material, medians: Sequence[str]) -> list[str]:
    """Return what is known against a test that a claim rests on, from all printings of it."""
    order, rows = list(AGAINST.values()), [test.row_id for test in printings]
    found = sorted({m.doubted[row] for row in rows if row in m.doubted}, key=order.index)
    adjusted = m.remember("lost by Holm", lambda: _lost_by_holm(m))
    lost = [f"does not survive Holm's adjustment ({p_is(adjusted[row])})" for row in rows if row in adjusted]
    return [*found[-1:], *medians[:1], *lost[:1]]


def _disclosures(claim: Claim, m: Material) -> list[Claim]:
    """Return where the document of a claim itself says that the difference is not significant."""
    same = [one for one in _own(m, *SAME) if one.source_id == claim.source_id and part(one) == part(claim)]
    return [one for one in same if set(one.arm_ids) == set(claim.arm_ids) and _discloses(one)]


def _discloses(claim: Claim) -> bool:
    """Return whether a claim only says that a difference is not significant, not that there is none."""
    return claim.kind == "no_difference" and NOT_SIGNIFICANT.search(claim.paraphrase) is not None


def _admitted(told: Sequence[Claim]) -> str:
    """Return where a document says itself that a difference is not significant, as a sentence."""
    if not told:
        return ""
    return f" The document says so itself: not significant{_moments(told)} (“{told[0].locator}”)."


def _room(claim: Claim, m: Material) -> str:
    """Return the differences behind a claim as a sentence, each with its interval and its time."""
    pairs = sorted(_pairs(claim, m), key=lambda pair: _day(pair.one))
    made = [f"{_with_level(pair)}{_at_time(pair.one)}" for pair in pairs]
    shown = "; ".join(dict.fromkeys(made)) or _intervals(claim, m)
    return f" Differences: {shown}." if shown else ""


def _day(row: Test | Count) -> float:
    at = days(row)
    return -1.0 if at is None else at


def _at_time(row: Test | Count | Measure) -> str:
    """Return the time of a result after what was found at it."""
    if row.time is None:
        return f" ({row.time_label})" if row.time_label else ""
    return f" at {span(row.time, row.time_unit)}"


def _with_level(pair: _Pair) -> str:
    """Return the difference of a pair with the level of its interval."""
    made = compare(*pair.figures, measure="RD")
    limits = f"{_points(made.low)} to {_points(made.high)}"
    return f"{_points(made.estimate)} points ({100 * made.level:g}% CI {limits})"


def _superior_by_counts(claim: Claim, pairs: list[_Pair], shown: str, m: Material) -> Finding:
    ids = (claim.row_id, *(row.row_id for pair in pairs for row in pair))
    if any(_fisher(pair) < m.alpha for pair in pairs):
        return Finding(
            ids, _reported(claim, m), shown, "consistent", "The counts support it; no test is printed."
        )
    interval = "; ".join(_difference(pair) for pair in pairs)
    why = f"No test of it is printed, and the counts do not settle it: differences {interval}, exact {shown}."
    return Finding(ids, _reported(claim, m), shown, "not_checkable", why, "conclusion")


def _below(test: Test, alpha: float) -> bool:
    value = Reported(test.p).value
    return test.p[:1] not in (">", "≥") and (value <= alpha if test.p[:1] in ("<", "≤") else value < alpha)


def _fisher(pair: _Pair) -> float:
    e1, n1, e0, n0 = pair.figures
    return fisher_exact([[e1, n1 - e1], [e0, n0 - e0]]).p


def _exact_p(pairs: Sequence[_Pair]) -> str:
    return ", ".join(p_is(_fisher(pair)) for pair in pairs)


def _wrong_way(claim: Claim, m: Material) -> bool:
    """Return whether the arm called better has the worse figures at every time."""
    better = m.outcomes[claim.outcome_id].better if claim.outcome_id in m.outcomes else "none"
    if better not in ("higher", "lower"):
        return False
    gaps = [pair.one.events / pair.one.n - pair.none.events / pair.none.n for pair in _pairs(claim, m)]  # type: ignore[operator]
    gaps = gaps or _centre_gaps(claim, m)
    return bool(gaps) and all(gap < 0 if better == "higher" else gap > 0 for gap in gaps)


def _centre_gaps(claim: Claim, m: Material) -> list[float]:
    values = [
        [Reported(cells[arm].value).value for arm in claim.arm_ids]
        for cells in _centres_by_time(claim, m).values()
    ]
    return [one - none for one, none in values]


def no_difference_is_shown(m: Material) -> Iterator[Finding]:
    """Hold claims of no difference or of comparability against P and interval.

    A P above alpha fits the words "no significant difference"; it does not show that arms are alike, which
    needs an interval inside a margin stated beforehand.
    """
    for claim in _own(m, *SAME):
        if len(claim.arm_ids) > 1 and not _of_safety_without_counts(claim, m):
            yield _alike(claim, m)


def _alike(claim: Claim, m: Material) -> Finding:
    tests, pairs = _tests(claim, m), _pairs(claim, m)
    rows = tuple(dict.fromkeys([claim.row_id, *(test.row_id for test in tests)]))
    shown = ", ".join(list(dict.fromkeys(f"P {test.p}" for test in tests))[:12]) or _exact_p(pairs)
    low = [test for test in tests if _below(test, m.alpha)]
    if low or (not tests and any(_fisher(pair) < m.alpha for pair in pairs)):
        why = f"No difference is claimed, but {f'P {low[0].p} is printed' if low else 'the counts differ'}."
        return Finding(rows, _reported(claim, m), shown, "inconsistent", why, "conclusion")
    if not tests and not pairs:
        return _without_figures(claim, rows, m)
    interval = _intervals(claim, m)
    room = f"; the data allow a difference of {interval}" if interval else ""
    if claim.kind == "no_difference" and tests:
        doubted = [_against(same, m, ()) for same in grouped(tests, result_of).values()]
        marked = f" The printed test {doubted[0][0]}." if all(doubted) else ""
        why = f"No test of it is significant, which is not proof that there is none{room}.{marked}"
        return Finding(rows, _reported(claim, m), shown, "consistent", why)
    basis = (
        "a test that found no difference"
        if tests
        else "counts that are too few to tell, no test being printed"
    )
    why = f"Alike is concluded from {basis}, without a margin{room}.{_at_margin(_loss(claim, m), m)}"
    where = f"{claim.source_id} {claim.locator}"
    return Finding(rows, _reported(claim, m), shown, "not_checkable", why, "conclusion", cause=where)


def _of_safety_without_counts(claim: Claim, m: Material) -> bool:
    outcome = m.outcomes.get(claim.outcome_id)
    if outcome is None or outcome.domain != "safety":
        return False
    arms = {row.arm_id for row in m.counts_of.get(part(claim), ())}
    return not _tests(claim, m) and not set(claim.arm_ids) <= arms


def safety_claims_have_counts(m: Material) -> Iterator[Finding]:
    """Find comparisons of safety between arms for which the document prints no counts."""
    for claim in _own(m, *SAME, "superior"):
        if len(claim.arm_ids) > 1 and _of_safety_without_counts(claim, m):
            arms = {row.arm_id for row in m.counts_of.get(part(claim), ())}
            absent = [m.label(claim.study_id, arm) for arm in claim.arm_ids if arm not in arms]
            missing = " or ".join(map(in_sentence, absent))
            outcome = m.outcome(claim.outcome_id)
            why = f"{outcome} is compared between the arms, but no count of it is printed for {missing}."
            yield Finding((claim.row_id,), _reported(claim, m), "", "not_checkable", why, "conclusion")


def claims_do_not_contradict(m: Material) -> Iterator[Finding]:
    """Find a better and a no better claimed of the same result in one document.

    What rests on a reading of a claim's words is a question; that a difference is not significant is no
    claim that there is none.
    """
    claims = [claim for claim in _own(m, "superior", *SAME, "non_inferior") if len(claim.arm_ids) == 2]
    by_result = grouped(claims, lambda claim: (claim.source_id, *part(claim), frozenset(claim.arm_ids)))
    for same in by_result.values():
        better = [claim for claim in same if claim.kind == "superior"]
        alike = [claim for claim in same if claim.kind in SAME and _any_time_of(claim, better)]
        alike = [claim for claim in alike if not _discloses(claim)]
        if better and alike:
            yield _contradiction(better, alike, m)


def _any_time_of(claim: Claim, better: Sequence[Claim]) -> bool:
    return any(None in (claim.time, one.time) or days(claim) == days(one) for one in better)


def _contradiction(better: list[Claim], alike: list[Claim], m: Material) -> Finding:
    one, other = better[0], alike[0]
    pairs = sorted(_pairs(one, m), key=lambda pair: _day(pair.one))
    ids = (*(claim.row_id for claim in (*better, *alike)), *(row.row_id for pair in pairs for row in pair))
    where = f" ({plain(one.level)})" if one.level else ""
    what = f"“{one.locator}” claims a benefit for {in_sentence(m.outcome(one.outcome_id))}{where}"
    none = f"“{other.locator}” says that there is none{_moments(alike)}, or none that is significant"
    why = f"{what}, but {none}{_counted(pairs)}.{_if(one, m)}"
    place = f"{one.source_id} {one.locator} {other.locator}"
    said = " ".join(dict.fromkeys(claim.paraphrase for claim in alike))
    verdict: Verdict = "not_checkable" if _names_other(one, m) else "inconsistent"
    return Finding(ids, one.paraphrase, said, verdict, why, "conclusion", cause=place)


def _counted(pairs: Sequence[_Pair]) -> str:
    """Return the counts of both arms at every time, as the end of a sentence; empty where none are known."""
    made = [f"{_of(pair.one)} against {_of(pair.none)}{_at_time(pair.one)}" for pair in pairs]
    printed = all(row.printed for pair in pairs for row in pair)
    called = "counts are" if printed else "recovered counts are"
    return f"; the {called} {', '.join(dict.fromkeys(made))}" if made else ""


def _of(row: Count) -> str:
    return f"{row.events}/{row.n}"


def _moments(claims: Sequence[Claim]) -> str:
    """Return at which times claims are made, empty where none is told."""
    timed = sorted((claim for claim in claims if claim.time is not None), key=lambda one: days(one) or 0.0)
    times = list(dict.fromkeys((claim.time or 0.0, claim.time_unit) for claim in timed))
    if len({unit for _, unit in times}) > 1:
        return f" at {' and '.join(span(*one) for one in times)}"
    if not times:
        return ""
    *earlier, last = times
    return f" at {' and '.join([*(f'{one:g}' for one, _ in earlier), span(*last)])}"


def _if(claim: Claim, m: Material) -> str:
    """Return under what reading a claim is of its outcome, where its own words name another."""
    label = m.outcome(claim.outcome_id).lower()
    if not claim.outcome_id or label in claim.paraphrase.lower():
        return ""
    because = f": {claim.note}" if claim.note else ""
    return f" This takes {_names_other(claim, m) or 'what it names'} to mean {label}{because}."


def _names_other(claim: Claim, m: Material) -> str:
    """Return the result that a claim's own words name instead of its outcome; empty where they name none."""
    label, words = m.outcome(claim.outcome_id).lower(), claim.paraphrase.lower()
    if not claim.outcome_id or label in words:
        return ""
    named = re.search(rf"[\w-]+ {re.escape(label.rpartition(' ')[2])}\b", words)
    return named[0] if named else ""


def claimed_rates_match_counts(m: Material) -> Iterator[Finding]:
    """Compare percentages repeated in sentences with the counts: a rate, lowest and highest, a difference."""
    for claim in _own(m, "rate", "other"):
        rows = [
            row for row in m.counts_of.get(part(claim), ()) if _same_time(row, claim) and not row.category
        ]
        cells = {row.arm_id: row for row in rows if row.events is not None and row.n}
        if claim.unit == "%" and all(arm in cells for arm in claim.arm_ids):
            yield from _claimed(claim, [cells[arm] for arm in claim.arm_ids], m)


def _claimed(claim: Claim, rows: list[Count], m: Material) -> Iterator[Finding]:
    shares = [100 * (row.events or 0) / (row.n or 1) for row in rows]
    ids = (claim.row_id, *(row.row_id for row in rows))
    if claim.low and claim.high:
        pairs = [(claim.low, min(shares)), (claim.high, max(shares))]
    elif claim.value and len(shares) == 1:
        pairs = [(claim.value, shares[0])]
    elif claim.value and len(shares) == 2:
        pairs = [(claim.value, abs(shares[0] - shares[1]))]
    else:
        return
    reported, shown = (
        " to ".join(text for text, _ in pairs),
        " to ".join(f"{share:.2f}" for _, share in pairs),
    )
    if all(_near(text, share, claim) for text, share in pairs):
        yield Finding(ids, f"{reported}%", f"{shown}%", "consistent", "The counts give it.")
    else:
        yield Finding(
            ids, f"{reported}%", f"{shown}%", "inconsistent", f"The counts give {shown}%.", "number"
        )


def _near(text: str, share: float, claim: Claim) -> bool:
    """Return whether a share is printed so; an approximate figure may be off by half its last digit but 0."""
    if "approximately" not in claim.paraphrase.lower():
        return Reported(text).allows(share)
    digits = text.rstrip("0") if "." not in text else text
    return bool(abs(Reported(text).value - share) <= 0.5 * 10 ** (len(text) - len(digits)) + 1e-9)


def subgroups_are_alike(m: Material) -> Iterator[Finding]:
    """Hold claims that subgroups do equally well against the counts, missing left out and missing as failure.

    One arm: exact test over all levels, each pair of levels, trend over the levels as listed; two arms:
    Breslow and Day's test of one odds ratio. With k levels the pairs are adjusted by Holm's method.
    """
    for claim in _own(m, "comparable", "subgroup_consistent"):
        if claim.subgroup and not claim.level:
            yield from _subgroups(claim, m)


class _Level(NamedTuple):
    name: str
    events: int
    n: int


class _Tried(NamedTuple):
    """The tests of equal rates over levels at one time: over all, smallest of pairs (Holm), trend.

    Two levels are one pair and have no trend: None stands for both.
    """

    when: str
    handling: str
    shares: str
    overall: float
    pairs: float | None
    trend: float | None


def _subgroups(claim: Claim, m: Material) -> Iterator[Finding]:
    rows = [row for level in _levels(claim, m) for row in m.counts_of.get((*part(claim)[:3], level), ())]
    rows = [
        row
        for row in rows
        if _same_time(row, claim) and row.events is not None and row.n and not row.category
    ]
    rows = [row for row in rows if row.arm_id in claim.arm_ids]
    times = list(grouped(rows, moment).values())
    if not times:
        why = "No counts by subgroup are printed for it."
        yield Finding((claim.row_id,), _reported(claim, m), "", "not_checkable", why, "conclusion")
    elif len(claim.arm_ids) == 1:
        yield _one_arm(claim, [same for same in times if len(same) > 1], m)
    else:
        yield _two_arms(claim, times, m)


def _levels(claim: Claim, m: Material) -> list[str]:
    rows = m.counts_of.get((claim.study_id, claim.subgroup, "", ""), ())
    return list(dict.fromkeys(row.category for row in rows if row.category))


def _one_arm(claim: Claim, times: list[list[Count]], m: Material) -> Finding:
    ids = (claim.row_id, *(row.row_id for same in times for row in same))
    sizes = {row.category: row for row in m.counts_of.get((claim.study_id, claim.subgroup, "", ""), ())}
    tried = [one for same in times for one in _tried(same, sizes)]
    shown = "; ".join(f"{one.when} {one.shares}, {p_is(one.overall)} {one.handling}" for one in tried[:2])
    shown += f"; and {len(tried) - 2} more tests" if len(tried) > 2 else ""
    adjusted = [
        min(holm([one.overall for one in tried if one.handling == handling]).tolist())
        for handling in dict.fromkeys(one.handling for one in tried)
    ]
    if min(adjusted) < m.alpha:
        holm_words = f" after Holm's adjustment for {len(times)} times" if len(times) > 1 else ""
        p = f"{p_is(min(adjusted))}{holm_words}"
        why = f"Subgroups are called alike, but they differ ({p})."
        return Finding(ids, _reported(claim, m), shown, "inconsistent", why, "conclusion")
    why = (
        f"No test over all {plain(claim.subgroup)} levels finds a difference{_smallest_p(tried, m.alpha)}, "
        f"but groups of {_smallest(times)} patients leave room for one: {_widest(times)}."
    )
    about = f"{claim.outcome_id} {claim.subgroup}"
    return Finding(ids, _reported(claim, m), shown, "not_checkable", why, "conclusion", cause=about)


def _tried(same: list[Count], sizes: dict[str, Count]) -> list[_Tried]:
    """Return the tests at one time, of those counted and, where sizes at the start are known, of all."""
    seen = [_Level(row.level, row.events or 0, row.n or 0) for row in same]
    made, when = [_test_levels(seen, _when(same[0]), "of those counted")], _when(same[0])
    if all(one.name in sizes and (sizes[one.name].events or 0) >= one.n for one in seen):
        whole = [one._replace(n=sizes[one.name].events or one.n) for one in seen]
        made.append(_test_levels(whole, when, "missing as failure"))
    return made


def _when(row: Count) -> str:
    return f"{row.time_unit} {row.time:g}" if row.time is not None else row.time_label


def _test_levels(levels: list[_Level], when: str, handling: str) -> _Tried:
    shares = "/".join(percent(one.events / one.n, 1) for one in levels)
    if len(levels) == 2:
        return _Tried(when, handling, shares, _alike_p(levels), None, None)
    pairs = holm([_alike_p(pair) for pair in combinations(levels, 2)]).tolist()
    return _Tried(when, handling, shares, _alike_p(levels), min(pairs), _trend_p(levels))


def _trend_p(levels: Sequence[_Level]) -> float | None:
    """Return P of a trend over the levels as listed, None where nobody or everybody had the event."""
    try:
        return cochran_armitage([one.events for one in levels], [one.n for one in levels]).p
    except StatisticsError:
        return None


def _alike_p(levels: Sequence[_Level]) -> float:
    return fisher_freeman_halton([[one.events, one.n - one.events] for one in levels], work=100_000).p


def _smallest_p(tried: Sequence[_Tried], alpha: float) -> str:
    """Return the smallest P of each kind of test, with where it was found; a trend below alpha apart."""
    said, trend = [], ""
    kinds = {"overall": "smallest P", "pairs": "pairs after Holm", "trend": "trend, not adjusted,"}
    for name, words in kinds.items():
        made = [(p, one) for one in tried if (p := getattr(one, name)) is not None]
        if made:
            p, low = min(made, key=itemgetter(0))
            told = f"{words} {p_text(p)} at {low.when} {low.handling}"
            if name == "trend" and p < alpha:
                found = f"P {p_text(p)} at {low.when} {low.handling}"
                trend = f", though that for a trend, not adjusted, gives {found}"
            else:
                said.append(told)
    return f" ({'; '.join(said)}){trend}"


def _smallest(times: list[list[Count]]) -> str:
    sizes = [row.n or 0 for same in times for row in same]
    return f"{min(sizes)} to {max(sizes)}" if min(sizes) < max(sizes) else str(min(sizes))


def _widest(times: list[list[Count]]) -> str:
    """Return the widest interval of a difference between two levels at the last time."""
    last = max(times, key=lambda same: days(same[0]) or 0.0)
    made = [
        (compare(*_Pair(one, none).figures, measure="RD"), one, none) for one, none in combinations(last, 2)
    ]
    widest, one, none = max(made, key=lambda item: item[0].high - item[0].low)
    limits = f"{100 * widest.low:+.0f} to {100 * widest.high:+.0f} points"
    return (
        f"{plain(one.level)} less {plain(none.level)} {limits}{_at_time(one)}"
        if one.time is not None
        else limits
    )


def _two_arms(claim: Claim, times: list[list[Count]], m: Material) -> Finding:
    ids, lowest = (claim.row_id, *(row.row_id for same in times for row in same)), 1.0
    for same in times:
        tables = [_by_arm(rows, claim) for rows in grouped(same, lambda row: row.level).values()]
        try:
            lowest = min(lowest, breslow_day([table for table in tables if table]).p)
        except StatisticsError:
            continue
    shown = f"P of interaction {p_text(lowest)}"
    if lowest < m.alpha:
        why = f"The effect is called the same in all subgroups, but interaction has {p_is(lowest)}."
        return Finding(ids, _reported(claim, m), shown, "inconsistent", why, "conclusion")
    why = f"No interaction is found ({p_is(lowest)}), which a small study rarely could."
    return Finding(ids, _reported(claim, m), shown, "not_checkable", why, "conclusion")


def _by_arm(rows: Sequence[Count], claim: Claim) -> list[list[int]]:
    cells = {row.arm_id: row for row in rows}
    if not set(claim.arm_ids) <= set(cells):
        return []
    return [
        [cells[arm].events or 0, (cells[arm].n or 0) - (cells[arm].events or 0)] for arm in claim.arm_ids[:2]
    ]


def significance_survives_holm(m: Material) -> Iterator[Finding]:
    """Adjust each family of pairwise P values by Holm's method and see which stay significant."""
    for same in _pairwise_families(m):
        yield _adjusted(same, m)


def _pairwise_families(m: Material) -> list[list[Test]]:
    rows = [test for test in m.tests if test.exact_p and len(test.arm_ids) == 2 and test.counted]
    families = grouped(rows, _family).values()
    return [same for same in families if len({frozenset(test.arm_ids) for test in same}) > 2]


def _after_holm(same: Sequence[Test]) -> list[tuple[Test, float]]:
    """Return the comparisons of a family, each once, with their P after Holm's adjustment."""
    same = sorted(same, key=lambda test: test.row_id)
    once = [one[0] for one in grouped(same, lambda test: frozenset(test.arm_ids)).values()]
    adjusted = holm([min(Reported(test.p).value, 1.0) for test in once])
    return list(zip(once, map(float, adjusted), strict=True))


def _lost_by_holm(m: Material) -> dict[str, float]:
    """Return the adjusted P of every test, and printing of it, that is significant only before Holm's."""
    found = {
        (_family(test), frozenset(test.arm_ids)): p
        for same in _pairwise_families(m)
        for test, p in _after_holm(same)
        if p >= m.alpha and _below(test, m.alpha)
    }
    keys = {test.row_id: (_family(test), frozenset(test.arm_ids)) for test in m.tests if test.p}
    return {row: found[key] for row, key in keys.items() if key in found}


def _family(test: Test) -> Hashable:
    return (*part(test), test.category, moment(test), test.adjusted)


def _adjusted(same: list[Test], m: Material) -> Finding:
    same = sorted(same, key=lambda test: test.row_id)
    tried = _after_holm(same)
    once, adjusted = [test for test, _ in tried], [p for _, p in tried]
    significant = [(test, p) for test, p in tried if _below(test, m.alpha)]
    lost = [(test, p) for test, p in significant if p >= m.alpha]
    ids = tuple(test.row_id for test in same)
    reported = ", ".join(f"P = {test.p}" for test in once)
    shown = ", ".join(map(p_is, adjusted))
    if not lost:
        are = "is" if len(significant) == 1 else "are"
        why = f"{len(significant)} of {len(once)} {are} significant, before and after Holm's adjustment."
        return Finding(ids, reported, shown, "consistent", why)
    named = ", ".join(m.names_inside(test.study_id, test.arm_ids) for test, _ in lost)
    time = _at_time(same[0]) if same[0].time is not None else ""
    why = (
        f"Of {len(once)} comparisons of {in_sentence(m.outcome(same[0].outcome_id))}{time}, "
        f"{_lost(len(lost), len(significant))} Holm's adjustment ({named}); whether any was planned is not "
        "printed."
    )
    return Finding(ids, reported, shown, "not_checkable", why, "conclusion")


def _lost(lost: int, significant: int) -> str:
    """Return how many of the significant comparisons are lost, as subject and verb."""
    if lost == significant == 1:
        return "the one that is significant does not survive"
    if lost == significant:
        return f"none of the {lost} that are significant survives"
    return f"{lost} of the {significant} that are significant {'does' if lost == 1 else 'do'} not survive"
