"""What the figures are drawn with: rows of intervals, reference lines, directions in words."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.model import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

NO_DATA = "Nothing to draw: the data hold no rows for this."
ROW_HEIGHT = 0.34  # inches: one line of text above one interval
HEADING_HEIGHT = 0.62  # rows
LINE_HEIGHT = 0.42  # rows: one more line of a long label
LINE, LEAST_LABEL = 70, 24  # characters that fit the width, and the fewest a label gets of them
TEXT_AT, WORDS_END, MARK_AT = 0.30, 0.50, 0.70  # where in its row the words stand and end, and the interval
WIDEST_RATIO = 100.0  # an axis does not reach further from 1; what lies beyond is cut with an arrow
MOST_TICKS = 8
FEW_TICKS = (0.01, 0.05, 0.2, 1, 5, 20, 100)
RATIO_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of an interval plot: words, estimate with limits, and how it looks.

    ``series`` gives colour and marker, None the plain ones; ``band`` is a wide pale bar behind (bounds);
    ``summary`` draws a diamond; a row without numbers is a heading.
    """

    label: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    text: str = ""
    series: int | None = None
    band: tuple[float, float] | None = None
    summary: bool = False

    @property
    def heading(self) -> bool:
        """Return whether the row holds words only."""
        return math.isnan(self.estimate) and not self.text

    @property
    def lines(self) -> list[str]:
        """Return the label in lines that leave room for the value beside them."""
        return textwrap.wrap(self.label, max(LEAST_LABEL, LINE - len(self.text))) or [""]

    @property
    def height(self) -> float:
        """Return the height that the row needs, in rows."""
        return (HEADING_HEIGHT if self.heading else 1.0) + LINE_HEIGHT * (len(self.lines) - 1)


class Scale(NamedTuple):
    """The value axis: limits, ticks, label, whether it is logarithmic, and the value of no difference."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    label: str
    log: bool = False
    reference: float | None = None


def numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return estimate and limits of a row of results, as an interval takes them."""
    return {name: float(row[name]) for name in ("estimate", "low", "high")}


def canvas(height: float, *, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Canvas, list[Axes]]:
    """Return an empty figure of the standard width and its axes in reading order; call under the theme."""
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure(figsize=(theme.WIDTH, height))
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


def nothing(caption: str) -> Figure:
    """Return the figure shown where the data hold nothing for it."""
    with theme.themed():
        figure, (axis,) = canvas(0.7)
        axis.set_axis_off()
        axis.text(0.5, 0.5, NO_DATA, ha="center", va="center", color=theme.MUTED)
    return Figure(figure, caption, f"{caption} {NO_DATA}", pd.DataFrame())


def rows_height(rows: Sequence[Interval]) -> float:
    """Return the height in inches that the rows need, with the axis below them."""
    return ROW_HEIGHT * sum(row.height for row in rows) + 0.62


def draw_rows(axis: Axes, rows: Sequence[Interval], scale: Scale) -> None:
    """Draw rows of intervals from top to bottom: words and value above each, the value axis at the bottom."""
    _prepare(axis, scale)
    top = 0.0
    for row in rows:
        _draw_row(axis, row, top, scale)
        top += row.height
    axis.set_ylim(top, 0)


def _prepare(axis: Axes, scale: Scale) -> None:
    if scale.log:
        axis.set_xscale("log")
    axis.set_xlim(scale.low, scale.high)
    axis.set_xticks(scale.ticks, labels=scale.labels)
    axis.minorticks_off()
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")
    axis.set_xlabel(scale.label)


def _draw_row(axis: Axes, row: Interval, top: float, scale: Scale) -> None:
    style = theme.style(row.series or 0)
    look = {"weight": "bold" if row.heading else "normal"}
    look["color"] = theme.INK if row.series is None else style.color
    for place, line in enumerate(row.lines):
        words(axis, 0.0, top + TEXT_AT + LINE_HEIGHT * place, line, **look)
    words(axis, 1.0, top + TEXT_AT, row.text, ha="right")
    if not math.isnan(row.estimate):
        _draw_interval(axis, row, top + row.height - 1 + MARK_AT, scale, style)
    if scale.reference is not None and not row.heading:
        _draw_reference(axis, scale.reference, top + row.height)


def _draw_reference(axis: Axes, at: float, bottom: float) -> None:
    """Draw the line of no difference beside an interval and not behind the words above it."""
    span = (bottom - 1 + WORDS_END, bottom)
    axis.plot((at, at), span, color=theme.MUTED, linewidth=0.9, solid_capstyle="butt", zorder=1)


def words(axis: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write words at a share of the width and a height in rows, on a patch of paper that hides the grid."""
    patch = {"boxstyle": "square,pad=0.1", "facecolor": theme.PAPER, "edgecolor": "none"}
    look: dict[str, Any] = {"ha": "left", "va": "center", "bbox": patch, "zorder": 2.5, **options}
    axis.text(x, y, text, transform=axis.get_yaxis_transform(), **look)


def _draw_interval(axis: Axes, row: Interval, y: float, scale: Scale, style: theme.Style) -> None:
    if row.band:
        axis.plot(
            row.band, (y, y), color=style.color, alpha=0.22, linewidth=9, solid_capstyle="butt", zorder=2
        )
    if not math.isnan(row.low):
        ends = (max(row.low, scale.low), min(row.high, scale.high))
        axis.plot(ends, (y, y), color=style.color, linewidth=1.6, solid_capstyle="butt", zorder=3)
        _draw_arrows(axis, row, y, scale, style)
    if scale.low <= row.estimate <= scale.high:
        marker, size = ("D", 8.0) if row.summary else (style.marker, style.size)
        look: dict[str, Any] = {
            "color": style.color,
            "markeredgecolor": theme.PAPER,
            "clip_on": False,
            "zorder": 4,
        }
        axis.plot([row.estimate], [y], marker, markersize=size, **look)


def _draw_arrows(axis: Axes, row: Interval, y: float, scale: Scale, style: theme.Style) -> None:
    look: dict[str, Any] = {"color": style.color, "markersize": 5.5, "clip_on": False, "zorder": 3}
    if row.low < scale.low:
        axis.plot([scale.low], [y], "<", **look)
    if row.high > scale.high:
        axis.plot([scale.high], [y], ">", **look)


def label_point(axis: Axes, x: float, y: float, text: str) -> None:
    """Write a value beside its point, on a patch of paper that hides lines behind it."""
    patch = {"boxstyle": "square,pad=0.08", "facecolor": theme.PAPER, "edgecolor": "none"}
    place: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    axis.annotate(text, (x, y), bbox=patch, zorder=3.5, **place)


def directions(axis: Axes, left: str, right: str) -> None:
    """Say under the axis what its two sides mean."""
    look: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "color": theme.MUTED,
        "va": "top",
    }
    axis.annotate(f"← {left}", (0, 0), xytext=(0, -31), ha="left", **look)
    axis.annotate(f"{right} →", (1, 0), xytext=(0, -31), ha="right", **look)


def percent_scale(highest: float, label: str) -> Scale:
    """Return an axis of percentages from 0 to the next round number above the highest proportion."""
    top = next((end for end in (0.1, 0.25, 0.5, 0.75) if highest <= end), 1.0)
    step = {0.1: 0.02, 0.25: 0.05, 0.5: 0.1, 0.75: 0.25, 1.0: 0.25}[top]
    ticks = tuple(round(step * i, 4) for i in range(round(top / step) + 1))
    return Scale(-top * 0.012, top * 1.012, ticks, tuple(fmt.percent(tick, 0) for tick in ticks), label)


def difference_scale(values: Sequence[float], label: str) -> Scale:
    """Return an axis of percentage points around 0 that holds all values."""
    reach = max([0.1, *(abs(value) for value in values if not math.isnan(value))])
    step = next(one for one in (0.05, 0.1, 0.2, 0.25, 0.5) if reach / one <= 4 or one == 0.5)
    known = [value for value in values if not math.isnan(value)]
    first = math.floor(min([-step, *known]) / step)
    last = math.ceil(max([step, *known]) / step)
    ticks = tuple(round(step * i, 4) for i in range(first, last + 1))
    labels = tuple(fmt.signed(tick * 100, 0) for tick in ticks)
    return Scale(ticks[0], ticks[-1], ticks, labels, label, reference=0.0)


def ratio_scale(values: Sequence[float], label: str) -> Scale:
    """Return a logarithmic axis around 1 that holds the values, cut where they lie too far out."""
    known = [value for value in values if not math.isnan(value) and 0 < value < math.inf]
    low = max(min([0.5, *known]), 1 / WIDEST_RATIO)
    high = min(max([2.0, *known]), WIDEST_RATIO)
    inner = [tick for tick in RATIO_TICKS if low <= tick <= high]
    below = [tick for tick in RATIO_TICKS if tick < inner[0]] or [inner[0]]
    above = [tick for tick in RATIO_TICKS if tick > inner[-1]] or [inner[-1]]
    start = below[-1] if low < inner[0] else inner[0]
    end = above[0] if high > inner[-1] else inner[-1]
    ticks = _thinned([float(tick) for tick in RATIO_TICKS if start <= tick <= end])
    return Scale(
        start, end, ticks, tuple(fmt.general(tick) for tick in ticks), label, log=True, reference=1.0
    )


def _thinned(ticks: Sequence[float]) -> tuple[float, ...]:
    """Return the ticks, about every second one where there would be too many to read."""
    return tuple(ticks) if len(ticks) <= MOST_TICKS else tuple(tick for tick in ticks if tick in FEW_TICKS)


def effect_scale(measure: str, values: Sequence[float], label: str) -> Scale:
    """Return the axis of an effect measure: points for a difference, logarithmic for a ratio."""
    return difference_scale(values, label) if measure == "RD" else ratio_scale(values, label)


def spread_labels(positions: Sequence[float], gap: float) -> list[float]:
    """Return heights for labels as near to their positions as a gap between them allows.

    >>> spread_labels([1.0, 1.1, 5.0], gap=1.0)
    [0.55, 1.55, 5.0]
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    clusters: list[list[int]] = []
    for index in order:
        clusters.append([index])
        while len(clusters) > 1 and _top(clusters[-2], positions, gap) + gap > _bottom(
            clusters[-1], positions, gap
        ):
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    placed = [0.0] * len(positions)
    for cluster in clusters:
        for place, index in enumerate(cluster):
            placed[index] = round(_bottom(cluster, positions, gap) + place * gap, 10)
    return placed


def _bottom(cluster: Sequence[int], positions: Sequence[float], gap: float) -> float:
    centre = sum(positions[index] for index in cluster) / len(cluster)
    return centre - gap * (len(cluster) - 1) / 2


def _top(cluster: Sequence[int], positions: Sequence[float], gap: float) -> float:
    return _bottom(cluster, positions, gap) + gap * (len(cluster) - 1)
