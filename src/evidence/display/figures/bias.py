"""Risk of bias drawn: a light for each result and domain, and the share of each judgement by domain."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence import format as fmt
from evidence import parameters
from evidence.data import Dataset
from evidence.display import theme
from evidence.display.figures.draw import nothing
from evidence.display.labels import lower_first, outcome_labels, study_label
from evidence.display.model import Figure
from evidence.display.tables.bias import overall_words, reviewers, tool_words
from evidence.results import records
from evidence.synthesis.bias import (
    OVERALL,
    RANKS,
    SIGNS,
    Assessment,
    Tool,
    assessments,
    bias_frame,
    find_tool,
    shares,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

POINTS = 72 * theme.WIDTH  # the width of a figure in points
COLUMN, LAST_GAP, LEAN = 24.0, 7.0, 26.0  # points: a column, the gap before the last, room for its heading
CHARACTER = 4.75  # points: the mean width of a letter at 9 points
LEGEND, LINE, PAD = 26.0, 12.5, 5.0  # points
SLANT = 52  # degrees
LIGHT = 15.0  # points across
BAR, BAR_ROW, TITLE = 14.0, 19.0, 24.0  # points
NAMES = 118.0  # points beside the bars
LEAST_SHARE = 0.045  # a part of a bar that still holds its number


@dataclass(frozen=True, slots=True)
class Look:
    """Colour and shape of a judgement, and the ink of the sign on it: none is told by colour alone."""

    color: str
    ink: str
    edge: str
    marker: str


MARKERS = ("o", "s", "o", "D", "8")
FILLS = {  # fill, sign and edge by theme; greys darken with the risk
    "light": (
        ("#17795e", "#ffffff", "#17795e"),
        ("#f2c14e", "#1c2530", "#a87b00"),
        ("#ffffff", "#1c2530", "#5c6773"),
        ("#b23c00", "#ffffff", "#b23c00"),
        ("#4d0f2b", "#ffffff", "#4d0f2b"),
    ),
    "print": (
        ("#efefef", "#000000", "#525252"),
        ("#bdbdbd", "#000000", "#525252"),
        ("#ffffff", "#000000", "#525252"),
        ("#5f5f5f", "#ffffff", "#5f5f5f"),
        ("#000000", "#ffffff", "#000000"),
    ),
    "contrast": (
        ("#005c42", "#ffffff", "#000000"),
        ("#ffd966", "#000000", "#000000"),
        ("#ffffff", "#000000", "#000000"),
        ("#8f3300", "#ffffff", "#000000"),
        ("#3a001d", "#ffffff", "#000000"),
    ),
}
SIZES = {"o": 1.0, "s": 0.9, "D": 0.82, "8": 1.05}  # so that the shapes look equally large


def light_look(judgement: str) -> Look:
    """Return how the light of a judgement is drawn."""
    rank = RANKS[judgement]
    return Look(*FILLS[parameters.theme()][rank], MARKERS[rank])


def draw_light(axis: Axes, x: float, y: float, judgement: str, *, size: float = LIGHT) -> None:
    """Draw the light of a judgement with its sign, centred on a place of the axis; ``size`` in points."""
    look = light_look(judgement)
    marker: dict[str, Any] = {"markerfacecolor": look.color, "markeredgecolor": look.edge, "clip_on": False}
    axis.plot(
        [x], [y], look.marker, markersize=size * SIZES[look.marker], markeredgewidth=1.0, zorder=3, **marker
    )
    words: dict[str, Any] = {"ha": "center", "va": "center", "color": look.ink, "weight": "bold"}
    axis.text(x, y, SIGNS[judgement], fontsize=size * 0.74, zorder=4, **words)


def bias_figure(data: Dataset, *, tool: str) -> Figure:
    """Draw the judgements made with a tool as lights: a row per result, a column per domain."""
    made = assessments(data, tool=tool)
    caption = _caption(made, find_tool(tool))
    if not made:
        return nothing(caption)
    rows = _rows(data, made)
    top = _heading_height(made[0].tool)
    height = top + sum(row.height for row in rows) + LEGEND
    with theme.themed():
        figure, axis = _points_axis(height)
        _headings(axis, made[0].tool, top - 5)
        for row in rows:
            _draw_row(axis, row, top)
            top += row.height
        _legend(axis, made[0].tool, height - LEGEND / 2 + 3)
    return Figure(figure, caption, f"Table of lights. {_alt(data, made)}", bias_frame(made))


@dataclass(frozen=True, slots=True)
class Row:
    """A study's name, or an outcome with its lights."""

    lines: tuple[str, ...]
    made: Assessment | None = None

    @property
    def height(self) -> float:
        """Return the points that the row takes."""
        if self.made is None:
            return LINE * len(self.lines) + PAD
        return max(LIGHT + 4.0, LINE * len(self.lines) + 4.0)


def _rows(data: Dataset, made: Sequence[Assessment]) -> list[Row]:
    labels, rows, last = outcome_labels(data), list[Row](), ""
    for one in made:
        width = int(_column(one.tool, 0) / CHARACTER) - 4
        if one.study_id != last:
            rows.append(Row(tuple(textwrap.wrap(study_label(data, one.study_id), 74))))
        name = labels.get(one.outcome_id, one.outcome_id) or "All results"
        rows.append(Row(tuple(textwrap.wrap(name, width)), one))
        last = one.study_id
    return rows


def _points_axis(height: float) -> tuple[Canvas, Axes]:
    """Return an axis over the whole figure, in points from its upper left corner."""
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure(figsize=(theme.WIDTH, height / 72))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, POINTS), ylim=(height, 0))
    axis.set_axis_off()
    return figure, axis


def _column(tool: Tool, place: int) -> float:
    """Return where the column of a domain has its middle; the last one is the overall judgement."""
    count = len(tool.domains)
    gap = LAST_GAP if place == count else 0.0
    return POINTS - LEAN - COLUMN * (count - place + 0.5) - LAST_GAP + gap


def _heading_height(tool: Tool) -> float:
    longest = max(len(domain.short) for domain in tool.domains)
    return longest * CHARACTER * math.sin(math.radians(SLANT)) + 2 * PAD + 4


def _headings(axis: Axes, tool: Tool, y: float) -> None:
    names = [*(domain.short for domain in tool.domains), "Overall"]
    for place, name in enumerate(names):
        weight = "bold" if name == "Overall" else "normal"
        look: dict[str, Any] = {"rotation": SLANT, "rotation_mode": "anchor", "ha": "left", "va": "center"}
        axis.text(_column(tool, place), y, name, weight=weight, **look)


def _draw_row(axis: Axes, row: Row, top: float) -> None:
    if row.made is None:
        axis.plot((0, POINTS), (top + 1, top + 1), color=theme.GRID, linewidth=0.8)
    start = top + (row.height - LINE * len(row.lines)) / 2 + LINE / 2
    for place, line in enumerate(row.lines):
        weight = "bold" if row.made is None else "normal"
        x = 1.0 if row.made is None else 9.0
        axis.text(x, start + LINE * place, line, weight=weight, va="center_baseline")
    if row.made is not None:
        judged = [*(one.judgement for one in row.made.judgements), row.made.overall]
        for place, judgement in enumerate(judged):
            draw_light(axis, _column(row.made.tool, place), top + row.height / 2, judgement)


def _legend(axis: Axes, tool: Tool, y: float) -> None:
    x = 10.0
    for word in (one for one in tool.scale if one in SIGNS):
        draw_light(axis, x, y, word, size=LIGHT - 2)
        axis.text(x + 11, y, word[:1].upper() + word[1:], va="center_baseline", color=theme.MUTED)
        x += 34 + CHARACTER * len(word)


def _caption(made: Sequence[Assessment], tool: Tool) -> str:
    return " ".join(
        [
            f"Risk of bias in {tool_words(tool)}: what was judged of each result, and overall.",
            *([f"{overall_words(made)} {reviewers(made)}"] if made else []),
        ]
    )


def _alt(data: Dataset, made: Sequence[Assessment]) -> str:
    labels = outcome_labels(data)
    parts: dict[str, list[str]] = {}
    for one in made:
        name = lower_first(labels.get(one.outcome_id, one.outcome_id) or "all results")
        parts.setdefault(study_label(data, one.study_id), []).append(f"{name} {one.overall}")
    said = "; ".join(f"{study}: {', '.join(results)}" for study, results in parts.items())
    return f"Overall, {said}."


def bias_summary_figure(data: Dataset) -> Figure:
    """Draw the share of each judgement among the judged results, by tool and domain."""
    made = assessments(data)
    caption = (
        "Share of the judgements among the judged results, by tool and domain. The number of results stands "
        "beside each sign; a study with several results counts several times."
    )
    if not made:
        return nothing(caption)
    frame = shares(made)
    tools = list({one.tool.name: one.tool for one in sorted(made, key=_by_tool)}.values())
    height = sum(TITLE + BAR_ROW * (len(tool.domains) + 1) + 6 for tool in tools) + LEGEND
    with theme.themed():
        figure, axis = _points_axis(height)
        top = 0.0
        for tool in tools:
            top = _panel(axis, tool, frame[frame["tool"] == tool.name], top)
        _summary_legend(axis, frame, height - LEGEND / 2 + 3)
    return Figure(figure, f"{caption} {reviewers(made)}", f"Bars. {_summary_alt(frame)}", frame)


def _by_tool(one: Assessment) -> str:
    order = {"RoB 2": "0", "ROBINS-I": "1"}
    return order.get(one.tool.name, one.tool.name)


def _panel(axis: Axes, tool: Tool, frame: pd.DataFrame, top: float) -> float:
    overall = frame[frame["domain"] == OVERALL]
    title = f"{tool_words(tool)}, {int(overall['results'].sum())} results"
    axis.text(1.0, top + TITLE / 2 + 2, title[:1].upper() + title[1:], weight="bold", va="center_baseline")
    top += TITLE
    names = [*((domain.name, domain.short) for domain in tool.domains), (OVERALL, "Overall")]
    for name, short in names:
        _bar(axis, short, records(frame[frame["domain"] == name]), top + BAR_ROW / 2)
        top += BAR_ROW
    return top + 6


def _bar(axis: Axes, name: str, parts: Sequence[dict[str, Any]], y: float) -> None:
    weight = "bold" if name == "Overall" else "normal"
    axis.text(NAMES - 8, y, name, ha="right", va="center_baseline", weight=weight)
    left, wide = NAMES, POINTS - NAMES - 2
    for part in parts:
        look, width = light_look(part["judgement"]), wide * part["share"]
        axis.barh(y, width, BAR, left=left, color=look.color, edgecolor=theme.MUTED, linewidth=0.6)
        if part["share"] >= LEAST_SHARE:
            words: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": look.ink}
            axis.text(left + width / 2, y, f"{SIGNS[part['judgement']]} {part['results']}", **words)
        left += width


def _summary_legend(axis: Axes, frame: pd.DataFrame, y: float) -> None:
    words: dict[int, list[str]] = {}
    for judgement in sorted(dict.fromkeys(frame["judgement"]), key=lambda one: RANKS[one]):
        words.setdefault(RANKS[judgement], []).append(judgement)
    x = 10.0
    for names in words.values():
        text = " or ".join(names)
        draw_light(axis, x, y, names[0], size=LIGHT - 2)
        axis.text(x + 11, y, text[:1].upper() + text[1:], va="center_baseline", color=theme.MUTED)
        x += 28 + CHARACTER * len(text)


def _summary_alt(frame: pd.DataFrame) -> str:
    said = []
    for (tool, domain), part in frame.groupby(["tool", "domain"], sort=False):
        shown = ", ".join(f"{row['judgement']} {fmt.percent(row['share'], 0)}" for row in records(part))
        said.append(f"{tool}, {domain}: {shown}.")
    return " ".join(said)
