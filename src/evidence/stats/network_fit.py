"""Generalised least squares on a network, with one between-study variance for all comparisons.

The random effects of a study's contrasts have covariance ``tau2 * S`` with 1 on the diagonal and 1/2 off it,
so that tau2 is the variance of every contrast whichever arm is the base. On error contrasts that diagonalise
the sampling covariance and S together, the residual is a set of independent ``z`` with variance
``1 + tau2 * slope``: Q, the method of moments and the restricted likelihood become sums over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize, special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats
from evidence.stats.network_data import Evidence, Study

TOO_FAR_APART = (
    "the variances of the studies differ by too many orders of magnitude to be weighed together: correct one "
    "or leave a study out"
)
ILL_CONDITIONED = 1e-12  # ratio of eigenvalues below which the covariance has fewer than four right digits
PAST = 1.001  # rounding must not put a bound on the wrong side of the root it bounds
GRID = 200  # points searched for turns of the restricted likelihood: it has one, seldom two or three


@dataclass(frozen=True, slots=True)
class Model:
    """Stacked effects, sampling covariance, random-effects structure and design matrix.

    ``sizes`` holds the number of rows of each study.
    """

    y: Floats
    v: Floats
    s: Floats
    x: Floats
    sizes: tuple[int, ...]


class Spectrum(NamedTuple):
    """Squared independent residuals, and how fast each variance grows with tau2."""

    squares: Floats
    slopes: Floats

    def q(self, tau2: float = 0.0) -> float:
        """Return the generalised Q at tau2."""
        return float((self.squares / (1 + tau2 * self.slopes)).sum())


class QTest(NamedTuple):
    """A chi-square statistic; P is NaN without degrees of freedom."""

    statistic: float
    df: int
    p: float


def consistency_model(evidence: Evidence, reference: str) -> Model:
    """Return the model in which each treatment has one effect against the reference."""
    column = {node: place for place, node in enumerate(n for n in evidence.treatments if n != reference)}

    def rows(study: Study) -> Floats:
        design = np.zeros((len(study.treatments), len(column)))
        for place, node in enumerate(study.treatments):
            if node in column:
                design[place, column[node]] = 1.0
        return np.asarray(design[1:] - design[0], dtype=np.float64)

    return _stack(evidence.studies, np.vstack([rows(study) for study in evidence.studies]))


def interaction_model(evidence: Evidence) -> Model:
    """Return the model in which each design, the set of a study's treatments, has effects of its own."""
    first: dict[frozenset[str], tuple[int, tuple[str, ...]]] = {}
    width = 0
    for study in evidence.studies:
        design = frozenset(study.treatments)
        if design not in first:
            first[design] = width, tuple(sorted(design))
            width += len(design) - 1
    blocks = [_design_rows(study, *first[frozenset(study.treatments)], width) for study in evidence.studies]
    return _stack(evidence.studies, np.vstack(blocks))


def _design_rows(study: Study, start: int, nodes: tuple[str, ...], width: int) -> Floats:
    rows = np.zeros((len(study.treatments), width))
    for place, node in enumerate(study.treatments):
        if node != nodes[0]:
            rows[place, start + nodes.index(node) - 1] = 1.0
    return np.asarray(rows[1:] - rows[0], dtype=np.float64)


def _stack(studies: Sequence[Study], x: Floats) -> Model:
    sizes = tuple(len(study.effects) for study in studies)
    halves = [(np.eye(size) + 1) / 2 for size in sizes]
    covariance = linalg.block_diag(*(study.covariance for study in studies))
    effects = np.concatenate([study.effects for study in studies])
    return Model(effects, covariance, linalg.block_diag(*halves), x, sizes)


def spectrum(model: Model) -> Spectrum:
    """Return the residual of a model as independent parts; empty where nothing is left over."""
    rows, columns = model.x.shape
    if rows == columns:
        return Spectrum(np.zeros(0), np.zeros(0))
    basis = linalg.qr(model.x)[0][:, columns:]
    slopes, vectors = linalg.eigh(basis.T @ model.s @ basis, basis.T @ model.v @ basis)
    return Spectrum((vectors.T @ basis.T @ model.y) ** 2, slopes)


def _refuse_ill_conditioned(information: Floats) -> None:
    values = np.linalg.eigvalsh(information)
    if not values[0] > ILL_CONDITIONED * values[-1]:
        raise StatisticsError(TOO_FAR_APART)


def q_test(statistic: float, df: int) -> QTest:
    """Return the chi-square test of a Q."""
    return QTest(statistic, df, float(special.chdtrc(df, max(statistic, 0.0))) if df else np.nan)


def dersimonian_laird(parts: Spectrum) -> float:
    """Return tau2 by moments, as DerSimonian and Laird (for networks: Jackson, White and Riley 2012)."""
    if not len(parts.slopes):
        return 0.0
    return max(0.0, float((parts.squares.sum() - len(parts.squares)) / parts.slopes.sum()))


def restricted_likelihood(parts: Spectrum) -> float:
    """Return the tau2 that maximises the restricted likelihood.

    Past ``(z^2 - 1) / slope`` of every part the likelihood falls, which bounds the search.
    """
    if not len(parts.slopes):
        return 0.0
    end = float(((parts.squares - 1) / parts.slopes).max())
    if end <= 0:
        return 0.0
    grid = np.concatenate([[0.0], end * np.geomspace(1e-9, PAST, GRID)])
    score = np.array([_score(parts, point) for point in grid])
    turns = np.flatnonzero((score[:-1] > 0) & (score[1:] <= 0))
    found = [_root(parts, float(grid[turn]), float(grid[turn + 1])) for turn in turns]
    return max([0.0, *found], key=lambda point: _log_likelihood(parts, point))


def _root(parts: Spectrum, low: float, high: float) -> float:
    return float(optimize.brentq(lambda point: _score(parts, point), low, high, xtol=1e-300, rtol=1e-14))


def _score(parts: Spectrum, tau2: float) -> float:
    variance = 1 + tau2 * parts.slopes
    return float((parts.slopes * (parts.squares - variance) / variance**2).sum())


def _log_likelihood(parts: Spectrum, tau2: float) -> float:
    return -float(np.log1p(tau2 * parts.slopes).sum() + parts.q(tau2)) / 2


def q_profile(parts: Spectrum, level: float) -> tuple[float, float]:
    """Return the limits of tau2 at which the generalised Q meets its chi-square quantiles."""
    if not len(parts.slopes):
        return np.nan, np.nan
    low, high = (
        _q_equals(parts, float(special.chdtri(len(parts.slopes), tail)))
        for tail in ((1 - level) / 2, (1 + level) / 2)
    )
    return low, high


def _q_equals(parts: Spectrum, target: float) -> float:
    if parts.q() <= target:
        return 0.0
    end = PAST * float((parts.squares.sum() / target - 1) / parts.slopes.min())
    return float(optimize.brentq(lambda tau2: parts.q(tau2) - target, 0.0, end, xtol=1e-300, rtol=1e-14))


def coefficients(model: Model, tau2: float) -> tuple[Floats, Floats]:
    """Return the generalised least-squares effects and their covariance matrix."""
    weights, covariance = _weights(model, tau2)
    return weights @ model.y, covariance


def reference_shares(model: Model, tau2: float) -> Floats:
    """Return how far each effect falls when a study's reference arm rises by 1: effects by studies.

    In the consistency model each row adds up to 1, because a reference that is better everywhere by 1 makes
    every effect against it smaller by 1.
    """
    weights, _ = _weights(model, tau2)
    starts = np.cumsum((0, *model.sizes[:-1]))
    return np.asarray(np.add.reduceat(weights * model.x.sum(axis=1), starts, axis=1), dtype=np.float64)


def _weights(model: Model, tau2: float) -> tuple[Floats, Floats]:
    """Return what takes the stacked effects to the coefficients, and the covariance of these."""
    weighted = linalg.cho_solve(linalg.cho_factor(model.v + tau2 * model.s), model.x)
    information = model.x.T @ weighted
    _refuse_ill_conditioned(information)
    covariance = linalg.inv(information)
    covariance = (covariance + covariance.T) / 2
    return covariance @ weighted.T, covariance
