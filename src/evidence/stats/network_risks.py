"""From a network's odds ratios and the risk with its reference to risks and differences, in closed form.

Where the risk comes from the reference arms of the same trials, it and the effects share those patients: the
more of them have the event, the higher the risk and the lower every odds ratio. Left out, that covariance
makes intervals far too wide.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import Floats, normal_quantile
from evidence.stats.network import Network

SMALLEST = 1e-9  # variance of a logit that rounding cannot make 0


@dataclass(frozen=True, slots=True)
class ReferenceRisk:
    """The risk with a network's reference: its limits, and its logit with what that shares with the trials.

    ``shared`` holds, by study, the covariance of the logit with that of the study's own reference arm; it is
    empty where the risk comes from other patients than the network.
    """

    estimate: float
    low: float
    high: float
    logit: float
    variance: float
    shared: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkRisks:
    """Risks in the order of a network's treatments, and the row's less the column's, with their limits."""

    risk: Floats
    risk_low: Floats
    risk_high: Floats
    difference: Floats
    low: Floats
    high: Floats


def common_risk(
    events: Floats, n: Floats, studies: Sequence[str], *, corrected: Collection[str] = (), level: float = 0.95
) -> ReferenceRisk:
    """Return the risk of arms that are taken to share one, with Wilson limits.

    Args:
        events: of each reference arm.
        n: patients of each.
        studies: whose arms these are; empty where they are no part of the network.
        corrected: the studies whose odds ratios are of counts with half a patient added to every cell.
        level: of the limits.

    Every study's reference arm has the same covariance with the logit, the variance of that logit. The logit,
    and only it, is of the counts that the odds ratios are of, halves included: of others it would share more
    with them than it has. Where the arms are of other patients, halves are added if none or all of these had
    the event.

    >>> found = common_risk(np.array([5.0, 3.0]), np.array([85.0, 50.0]), ["one", "two"])
    >>> round(found.estimate, 4), round(found.low, 4), round(found.high, 4)
    (0.0593, 0.0303, 0.1126)
    """
    cases, total = float(events.sum()), float(n.sum())
    low, high = wilson_limits(np.array([cases / total]), np.array([total]), level)
    halves = 0.5 * sum(name in corrected for name in studies)
    if not halves and cases in (0, total):
        halves = 0.5
    share = (cases + halves) / (total + 2 * halves)
    variance = 1 / ((total + 2 * halves) * share * (1 - share))
    logit, shared = math.log(share / (1 - share)), dict.fromkeys(studies, variance)
    return ReferenceRisk(cases / total, float(low[0]), float(high[0]), logit, variance, shared)


def network_risks(result: Network, base: ReferenceRisk) -> NetworkRisks:
    """Return the risk with each treatment, and all differences, at a risk with the reference.

    Args:
        result: a network of odds ratios.
        base: the risk with its reference.

    Returns:
        Risks and differences. A risk has Wilson's limits at the effective number of patients, that at which
        a binomial proportion would have the logit's variance. A difference has limits by the method of
        variance estimates recovery, with the correlation of the two logits. In a network of one trial both
        are those of its arms: Wilson's, and Newcombe's for a difference from the reference.

    Raises:
        StatisticsError: the network is not of odds ratios.

    Sources: Franco, Little, Louis and Slud, Journal of Survey Statistics and Methodology 2019;7:334-364
    (Wilson at the effective size); Zou, American Journal of Epidemiology 2008;168:212-224 (variance estimates
    recovery for correlated estimates). The covariance is the delta method's.
    """
    if result.measure != "OR":
        raise StatisticsError(f"risks follow from odds ratios here, not from {result.measure}")
    covariance = _covariance(result, base)
    variance = np.maximum(np.diag(covariance), SMALLEST)
    risk = np.asarray(special.expit(base.logit + result.estimate[:, 0]), dtype=np.float64)
    low, high = wilson_limits(risk, 1 / (variance * risk * (1 - risk)), result.level)
    risk[0], low[0], high[0] = base.estimate, base.low, base.high
    correlation = np.clip(covariance / np.sqrt(np.outer(variance, variance)), -1.0, 1.0)
    below, above = risk - low, high - risk
    return NetworkRisks(
        risk, low, high, np.subtract.outer(risk, risk),
        np.subtract.outer(risk, risk) - _apart(below, above, correlation),
        np.subtract.outer(risk, risk) + _apart(above, below, correlation),
    )  # fmt: skip


def wilson_limits(share: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Return Wilson's limits of proportions of numbers of patients that need not be whole."""
    z2 = normal_quantile(level) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.minimum(np.maximum(centre - half, 0.0), share), np.maximum(
        np.minimum(centre + half, 1.0), share
    )


def _covariance(result: Network, base: ReferenceRisk) -> Floats:
    """Return the covariance of the logits of all risks; effects of less variance share as much less."""
    common = np.array([base.shared.get(name, 0.0) for name in result.studies])
    ties = -(result.reference_shares @ common) * math.sqrt(min(result.factor, 1.0))
    return np.asarray(result.covariance + base.variance + np.add.outer(ties, ties), dtype=np.float64)


def _apart(one: Floats, other: Floats, correlation: Floats) -> Floats:
    """Return how far a limit of each difference lies from it, by the rows' widths and the columns'."""
    squares = np.add.outer(one**2, other**2) - 2 * correlation * np.multiply.outer(one, other)
    np.fill_diagonal(squares, 0.0)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)
