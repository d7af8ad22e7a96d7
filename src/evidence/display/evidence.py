"""What the report stands on: studies, recovered counts, and what a document tells in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from evidence.data.values import by_value
from evidence.display.labels import moment, outcome_labels, pretty, sourced
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import build, nothing
from evidence.display.traced import traced
from evidence.results import Tables, assumed_size, class_labels, plain, records

TABLES = ("counts", "measurements", "tests", "claims")
NOT_UNIQUE = "none fits"
Known = dict[str, dict[str, int]]


def narrative_prose(data: Tables, *, study_id: str, locator: str) -> Prose:
    """Return what a document says in words at one place, one bullet per sentence, each with its source."""
    claims = data.claims[(data.claims["study_id"] == study_id) & (data.claims["locator"] == locator)]
    told = [f"- {traced(pretty(row['paraphrase']), [row['row_id']], data)}" for row in records(claims)]
    return Prose("\n".join(told) or "The document says nothing there.")


def evidence_table(data: Tables) -> Table:
    """Return one row per study: who was studied, how, and how many rows of each table it contributes."""
    columns = (
        Column("Study", width=2.2),
        Column("Indication", width=1.1),
        Column("Design", width=1.8),
        Column("Patients", "right", 1.0),
        *(Column(name.capitalize(), "right", 1.2) for name in TABLES),
    )
    known = rows_by_study(data)
    body = [_study(row, data, known) for row in records(data.studies)]
    frame = pd.DataFrame([_tidy(row, data, known) for row in records(data.studies)])
    caption = "Studies in this report, and the rows of data that each contributes."
    note = "Counts include those that follow from printed figures. Every printing of a figure is a row."
    return build(data, columns, body, caption=caption, note=note, frame=frame)


@by_value
def rows_by_study(data: Tables) -> Known:
    """Return how many rows each table has of each study."""
    return {name: dict(Counter(map(str, getattr(data, name)["study_id"]))) for name in TABLES}


def _study(row: dict[str, Any], data: Tables, known: Known) -> tuple[Cell, ...]:
    tidy = _tidy(row, data, known)
    size = "" if pd.isna(tidy["n"]) else str(tidy["n"])
    return (
        sourced(str(row["label"]), row["row_id"], origin=str(row["origin"])),
        Cell(str(row["indication"])),
        Cell(plain(str(row["design"]))),
        Cell(size),
        *(Cell(str(tidy[name])) for name in TABLES),
    )


def _tidy(row: dict[str, Any], data: Tables, known: Known) -> dict[str, Any]:
    values: dict[str, Any] = {
        "study_id": row["study_id"],
        "label": row["label"],
        "design": row["design"],
        "n": patients(data, row),
    }
    return values | {name: known[name].get(str(row["study_id"]), 0) for name in TABLES}


def patients(data: Tables, study: dict[str, Any]) -> Any:
    """Return the patients of a study: as printed, else the sum of its separate arms, else NA."""
    if not pd.isna(study["n"]):
        return int(study["n"])
    arms = data.arms[(data.arms["study_id"] == study["study_id"]) & (data.arms["combines"] == "")]
    return int(arms["n"].sum()) if len(arms) and arms["n"].notna().all() else pd.NA


def recovered_table(data: Tables) -> Table:
    """Return every count that was not printed: the percentage or the rows that it follows from."""
    counts = data.counts
    chosen = counts[counts["counted"] & ((counts["basis"] == "derived") | (counts["admissible"] != ""))]
    if chosen.empty:
        return nothing("No count had to be recovered.")
    columns = (
        Column("Study", width=1.6),
        Column("Result", width=3.0),
        Column("Arm", width=1.6),
        Column("Printed", "right", 0.9),
        Column("n", "right", 0.7),
        Column("Count", "right", 0.9),
        Column("From", width=2.0),
    )
    body = [_recovered(row, data) for row in records(chosen)]
    names = [
        "row_id",
        "study_id",
        "arm_id",
        "outcome_id",
        "category",
        "subgroup",
        "level",
        "time",
        "time_unit",
    ]
    frame = chosen[[*names, "percent", "events", "n", "admissible", "derived_from"]]
    known = int(chosen["events"].notna().sum())
    caption = f"{known} counts that the documents do not print and that follow from what they print."
    note = "Several counts, or none, may give the printed percentage; then no count is used."
    return build(data, columns, body, caption=caption, note=note, frame=frame)


def _recovered(row: dict[str, Any], data: Tables) -> tuple[Cell, ...]:
    labels = dict(zip(data.studies["study_id"], data.studies["label"], strict=True))
    arms = {(arm["study_id"], arm["arm_id"]): str(arm["label"]) for arm in records(data.arms)}
    unique = not pd.isna(row["events"])
    options = NOT_UNIQUE if row["admissible"] == "none" else str(row["admissible"]).replace("|", " or ")
    source = _follows_from(row)
    return (
        Cell(str(labels[row["study_id"]])),
        Cell(_result(row, data)),
        Cell(arms[(row["study_id"], row["arm_id"])]),
        sourced(f"{row['percent']}%" if row["percent"] else "", row["row_id"]),
        sourced(
            "" if pd.isna(row["n"]) else str(int(row["n"])),
            row["row_id"],
            basis="assumed" if assumed_size(row) else "",
        ),
        sourced(str(int(row["events"])), row["derived_from"] or row["row_id"], basis="derived")
        if unique
        else Cell(options),
        Cell(source),
    )


def _follows_from(row: dict[str, Any]) -> str:
    """Return what a count follows from: its percentage, the percentages of its group, or other rows."""
    if not row["derived_from"]:
        return "percentage"
    if row["percent"]:
        return "percentages and totals"
    summed = str(row["row_id"]).endswith(f"~{row['outcome_id']}")
    return "sum of printed rows" if summed else "difference of printed rows"


def _result(row: dict[str, Any], data: Tables) -> str:
    outcome = outcome_labels(data)[row["outcome_id"]]
    named = [pretty(one).lower() for one in class_labels(data, row)]
    when = moment({**row, "outcome_label": outcome})
    return ", ".join(filter(None, [outcome, *named, when[:1].lower() + when[1:]]))
