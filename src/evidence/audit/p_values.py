"""P values against the statistics printed beside them, and against their other printings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy import special

from evidence.audit.distribution import Distribution, distribution
from evidence.audit.finding import Finding
from evidence.audit.material import Material, Test, grouped
from evidence.audit.misplaced import misplaced, p_from_data
from evidence.audit.printed import p_is, printed, result_of
from evidence.audit.reported import Reported


def p_fits_statistic(m: Material) -> Iterator[Finding]:
    """Compare every P value with the statistic beside it.

    Degrees of freedom are the printed ones, else those of the table of counts, else the arms less one. A P
    value from an exact test owes nothing to its statistic and is left to the recomputed test. F without
    printed degrees of freedom is left to ``patients_fit_f``. Statistics that stand beside the wrong P values
    are left to ``statistics_stand_beside_their_p`` where the data give the printed P.
    """
    elsewhere = misplaced(m)
    for test in (test for test in m.tests if test.row_id not in elsewhere):
        given = distribution(test, m) if test.p and test.statistic else None
        if test.p and test.statistic and (given is None or given.name != "F" or test.df):
            yield _fits(test, m, given)


def _fits(test: Test, m: Material, given: Distribution | None) -> Finding:
    again, ids = m.again(test), (test.row_id,)
    if "Freeman" in again.method and again.agrees == "yes":
        why = "An exact P value with the statistic of the exact test: the table's own probability gives both."
        return Finding(ids, printed(test), "", "consistent", why)
    if given is None:
        why = "Neither the label nor the data say which distribution the statistic has."
        return Finding(ids, printed(test), "", "not_checkable", why)
    low, high = given.span(test.statistic)
    shown = p_is(given.p(Reported(test.statistic).value))
    if Reported(test.p).allows(low, high):
        return Finding(ids, printed(test), shown, "consistent", f"{given} gives it.")
    return _misfit(test, given, m, shown)


def _misfit(test: Test, given: Distribution, m: Material, shown: str) -> Finding:
    flips = (Reported(test.p).value < m.alpha) != (given.p(Reported(test.statistic).value) < m.alpha)
    why = f"{test.statistic} as {given} gives {shown}, not {test.p}"
    if p_from_data(test, m):
        why, flips = f"{why}; the data give P as printed, so the statistic is at fault", False
    if flips:
        why += f", which is on the other side of {m.alpha:g}"
    change = "conclusion" if flips else "number"
    return Finding((test.row_id,), printed(test), shown, "inconsistent", f"{why}.", change)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def error_df_span(statistic: str, p: str, df: float, most: int) -> tuple[int, int] | None:
    """Return the smallest and largest error df with which F and P can stand together, None for none.

    >>> error_df_span("4.103", "0.050", 2, 20)
    (10, 10)
    """
    errors = np.arange(1, max(most, 2) + 1, dtype=np.float64)
    bounds = [special.fdtrc(df, errors, max(end, 0.0)) for end in Reported(statistic).bounds]
    low, high = Reported(p).bounds
    fits = errors[(np.minimum(*bounds) <= high) & (np.maximum(*bounds) >= low)]
    return (int(fits[0]), int(fits[-1])) if len(fits) else None


def p_is_a_probability(m: Material) -> Iterator[Finding]:
    """Find P values below 0 or above 1."""
    for test in m.tests:
        value = Reported(test.p).value if test.p else math.nan
        if not math.isnan(value) and (not 0 <= value <= 1 or "-" in test.p):
            why = "A P value lies between 0 and 1."
            yield Finding((test.row_id,), f"P = {test.p}", "", "inconsistent", why, "number")


def one_test_one_p(m: Material) -> Iterator[Finding]:
    """Compare the P values printed in several places for one test."""
    for same in grouped((test for test in m.tests if test.p), result_of).values():
        if len(same) > 1:
            yield _one_p(same)


def _one_p(same: list[Test]) -> Finding:
    ids = tuple(test.row_id for test in same)
    reported = ", ".join(dict.fromkeys(test.p for test in same))
    spans = [Reported(test.p).bounds for test in same]
    slack = min(Reported(test.p).half_unit for test in same) * 1e-9
    if max(low for low, _ in spans) <= min(high for _, high in spans) + slack:
        return Finding(ids, reported, reported, "consistent", f"{len(same)} printings of one P value agree.")
    why = f"One test is printed with P values that cannot all be right: {reported}."
    return Finding(ids, reported, "", "inconsistent", why, "number")
