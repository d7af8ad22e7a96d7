"""What every statistic asks of its arguments before it computes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from evidence.errors import StatisticsError

Floats = NDArray[np.float64]


def whole(value: Any, name: str) -> int:
    """Return a count as an int; refuse missing values, fractions and negative numbers."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < 0 or isinstance(value, str) or number != value:
        raise StatisticsError(f"{name} is {value!r}: give a whole number of at least 0")
    return number


def counts(events: Any, n: Any, events_name: str = "events", n_name: str = "n") -> tuple[int, int]:
    """Return events out of n as two ints with ``0 <= events <= n`` and ``n >= 1``."""
    number, total = whole(events, events_name), whole(n, n_name)
    if total == 0:
        raise StatisticsError(f"{n_name} is 0: a proportion needs at least one patient; leave the row out")
    if number > total:
        raise StatisticsError(f"{events_name} {number} exceeds {n_name} {total}: correct one of them")
    return number, total


def confidence(level: float) -> float:
    """Return a confidence level strictly between 0 and 1."""
    if not 0 < level < 1:
        raise StatisticsError(f"level is {level!r}: give a number between 0 and 1, such as 0.95")
    return float(level)


def chosen(value: str, allowed: Iterable[str], name: str) -> str:
    """Return a choice that is among those allowed."""
    options = tuple(allowed)
    if value not in options:
        raise StatisticsError(f"{name} is {value!r}: choose {', '.join(options)}")
    return value


def positive(value: float, name: str) -> float:
    """Return a finite number above zero."""
    if not 0 < value < np.inf:
        raise StatisticsError(f"{name} is {value!r}: give a finite number above 0")
    return float(value)


def finite(values: ArrayLike, name: str) -> Floats:
    """Return numbers as a float array; refuse text, missing and infinite values."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"{name} holds a missing or non-numeric value: leave that row out") from error
    if not np.isfinite(array).all():
        raise StatisticsError(f"{name} holds a missing or infinite value: leave that row out")
    return array


def same_length(*columns: Sequence[Any] | Floats) -> None:
    """Refuse columns that do not describe the same groups."""
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or lengths == {0}:
        raise StatisticsError(f"columns have lengths {sorted(lengths)}: give one value per group in each")


def normal_quantile(level: float) -> float:
    """Return z with ``level`` of the standard normal between -z and z."""
    return float(-special.ndtri((1 - confidence(level)) / 2))


def normal_p(z: float) -> float:
    """Return the two-sided P value of a standard normal statistic."""
    return float(2 * special.ndtr(-abs(z)))
