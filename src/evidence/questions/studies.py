"""The studies that answer a question: who was compared with whom, and how many had the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from evidence.data import Dataset
from evidence.questions.selection import SIDES, Row
from evidence.results import records
from evidence.wording import Allocation, allocation_of, sign_of

ALLOCATIONS: tuple[Allocation, ...] = ("randomised", "not stated", "not randomised")
"""From the design that answers best: studies of one allocation are never pooled with those of another."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison: its label, events and patients, the data rows, how they are known."""

    label: str
    events: int
    n: int
    rows: str
    sign: str

    @property
    def counts(self) -> tuple[int, int]:
        """Return events and patients."""
        return self.events, self.n


@dataclass(frozen=True, slots=True)
class Study:
    """One study's answer to a question; ``comparator`` is None where the question has none.

    ``year`` is that of the primary publication, empty where none was read; ``when`` the time of the result;
    ``node`` the treatment of the question and ``dose`` its dose; studies of one ``family`` share patients.
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
    years = years_of(data)
    return tuple(_study(some, question, years) for some in found.values())


def _study(rows: Sequence[Row], question: Row, years: dict[str, str]) -> Study:
    first = rows[0]
    arms = {side: _arm([row for row in rows if row["side"] == side]) for side in SIDES}
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


def _arm(rows: Sequence[Row]) -> Arm | None:
    if not rows:
        return None
    labels = dict.fromkeys(str(row["arm_label"]) for row in rows)
    return Arm(
        " or ".join(labels),
        sum(int(row["events"]) for row in rows),
        sum(int(row["n"]) for row in rows),
        "|".join(str(row["row_id"]) for row in rows),
        sign_of([str(row["basis"]) for row in rows], [str(row["origin"]) for row in rows]),
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
    """Return what differs between studies that are shown or pooled together; nothing where nothing does."""
    told = {
        "times": [study.when for study in studies],
        "analysis sets": [study.analysis_set for study in studies],
        "populations": [study.population for study in studies],
        "designs": [study.design for study in studies],
        "treatments": [study.treatment.label for study in studies] if _nodes(studies) > 1 else [],
    }
    parts = [
        f"{name} ({', '.join(value.replace('_', ' ') or 'not stated' for value in dict.fromkeys(values))})"
        for name, values in told.items()
        if len(set(values)) > 1
    ]
    return f"Taken together across {'; '.join(parts)}." if parts else ""


def _nodes(studies: Sequence[Study]) -> int:
    return len({study.node for study in studies})
