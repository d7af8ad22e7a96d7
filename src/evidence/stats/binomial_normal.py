"""The binomial-normal model: counts are binomial, logits of the studies' proportions normal.

The likelihood of a study integrates its binomial over the normal, by adaptive Gauss-Hermite quadrature: the
nodes are centred and scaled at the integrand's mode. Where studies lie so far apart that the integrands are
lopsided and Gauss-Hermite is inexact, even nodes over the integrand's reach take its place. Score and
information follow from the moments of the same nodes, so that Newton's method settles in a few steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats

AGREES = 1e-9  # difference of log likelihoods at which two quadrature rules are the same
MODE_STEPS = 100  # Newton steps to the integrand's mode; it is log-concave, so that a handful suffices
NEGLIGIBLE = 45.0  # the integrand ends where its log is so far below its peak: e^-45 is below rounding
STEPS = 200  # Newton steps of the whole fit; published sets need fewer than 20
SETTLED = 1e-10  # change of both parameters, on the logit scale, at which the fit ends
NO_SPREAD = 1e-5  # a standard deviation of logits below this is 0: the likelihood is flat there


class Fit(NamedTuple):
    """Mean and standard deviation of the logits, the mean's standard error, the log likelihood."""

    mean: float
    sd: float
    se: float
    log_likelihood: float


class _Studies(NamedTuple):
    events: Floats
    n: Floats


class _Point(NamedTuple):
    log_likelihood: float
    score: Floats
    hessian: Floats


_Rule = Callable[[_Studies, float, float], tuple[Floats, Floats]]


def fit(events: Floats, n: Floats) -> Fit:
    """Fit the model by maximum likelihood.

    Args:
        events: events of each study.
        n: patients of each study; not all studies may be without events, nor all full.

    Raises:
        StatisticsError: when no finite maximum exists or it was not found.
    """
    if np.isin(events / n, (0, 1)).all():
        raise StatisticsError(
            "every study has either no events or only events: their spread has no finite estimate; "
            "show the studies side by side"
        )
    studies = _Studies(events, n)
    common, spread = _common(studies), _spread(studies)
    return common if spread.sd < NO_SPREAD or common.log_likelihood >= spread.log_likelihood else spread


def _common(studies: _Studies) -> Fit:
    """Return the fit without heterogeneity, which has a closed form."""
    events, n = float(studies.events.sum()), float(studies.n.sum())
    share = events / n
    mean = float(special.logit(share))
    return Fit(mean, 0.0, 1 / math.sqrt(n * share * (1 - share)), events * mean + n * math.log1p(-share))


def _spread(studies: _Studies) -> Fit:
    """Return the maximum under the first rule that agrees with the next."""
    place = _start(studies)
    for rule, finer in pairwise(_RULES):
        place, here = _climb(studies, place, rule)
        there = _point(studies, place, finer)
        if (
            abs(here.log_likelihood - there.log_likelihood) < AGREES
            and np.linalg.eigvalsh(here.hessian)[1] < 0
        ):
            se = math.sqrt(float(np.linalg.inv(-here.hessian)[0, 0]))
            return Fit(float(place[0]), abs(float(place[1])), se, here.log_likelihood)
    raise StatisticsError("the binomial-normal model did not converge: use method='logit'")


def _start(studies: _Studies) -> Floats:
    logits = special.logit((studies.events + 0.5) / (studies.n + 1))
    return np.array([logits.mean(), max(float(logits.std()), 0.1)])


def _climb(studies: _Studies, place: Floats, rule: _Rule) -> tuple[Floats, _Point]:
    """Return the place where Newton's steps no longer move, or no longer gain."""
    here = _point(studies, place, rule)
    for _ in range(STEPS):
        step = _ascent(here)
        there = _point(studies, place + step, rule)
        while there.log_likelihood < here.log_likelihood and np.abs(step).max() > SETTLED:
            step = step / 2
            there = _point(studies, place + step, rule)
        place, here = place + step, there
        if np.abs(step).max() <= SETTLED:
            break
    return place, here


def _ascent(point: _Point) -> Floats:
    """Return Newton's step; where the surface is not concave, turn its curvature downhill."""
    values, vectors = np.linalg.eigh(-point.hessian)
    step = vectors @ ((vectors.T @ point.score) / np.maximum(np.abs(values), 1e-8))
    return np.asarray(step / max(1.0, float(np.abs(step).max())), dtype=np.float64)


def _point(studies: _Studies, place: Floats, rule: _Rule) -> _Point:
    """Return log likelihood, score and Hessian at a mean and SD of logits.

    The derivatives are posterior moments: Louis, JRSS B 1982;44:226-233.
    """
    mean, sd = float(place[0]), float(place[1])
    z, log_mass = rule(studies, mean, sd)
    log_each = special.logsumexp(log_mass, axis=1)
    posterior = np.exp(log_mass - log_each[:, np.newaxis])
    share = special.expit(mean + sd * z)
    design = np.stack([np.ones_like(z), z])
    events, n = studies.events[:, np.newaxis], studies.n[:, np.newaxis]
    pull = (events - n * share) * design
    score = (posterior * pull).sum(axis=2)
    product = np.einsum("jk,ajk,bjk->ab", posterior, pull, pull) - score @ score.T
    curve = posterior * n * share * (1 - share)
    hessian = product - np.einsum("jk,ajk,bjk->ab", curve, design, design)
    return _Point(float(log_each.sum()), score.sum(axis=1), hessian)


def _log_integrand(studies: _Studies, mean: float, sd: float, z: Floats) -> Floats:
    logit = mean + sd * z
    binomial = studies.events[:, np.newaxis] * logit - studies.n[:, np.newaxis] * np.logaddexp(0, logit)
    return np.asarray(binomial - z**2 / 2 - math.log(2 * math.pi) / 2, dtype=np.float64)


def _peak(studies: _Studies, mean: float, sd: float) -> tuple[Floats, Floats]:
    """Return each integrand's mode and scale; steps are kept short, for flat binomials overshoot."""
    z = np.zeros((len(studies.n), 1))
    events, n = studies.events[:, np.newaxis], studies.n[:, np.newaxis]
    for _ in range(MODE_STEPS):
        share = special.expit(mean + sd * z)
        curvature = 1 + sd**2 * n * share * (1 - share)
        step = (sd * (events - n * share) - z) / curvature
        z = z + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return z, 1 / np.sqrt(curvature)


@cache
def _hermite_nodes(number: int) -> tuple[Floats, Floats]:
    place, weight = np.polynomial.hermite.hermgauss(number)
    return math.sqrt(2) * place, np.log(weight) + place**2 + math.log(2) / 2


def _hermite(number: int, studies: _Studies, mean: float, sd: float) -> tuple[Floats, Floats]:
    """Return nodes and log masses (integrand times weight) by adaptive Gauss-Hermite quadrature."""
    mode, scale = _peak(studies, mean, sd)
    place, log_weight = _hermite_nodes(number)
    z = mode + scale * place
    return z, _log_integrand(studies, mean, sd, z) + log_weight + np.log(scale)


def _even(number: int, studies: _Studies, mean: float, sd: float) -> tuple[Floats, Floats]:
    """Return nodes and log masses by the trapezoid rule, whose error falls geometrically here."""
    mode, scale = _peak(studies, mean, sd)
    left, right = (_reach(studies, mean, sd, mode, side * scale) for side in (-1, 1))
    z = mode + left + (right - left) * np.linspace(0, 1, number)
    return z, _log_integrand(studies, mean, sd, z) + np.log((right - left) / (number - 1))


def _reach(studies: _Studies, mean: float, sd: float, mode: Floats, reach: Floats) -> Floats:
    """Double the distance from the mode until the integrand is negligible."""
    end = _log_integrand(studies, mean, sd, mode) - NEGLIGIBLE
    while (short := _log_integrand(studies, mean, sd, mode + reach) > end).any():
        reach = np.where(short, 2 * reach, reach)
    return reach


_RULES: tuple[_Rule, ...] = (
    partial(_hermite, 51),
    partial(_hermite, 101),
    partial(_even, 801),
    partial(_even, 1601),
    partial(_even, 3201),
)
