"""The printed figures as the checks read them: plain rows, grouped once, tests done again once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from evidence.audit.recompute import Figures, Recomputed, counted_table, recompute_from
from evidence.data import Dataset
from evidence.format import in_sentence

Row = TypeVar("Row")
DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}


class Arm(NamedTuple):
    """An arm of a study."""

    row_id: str
    study_id: str
    arm_id: str
    label: str
    n: int | None
    role: str
    combines: str


class Count(NamedTuple):
    """A printed count or percentage, with what the printing cites where it quotes somebody else."""

    row_id: str
    source_id: str
    locator: str
    study_id: str
    arm_id: str
    outcome_id: str
    category: str
    subgroup: str
    level: str
    analysis_set: str
    time: float | None
    time_unit: str
    time_label: str
    events: int | None
    n: int | None
    n_basis: str
    percent: str
    low: str
    high: str
    interval_level: float | None
    basis: str
    category_label: str
    counted: bool
    same_as: str
    derived_from: str
    admissible_n: str
    cites: str

    @property
    def printed(self) -> bool:
        """Return whether the count itself is printed, not recovered from the percentage."""
        return self.events is not None and self.basis == "printed" and not self.derived_from


class Measure(NamedTuple):
    """A printed mean, median or other value."""

    row_id: str
    source_id: str
    locator: str
    study_id: str
    arm_id: str
    outcome_id: str
    category: str
    subgroup: str
    level: str
    analysis_set: str
    time: float | None
    time_unit: str
    time_label: str
    from_time: float | None
    n: int | None
    statistic: str
    value: str
    spread: str
    spread_label: str
    low: str
    high: str
    interval_label: str
    unit: str
    counted: bool
    same_as: str


class Test(NamedTuple):
    """A printed test or effect."""

    row_id: str
    source_id: str
    locator: str
    study_id: str
    outcome_id: str
    category: str
    subgroup: str
    level: str
    analysis_set: str
    time: float | None
    time_unit: str
    time_label: str
    from_time: float | None
    arms: str
    test_label: str
    statistic_label: str
    statistic: str
    df: str
    p: str
    effect_label: str
    effect: str
    low: str
    high: str
    interval_level: float | None
    adjusted: str
    counted: bool

    @property
    def arm_ids(self) -> tuple[str, ...]:
        """Return the arms compared, in printed order."""
        return tuple(arm for arm in self.arms.split("|") if arm)

    @property
    def exact_p(self) -> bool:
        """Return whether P is printed as a figure and not as a limit."""
        return bool(self.p) and self.p[0] not in "<>≤≥"


class Claim(NamedTuple):
    """A sentence that a number can contradict."""

    row_id: str
    source_id: str
    locator: str
    cites: str
    study_id: str
    kind: str
    outcome_id: str
    arms: str
    subgroup: str
    level: str
    time: float | None
    time_unit: str
    value: str
    low: str
    high: str
    unit: str
    paraphrase: str
    note: str = ""

    @property
    def arm_ids(self) -> tuple[str, ...]:
        """Return the arms it speaks of, in printed order."""
        return tuple(arm for arm in self.arms.split("|") if arm)


class Outcome(NamedTuple):
    """An outcome."""

    outcome_id: str
    label: str
    domain: str
    type: str
    better: str
    unit: str
    parent_id: str
    partition: str


Timed = Count | Measure | Test


def moment(row: Timed) -> tuple[Hashable, ...]:
    """Return when a result was read: time and unit, or the label where no time is printed."""
    return (row.time, row.time_unit) if row.time is not None else (None, row.time_label)


def days(row: Timed | Claim) -> float | None:
    """Return the time of a result in days, None where it has none."""
    return None if row.time is None else row.time * DAYS.get(row.time_unit, 1.0)


def part(row: Timed | Claim) -> tuple[str, str, str, str]:
    """Return which result of which part of a study a row is about, leaving time, arm and class aside."""
    return (row.study_id, row.outcome_id, row.subgroup, row.level)


def plain(name: str) -> str:
    """Return the id of a class or level in words."""
    return name.replace("_", " ")


def grouped(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Any, list[Row]]:
    """Return rows by key, keys and rows in their first order."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


@dataclass(frozen=True)
class Material:
    """A dataset ready to be checked; holds what documents print of studies' arms, their own or quoted.

    Rows that belong to no arm are left out of ``counts``, ``measurements`` and ``tests``. ``doubted`` says of
    rows what other checks found, for the checks of what is said on the strength of them.
    """

    data: Dataset
    alpha: float = 0.05
    margin: float = 0.0
    doubted: Mapping[str, str] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def arms(self) -> dict[tuple[str, str], Arm]:
        """Return the arms by study and id."""
        return {(arm.study_id, arm.arm_id): arm for arm in rows_of(Arm, self.data.arms)}

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Return the outcomes by id."""
        return {outcome.outcome_id: outcome for outcome in rows_of(Outcome, self.data.outcomes)}

    @cached_property
    def counts(self) -> list[Count]:
        """Return the counts of studies' arms, every printing of them."""
        return rows_of(Count, _of_arms(self.data.counts, self.arms))

    @cached_property
    def measurements(self) -> list[Measure]:
        """Return the measurements of studies' arms, every printing of them."""
        return rows_of(Measure, _of_arms(self.data.measurements, self.arms))

    @cached_property
    def tests(self) -> list[Test]:
        """Return the tests between studies' arms, every printing of them."""
        tests = rows_of(Test, self.data.tests)
        return [test for test in tests if all((test.study_id, arm) in self.arms for arm in test.arm_ids)]

    @cached_property
    def claims(self) -> list[Claim]:
        """Return all claims, quoted ones too."""
        return rows_of(Claim, self.data.claims)

    @cached_property
    def counts_of(self) -> dict[tuple[str, str, str, str], list[Count]]:
        """Return the counts that analyses take, by study, outcome, subgroup and level."""
        return grouped((row for row in self.counts if row.counted), part)

    @cached_property
    def measures_of(self) -> dict[tuple[str, str, str, str], list[Measure]]:
        """Return the measurements by study, outcome, subgroup and level."""
        return grouped(self.measurements, part)

    @cached_property
    def tests_of(self) -> dict[tuple[str, str, str, str], list[Test]]:
        """Return the tests by study, outcome, subgroup and level."""
        return grouped(self.tests, part)

    @cached_property
    def by_id(self) -> dict[str, Count]:
        """Return the counts by row id."""
        return {row.row_id: row for row in self.counts}

    def label(self, study: str, arm: str) -> str:
        """Return what an arm is called."""
        found = self.arms.get((study, arm))
        return found.label if found and found.label else arm

    def study(self, study: str) -> str:
        """Return what a study is called."""
        return self._study_labels.get(study) or study

    def document(self, source: str) -> str:
        """Return what a document is called: the study that it reports, else its kind and year."""
        return self._study_labels.get(source) or self._documents.get(source, source)

    @cached_property
    def _documents(self) -> dict[str, str]:
        frame = self.data.sources
        told = zip(frame["source_id"].tolist(), frame["kind"].tolist(), frame["year"].tolist(), strict=True)
        return {
            source: ", ".join([str(kind), *([] if pd.isna(year) else [str(year)])])
            for source, kind, year in told
        }

    @cached_property
    def transcribed(self) -> set[str]:
        """Return the documents that were not read themselves: their figures come from a transcript."""
        frame = self.data.sources
        return set(frame.loc[frame["origin"].eq("external"), "source_id"])

    @cached_property
    def _study_labels(self) -> dict[str, str]:
        frame = self.data.studies
        return dict(zip(frame["study_id"].tolist(), frame["label"].tolist(), strict=True))

    def names(self, study: str, arms: Sequence[str]) -> str:
        """Return what arms are called, in their order."""
        names = [self.label(study, arm) for arm in arms]
        return " against ".join([*names[:1], *map(in_sentence, names[1:])])

    def names_inside(self, study: str, arms: Sequence[str]) -> str:
        """Return what arms are called inside a sentence, in their order."""
        return " against ".join(in_sentence(self.label(study, arm)) for arm in arms)

    def outcome(self, outcome: str) -> str:
        """Return what an outcome is called."""
        found = self.outcomes.get(outcome)
        return found.label if found and found.label else outcome

    def again(self, test: Test) -> Recomputed:
        """Return a printed test done again; each is done once."""
        found: Recomputed = self.remember(
            f"again {test.row_id}", lambda: recompute_from(test._asdict(), self._figures(test))
        )
        return found

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what was made under a name, making it the first time."""
        if name not in self._found:
            self._found[name] = make()
        return self._found[name]

    def table(self, test: Test) -> tuple[tuple[int, ...], ...] | None:
        """Return the counts that a test was made from, arms by classes; None where they are not all known."""
        found: tuple[tuple[int, ...], ...] | None = self.remember(
            f"table {test.row_id}", lambda: self._table(test)
        )
        return found

    def _table(self, test: Test) -> tuple[tuple[int, ...], ...] | None:
        _, table = counted_table(test._asdict(), list(test.arm_ids), self._figures(test))
        return None if table is None else tuple(tuple(row) for row in table)

    def _figures(self, test: Test) -> Figures:
        key = (test.study_id, test.outcome_id)
        counts, measured = self._counts_by_result.get(key, ()), self._measured_by_result.get(key, ())
        return Figures(counts, measured, self._sizes.get(test.study_id, {}))

    @cached_property
    def _counts_by_result(self) -> dict[tuple[str, str], list[Count]]:
        return grouped(self.counts, lambda row: (row.study_id, row.outcome_id))

    @cached_property
    def _measured_by_result(self) -> dict[tuple[str, str], list[Measure]]:
        return grouped(self.measurements, lambda row: (row.study_id, row.outcome_id))

    @cached_property
    def _sizes(self) -> dict[str, dict[str, int | None]]:
        by_study = grouped(self.arms.values(), lambda arm: arm.study_id)
        return {study: {arm.arm_id: arm.n for arm in arms} for study, arms in by_study.items()}


def rows_of(kind: Callable[..., Row], frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame as named tuples: missing numbers None, absent columns empty text."""
    names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    columns = [_values(frame[name]) if name in frame else [""] * len(frame) for name in names]
    return [kind(*values) for values in zip(*columns, strict=True)]


def _values(column: pd.Series) -> list[Any]:
    values: list[Any] = column.tolist()
    return [None if value is pd.NA or value != value else value for value in values]


def _of_arms(frame: pd.DataFrame, arms: Mapping[tuple[str, str], Arm]) -> pd.DataFrame:
    pairs = zip(frame["study_id"].tolist(), frame["arm_id"].tolist(), strict=True)
    return frame[np.array([pair in arms for pair in pairs], dtype=np.bool_)]
