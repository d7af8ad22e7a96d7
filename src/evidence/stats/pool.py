"""Meta-analysis by inverse variance: one summary of several studies' effects.

``y`` is on the analysis scale (log for ratios) and so is every result. Many data sets are summarised at once
by arrays, one data set of up to ``FLOATS_UP_TO`` studies by plain floats, which is several times faster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, chosen, confidence, finite, normal_quantile
from evidence.stats.tau2 import TAU2_METHODS, Estimate, Tau2Method, estimate_tau2, generalised_q, q_profile
from evidence.stats.tau2_one import Centred, Column, centred, estimate_one, q_profile_one

IntervalMethod = Literal["HKSJ", "HKSJ-adhoc", "Wald"]
Prediction = Literal["default", "t k-2"]
INTERVALS = ("HKSJ", "HKSJ-adhoc", "Wald")
PREDICTIONS = ("default", "t k-2")

FLOATS_UP_TO = 80  # studies; with more, numpy's cost per call is less than that of plain floats per study
LARGEST = 1e40  # effects and variances beyond it, and variances below 1/LARGEST, overflow in powers
RESIDUAL = float(np.finfo(np.float64).eps)  # a weighted sum of squares below it is 0, as in metafor
ALMOST_1 = 1 - 1e-9  # PM and EB make the HKSJ factor 1 but for rounding: that is not narrower
APART = RESIDUAL**-0.5  # ratio of variances beyond which squared weights cancel; metafor warns from 1e7 on

ONE_STUDY = "one study: the result is the study itself; heterogeneity cannot be estimated"
TWO_STUDIES = "two studies: show them side by side; a pooled interval, HKSJ above all, is unreliable"
NOT_CONVERGED = "the estimate of tau2 did not converge: use another estimator"
NARROWER = "the HKSJ interval is narrower than Wald's because the studies agree by chance: use HKSJ-adhoc"
NO_SPREAD = "the studies' effects are equal: the HKSJ interval has no width and means nothing"
EMPTY_TAU2 = "the studies agree more than chance allows: the interval of tau2 is empty and shown as 0 to 0"
COMMON = "common-effect model (FE): tau2 is taken as 0; neither it nor a new study's effect has an interval"
NO_PREDICTION = "a prediction interval with k-2 degrees of freedom needs three studies: none is given"
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
        spread = _Spread(plain["tau2_high"], plain["pi_low"], scale, converged)
        found = _warnings(self.k, self.method, self.ci, spread)
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
    effects, variances = one_data_set(y, v)
    asked = _asked(tau2, ci, level, prediction, len(effects))
    if asked.k <= FLOATS_UP_TO:
        return _summary(effects, variances, asked)
    return _summaries(_DataSets(np.array([effects]), np.array([variances])), asked).one(0)


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
    data = _DataSets(*_alike(y, v))
    if data.y.ndim != 2:
        raise StatisticsError(f"y has shape {data.y.shape}: give one row per data set, or use pool")
    least, most = data.v.min(axis=1), data.v.max(axis=1)
    _check_ends(float(data.y.min()), float(data.y.max()), float(least.min()), float(most.max()))
    _check_ratio(float((most / least).max()))
    return _summaries(data, _asked(tau2, ci, level, prediction, data.y.shape[1]))


class _DataSets(NamedTuple):
    y: Floats
    v: Floats


class _Asked(NamedTuple):
    tau2: str
    ci: str
    level: float
    prediction: str
    k: int

    def critical(self) -> float:
        """Return the quantile of the confidence interval."""
        return normal_quantile(self.level) if self.ci == "Wald" else _t(self.k - 1, self.level)

    def prediction_quantile(self) -> float:
        """Return the quantile of the prediction interval, NaN where there is none."""
        df = self.k - 2 if self.prediction == "t k-2" else self.k - 1
        if self.tau2 == "FE" or df < 1:
            return math.nan
        return _t(df, self.level) if self.prediction == "t k-2" else self.critical()


def _t(df: int, level: float) -> float:
    return -float(special.stdtrit(df, (1 - level) / 2))


def _asked(tau2: str, ci: str, level: float, prediction: str, k: int) -> _Asked:
    chosen(tau2, TAU2_METHODS, "tau2")
    chosen(ci, INTERVALS, "ci")
    chosen(prediction, PREDICTIONS, "prediction")
    return _Asked(tau2, "Wald" if k == 1 else ci, confidence(level), prediction, k)


def one_data_set(y: ArrayLike, v: ArrayLike) -> tuple[Column, Column]:
    """Return the effects and variances of one data set; refuse what cannot be computed with.

    Raises:
        StatisticsError: for unlike shapes, missing values, variances not above 0, numbers beyond 1e40, or a
            variance more than 6.7e7 times another.
    """
    effects, variances = _alike(y, v)
    if effects.ndim != 1:
        raise StatisticsError(f"y has shape {effects.shape}: give a list of effects, or use pool_many")
    one, other = effects.tolist(), variances.tolist()
    least, most = min(other), max(other)
    _check_ends(min(one), max(one), least, most)
    _check_ratio(most / least)
    return one, other


def _alike(y: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats]:
    effects, variances = finite(y, "y"), finite(v, "v")
    if effects.shape != variances.shape or not effects.size:
        raise StatisticsError(f"y has shape {effects.shape} and v {variances.shape}: give one v for each y")
    return effects, variances


def _check_ends(y_low: float, y_high: float, v_low: float, v_high: float) -> None:
    if v_low <= 0:
        raise StatisticsError("a variance is 0 or negative: correct it or leave the study out")
    if max(-y_low, y_high, v_high, 1 / v_low) > LARGEST:
        raise StatisticsError("an effect or variance is too large or too small: give it in another unit")


def _check_ratio(ratio: float) -> None:
    if ratio > APART:
        raise StatisticsError(
            f"a variance is {ratio:.0e} times another, at which sums lose their digits: "
            "correct one or leave a study out"
        )


def _summary(y: Column, v: Column, asked: _Asked) -> Pooled:
    """Summarise one data set in plain floats."""
    common = centred(y, v, 0.0)
    fit = estimate_one(y, v, asked.tau2, common)
    here = centred(y, v, fit.tau2) if fit.tau2 else common
    scale = _scale_one(here.q, asked.k)
    se = math.sqrt((1.0 if asked.ci == "Wald" else _floored(scale, asked.ci)) / here.total)
    reach, ahead = asked.critical() * se, asked.prediction_quantile() * math.hypot(se, math.sqrt(fit.tau2))
    estimate, percent = here.centre, 100 / here.total
    q_p, i2, h2 = _heterogeneity_one(common, fit.tau2, asked)
    low, high = _tau2_interval_one(y, v, asked)
    spread = _Spread(high, estimate - ahead, scale, fit.converged)
    return Pooled(
        estimate, se, estimate - reach, estimate + reach, _p_one(estimate, se, asked), fit.tau2, low, high,
        i2, h2, common.q if asked.k > 1 else 0.0, asked.k - 1, q_p, estimate - ahead, estimate + ahead,
        np.array([percent * weight for weight in here.weights]), asked.k, asked.tau2, asked.ci, asked.level,
        _warnings(asked.k, asked.tau2, asked.ci, spread),
    )  # fmt: skip


def _scale_one(residual: float, k: int) -> float:
    if k == 1:
        return 1.0
    return residual / (k - 1) if residual > RESIDUAL else 0.0


def _floored(scale: float, ci: str) -> float:
    return max(scale, 1.0) if ci == "HKSJ-adhoc" else scale


def _p_one(estimate: float, se: float, asked: _Asked) -> float:
    if estimate == 0 or se == 0:
        return 0.0 if estimate else 1.0
    statistic = -abs(estimate) / se
    tail = special.ndtr(statistic) if asked.ci == "Wald" else special.stdtr(asked.k - 1, statistic)
    return float(2 * tail)


def _heterogeneity_one(common: Centred, tau2: float, asked: _Asked) -> tuple[float, float, float]:
    """Return the P value of Q, I2 in percent and H2, as ``_q_test`` and ``_inconsistency`` do."""
    df, q = asked.k - 1, common.q
    if df == 0:
        return 1.0, 0.0, 1.0
    q_p = float(special.chdtrc(df, q))
    if asked.tau2 == "FE":
        return q_p, 100 * max(q - df, 0.0) / (q or 1.0), q / df
    typical = common.typical_variance
    return q_p, 100 * tau2 / (typical + tau2), tau2 / typical + 1


def _tau2_interval_one(y: Column, v: Column, asked: _Asked) -> tuple[float, float]:
    if asked.tau2 == "FE" or asked.k == 1:
        return math.nan, math.nan
    return q_profile_one(y, v, asked.level)


def _summaries(data: _DataSets, asked: _Asked) -> PooledMany:
    """Summarise many data sets by arrays."""
    fit = estimate_tau2(data.y, data.v, asked.tau2)
    weights = 1 / (data.v + fit.tau2[:, np.newaxis])
    total = weights.sum(axis=1)
    centre = (weights * data.y).sum(axis=1) / total
    scale = _hksj_scale(data, fit)
    se = np.sqrt(_factor(scale, asked.ci) / total)
    reach, ahead = asked.critical() * se, asked.prediction_quantile() * np.sqrt(fit.tau2 + se**2)
    q, q_p = _q_test(data)
    i2, h2 = _inconsistency(data, fit.tau2, q, asked.tau2)
    tau2_low, tau2_high = _tau2_interval(data, asked)
    return PooledMany(
        centre, se, centre - reach, centre + reach, _p_values(centre, se, asked),
        fit.tau2, tau2_low, tau2_high, i2, h2, q, asked.k - 1, q_p, centre - ahead, centre + ahead,
        100 * weights / total[:, np.newaxis], asked.k, asked.tau2, asked.ci, asked.level, scale,
        fit.converged,
    )  # fmt: skip


def _hksj_scale(data: _DataSets, fit: Estimate) -> Floats:
    """Return the weighted residual variance; below rounding error it is 0, as in metafor."""
    k = data.y.shape[1]
    if k == 1:
        return np.ones(len(data.y))
    residual = generalised_q(data.y, data.v, fit.tau2)
    return np.asarray(np.where(residual <= RESIDUAL, 0.0, residual) / (k - 1), dtype=np.float64)


def _factor(scale: Floats, ci: str) -> Floats:
    if ci == "Wald":
        return np.ones_like(scale)
    return scale if ci == "HKSJ" else np.maximum(scale, 1.0)


def _p_values(estimate: Floats, se: Floats, asked: _Asked) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = -np.abs(np.where(estimate == 0, 0.0, estimate / se))
    tail = special.ndtr(statistic) if asked.ci == "Wald" else special.stdtr(asked.k - 1, statistic)
    return np.asarray(2 * tail, dtype=np.float64)


def _q_test(data: _DataSets) -> tuple[Floats, Floats]:
    none, df = np.zeros(len(data.y)), data.y.shape[1] - 1
    q = generalised_q(data.y, data.v, none) if df else none
    return q, np.asarray(special.chdtrc(df, q) if df else none + 1, dtype=np.float64)


def _inconsistency(data: _DataSets, tau2: Floats, q: Floats, method: str) -> tuple[Floats, Floats]:
    """Return I2 in percent and H2: under FE from Q, otherwise from tau2 and the typical variance."""
    df = data.y.shape[1] - 1
    if df == 0:
        return np.zeros_like(q), np.ones_like(q)
    if method == "FE":
        return 100 * np.maximum(q - df, 0.0) / np.where(q > 0, q, 1.0), q / df
    w = 1 / data.v
    typical = df / (w.sum(axis=1) - (w**2).sum(axis=1) / w.sum(axis=1))
    return 100 * tau2 / (typical + tau2), tau2 / typical + 1


def _tau2_interval(data: _DataSets, asked: _Asked) -> tuple[Floats, Floats]:
    if asked.tau2 == "FE" or asked.k == 1:
        none = np.full(len(data.y), np.nan)
        return none, none
    return q_profile(data.y, data.v, asked.level)


def _plain(value: Any, index: int) -> Any:
    return float(value[index]) if isinstance(value, np.ndarray) else value


class _Spread(NamedTuple):
    """What the warnings depend on besides the choices."""

    tau2_high: float
    pi_low: float
    scale: float
    converged: bool


def _warnings(k: int, method: str, ci: str, spread: _Spread) -> tuple[str, ...]:
    random = method != "FE" and k > 1
    said = {
        ONE_STUDY: k == 1,
        TWO_STUDIES: k == 2,
        NOT_CONVERGED: not spread.converged,
        NO_SPREAD: ci == "HKSJ" and spread.scale == 0,
        NARROWER: ci == "HKSJ" and 0 < spread.scale < ALMOST_1,
        FIXED_HKSJ: ci != "Wald" and method == "FE",
        COMMON: method == "FE" and k > 1,
        EMPTY_TAU2: random and spread.tau2_high == 0,
        NO_PREDICTION: random and math.isnan(spread.pi_low),
    }
    return tuple(text for text, holds in said.items() if holds)
