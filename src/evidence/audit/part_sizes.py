"""Sizes of the arms of a part of a study: of all patients, while the part is printed as one of fewer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import pandas as pd

from evidence.audit.finding import Finding
from evidence.audit.material import Material
from evidence.data import Dataset
from evidence.data.values import by_value

CLASS = ["outcome_id", "category", "subgroup", "level", "time", "time_unit"]


@dataclass(frozen=True, slots=True)
class PartSizes:
    """A part of a study whose arms are sized as a class of all patients, and whose total is of fewer.

    ``rows`` are the results of the part that rest on the sizes, ``classes`` the class of each arm, ``total``
    the row that prints the part as ``part`` of ``some``; ``everybody`` are the patients of all arms.
    """

    rows: tuple[str, ...]
    classes: tuple[str, ...]
    total: str
    sizes: tuple[int, ...]
    part: int
    some: int
    everybody: int

    @property
    def p(self) -> float:
        """Return the chance that none of those left out is of the part, were they left out at random.

        Hypergeometric: all who are left out come from outside the part.

        >>> round(PartSizes((), (), "", (2, 3), 5, 8, 10).p, 4)  # C(5, 2) / C(10, 2) = 10 / 45
        0.2222
        """
        left = self.everybody - self.some
        return comb(self.everybody - self.part, left) / comb(self.everybody, left)

    @property
    def words(self) -> str:
        """Return as a clause why the sizes are in doubt."""
        arms = f"{', '.join(map(str, self.sizes[:-1]))} and {self.sizes[-1]}"
        left = self.everybody - self.some
        return (
            f"the {self.part} patients are printed as a part of {self.some}, but the sizes of the arms, "
            f"{arms}, are those of a class of all {self.everybody}: both hold only if none of the {left} "
            f"others is of the class (P = {self.p:.2g} if by chance)"
        )


def part_sizes(data: Dataset) -> list[PartSizes]:
    """Return the parts of studies whose arms are sized as a class of more patients than the part is of."""
    named = data.studies[data.studies["parent_study_id"].ne("") & data.studies["n"].notna()]
    return [found for part in named.itertuples() for found in _sizes(data.counts, part)]


def _sizes(counts: pd.DataFrame, part: Any) -> Iterator[PartSizes]:
    size, known = int(part.n), counts["events"].notna() & counts["n"].notna() & counts["counted"]
    own = counts[counts["study_id"].eq(part.study_id) & counts["n"].notna()]
    whole = counts[counts["study_id"].eq(part.parent_study_id) & known & counts["category"].ne("")]
    arms = whole[whole["arm_id"].isin(set(own["arm_id"]))]
    totals = whole[whole["events"].eq(size) & ~whole["arm_id"].isin(set(own["arm_id"]))]
    for _, same in arms.groupby(CLASS, sort=False, dropna=False):
        rows = own[own["n"].eq(own["arm_id"].map(dict(zip(same["arm_id"], same["events"], strict=True))))]
        everybody = int(same["n"].sum())
        fewer = totals[totals["n"].lt(everybody)]
        fits = same["events"].sum() == size and set(rows["arm_id"]) == set(same["arm_id"])
        if fits and len(same) > 1 and len(fewer):
            ids, classes = tuple(rows["row_id"]), tuple(same["row_id"])
            total, some = str(fewer["row_id"].iloc[0]), int(fewer["n"].iloc[0])
            yield PartSizes(ids, classes, total, tuple(map(int, same["events"])), size, some, everybody)


@by_value
def part_doubts(data: Dataset, *, alpha: float = 0.05) -> dict[str, str]:
    """Return the rows that rest on such sizes, with the question, where chance alone hardly explains them."""
    return {row: one.words for one in part_sizes(data) if one.p < alpha for row in one.rows}


def parts_are_of_those_they_say(m: Material) -> Iterator[Finding]:
    """Ask whether the arms of a part of a study can be sized by all patients where the part is of fewer."""
    for one in part_sizes(m.data):
        ids = (*one.rows, *one.classes, one.total)
        reported = f"{one.part} of {one.some}"
        shown = f"{' + '.join(map(str, one.sizes))} of {one.everybody}"
        why = f"{one.words[:1].upper()}{one.words[1:]}."
        if one.p < m.alpha:
            yield Finding(ids, reported, shown, "not_checkable", why, "conclusion")
        else:
            yield Finding(ids, reported, shown, "consistent", why)
