"""What every statistic asks of its arguments before it computes."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from evidence.errors import StatisticsError

Floats = NDArray[np.float64]

MOST = 10**15  # up to 2**53 (9 * 10**15) a float holds every whole number, and twice a count must fit
COMPLEX = (complex, np.complexfloating)  # numpy's lose their imaginary part, and only a warning says so
# What int() and float() would take.
NOT_A_NUMBER = (str, bytes, np.ndarray, np.datetime64, np.timedelta64, *COMPLEX)
NO_REAL_NUMBERS = "cmM"  # kinds of arrays: complex numbers, durations, dates
SMALLEST_TAIL = 1e-15  # a level nearer to 0 or 1 has no quantile in floating-point numbers
LARGEST_LOG = math.log(sys.float_info.max)
LARGEST = 1e40  # beyond it, and for spreads below 1/LARGEST, fourth powers of sums may overflow


def whole(value: Any, name: str) -> int:
    """Return a count as an int; refuse missing values, fractions, negative and too large numbers."""
    try:
        number = -1 if isinstance(value, NOT_A_NUMBER) else int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < 0 or number != value:
        raise StatisticsError(f"{name} is {shown(value)}: give a whole number of at least 0")
    if number > MOST:
        raise StatisticsError(f"{name} is {shown(value)}: give at most {MOST:.0e}")
    return number


def number(value: Any, name: str, mend: str = "give a number") -> float:
    """Return one real number, which may be infinite; refuse missing values, text and lists."""
    try:
        found = math.nan if isinstance(value, NOT_A_NUMBER) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if math.isnan(found):
        raise StatisticsError(f"{name} is {shown(value)}: {mend}")
    return found


def shown(value: Any) -> str:
    """Return a value in few characters, for a message."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return f"{type(value).__name__} beyond all bounds"


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
    mend = "give a number between 0 and 1, such as 0.95"
    given = number(level, "level", mend)
    if not SMALLEST_TAIL <= given <= 1 - SMALLEST_TAIL:
        raise StatisticsError(f"level is {shown(level)}: {mend}")
    return given


def chosen(value: str, allowed: Iterable[str], name: str) -> str:
    """Return a choice that is among those allowed."""
    options = tuple(allowed)
    if not isinstance(value, str) or value not in options:
        raise StatisticsError(f"{name} is {shown(value)}: choose {', '.join(options)}")
    return value


def positive(value: float, name: str) -> float:
    """Return a number above zero that is neither infinite nor beyond reason."""
    given = number(value, name)
    if not 0 < given <= LARGEST:
        raise StatisticsError(f"{name} is {shown(value)}: give a number above 0 and at most {LARGEST:.0e}")
    return given


def finite(values: ArrayLike, name: str) -> Floats:
    """Return numbers as a float array; refuse text, missing and infinite values."""
    try:
        array = _reals(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise StatisticsError(f"{name} holds a missing or non-numeric value: leave that row out") from error
    if not np.isfinite(array).all():
        raise StatisticsError(f"{name} holds a missing or infinite value: leave that row out")
    return array


def _reals(values: ArrayLike) -> Floats:
    given = np.asarray(values)
    if given.dtype.kind in NO_REAL_NUMBERS:
        raise TypeError(given.dtype)
    return given.astype(np.float64, copy=False)


def column(values: ArrayLike, name: str) -> Floats:
    """Return finite numbers of a magnitude that powers of sums can hold, one after the other."""
    array = finite(values, name)
    if array.ndim != 1:
        raise StatisticsError(f"{name} has shape {array.shape}: give a list of numbers")
    if (np.abs(array) > LARGEST).any():
        raise StatisticsError(f"{name} holds a number beyond {LARGEST:.0e}: give it in another unit")
    return array


def listed(values: Any, name: str) -> list[Any]:
    """Return values that come one after the other as a list; refuse a single value."""
    if not isinstance(values, Iterable):
        raise StatisticsError(f"{name} is {shown(values)}: give a list")
    try:
        return list(values)
    except TypeError as error:  # an array without dimensions says that it can be iterated
        raise StatisticsError(f"{name} is {shown(values)}: give a list") from error


def same_length(*columns: Iterable[Any]) -> tuple[list[Any], ...]:
    """Return columns as lists; refuse those that do not describe the same groups."""
    lists = tuple(listed(column, "a column") for column in columns)
    lengths = {len(column) for column in lists}
    if len(lengths) != 1 or lengths == {0}:
        raise StatisticsError(f"columns have lengths {sorted(lengths)}: give one value per group in each")
    return lists


def named(value: Any) -> str:
    """Return the name of a study or a treatment, which may be a number."""
    try:
        return str(value)
    except ValueError as error:  # Python writes no whole number of more than 4,300 digits
        raise StatisticsError(f"a study or a treatment is {shown(value)}: give its name") from error


def natural(log: float) -> float:
    """Return e to the power of a log; infinite where no floating-point number holds it."""
    return math.inf if log > LARGEST_LOG else math.exp(log)


def natural_each(logs: Floats) -> Floats:
    """Return what ``natural`` does of each number of an array."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(logs), dtype=np.float64)


def normal_quantile(level: float) -> float:
    """Return z with ``level`` of the standard normal between -z and z."""
    return float(-special.ndtri((1 - confidence(level)) / 2))


def normal_p(z: float) -> float:
    """Return the two-sided P value of a standard normal statistic."""
    return float(2 * special.ndtr(-abs(z)))
