"""The same patients counted by different criteria, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evidence import format as fmt
from evidence.display.figures.draw import Interval, Panel, nothing, numbers, percent_scale
from evidence.display.figures.effects import drawn
from evidence.display.figures.treatments import Treatments, treatments
from evidence.display.labels import (
    METHODS,
    interval_words,
    mark_legend,
    marked,
    pretty,
)
from evidence.display.model import Figure
from evidence.display.tables.definitions import in_order, threshold_heading, threshold_rates
from evidence.parameters import Parameters
from evidence.results import Tables


def thresholds_figure(data: Tables, parameters: Parameters) -> Figure:
    """Draw the rate by each criterion that one study reports, grouped by the patients counted."""
    frame = threshold_rates(data, parameters)
    caption = (
        "What each threshold counts in the same patients. Points are proportions of patients, lines "
        f"{interval_words(parameters)}s ({METHODS[parameters.proportion_method]}). Compare within a heading, "
        "never between studies."
    )
    if frame.empty:
        return nothing(caption)
    legend = mark_legend(frame["basis"], frame["origin"])
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in in_order(data, frame):
        groups.setdefault(threshold_heading(row), []).append(row)
    styles = treatments(data)
    rows = [
        interval
        for heading, members in groups.items()
        for interval in (Interval(heading), *(_interval(row, styles) for row in members))
    ]
    panel = Panel(rows, percent_scale(float(frame["high"].max()), "Patients who count as responders"))
    return drawn(panel, f"{caption} {legend}.".removesuffix(" ."), f"Interval plot. {_alt(groups)}", frame)


def _interval(row: Mapping[str, Any], styles: Treatments) -> Interval:
    counted = marked(fmt.count(row["events"], row["n"]), str(row["basis"]), str(row["origin"]))
    style = styles.arm(str(row["study_id"]), str(row["arm_id"]))
    return Interval(
        _label(row), **numbers(row), text=f"{fmt.percent(row['estimate'])}  ({counted})", style=style
    )


def _label(row: Mapping[str, Any]) -> str:
    label, when = pretty(row["outcome_label"]), str(row["time_label"] or "")
    return f"{label}, {when}" if when else label


def _alt(groups: Mapping[str, list[Mapping[str, Any]]]) -> str:
    parts = []
    for heading, rows in groups.items():
        told = [f"{_label(row)} {fmt.risk(row['estimate'], row['low'], row['high'])}" for row in rows]
        parts.append(f"{heading}: {'; '.join(told)}.")
    return " ".join(parts)
