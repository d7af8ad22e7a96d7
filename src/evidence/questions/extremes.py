"""The two ends of what patients without a value can do to a difference between two groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from evidence.data import Dataset
from evidence.parameters import Parameters
from evidence.questions.answers import Answer, answer
from evidence.questions.findings import Estimate, measured_difference
from evidence.results import records

SIDES = ("treatment", "comparator")


@dataclass(frozen=True, slots=True)
class Extremes:
    """The patients without a value on both sides, and the lowest and highest difference that they allow.

    ``lowest``: none of those with the treatment had the event and all of the others had it; ``highest``: the
    other way round.
    """

    treatment: int
    comparator: int
    lowest: Estimate
    highest: Estimate

    @property
    def missing(self) -> int:
        """Return how many patients of both groups have no value."""
        return self.treatment + self.comparator


def extremes(one: Answer, data: Dataset, parameters: Parameters) -> Extremes | None:
    """Return the ends of an answer's difference, whatever its parameters do with missing values.

    None where several studies answer or nothing is compared, and where the size of a group is not known.
    """
    seen = answer(one.question_id, data, replace(parameters, missing_data="observed"))
    lost = [_lost(seen, side) for side in SIDES]
    if len(seen.finding.each) != 1 or any(number is None for number in lost):
        return None
    gone, away = (number or 0 for number in lost)
    e1, n1, e0, n0 = seen.finding.studies[0].four
    ends = (e1, n1 + gone, e0 + away, n0 + away), (e1 + gone, n1 + gone, e0, n0 + away)
    return Extremes(gone, away, *(measured_difference(end, parameters) for end in ends))


def _lost(one: Answer, side: str) -> int | None:
    """Return how many patients of a side have no value, None where the size of its group is not known."""
    rows = [row for row in records(one.included) if row["side"] == side]
    if any(pd.isna(row["enrolled"]) for row in rows):
        return None
    return sum(max(0, int(row["enrolled"]) - int(row["n"])) for row in rows)
