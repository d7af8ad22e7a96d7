"""The margin of non-inferiority that a document prints, and what an interval says at a margin."""

from __future__ import annotations

import math

import pandas as pd

POINTS = ("%", "percent", "point", "points", "percentage points")
CHOSEN, AS_PRINTED = "chosen for this report", "as printed"


def printed_margin(protocols: pd.DataFrame, study_id: str) -> float | None:
    """Return the margin in percentage points that a study's document prints.

    None where none is printed, NaN where what is printed is no number of percentage points.
    """
    names = ("section", "item", "value", "unit")
    own = protocols[protocols["study_id"] == study_id]
    for section, item, value, unit in zip(*(own[name].tolist() for name in names), strict=True):
        if "margin" in f"{section} {item}".lower():
            return in_points(str(value), str(unit))
    return None


def in_points(value: str, unit: str) -> float:
    """Return a printed margin in percentage points, whichever sign it has.

    >>> in_points("-10", "percentage points"), in_points("0.1", ""), in_points("10", "mmHg")
    (10.0, 10.0, nan)
    """
    try:
        size = abs(float(value.replace("−", "-").rstrip("%")))
    except ValueError:
        return math.nan
    if unit.lower() in POINTS or value.endswith("%"):
        return size
    return 100 * size if not unit and size < 1 else math.nan


def margin_words(loss: float, margin: float, origin: str) -> str:
    """Return what an interval that reaches a loss says at a margin, both in percentage points.

    >>> margin_words(18.8, 10, CHOSEN)
    'At a margin of 10 percentage points, chosen for this report, not inferior is not shown: the interval \
reaches a loss of 18.8 points.'
    """
    said = "is borne out" if loss < margin else "is not shown"
    room = f"reaches a loss of {loss:.1f} points" if loss > 0 else "leaves no room for a loss"
    return f"At a margin of {margin:g} percentage points, {origin}, not inferior {said}: the interval {room}."
