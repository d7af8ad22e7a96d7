"""Counts recovered from printed percentages, in exact integer arithmetic.

A percentage printed with d decimals stands for every value within half a unit of its last digit, both ends
included, because authors round halves either way. Source: Brown and Heathers (2017), the GRIM test,
doi:10.1177/1948550616673876.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evidence.data.frame import optional, text, whole
from evidence.errors import StatisticsError

FIGURE = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
NONE_FITS = "none"


def recover_events(percent: str, n: int) -> tuple[int, ...]:
    """Return every count out of ``n`` that a printed percentage admits, in ascending order.

    ``percent`` is a plain figure as printed, without sign: its decimals say how far it was rounded. All
    whole e with 0 <= e <= n and 100 e / n within half a unit of the last digit, both ends included.

    Raises:
        StatisticsError: ``percent`` is no plain figure.

    >>> recover_events("68.7", 32)
    (22,)
    >>> recover_events("50", 147)
    (73, 74)
    """
    low, high, unit = _interval(percent)
    if n <= 0:
        return ()
    return tuple(range(max(0, -(-n * low // unit)), min(n, n * high // unit) + 1))


def cut_events(percent: str, n: int) -> tuple[int, ...]:
    """Return every count out of ``n`` whose percentage is printed so where digits are cut off, not rounded.

    Raises:
        StatisticsError: ``percent`` is no plain figure.

    >>> cut_events("65.6", 67), cut_events("65.7", 67)
    ((44,), ())
    """
    low, _, unit = _interval(percent)
    figure = low + 1  # twice the printed figure in units of its last digit, as unit is twice a whole
    return tuple(range(-(-n * figure // unit), min(n, (n * (figure + 2) - 1) // unit) + 1)) if n > 0 else ()


def recover_n(percent: str, events: int, *, most: int) -> tuple[int, ...]:
    """Return every number of patients up to ``most`` of whom ``events`` make a printed percentage.

    Raises:
        StatisticsError: ``percent`` is no plain figure.

    >>> recover_n("23.8", 5, most=32)
    (21,)
    """
    low, high, unit = _interval(percent)
    return tuple(n for n in range(max(events, 1), most + 1) if n * low <= unit * events <= n * high)


def inferred_sizes(counts: pd.DataFrame) -> pd.Series:
    """Return which counts are out of a number of patients that no document prints and a note explains."""
    if not {"n_basis", "note"} <= set(counts.columns):
        return pd.Series(data=False, index=counts.index, dtype=bool)
    return counts["n_basis"].eq("") & counts["note"].ne("") & counts["n"].notna()


def recover_counts(counts: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Return the counts with what their percentages settle filled in.

    Adds ``percent_value`` (NaN where no plain figure is printed) and ``admissible``: the counts that a
    percentage admits, joined by ``|``, where they are several, ``none`` where no count fits, else empty.
    A unique count, or a unique n within the arm's size, is filled in with ``basis`` derived.
    """
    sizes = dict(zip(_pairs(arms), optional(arms["n"]), strict=True))
    printed = zip(counts["percent"].tolist(), optional(counts["events"]), optional(counts["n"]), strict=True)
    found = [_complete(*row, sizes.get(arm)) for row, arm in zip(printed, _pairs(counts), strict=True)]
    derived = np.array([row.derived for row in found], dtype=bool)
    n_derived = np.array([row.n_derived for row in found], dtype=bool)
    return counts.assign(
        events=whole([row.events for row in found]),
        n=whole([row.n for row in found]),
        n_basis=counts["n_basis"].mask(n_derived, "derived"),
        basis=counts["basis"].mask(derived & (counts["basis"] == "printed"), "derived"),
        percent_value=np.array([_value(percent) for percent in counts["percent"].tolist()], dtype="float64"),
        admissible=text([row.admissible for row in found]),
    )


@dataclass(frozen=True, slots=True)
class _Completed:
    events: int | None
    n: int | None
    derived: bool = False
    n_derived: bool = False
    admissible: str = ""


def _complete(percent: str, events: int | None, n: int | None, most: int | None) -> _Completed:
    """Return one row's count as far as its percentage settles it."""
    if not FIGURE.fullmatch(percent) or (events is None) == (n is None):
        return _Completed(events, n)
    if n is not None:
        fits = recover_events(percent, n)
        if len(fits) == 1:
            return _Completed(fits[0], n, derived=True)
        return _Completed(None, n, admissible="|".join(map(str, fits)) or NONE_FITS)
    sizes = recover_n(percent, events or 0, most=most or 0)
    if len(sizes) == 1:
        return _Completed(events, sizes[0], derived=True, n_derived=True)
    return _Completed(events, n)


def _interval(percent: str) -> tuple[int, int, int]:
    """Return ``low, high, unit`` with low / unit <= e / n <= high / unit, all whole."""
    match = FIGURE.fullmatch(percent)
    if match is None:
        raise StatisticsError(f"percent {percent!r}: give a plain figure as printed, such as 68.7")
    decimals = match[2] or ""
    figure = int(match[1] + decimals)
    return 2 * figure - 1, 2 * figure + 1, 200 * 10 ** len(decimals)


def _value(percent: str) -> float:
    return float(percent) if FIGURE.fullmatch(percent) else np.nan


def _pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["study_id"].tolist(), frame["arm_id"].tolist(), strict=True))
