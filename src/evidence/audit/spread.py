"""Spread: what the value after ± can be, and whether centre, spread and range can stand together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from evidence.audit.finding import Finding
from evidence.audit.material import Material, Measure, Test, grouped, part
from evidence.audit.printed import result_of
from evidence.audit.recompute import Candidate
from evidence.audit.reported import Reported
from evidence.audit.tests_from_data import AS_ERRORS
from evidence.format import in_sentence

WORD = {
    "mean": re.compile(r"\bmedians?\b", re.IGNORECASE),
    "median": re.compile(r"\bmeans?\b", re.IGNORECASE),
}


class _Told(NamedTuple):
    """A test that tells standard deviation from standard error: which of the two readings gives it."""

    test: Test
    rows: tuple[str, ...]
    as_errors: bool
    as_deviations: bool


def spread_is_what_it_says(m: Material) -> Iterator[Finding]:
    """Ask the tests on means whether the values after ± are standard deviations or standard errors."""
    once = [same[0] for same in grouped((test for test in m.tests if test.exact_p), result_of).values()]
    told = [one for test in once if (one := _told(test, m))]
    for same in grouped(told, lambda one: part(one.test)).values():
        errors = [one for one in same if one.as_errors and not one.as_deviations]
        deviations = [one for one in same if one.as_deviations and not one.as_errors]
        if errors or deviations:
            yield _spread(errors, deviations, m)


def _told(test: Test, m: Material) -> _Told | None:
    again = m.again(test)
    readings = [one for one in again.candidates if AS_ERRORS in one.method]
    if not readings:
        return None
    plain = [one for one in again.candidates if AS_ERRORS not in one.method]
    return _Told(test, again.row_ids, _gives(test, readings), _gives(test, plain))


def _gives(test: Test, candidates: list[Candidate]) -> bool:
    return any(Reported(test.p).allows(*one.p_range) for one in candidates)


def _spread(errors: list[_Told], deviations: list[_Told], m: Material) -> Finding:
    told = [*errors, *deviations]
    test, ids = told[0].test, tuple(dict.fromkeys(row for one in told for row in one.rows))
    labels = {row.spread_label for row in m.measures_of[part(test)] if row.row_id in ids}
    reported = f"± labelled {' and '.join(sorted(labels)).upper() or 'nothing'}"
    shown = f"{len(errors)} tests fit standard errors, {len(deviations)} fit standard deviations"
    wrong = errors if "sd" in labels or "unstated" in labels else []
    wrong = deviations if labels == {"se"} else wrong
    other = "standard errors" if wrong is errors else "standard deviations"
    if len(wrong) <= len(told) - len(wrong):
        return Finding(ids, reported, shown, "consistent", "The tests fit the label of the spread.")
    name, outcome = ("standard deviations", m.outcome(test.outcome_id))
    name = name if wrong is errors else "standard errors"
    why = (
        f"The values after ± of {in_sentence(outcome)} are {other}, not {name}: "
        f"{_follow(len(wrong), len(told))} only then. Read as named, they misstate the spread of patients "
        "by a factor of √n."
    )
    return Finding(ids, reported, shown, "inconsistent", why, "number")


def _follow(count: int, of: int) -> str:
    """Return how many of the printed P values that tell follow, as the start of a sentence.

    >>> _follow(16, 16), _follow(3, 4), _follow(1, 1)
    ('all 16 printed P values that tell follow', '3 of the 4 printed P values that tell follow',
     'the one printed P value that tells follows')
    """
    if of == 1:
        return "the one printed P value that tells follows"
    return f"{f'all {of}' if count == of else f'{count} of the {of}'} printed P values that tell follow"


def centre_is_what_it_is_called(m: Material) -> Iterator[Finding]:
    """Find means printed under the word median, and medians under the word mean."""
    rows = [row for row in m.measurements if row.statistic in WORD]
    for same in grouped(
        rows, lambda row: (row.source_id, row.locator, row.statistic, row.outcome_id)
    ).values():
        if WORD[same[0].statistic].search(same[0].locator) and not _both(same[0]):
            yield _misnamed(same, m)


def _both(row: Measure) -> bool:
    return bool(re.search(rf"\b{row.statistic}s?\b", row.locator, re.IGNORECASE))


def _misnamed(same: list[Measure], m: Material) -> Finding:
    ids, statistic = tuple(row.row_id for row in same), same[0].statistic
    called = "median" if statistic == "mean" else "mean"
    figures = ", ".join(f"{row.value} ± {row.spread}" if row.spread else row.value for row in same)
    why = (
        f"{m.outcome(same[0].outcome_id)} is called a {called}, but what is printed is a {statistic}: the "
        "two differ where a few patients take very long or have very high values."
    )
    return Finding(ids, figures, statistic, "inconsistent", why, "number")


def centre_is_within_interval(m: Material) -> Iterator[Finding]:
    """Ask whether a mean or median lies between the limits printed with it."""
    for row in m.measurements:
        if row.value and row.low and row.high and not {row.value[0], row.low[0], row.high[0]} & set("<>≤≥"):
            yield _within(row)


def _within(row: Measure) -> Finding:
    value, low, high = (Reported(text).value for text in (row.value, row.low, row.high))
    reported = f"{row.value} ({row.low} to {row.high})"
    if low <= value <= high:
        return Finding((row.row_id,), reported, "", "consistent", "It lies between its limits.")
    why = f"{row.value} lies outside {row.low} to {row.high}."
    return Finding((row.row_id,), reported, "", "inconsistent", why, "number")


def mean_of_whole_numbers_is_possible(m: Material) -> Iterator[Finding]:
    """Test means and standard deviations of scores and of yes-or-no outcomes (GRIM, GRIMMER, DEBIT).

    Sources: Brown and Heathers 2017; Anaya, PeerJ Preprints 2016;4:e2400v1, in Allard's form; Heathers and
    Brown 2019 (DEBIT).
    """
    for row in m.measurements:
        kind = m.outcomes[row.outcome_id].type
        if row.statistic == "mean" and row.n and kind in ("ordinal", "binary") and row.value:
            yield _whole_numbers(row, binary=kind == "binary")


def _whole_numbers(row: Measure, *, binary: bool) -> Finding:
    n, spread = row.n or 1, row.spread if row.spread_label == "sd" else ""
    reported = f"{row.value} ± {row.spread}, n = {n}" if row.spread else f"{row.value}, n = {n}"
    if not grim(row.value, n):
        why = f"No sum of {n} whole numbers has the mean {row.value}."
    elif spread and (not debit(row.value, spread, n) if binary else not grimmer(row.value, spread, n)):
        why = f"{n} whole numbers with the mean {row.value} cannot have the standard deviation {spread}."
    else:
        return Finding((row.row_id,), reported, "", "consistent", "Whole numbers can give it.")
    return Finding((row.row_id,), reported, "", "inconsistent", why, "number")


def grim(mean: str, n: int) -> bool:
    """Return whether n whole numbers can have a mean that is printed so.

    The example is Brown and Heathers' (2017): 28 scores cannot have a mean of 5.19.

    >>> grim("5.19", 28), grim("5.21", 28)
    (False, True)
    """
    figure = Reported(mean)
    near = round(figure.value * n)
    return any(figure.allows(total / n) for total in (near - 1, near, near + 1))


def grimmer(mean: str, sd: str, n: int) -> bool:
    """Return whether n whole numbers can have a mean and a standard deviation that are printed so.

    The sum of squares must be a whole number, as odd or even as the sum (Allard's form of Anaya's test).

    >>> grimmer("3.44", "2.47", 18), grimmer("3.43", "1.60", 28)
    (False, True)
    """
    figure, spread = Reported(mean), Reported(sd)
    low, high = (max(end, 0.0) for end in spread.bounds)
    near = round(figure.value * n)
    for total in (near - 1, near, near + 1):
        if figure.allows(total / n) and _square_sum(total, n, low, high):
            return True
    return False


def _square_sum(total: int, n: int, low: float, high: float) -> bool:
    floor, ceiling = ((n - 1) * end**2 + total**2 / n for end in (low, high))
    first, last = math.ceil(floor - 1e-9), math.floor(ceiling + 1e-9)
    return any(squares % 2 == total % 2 for squares in range(first, min(last, first + 1) + 1))


def debit(mean: str, sd: str, n: int) -> bool:
    """Return whether n zeros and ones can have a mean and a standard deviation that are printed so.

    >>> debit("0.53", "0.50", 1683), debit("0.53", "0.40", 1683)
    (True, False)
    """
    figure, spread = Reported(mean), Reported(sd)
    low, high = (min(max(end, 0.0), 1.0) for end in figure.bounds)
    ends = [_binary_sd(end, n) for end in (low, high)]
    most = _binary_sd(0.5, n) if low <= 0.5 <= high else max(ends)
    return spread.allows(min(ends), most)


def _binary_sd(mean: float, n: int) -> float:
    return math.sqrt(mean * (1 - mean) * n / (n - 1)) if n > 1 else 0.0
