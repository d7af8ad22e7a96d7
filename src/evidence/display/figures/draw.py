"""What the figures are drawn with: rows of intervals, reference lines, directions in words."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.figures.lights import ROOM, draw_light_beside
from evidence.display.model import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

NO_DATA = "Nothing to draw: the data hold no rows for this."
WIDE, NARROW = 480.0, 276.0  # points: as a page's text, and as a phone shows at 11 pixels
LINE, AROUND, HEADING_SPACE = 11.5, 5.5, 5.0  # points: a line of words, what a row adds, and above a heading
MARK = 12.0  # points: an interval below its words
MOST_LABEL, GAP, EDGE = 185.0, 14.0, 13.0  # points: labels beside the axis, space to it, half of a tick
TITLE, TICKS, SIDES, AXIS_LABEL = 20.0, 19.0, 13.0, 14.0  # points above and below an axis
WIDEST_RATIO = 100.0  # an axis does not reach further from 1; what lies beyond is cut with an arrow
MOST_TICKS = 8
BOLD = 1.07  # how much wider bold letters are
SPACE = "\u00a0"  # at which no line ends
FEW_TICKS = (0.01, 0.05, 0.2, 1, 5, 20, 100)
RATIO_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of an interval plot: words, estimate with limits, and how it looks.

    ``style`` gives colour and marker, None those of the text; ``band`` is a wide pale bar behind (bounds);
    ``summary`` draws a diamond; ``judgement`` sets the light of its risk of bias at the right end; a row
    without numbers is a heading.
    """

    label: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    text: str = ""
    style: theme.Style | None = None
    band: tuple[float, float] | None = None
    summary: bool = False
    judgement: str = ""

    @property
    def heading(self) -> bool:
        """Return whether the row holds words only."""
        return math.isnan(self.estimate) and not self.text


class Scale(NamedTuple):
    """The value axis: limits, ticks, label, whether it is logarithmic, and the value of no difference."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    label: str
    log: bool = False
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one value axis, what its two sides mean, and a title where there are several panels."""

    rows: Sequence[Interval]
    scale: Scale
    sides: tuple[str, str] | None = None
    title: str = ""

    @property
    def cut(self) -> bool:
        """Return whether an interval goes on beyond the axis."""
        return any(row.low < self.scale.low or row.high > self.scale.high for row in self.rows)


class Columns(NamedTuple):
    """Where the axis begins and ends, in points from the left edge, and whether words stand beside it.

    ``lights`` is what lights at the right end take.
    """

    width: float
    left: float
    right: float
    beside: bool
    lights: float = 0.0

    def room(self, row: Interval) -> float:
        """Return the points that the label of a row can take on a line."""
        if self.beside:
            return self.left - GAP
        return self.width - (text_width(row.text) + GAP if row.text else 0.0)

    def lines(self, row: Interval) -> list[str]:
        """Return the label of a row in lines that fit."""
        return wrapped(row.label, self.room(row) / (BOLD if row.heading else 1.0))

    def height(self, row: Interval) -> float:
        """Return the points that a row takes."""
        more = 0.0 if self.beside or row.heading else MARK
        return LINE * len(self.lines(row)) + AROUND + more + (HEADING_SPACE if row.heading else 0.0)


def numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return estimate and limits of a row of results, as an interval takes them."""
    return {name: float(row[name]) for name in ("estimate", "low", "high")}


def canvas(
    height: float, *, width: float = theme.WIDTH, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Canvas, list[Axes]]:
    """Return an empty figure, of the standard width unless told, and its axes in reading order.

    Sizes are in inches; call under the theme.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


def at_widths(draw: Callable[[float], Canvas], *, narrow: float = NARROW) -> tuple[Canvas, Canvas]:
    """Return what is drawn at a width in points, at that of a page's text and for narrow screens."""
    with theme.themed():
        return draw(72 * theme.WIDTH), draw(narrow)


def nothing(caption: str) -> Figure:
    """Return the figure shown where the data hold nothing for it."""
    with theme.themed():
        figure, (axis,) = canvas(0.7)
        axis.set_axis_off()
        axis.text(0.5, 0.5, NO_DATA, ha="center", va="center", color=theme.MUTED)
    return Figure(figure, caption, f"{caption} {NO_DATA}", pd.DataFrame())


@functools.cache
def _letters() -> Any:
    from matplotlib import font_manager

    return font_manager.get_font([font_manager.findfont(name) for name in theme.font_family()])


@functools.lru_cache(maxsize=4096)
def text_width(text: str) -> float:
    """Return how wide a line of text is in the figures, in points."""
    return max(_measured(text, dpi) for dpi in (100, 720))


def _measured(text: str, dpi: int) -> float:
    """Return the width at a resolution: letters are fitted to its dots, and wider where these are large."""
    font = _letters()
    font.set_size(theme.FONT_SIZE, dpi)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 * 72 / dpi


def wrapped(text: str, room: float) -> list[str]:
    """Return text in lines of at most so many points.

    A number stays with its unit and with what it is the number of; a long word stays whole.
    """
    kept = re.sub(r"(?<=\d) (?!to\b)(?=[a-z×])|(?<=×) ", SPACE, text)
    kept = re.sub(r"\b(week|day|month|cycle|stage|phase|grade|cohort) (?=\d)", rf"\1{SPACE}", kept)
    lines = [""]
    for word in kept.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def columns(rows: Sequence[Interval], *, beside: bool) -> Columns:
    """Return where the axis of rows stands: between their words and values, or below them."""
    lights = ROOM if any(row.judgement for row in rows) else 0.0
    if not beside:
        return Columns(
            NARROW, EDGE, NARROW - (lights + GAP / 2 if lights else EDGE), beside=False, lights=lights
        )
    room = max([text_width(line) for row in rows for line in wrapped(row.label, MOST_LABEL)], default=0.0)
    values = max([text_width(row.text) for row in rows], default=0.0)
    return Columns(WIDE, BOLD * room + GAP, WIDE - values - GAP - lights, beside=True, lights=lights)


def draw_panels(*panels: Panel) -> tuple[Canvas, Canvas]:
    """Return panels drawn twice, one below the other: in columns, and for narrow screens with words above."""
    rows = [row for panel in panels for row in panel.rows]
    with theme.themed():
        wide, narrow = (_drawn(panels, columns(rows, beside=beside)) for beside in (True, False))
    return wide, narrow


def _drawn(panels: Sequence[Panel], place: Columns) -> Canvas:
    from matplotlib.figure import Figure as MatplotlibFigure

    bodies = [sum(place.height(row) for row in panel.rows) for panel in panels]
    above = [TITLE if panel.title else 2.0 for panel in panels]
    total = sum(bodies) + sum(above) + sum(_below(panel, place) for panel in panels)
    figure = MatplotlibFigure(figsize=(place.width / 72, total / 72))
    top = total
    for panel, body, over in zip(panels, bodies, above, strict=True):
        top -= over + body
        box = (place.left / place.width, top / total, (place.right - place.left) / place.width, body / total)
        axis = figure.add_axes(box)
        draw_rows(axis, panel, place)
        if panel.title:
            write(axis, 0.0, -LINE, panel.title, place, weight="bold")
        top -= _below(panel, place)
    return figure


def _below(panel: Panel, place: Columns) -> float:
    return TICKS + AXIS_LABEL + 3.0 + (sides_height(panel.sides, place) if panel.sides else 0.0)


def sides_height(sides: tuple[str, str], place: Columns) -> float:
    """Return the points that the words for the two sides of an axis take."""
    return SIDES * (1.2 if place.beside or _on_one_line(sides) else 2.2)


def _on_one_line(sides: tuple[str, str]) -> bool:
    return sum(text_width(f"← {side}") for side in sides) + GAP <= NARROW


def draw_rows(axis: Axes, panel: Panel, place: Columns) -> None:
    """Draw rows of intervals from top to bottom, the value axis below them."""
    _prepare(axis, panel.scale, place)
    top = 0.0
    for row in panel.rows:
        _draw_row(axis, row, top, panel.scale, place)
        top += place.height(row)
    axis.set_ylim(top, 0)
    if panel.scale.reference is not None:
        draw_reference(axis, panel.scale.reference, beside=place.beside)
    drop = -TICKS
    if panel.sides:
        drop -= name_sides(axis, panel.sides, panel.scale, place)
    axis.annotate(
        panel.scale.label, (0.5, 0), xycoords="axes fraction", xytext=(0, drop), ha="center", va="top",
        textcoords="offset points", color=theme.MUTED,
    )  # fmt: skip


def _prepare(axis: Axes, scale: Scale, place: Columns) -> None:
    if scale.log:
        axis.set_xscale("log")
    axis.set_xlim(scale.low, scale.high)
    name_ticks(axis, scale, place)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")


def name_ticks(axis: Axes, scale: Scale, place: Columns) -> None:
    """Set the ticks; leave away those whose words run into each other, the middle last."""
    kept = _kept_ticks(scale, place.right - place.left)
    axis.set_xticks([scale.ticks[one] for one in kept], labels=[scale.labels[one] for one in kept])
    axis.minorticks_off()
    axis.set_yticks([])


def _kept_ticks(scale: Scale, width: float) -> list[int]:
    """Return the ticks whose words fit the width: every second or third of even ones, of others what fits."""
    at = [_share(scale, tick) * width for tick in scale.ticks]
    half = [text_width(label) / 2 + 3 for label in scale.labels]

    def fit(one: int, other: int) -> bool:
        return abs(at[one] - at[other]) >= half[one] + half[other]

    places = range(len(at))
    first = next((one for one in places if scale.ticks[one] == scale.reference), 0)
    if not scale.log:
        for step in places[1:]:
            even = [one for one in places if (one - first) % step == 0]
            if all(fit(one, other) for one, other in itertools.pairwise(even)):
                return even
    kept: list[int] = []
    for one in sorted(places, key=lambda one: one != first):
        if all(fit(one, other) for other in kept):
            kept.append(one)
    return sorted(kept)


def draw_reference(axis: Axes, at: float, *, beside: bool, top: float = 0.0) -> None:
    """Draw the line of no difference down to the axis, without a gap; paler where words stand on it."""
    look: dict[str, Any] = {"color": theme.MUTED, "linewidth": 0.9, "alpha": 1.0 if beside else 0.45}
    axis.plot([at, at], [top, axis.get_ylim()[0]], zorder=1, **look)


def name_sides(axis: Axes, sides: tuple[str, str], scale: Scale, place: Columns) -> float:
    """Say below the ticks what the two sides of the line of no difference mean.

    Returns the points that the words take.
    """
    left, right = f"← {sides[0]}", f"{sides[1]} →"
    look: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    if not place.beside:
        apart = 0.0 if _on_one_line(sides) else SIDES
        axis.annotate(left, (0, 0), xytext=(-place.left, -TICKS), ha="left", **look)
        end = place.width - place.right
        axis.annotate(right, (1, 0), xytext=(end, -TICKS - apart), ha="right", **look)
        return sides_height(sides, place)
    share = 0.5 if scale.reference is None else _share(scale, scale.reference)
    middle = share * (place.right - place.left)
    lowest, highest = text_width(left) + GAP / 2, place.width - text_width(right) - GAP / 2
    at = min(max(place.left + middle, lowest), highest) - place.left
    axis.annotate(left, (0, 0), xytext=(at - GAP / 2, -TICKS), ha="right", **look)
    axis.annotate(right, (0, 0), xytext=(at + GAP / 2, -TICKS), ha="left", **look)
    return sides_height(sides, place)


def _share(scale: Scale, value: float) -> float:
    """Return where a value lies, as a share of the axis."""
    ends = (scale.low, value, scale.high)
    low, at, high = map(math.log, ends) if scale.log else ends
    return (at - low) / (high - low)


def write(axis: Axes, points: float, y: float, text: str, place: Columns, **look: Any) -> None:
    """Write words so many points from the left edge of the figure, at a height on the axis."""
    x = (points - place.left) / (place.right - place.left)
    options: dict[str, Any] = {"ha": "left", "va": "center", "zorder": 2.5, **look}
    if not place.beside:  # so that no line of the axis runs through the words
        options["bbox"] = {"boxstyle": "square,pad=0.05", "facecolor": theme.PAPER, "edgecolor": "none"}
    axis.text(x, y, text, transform=axis.get_yaxis_transform(), **options)


def _draw_row(axis: Axes, row: Interval, top: float, scale: Scale, place: Columns) -> None:
    style = row.style or replace(theme.style(0), color=theme.INK)
    look = {"weight": "bold" if row.heading else "normal"}
    look["color"] = style.color
    lines = place.lines(row)
    first = top + (HEADING_SPACE if row.heading else 0.0) + (LINE + AROUND) / 2
    for number, line in enumerate(lines):
        write(axis, 0.0, first + LINE * number, line, place, **look)
    middle = first + LINE * (len(lines) - 1) / (2 if place.beside else 1)
    if row.text:
        end = place.width - 1 - (place.lights if place.beside else 0.0)
        write(axis, end, middle if place.beside else first, row.text, place, ha="right")
    level = middle if place.beside else middle + MARK
    if row.judgement:
        at = (place.width - ROOM / 2 + 1 - place.left) / (place.right - place.left)
        draw_light_beside(axis, at, level, row.judgement)
    if not math.isnan(row.estimate):
        _draw_interval(axis, row, level, scale, style)


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
