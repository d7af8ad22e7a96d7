"""Means, medians and ranges as they are printed: nothing is recomputed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.results import SETTING, Tables, days, once, records

SPREADS = {"sd": "SD", "se": "SE"}
INTERVALS = {"iqr": "interquartile range", "range": "range", "ci": "interval", "unstated": "limits not named"}
MEASUREMENT_KEY = [*(name for name in SETTING if name != "category"), "arm_id", "from_time", "statistic"]


def measurements(data: Tables, study_id: str) -> pd.DataFrame:
    """Return the measurements of a study, each result once, in the order of outcomes, times and arms."""
    frame = once(data.measurements[data.measurements["study_id"] == study_id], MEASUREMENT_KEY)
    outcomes = list(data.outcomes["outcome_id"])
    arms = list(data.arms.loc[data.arms["study_id"] == study_id, "arm_id"])

    def place(row: Mapping[str, Any]) -> tuple[int, float, int]:
        return (
            _index(outcomes, row["outcome_id"]),
            days(row["time"], row["time_unit"]),
            _index(arms, row["arm_id"]),
        )

    rows = sorted(records(frame), key=place)
    labels = dict(zip(data.outcomes["outcome_id"], data.outcomes["label"], strict=True))
    ordered = pd.DataFrame(rows, columns=frame.columns)
    return ordered.assign(outcome_label=ordered["outcome_id"].map(labels))


def _index(values: list[Any], value: Any) -> int:
    return values.index(value) if value in values else len(values)


def measured(row: Mapping[str, Any]) -> str:
    """Return a printed measurement: ``59.72 ± 9.85`` or ``44 (13 to 69)``.

    >>> measured({"value": "44", "spread": "", "low": "13", "high": "69"})
    '44 (13 to 69)'
    """
    text = fmt.printed(row["value"])
    if not fmt.missing(row["spread"]):
        text = f"{text} ± {fmt.printed(row['spread'])}"
    if fmt.missing(row["low"]) or fmt.missing(row["high"]):
        return text
    limits = fmt.interval(fmt.printed(row["low"]), fmt.printed(row["high"]))
    return f"{text} ({limits})" if text else limits


def statistic_words(row: Mapping[str, Any]) -> str:
    """Return what a measurement is: ``mean ± SD``, ``median (range)``; the spread as the paper names it.

    >>> row = {"spread": "", "low": "2", "interval_label": "range"}
    >>> statistic_words({"statistic": "median", **row}), statistic_words({"statistic": "range", **row})
    ('median (range)', 'range')
    """
    words = str(row["statistic"])
    if not fmt.missing(row["spread"]):
        words += f" ± {SPREADS.get(str(row['spread_label']), 'spread not named')}"
    if not fmt.missing(row["low"]):
        limits = INTERVALS.get(str(row["interval_label"]), str(row["interval_label"]))
        words += "" if words == limits else f" ({limits})"
    return "" if words == "value" else words
