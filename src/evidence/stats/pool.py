"""Meta-analysis by inverse variance: one summary of several studies' effects.

Everything is computed for many data sets at once; a single data set is the first of one. ``y`` is on the
analysis scale (log for ratios) and so is every result.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, chosen, confidence, finite, normal_quantile
from evidence.stats.tau2 import TAU2_METHODS, Estimate, Tau2Method, estimate_tau2, generalised_q, q_profile

IntervalMethod = Literal["HKSJ", "HKSJ-adhoc", "Wald"]
Prediction = Literal["default", "t k-2"]

ONE_STUDY = "one study: the result is the study itself; heterogeneity cannot be estimated"
TWO_STUDIES = "two studies: show them side by side; a pooled interval, HKSJ above all, is unreliable"
NOT_CONVERGED = "the estimate of tau2 did not converge: use another estimator"
NARROWER = "the HKSJ interval is narrower than Wald's because the studies agree by chance: use HKSJ-adhoc"
NO_SPREAD = "the studies' effects are equal: the HKSJ interval has no width and means nothing"
EMPTY_TAU2 = "the studies agree more than chance allows: the interval of tau2 is empty and shown as 0 to 0"
FIXED_HKSJ = "HKSJ is not meant for the common-effect model (FE): use Wald"


@dataclass(frozen=True, slots=True)
class Pooled:
    """The summary of one set of studies, on the analysis scale.

    ``tau2_low`` and ``tau2_high`` are the Q-profile interval; ``i2`` is in percent and, with ``h2``, follows
    metafor (from tau2 and the typical variance; under FE from Q); ``pi_low`` and ``pi_high`` bound the effect
    expected in a new study; ``weights`` are percent, one per study. What cannot be estimated is NaN, and
    ``warnings`` says so. With one study, ``ci`` is Wald whatever was asked.
    """

    estimate: float
    se: float
    low: float
    high: float
    p: float
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    h2: float
    q: float
    q_df: int
    q_p: float
    pi_low: float
    pi_high: float
    weights: Floats
    k: int
    method: str
    ci: str
    level: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PooledMany:
    """The summaries of m sets of k studies: each number of ``Pooled`` as an array of m (``weights``: m x k).

    ``scale`` is the HKSJ variance factor before any floor; ``converged`` says where tau2 settled.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    tau2: Floats
    tau2_low: Floats
    tau2_high: Floats
    i2: Floats
    h2: Floats
    q: Floats
    q_df: int
    q_p: Floats
    pi_low: Floats
    pi_high: Floats
    weights: Floats
    k: int
    method: str
    ci: str
    level: float
    scale: Floats
    converged: NDArray[np.bool_]

    def one(self, index: int) -> Pooled:
        """Return the summary of one data set, with its warnings."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        scale, converged = float(values.pop("scale")[index]), bool(values.pop("converged")[index])
        weights = values.pop("weights")[index]
        plain = {name: _plain(value, index) for name, value in values.items()}
        found = _warnings(self, index, scale, converged)
        return Pooled(**plain, weights=weights, warnings=found)


def pool(
    y: ArrayLike,
    v: ArrayLike,
    *,
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "HKSJ",
    level: float = 0.95,
    prediction: Prediction = "default",
) -> Pooled:
    """Summarise the effects of k studies by inverse-variance weights.

    Args:
        y: k effects on the analysis scale (log risk ratios, risk differences, ...).
        v: their sampling variances, above 0.
        tau2: estimator of the between-study variance: ``FE`` (none: common effect), ``DL``
            (DerSimonian-Laird), ``PM`` (Paule-Mandel), ``REML``, ``ML``, ``EB`` (empirical Bayes, the same
            equation as PM), ``SJ`` (Sidik-Jonkman), ``HE`` (Hedges).
        ci: ``HKSJ`` (Hartung-Knapp-Sidik-Jonkman, t with k-1 degrees of freedom), ``HKSJ-adhoc`` (its scale
            factor at least 1) or ``Wald`` (normal).
        level: level of the confidence, Q-profile and prediction intervals.
        prediction: ``default`` (metafor's: t with k-1 degrees of freedom under HKSJ, normal under Wald) or
            ``t k-2`` (Higgins, Thompson and Spiegelhalter, JRSS A 2009;172:137-159).

    Returns:
        The pooled effect with heterogeneity, intervals, weights and warnings.

    Raises:
        StatisticsError: for unusable effects or variances, or unknown choices.

    Source: Viechtbauer, Journal of Statistical Software 2010;36(3), whose first example gives the log risk
    ratio -0.7145 (-1.0669 to -0.3622) and tau2 0.3132.

    >>> y = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209,
    ...      0.0120, -0.4694, -1.3713, -0.3394, 0.4459, -0.0173]
    >>> v = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230,
    ...      0.0040, 0.0564, 0.0730, 0.0124, 0.5325, 0.0714]
    >>> result = pool(y, v, ci="Wald")
    >>> round(result.estimate, 2), round(result.low, 2), round(result.high, 2), round(result.tau2, 2)
    (-0.71, -1.07, -0.36, 0.31)
    """
    effects, variances = finite(y, "y"), finite(v, "v")
    if effects.ndim != 1:
        raise StatisticsError(f"y has shape {effects.shape}: give a list of effects, or use pool_many")
    data = _data_sets(effects[np.newaxis], np.atleast_2d(variances))
    return _summaries(data, tau2, ci, level, prediction).one(0)


def pool_many(
    y: ArrayLike,
    v: ArrayLike,
    *,
    tau2: Tau2Method = "REML",
    ci: IntervalMethod = "HKSJ",
    level: float = 0.95,
    prediction: Prediction = "default",
) -> PooledMany:
    """Summarise m data sets of k studies each, at once.

    Args:
        y: effects, m rows by k columns.
        v: their sampling variances, the same shape.
        tau2: as in ``pool``.
        ci: as in ``pool``.
        level: as in ``pool``.
        prediction: as in ``pool``.

    Raises:
        StatisticsError: as in ``pool``.

    >>> y, v = [[0.1, 0.3], [0.2, 0.4]], [[0.01, 0.01], [0.02, 0.02]]
    >>> pool_many(y, v, tau2="FE").estimate.round(6).tolist()
    [0.2, 0.3]
    """
    return _summaries(_data_sets(finite(y, "y"), finite(v, "v")), tau2, ci, level, prediction)


class _DataSets(NamedTuple):
    y: Floats
    v: Floats
    k: int


def _data_sets(y: Floats, v: Floats) -> _DataSets:
    if y.shape != v.shape or y.ndim != 2 or not y.size:
        raise StatisticsError(f"y has shape {y.shape} and v {v.shape}: give one v for each y")
    if (v <= 0).any():
        raise StatisticsError("a variance is 0 or negative: correct it or leave the study out")
    return _DataSets(y, v, y.shape[1])


def _summaries(data: _DataSets, tau2: str, ci: str, level: float, prediction: str) -> PooledMany:
    chosen(tau2, TAU2_METHODS, "tau2")
    chosen(ci, ("HKSJ", "HKSJ-adhoc", "Wald"), "ci")
    chosen(prediction, ("default", "t k-2"), "prediction")
    ci = "Wald" if data.k == 1 else ci
    fit = estimate_tau2(data.y, data.v, tau2)
    weights = 1 / (data.v + fit.tau2[:, np.newaxis])
    total = weights.sum(axis=1)
    centre = (weights * data.y).sum(axis=1) / total
    scale = _hksj_scale(data, fit)
    se = np.sqrt(_factor(scale, ci) / total)
    t = _critical(ci, data.k, confidence(level))
    reach = _prediction_reach(data.k, fit.tau2, se, t, tau2, prediction, level)
    q, q_p = _q_test(data)
    i2, h2 = _inconsistency(data, fit.tau2, q, tau2)
    tau2_low, tau2_high = _tau2_interval(data, tau2, level)
    return PooledMany(
        centre, se, centre - t * se, centre + t * se, _p_values(centre, se, ci, data.k),
        fit.tau2, tau2_low, tau2_high, i2, h2, q, data.k - 1, q_p, centre - reach, centre + reach,
        100 * weights / total[:, np.newaxis], data.k, tau2, ci, level, scale, fit.converged,
    )  # fmt: skip


def _hksj_scale(data: _DataSets, fit: Estimate) -> Floats:
    """Return the weighted residual variance; below rounding error it is 0, as in metafor."""
    if data.k == 1:
        return np.ones(len(data.y))
    residual = generalised_q(data.y, data.v, fit.tau2)
    return np.where(residual <= np.finfo(np.float64).eps, 0.0, residual) / (data.k - 1)


def _factor(scale: Floats, ci: str) -> Floats:
    if ci == "Wald":
        return np.ones_like(scale)
    return scale if ci == "HKSJ" else np.maximum(scale, 1.0)


def _critical(ci: str, k: int, level: float) -> float:
    return normal_quantile(level) if ci == "Wald" else float(special.stdtrit(k - 1, (1 + level) / 2))


def _p_values(estimate: Floats, se: Floats, ci: str, k: int) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = -np.abs(np.where(estimate == 0, 0.0, estimate / se))
    tail = special.ndtr(statistic) if ci == "Wald" else special.stdtr(k - 1, statistic)
    return np.asarray(2 * tail, dtype=np.float64)


def _prediction_reach(
    k: int, tau2: Floats, se: Floats, critical: float, method: str, prediction: str, level: float
) -> Floats:
    wanted = k - 2 if prediction == "t k-2" else k - 1
    if method == "FE" or wanted < 1:
        return np.full(len(tau2), np.nan)
    t = critical if prediction == "default" else float(special.stdtrit(wanted, (1 + level) / 2))
    return np.asarray(t * np.sqrt(tau2 + se**2), dtype=np.float64)


def _q_test(data: _DataSets) -> tuple[Floats, Floats]:
    none, df = np.zeros(len(data.y)), data.k - 1
    q = generalised_q(data.y, data.v, none) if df else none
    return q, np.asarray(special.chdtrc(df, q) if df else none + 1, dtype=np.float64)


def _inconsistency(data: _DataSets, tau2: Floats, q: Floats, method: str) -> tuple[Floats, Floats]:
    """Return I2 in percent and H2: under FE from Q, otherwise from tau2 and the typical variance."""
    df = data.k - 1
    if df == 0:
        return np.zeros_like(q), np.ones_like(q)
    if method == "FE":
        return 100 * np.maximum(q - df, 0.0) / np.where(q > 0, q, 1.0), q / df
    w = 1 / data.v
    typical = df / (w.sum(axis=1) - (w**2).sum(axis=1) / w.sum(axis=1))
    return 100 * tau2 / (typical + tau2), tau2 / typical + 1


def _tau2_interval(data: _DataSets, method: str, level: float) -> tuple[Floats, Floats]:
    if method == "FE" or data.k == 1:
        none = np.full(len(data.y), np.nan)
        return none, none
    return q_profile(data.y, data.v, level)


def _plain(value: Any, index: int) -> Any:
    return float(value[index]) if isinstance(value, np.ndarray) else value


def _warnings(many: PooledMany, index: int, scale: float, converged: bool) -> tuple[str, ...]:
    estimated = many.method != "FE" and many.k > 1
    said = {
        ONE_STUDY: many.k == 1,
        TWO_STUDIES: many.k == 2,
        NOT_CONVERGED: not converged,
        NO_SPREAD: many.ci == "HKSJ" and scale == 0,
        NARROWER: many.ci == "HKSJ" and 0 < scale < 1,
        FIXED_HKSJ: many.ci != "Wald" and many.method == "FE",
        EMPTY_TAU2: estimated and bool(many.tau2_high[index] == 0),
    }
    return tuple(text for text, holds in said.items() if holds)
