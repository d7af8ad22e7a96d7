"""Means over time, drawn as printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.figures.draw import at_widths, canvas, nothing, spread_labels, text_width
from evidence.display.figures.treatments import treatments
from evidence.display.labels import arm_labels, joined, lower_first, moment, outcome_labels, study_label, unit
from evidence.display.measured import SPREADS, measured, measurements
from evidence.display.model import Figure
from evidence.parameters import Parameters
from evidence.results import Tables, records, study_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

HEIGHT = 3.4
BESIDE, AWAY = 28.0, 4.0  # points beside the axis, and from it to the names of the arms
LINE_GAP = 0.062  # of the axis: the height of a line of words
SIDESTEP = 0.011  # of the axis: so that bars of several arms at one time stand side by side


def measurement_figure(data: Tables, parameters: Parameters, *, study_id: str, outcome_id: str) -> Figure:
    """Draw the course of a mean by arm, the bars being the ± as the paper prints it."""
    frame = _course(data, study_id, outcome_id)
    label = outcome_labels(data).get(outcome_id, outcome_id)
    caption = (
        f"{study_label(data, study_id)}: {lower_first(label)} over time, mean by arm. {_bar_words(frame)}"
    )
    if frame.empty:
        return nothing(caption)
    arms = [arm for arm in study_arms(data, study_id)["arm_id"] if arm in set(frame["arm_id"])]
    labels, styles = arm_labels(data, study_id), treatments(data)
    shown = f"{label}, {unit(frame['unit'].iloc[0])}".removesuffix(", ")

    def draw(width: float) -> Canvas:
        figure, (axis,) = canvas(HEIGHT, width=width / 72)
        _prepare(axis, frame, shown, width - BESIDE - max(text_width(f"{labels[arm]}  000") for arm in arms))
        ends = [
            _draw_arm(axis, frame, arm, styles.arm(study_id, arm), place - (len(arms) - 1) / 2)
            for place, arm in enumerate(arms)
        ]
        axis.set(xlabel="", ylabel="")
        _label_ends(axis, [labels[arm] for arm in arms], ends)
        return figure

    wide, narrow = at_widths(draw)
    alt = f"Line chart of {lower_first(shown)}. {_alt(frame, arms, labels)}"
    return Figure(wide, caption, alt, frame, narrow=(narrow,))


def _course(data: Tables, study_id: str, outcome_id: str) -> pd.DataFrame:
    frame = measurements(data, study_id)
    keep = frame["outcome_id"].eq(outcome_id) & frame["statistic"].eq("mean") & frame["time"].notna()
    keep &= frame["arm_id"].isin(study_arms(data, study_id)["arm_id"]) & frame["subgroup"].eq("")
    frame = frame[keep]
    numbers = {f"{name}_number": pd.to_numeric(frame[name], errors="coerce") for name in ("value", "spread")}
    return frame.assign(**numbers)


def _bar_words(frame: pd.DataFrame) -> str:
    named = [SPREADS.get(str(name), str(name)) for name in dict.fromkeys(frame["spread_label"]) if name]
    if not named:
        return "No spread is printed."
    return f"Bars: the ± as printed, which the paper names {joined(named)}."


def _prepare(axis: Axes, frame: pd.DataFrame, label: str, width: float) -> None:
    times = {float(row["time"]): moment(row) for row in records(frame)}
    axis.set_xticks(list(times), labels=_staggered(times, width))
    axis.set_title(label, loc="left", color=theme.MUTED)
    axis.grid(axis="y")
    axis.spines["left"].set_visible(False)
    span = max(times) - min(times) or 1.0
    axis.set_xlim(min(times) - 0.05 * span, max(times) + 0.04 * span)
    axis.set_ylim(0, float((frame["value_number"] + frame["spread_number"].fillna(0)).max()) * 1.06)


def _staggered(times: Mapping[float, str], width: float) -> list[str]:
    """Return the names of the times; one that would run into the name before it stands a line lower."""
    span = (max(times) - min(times) or 1.0) * 1.09
    names, free = list[str](), -math.inf
    for time, name in times.items():
        middle, half = width * time / span, text_width(name) / 2 + 2
        lower = middle - half < free
        names.append(f"\n{name}" if lower else name)
        free = free if lower else middle + half
    return names


def _draw_arm(
    axis: Axes, frame: pd.DataFrame, arm: str, style: theme.Style, step: float
) -> tuple[float, str]:
    own = frame[frame["arm_id"] == arm]
    import seaborn as sns

    low, high = axis.get_xlim()
    x = own["time"] + step * SIDESTEP * (high - low)
    look: dict[str, Any] = {"color": style.color, "linestyle": style.line, "legend": False}
    sns.lineplot(x=x, y=own["value_number"], ax=axis, linewidth=1.5, estimator=None, **look)
    axis.errorbar(
        x, own["value_number"], own["spread_number"], fmt="none", ecolor=style.color, elinewidth=1.3
    )
    points: dict[str, Any] = {"markeredgecolor": theme.PAPER, "markersize": style.size, "zorder": 4}
    axis.plot(x, own["value_number"], style.marker, color=style.color, **points)
    return float(own["value_number"].iloc[-1]), style.color


def _label_ends(axis: Axes, labels: Sequence[str], ends: Sequence[tuple[float, str]]) -> None:
    low, high = axis.get_ylim()
    placed = spread_labels([value for value, _ in ends], LINE_GAP * (high - low))
    for label, (value, color), y in zip(labels, ends, placed, strict=True):
        words = f"{label}  {fmt.number(value, 0)}"
        axis.annotate(
            words,
            (1.0, y),
            xytext=(AWAY, 0),
            textcoords="offset points",
            xycoords=axis.get_yaxis_transform(),
            color=color,
            va="center",
            annotation_clip=False,
        )


def _alt(frame: pd.DataFrame, arms: Sequence[str], labels: Mapping[str, Any]) -> str:
    sentences = []
    for arm in arms:
        points = [f"{moment(row)} {measured(row)}" for row in records(frame[frame["arm_id"] == arm])]
        sentences.append(f"{labels[arm]}: {'; '.join(points)}.")
    return " ".join(sentences)
