"""Rates drawn: by arm and time, and over time by part of a study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.figures.draw import (
    Interval,
    Panel,
    at_widths,
    canvas,
    nothing,
    numbers,
    percent_scale,
)
from evidence.display.figures.effects import drawn
from evidence.display.figures.treatments import Treatments, treatments
from evidence.display.labels import (
    METHODS,
    POLICIES,
    interval_words,
    joined,
    lower_first,
    mark_legend,
    marked,
    moment,
    outcome_labels,
    pretty,
    study_label,
    titled,
)
from evidence.display.model import Figure
from evidence.display.tables.missing import part_label
from evidence.parameters import Parameters
from evidence.results import Tables, days, rates, records, study_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


AXIS, TIME = 18.0, 30.0  # points: beside the axis, shared by its row, and of a time with its number
HEADROOM = 0.14  # of the axis: a value above an interval that ends at 100%


def rates_figure(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    times: Sequence[float] | None = None,
    subgroup: str | None = "",
) -> Figure:
    """Draw rates with intervals by arm, grouped by time and outcome.

    ``times`` keeps only the results at these times, in the study's own unit.
    """
    frame = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    frame = frame[frame["estimate"].notna() & frame["arm_id"].isin(study_arms(data, study_id)["arm_id"])]
    frame = frame if times is None else frame[frame["time"].isin(list(times))]
    frame = _by_time(frame, outcome_ids)
    caption = _rates_caption(data, parameters, study_id, frame)
    if frame.empty:
        return nothing(caption)
    rows = _grouped_rows(data, frame)
    scale = percent_scale(float(frame[["estimate", "high"]].max().max()), "Patients with the outcome")
    return drawn(Panel(rows, scale), caption, f"Interval plot. {_rates_alt(data, frame)}", frame)


def _grouped_rows(data: Tables, frame: pd.DataFrame) -> list[Interval]:
    rows, styles = list[Interval](), treatments(data)
    last = ""
    for row in records(frame):
        heading = titled(row) + (f": {part_label(data, row)}" if row["level"] else "")
        rows += [Interval(heading)] if heading != last else []
        rows.append(_rate_row(row, styles))
        last = heading
    return rows


def _by_time(frame: pd.DataFrame, outcome_ids: Sequence[str]) -> pd.DataFrame:
    when = [days(row["time"], row["time_unit"]) for row in records(frame)]
    return frame.assign(_when=when).sort_values("_when", kind="stable").drop(columns="_when")


def _rate_row(row: Mapping[str, Any], styles: Treatments) -> Interval:
    counted = marked(fmt.count(row["events"], row["n"]), str(row["basis"]), str(row["origin"]))
    share = fmt.percent(row["estimate"]) if counted else fmt.printed_percent(str(row["percent"]))
    text = f"{share}  ({counted})".removesuffix("  ()")
    style = styles.arm(str(row["study_id"]), str(row["arm_id"]))
    return Interval(str(row["arm_label"]), **numbers(row), text=text, style=style)


def _rates_caption(data: Tables, parameters: Parameters, study_id: str, frame: pd.DataFrame) -> str:
    names = joined([lower_first(pretty(label)) for label in dict.fromkeys(frame["outcome_label"])])
    changed = bool((frame["policy"] != "observed").any())
    return " ".join(
        [
            f"{study_label(data, study_id)}: {names or 'rates'} by arm.",
            f"Points are proportions of patients, lines {interval_words(parameters)}s "
            f"({METHODS[parameters.proportion_method]}).",
            *([POLICIES[parameters.missing_data]] if changed else []),
            *([f"{legend}."] if (legend := mark_legend(frame["basis"], frame["origin"])) else []),
        ]
    )


def _rates_alt(data: Tables, frame: pd.DataFrame) -> str:
    groups: dict[str, list[str]] = {}
    for row in records(frame):
        title = titled(row) + (f", {part_label(data, row)}" if row["level"] else "")
        words = fmt.risk(row["estimate"], row["low"], row["high"])
        groups.setdefault(title, []).append(f"{lower_first(str(row['arm_label']))} {words}")
    return " ".join(f"{title}: {'; '.join(parts)}." for title, parts in groups.items())


def rates_over_time_figure(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_id: str,
    subgroup: str | None = None,
) -> Figure:
    """Draw a rate over time, one panel for all patients and one for each level of a subgroup."""
    frame = rates(data, parameters, study_id=study_id, outcome_ids=[outcome_id])
    frame = frame[frame["time"].notna() & frame["estimate"].notna()]
    if subgroup is not None:
        frame = frame[frame["subgroup"].isin(["", subgroup])]
    label = outcome_labels(data).get(outcome_id, outcome_id)
    caption = (
        f"{study_label(data, study_id)}: {lower_first(label)} over time. Points are rates among patients "
        f"with a value (numbers below), bars {interval_words(parameters)}s "
        f"({METHODS[parameters.proportion_method]})."
    )
    if frame.empty:
        return nothing(caption)
    floor = _floor(float(frame["low"].min()))
    caption += f" The axis starts at {floor}%." if floor else ""
    parts, styles = _parts(data, frame), treatments(data)
    wide, narrow = at_widths(lambda width: _courses(parts, styles, floor, width))
    alt = f"Small multiples over time: {lower_first(label)}. {_course_alt(parts)}"
    return Figure(wide, caption, alt, frame, narrow=(narrow,))


def _courses(parts: Mapping[str, pd.DataFrame], styles: Treatments, floor: int, width: float) -> Canvas:
    """Draw the parts in two columns, in one where their times would run into each other."""
    most = max(len(group) for group in parts.values())
    columns = min(2 if width / 2 >= AXIS + TIME * most else 1, len(parts))
    rows = math.ceil(len(parts) / columns)
    figure, axes = canvas(2.05 * rows, width=width / 72, rows=rows, columns=columns, sharey=True)
    for axis, (part, group) in zip(axes, parts.items(), strict=False):
        _draw_course(axis, group, part, styles, floor=floor)
    for axis in axes[len(parts) :]:
        axis.set_axis_off()
    return figure


def _parts(data: Tables, frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    named = frame.assign(part=[part_label(data, row) for row in records(frame)])
    return {part: named[named["part"] == part] for part in dict.fromkeys(named["part"])}


def _draw_course(axis: Axes, frame: pd.DataFrame, part: str, styles: Treatments, *, floor: float) -> None:
    import seaborn as sns

    style = styles.arm(str(frame["study_id"].iloc[0]), str(frame["arm_id"].iloc[0]))
    x = list(range(len(frame)))
    estimates, lows, highs = (
        [100 * float(one) for one in frame[name]] for name in ("estimate", "low", "high")
    )
    look = {"color": style.color, "estimator": None, "legend": False}
    sns.lineplot(x=x, y=estimates, ax=axis, linewidth=1.2, alpha=0.6, **look)
    axis.vlines(x, lows, highs, color=style.color, linewidth=1.6, zorder=3)
    points: dict[str, Any] = {"markeredgecolor": theme.PAPER, "markersize": style.size, "zorder": 4}
    axis.plot(x, estimates, style.marker, color=style.color, **points)
    for at, value, top in zip(x, estimates, highs, strict=True):
        _label_above(axis, at, top, f"{fmt.number(value, 0)}%")
    _label_course(axis, frame, part, floor=floor)


def _label_above(axis: Axes, x: float, y: float, text: str) -> None:
    """Write a value above the interval that it belongs to."""
    axis.annotate(text, (x, y), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom")


def _floor(lowest: float) -> int:
    """Return where an axis of percentages starts: at 0, or a round number below where nothing is near 0."""
    return 0 if lowest < 0.3 else 20 * math.floor(5 * lowest - 0.25)


def _label_course(axis: Axes, frame: pd.DataFrame, part: str, *, floor: float) -> None:
    rows = records(frame)
    axis.set_xticks(range(len(rows)), labels=[f"{_short(moment(row))}\n{row['n']}" for row in rows])
    axis.set_xlim(-0.45, len(rows) - 0.55)
    axis.set_ylim(floor, 100 + (100 - floor) * HEADROOM)
    axis.set_yticks(range(int(floor), 101, 20))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
    axis.grid(axis="y")
    axis.spines["left"].set_visible(False)
    axis.set(xlabel="", ylabel="")
    axis.set_title(part, loc="left", weight="bold", color=theme.INK, pad=4)


def _short(text: str) -> str:
    """Return a time as short as an axis needs it: ``6 weeks`` as ``wk 6``."""
    number, _, unit = text.partition(" ")
    abbreviated = {"weeks": "wk", "week": "wk", "days": "day", "day": "day", "months": "mo", "month": "mo"}
    if number.isdigit() and unit in abbreviated:
        return f"{abbreviated[unit]} {number}"
    return text.replace("Week", "wk").replace("Day", "day").replace("Month", "mo")


def _course_alt(parts: Mapping[str, pd.DataFrame]) -> str:
    sentences = []
    for part, frame in parts.items():
        points = [
            f"{moment(row)} {fmt.risk(row['estimate'], row['low'], row['high'])} of {row['n']}"
            for row in records(frame)
        ]
        sentences.append(f"{part}: {'; '.join(points)}.")
    return " ".join(sentences)
