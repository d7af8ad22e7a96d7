"""The studies that answer a question: who was compared with whom, and how many had the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from evidence.data import Dataset
from evidence.data.joint import find_doubts, fit_words
from evidence.data.values import by_value
from evidence.format import in_sentence
from evidence.questions.definitions import Definition, definition_differences, definitions_of
from evidence.questions.selection import SIDES, Row
from evidence.results import records
from evidence.wording import Allocation, allocation_of, per_1000, sign_of

ALLOCATIONS: tuple[Allocation, ...] = ("randomised", "not stated", "not randomised")
"""From the design that answers best: studies of one allocation are never pooled with those of another."""


# With fewer than one in twenty uncounted, the whole group cannot be far from those who were counted.
NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison: its label, events and patients, the data rows, how they are known.

    ``group`` is the number of patients of the group where fewer than nearly all were counted, else 0;
    ``doubt`` the numbers that would fit all percentages of the group where the printed one does not, joined
    by ``|``.
    """

    label: str
    events: int
    n: int
    rows: str
    sign: str
    group: int = 0
    doubt: str = ""

    @property
    def counts(self) -> tuple[int, int]:
        """Return events and patients."""
        return self.events, self.n

    @property
    def words(self) -> str:
        """Return the count in words, with the size of the group where not all of it were counted."""
        of = f" counted, of {self.group} in the group" if self.group else ""
        return f"{self.events} of {self.n}{of}"


@dataclass(frozen=True, slots=True)
class Study:
    """One study's answer to a question; ``comparator`` is None where the question has none.

    ``year`` is that of the primary publication, empty where none was read; ``when`` the time of the result;
    ``node`` the treatment of the question and ``dose`` its dose; studies of one ``family`` share patients;
    ``definition`` is what the study's documents say counts as the outcome.
    """

    study_id: str
    family: str
    label: str
    year: str
    allocation: Allocation
    design: str
    population: str
    when: str
    analysis_set: str
    node: str
    dose: str
    treatment: Arm
    comparator: Arm | None
    definition: Definition = Definition()

    @property
    def four(self) -> tuple[int, int, int, int]:
        """Return events and patients of treatment and comparator."""
        none = self.comparator or Arm("", 0, 0, "", "")
        return (*self.treatment.counts, *none.counts)

    @property
    def name(self) -> str:
        """Return the label with the year, unless it names the year itself."""
        return f"{self.label} ({self.year})" if self.year and self.year not in self.label else self.label


def studies_of(rows: Iterable[Row], question: Row, data: Dataset) -> tuple[Study, ...]:
    """Return the studies whose rows answer, in the order of the data; arms of one side are added up."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if not row["reason"]:
            found.setdefault(str(row["study_id"]), []).append(row)
    outcome = str(question["outcome_id"])
    years, defined = years_of(data.about([outcome])), definitions_of(data, outcome)
    doubts = doubts_of(data)
    made = (_study(some, question, years, doubts) for some in found.values())
    return tuple(replace(one, definition=defined.get(one.study_id, Definition())) for one in made)


def _study(rows: Sequence[Row], question: Row, years: dict[str, str], doubts: dict[str, str]) -> Study:
    first = rows[0]
    arms = {side: _arm([row for row in rows if row["side"] == side], doubts) for side in SIDES}
    treatment = arms["treatment"] or Arm("", 0, 0, "", "")
    told = (years.get(str(row["row_id"]).split("|")[0], "") for row in rows)
    dose = question["treatment_dose"]
    return Study(
        study_id=str(first["study_id"]),
        family=str(first["parent_study_id"] or first["study_id"]),
        label=str(first["study_label"]),
        year=next(filter(None, told), ""),
        allocation=allocation_of([str(first["randomised"] or "")]),
        design=str(first["design"] or ""),
        population=str(first["population"] or ""),
        when=when(first),
        analysis_set=str(first["analysis_set"] or ""),
        node=str(question["treatment"]),
        dose="" if dose == "" or pd.isna(dose) else f"{float(dose):g}",
        treatment=treatment,
        comparator=arms["comparator"],
    )


def _arm(rows: Sequence[Row], doubts: dict[str, str]) -> Arm | None:
    if not rows:
        return None
    labels = dict.fromkeys(str(row["arm_label"]) for row in rows)
    counted = sum(int(row["n"]) for row in rows)
    ids = "|".join(str(row["row_id"]) for row in rows)
    return Arm(
        " or ".join(labels),
        sum(int(row["events"]) for row in rows),
        counted,
        ids,
        sign_of([str(row["basis"]) for row in rows], [str(row["origin"]) for row in rows]),
        _group(rows, counted),
        next((doubts[one] for one in ids.split("|") if one in doubts), ""),
    )


def _group(rows: Sequence[Row], counted: int) -> int:
    """Return how many patients the arms have where so many fewer were counted that it matters, else 0."""
    sizes = [row.get("enrolled") for row in rows]
    whole = sum(0 if pd.isna(size) else int(size) for size in sizes)
    known = not any(pd.isna(size) for size in sizes)
    return whole if known and counted < NEARLY_ALL * whole else 0


@by_value
def doubts_of(data: Dataset) -> dict[str, str]:
    """Return the counts whose printed number of patients another percentage of the group contradicts.

    With each stands in words which numbers fit all percentages of the group, and, where the data have the
    other percentage too, what cutting digits gives.
    """
    counts = data.counts
    if "admissible_n" not in counts:
        return {}
    doubtful = counts[counts["admissible_n"].ne("") & counts["n_basis"].ne("derived") & counts["n"].notna()]
    rows, sizes = doubtful["row_id"].tolist(), doubtful["admissible_n"].tolist()
    alone = {str(row): fit_words(str(fits).split("|")) for row, fits in zip(rows, sizes, strict=True)}
    found = {str(rows[place]): doubt.words for doubt in find_doubts(doubtful) for place in doubt.places}
    return alone | found


def uncounted_words(studies: Iterable[Study]) -> str:
    """Return which shares are of fewer patients than the group has, and the bounds for all of it."""
    arms = [arm for study in studies for arm in (study.treatment, study.comparator) if arm and arm.group]
    return " ".join(f"With {in_sentence(arm.label)}, {arm.words}; {_bounds(arm)}." for arm in arms)


def _bounds(arm: Arm) -> str:
    low, high = arm.events / arm.group, (arm.events + arm.group - arm.n) / arm.group
    return f"of all, {per_1000(low)} per 1,000 if none of the others had it, {per_1000(high)} if all had"


def doubtful_words(studies: Iterable[Study]) -> str:
    """Return which arms have a number of patients that other percentages of the group contradict."""
    arms = [arm for study in studies for arm in (study.treatment, study.comparator) if arm and arm.doubt]
    return " ".join(
        f"The number of patients with {in_sentence(arm.label)}, {arm.n}, is doubtful: another percentage of "
        f"the same group fits no count out of it; {arm.doubt}."
        for arm in arms
    )


def when(row: Row) -> str:
    """Return the time of a result in words: the number with its unit, else the printed label."""
    if pd.isna(row["time"]):
        return str(row["time_label"] or "")
    unit = str(row["time_unit"])
    return f"{float(row['time']):g} {unit}{'' if row['time'] == 1 else 's'}"


def years_of(data: Dataset) -> dict[str, str]:
    """Return the year of the primary publication that each count was read from."""
    primary = data.sources[data.sources["tier"] == "primary"]
    sources = {str(row["source_id"]): str(row["year"] or "") for row in records(primary)}
    columns = (data.counts[name].tolist() for name in ("row_id", "source_id"))
    years = {str(row): sources.get(str(source), "") for row, source in zip(*columns, strict=True)}
    return {row: "" if year in ("nan", "<NA>") else year.removesuffix(".0") for row, year in years.items()}


def by_allocation(studies: Iterable[Study]) -> dict[Allocation, tuple[Study, ...]]:
    """Return the studies by how patients came to their treatments, the best design first."""
    found: dict[Allocation, list[Study]] = {}
    for study in studies:
        found.setdefault(study.allocation, []).append(study)
    return {name: tuple(found[name]) for name in ALLOCATIONS if name in found}


def differences_between(studies: Sequence[Study]) -> str:
    """Return what differs between studies that are taken together, and whose definition is not known.

    Times, analysis sets, populations, designs, treatments, and what counted as the outcome; nothing where all
    are alike and every study printed its definition.
    """
    told = {
        "times": [study.when for study in studies],
        "analysis sets": [study.analysis_set for study in studies],
        "populations": [study.population for study in studies],
        "designs": [study.design for study in studies],
        "treatments": [in_sentence(study.treatment.label) for study in studies]
        if _nodes(studies) > 1
        else [],
    }
    parts = [
        f"{name} ({', '.join(value.replace('_', ' ') or 'not stated' for value in dict.fromkeys(values))})"
        for name, values in told.items()
        if len(set(values)) > 1
    ]
    differing, silent = definition_differences(
        {name: one.definition for name, one in zip(_own_names(studies), studies, strict=True)}
    )
    parts += [differing] if differing else []
    return " ".join(filter(None, (f"Taken together across {'; '.join(parts)}." if parts else "", silent)))


def _own_names(studies: Sequence[Study]) -> list[str]:
    """Return the name of each study, or its id where two studies have one name."""
    ids: dict[str, set[str]] = {}
    for study in studies:
        ids.setdefault(study.name, set()).add(study.study_id)
    return [study.name if len(ids[study.name]) == 1 else study.study_id for study in studies]


def _nodes(studies: Sequence[Study]) -> int:
    return len({study.node for study in studies})
