"""Risk of bias drawn: a light for each result and domain, and the share of each judgement by domain."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display import theme
from evidence.display.figures.draw import BOLD, NARROW, WIDE, nothing, text_width, wrapped
from evidence.display.figures.lights import LIGHT, draw_light, light_look
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

COLUMN, CLOSE = 24.0, 20.0  # points: a column of lights, and of a narrow sheet
LAST_GAP, LEAN = 7.0, 26.0  # points: the gap before the last column, room for its heading
STUDY = 0.54  # of the words beside the lights: the names of the studies
INDENT, GUTTER = 9.0, 10.0  # points: of an outcome below its study, and between words and what follows
LEGEND, LEGEND_LINE, LINE, PAD = 26.0, 18.0, 12.5, 5.0  # points
ALL = "All results"
SLANT = 52  # degrees
BAR, BAR_ROW, TITLE = 14.0, 19.0, 24.0  # points
NAMES = 92.0  # points beside the bars


def bias_figure(data: Dataset, *, tool: str) -> Figure:
    """Draw the judgements made with a tool as lights: a row per result, a column per domain."""
    made = assessments(data, tool=tool)
    caption = _caption(made, find_tool(tool))
    if not made:
        return nothing(caption)
    with theme.themed():
        wide, narrow = (_lights(data, made, Place.of(made[0].tool, width)) for width in (WIDE, NARROW))
    alt = f"Table of lights. {_alt(data, made)}"
    return Figure(wide, caption, alt, bias_frame(made), narrow=(narrow,))


class Place(NamedTuple):
    """Where the lights stand, in points: width, of a column, and the names' left edges and rooms."""

    width: float
    column: float
    study: float
    outcome: float
    outcome_room: float

    @property
    def beside(self) -> bool:
        """Return whether a study's name stands beside its results; else above them."""
        return self.outcome > INDENT

    @classmethod
    def of(cls, tool: Tool, width: float) -> Place:
        """Return the places on a sheet of some width: a narrow one has the lights closer together."""
        column = COLUMN if width == WIDE else CLOSE
        lights = width - LEAN - column * (len(tool.domains) + 1) - LAST_GAP
        outcome = STUDY * lights if width == WIDE else INDENT
        study = outcome - GUTTER if width == WIDE else width
        return cls(width, column, study, outcome, lights - outcome - GUTTER)

    def middle(self, tool: Tool, place: int) -> float:
        """Return where the column of a domain has its middle; the last one is the overall judgement."""
        count = len(tool.domains)
        gap = LAST_GAP if place == count else 0.0
        return self.width - LEAN - self.column * (count - place + 0.5) - LAST_GAP + gap


@dataclass(frozen=True, slots=True)
class Row:
    """An outcome with its lights."""

    lines: tuple[str, ...]
    made: Assessment

    @property
    def height(self) -> float:
        """Return the points that the row takes."""
        return max(LIGHT + 4.0, LINE * len(self.lines) + 4.0)


@dataclass(frozen=True, slots=True)
class Group:
    """A study's name, beside its results or above them."""

    name: tuple[str, ...]
    rows: tuple[Row, ...]
    beside: bool

    @property
    def above(self) -> float:
        """Return the points that the name takes above the results."""
        return PAD / 2 if self.beside else LINE * len(self.name) + PAD

    @property
    def height(self) -> float:
        """Return the points that the study takes."""
        rows = self.above + sum(row.height for row in self.rows)
        return max(rows, LINE * len(self.name) + PAD) + (PAD / 2 if self.beside else 0.0)


def _groups(data: Dataset, made: Sequence[Assessment], place: Place) -> list[Group]:
    labels, groups = outcome_labels(data), list[Group]()
    for study, own in itertools.groupby(made, key=lambda one: one.study_id):
        name = wrapped(study_label(data, study), place.study / BOLD)
        rows = [
            Row(tuple(wrapped(labels.get(one.outcome_id, one.outcome_id) or ALL, place.outcome_room)), one)
            for one in own
        ]
        groups.append(Group(tuple(name), tuple(rows), place.beside))
    return groups


def _lights(data: Dataset, made: Sequence[Assessment], place: Place) -> Canvas:
    tool, groups = made[0].tool, _groups(data, made, place)
    top = _heading_height(tool)
    legend = _legend_lines(((one, one) for one in tool.scale if one in SIGNS), place.width)
    height = top + sum(group.height for group in groups) + _legend_height(legend)
    figure, axis = _points_axis(place.width, height)
    _headings(axis, tool, top - 5, place)
    for group in groups:
        _draw_group(axis, group, top, place)
        top += group.height
    _legend(axis, legend)
    return figure


def _points_axis(width: float, height: float) -> tuple[Canvas, Axes]:
    """Return an axis over the whole figure, in points from its upper left corner."""
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure(figsize=(width / 72, height / 72))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.set_axis_off()
    return figure, axis


def _heading_height(tool: Tool) -> float:
    longest = max(text_width(domain.short) for domain in tool.domains)
    return longest * math.sin(math.radians(SLANT)) + 2 * PAD + 4


def _headings(axis: Axes, tool: Tool, y: float, place: Place) -> None:
    names = [*(domain.short for domain in tool.domains), "Overall"]
    for column, name in enumerate(names):
        weight = "bold" if name == "Overall" else "normal"
        look: dict[str, Any] = {"rotation": SLANT, "rotation_mode": "anchor", "ha": "left", "va": "center"}
        axis.text(place.middle(tool, column), y, name, weight=weight, **look)


def _draw_group(axis: Axes, group: Group, top: float, place: Place) -> None:
    axis.plot((0, place.width), (top + 1, top + 1), color=theme.GRID, linewidth=0.8)
    first = group.rows[0].height if place.beside and len(group.name) <= len(group.rows[0].lines) else LINE
    start = top + PAD / 2 + first / 2 + (2.0 if place.beside and first == LINE else 0.0)
    _write_lines(axis, 1.0, start, group.name, weight="bold")
    top += group.above
    for row in group.rows:
        middle = top + row.height / 2
        _write_lines(axis, place.outcome, middle - LINE * (len(row.lines) - 1) / 2, row.lines)
        judged = [*(one.judgement for one in row.made.judgements), row.made.overall]
        for column, judgement in enumerate(judged):
            draw_light(axis, place.middle(row.made.tool, column), middle, judgement)
        top += row.height


def _write_lines(axis: Axes, x: float, first: float, lines: Sequence[str], **look: Any) -> None:
    for place, line in enumerate(lines):
        axis.text(x, first + LINE * place, line, va="center_baseline", **look)


Entry = tuple[str, str]  # a judgement and its words in a legend


def _legend_lines(entries: Iterable[Entry], width: float) -> list[list[Entry]]:
    """Return the entries of a legend in lines that fit the width."""
    lines: list[list[Entry]] = [[]]
    for entry in entries:
        if lines[-1] and 10 + sum(25 + text_width(text) for _, text in [*lines[-1], entry]) > width:
            lines.append([])
        lines[-1].append(entry)
    return lines


def _legend_height(lines: Sequence[Sequence[Entry]]) -> float:
    return LEGEND + LEGEND_LINE * (len(lines) - 1)


def _legend(axis: Axes, lines: Sequence[Sequence[Entry]]) -> None:
    """Draw the light of each judgement with its words at the foot, farther apart where there is room."""
    width, height = axis.get_xlim()[1], axis.get_ylim()[0]
    y = height - _legend_height(lines) + LEGEND / 2 + 3
    for line in lines:
        taken = 10 + sum(22 + text_width(text) for _, text in line)
        gap, x = min(14.0, (width - taken) / len(line)), 10.0
        for judgement, text in line:
            draw_light(axis, x, y, judgement, size=LIGHT - 2)
            axis.text(x + 11, y, text[:1].upper() + text[1:], va="center_baseline", color=theme.MUTED)
            x += 22 + text_width(text) + gap
        y += LEGEND_LINE


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
    with theme.themed():
        wide, narrow = (_bars(tools, frame, width) for width in (WIDE, NARROW))
    said = f"{caption} {reviewers(made)}"
    return Figure(wide, said, f"Bars. {_summary_alt(frame)}", frame, narrow=(narrow,))


def _bars(tools: Sequence[Tool], frame: pd.DataFrame, width: float) -> Canvas:
    legend = _legend_lines(_named(frame), width)
    panels = sum(TITLE + BAR_ROW * (len(tool.domains) + 1) + 6 for tool in tools)
    height = panels + _legend_height(legend)
    figure, axis = _points_axis(width, height)
    top = 0.0
    for tool in tools:
        top = _panel(axis, tool, frame[frame["tool"] == tool.name], top)
    _legend(axis, legend)
    return figure


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
    left, wide = NAMES, axis.get_xlim()[1] - NAMES - 2
    for part in parts:
        look, width = light_look(part["judgement"]), wide * part["share"]
        axis.barh(y, width, BAR, left=left, color=look.color, edgecolor=theme.MUTED, linewidth=0.6)
        text = f"{SIGNS[part['judgement']]} {part['results']}"
        if width >= text_width(text):
            words: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": look.ink}
            axis.text(left + width / 2, y, text, **words)
        left += width


def _named(frame: pd.DataFrame) -> list[Entry]:
    """Return a judgement of each rank with the words of all of that rank."""
    words: dict[int, list[str]] = {}
    for judgement in sorted(dict.fromkeys(frame["judgement"]), key=lambda one: RANKS[one]):
        words.setdefault(RANKS[judgement], []).append(judgement)
    return [(names[0], " or ".join(names)) for names in words.values()]


def _summary_alt(frame: pd.DataFrame) -> str:
    said = []
    for (tool, domain), part in frame.groupby(["tool", "domain"], sort=False):
        shown = ", ".join(f"{row['judgement']} {fmt.percent(row['share'], 0)}" for row in records(part))
        said.append(f"{tool}, {domain}: {shown}.")
    return " ".join(said)
