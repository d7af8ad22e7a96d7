"""Estimators of the between-study variance tau2, for many data sets at once.

``y`` and ``v`` are arrays of m data sets (rows) by k studies (columns): effects on the analysis scale and
their sampling variances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evidence.stats._checks import Floats

Tau2Method = Literal["FE", "DL", "PM", "REML", "ML", "EB", "SJ", "HE"]

SETTLED = 1e-13  # relative step at which an iteration ends: a few units in the last place
NEAR = 1e-8  # relative step at which Newton's method ends: the error left is of the order of its square
SCORING_STEPS = 1_000  # Fisher scoring converges linearly; the slowest published sets need a few hundred
NEWTON_STEPS = 100  # Newton's method converges quadratically; more than 100 steps means it cannot


class Estimate(NamedTuple):
    """tau2 of each data set, and whether its iteration settled."""

    tau2: Floats
    converged: NDArray[np.bool_]


def estimate_tau2(y: Floats, v: Floats, method: str) -> Estimate:
    """Estimate tau2 of each data set, never below 0."""
    if y.shape[1] == 1:
        return _closed(np.zeros(len(y)))
    return _ESTIMATORS[method](y, v)


def generalised_q(y: Floats, v: Floats, tau2: Floats) -> Floats:
    """Return Cochran's Q with weights ``1 / (v + tau2)``."""
    return _q_and_slope(y, v, tau2)[0]


def q_profile(y: Floats, v: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the limits of tau2 at which the generalised Q meets its chi-square quantiles.

    Both are 0 where Q is below the lower quantile already at tau2 = 0. Source: Viechtbauer, Statistics in
    Medicine 2007;26:37-52.
    """
    df, tail = y.shape[1] - 1, (1 - level) / 2
    targets = np.repeat(special.chdtri(df, [tail, 1 - tail]), len(y))
    both = _q_equals(np.concatenate([y, y]), np.concatenate([v, v]), targets).tau2
    return both[: len(y)], both[len(y) :]


def _closed(tau2: Floats) -> Estimate:
    return Estimate(np.maximum(tau2, 0.0), np.ones(len(tau2), dtype=np.bool_))


def _fixed(y: Floats, v: Floats) -> Estimate:
    return _closed(np.zeros(len(y)))


def _dersimonian_laird(y: Floats, v: Floats) -> Estimate:
    w = 1 / v
    scale = w.sum(axis=1) - (w**2).sum(axis=1) / w.sum(axis=1)
    return _closed((generalised_q(y, v, np.zeros(len(y))) - y.shape[1] + 1) / scale)


def _hedges(y: Floats, v: Floats) -> Estimate:
    return _closed(y.var(axis=1, ddof=1) - v.mean(axis=1))


def _sidik_jonkman(y: Floats, v: Floats) -> Estimate:
    start = y.var(axis=1)
    return _closed(start * generalised_q(y, v, start) / (y.shape[1] - 1))


def _paule_mandel(y: Floats, v: Floats) -> Estimate:
    """Return the tau2 at which Q equals k-1; the empirical Bayes estimator solves the same equation."""
    return _q_equals(y, v, np.full(len(y), y.shape[1] - 1.0))


def _q_and_slope(y: Floats, v: Floats, tau2: Floats) -> tuple[Floats, Floats]:
    w = 1 / (v + tau2[:, np.newaxis])
    centre = (w * y).sum(axis=1) / w.sum(axis=1)
    squares = w * (y - centre[:, np.newaxis]) ** 2
    return squares.sum(axis=1), (w * squares).sum(axis=1)


def _q_equals(y: Floats, v: Floats, target: Floats) -> Estimate:
    """Solve ``Q(tau2) = target`` by Newton's method on 1/Q.

    1/Q is increasing and concave in tau2, so that the steps from 0 never overshoot.
    """
    tau2, converged = np.zeros(len(y)), np.zeros(len(y), dtype=np.bool_)
    active = np.arange(len(y))
    for _ in range(NEWTON_STEPS):
        q, slope = _q_and_slope(y[active], v[active], tau2[active])
        excess = np.maximum(q - target[active], 0.0)
        step = excess * q / (target[active] * np.maximum(slope, np.finfo(np.float64).tiny))
        tau2[active] += step
        settled = step <= NEAR * tau2[active]
        converged[active[settled]] = True
        active = active[~settled]
        if not len(active):
            break
    return Estimate(tau2, converged)


def _likelihood(y: Floats, v: Floats, tau2: Floats, restricted: bool) -> Floats:
    total = v + tau2[:, np.newaxis]
    twice = -np.log(total).sum(axis=1) - generalised_q(y, v, tau2)
    lost = np.log((1 / total).sum(axis=1)) if restricted else np.zeros(len(y))
    return np.asarray((twice - lost) / 2, dtype=np.float64)


def _score_and_information(y: Floats, v: Floats, tau2: Floats, restricted: bool) -> tuple[Floats, Floats]:
    """Return twice the score and twice the expected information of tau2."""
    w = 1 / (v + tau2[:, np.newaxis])
    square, total = w**2, w.sum(axis=1)
    centre = (w * y).sum(axis=1) / total
    spread = (square * (y - centre[:, np.newaxis]) ** 2).sum(axis=1)
    squares = square.sum(axis=1)
    if not restricted:
        return spread - total, squares
    share = squares / total
    return spread - total + share, squares - 2 * (square * w).sum(axis=1) / total + share**2


def _scoring(y: Floats, v: Floats, restricted: bool) -> Estimate:
    """Maximise the likelihood by Fisher scoring from the Hedges estimate, as metafor does.

    A maximum that is less likely than tau2 = 0 is refused for 0.
    """
    zero, tau2 = np.zeros(len(y)), _hedges(y, v).tau2
    falls_at_zero = _score_and_information(y, v, zero, restricted)[0] <= 0
    converged = np.zeros(len(y), dtype=np.bool_)
    active, floor = np.arange(len(y)), v.mean(axis=1)
    before = _Iterate(tau2, zero)
    for _ in range(SCORING_STEPS):
        now, following = _scored(y[active], v[active], tau2[active], before, restricted)
        tau2[active] = np.maximum(following, np.where(falls_at_zero[active], 0.0, now.tau2 / 2))
        settled = np.abs(tau2[active] - now.tau2) <= SETTLED * (tau2[active] + floor[active])
        converged[active[settled]] = True
        active, before = active[~settled], _Iterate(now.tau2[~settled], now.score[~settled])
        if not len(active):
            break
    better = _likelihood(y, v, tau2, restricted) >= _likelihood(y, v, zero, restricted)
    return Estimate(np.where(better, tau2, 0.0), converged)


class _Iterate(NamedTuple):
    tau2: Floats
    score: Floats


def _scored(
    y: Floats, v: Floats, tau2: Floats, before: _Iterate, restricted: bool
) -> tuple[_Iterate, Floats]:
    """Return the score here and the next tau2: a scoring step, or a secant step once the maximum is passed.

    Scoring alone can jump to and fro across the maximum for ever.
    """
    score, information = _score_and_information(y, v, tau2, restricted)
    following = tau2 + score / information
    passed = score * before.score < 0
    gap, change = (tau2 - before.tau2)[passed], (score - before.score)[passed]
    following[passed] = tau2[passed] - score[passed] * gap / change
    return _Iterate(tau2, score), following


def _restricted_likelihood(y: Floats, v: Floats) -> Estimate:
    return _scoring(y, v, restricted=True)


def _maximum_likelihood(y: Floats, v: Floats) -> Estimate:
    return _scoring(y, v, restricted=False)


_ESTIMATORS: dict[str, Callable[[Floats, Floats], Estimate]] = {
    "FE": _fixed,
    "DL": _dersimonian_laird,
    "PM": _paule_mandel,
    "REML": _restricted_likelihood,
    "ML": _maximum_likelihood,
    "EB": _paule_mandel,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
}
TAU2_METHODS = tuple(_ESTIMATORS)
