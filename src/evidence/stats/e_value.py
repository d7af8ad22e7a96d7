"""How strong a cause that nobody measured would have to be to explain a risk ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evidence.errors import StatisticsError
from evidence.stats._checks import positive


@dataclass(frozen=True, slots=True)
class EValue:
    """E-values of a risk ratio and of its limit nearer to 1: 1 where the interval includes 1."""

    estimate: float
    limit: float


def e_value(ratio: float, low: float, high: float) -> EValue:
    """Return the E-values of a risk ratio with its interval.

    An unmeasured confounder could explain the ratio alone only if patients with it were at least this many
    times as frequent in one group *and* it raised the risk at least this many times: RR + sqrt(RR (RR - 1)),
    of the inverse for a ratio below 1.

    Raises:
        StatisticsError: unless ``0 < low <= ratio <= high``, all finite, and none too extreme for a number.

    Source: VanderWeele and Ding, Annals of Internal Medicine 2017;167:268-274.

    >>> made = e_value(0.80, 0.71, 0.91)
    >>> round(made.estimate, 2), round(made.limit, 2)
    (1.81, 1.43)
    """
    limits = positive(low, "low"), positive(ratio, "ratio"), positive(high, "high")
    if list(limits) != sorted(limits):
        raise StatisticsError(f"ratio {ratio} is outside its interval, {low} to {high}: correct one of them")
    return EValue(_of(limits[1]), _of(min(max(limits[0], 1.0), limits[2])))


def _of(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    made = above + math.sqrt(above) * math.sqrt(above - 1)
    if not math.isfinite(made):
        raise StatisticsError(f"a risk ratio of {ratio} is too extreme for an E-value")
    return made
