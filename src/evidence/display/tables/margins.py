"""Comparisons with the margin at which each would be not inferior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evidence import format as fmt
from evidence.audit.margin import AS_PRINTED, CHOSEN
from evidence.display.labels import METHODS, ci, lower_first, sourced, study_label, titled
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import Parameters
from evidence.results import Tables, records
from evidence.synthesis.margins import margins

SAID = {"non_inferior": "not inferior", "comparable": "alike", "no_difference": "not different"}
NOTE = (
    "Loss: by how many percentage points more patients may fare worse, as far as the interval reaches; it "
    "allows for chance only, and not for the number of comparisons. A margin has to be set, with its reason, "
    "before the data are seen: held against them afterwards, none can show that a treatment is not inferior."
)


def noninferiority_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> Table:
    """Return every experimental arm against every other, with the loss that cannot be excluded.

    With a margin, chosen or printed, a last column says what it shows.
    """
    frame = margins(data, parameters, study_id=study_id, outcome_ids=outcome_ids)
    if frame.empty:
        return nothing(f"{study_label(data, study_id)}: no comparison to hold against a margin.")
    rows, margin = records(frame), float(frame["margin"].iloc[0])
    held = () if math.isnan(margin) else (Column(f"At a margin of {margin:g} points", width=1.3),)
    return build(
        data,
        (
            Column("Comparison", width=2.0),
            Column(f"Difference, points ({ci(parameters)})", "right", 1.7),
            Column("Loss not excluded, points", "right", 1.1),
            Column("The document calls it", width=1.3),
            *held,
        ),
        [_row(row, with_margin=bool(held)) for row in rows],
        caption=f"{study_label(data, study_id)}: {_told(rows, margin, parameters)}",
        note=f"{NOTE} Differences: {METHODS[parameters.difference_method]}.",
        frame=frame,
        groups=grouped([titled(row) for row in rows]),
    )


def _row(row: Mapping[str, Any], *, with_margin: bool) -> tuple[Cell, ...]:
    claimed = ", ".join(SAID[kind] for kind in str(row["claimed"]).split("|") if kind)
    shown = "Not inferior" if row["not_inferior"] else "Not shown"
    return (
        Cell(f"{row['arm1_label']} against {lower_first(str(row['arm0_label']))}"),
        sourced(
            fmt.difference(row["estimate"], row["low"], row["high"]),
            row["row_id"], basis=str(row["basis"]), origin=row["origin"],
        ),
        Cell(fmt.number(row["loss"], 1) if row["loss"] > 0 else "none"),
        Cell(claimed[:1].upper() + claimed[1:] or "–"),
        *((Cell(shown),) if with_margin else ()),
    )  # fmt: skip


def _told(rows: Sequence[Mapping[str, Any]], margin: float, parameters: Parameters) -> str:
    if math.isnan(margin):
        return "how large a margin each comparison would need to be called not inferior. None is printed."
    shown = sum(bool(row["not_inferior"]) for row in rows)
    origin = CHOSEN if parameters.noninferiority_margin else AS_PRINTED
    return (
        f"at a margin of {margin:g} percentage points, {origin}, {shown} of {len(rows)} comparisons are "
        "shown to be not inferior."
    )
