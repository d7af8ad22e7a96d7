"""The difference of every comparison under all scenarios: a mark for each scenario, open where it changes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from evidence.display import theme
from evidence.display.counting import several
from evidence.display.figures.draw import NARROW, WIDE, nothing, wrapped
from evidence.display.labels import pretty
from evidence.display.model import Figure
from evidence.display.tables.answered import shown_differences, split_title
from evidence.display.tables.scenarios import scenario_names, stability_words
from evidence.questions import Estimate
from evidence.scenarios import Scenario
from evidence.synthesis.scenarios import Compared, Comparison, Result
from evidence.wording import told_difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

PATIENTS, QUESTION, LINE, AFTER = 15.0, 12.0, 9.5, 4.0  # points: two kinds of heading, an interval, a gap
MORE = 11.0  # points: a further line of a question
LEGEND, LEGEND_ROW, BOTTOM = 6.0, 13.0, 40.0  # points above the first question, and below the last
PAGE = 560.0  # points of questions in one part of the figure, so that it fits a page at nearly its own size
LEFT, RIGHT, GLYPH = 76.0, 18.0, 10.5  # points: room for the marks beside an interval, and for each of them
STEPS = (100, 200, 250, 500)  # per 1,000 between two ticks
TICK = 36.0  # points between two ticks
TOLD, MOST_CHANGES = 4, 3  # questions that an alternative text tells in full, and changes of more of them
MORE_MARKERS = ("X", "*", "p", "h", "<", ">")  # of scenarios beyond those that the styles have markers for


class Line(NamedTuple):
    """One interval of a question: its result, and which of the studies' differences it shows."""

    result: Result
    each: Estimate | None


class Block(NamedTuple):
    """One question in lines, with its intervals; ``whom`` names the patients where another's stand above."""

    whom: str
    what: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        """Return the height that the block needs, in points."""
        above = (PATIENTS if self.whom else 0.0) + QUESTION + MORE * (len(self.what) - 1)
        return above + LINE * len(self.lines) + AFTER


def scenarios_figure(compared: Comparison) -> Figure:
    """Draw the difference per 1,000 patients of every comparison under all scenarios.

    Scenarios that lead to the same numbers share an interval, with a mark each beside it. Questions without
    a comparison have no difference and are left to the table.
    """
    blocks = _blocks(compared)
    if not blocks:
        return nothing("No comparison to show under the scenarios.")
    parts = _parts(blocks)
    with theme.themed():
        first, *more = [_draw(part, blocks, compared, WIDE) for part in parts]
        narrow = [_draw(part, blocks, compared, NARROW) for part in _again(parts, _blocks(compared, NARROW))]
    caption, alt = _caption(compared), _alt(compared)
    return Figure(first, caption, alt, compared.frame(), more=tuple(more), narrow=tuple(narrow))


def _blocks(compared: Comparison, width: float = WIDE) -> list[Block]:
    """Return the questions that have a comparison, those of the same patients together."""
    drawn = [(*split_title(one.title), _lines(one)) for one in compared.questions if not _is_alone(one)]
    order = list(dict.fromkeys(whom for whom, _, _ in drawn))
    made: list[Block] = []
    above = ""
    for whom, what, lines in sorted(drawn, key=lambda one: order.index(one[0])):
        words = tuple(wrapped(pretty(what), width - 4))
        made.append(Block(whom if whom != above else "", words, lines))
        above = whom
    return made


def _lines(one: Compared) -> tuple[Line, ...]:
    """Return the intervals of a question; a result without data or comparison has one without numbers."""
    return tuple(
        Line(result, each)
        for result in one.results
        for each in (shown_differences(result.answer.finding) if result.found else ()) or (None,)
    )


def _is_alone(one: Compared) -> bool:
    return not any(line.each for line in _lines(one))


def _parts(blocks: Sequence[Block]) -> list[list[Block]]:
    """Return the questions in as few parts as fit a page each, of about the same height."""
    whole = sum(block.height for block in blocks)
    count = math.ceil(whole / PAGE)
    parts: list[list[Block]] = [[] for _ in range(count)]
    above = 0.0
    for block in blocks:
        parts[min(count - 1, int((above + block.height / 2) * count / whole))].append(block)
        above += block.height
    return _headed([part for part in parts if part])


def _again(parts: Sequence[Sequence[Block]], blocks: Sequence[Block]) -> list[list[Block]]:
    """Return the questions, in lines of another width, in the same parts."""
    left = iter(blocks)
    return _headed([list(itertools.islice(left, len(part))) for part in parts])


def _headed(parts: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Return the parts, each beginning with whom it is about, also where it goes on with them."""
    made, whom = [], ""
    for first, *others in parts:
        begun = first if first.whom else first._replace(whom=f"{whom}, continued")
        made.append([begun, *others])
        whom = next((block.whom for block in reversed([first, *others]) if block.whom), whom)
    return made


def _draw(part: Sequence[Block], blocks: Sequence[Block], compared: Comparison, width: float) -> Canvas:
    """Draw a part of the questions on the scale of all of them."""
    figure, axis = _canvas(part, blocks, compared, width)
    _draw_legend(axis, compared, width)
    top = 0.0
    for block in part:
        _draw_block(axis, block, top, compared)
        top += block.height
    return figure


def _canvas(
    part: Sequence[Block], blocks: Sequence[Block], compared: Comparison, points: float
) -> tuple[Canvas, Axes]:
    from matplotlib.figure import Figure as MatplotlibFigure

    above = LEGEND + LEGEND_ROW * _legend_rows(compared, points)
    inside = sum(block.height for block in part)
    height = above + inside + BOTTOM
    figure = MatplotlibFigure(figsize=(points / 72, height / 72))
    wide = (points - LEFT - RIGHT) / points
    axis = figure.add_axes((LEFT / points, BOTTOM / height, wide, inside / height))
    axis.set_ylim(inside, 0)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    shown = [line.each for block in blocks for line in block.lines if line.each]
    low, high, ticks = _range(shown, (points - LEFT - RIGHT) / TICK)
    axis.set_xlim(low, high)
    axis.set_xticks(ticks, labels=[f"{tick:+.0f}".replace("-", "−") if tick else "0" for tick in ticks])
    axis.set_xlabel("Difference per 1,000 patients")
    axis.grid(axis="x")
    axis.axvline(0, color=theme.MUTED, linewidth=0.9, zorder=1)
    return figure, axis


def _legend_rows(compared: Comparison, width: float) -> int:
    return -(-len(compared.scenarios) // _legend_columns(width))


def _legend_columns(width: float) -> int:
    return 3 if width == WIDE else 2


def _range(shown: Sequence[Estimate], most: float) -> tuple[float, float, list[float]]:
    ends = [1000 * end for one in shown for end in (one.low, one.high)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    step = next((one for one in STEPS if (high - low) / one <= most), STEPS[-1])
    first, last = int(low // step), int(-(-high // step))
    return float(first * step), float(last * step), [float(step * i) for i in range(first, last + 1)]


def mark_of_scenario(scenario: Scenario, compared: Comparison) -> theme.Style:
    """Return the mark of a scenario: that of its place among them, no two of twelve alike.

    The first has the colour of the text, the others a paler one; colours stand for treatments.
    """
    names = [one.name for one in _in_order(compared)]
    place = names.index(scenario.name)
    found = replace(theme.style(place), color=theme.MUTED if place else theme.INK)
    spare = place - len(theme.STYLES)
    return found if spare < 0 else replace(found, marker=MORE_MARKERS[spare % len(MORE_MARKERS)])


def _in_order(compared: Comparison) -> list[Scenario]:
    return [compared.own, *(one for one in compared.scenarios if one is not compared.own)]


def _draw_legend(axis: Axes, compared: Comparison, width: float) -> None:
    rows, columns = _legend_rows(compared, width), _legend_columns(width)
    for place, one in enumerate(_in_order(compared)):
        x = -LEFT + 6 + (place % columns) * (width - RIGHT) / columns
        y = LEGEND_ROW * (rows - place // columns) - LEGEND_ROW / 2 + LEGEND / 2
        _glyph(axis, one, compared, x, (0, 1), y)
        axis.annotate(
            one.title, (0, 1), xycoords="axes fraction", xytext=(x + 8, y), textcoords="offset points",
            va="center", annotation_clip=False,
        )  # fmt: skip


def _glyph(
    axis: Axes, one: Scenario, compared: Comparison, x: float, place: tuple[float, float], lift: float,
    *, open_mark: bool = False,
) -> None:  # fmt: skip
    """Draw a scenario's mark ``x`` points from the axis, ``lift`` points above a place of it."""
    from matplotlib.transforms import ScaledTranslation

    style, points = mark_of_scenario(one, compared), 1 / 72
    base = axis.transAxes if place == (0, 1) else axis.get_yaxis_transform()
    moved = base + ScaledTranslation(x * points, lift * points, axis.figure.dpi_scale_trans)
    axis.plot(
        [place[0]], [place[1]], style.marker, transform=moved, markersize=style.size - 1, color=style.color,
        markerfacecolor=theme.PAPER if open_mark else style.color, markeredgewidth=1.0, clip_on=False,
    )  # fmt: skip


def _draw_block(axis: Axes, block: Block, top: float, compared: Comparison) -> None:
    """Draw a question: whom and what it is about above an interval a line."""
    if block.whom:
        _write(axis, block.whom, top + PATIENTS * 0.6, weight="bold")
        top += PATIENTS
    for place, words in enumerate(block.what):
        _write(axis, words, top + QUESTION / 2 + MORE * place)
    top += QUESTION + MORE * (len(block.what) - 1)
    for place, line in enumerate(block.lines):
        _draw_line(axis, line, top + LINE * (place + 0.5), compared)


def _write(axis: Axes, text: str, y: float, *, x: float = 0.0, **look: Any) -> None:
    """Write over the width of the figure, ``x`` points from its left edge."""
    patch = {"boxstyle": "square,pad=0.1", "facecolor": theme.PAPER, "edgecolor": "none"}
    axis.annotate(
        text, (0, y), xycoords=("axes fraction", "data"), xytext=(x - LEFT, 0), textcoords="offset points",
        va="center", bbox=patch, annotation_clip=False, **look,
    )  # fmt: skip


def _draw_line(axis: Axes, line: Line, y: float, compared: Comparison) -> None:
    result, changed = line.result, line.result.changed
    for place, scenario in enumerate(result.scenarios):
        _glyph(axis, scenario, compared, -LEFT + 6 + GLYPH * place, (0, y), 0, open_mark=changed)
    if line.each is None:
        x = 6 + GLYPH * len(result.scenarios)
        _write(axis, "no data", y, x=x, color=theme.MUTED)
        return
    style = mark_of_scenario(result.scenarios[0], compared)
    low, middle, high = (1000 * end for end in (line.each.low, line.each.estimate, line.each.high))
    axis.plot([low, high], [y, y], color=style.color, linewidth=1.5, solid_capstyle="butt", zorder=2)
    axis.plot(
        [middle], [y], style.marker, markersize=style.size - 1, color=style.color, markeredgewidth=1.0,
        markerfacecolor=theme.PAPER if changed else style.color, zorder=3,
    )  # fmt: skip


def _caption(compared: Comparison) -> str:
    alone = [one for one in compared.questions if _is_alone(one)]
    parts = [
        stability_words(compared),
        "Difference per 1,000 patients; the marks on the left name the scenarios that lead to an interval, "
        "open where they change the conclusion.",
        f"Not drawn, having no comparison: {several(len(alone), 'question')}." if alone else "",
    ]
    return " ".join(filter(None, parts))


def _alt(compared: Comparison) -> str:
    """Return each question in words; of many, the report's own lowest and highest, and what changes."""
    drawn = [one for one in compared.questions if not _is_alone(one)]
    if len(drawn) <= TOLD:
        return " ".join(["Interval plot.", *(_told(one, compared) for one in drawn)])
    changed = [_told_change(one, compared) for one in drawn if not one.stable]
    more = len(changed) - MOST_CHANGES
    parts = [
        f"Interval plot of {len(drawn)} questions under {len(compared.scenarios)} scenarios,",
        f"per 1,000 patients. {_ends_words(drawn, compared)}",
        f"Conclusions that change: {len(changed)}{', among them:' if more > 0 else ':' if changed else '.'}",
        *changed[:MOST_CHANGES],
    ]
    return " ".join(filter(None, parts))


def _ends_words(drawn: Sequence[Compared], compared: Comparison) -> str:
    """Return the lowest and the highest difference of the report's own scenario."""
    own = [(line.each, one) for one in drawn for line in _lines(one) if line.each and line.result is one.own]
    if not own:
        return ""
    ends = (min(own, key=lambda pair: pair[0].estimate), max(own, key=lambda pair: pair[0].estimate))
    low, high = (f"{pretty(one.title)}, {told_difference(each.limits, unit=False)}" for each, one in ends)
    return f"{compared.own.title}, lowest: {low}. Highest: {high}."


def _told_change(one: Compared, compared: Comparison) -> str:
    """Return the result of the report and the first of those that change the conclusion."""
    lines = _lines(one)
    other = next(line for line in lines if line.result.changed)
    own, there = (told_difference(line.each.limits, unit=False) for line in (lines[0], other) if line.each)
    return f"{pretty(one.title)}, {own}, under {scenario_names(other.result.scenarios, compared)} {there}."


def _told(one: Compared, compared: Comparison) -> str:
    shown = [f"{scenario_names(line.result.scenarios, compared)} {_words(line.each)}" for line in _lines(one)]
    return f"{pretty(one.title)}: {'; '.join(shown)}."


def _words(each: Estimate | None) -> str:
    if each is None:
        return "no data"
    return told_difference(each.limits)
