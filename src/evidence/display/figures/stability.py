"""What no choice changes, in one figure; what some choice changes, analysis by analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import pandas as pd

from evidence.data import Dataset
from evidence.display.figures.draw import Interval, Panel, Scale, nothing
from evidence.display.figures.effects import drawn
from evidence.display.figures.specification import curve_figure, curve_frame
from evidence.display.labels import ci, interval_words, joined, lower_first, pretty
from evidence.display.model import Figure
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.tables.answered import split_title
from evidence.parameters import Parameters
from evidence.synthesis.specifications import Curve, Specification, specifications
from evidence.wording import difference_text, per_1000, told_difference

STEPS = (50, 100, 200, 250, 500)  # per 1,000 between two ticks
MOST_TICKS = 8
TOLD = 6  # questions that an alternative text tells one by one


def curves(data: Dataset, parameters: Parameters, *, changing: bool, **asked: Unpack[Asked]) -> list[Curve]:
    """Return the curves of the compared questions that some choice changes, or of the others."""
    compared = [one for one in asked_questions(data, **asked) if one["comparator"]]
    made = [specifications(str(one["question_id"]), data, parameters) for one in compared]
    return [one for one in made if one.specifications and (one.same < len(one.specifications)) == changing]


def changing_figure(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Figure:
    """Draw every analysis of each question in which a choice changes the conclusion."""
    found = curves(data, parameters, changing=True, **asked)
    if not found:
        return nothing("In no question does a choice change the conclusion.")
    made = [curve_figure(one, parameters) for one in found]
    if len(made) == 1:
        return made[0]
    named = joined([lower_first(one.title) for one in found])
    caption = f"{len(made)} questions in which a choice changes the conclusion, from above: {named}."
    told = [caption, *(one.caption for one in made)]
    alt = " ".join(f"{one.title}. {each.alt}" for one, each in zip(found, made, strict=True))
    frame = pd.concat([one.data for one in made], ignore_index=True)
    first, *more = (one.figure for one in made)
    narrow = tuple(drawing for one in made for drawing in one.narrow)
    return Figure(first, " ".join(told), alt, frame, tuple(more), narrow)


def unchanged_figure(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Figure:
    """Draw the questions that keep their conclusion in each analysis made: own result and span of all."""
    found = curves(data, parameters, changing=False, **asked)
    if not found:
        return nothing("In every question some choice changes the conclusion.")
    rows = _rows(found)
    alt = _alt(found, parameters)
    frame = pd.concat([curve_frame(one) for one in found], ignore_index=True)
    panel = Panel(rows, _scale(rows))
    return drawn(panel, _caption(found, parameters), alt, frame)


def _rows(found: Sequence[Curve]) -> list[Interval]:
    """Return a row per question, those about the same patients together under their name."""
    about: dict[str, list[Interval]] = {}
    for one in found:
        whom, what = split_title(one.title)
        about.setdefault(whom, [Interval(whom)] if whom else []).append(_row(one, pretty(what)))
    return [row for some in about.values() for row in some]


def _row(curve: Curve, what: str) -> Interval:
    own, (low, high) = _own(curve), _span(curve)
    text = f"{per_1000(own.estimate)} ({per_1000(own.low)} to {per_1000(own.high)})".replace("-", "−")
    return Interval(
        what, 1000 * own.estimate, 1000 * own.low, 1000 * own.high, text, band=(1000 * low, 1000 * high)
    )


def _own(curve: Curve) -> Specification:
    """Return the report's own analysis; where it is none of them, the one in the middle."""
    made = curve.specifications
    return next((one for one in made if one.main), made[len(made) // 2])


def _span(curve: Curve) -> tuple[float, float]:
    made = curve.specifications
    return min(one.low for one in made), max(one.high for one in made)


def _scale(rows: Sequence[Interval]) -> Scale:
    ends = [end for row in rows if row.band for end in row.band]
    low, high = min(0.0, *ends), max(0.0, *ends)
    step = next((one for one in STEPS if (high - low) / one <= MOST_TICKS), STEPS[-1])
    ticks = tuple(float(step * i) for i in range(int(low // step), int(-(-high // step)) + 1))
    labels = tuple(f"{tick:+.0f}".replace("-", "−") if tick else "0" for tick in ticks)
    return Scale(ticks[0], ticks[-1], ticks, labels, "Difference per 1,000 patients", reference=0.0)


def _caption(found: Sequence[Curve], parameters: Parameters) -> str:
    return (
        f"{len(found)} {'question' if len(found) == 1 else 'questions'} with the same conclusion throughout: "
        f"{_throughout(found)}. "
        f"Dot and line: the report’s own difference per 1,000 with its {interval_words(parameters)}. "
        "Pale bar: from the lowest to the highest limit of any of them."
    )


def _throughout(found: Sequence[Curve]) -> str:
    """Return in how many questions only the interval was made in another way, and in how many more varied."""
    same = [len(one.specifications) for one in found if one.only_intervals]
    other = [len(one.specifications) for one in found if not one.only_intervals]
    told = [f"{len(same)} by {_between(same)} methods of the interval of the same counts"] if same else []
    told += [f"{len(other)} in {_between(other)} analyses"] if other else []
    return "; ".join(told)


def _between(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _alt(found: Sequence[Curve], parameters: Parameters) -> str:
    """Return each question in words; of many, those at the two ends and how many of them have a direction."""
    if len(found) <= TOLD:
        told = [_told(one, parameters) for one in found]
    else:
        ordered = sorted(found, key=lambda one: _own(one).estimate)
        clear = sum(_own(one).low > 0 or _own(one).high < 0 for one in found)
        low, high = min(_span(one)[0] for one in found), max(_span(one)[1] for one in found)
        told = [
            f"Fewest: {_told(ordered[0], parameters)}",
            f"Most: {_told(ordered[-1], parameters)}",
            f"The own interval leaves out no difference in {clear} of them.",
            f"The limits of all analyses of all questions go from {difference_text(low, high)}.",
        ]
    return " ".join([f"Intervals of {len(found)} questions.", *told])


def _told(curve: Curve, parameters: Parameters) -> str:
    own, (low, high) = _own(curve), _span(curve)
    shown = told_difference((own.estimate, own.low, own.high), interval=ci(parameters))
    return f"{pretty(curve.title)}: {shown}; limits of all analyses {difference_text(low, high)}."
