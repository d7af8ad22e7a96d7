"""Means and standard deviations as published: tests, intervals, conversions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import (
    LARGEST,
    chosen,
    column,
    confidence,
    finite,
    number,
    positive,
    same_length,
    whole,
)
from evidence.stats.results import TestResult

Variances = Literal["student", "welch"]


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """Mean of group 1 minus mean of group 0 in the unit of measurement, with its interval."""

    estimate: float
    low: float
    high: float
    p: float
    se: float
    df: float
    level: float
    method: str


class _Group(NamedTuple):
    mean: float
    sd: float
    n: int


def _group(mean: float, sd: float, n: Any, which: str) -> _Group:
    total = whole(n, f"n{which}")
    centre, spread = column([mean, sd], f"mean or SD of group {which}").tolist()
    if total < 2 or spread < 0:
        raise StatisticsError(
            f"group {which} has n {total} and SD {spread}: give n above 1 and an SD of at least 0"
        )
    if 0 < spread < 1 / LARGEST:
        raise StatisticsError(f"group {which} has SD {spread}: give it in another unit")
    return _Group(centre, spread, total)


def anova_from_summary(means: Sequence[float], sds: Sequence[float], ns: Sequence[Any]) -> TestResult:
    """Test equal means by one-way analysis of variance from published summaries.

    Args:
        means: mean of each group.
        sds: standard deviation (not standard error) of each group.
        ns: patients in each group, at least 2.

    Returns:
        F with ``df`` between groups and ``df_error`` within.

    Raises:
        StatisticsError: for fewer than two groups, or when no group varies.

    The example is R's ``PlantGrowth`` (Dobson, An Introduction to Statistical Modelling, 1983).

    >>> result = anova_from_summary([5.032, 4.661, 5.526], [0.5830914, 0.7936757, 0.4425733], [10, 10, 10])
    >>> round(result.statistic, 4), result.df, result.df_error, round(result.p, 5)
    (4.8461, 2, 27, 0.01591)
    """
    rows = zip(*same_length(means, sds, ns), strict=True)
    groups = [_group(mean, sd, n, str(place)) for place, (mean, sd, n) in enumerate(rows, 1)]
    m, s, n = np.array(groups, dtype=np.float64).T
    df, df_error = len(groups) - 1, int(n.sum()) - len(groups)
    within = float(((n - 1) * s**2).sum()) / df_error
    if not (df and within):
        raise StatisticsError("give at least two groups, at least one of them with an SD above 0")
    statistic = float((n * (m - np.average(m, weights=n)) ** 2).sum()) / df / within
    return TestResult(statistic, df, f_p(statistic, df, df_error), "one-way ANOVA", df_error=df_error)


def mean_difference(
    m1: float,
    s1: float,
    n1: Any,
    m0: float,
    s0: float,
    n0: Any,
    *,
    level: float = 0.95,
    method: Variances = "student",
) -> MeanDifference:
    """Estimate the difference of two means from published summaries.

    Args:
        m1: mean of group 1.
        s1: standard deviation of group 1.
        n1: patients in group 1, at least 2.
        m0: mean of group 0.
        s0: standard deviation of group 0.
        n0: patients in group 0, at least 2.
        level: confidence level between 0 and 1.
        method: ``student`` (equal variances) or ``welch`` (unequal, Satterthwaite's degrees of freedom).

    Raises:
        StatisticsError: for unusable summaries, or when neither group varies.

    The example is R's ``sleep`` (Student, Biometrika 1908;6:1-25; ``t.test(extra ~ group, data = sleep)``).

    >>> result = mean_difference(0.75, 1.789010, 10, 2.33, 2.002249, 10, method="welch")
    >>> round(result.low, 4), round(result.high, 4), round(result.p, 5)
    (-3.3655, 0.2055, 0.07939)
    """
    one, none = _group(m1, s1, n1, "1"), _group(m0, s0, n0, "0")
    chosen(method, ("student", "welch"), "method")
    level = confidence(level)
    se, df = (_pooled_error if method == "student" else _separate_error)(one, none)
    difference = one.mean - none.mean
    half = float(special.stdtrit(df, (1 + level) / 2)) * se
    p = t_p(difference / se, df)
    return MeanDifference(difference, difference - half, difference + half, p, se, df, level, method)


def _pooled_error(one: _Group, none: _Group) -> tuple[float, float]:
    df = one.n + none.n - 2
    variance = ((one.n - 1) * one.sd**2 + (none.n - 1) * none.sd**2) / df
    return _vary(math.sqrt(variance * (1 / one.n + 1 / none.n))), df


def _separate_error(one: _Group, none: _Group) -> tuple[float, float]:
    v1, v0 = one.sd**2 / one.n, none.sd**2 / none.n
    se = _vary(math.sqrt(v1 + v0))
    return se, (v1 + v0) ** 2 / (v1**2 / (one.n - 1) + v0**2 / (none.n - 1))


def _vary(se: float) -> float:
    if not se:
        raise StatisticsError("both SDs are 0: a difference needs a group that varies")
    return se


def t_from_summary(
    m1: float, s1: float, n1: Any, m0: float, s0: float, n0: Any, *, method: Variances = "student"
) -> TestResult:
    """Test equal means of two groups from published summaries; arguments as for ``mean_difference``.

    >>> result = t_from_summary(0.75, 1.789010, 10, 2.33, 2.002249, 10)
    >>> round(result.statistic, 4), result.df, round(result.p, 5)
    (-1.8608, 18, 0.07919)
    """
    found = mean_difference(m1, s1, n1, m0, s0, n0, method=method)
    name = "Student's t test" if method == "student" else "Welch's t test"
    return TestResult(found.estimate / found.se, found.df, found.p, name)


def sd_from_se(se: float, n: Any) -> float:
    """Return the standard deviation behind a standard error of the mean.

    >>> sd_from_se(0.5, 16)
    2.0
    """
    return positive(se, "se") * math.sqrt(positive(whole(n, "n"), "n"))


def se_from_sd(sd: float, n: Any) -> float:
    """Return the standard error of a mean.

    >>> se_from_sd(2.0, 16)
    0.5
    """
    return positive(sd, "sd") / math.sqrt(positive(whole(n, "n"), "n"))


def sd_from_interval(low: float, high: float, n: Any, *, level: float = 0.95) -> float:
    """Return the standard deviation behind a t interval of a mean (Cochrane Handbook, section 6.5.2.2).

    >>> round(sd_from_interval(30.0, 34.2, 25), 2)
    5.09
    """
    total = whole(n, "n")
    low, high = column([low, high], "the interval").tolist()
    if total < 2 or not low < high:
        raise StatisticsError(f"interval {low} to {high} with n {total}: give low below high and n above 1")
    t = float(special.stdtrit(total - 1, (1 + confidence(level)) / 2))
    return (high - low) / (2 * t) * math.sqrt(total)


def t_p(statistic: float, df: float) -> float:
    """Return the two-sided P value of a t statistic.

    >>> round(t_p(2.228139, 10), 5)
    0.05
    """
    return float(2 * special.stdtr(positive(df, "df"), -abs(number(statistic, "t"))))


def f_p(statistic: float, df: float, df_error: float) -> float:
    """Return the upper tail of the F distribution.

    >>> round(f_p(4.102821, 2, 10), 5)
    0.05
    """
    value = number(statistic, "F")
    if value < 0:
        raise StatisticsError(f"F is {value}: give at least 0")
    return float(special.fdtrc(positive(df, "df"), positive(df_error, "df_error"), value))


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Adjust P values for multiple testing by Holm's step-down method, in the order given.

    Raises:
        StatisticsError: when a value is missing or outside 0 to 1.

    Source: Holm, Scandinavian Journal of Statistics 1979;6:65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = finite(p_values, "p_values")
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise StatisticsError("give a list of P values between 0 and 1")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
