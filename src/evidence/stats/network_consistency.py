"""Direct against indirect evidence: Bucher's comparison and node-splitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, column, confidence, normal_p, normal_quantile, positive, shown
from evidence.stats.network import NetworkTau2, estimated_tau2
from evidence.stats.network_data import Evidence, NetworkMeasure, components, read_evidence
from evidence.stats.network_fit import Model, coefficients, consistency_model, spectrum
from evidence.stats.pool import Pooled


@dataclass(frozen=True, slots=True)
class Contrast:
    """An effect between two treatments on the analysis scale, with a normal interval and test."""

    estimate: float
    se: float
    low: float
    high: float
    p: float
    level: float


@dataclass(frozen=True, slots=True)
class NodeSplit:
    """One comparison from the studies that make it and from all the others.

    ``difference`` is direct minus indirect: its ``p`` tests their consistency. ``studies`` made the direct
    comparison.
    """

    treatment1: str
    treatment0: str
    direct: Contrast
    indirect: Contrast
    difference: Contrast
    tau2: float
    studies: tuple[str, ...]
    method: str


def bucher(
    direct_ac: Pooled | Contrast | Sequence[float],
    direct_bc: Pooled | Contrast | Sequence[float],
    *,
    level: float = 0.95,
) -> Contrast:
    """Compare A with B through their common comparator C.

    Args:
        direct_ac: the effect of A against C on the analysis scale: a result with ``estimate`` and ``se``, or
            the two numbers.
        direct_bc: the effect of B against C, from other patients.
        level: confidence level between 0 and 1.

    Returns:
        The indirect effect of A against B: the difference, its variance the sum of the two.

    Raises:
        StatisticsError: for a missing effect, or a standard error that is not above 0.

    Source: Bucher and others, Journal of Clinical Epidemiology 1997;50:683-691.

    >>> result = bucher((-0.5, 0.3), (-0.1, 0.4))
    >>> round(result.estimate, 2), round(result.se, 2)
    (-0.4, 0.5)
    """
    (a, se_a), (b, se_b) = _effect(direct_ac, "direct_ac"), _effect(direct_bc, "direct_bc")
    return _contrast(a - b, float(np.hypot(se_a, se_b)), level)


def _effect(value: Pooled | Contrast | Sequence[float], name: str) -> tuple[float, float]:
    pair = (value.estimate, value.se) if isinstance(value, Pooled | Contrast) else value
    numbers = column(pair, name)
    if numbers.shape != (2,):
        raise StatisticsError(f"{name} is {shown(value)}: give an effect and its standard error")
    return float(numbers[0]), positive(float(numbers[1]), f"standard error of {name}")


def _contrast(estimate: float, se: float, level: float) -> Contrast:
    level = confidence(level)
    half = normal_quantile(level) * se
    p = normal_p(estimate / se)
    return Contrast(estimate, se, estimate - half, estimate + half, p, level)


def node_split(
    contrasts: pd.DataFrame,
    treatment1: str,
    treatment0: str,
    *,
    measure: NetworkMeasure,
    tau2: NetworkTau2 | float = "REML",
    level: float = 0.95,
) -> NodeSplit:
    """Set the direct evidence on one comparison against the indirect.

    Args:
        contrasts: as in ``network``.
        treatment1: the treatment compared.
        treatment0: the treatment it is compared with.
        measure: as in ``network``.
        tau2: as in ``network``; estimated anew in the split model.
        level: confidence level between 0 and 1.

    Returns:
        The direct and the indirect effect, and their difference with its test. In studies of more than two
        arms the difference is shared equally between the two treatments, so that neither is privileged.

    Raises:
        StatisticsError: as in ``network``; where no study compares the two, or without those that do nothing
            connects them, so that there is no loop.

    Sources: Dias and others, Statistics in Medicine 2010;29:932-944; White, Stata Journal 2015;15:951-985
    (symmetrical side-splitting).
    """
    return _split(read_evidence(contrasts, measure), (treatment1, treatment0), tau2, level)


def node_splits(
    contrasts: pd.DataFrame,
    *,
    measure: NetworkMeasure,
    tau2: NetworkTau2 | float = "REML",
    level: float = 0.95,
) -> tuple[NodeSplit, ...]:
    """Split every comparison that has both direct and indirect evidence.

    Args:
        contrasts: as in ``network``.
        measure: as in ``network``.
        tau2: as in ``node_split``.
        level: confidence level between 0 and 1.

    Returns:
        One result per comparison.

    Raises:
        StatisticsError: as in ``network``, and where no comparison can be split: the network has no loop.
    """
    evidence = read_evidence(contrasts, measure)
    pairs = combinations(evidence.treatments, 2)
    open_pairs = [pair for pair in pairs if not _no_loop(evidence, pair)]
    if not open_pairs:
        raise StatisticsError("the network has no loop of independent studies: no comparison can be split")
    return tuple(_split(evidence, (one, none), tau2, level) for none, one in open_pairs)


def _no_loop(evidence: Evidence, pair: tuple[str, str]) -> str:
    """Return why a comparison has no direct or no indirect evidence, or nothing."""
    both = set(pair)
    others = [study for study in evidence.studies if not both <= set(study.treatments)]
    if len(others) == len(evidence.studies):
        return f"no study compares {pair[0]} with {pair[1]}: there is no direct evidence to split off"
    if not any(both <= set(part) for part in components(others)):
        return (
            f"without the studies that compare {pair[0]} with {pair[1]} nothing connects them: "
            "there is no loop, and no indirect evidence"
        )
    return ""


def _split(evidence: Evidence, pair: tuple[str, str], tau2: NetworkTau2 | float, level: float) -> NodeSplit:
    known = [node for node in pair if isinstance(node, str) and node in evidence.treatments]
    if len(known) < 2 or known[0] == known[1]:
        raise StatisticsError(f"{shown(pair)} is no pair of treatments: choose two of {evidence.treatments}")
    reason = _no_loop(evidence, pair)
    if reason:
        raise StatisticsError(reason)
    model, column = _split_model(evidence, pair)
    value, method = estimated_tau2(spectrum(model), tau2)
    effects, covariance = coefficients(model, value)
    indirect, difference = np.eye(len(effects))[[column, -1]]

    def contrast(weights: Floats) -> Contrast:
        variance = float(weights @ covariance @ weights)
        return _contrast(float(weights @ effects), variance**0.5, level)

    studies = tuple(study.name for study in evidence.studies if set(pair) <= set(study.treatments))
    parts = (contrast(indirect + difference), contrast(indirect), contrast(difference))
    return NodeSplit(*pair, *parts, value, studies, method)


def _split_model(evidence: Evidence, pair: tuple[str, str]) -> tuple[Model, int]:
    """Return the model with the difference between direct and indirect as last column.

    ``pair[0]``'s effect against ``pair[1]`` is the column returned beside it.
    """
    model = consistency_model(evidence, pair[1])
    column = [node for node in evidence.treatments if node != pair[1]].index(pair[0])
    extra = np.concatenate([_shift(study.treatments, pair) for study in evidence.studies])
    return replace(model, x=np.column_stack([model.x, extra])), column


def _shift(treatments: tuple[str, ...], pair: tuple[str, str]) -> Floats:
    if not set(pair) <= set(treatments):
        return np.zeros(len(treatments) - 1)
    halves = {pair[0]: 0.5, pair[1]: -0.5}
    arms = np.array([halves.get(node, 0.0) for node in treatments])
    return np.asarray(arms[1:] - arms[0], dtype=np.float64)
