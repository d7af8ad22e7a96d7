"""Answers for people who are not of the trade: out of 100 people, in short sentences."""

from __future__ import annotations

from typing import Unpack

from evidence.data import Dataset
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.synthesis import Asked, asked_questions
from evidence.format import number
from evidence.parameters import Parameters
from evidence.questions import Answer, answer
from evidence.synthesis.certainty import certainty
from evidence.wording import Allocation, Direction

REASONS = {
    4: "We are sure that this is due to the treatment.",
    3: "This is likely to be due to the treatment. New studies could change the numbers.",
    2: "This may be due to the treatment, but we are not sure.",
    1: "We cannot tell if this is due to the treatment.",
}
CHANCE: dict[Allocation, str] = {
    "randomised": "",
    "not randomised": "Chance did not decide who got which drug. "
    "The two groups may have been different from the start.",
    "not stated": "We do not know if chance decided who got which drug.",
}
OPEN: dict[Direction, str] = {
    "small": "So the gap, if there is one, is small.",
    "uncertain": "So we cannot tell which group did better.",
    "described": "No other group was watched. So we cannot tell what the treatment did.",
}
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
    return Prose(escape(" ".join([*_numbers(one, what, treated, other), *_meaning(one, sure.level)])))


def _meaning(one: Answer, level: int) -> list[str]:
    """Return what may be made of the numbers, and whether the treatment is why."""
    if one.verdict.direction in OPEN:
        return [OPEN[one.verdict.direction]]
    return [*filter(None, [CHANCE[one.allocation]]), REASONS[level]]


def _numbers(one: Answer, what: str, treated: str, other: str) -> list[str]:
    """Return who did how often, and how far the gap could lie."""
    assert one.treatment is not None  # noqa: S101 - the caller has looked
    with_it = f"Out of 100 people with {treated}, about {_hundred(one.treatment.estimate)} {what}."
    if one.control is None or one.difference is None:
        return [with_it]
    without = f"Out of 100 with {other}, about {_hundred(one.control.estimate)} did."
    shown = one.finding.each if one.finding.side_by_side else (one.difference,)
    low, high = min(each.low for each in shown), max(each.high for each in shown)
    return [with_it, without, f"The true gap could lie between {_gap(low, high)}."]


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
