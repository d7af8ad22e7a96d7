"""From a ratio and a risk without treatment to risks and their difference, with both uncertainties."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evidence.errors import StatisticsError
from evidence.stats._checks import LARGEST, Floats, chosen, column, number

RatioMeasure = Literal["RR", "OR"]
Limits = tuple[float, float, float]  # estimate, low, high

ANGLES = np.linspace(0, 2 * math.pi, 4001)  # a step of 0.0016 leaves an error below 1e-6 of the width
NEAREST_RISK = 1e-9  # a risk of 0 or 1 has no logarithm; this stands for it


@dataclass(frozen=True, slots=True)
class AbsoluteEffect:
    """The risk with treatment and its difference from the risk without, as proportions."""

    treated: float
    treated_low: float
    treated_high: float
    difference: float
    low: float
    high: float
    method: str


def absolute_effect(
    ratio: Limits, control: Limits, *, measure: RatioMeasure = "RR", correlation: float = 0.0
) -> AbsoluteEffect:
    """Apply a risk ratio or odds ratio to a control risk.

    Args:
        ratio: estimate, lower and upper limit of the ratio.
        control: estimate, lower and upper limit of the risk without treatment; equal where it is fixed.
        measure: ``RR`` or ``OR``.
        correlation: correlation of the logarithm (OR: logit) of the control risk with the logarithm of the
            ratio; 0 where they come from different patients, negative where from the same.

    Returns:
        Risk and difference with limits: the smallest and largest values while ratio and control risk move
        together along the ellipse that their own limits span. The treated risk does not exceed 1.

    Raises:
        StatisticsError: for a ratio or a risk out of range, or limits that do not hold their estimate.

    Source: Newcombe, Communications in Statistics - Theory and Methods 2011;40:3154-3180 (propagating
    imprecision); with two limits that add on one scale it is the method of variance estimates recovery (Zou
    and Donner, Statistics in Medicine 2008;27:1693-1702).

    >>> found = absolute_effect((0.5, 0.25, 1.0), (0.2, 0.2, 0.2))
    >>> round(found.difference, 3), round(found.low, 3), round(found.high, 3)
    (-0.1, -0.15, 0.0)
    """
    chosen(measure, ("RR", "OR"), "measure")
    ratio, control = _limits(ratio, "ratio"), _limits(control, "control risk")
    correlation = number(correlation, "correlation")
    _refuse(ratio, control, correlation)
    scale: Callable[[float], float] = _logit if measure == "OR" else _log
    base, shift = _around(control, scale), _around(ratio, math.log)
    z0, z1 = np.cos(ANGLES), np.sin(ANGLES)
    risk = base(z0)
    moved = shift(correlation * z0 + math.sqrt(1 - correlation**2) * z1)
    treated = _treated(risk + moved, measure)
    untreated = _treated(risk, measure)
    middle = float(_treated(np.array(scale(control[0]) + math.log(ratio[0])), measure))
    # The estimate is one of the points, so that rounding cannot put it outside its own limits.
    treated, difference = np.append(treated, middle), np.append(treated - untreated, middle - control[0])
    return AbsoluteEffect(
        middle, float(treated.min()), float(treated.max()), middle - control[0],
        float(difference.min()), float(difference.max()), f"{measure} at the control risk",
    )  # fmt: skip


def _limits(given: Limits, name: str) -> Limits:
    values = column(given, name).tolist()
    if len(values) != 3:
        raise StatisticsError(f"{name} has {len(values)} numbers: give estimate, lower and upper limit")
    return values[0], values[1], values[2]


def _refuse(ratio: Limits, control: Limits, correlation: float) -> None:
    for name, (middle, low, high), top in (("ratio", ratio, math.inf), ("control risk", control, 1.0)):
        if not 0 <= low <= middle <= high <= top or (name == "ratio" and low < 1 / LARGEST):
            raise StatisticsError(f"{name} {middle:g} ({low:g} to {high:g}): give limits around an estimate")
    if not -1 <= correlation <= 1:
        raise StatisticsError(f"correlation is {correlation:g}: give a number from -1 to 1")


def _log(risk: float) -> float:
    return math.log(max(risk, NEAREST_RISK))


def _logit(risk: float) -> float:
    inside = min(max(risk, NEAREST_RISK), 1 - NEAREST_RISK)
    return math.log(inside / (1 - inside))


def _around(limits: Limits, scale: Callable[[float], float]) -> Callable[[Floats], Floats]:
    """Return the value at z half-intervals from the estimate, each side with its own half-width."""
    middle, low, high = (scale(value) for value in limits)
    return lambda z: middle + np.where(z > 0, (high - middle) * z, (middle - low) * z)


def _treated(value: Floats, measure: str) -> Floats:
    """Return the risk at a value on its scale, never above 1."""
    if measure == "OR":
        return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)
    return np.minimum(np.exp(value), 1.0)
