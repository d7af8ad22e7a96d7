"""How much the summary depends on single studies, on time, and on small studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, chosen, finite
from evidence.stats.means import t_p
from evidence.stats.peto import Conditions
from evidence.stats.pool import IntervalMethod, Pooled, one_data_set, pool, pool_many
from evidence.stats.tau2 import Tau2Method

ENOUGH = 10  # with fewer studies the test cannot tell chance from bias (Cochrane Handbook, section 13.3.5.4)
ROUNDING = 4 * float(np.finfo(np.float64).eps)  # relative error of a sum, per term


@dataclass(frozen=True, slots=True)
class SmallStudyTest:
    """Egger's regression of effects on their standard errors.

    ``slope`` is the asymmetry; ``limit`` the effect expected of a study without sampling error.
    """

    slope: float
    slope_se: float
    limit: float
    statistic: float
    df: int
    p: float
    k: int
    method: str


def leave_one_out(
    y: ArrayLike,
    v: ArrayLike,
    *,
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "HKSJ",
    level: float = 0.95,
) -> tuple[Pooled, ...]:
    """Summarise the studies k times, each time without one of them.

    Args:
        y: k effects on the analysis scale, at least 2.
        v: their sampling variances.
        tau2: as in ``pool``.
        ci: as in ``pool``.
        level: as in ``pool``.

    Returns:
        One summary per study left out, in the order of the studies.

    Raises:
        StatisticsError: as in ``pool``, and for fewer than two studies.
    """
    effects, variances = _columns(y, v)
    if len(effects) < 2:
        raise StatisticsError("one study cannot be left out of one: give at least two studies")
    kept = ~np.eye(len(effects), dtype=np.bool_)
    rest = [np.array([column[row] for row in kept]) for column in (effects, variances)]
    many = pool_many(*rest, tau2=tau2, ci=ci, level=level)
    return tuple(many.one(index) for index in range(len(effects)))


def cumulative(
    y: ArrayLike,
    v: ArrayLike,
    order: Sequence[float],
    *,
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "HKSJ",
    level: float = 0.95,
) -> tuple[Pooled, ...]:
    """Summarise the first study, the first two, and so on.

    Args:
        y: k effects on the analysis scale.
        v: their sampling variances.
        order: what the studies are added by, such as the year; equal values keep the order given.
        tau2: as in ``pool``.
        ci: as in ``pool``.
        level: as in ``pool``.

    Returns:
        k summaries, the last of all studies.

    Raises:
        StatisticsError: as in ``pool``.
    """
    effects, variances = _columns(y, v)
    places = finite(order, "order")
    if places.shape != effects.shape:
        raise StatisticsError(f"order has {places.size} values for {effects.size} studies: give one for each")
    sequence = np.argsort(places, kind="stable")
    firsts = (sequence[: count + 1] for count in range(len(effects)))
    return tuple(pool(effects[some], variances[some], tau2=tau2, ci=ci, level=level) for some in firsts)


def egger(y: ArrayLike, v: ArrayLike, *, conditions: Conditions = "enforce") -> SmallStudyTest:
    """Test whether small studies have other effects than large ones.

    Args:
        y: k effects on the analysis scale.
        v: their sampling variances, not all the same.
        conditions: ``enforce`` refuses fewer than ten studies; ``ignore`` computes from three on.

    Returns:
        The regression of ``y`` on its standard error, weighted by ``1 / v``, with a t test on k-2 degrees of
        freedom: metafor's ``regtest(model = "lm")``.

    Raises:
        StatisticsError: for too few studies, or when all standard errors are the same or all effects lie on
            the regression line.

    Source: Egger and others, BMJ 1997;315:629-634.
    """
    effects, variances = _columns(y, v)
    chosen(conditions, ("enforce", "ignore"), "conditions")
    k, least = len(effects), ENOUGH if conditions == "enforce" else 3
    if k < least:
        given = "1 study" if k == 1 else f"{k} studies"
        raise StatisticsError(f"Egger's test has too little power with {given}: it needs at least {least}")
    error, weight = np.sqrt(variances), 1 / variances
    centred = error - np.average(error, weights=weight)
    spread = float((weight * centred**2).sum())
    if spread <= ROUNDING * k:
        raise StatisticsError("the studies have the same standard error: nothing to regress on")
    slope = float((weight * centred * effects).sum()) / spread
    limit = float(np.average(effects - slope * error, weights=weight))
    residual = float((weight * (effects - limit - slope * error) ** 2).sum()) / (k - 2)
    if residual <= (ROUNDING * k) ** 2 * float((weight * effects**2).sum()):
        raise StatisticsError("the effects lie on the regression line: there is no error to test against")
    se = (residual / spread) ** 0.5
    p = t_p(slope / se, k - 2)
    return SmallStudyTest(slope, se, limit, slope / se, k - 2, p, k, "Egger's regression test")


def _columns(y: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats]:
    effects, variances = one_data_set(y, v)
    return np.array(effects), np.array(variances)
