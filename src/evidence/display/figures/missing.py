"""Patients lost on the way, drawn: denominators over time, and the bounds that their loss leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.figures.draw import (
    Interval,
    Panel,
    canvas,
    nothing,
    numbers,
    percent_scale,
)
from evidence.display.figures.effects import drawn
from evidence.display.figures.treatments import treatments
from evidence.display.labels import interval_words, lower_first, moment, outcome_labels, pretty, study_label
from evidence.display.model import Figure
from evidence.display.tables.missing import ALL, bounds_frame, flow_frame, part_label
from evidence.parameters import Parameters
from evidence.results import Tables, records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOW_ROW = 0.56  # inches: a line of words above a bar
BAR_AT = 0.63  # where in its row the middle of the bar lies
ROOM_FOR_WORDS = 0.28  # of the axis: enough for "63 without a value"
NARROWEST_LABELLED = 0.055  # of the axis: a narrower piece of a bar has no room for its number


def denominator_flow_figure(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_id: str
) -> Figure:
    """Draw how many of the enrolled patients have a value at each time, split by the levels of a subgroup."""
    frame = flow_frame(data, parameters, study_id=study_id, outcome_id=outcome_id)
    label = lower_first(outcome_labels(data).get(outcome_id, outcome_id))
    caption = (
        f"{study_label(data, study_id)}: patients enrolled and patients with a value for {label}. "
        "The pale end of each bar is patients without a value at that time."
    )
    if frame.empty:
        return nothing(caption)
    whole = records(frame[frame["part"] == ALL])
    parts = [part for part in dict.fromkeys(frame["part"]) if part != ALL]
    bars = _bars(frame, whole, parts or [ALL])
    with theme.themed():
        figure, (axis,) = canvas(FLOW_ROW * (len(bars) + bool(parts)) + 0.15)
        _draw_flow(axis, bars, parts, total=int(whole[0]["enrolled"]))
    return Figure(figure, caption, _flow_alt(whole, frame, parts), frame)


def _bars(
    frame: pd.DataFrame, whole: Sequence[Mapping[str, Any]], parts: Sequence[str]
) -> list[tuple[str, int, list[int]]]:
    """Return, for enrolment and every time, its words, the patients, and the pieces of the bar."""
    first = {row["part"]: int(row["enrolled"]) for row in records(frame.drop_duplicates("part"))}
    bars = [("Enrolled", int(whole[0]["enrolled"]), [first[part] for part in parts])]
    for row in whole:
        cells = {one["part"]: int(one["n"]) for one in records(frame[frame["when"] == row["when"]])}
        bars.append((str(row["when"]), int(row["n"]), [cells.get(part, 0) for part in parts]))
    return bars


def _draw_flow(
    axis: Axes, bars: Sequence[tuple[str, int, list[int]]], parts: Sequence[str], *, total: int
) -> None:
    axis.set_axis_off()
    axis.set_xlim(0, total)
    top = 1.0 if parts else 0.0
    axis.set_ylim(len(bars) + top, 0)
    _name_parts(axis, parts, bars[0][2])
    for place, (label, n, pieces) in enumerate(bars):
        _draw_bar(axis, place + top, pieces, total=total, share=n)
        axis.text(0, place + top + 0.2, label, va="center", weight="bold")
        words = f"{n}" if place == 0 else f"{n} ({fmt.percent(n / total, 0)})"
        axis.text(total, place + top + 0.2, words, va="center", ha="right")


def _draw_bar(axis: Axes, top: float, pieces: Sequence[int], *, total: int, share: int) -> None:
    _piece(axis, top, 0, total, theme.GRID)
    start = 0
    for place, size in enumerate(pieces):
        _piece(axis, top, start, size, theme.style(place).color)
        if size >= NARROWEST_LABELLED * total and len(pieces) > 1:
            _inside(axis, top, start + size / 2, str(size), theme.PAPER)
        start += size
    if total - share >= ROOM_FOR_WORDS * total:
        _inside(axis, top, (total + share) / 2, f"{total - share} without a value", theme.MUTED)


def _piece(axis: Axes, top: float, start: float, size: float, color: str) -> None:
    axis.barh(top + BAR_AT, size, left=start, height=0.42, color=color, edgecolor=theme.PAPER, linewidth=0.8)


def _inside(axis: Axes, top: float, x: float, text: str, color: str) -> None:
    axis.text(x, top + BAR_AT, text, color=color, ha="center", va="center")


def _name_parts(axis: Axes, parts: Sequence[str], sizes: Sequence[int]) -> None:
    """Name the pieces above the first bar, each at its start, every other one a line higher."""
    start = 0
    for place, (part, size) in enumerate(zip(parts, sizes, strict=False)):
        height, color = (0.72 if place % 2 == 0 else 0.3), theme.style(place).color
        axis.text(start, height, part, color=color, va="center", weight="bold")
        if place:
            axis.plot([start, start], [height + 0.24, 1.42], color=color, linewidth=0.7)
        start += size


def _flow_alt(whole: Sequence[Mapping[str, Any]], frame: pd.DataFrame, parts: Sequence[str]) -> str:
    steps = [f"{row['when']} {row['n']} ({fmt.percent(row['share'], 0)})" for row in whole]
    words = f"Bars. Enrolled {whole[0]['enrolled']}; with a value: {'; '.join(steps)}."
    last = whole[-1]["when"]
    ends = [
        f"{row['part']} {row['n']} of {row['enrolled']}"
        for row in records(frame[(frame["when"] == last) & frame["part"].isin(parts)])
    ]
    return f"{words} At {lower_first(str(last))}: {'; '.join(ends)}." if ends else words


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
        "bounds (pale bands) if every patient without a value had failed, or had responded. Bounds are not "
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
