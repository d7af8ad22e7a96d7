"""What an indirect comparison assumes, respect by respect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import pandas as pd

from evidence.display.labels import joined, lower_first, outcome_labels, pretty, study_label
from evidence.display.model import Cell, Column, Table, mark_from
from evidence.display.networks import reference_of
from evidence.display.tables.parts import build, nothing
from evidence.parameters import Parameters
from evidence.results import Tables
from evidence.synthesis.connect import Linking, connect
from evidence.synthesis.transitivity import ALONE, Respect, Told, respects

NOT_STATED = "Not stated"
NOTE = (
    "“Not stated”: not in what was read. An indirect comparison takes the trials to be alike in everything "
    "that changes the effect of a treatment; nothing in the results can test that. Times in days that make "
    "whole weeks are told in weeks."
)


def transitivity_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Table:
    """Return in which respects the studies of a network were alike, one row per respect.

    Columns are the studies, and the last says whether they are alike. ``choice`` is what makes the network.
    """
    found = connect(data, parameters, outcome_ids=outcome_ids, **choice)
    label = outcome_labels(data).get(outcome_ids[0], outcome_ids[0])
    reference = reference_of(data, parameters, found, reference)
    third = lower_first(found.labels.get(reference, reference))
    title = f"What comparing treatments through {third} assumes: {lower_first(label)}."
    if found.arms.empty:
        return nothing(title)
    made = respects(data, found, reference=reference)
    return build(
        data,
        (
            Column("To be alike", width=1.2),
            *(Column(study_label(data, study), width=1.5) for study in found.studies),
            Column("Alike?", width=1.2),
        ),
        [_row(one) for one in made],
        caption=f"{title} {_summary(made)}",
        note=NOTE,
        frame=_frame(made),
    )


def _row(one: Respect) -> tuple[Cell, ...]:
    return Cell(one.name), *(_cell(told) for told in one.told.values()), Cell(one.judgement)


def _cell(told: Told) -> Cell:
    return Cell(pretty(told.text) or NOT_STATED, told.rows, mark_from(told.sign))


def _summary(made: Sequence[Respect]) -> str:
    if all(one.judgement == ALONE for one in made):
        return "One study went in: nothing is compared across studies."
    alike = [one.name.lower() for one in made if one.judgement == "Alike"]
    judged = sum(not one.judgement.startswith(("Observed", ALONE)) for one in made)
    which = f": {joined(alike)}" if alike else ""
    return f"Shown to be alike in {len(alike)} of {judged} respects{which}."


def _frame(made: Sequence[Respect]) -> pd.DataFrame:
    rows = [
        {"respect": one.name, "study_id": study, "told": told.text, "judgement": one.judgement}
        for one in made for study, told in one.told.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)
