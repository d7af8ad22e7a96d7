"""Number needed to treat, in the words that stay right when the interval crosses no effect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from evidence.errors import StatisticsError
from evidence.stats._checks import chosen, shown
from evidence.stats.compare import Effect

Better = Literal["higher", "lower"]
Direction = Literal["NNTB", "NNTH"]


@dataclass(frozen=True, slots=True)
class NumberNeeded:
    """How many patients are treated for one more to benefit (NNTB) or to be harmed (NNTH).

    ``estimate`` is unrounded, infinite when the risk difference is 0. ``low`` and ``high`` are the
    reciprocals of the interval's two ends, each with its own direction, ``low`` on the estimate's side.
    ``text`` is what to print.
    """

    estimate: float
    direction: Direction
    low: float
    low_direction: Direction
    high: float
    high_direction: Direction
    crosses: bool
    text: str


def number_needed(effect: Effect, *, better: Better = "higher") -> NumberNeeded:
    """Turn a risk difference into the number needed to treat for one more benefit or harm.

    Args:
        effect: a comparison with ``measure="RD"``.
        better: ``higher`` where the event is a benefit, ``lower`` where it is a harm.

    Returns:
        The number needed with its interval. Where the interval of the risk difference crosses 0, that of the
        number needed runs through infinity: ``NNTB 10 (NNTB 4 to infinity to NNTH 25)``. All numbers in
        ``text`` are rounded up, so that no effect is printed larger than it is.

    Raises:
        StatisticsError: when the effect is not a risk difference.

    Source: Altman, BMJ 1998;317:1309-1312.

    >>> from evidence.stats import compare
    >>> number_needed(compare(56, 70, 48, 80, measure="RD")).text
    'NNTB 5 (3 to 20)'
    >>> number_needed(compare(7, 20, 5, 20, measure="RD")).text
    'NNTB 10 (NNTB 3 to infinity to NNTH 6)'
    """
    if not isinstance(effect, Effect) or effect.measure != "RD":
        given = getattr(effect, "measure", shown(effect))
        raise StatisticsError(f"number_needed was given {given}: compare with measure='RD'")
    sign = 1 if chosen(better, ("higher", "lower"), "better") == "higher" else -1
    gains = sign * effect.estimate, *sorted((sign * effect.low, sign * effect.high))
    return _numbers(*(gain if gain else 0.0 for gain in gains))


def _numbers(gain: float, worst: float, best: float) -> NumberNeeded:
    harm = gain < 0
    near, far = (worst, best) if harm else (best, worst)
    direction: Direction = "NNTH" if harm else "NNTB"
    other: Direction = "NNTB" if harm else "NNTH"
    crosses = worst < 0 < best
    far_direction = other if crosses else direction
    interval = _interval(near, far, direction, far_direction)
    text = f"{direction if gain else 'NNT'} {_whole(gain)} ({interval})"
    return NumberNeeded(
        _needed(gain), direction, _needed(near), direction, _needed(far), far_direction, crosses, text
    )


def _interval(near: float, far: float, direction: Direction, far_direction: Direction) -> str:
    if direction == far_direction:
        return f"{_whole(near)} to {_whole(far)}"
    return f"{direction} {_whole(near)} to infinity to {far_direction} {_whole(far)}"


def _needed(gain: float) -> float:
    return 1 / abs(gain) if gain else math.inf


def _whole(gain: float) -> str:
    """Return the number needed, rounded up; 1 / 0.2 is a little over 5 in binary and must stay 5."""
    needed = _needed(gain)
    return "infinity" if math.isinf(needed) else f"{math.ceil(needed * (1 - 1e-12)):,}"
