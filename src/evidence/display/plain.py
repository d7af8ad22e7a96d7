"""Answers for people who are not of the trade: out of 100 people, in short sentences."""

from __future__ import annotations

from typing import Unpack

from evidence.data import Dataset
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.traced import numbers_traced, traced
from evidence.format import number
from evidence.parameters import Parameters
from evidence.questions import Answer, answer
from evidence.results import records
from evidence.synthesis.certainty import certainty
from evidence.wording import Allocation, Direction

REASONS = {
    4: "We are sure that this is due to the treatment.",
    3: "This is likely to be due to the treatment.",
    2: "This may be due to the treatment, but we are not sure.",
    1: "We cannot tell if this is due to the treatment.",
}
CHANCE: dict[Allocation, str] = {
    "randomised": "",
    "not randomised": "Chance did not decide who got which drug, "
    "so the groups may have differed from the start.",
    "not stated": "We do not know if chance decided who got which drug.",
}
OPEN: dict[Direction, str] = {
    "small": "So the gap, if there is one, is small.",
    "uncertain": "So we cannot tell which group did better.",
    "described": "No other group was watched. So we cannot tell what the treatment did.",
}
SIDES = ("treatment", "comparator")
NO_DATA = "We found no numbers for this."


def plain_prose(
    data: Dataset, parameters: Parameters, *, what: str, treated: str, other: str = "", **asked: Unpack[Asked]
) -> Prose:
    """Return one answer for patients: people out of 100, what is not known, and how sure we are.

    Args:
        data: the dataset.
        parameters: those of the report.
        what: what happened to the people, as it follows a number: ``got well``.
        treated: the treatment in plain words.
        other: what the others had, in plain words.
        asked: columns of ``questions.csv``; the first question that fits is answered.
    """
    questions = asked_questions(data, **asked)
    if not questions:
        return Prose(NO_DATA)
    one = answer(str(questions[0]["question_id"]), data, parameters)
    sure = certainty(one, data, parameters)
    if sure is None or one.treatment is None:
        return Prose(NO_DATA)
    told = [*_numbers(one, what, treated, other, data), *map(escape, _meaning(one, sure.level))]
    return Prose(" ".join(told))


def _meaning(one: Answer, level: int) -> list[str]:
    """Return what may be made of the numbers, and whether the treatment is why."""
    if one.verdict.direction in OPEN:
        return [OPEN[one.verdict.direction]]
    return [*filter(None, [CHANCE[one.allocation]]), REASONS[level]]


def _numbers(one: Answer, what: str, treated: str, other: str, data: Dataset) -> list[str]:
    """Return who did how often, and which gaps fit if only chance was at work, with the data rows."""
    assert one.treatment is not None  # noqa: S101 - the caller has looked
    rows = {
        side: [str(row["row_id"]) for row in records(one.included) if row["side"] == side] for side in SIDES
    }
    with_it = traced(_hundred(one.treatment.estimate), rows["treatment"], data)
    told = [f"Out of 100 people with {escape(treated)}, about {with_it} {escape(what)}."]
    told += _counted_in_part(one, treated, other, data)
    if one.control is None or one.difference is None:
        return told
    without = traced(_hundred(one.control.estimate), rows["comparator"], data)
    shown = one.finding.each if one.finding.side_by_side else (one.difference,)
    gap = _gap(min(each.low for each in shown), max(each.high for each in shown))
    between = numbers_traced(gap, [row for side in SIDES for row in rows[side]], data)
    return [
        *told,
        f"Out of 100 with {escape(other)}, about {without} did.",
        f"By chance alone, the gap may be between {between}.",
    ]


def _counted_in_part(one: Answer, treated: str, other: str, data: Dataset) -> list[str]:
    """Return how many were counted of how many where a group was not counted whole."""
    sides = [
        pair
        for study in one.finding.studies
        for pair in ((study.treatment, treated), (study.comparator, other))
    ]
    return [
        numbers_traced(
            f"Of {arm.group} people with {name}, only {arm.n} were counted.", arm.rows.split("|"), data
        )
        for arm, name in sides
        if arm and arm.group
    ]


def _hundred(share: float) -> str:
    return number(share * 100, 0)


def _gap(low: float, high: float) -> str:
    """Return both ends of a difference in people out of 100, the end nearer to no difference first.

    >>> _gap(0.035, 0.38), _gap(-0.012, 0.353), _gap(-0.3, -0.1)
    ('4 more and 38 more', '1 fewer and 35 more', '10 fewer and 30 fewer')
    """
    ends = (low, high) if high > 0 else (high, low)
    first, last = (f"{_hundred(abs(end))} {'more' if end >= 0 else 'fewer'}" for end in ends)
    return f"{first} and {last}"
