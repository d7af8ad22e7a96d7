"""Several 2 x 2 tables together: Mantel-Haenszel, homogeneity, interaction.

statsmodels' ``StratifiedTable`` has part of this; it loses P values below 1e-16, fails on strata with an
empty margin and where the odds ratio is exactly 1, and has no interval for risk ratio and difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evidence.errors import StatisticsError
from evidence.stats._checks import (
    LARGEST,
    MOST,
    Floats,
    chosen,
    column,
    confidence,
    finite,
    natural,
    normal_p,
    normal_quantile,
    same_length,
)
from evidence.stats.results import TestResult
from evidence.stats.tables import chi_square_p

StratifiedMeasure = Literal["OR", "RR", "RD"]
Continuity = Literal["none", "continuity"]


@dataclass(frozen=True, slots=True)
class CommonEffect:
    """The common effect of several 2 x 2 tables on its natural scale.

    ``se`` is on the log scale for OR and RR. ``k`` is the number of strata that inform the estimate;
    ``zero_cells`` says in words what became of the others.
    """

    estimate: float
    low: float
    high: float
    p: float
    se: float
    measure: str
    level: float
    k: int
    method: str
    zero_cells: str


class Strata(NamedTuple):
    """The cells (a, b: arm 1 with and without event; c, d: arm 0), margins and totals of all tables."""

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    n1: Floats
    n0: Floats
    n: Floats


def read_strata(tables: ArrayLike) -> Strata:
    """Return the cells of k tables of 2 x 2 whole counts, those with an empty arm left out."""
    cells = finite(tables, "tables")
    if cells.ndim != 3 or cells.shape[1:] != (2, 2):
        raise StatisticsError(f"tables have shape {cells.shape}: give k tables of 2 x 2, arms in rows")
    if (cells < 0).any() or (cells != np.floor(cells)).any() or (cells > MOST).any():
        raise StatisticsError(
            f"the tables hold a negative number, a fraction or one beyond {MOST:.0e}: give whole counts"
        )
    kept = cells[(cells.sum(axis=2) > 0).all(axis=1)]
    a, b, c, d = kept.reshape(-1, 4).T
    return Strata(a, b, c, d, a + b, c + d, a + b + c + d)


def mantel_haenszel(
    tables: ArrayLike, *, measure: StratifiedMeasure = "OR", level: float = 0.95
) -> CommonEffect:
    """Estimate the effect common to several 2 x 2 tables.

    Args:
        tables: k tables ``[[events, non-events of arm 1], [events, non-events of arm 0]]``.
        measure: ``OR`` (variance of Robins, Breslow and Greenland), ``RR`` (Greenland and Robins) or ``RD``
            (Sato, Greenland and Robins).
        level: confidence level between 0 and 1.

    Returns:
        The common effect. No cell is corrected: strata without an event (for OR also without a non-event)
        drop out of ratios by themselves and stay in the risk difference; strata with an empty arm drop out.

    Raises:
        StatisticsError: when no stratum informs the effect, or the ratio would be 0 or infinite.

    Sources: Robins, Breslow and Greenland, Biometrics 1986;42:311-323; Greenland and Robins, Biometrics
    1985;41:55-68; Sato, Greenland and Robins, Biometrics 1989;45:1323-1324. The example is R's
    ``UCBAdmissions`` (``mantelhaen.test``), admitted men against women: 0.9046968.

    >>> tables = [[[512, 313], [89, 19]], [[353, 207], [17, 8]], [[120, 205], [202, 391]],
    ...           [[138, 279], [131, 244]], [[53, 138], [94, 299]], [[22, 351], [24, 317]]]
    >>> round(mantel_haenszel(tables).estimate, 7)
    0.9046968
    """
    chosen(measure, _POOLED, "measure")
    s = read_strata(tables)
    value, se = _POOLED[measure](s)
    return common_effect(s, value, se, measure, confidence(level), "Mantel-Haenszel")


def common_effect(
    s: Strata, value: float, se: float, measure: str, level: float, method: str
) -> CommonEffect:
    """Return a normal interval and test around an effect and its standard error."""
    ratio, half = measure != "RD", normal_quantile(level) * se
    middle = math.log(value) if ratio else value
    low, high = (natural(end) if ratio else end for end in (middle - half, middle + half))
    if math.isinf(high):
        raise StatisticsError("the counts differ by too many orders of magnitude: the interval has no end")
    p = normal_p(middle / se) if se else 1.0
    informed = int(_informative(s, measure).sum())
    silent = len(s.n) - informed
    dropped = f"no cell corrected; strata without information left out: {silent}"
    return CommonEffect(value, low, high, p, se, measure, level, informed, method, dropped)


def _informative(s: Strata, measure: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    events, none = s.a + s.c > 0, s.b + s.d > 0
    return {"OR": events & none, "RR": events, "RD": np.ones_like(events)}[measure]


def _sums(r: Floats, s: Floats) -> tuple[float, float]:
    total_r, total_s = float(r.sum()), float(s.sum())
    if not (total_r and total_s):
        raise StatisticsError(
            "an arm has no events in any stratum (or, for OR, only events): the common ratio is 0, infinite "
            "or undefined; use measure='RD'"
        )
    return total_r, total_s


def _common_or(s: Strata) -> tuple[float, float]:
    p, q = (s.a + s.d) / s.n, (s.b + s.c) / s.n
    r_i, s_i = s.a * s.d / s.n, s.b * s.c / s.n
    r, t = _sums(r_i, s_i)
    mixed = (p * s_i + q * r_i).sum() / (r * t)
    variance = ((p * r_i).sum() / r**2 + mixed + (q * s_i).sum() / t**2) / 2
    return r / t, math.sqrt(variance)


def _common_rr(s: Strata) -> tuple[float, float]:
    r, t = _sums(s.a * s.n0 / s.n, s.c * s.n1 / s.n)
    parts = s.n1 * s.n0 * (s.a + s.c) / s.n**2 - s.a * s.c / s.n
    return r / t, math.sqrt(max(float(parts.sum()), 0.0) / (r * t))


def _common_rd(s: Strata) -> tuple[float, float]:
    weight = float((s.n1 * s.n0 / s.n).sum())
    if not weight:
        raise StatisticsError("no stratum has patients in both arms: there is nothing to compare")
    rd = float((s.a * s.n0 / s.n - s.c * s.n1 / s.n).sum()) / weight
    f1, f0 = s.n1 / s.n, s.n0 / s.n
    p = (s.c * f1**2 - s.a * f0**2 + f1 * f0 * (s.n0 - s.n1) / 2).sum()
    q = (s.a * (s.n0 - s.c) / s.n + s.c * (s.n1 - s.a) / s.n).sum() / 2
    return rd, math.sqrt(max(float(rd * p + q), 0.0)) / weight


_POOLED: dict[str, Callable[[Strata], tuple[float, float]]] = {
    "OR": _common_or,
    "RR": _common_rr,
    "RD": _common_rd,
}


def cochran_mantel_haenszel(tables: ArrayLike, *, correction: Continuity = "none") -> TestResult:
    """Test that the odds ratio is 1 in every stratum.

    Args:
        tables: k tables ``[[events, non-events of arm 1], [events, non-events of arm 0]]``.
        correction: ``none``, or ``continuity``: 0.5 off the deviation where it is at least 0.5, as in R's
            ``mantelhaen.test``.

    Raises:
        StatisticsError: when no stratum has both arms and both outcomes.

    Source: Mantel and Haenszel, Journal of the National Cancer Institute 1959;22:719-748.
    """
    chosen(correction, ("none", "continuity"), "correction")
    s = read_strata(tables)
    variance = float((s.n1 * s.n0 * (s.a + s.c) * (s.b + s.d) / (s.n**2 * (s.n - 1))).sum())
    if not variance:
        raise StatisticsError("no stratum has both arms and both outcomes: there is nothing to test")
    deviation = abs(float((s.a - s.n1 * (s.a + s.c) / s.n).sum()))
    less = 0.5 if correction == "continuity" and deviation >= 0.5 else 0.0
    statistic = (deviation - less) ** 2 / variance
    suffix = " with continuity correction" if correction == "continuity" else ""
    return TestResult(statistic, 1, chi_square_p(statistic, 1), f"Cochran-Mantel-Haenszel test{suffix}")


def breslow_day(tables: ArrayLike) -> TestResult:
    """Test that the odds ratio is the same in all strata.

    Args:
        tables: k tables ``[[events, non-events of arm 1], [events, non-events of arm 0]]``; strata with an
            empty margin drop out.

    Raises:
        StatisticsError: when fewer than two strata inform the odds ratio.

    Source: Breslow and Day, Statistical Methods in Cancer Research I, IARC 1980, section 4.4.
    """
    statistic, _, df = _homogeneity(tables)
    return TestResult(statistic, df, chi_square_p(statistic, df), "Breslow-Day test")


def tarone(tables: ArrayLike) -> TestResult:
    """Test that the odds ratio is the same in all strata, with Tarone's adjustment.

    Args:
        tables: as for ``breslow_day``.

    Raises:
        StatisticsError: when fewer than two strata inform the odds ratio.

    Source: Tarone, Biometrika 1985;72:91-95.
    """
    statistic, adjustment, df = _homogeneity(tables)
    adjusted = max(statistic - adjustment, 0.0)
    return TestResult(adjusted, df, chi_square_p(adjusted, df), "Breslow-Day test with Tarone's adjustment")


def _homogeneity(tables: ArrayLike) -> tuple[float, float, int]:
    s = read_strata(tables)
    s = Strata(*(part[_informative(s, "OR")] for part in s))
    if len(s.n) < 2:
        raise StatisticsError("fewer than two strata have both arms and both outcomes: nothing to compare")
    ratio, _ = _common_or(s)
    events = s.a + s.c
    linear = ratio * (s.n1 + events) + s.n0 - events
    root = np.sqrt(np.maximum(linear**2 - 4 * ratio * (ratio - 1) * s.n1 * events, 0.0))
    with np.errstate(divide="ignore"):  # what is lost to rounding is refused below
        expected = 2 * ratio * s.n1 * events / (linear + root)
    cells = np.stack([expected, s.n1 - expected, events - expected, s.n0 - events + expected])
    if not (np.isfinite(cells) & (cells > 0)).all():
        raise StatisticsError("the counts differ by too many orders of magnitude: nothing to compare")
    variance = 1 / (1 / cells).sum(axis=0)
    gap = s.a - expected
    return float((gap**2 / variance).sum()), float(gap.sum() ** 2 / variance.sum()), len(s.n) - 1


def heterogeneity(estimates: Sequence[float] | Floats, variances: Sequence[float] | Floats) -> TestResult:
    """Test that subgroups (or studies) share one effect: Cochran's Q.

    Args:
        estimates: one effect per subgroup on the analysis scale (log for ratios).
        variances: their variances, above 0.

    Returns:
        Q on k-1 degrees of freedom: with two subgroups, the square of z for their interaction.

    Raises:
        StatisticsError: for fewer than two subgroups or a variance that is not above 0.

    The example is Altman and Bland, BMJ 2003;326:219: RR 0.67 (0.46 to 0.98) and 0.88 (0.71 to 1.08), with
    standard errors 0.193 and 0.107 of the log RR, give z = -1.24 and P = 0.2.

    >>> result = heterogeneity([math.log(0.67), math.log(0.88)], [0.193**2, 0.107**2])
    >>> round(result.statistic**0.5, 2), round(result.p, 1)
    (1.24, 0.2)
    """
    y, v = column(estimates, "estimates"), column(variances, "variances")
    same_length(y, v)
    if len(y) < 2 or (v < 1 / LARGEST).any():
        raise StatisticsError("give at least two estimates, each with a variance above 0")
    statistic = float(((y - np.average(y, weights=1 / v)) ** 2 / v).sum())
    return TestResult(statistic, len(y) - 1, chi_square_p(statistic, len(y) - 1), "Q test of heterogeneity")
