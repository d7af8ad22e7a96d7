"""A single proportion with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scipy import special

from evidence.stats._checks import chosen, confidence, counts, normal_quantile

ProportionMethod = Literal["wilson", "clopper-pearson", "agresti-coull", "jeffreys"]


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion between 0 and 1 with its interval, and the counts it came from."""

    estimate: float
    low: float
    high: float
    events: int
    n: int
    level: float
    method: str


def proportion(
    events: Any, n: Any, *, level: float = 0.95, method: ProportionMethod = "wilson"
) -> Proportion:
    """Estimate the proportion ``events / n`` with a two-sided interval.

    Args:
        events: whole number of patients with the event.
        n: whole number of patients, at least 1.
        level: confidence level between 0 and 1.
        method: ``wilson`` (score), ``clopper-pearson`` (exact, tail probabilities), ``agresti-coull``
            (Wald around the Wilson centre, clipped to 0 and 1) or ``jeffreys`` (equal-tailed posterior under
            Beta(1/2, 1/2); as Brown, Cai and DasGupta state it, the lower limit is 0 when there are no
            events and the upper limit 1 when all have the event).

    Returns:
        The estimate ``events / n`` with its limits, all between 0 and 1.

    Raises:
        StatisticsError: when the counts, the level or the method cannot be used.

    Source: Brown, Cai and DasGupta, Statistical Science 2001;16:101-133. The example is Newcombe, Statistics
    in Medicine 1998;17:857-872, Table I, 81 of 263: 0.2553 to 0.3662.

    >>> result = proportion(81, 263)
    >>> round(result.low, 4), round(result.high, 4)
    (0.2553, 0.3662)
    """
    events, n = counts(events, n)
    chosen(method, _INTERVALS, "method")
    level = confidence(level)
    low, high = _INTERVALS[method](events, n, level)
    low = 0.0 if events == 0 else max(low, 0.0)
    high = 1.0 if events == n else min(high, 1.0)
    return Proportion(events / n, low, high, events, n, level, method)


def _wilson(events: int, n: int, level: float) -> tuple[float, float]:
    z = normal_quantile(level)
    share = events / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def _clopper_pearson(events: int, n: int, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low = special.betaincinv(events, n - events + 1, tail) if events else 0.0
    high = special.betainccinv(events + 1, n - events, tail) if events < n else 1.0
    return float(low), float(high)


def _agresti_coull(events: int, n: int, level: float) -> tuple[float, float]:
    z = normal_quantile(level)
    total = n + z**2
    centre = (events + z**2 / 2) / total
    half = z * math.sqrt(centre * (1 - centre) / total)
    return centre - half, centre + half


def _jeffreys(events: int, n: int, level: float) -> tuple[float, float]:
    a, b, tail = events + 0.5, n - events + 0.5, (1 - level) / 2
    return float(special.betaincinv(a, b, tail)), float(special.betainccinv(a, b, tail))


_INTERVALS = {
    "wilson": _wilson,
    "clopper-pearson": _clopper_pearson,
    "agresti-coull": _agresti_coull,
    "jeffreys": _jeffreys,
}
