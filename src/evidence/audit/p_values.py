"""P values against the statistics printed beside them, and against their other printings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import special
from scipy.optimize import linear_sum_assignment

from evidence.audit.finding import Finding
from evidence.audit.material import Material, Test, grouped, moment, part
from evidence.audit.reported import Reported
from evidence.audit.tests_from_data import p_text, printed, result_of

Span = tuple[float, float]
RANKS = ("kruskal", "mann", "wilcoxon", "rank")


class Distribution(NamedTuple):
    """The distribution of a test statistic; ``df_error`` is 0 where it has none."""

    name: str
    df: float
    df_error: float

    def p(self, statistic: float) -> float:
        """Return the P value of a statistic: upper tail, two-sided for t and z."""
        size = abs(statistic)
        if self.name == "F":
            return float(special.fdtrc(self.df, self.df_error, max(statistic, 0.0)))
        if self.name == "t":
            return float(2 * special.stdtr(self.df, -size))
        return float(
            2 * special.ndtr(-size) if self.name == "z" else special.chdtrc(self.df, max(statistic, 0.0))
        )

    def span(self, text: str) -> Span:
        """Return the P values that a printed statistic allows."""
        ends = [self.p(end) for end in Reported(text).bounds]
        return min(ends), max(ends)

    def __str__(self) -> str:
        """Return the name with its degrees of freedom."""
        shown = f"{self.df:g} and {self.df_error:g}" if self.df_error else f"{self.df:g}"
        return self.name if self.name == "z" else f"{self.name} on {shown} df"


def distribution(test: Test, m: Material) -> Distribution | None:
    """Return the distribution of a printed statistic; None where label and data do not settle it."""
    label = test.statistic_label.lower()
    kind = _kind(label, _centres(test, m), test.test_label.lower())
    df = _df(test, m, kind)
    if not kind or (df is None and kind != "z"):
        return None
    if kind != "F":
        return Distribution(kind, df or 0.0, 0.0)
    error = _second_df(test) or error_df(test, m)
    return Distribution(kind, df or 0.0, error) if error else None


def _kind(label: str, centres: set[str], name: str) -> str:
    """Return F, t, z or chi-square; of two letters in one label the one that the data call for."""
    chi = any(word in label for word in ("χ", "chi", "x2")) or _letter(label, "h")
    if _letter(label, "f") and not (chi and centres != {"mean"}) and not any(word in name for word in RANKS):
        return "F"
    if chi:
        return "chi-square"
    return next((one for one in ("t", "z") if _letter(label, one)), "")


def _letter(label: str, letter: str) -> bool:
    return letter in label.replace("/", " ").replace("value", " ").split()


def _centres(test: Test, m: Material) -> set[str]:
    rows = m.measures_of.get(part(test), ())
    return {row.statistic for row in rows if moment(row)[0] == moment(test)[0] and row.arm_id in test.arm_ids}


def _df(test: Test, m: Material, kind: str) -> float | None:
    if test.df:
        return Reported(test.df).value
    table = m.table(test) if kind == "chi-square" else None
    if table is not None:
        rows, columns = (np.array(table).any(axis=axis).sum() for axis in (1, 0))
        return float((rows - 1) * (columns - 1)) or None
    if kind == "t":
        return error_df(test, m)
    return float(len(test.arm_ids) - 1) if len(test.arm_ids) > 1 and _centres(test, m) else None


def _second_df(test: Test) -> float:
    second = test.df.replace(";", ",").partition(",")[2].strip()
    return Reported(second).value if second else 0.0


def error_df(test: Test, m: Material) -> float:
    """Return the patients of the arms less the number of arms, 0 where an arm's size is not printed."""
    sizes = [_size(test, arm, m) for arm in test.arm_ids]
    return 0.0 if None in sizes else float(sum(size or 0 for size in sizes) - len(sizes))


def _size(test: Test, arm: str, m: Material) -> int | None:
    rows = [row for row in m.measures_of.get(part(test), ()) if row.arm_id == arm and row.time == test.time]
    own = next((row.n for row in rows if row.n is not None), None)
    return own if own is not None else m.arms[test.study_id, arm].n


def p_fits_statistic(m: Material) -> Iterator[Finding]:
    """Compare every P value with the statistic beside it.

    Degrees of freedom are the printed ones, else those of the table of counts, else the arms less one. A P
    value from an exact test owes nothing to its statistic and is left to the recomputed test. F without
    printed degrees of freedom is left to ``patients_fit_f``.
    """
    for test in m.tests:
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
    shown = f"P = {p_text(given.p(Reported(test.statistic).value))}".replace("= <", "< ")
    if Reported(test.p).allows(low, high):
        return Finding(ids, printed(test), shown, "consistent", f"{given} gives it.")
    return _misfit(test, given, m, shown)


def _misfit(test: Test, given: Distribution, m: Material, shown: str) -> Finding:
    flips = (Reported(test.p).value < m.alpha) != (given.p(Reported(test.statistic).value) < m.alpha)
    why = f"{test.statistic} as {given} gives {shown}, not {test.p}"
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


def statistics_stand_beside_their_p(m: Material) -> Iterator[Finding]:
    """Where P values of a table do not fit their statistics, look for the permutation that mends them."""
    rows = [test for test in m.tests if test.exact_p and test.statistic and test.statistic[0] not in "<>"]
    for same in grouped(rows, _table_of).values():
        told = [(test, given) for test in same if (given := _told(test, m))]
        wrong = [(test, given) for test, given in told if not _beside(test.statistic, test, given)]
        if len(wrong) > 1 and len({(given.name, given.df) for _, given in wrong}) == 1:
            yield from _permuted([test for test, _ in wrong], wrong[0][1], m)


def _told(test: Test, m: Material) -> Distribution | None:
    """Return the distribution of a statistic, None where an exact test explains the pair."""
    again = m.again(test)
    return None if "Freeman" in again.method and again.agrees == "yes" else distribution(test, m)


def _table_of(test: Test) -> Hashable:
    place = test.locator.partition(", row")[0].partition(", column")[0]
    return (test.study_id, test.source_id, place, test.statistic_label, test.arms)


def _beside(statistic: str, test: Test, given: Distribution) -> bool:
    return Reported(test.p).allows(*given.span(statistic))


def _permuted(tests: Sequence[Test], given: Distribution, m: Material) -> Iterator[Finding]:
    fits = np.array([[_beside(other.statistic, test, given) for other in tests] for test in tests])
    order = [int(place) for place in linear_sum_assignment(fits, maximize=True)[1]]
    mended = [fits[place, other] for place, other in enumerate(order)]
    if sum(mended) < 2:
        return
    moved = [
        (test, tests[other].statistic, bool(fit))
        for test, other, fit in zip(tests, order, mended, strict=True)
    ]
    reported = "; ".join(f"{test.statistic} with P = {test.p}" for test in tests)
    shown = "; ".join(f"{statistic} with P = {test.p}" for test, statistic, _ in moved)
    order_ = ", ".join(statistic for _, statistic, _ in moved)
    why = f"The statistics stand beside the wrong P values: put in the order {order_}, "
    why += f"{sum(mended)} of {len(tests)} fit ({given}){_residual(moved, given, m.alpha)}."
    flips = any(not fit and _crosses(test, statistic, given, m.alpha) for test, statistic, fit in moved)
    ids = tuple(test.row_id for test in tests)
    yield Finding(ids, reported, shown, "inconsistent", why, "conclusion" if flips else "number")


def _crosses(test: Test, statistic: str, given: Distribution, alpha: float) -> bool:
    return (given.p(Reported(statistic).value) < alpha) != (Reported(test.p).value < alpha)


def _residual(moved: Sequence[tuple[Test, str, bool]], given: Distribution, alpha: float) -> str:
    left = [(test, statistic) for test, statistic, fit in moved if not fit]
    said = [
        f"; {statistic} would still give P = {p_text(given.p(Reported(statistic).value))} and not {test.p}"
        + (f", no longer below {alpha:g}" if _crosses(test, statistic, given, alpha) else "")
        for test, statistic in left
    ]
    return "".join(said)


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
