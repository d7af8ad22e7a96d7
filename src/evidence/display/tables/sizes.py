"""Group sizes that no document prints: what the percentages of a group leave possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence.data.joint import MOST, Group, find_groups
from evidence.display.labels import arm_labels, lower_first, moment, sourced, study_label
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build
from evidence.parameters import Parameters
from evidence.results import Tables, level_label, records

SHOWN = 4  # sizes written out; the others are only said to exist
NO_TOTAL = "–"


def unknown_sizes_table(data: Tables, parameters: Parameters) -> Table:
    """Return the sizes that fit the percentages of every group whose size no document prints.

    A group is an arm, or a part of one, at one time in one analysis set. It is listed where one of its
    percentages is a result that counts. The last column says what became of it: the counts filled in where
    only one size is possible, and otherwise that the percentages stay percentages.
    """
    counts = data.counts.reset_index(drop=True)
    counted = counts["counted"].tolist()
    groups = [
        one for one in find_groups(counts, data.arms, data.studies) if any(counted[i] for i in one.places)
    ]
    frame = pd.DataFrame([_tidy(one, counts) for one in groups])
    return build(
        data,
        (
            Column("Study", width=1.7),
            Column("Group", width=1.5),
            Column("Percentages", width=1.5),
            Column("Sizes that fit", width=1.5),
            Column("And add up to the study", width=1.2),
            Column("What follows", width=1.8),
        ),
        [_row(data, one, counts) for one in groups],
        caption="Groups whose size no document prints: the sizes their percentages allow, and what follows.",
        note=f"Sizes up to that of the arm or study where it is printed, else to {MOST}. Percentages of one "
        "group are taken to be of the same patients, and arms to add up to their study where nobody is said "
        "to be left out. Only a unique size gives counts.",
        frame=frame,
    )


def _tidy(group: Group, counts: pd.DataFrame) -> dict[str, Any]:
    first = counts.loc[group.places[0]]
    names = ("study_id", "arm_id", "subgroup", "level", "analysis_set", "time", "time_unit", "time_label")
    return {
        **{name: first[name] for name in names},
        "percents": "|".join(group.percents),
        "most": group.most,
        "sizes": "|".join(map(str, group.sizes)),
        "added": "|".join(map(str, group.added or ())),
        "admissible": len(group.admissible),
        "n": group.n,
        "rows": "|".join(group.used),
    }


def _row(data: Tables, group: Group, counts: pd.DataFrame) -> tuple[Cell, ...]:
    rows = records(counts.loc[list(group.places)])
    study, ids = str(rows[0]["study_id"]), "|".join(str(row["row_id"]) for row in rows)
    return (
        Cell(study_label(data, study)),
        Cell(_named(data, rows[0])),
        sourced(", ".join(f"{one}%" for one in group.percents), ids, origin=str(rows[0].get("origin", ""))),
        Cell(_listed(group.sizes)),
        Cell(NO_TOTAL if group.added is None else _listed(group.added)),
        _outcome(group, rows),
    )


def _named(data: Tables, row: dict[str, Any]) -> str:
    """Return which patients a group is: the arm, the part of it, and when it was counted."""
    study, arm = str(row["study_id"]), str(row["arm_id"])
    level = lower_first(level_label(data, row)) if row["level"] else ""
    return ", ".join(filter(None, (arm_labels(data, study).get(arm, arm), level, lower_first(moment(row)))))


def _outcome(group: Group, rows: Sequence[dict[str, Any]]) -> Cell:
    """Return the counts that were filled in, or why there are none."""
    if group.n is None:
        return Cell(_open(len(group.admissible)))
    filled = [row for row in rows if not pd.isna(row["events"])]
    shown = dict.fromkeys(f"{int(row['events'])}/{int(row['n'])}" for row in filled)
    if not shown:
        return Cell(f"unique: n = {group.n}; derived counts are left out")
    return sourced(", ".join(shown), "|".join(group.used), basis="derived")


def _open(sizes: int) -> str:
    if not sizes:
        return "no size fits: not all are of the same patients; no count"
    return f"{'one size' if sizes == 1 else f'{sizes} sizes'} possible: stays a percentage"


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes[:SHOWN])) + (", …" if len(sizes) > SHOWN else "") or "none"
