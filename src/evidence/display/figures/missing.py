"""Patients lost on the way, drawn: the bounds that their loss leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.figures.draw import (
    Interval,
    Panel,
    nothing,
    numbers,
    percent_scale,
)
from evidence.display.figures.effects import drawn
from evidence.display.figures.treatments import treatments
from evidence.display.labels import interval_words, moment, pretty, study_label
from evidence.display.model import Figure
from evidence.display.tables.missing import bounds_frame, part_label
from evidence.parameters import Parameters
from evidence.results import Tables, records


def missing_bounds_figure(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str | None = "",
) -> Figure:
    """Draw the observed rate with its interval on the band of rates that missing values allow."""
    frame = bounds_frame(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    caption = (
        f"{study_label(data, study_id)}: observed rates (points, with {interval_words(parameters)}s) and "
        "bounds (broad bands) if every patient without a value had failed, or had responded. Bounds are not "
        "estimates."
    )
    if frame.empty:
        return nothing(caption)
    rows, words = _bound_rows(data, frame)
    panel = Panel(rows, percent_scale(float(frame["high"].max()), "Patients with the outcome"))
    return drawn(panel, caption, f"Interval plot on bands. {' '.join(words)}", frame)


def _bound_rows(data: Tables, frame: pd.DataFrame) -> tuple[list[Interval], list[str]]:
    rows: list[Interval] = []
    words: list[str] = []
    last, styles = "", treatments(data)
    for row in records(frame[frame["treated_as"] == "observed"]):
        heading = f"{pretty(row['outcome_label'])}{'' if not row['level'] else f': {part_label(data, row)}'}"
        rows += [Interval(heading)] if heading != last else []
        style = styles.arm(str(row["study_id"]), str(row["arm_id"]))
        rows.append(replace(_bound_row(row, _band(frame, row)), style=style))
        words.append(f"{heading}, {moment(row)}: {rows[-1].text}.")
        last = heading
    return rows, words


def _band(frame: pd.DataFrame, row: Mapping[str, Any]) -> tuple[float, float]:
    same = frame[frame["row_id"] == row["row_id"]].set_index("treated_as")["estimate"]
    return float(same["failure"]), float(same["success"])


def _bound_row(row: Mapping[str, Any], band: tuple[float, float]) -> Interval:
    limits = fmt.interval(fmt.number(100 * band[0], 0), f"{fmt.number(100 * band[1], 0)}%")
    text = f"{fmt.percent(row['estimate'], 0)} observed, bounds {limits}"
    return Interval(moment(row), **numbers(row), text=text, band=band)
