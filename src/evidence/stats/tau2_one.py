"""Estimators of the between-study variance tau2 for one data set, in plain floats.

One call of numpy costs more than the arithmetic of a dozen studies, so that plain floats are several times
faster on one data set. Every estimator takes the steps of its namesake in ``tau2``, which does many data sets
at once; a test holds the two together.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from operator import mul
from typing import NamedTuple

from evidence.stats.tau2 import (
    NEAR,
    NEWTON_STEPS,
    SCORING_STEPS,
    SETTLED,
    SHORT,
    chi_square_ends,
)

Column = list[float]
TINY = sys.float_info.min  # stands for a slope that underflows


class One(NamedTuple):
    """tau2 of one data set, and whether its iteration settled."""

    tau2: float
    converged: bool


class Centred(NamedTuple):
    """The weighted mean at a tau2: weights ``1 / (v + tau2)``, their sum, and Cochran's Q with them."""

    weights: Column
    total: float
    centre: float
    q: float

    @property
    def typical_variance(self) -> float:
        """The typical sampling variance, at tau2 = 0.

        Source: Higgins and Thompson, Statistics in Medicine 2002;21:1539-1558.
        """
        squares = sum([w * w for w in self.weights])
        return (len(self.weights) - 1) / (self.total - squares / self.total)


def centred(y: Column, v: Column, tau2: float) -> Centred:
    """Return the weighted mean of one data set at a tau2."""
    weights = [1 / (one + tau2) for one in v]
    total = sum(weights)
    centre = sum(map(mul, weights, y)) / total
    squares = [w * (one - centre) ** 2 for w, one in zip(weights, y, strict=True)]
    return Centred(weights, total, centre, sum(squares))


def estimate_one(y: Column, v: Column, method: str, common: Centred) -> One:
    """Estimate tau2 of one data set, never below 0; ``common`` is its mean at tau2 = 0."""
    if len(y) == 1 or method == "FE":
        return _closed(0.0)
    if method == "DL":
        return _closed((common.q - len(y) + 1) * common.typical_variance / (len(y) - 1))
    return _ESTIMATORS[method](y, v)


def q_profile_one(y: Column, v: Column, level: float) -> tuple[float, float]:
    """Return the limits of tau2 as ``tau2.q_profile`` does."""
    squares = _squares(y)
    low, high = (_q_equals(y, v, target, squares).tau2 for target in chi_square_ends(len(y) - 1, level))
    return low, high


def _closed(tau2: float) -> One:
    return One(max(tau2, 0.0), converged=True)


def _squares(y: Column) -> float:
    mean = sum(y) / len(y)
    return sum([(one - mean) ** 2 for one in y])


def _hedges(y: Column, v: Column) -> One:
    return _closed(_squares(y) / (len(y) - 1) - sum(v) / len(v))


def _sidik_jonkman(y: Column, v: Column) -> One:
    start = _squares(y) / len(y)
    return _closed(start * centred(y, v, start).q / (len(y) - 1))


def _paule_mandel(y: Column, v: Column) -> One:
    return _q_equals(y, v, len(y) - 1.0, _squares(y))


def _q_equals(y: Column, v: Column, target: float, squares: float) -> One:
    """Solve ``Q(tau2) = target`` by Newton's method on 1/Q.

    The start is the root under equal variances, from the sum of squares of y. 1/Q is increasing and concave
    in tau2: from above the root the first step falls below it, and from below no step overshoots.
    """
    tau2 = max(squares / target - sum(v) / len(v), 0.0)
    for _ in range(NEWTON_STEPS):
        q, slope = _q_and_slope(y, v, tau2)
        if tau2 == 0 and q <= target:
            return One(0.0, converged=True)
        following = max(tau2 + (q - target) * q / max(target * slope, TINY), 0.0)
        moved, tau2 = abs(following - tau2), following
        if moved <= NEAR * tau2:
            return One(tau2, converged=True)
    return One(tau2, converged=False)


def _q_and_slope(y: Column, v: Column, tau2: float) -> tuple[float, float]:
    """Return Q and how fast it falls with tau2."""
    weights = [1 / (one + tau2) for one in v]
    centre = sum(map(mul, weights, y)) / sum(weights)
    q = slope = 0.0
    for w, one in zip(weights, y, strict=True):
        residual = one - centre
        pull = w * residual
        q += pull * residual
        slope += pull * pull
    return q, slope


def _likelihood(y: Column, v: Column, tau2: float, *, restricted: bool) -> float:
    """Return twice the log likelihood, up to a constant."""
    here = centred(y, v, tau2)
    lost = math.log(here.total) if restricted else 0.0
    return sum(map(math.log, here.weights)) - here.q - lost


def _derivatives(y: Column, v: Column, tau2: float, *, restricted: bool) -> tuple[float, float, float]:
    """Return twice the score, twice the expected and twice the observed information of tau2."""
    w = [1 / (one + tau2) for one in v]
    total = sum(w)
    centre = sum(map(mul, w, y)) / total
    pulls, squared = [a * (b - centre) for a, b in zip(w, y, strict=True)], list(map(mul, w, w))
    pulled, squares = list(map(mul, w, pulls)), sum(squared)
    curve = sum(map(mul, pulled, pulls)) - sum(pulled) ** 2 / total
    score, expected = sum(map(mul, pulls, pulls)) - total, squares
    if restricted:
        share = squares / total
        score, expected = score + share, squares - 2 * sum(map(mul, squared, w)) / total + share**2
    return score, expected, 2 * curve - expected


def _likeliest(y: Column, v: Column, *, restricted: bool) -> One:
    """Maximise the likelihood by Newton's method with Fisher scoring; see ``tau2``."""
    found = _climb(y, v, restricted=restricted)
    zero, there = (_likelihood(y, v, tau2, restricted=restricted) for tau2 in (0.0, found.tau2))
    return found if there >= zero else One(0.0, found.converged)


def _climb(y: Column, v: Column, *, restricted: bool) -> One:
    tau2, unit, low, high = _hedges(y, v).tau2, sum(v) / len(v), 0.0, math.inf
    falls = _derivatives(y, v, 0.0, restricted=restricted)[0] <= 0
    for _ in range(SCORING_STEPS):
        score, expected, observed = _derivatives(y, v, tau2, restricted=restricted)
        low, high = (tau2, high) if score > 0 else (low, tau2)
        size = tau2 + unit
        newton = observed > 0 and abs(score) <= SHORT * size * observed
        following = tau2 + score / (observed if newton else max(observed, expected))
        if falls and low == 0:
            following = max(following, 0.0)
        if not low <= following <= high:
            following = (low + high) / 2
        moved, tau2 = abs(following - tau2), following
        if moved <= (NEAR if newton else SETTLED) * size:
            return One(tau2, converged=True)
    return One(tau2, converged=False)


_ESTIMATORS: dict[str, Callable[[Column, Column], One]] = {
    "PM": _paule_mandel,
    "REML": partial(_likeliest, restricted=True),
    "ML": partial(_likeliest, restricted=False),
    "EB": _paule_mandel,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
}
