"""The specification curve: every analysis of a question, sorted, over the choices that lead to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evidence.data import Dataset
from evidence.display import theme
from evidence.display.figures.draw import at_widths, nothing
from evidence.display.labels import ci, interval_words, lower_first
from evidence.display.model import Figure
from evidence.display.tables.synthesis import curve_words, nothing_left_words
from evidence.parameters import Parameters
from evidence.synthesis.specifications import Curve, Specification, specifications
from evidence.wording import told_difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 178.0, 8.0, 20.0, 4.0, 10.0  # points around and between the panels
CURVE, LINE = 128.0, 14.0  # points: height of the curve, of one option
CROWDED = 60  # analyses from which marks shrink
LONGEST = 36  # characters of an option that fit beside the marks
STEPS = (25, 50, 100, 200, 250, 500)  # per 1,000 between two ticks


def specification_figure(data: Dataset, parameters: Parameters, *, question_id: str) -> Figure:
    """Draw the difference in risk of one question under the combinations of choices.

    Above, the analyses from the lowest to the highest estimate with their intervals; below, a mark for every
    option that leads to the analysis. Dimensions in which no choice changed a number are told in the caption.
    """
    return curve_figure(specifications(question_id, data, parameters), parameters)


def curve_figure(curve: Curve, parameters: Parameters) -> Figure:
    """Draw the analyses of a curve, whichever choices they differ in."""
    caption = _caption(curve, parameters)
    if not curve.specifications:
        return nothing(caption)
    wide, narrow = at_widths(lambda width: _drawn(curve, width))
    return Figure(wide, caption, _alt(curve, parameters), curve_frame(curve), narrow=(narrow,))


def _drawn(curve: Curve, width: float) -> Canvas:
    figure, upper, lower = _canvas(curve, width)
    _draw_curve(upper, curve)
    _draw_choices(lower, curve)
    return figure


def curve_frame(curve: Curve) -> pd.DataFrame:
    """Return every analysis as a row: its choices, difference in risk, and what it allows to be said."""
    rows = []
    for rank, one in enumerate(curve.specifications, start=1):
        chosen: dict[str, Any] = {}
        for dimension, option in one.choices:
            chosen[dimension] = "|".join(filter(None, (chosen.get(dimension, ""), option)))
        numbers = {"estimate": one.estimate, "low": one.low, "high": one.high, "studies": one.studies}
        said = {"direction": one.direction, "main": one.main}
        rows.append({"question_id": curve.question_id, "rank": rank} | chosen | numbers | said)
    return pd.DataFrame(rows)


def _options(curve: Curve) -> list[tuple[str, str]]:
    """Return the rows of the lower panel: a heading (no option) and its options."""
    rows: list[tuple[str, str]] = []
    for dimension, options in curve.options.items():
        rows += [(dimension, ""), *((dimension, option) for option in options)]
    return rows


def _canvas(curve: Curve, points: float) -> tuple[Canvas, Axes, Axes]:
    from matplotlib.figure import Figure as MatplotlibFigure

    below = LINE * len(_options(curve))
    height = TOP + CURVE + BETWEEN + below + BOTTOM
    figure = MatplotlibFigure(figsize=(points / 72, height / 72))
    wide = (points - LEFT - RIGHT) / points
    upper = figure.add_axes((LEFT / points, (height - TOP - CURVE) / height, wide, CURVE / height))
    lower = figure.add_axes((LEFT / points, BOTTOM / height, wide, max(below, 1.0) / height))
    for axis in (upper, lower):
        axis.set_xlim(-0.7, len(curve.specifications) - 0.3)
        axis.set_xticks([])
        for side in ("left", "bottom"):
            axis.spines[side].set_visible(False)
    return figure, upper, lower


def _draw_curve(axis: Axes, curve: Curve) -> None:
    low, high, ticks = _range(curve.specifications)
    axis.set_ylim(low, high)
    axis.set_yticks(ticks, labels=[_signed(tick) for tick in ticks])
    axis.grid(axis="y")
    axis.axhline(0, color=theme.MUTED, linewidth=1.0, zorder=1)
    for important in {curve.answer.important, -curve.answer.important} - {0.0}:
        if low < important < high:
            axis.axhline(important, color=theme.MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for place, one in enumerate(curve.specifications):
        _draw_one(axis, place, one, curve)
    axis.annotate(
        "Difference per 1,000 patients", (0, 1), xycoords="axes fraction", xytext=(-5, 7),
        textcoords="offset points", ha="right", va="bottom", weight="bold",
    )  # fmt: skip
    ends = ((f"more with {_treatment(curve)} ↑", 1.0, "top"), ("fewer ↓", 0.0, "bottom"))
    for text, end, edge in ends:
        if end or low < 0:
            axis.annotate(
                text, (0, end), xycoords="axes fraction", xytext=(-36, 0), textcoords="offset points",
                ha="right", va=edge, color=theme.MUTED,
            )  # fmt: skip


def _treatment(curve: Curve) -> str:
    names = dict.fromkeys(study.treatment.label for study in curve.answer.finding.studies)
    name = " or ".join(names)
    return lower_first(name) if 0 < len(name) <= 20 else "treatment"


def _signed(tick: float) -> str:
    return f"{tick:+.0f}".replace("-", "−") if tick else "0"


def _range(shown: Sequence[Specification]) -> tuple[float, float, list[float]]:
    ends = [1000 * end for one in shown for end in (one.low, one.high)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    step = next((one for one in STEPS if (high - low) / one <= 5), STEPS[-1])
    first, last = math.floor(low / step), math.ceil(high / step)
    return float(first * step), float(last * step), [float(step * i) for i in range(first, last + 1)]


def _look(one: Specification, curve: Curve) -> tuple[str, str]:
    """Return the colour of an analysis and what fills its mark: nothing where the conclusion is another.

    No colour of a series: in a report those stand for treatments.
    """
    same = one.direction == curve.answer.verdict.direction
    color = theme.MUTED if same and not one.main else theme.INK
    return color, color if same else theme.PAPER


def _draw_one(axis: Axes, place: int, one: Specification, curve: Curve) -> None:
    color, face = _look(one, curve)
    crowded = len(curve.specifications) > CROWDED
    low, middle, high = (1000 * value for value in (one.low, one.estimate, one.high))
    look: dict[str, Any] = {"color": color, "linewidth": 0.8 if crowded else 1.8, "zorder": 2}
    look["linestyle"] = "-" if face == color else (0, (3, 1.2))
    axis.plot([place, place], [low, high], **look)
    size = 2.5 if crowded else 7.0 if one.main else 6.0
    marker = "D" if one.main else "o"
    axis.plot(
        [place], [middle], marker, markersize=max(size, 6.0) if one.main else size, color=color,
        markerfacecolor=face, markeredgewidth=1.2, zorder=4 if one.main else 3,
    )  # fmt: skip


def _draw_choices(axis: Axes, curve: Curve) -> None:
    """Draw a row of marks for each option; all marks that look alike in one go, since there are thousands."""
    rows = _options(curve)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_yticks([])
    crowded = len(curve.specifications) > CROWDED
    none = _Mark(".", 2.0, theme.GRID, theme.GRID, 1.0, 2)
    alike: dict[_Mark, list[tuple[int, int]]] = {}
    for place, (dimension, option) in enumerate(rows):
        _write(axis, place, _fitted(option or dimension), bold=not option)
        for rank, one in enumerate(curve.specifications if option else ()):
            chosen = (dimension, option) in one.choices
            if chosen or not crowded:
                mark = _mark(one, curve, crowded=crowded) if chosen else none
                alike.setdefault(mark, []).append((rank, place))
    for mark, places in alike.items():
        axis.plot(
            *zip(*places, strict=True), mark.shape, markersize=mark.size, color=mark.color, clip_on=False,
            markerfacecolor=mark.face, markeredgewidth=mark.width, zorder=mark.zorder,
        )  # fmt: skip


class _Mark(NamedTuple):
    """How an option is marked that leads to an analysis, or does not."""

    shape: str
    size: float
    color: str
    face: str
    width: float
    zorder: int


def _mark(one: Specification, curve: Curve, *, crowded: bool) -> _Mark:
    """Return the mark of an option that leads to an analysis; short or open for another conclusion."""
    color, face = _look(one, curve)
    shape, size = ("D" if one.main else "o"), 5.5
    if crowded and not one.main:
        shape, size = "|", 8.0 if face != theme.PAPER else 3.5
    return _Mark(shape, size, color, face, 0.9 if crowded else 1.2, 5 if one.main else 3)


def _fitted(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _write(axis: Axes, place: int, text: str, *, bold: bool) -> None:
    axis.annotate(
        text, (0, place), xycoords=("axes fraction", "data"), xytext=(-LEFT + (0 if bold else 8), 0),
        textcoords="offset points", ha="left", va="center", weight="bold" if bold else "normal",
    )  # fmt: skip


def _caption(curve: Curve, parameters: Parameters) -> str:
    if not curve.specifications:
        return f"{curve.title}: no analysis is possible. {nothing_left_words(curve)}".strip()
    parts = [
        f"{curve.title}: difference per 1,000 patients {_each_words(curve)}.",
        curve_words(curve),
        f"Lines: {interval_words(parameters)}s. Diamond: the report’s own analysis."
        if any(one.main for one in curve.specifications)
        else f"Lines: {interval_words(parameters)}s.",
        "Open or short marks and broken lines: another conclusion."
        if curve.same < len(curve.specifications)
        else "",
        f"Dotted: {curve.answer.important:g} per 1,000, the smallest difference named as mattering."
        if curve.answer.important
        else "",
    ]
    return " ".join(filter(None, parts))


def _each_words(curve: Curve) -> str:
    if curve.only_intervals:
        return "with its interval by each method, lowest limit first"
    return "in each analysis, lowest estimate first"


def _alt(curve: Curve, parameters: Parameters) -> str:
    shown = [_alt_one(one, parameters) for one in _ends(curve)]
    return f"Specification curve. {curve_words(curve)} {' '.join(shown)}"


def _ends(curve: Curve) -> list[tuple[str, Specification]]:
    all_of = curve.specifications
    main = [("The report’s own", one) for one in all_of if one.main]
    return [*main, ("Lowest", all_of[0]), ("Highest", all_of[-1])]


def _alt_one(named: tuple[str, Specification], parameters: Parameters) -> str:
    name, one = named
    limits = (one.estimate, one.low, one.high)
    return f"{name}: {told_difference(limits, interval=ci(parameters))}."
