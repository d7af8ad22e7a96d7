"""Estimators of the between-study variance tau2, for many data sets at once.

``y`` and ``v`` are arrays of m data sets (rows) by k studies (columns): effects on the analysis scale and
their sampling variances.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evidence.stats._checks import Floats

Tau2Method = Literal["FE", "DL", "PM", "REML", "ML", "EB", "SJ", "HE"]

SETTLED = 1e-13  # relative step at which an iteration ends: a few units in the last place
NEAR = 1e-8  # relative step at which Newton's method ends: the error left is of the order of its square
SHORT = 0.5  # longest Newton step, in units of tau2 plus the mean variance, that is taken as it is
SCORING_STEPS = 1_000  # Fisher scoring converges linearly, until Newton's steps are short enough
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
    targets = np.repeat(chi_square_ends(y.shape[1] - 1, level), len(y))
    both = _q_equals(np.concatenate([y, y]), np.concatenate([v, v]), targets).tau2
    return both[: len(y)], both[len(y) :]


def chi_square_ends(df: int, level: float) -> tuple[float, float]:
    """Return the upper and the lower quantile that hold ``level`` of a chi-square distribution."""
    tail = (1 - level) / 2
    return float(special.chdtri(df, tail)), float(2 * special.gammaincinv(df / 2, tail))


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
        step = excess * q / np.maximum(target[active] * slope, np.finfo(np.float64).tiny)
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


class _Derivatives(NamedTuple):
    """Twice the score of tau2, and twice its expected and its observed information."""

    score: Floats
    expected: Floats
    observed: Floats


def _derivatives(y: Floats, v: Floats, tau2: Floats, restricted: bool) -> _Derivatives:
    w = 1 / (v + tau2[:, np.newaxis])
    squared, total = w**2, w.sum(axis=1)
    centre = (w * y).sum(axis=1) / total
    pulls = w * (y - centre[:, np.newaxis])
    pulled, squares = w * pulls, squared.sum(axis=1)
    curve = (pulled * pulls).sum(axis=1) - pulled.sum(axis=1) ** 2 / total
    score, expected = (pulls**2).sum(axis=1) - total, squares
    if restricted:
        share = squares / total
        score, expected = score + share, squares - 2 * (squared * w).sum(axis=1) / total + share**2
    return _Derivatives(score, expected, 2 * curve - expected)


def _likeliest(y: Floats, v: Floats, restricted: bool) -> Estimate:
    """Maximise the likelihood; a maximum that is less likely than 0 is refused for 0."""
    found, zero = _climb(y, v, restricted), np.zeros(len(y))
    better = _likelihood(y, v, found.tau2, restricted) >= _likelihood(y, v, zero, restricted)
    return Estimate(np.where(better, found.tau2, 0.0), found.converged)


class _Bracket(NamedTuple):
    """Where the likelihood last rose and where it last fell: between them lies a maximum.

    ``falls`` is true where it falls at 0 already, so that 0 is a maximum too.
    """

    low: Floats
    high: Floats
    falls: NDArray[np.bool_]

    def narrowed(self, some: NDArray[np.intp], tau2: Floats, score: Floats) -> _Bracket:
        """Move one end of some brackets to the present tau2; return those."""
        rises = score > 0
        self.low[some[rises]] = tau2[rises]
        self.high[some[~rises]] = tau2[~rises]
        return _Bracket(self.low[some], self.high[some], self.falls[some])

    def kept(self, tau2: Floats) -> Floats:
        """Return the proposals, or the middle of the bracket where they leave it."""
        tau2 = np.where(self.falls & (self.low == 0), np.maximum(tau2, 0.0), tau2)
        outside = (tau2 < self.low) | (tau2 > self.high)
        return np.where(outside, (self.low + self.high) / 2, tau2)


def _climb(y: Floats, v: Floats, restricted: bool) -> Estimate:
    """Climb from the Hedges estimate, metafor's start, to the maximum uphill of it."""
    zero, tau2, unit = np.zeros(len(y)), _hedges(y, v).tau2, v.mean(axis=1)
    falls = _derivatives(y, v, zero, restricted).score <= 0
    bracket = _Bracket(zero, np.full(len(y), np.inf), falls)
    converged, active = np.zeros(len(y), dtype=np.bool_), np.arange(len(y))
    for _ in range(SCORING_STEPS):
        here, size = tau2[active], tau2[active] + unit[active]
        slopes = _derivatives(y[active], v[active], here, restricted)
        step, newton = _step(slopes, size)
        following = bracket.narrowed(active, here, slopes.score).kept(here + step)
        settled = np.abs(following - here) <= np.where(newton, NEAR, SETTLED) * size
        tau2[active], converged[active] = following, settled
        active = active[~settled]
        if not len(active):
            break
    return Estimate(tau2, converged)


def _step(slopes: _Derivatives, size: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return Newton's step where it is short, otherwise the scoring step or a shorter one."""
    score, expected, observed = slopes
    newton = (observed > 0) & (np.abs(score) <= SHORT * size * observed)
    return score / np.where(newton, observed, np.maximum(observed, expected)), newton


_ESTIMATORS: dict[str, Callable[[Floats, Floats], Estimate]] = {
    "FE": _fixed,
    "DL": _dersimonian_laird,
    "PM": _paule_mandel,
    "REML": partial(_likeliest, restricted=True),
    "ML": partial(_likeliest, restricted=False),
    "EB": _paule_mandel,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
}
TAU2_METHODS = tuple(_ESTIMATORS)
