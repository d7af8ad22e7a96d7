"""The forest plot of the clinical journals, in a layout that a phone and a printed page can hold.

Two lines per study: its name and effect in words, then events out of patients, the interval and the weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display import theme
from evidence.display.figures.draw import (
    AXIS_LABEL,
    SIDES,
    TICKS,
    Scale,
    draw_reference,
    effect_scale,
    name_sides,
    name_ticks,
    nothing,
    percent_scale,
    sides_height,
    write,
)
from evidence.display.figures.forest_parts import TALLEST, begun, split_rows
from evidence.display.figures.forest_rows import LINE, SPACE, Layout, Mark, Row, Shape, layout
from evidence.display.figures.lights import ROOM, draw_light_beside, lights_legend
from evidence.display.labels import MEASURES, lower_first, pretty
from evidence.display.model import Figure, legend_of, mark_from
from evidence.display.synthesis import Asked, Section, Synthesis, reason_words, synthesise
from evidence.parameters import EffectMeasure, Parameters
from evidence.synthesis.bias import SIGNS as SIGNS_OF_BIAS
from evidence.synthesis.forest import Forest, ForestGroup, ForestStudy, Grouping, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

HEADS = 2  # rows that head the columns
LARGEST, SMALLEST, ALONE = 11.0, 3.5, 6.5  # points: side of a square of all the weight, the least, and of one
TOP, BOTTOM = (
    4.0,
    TICKS + AXIS_LABEL + 2.4 * SIDES + 3.0,
)  # points above the first row and, at most, below the last
TAU2 = {"FE": "a common effect", "GLMM": "a binomial-normal model", "logit": "logits and inverse variance"}
INTERVALS = {
    "HKSJ-adhoc": "Hartung-Knapp-Sidik-Jonkman intervals, never narrowed",
    "HKSJ": "Hartung-Knapp-Sidik-Jonkman intervals",
    "Wald": "Wald’s intervals",
}


def forest_figure(
    data: Dataset,
    parameters: Parameters,
    *,
    by: Grouping = "allocation",
    measure: EffectMeasure | None = None,
    together: bool = False,
    **asked: Unpack[Asked],
) -> Figure:
    """Draw the studies that answer the questions asked: a section per outcome, time and comparator.

    ``asked`` names columns of ``questions.csv`` with their values; see ``evidence.synthesis.forest.forest``
    for the rest. A section with one group shows its subtotal; randomised and other studies are never pooled,
    except ``together``, which is drawn and named as a sensitivity analysis.
    """
    return draw_forest(synthesise(data, parameters, by=by, measure=measure, together=together, **asked))


def draw_forest(synthesis: Synthesis) -> Figure:
    """Draw one forest plot of one or more sections on a common axis, in parts that a page holds."""
    sections = [section for section in synthesis.sections if section.forest.rows]
    if not sections:
        return nothing(synthesis.caption)
    scale, rows = _scale(sections), forest_rows(sections)
    again = forest_rows(sections, beside=False)
    named = sides(sections[0].forest) if scale.reference is not None else None
    wide, narrow = layout(rows, beside=True), layout(again, beside=False)
    split = split_rows(rows[:HEADS], rows[HEADS:], wide.height, room=TALLEST - TOP - BOTTOM)
    parts = [begun(part, HEADS) for part in split]
    first, *more = (_drawn(part, scale, wide, named) for part in parts)
    small = tuple(_drawn([*again[:HEADS], *part[HEADS:]], scale, narrow, named) for part in parts)
    cut = any(row.mark and _is_cut(row.mark, scale) for row in rows)
    told = f"Drawn in {len(parts)} parts on one scale." if len(parts) > 1 else ""
    caption = " ".join(filter(None, (synthesis.caption, told, _legend(sections, cut=cut))))
    alt = f"Forest plot. {alternative(sections)}"
    return Figure(first, caption, alt, synthesis.frame(), more=tuple(more), narrow=small)


def _drawn(rows: Sequence[Row], scale: Scale, place: Layout, named: tuple[str, str] | None) -> Canvas:
    below = TICKS + AXIS_LABEL + 3.0 + (sides_height(named, place.columns) if named else 0.0)
    with theme.themed():
        figure, axis = _canvas(rows, place, below)
        _draw(axis, rows, scale, place)
        _axis(axis, scale, place, named)
    return figure


def forest_rows(sections: Sequence[Section], *, beside: bool = True) -> list[Row]:
    """Return what is drawn from top to bottom."""
    first = sections[0].forest
    weighted = any(not math.isnan(row.weight) for section in sections for row in section.forest.rows)
    rows = _head(first, beside=beside, weighted=weighted)
    for section in sections:
        space = SPACE if section is sections[0] else 3 * SPACE
        rows += [Row(section.title, bold=True, before=space, level=1)] if section.title else []
        for group in section.forest.groups:
            rows += _group_rows(group, section.forest)
        rows += _end_rows(section.forest)
    return rows


def _head(forest: Forest, *, beside: bool, weighted: bool) -> list[Row]:
    """Return the two rows that head the columns; where there is room, they say what is counted."""
    arms = ("", "") if forest.measure == "proportion" else ("Treatment", "Comparator")
    counted = ("Events/n", "") if forest.measure == "proportion" else ("events/n", "events/n")
    above, below = (arms, counted) if beside else (("", ""), arms if arms[0] else counted)
    weight = "Weight" if weighted else ""
    return [
        Row("Study (year)", _measure_head(forest), muted=True, mark=_words_only(above), same_line=True),
        Row("", muted=True, mark=_words_only(below, weight), same_line=True),
    ]


def _words_only(counts: tuple[str, str], weight: str = "") -> Mark:
    return Mark(math.nan, math.nan, math.nan, "none", counts=counts, weight=weight)


def _measure_head(forest: Forest) -> str:
    name = {"proportion": "Proportion"}.get(forest.measure) or MEASURES[forest.measure]
    return f"{name} ({fmt.level(forest.level)} CI)"


def _group_rows(group: ForestGroup, forest: Forest) -> list[Row]:
    heading = [Row(pretty(group.label), muted=True, before=SPACE, level=2)] if group.label else []
    studies = [_study_row(row, forest) for row in group.rows]
    share = sum(row.weight for row in group.rows)
    pooled = _summary_rows(group.summary, forest, share) if group.summary else []
    told = group.reason and len(group.rows) > 1 and not group.summary
    reason = [Row(group.reason, muted=True, joins=True)] if told else []
    return [*heading, *studies, *pooled, *reason]


def _end_rows(forest: Forest) -> list[Row]:
    total = _summary_rows(forest.total, forest, 100.0) if forest.total else []
    return [*total, *([Row(between_words(forest), muted=True, joins=True)] if forest.test else [])]


def _study_row(row: ForestStudy, forest: Forest) -> Row:
    study, none = row.study, row.study.comparator
    counts = [f"{fmt.count(arm.events, arm.n)}{arm.sign}" for arm in (study.treatment, none) if arm]
    known = not math.isnan(row.weight)
    size = max(SMALLEST, LARGEST * math.sqrt(row.weight / 100)) if known else ALONE
    mark = Mark(
        row.estimate, row.low, row.high, "none" if math.isnan(row.estimate) else "square", size,
        (counts[0], counts[1] if none else ""), _percent(row.weight),
        row.judgement,
    )  # fmt: skip
    return Row(pretty(row.label), effect_words(forest, row.estimate, row.low, row.high), mark=mark)


def _summary_rows(one: Summary, forest: Forest, share: float) -> list[Row]:
    counts = tuple(fmt.count(e, n) if n else "" for e, n in zip(one.events, one.patients, strict=True))
    shape: Shape = "hollow" if one.secondary or one.label.startswith("All designs") else "diamond"
    mark = Mark(one.estimate, one.low, one.high, shape, counts=(counts[0], counts[1]), weight=_percent(share))
    rows = [Row(one.label, effect_words(forest, one.estimate, one.low, one.high), bold=True, mark=mark)]
    if one.secondary and not math.isnan(one.wald_low):
        rows.append(_bar("The same by Wald’s method", forest, one.estimate, one.wald_low, one.wald_high))
    if not math.isnan(one.pi_low):
        rows.append(_bar("Prediction interval", forest, math.nan, one.pi_low, one.pi_high))
    return [*rows, Row(heterogeneity_words(one), muted=True, joins=True)]


def _percent(weight: float) -> str:
    if math.isnan(weight):
        return ""
    return f"{fmt.number(weight, 1)}%" if weight else "–"


def _bar(label: str, forest: Forest, estimate: float, low: float, high: float) -> Row:
    limits = (
        effect_words(forest, estimate, low, high) if not math.isnan(estimate) else _limits(forest, low, high)
    )
    return Row(label, limits, mark=Mark(math.nan, low, high, "bar"), joins=True)


def _limits(forest: Forest, low: float, high: float) -> str:
    if forest.measure == "proportion":
        return f"{fmt.number(low * 100, 1)} to {fmt.number(high * 100, 1)}%"
    if forest.measure == "RD":
        return f"{fmt.signed(low * 100, 1)} to {fmt.signed(high * 100, 1)}"
    return f"{fmt.ratio_number(low)} to {fmt.ratio_number(high)}"


def effect_words(forest: Forest, estimate: float, low: float, high: float) -> str:
    """Return an effect or a proportion with its interval as the figure writes it."""
    if forest.measure == "proportion":
        return fmt.risk(estimate, low, high)
    return fmt.effect(forest.measure, estimate, low, high)


def heterogeneity_words(one: Summary) -> str:
    """Return the heterogeneity line: Q, df, P, I2 and tau2 with its interval."""
    digits = 3 if one.measure == "RD" else 2  # a variance of differences is small
    tau2 = "" if math.isnan(one.tau2) else f"τ² = {fmt.number(one.tau2, digits)}"
    if tau2 and not math.isnan(one.tau2_low):
        tau2 += f" ({fmt.number(one.tau2_low, digits)} to {fmt.number(one.tau2_high, digits)})"
    q = "" if math.isnan(one.q) else f"Q = {fmt.number(one.q, 2)}, df = {one.q_df}, {fmt.p_words(one.q_p)}"
    i2 = "" if math.isnan(one.i2) else f"I² = {fmt.number(one.i2, 0)}%"
    told = "; ".join(filter(None, (q, i2, tau2))) or "not estimable"
    return f"Heterogeneity: {told}."


def between_words(forest: Forest) -> str:
    """Return the test of whether the groups differ, in words."""
    if forest.test is None or forest.test.statistic is None:
        return ""
    q, df = fmt.number(forest.test.statistic, 2), int(forest.test.df or 0)
    return f"Difference between groups: Q = {q}, df = {df}, {fmt.p_words(forest.test.p)}."


def _scale(sections: Sequence[Section]) -> Scale:
    first = sections[0].forest
    shown: list[ForestStudy | Summary] = []
    for section in sections:
        shown += section.forest.rows
        shown += [one for one in section.forest.summaries if not one.secondary]
    values = [end for one in shown for end in (one.estimate, one.low, one.high)]
    if first.measure == "proportion":
        return percent_scale(max([0.0, *(value for value in values if not math.isnan(value))]), "Proportion")
    name = {"RD": "Risk difference, percentage points"}.get(
        first.measure, f"{MEASURES.get(first.measure, first.measure)}, logarithmic axis"
    )
    return effect_scale(first.measure, values, name)


def _is_cut(mark: Mark, scale: Scale) -> bool:
    return mark.low < scale.low or mark.high > scale.high


def _canvas(rows: Sequence[Row], place: Layout, bottom: float) -> tuple[Canvas, Axes]:
    from matplotlib.figure import Figure as MatplotlibFigure

    width, left, right = place.columns.width, place.columns.left, place.columns.right
    body = sum(map(place.height, rows))
    height = TOP + body + bottom
    figure = MatplotlibFigure(figsize=(width / 72, height / 72))
    axis = figure.add_axes((left / width, bottom / height, (right - left) / width, body / height))
    axis.set_ylim(body, 0)
    return figure, axis


def _draw(axis: Axes, rows: Sequence[Row], scale: Scale, place: Layout) -> None:
    if scale.log:
        axis.set_xscale("log")
    axis.set_xlim(scale.low, scale.high)
    head = sum(map(place.height, rows[:HEADS]))
    if scale.reference is not None:
        draw_reference(axis, scale.reference, beside=place.beside, top=head)
    ends = [_x(0, place), _x(place.columns.width, place)]
    axis.plot(
        ends,
        [head] * 2,
        transform=axis.get_yaxis_transform(),
        color=theme.MUTED,
        linewidth=0.7,
        clip_on=False,
    )
    top = 0.0
    for row in rows:
        _draw_row(axis, row, top + row.before, scale, place)
        top += place.height(row)


def _x(points: float, place: Layout) -> float:
    """Return a place in points from the left edge as a share of the axis."""
    left, right = place.columns.left, place.columns.right
    return (points - left) / (right - left)


def _draw_row(axis: Axes, row: Row, top: float, scale: Scale, place: Layout) -> None:
    """Draw a row: its words, and its mark in the middle of their lines or below them."""
    look = {"weight": "bold" if row.bold else "normal", "color": theme.MUTED if row.muted else theme.INK}
    lines = place.lines(row)
    for number, line in enumerate(lines):
        write(axis, 0.0, top + LINE * (number + 0.5), line, place.columns, **look)
    beside = place.beside or row.same_line
    middle = top + LINE * (len(lines) / 2 if beside else len(lines) + 0.5)
    if row.right:
        at, y = (place.effect, middle) if place.beside else (place.columns.width, top + LINE / 2)
        write(axis, at, y, row.right, place.columns, ha="right", **look)
    if row.mark:
        _draw_mark(axis, row.mark, middle, scale, place, look)


def _draw_mark(axis: Axes, mark: Mark, y: float, scale: Scale, place: Layout, look: dict[str, str]) -> None:
    for points, text in zip(place.counts, mark.counts, strict=True):
        if text:
            write(axis, points, y, text, place.columns, ha="right", **look)
    if mark.weight:
        write(axis, place.weight, y, mark.weight, place.columns, ha="right", **look)
    if mark.judgement in SIGNS_OF_BIAS:
        draw_light_beside(axis, _x(place.columns.width - ROOM / 2 + 1, place), y, mark.judgement)
    _shape(axis, mark, y, scale)


def _shape(axis: Axes, mark: Mark, y: float, scale: Scale) -> None:
    if math.isnan(mark.low) or mark.shape == "none":
        return
    low, high = max(mark.low, scale.low), min(mark.high, scale.high)
    if mark.shape in ("diamond", "hollow"):
        _diamond(axis, mark, y, (low, high))
    elif low < high:
        width = 4.5 if mark.shape == "bar" else 1.4
        color = theme.MUTED if mark.shape == "bar" else theme.INK
        axis.plot((low, high), (y, y), color=color, linewidth=width, solid_capstyle="butt", zorder=3)
    if mark.shape == "square" and scale.low <= mark.estimate <= scale.high:
        axis.plot(
            [mark.estimate], [y], "s", markersize=mark.size, color=theme.INK,
            markeredgecolor=theme.PAPER, markeredgewidth=0.6, clip_on=False, zorder=4,
        )  # fmt: skip
    _arrows(axis, mark, y, scale)


def _diamond(axis: Axes, mark: Mark, y: float, ends: tuple[float, float]) -> None:
    middle = min(max(mark.estimate, ends[0]), ends[1])
    corners = [(ends[0], y), (middle, y - 5.2), (ends[1], y), (middle, y + 5.2)]
    face = theme.PAPER if mark.shape == "hollow" else theme.INK
    xs, ys = zip(*corners, strict=True)
    axis.fill(xs, ys, facecolor=face, edgecolor=theme.INK, linewidth=1.1, zorder=4, clip_on=False)


def _arrows(axis: Axes, mark: Mark, y: float, scale: Scale) -> None:
    look: dict[str, Any] = {"color": theme.INK, "markersize": 5.0, "clip_on": False, "zorder": 5}
    if mark.low < scale.low:
        axis.plot([scale.low], [y], "<", **look)
    if mark.high > scale.high:
        axis.plot([scale.high], [y], ">", **look)


def _axis(axis: Axes, scale: Scale, place: Layout, named: tuple[str, str] | None) -> None:
    name_ticks(axis, scale, place.columns)
    axis.spines["left"].set_visible(False)
    drop = TICKS + (name_sides(axis, named, scale, place.columns) if named else 0.0)
    axis.annotate(
        scale.label, (0.5, 0), xycoords="axes fraction", xytext=(0, -drop), ha="center", va="top",
        textcoords="offset points", color=theme.MUTED,
    )  # fmt: skip


def sides(forest: Forest) -> tuple[str, str]:
    """Return in words what the left and the right of the line of no difference favour."""
    one, none = (
        lower_first(shortened(name, side))
        for name, side in ((forest.treatment, "treatment"), (forest.comparator, "comparator"))
    )
    if forest.better == "higher":
        return f"favours {none}", f"favours {one}"
    if forest.better == "lower":
        return f"favours {one}", f"favours {none}"
    return f"less often with {one}", f"more often with {one}"


def shortened(text: str, side: str, most: int = 28) -> str:
    """Return a name that fits half the width; several names are told as their side of the comparison.

    >>> shortened("Low dose or high dose", "treatment")
    'treatment'
    """
    if " or " in text:
        return side
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _legend(sections: Sequence[Section], *, cut: bool) -> str:
    """Return the sentences that say how the figure is read, and what was done and left undone."""
    forests = [section.forest for section in sections]
    level = fmt.level(forests[0].level)
    pooled = [one for forest in forests for one in forest.summaries]
    what = "one group of a study each" if forests[0].measure == "proportion" else "one study each"
    parts = [
        f"Squares: {what}{', area by weight' if pooled else ''}; lines: {level} confidence intervals.",
        _pooled_words(pooled),
        "Filled diamonds: pooled." if any(not one.secondary for one in pooled) else "",
        "Open diamonds: secondary, not an answer." if any(one.secondary for one in pooled) else "",
        _bars_words(pooled),
        "Arrows: the interval goes on beyond the axis." if cut else "",
        reason_words(sections),
        *dict.fromkeys(note for forest in forests for note in forest.notes),
        *dict.fromkeys(_cells(forest) for forest in forests),
        signs_legend(forests),
        lights_legend({row.judgement for forest in forests for row in forest.rows}),
    ]
    return " ".join(dict.fromkeys(filter(None, parts)))


def _bars_words(pooled: Sequence[Summary]) -> str:
    predicted = any(not math.isnan(one.pi_low) for one in pooled)
    wald = any(one.secondary and not math.isnan(one.wald_low) for one in pooled)
    named = [name for name, shown in (("prediction interval", predicted), ("Wald’s interval", wald)) if shown]
    return f"Thick bars: {' or '.join(named)}, as named." if named else ""


def _pooled_words(pooled: Sequence[Summary]) -> str:
    return " ".join(
        f"Pooled by {method_words(method)}." for method in dict.fromkeys(one.method for one in pooled)
    )


def method_words(method: str) -> str:
    """Return a pooling method in words.

    >>> method_words("REML, HKSJ-adhoc")
    'REML with Hartung-Knapp-Sidik-Jonkman intervals, never narrowed'
    """
    name, _, ci = method.partition(", ")
    return f"{TAU2.get(name, name)}{f' with {INTERVALS[ci]}' if ci in INTERVALS else ''}"


def _cells(forest: Forest) -> str:
    corrections = dict.fromkeys(row.correction for row in forest.rows if row.correction)
    return f"Empty cells: {'; '.join(corrections)}." if corrections else ""


def signs_legend(forests: Sequence[Forest]) -> str:
    """Return the meaning of the signs at the counts."""
    used = {
        arm.sign
        for forest in forests
        for row in forest.rows
        for arm in (row.study.treatment, row.study.comparator)
        if arm
    }
    told = legend_of(map(mark_from, used))
    return f"{told}." if told else ""


def alternative(sections: Sequence[Section]) -> str:
    """Return the alternative text: every study and summary with its numbers."""
    parts = []
    for section in sections:
        forest = section.forest
        parts += [f"{section.title}:"] if section.title else []
        parts += [_study_words(row, forest) for row in forest.rows]
        parts += [
            f"{one.label}: {_measure_word(forest)} {effect_words(forest, one.estimate, one.low, one.high)}."
            for one in forest.summaries
        ]
    return " ".join(parts)


def _study_words(row: ForestStudy, forest: Forest) -> str:
    none = row.study.comparator
    counts = fmt.count(row.study.treatment.events, row.study.treatment.n)
    against = f" against {fmt.count(none.events, none.n)}" if none else ""
    effect = effect_words(forest, row.estimate, row.low, row.high)
    arm = pretty(row.study.treatment.label)
    name = row.label if arm.casefold() in row.label.casefold() else f"{row.label}, {lower_first(arm)}"
    bias = f", risk of bias {row.judgement}" if row.judgement else ""
    return f"{name}: {counts}{against}, {_measure_word(forest)} {effect}{bias}."


def _measure_word(forest: Forest) -> str:
    return lower_first(MEASURES.get(forest.measure, "proportion"))
