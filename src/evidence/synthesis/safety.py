"""Adverse events across studies: every arm with its interval, pooled only where asked alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from evidence.data import Dataset
from evidence.parameters import Parameters
from evidence.questions import Arm, Definition, Study, definitions_of, when, years_of
from evidence.results import records
from evidence.synthesis.forest import Forest, proportion_forest
from evidence.wording import allocation_of, sign_of

Row = Mapping[str, Any]


def arms_of(rows: Iterable[Row], data: Dataset) -> list[Study]:
    """Return each arm with a count as a study of its own.

    Args:
        rows: rates of whole studies with ``node`` and ``origin``; those without a count are left out.
        data: the tidy tables.
    """
    known = {str(row["study_id"]): row for row in records(data.studies)}
    rows = list(rows)
    years = years_of(data.about({str(row["outcome_id"]) for row in rows}))
    counted = _without_sums(
        [row for row in rows if not pd.isna(row["events"]) and not pd.isna(row["n"])], data
    )
    defined = {one: definitions_of(data, one) for one in {str(row["outcome_id"]) for row in counted}}
    return [
        replace(
            _arm(row, known.get(str(row["study_id"]), {}), years),
            definition=defined[str(row["outcome_id"])].get(str(row["study_id"]), Definition()),
        )
        for row in counted
    ]


def _without_sums(rows: Sequence[Row], data: Dataset) -> list[Row]:
    """Leave out arms without a treatment of their own that only add up arms counted here."""
    parts = {
        (row["study_id"], row["arm_id"]): [one for one in str(row["combines"] or "").split("|") if one]
        for row in records(data.arms)
    }
    counted = {(row["study_id"], row["arm_id"]) for row in rows}

    def adds_up(row: Row) -> bool:
        inside = parts.get((row["study_id"], row["arm_id"]), [])
        known = [(row["study_id"], part) in counted for part in inside]
        return bool(known) and all(known) and not row["node"] and len(known) > 1

    return [row for row in rows if not adds_up(row)]


def _arm(row: Row, study: Row, years: Mapping[str, str]) -> Study:
    sign = sign_of([str(row["basis"])], [str(row["origin"])])
    treatment = Arm(str(row["arm_label"]), int(row["events"]), int(row["n"]), str(row["row_id"]), sign)
    return Study(
        study_id=str(row["study_id"]),
        family=str(study.get("parent_study_id") or row["study_id"]),
        label=str(row["study_label"]),
        year=years.get(str(row["row_id"]), ""),
        allocation=allocation_of([str(study.get("randomised") or "")]),
        design=str(study.get("design") or ""),
        population=str(study.get("population") or ""),
        when=when(dict(row)),
        analysis_set=str(row["analysis_set"] or ""),
        node=str(row["node"] or ""),
        dose="",
        treatment=treatment,
        comparator=None,
    )


def asked_alike(studies: Sequence[Study]) -> bool:
    """Return whether arms counted the same treatment in the same patients, set and time."""
    asked = {(one.node, one.population, one.analysis_set, one.when) for one in studies}
    return len(asked) <= 1


def safety_forest(
    studies: Sequence[Study], data: Dataset, parameters: Parameters, *, outcome: str = ""
) -> Forest:
    """Return the forest of one adverse event: a group per disease, pooled only where asked alike."""
    indications = dict(zip(data.studies["study_id"], data.studies["indication"], strict=True))
    found: dict[str, list[Study]] = {}
    for study in studies:
        found.setdefault(str(indications.get(study.study_id, "") or "Disease not stated"), []).append(study)
    alike = all(asked_alike(some) for some in found.values())
    return proportion_forest(list(found.items()), parameters, outcome=outcome, better="lower", alike=alike)
