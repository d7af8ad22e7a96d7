"""Effects of a network drawn: against the reference and of each treatment against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display import theme
from evidence.display.figures.draw import (
    ROW_HEIGHT,
    TEXT_AT,
    Interval,
    Scale,
    canvas,
    directions,
    draw_rows,
    effect_scale,
    nothing,
    words,
)
from evidence.display.figures.effects import ARROW_NOTE, axis_words
from evidence.display.labels import MEASURES, interval_words, lower_first
from evidence.display.model import Figure
from evidence.display.networks import (
    NETWORK_RATIO,
    Linked,
    leaves_out,
    leaving_words,
    link,
    versus,
    with_unlike,
)
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records
from evidence.stats import ASSUMED_TAU
from evidence.synthesis.connect import Linking
from evidence.synthesis.indirect import absolute_effects, baseline_risk, effects_by_tau
from evidence.wording import per_1000

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETWEEN = 0.36  # rows between two intervals of one stack
FIRST = 0.72  # rows from the top of a stack to its first interval
AFTER = 0.42  # rows below the last one
OTHER_INTERVALS = 0.95  # inches for axis, its label and the words for its sides
LEGEND = 0.28  # inches


@dataclass(frozen=True, slots=True)
class Stack:
    """One comparison with an interval per assumption: words, the value shown, and rows of limits."""

    label: str
    text: str
    rows: tuple[Row, ...]

    @property
    def height(self) -> float:
        """Return the height in rows."""
        return FIRST + BETWEEN * (len(self.rows) - 1) + AFTER


def network_effects_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    taus: Sequence[float] = ASSUMED_TAU,
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the odds ratio of each treatment against the reference, once for every assumed tau."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: each treatment against {linked.inside(linked.reference)}."
    measure = NETWORK_RATIO
    try:
        frame = effects_by_tau(
            linked.arms, measure=measure, reference=linked.reference, taus=taus, level=linked.level
        )
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    frame = frame[frame["treatment0"] == linked.reference].assign(measure=measure)
    stacks = [_stack(linked.name(one), frame[frame["treatment1"] == one]) for one in linked.others]
    sides = _sides(linked, linked.inside(linked.reference), "the treatment")
    names = [_tau_word(tau) for tau in taus]
    told = with_unlike(linked, f"{title} {_apart(measure, stacks, names)}")
    return _drawn(told, [(measure, stacks)], names, [sides], frame, parameters)


def league_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    taus: Sequence[float] = ASSUMED_TAU,
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the odds ratios between all treatments but the reference, once for every assumed tau."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: the treatments against each other."
    measure = NETWORK_RATIO
    try:
        frame = effects_by_tau(
            linked.arms, measure=measure, reference=linked.reference, taus=taus, level=linked.level
        )
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    frame = frame.assign(measure=measure)
    stacks = _pair_stacks(linked, frame)
    if not stacks:
        return nothing(title)
    sides = _sides(linked, "second named", "first named")
    shown = _of_pairs(linked, frame)
    names = [_tau_word(tau) for tau in taus]
    told = with_unlike(linked, f"{title} {_apart(measure, stacks, names)}")
    return _drawn(told, [(measure, stacks)], names, [sides], shown, parameters)


def scales_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the difference in risk between treatments under two assumptions of what carries over.

    Either the odds ratio against the reference is the same in the other trial's patients, and is applied to
    the reference's risk, or the difference against the reference is. tau is taken as 0.
    """
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: difference in risk between the treatments, by what is taken to carry over."
    try:
        frame, base = _two_scales(linked)
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    stacks = _pair_stacks(linked, frame)
    if not stacks:
        return nothing(title)
    at = f"{per_1000(base.estimate)} per 1,000 with {linked.inside(linked.reference)}"
    names = [f"odds ratio carried over, at {at}", "difference carried over"]
    sides = _sides(linked, "second named", "first named")
    told = with_unlike(linked, f"{title} {_apart('RD', stacks, names)}")
    return _drawn(told, [("RD", stacks)], names, [sides], _of_pairs(linked, frame), parameters)


def _apart(measure: str, stacks: Sequence[Stack], names: Sequence[str]) -> str:
    """Return how many of the intervals drawn leave out no difference, by what is assumed."""
    clear = [
        sum(leaves_out(measure, float(row["low"]), float(row["high"])) for row in rows)
        for rows in zip(*(stack.rows for stack in stacks), strict=True)
    ]
    return leaving_words(measure, clear, len(stacks), names)


def _two_scales(linked: Linked) -> tuple[pd.DataFrame, Any]:
    base = baseline_risk(linked.arms, linked.reference, level=linked.level)
    carried = absolute_effects(linked.result("OR"), base).rename(columns={"difference": "estimate"})
    direct = linked.result("RD").effects()
    names = ["treatment1", "treatment0", "estimate", "low", "high"]
    carried = carried[names].merge(direct[["treatment1", "treatment0", "direct"]], on=names[:2])
    both = [carried.assign(carries_over="odds ratio"), direct.assign(carries_over="difference")]
    frame = pd.concat(both, ignore_index=True)[[*names, "direct", "carries_over"]]
    return frame.assign(measure="RD", reference_risk=base.estimate), base


def _tau_word(tau: float) -> str:
    return "common effect (τ 0)" if tau == 0 else f"τ {tau:g} assumed"


def _sides(linked: Linked, left: str, right: str) -> tuple[str, str]:
    if linked.better == "lower":
        left, right = right, left
        return f"better with {left}", f"better with {right}"
    word = "better" if linked.better == "higher" else "more often"
    return f"{word} with {left}", f"{word} with {right}"


def _stack(label: str, frame: pd.DataFrame) -> Stack:
    rows = tuple(records(frame))
    first = rows[0]
    return Stack(
        label, fmt.effect(str(first["measure"]), first["estimate"], first["low"], first["high"]), rows
    )


def _pairs(linked: Linked) -> list[tuple[str, str]]:
    """Return every pair of treatments but the reference, the later one first."""
    return [(one, none) for none, one in combinations(linked.others, 2)]


def _of_pairs(linked: Linked, frame: pd.DataFrame) -> pd.DataFrame:
    wanted = set(_pairs(linked))
    kept = [(row["treatment1"], row["treatment0"]) in wanted for row in records(frame)]
    return frame[pd.Series(kept, index=frame.index, dtype=bool)]


def _pair_stacks(linked: Linked, frame: pd.DataFrame) -> list[Stack]:
    stacks = []
    for one, none in _pairs(linked):
        part = frame[(frame["treatment1"] == one) & (frame["treatment0"] == none)]
        row = records(part)[0]
        label = f"{versus(linked, row)}{' (within a trial)' if row['direct'] else ''}"
        stacks.append(_stack(label, part))
    return stacks


def _drawn(
    title: str,
    panels: Sequence[tuple[str, Sequence[Stack]]],
    names: Sequence[str],
    sides: Sequence[tuple[str, str]],
    frame: pd.DataFrame,
    parameters: Parameters,
) -> Figure:
    heights = [ROW_HEIGHT * sum(stack.height for stack in stacks) + OTHER_INTERVALS for _, stacks in panels]
    cut = False
    with theme.themed():
        figure, axes = canvas(sum(heights) + LEGEND, rows=len(panels), height_ratios=heights)
        for axis, (measure, stacks), words_of_sides in zip(axes, panels, sides, strict=True):
            scale = _scale(measure, stacks)
            cut = _draw_stacks(axis, stacks, scale) or cut
            directions(axis, *words_of_sides)
        figure.legend(*_handles(names), loc="outside upper left", ncols=len(names), frameon=False,
                      handlelength=2.2, columnspacing=1.4, borderaxespad=0.2)  # fmt: skip
    lines = f"Lines are {interval_words(parameters)}s; the numbers are those of the first line: {names[0]}."
    caption = " ".join([title, lines, ARROW_NOTE if cut else ""]).strip()
    return Figure(figure, caption, f"Forest plot. {_alt(panels, names)}", frame)


def _scale(measure: str, stacks: Sequence[Stack]) -> Scale:
    values = [
        float(row[name]) for stack in stacks for row in stack.rows for name in ("low", "high", "estimate")
    ]
    return effect_scale(measure, values, axis_words(measure))


def _draw_stacks(axis: Axes, stacks: Sequence[Stack], scale: Scale) -> bool:
    """Draw stacks from top to bottom; return whether an interval was cut."""
    draw_rows(axis, [Interval("")], scale)  # the axis of a row that says nothing
    top, cut = 0.0, False
    for stack in stacks:
        words(axis, 0.0, top + TEXT_AT, stack.label, weight="bold")
        words(axis, 1.0, top + TEXT_AT, stack.text, ha="right")
        for place, row in enumerate(stack.rows):
            cut = _draw_interval(axis, row, top + FIRST + BETWEEN * place, scale, theme.style(place)) or cut
        top += stack.height
    axis.set_ylim(top, 0)
    return cut


def _draw_interval(axis: Axes, row: Row, y: float, scale: Scale, style: theme.Style) -> bool:
    low, high = max(row["low"], scale.low), min(row["high"], scale.high)
    look: dict[str, Any] = {"color": style.color, "clip_on": False}
    axis.plot((low, high), (y, y), style.line, linewidth=1.6, solid_capstyle="butt", zorder=3, **look)
    for beyond, end, arrow in ((row["low"] < low, low, "<"), (row["high"] > high, high, ">")):
        if beyond:
            axis.plot([end], [y], arrow, markersize=5.0, zorder=3, **look)
    middle: dict[str, Any] = {"markeredgecolor": theme.PAPER, "markersize": style.size - 0.5, "zorder": 4}
    axis.plot([row["estimate"]], [y], style.marker, **look, **middle)
    return bool(row["low"] < low or row["high"] > high)


def _handles(names: Sequence[str]) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D

    styles = [theme.style(place) for place in range(len(names))]
    made = [
        Line2D([], [], color=one.color, marker=one.marker, linestyle=one.line, linewidth=1.6,
               markersize=one.size - 0.5, markeredgecolor=theme.PAPER)
        for one in styles
    ]  # fmt: skip
    return made, list(names)


def _alt(panels: Sequence[tuple[str, Sequence[Stack]]], names: Sequence[str]) -> str:
    told = []
    for measure, stacks in panels:
        for stack in stacks:
            values = [
                f"{name} {fmt.effect(measure, row['estimate'], row['low'], row['high'])}"
                for name, row in zip(names, stack.rows, strict=True)
            ]
            told.append(f"{stack.label}: {lower_first(MEASURES[measure])} {'; '.join(values)}.")
    return " ".join(told)
