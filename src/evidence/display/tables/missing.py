"""Where patients are lost on the way: denominators over time, and bounds on what their loss can hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import interval_words, lower_first, moment, pretty, sourced, study_label
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import Body, build, grouped
from evidence.parameters import MissingData, Parameters
from evidence.results import Tables, level_label, rates, records

ALL = "All patients"
BOUNDS_NOTE = (
    "Bounds, not estimates: how far the rate of all enrolled patients could lie from the observed one. "
    "A patient without a value may not have reached that time yet."
)
POLICIES: tuple[MissingData, ...] = ("observed", "failure", "success")
POLICY_HEADS = {
    "observed": "Observed",
    "failure": "Lower bound: all missing failed",
    "success": "Upper bound: all missing responded",
}


def part_label(data: Tables, row: Mapping[str, Any]) -> str:
    """Return which part of a study a result is about: a level of a subgroup, or all patients."""
    return level_label(data, row) if row["level"] else ALL


def flow_frame(data: Tables, parameters: Parameters, *, study_id: str, outcome_id: str) -> pd.DataFrame:
    """Return, per part of the study and time, the patients enrolled and those with a value."""
    observed = replace(parameters, missing_data="observed")
    frame = rates(data, observed, study_id=study_id, outcome_ids=[outcome_id])
    frame = frame[frame["n"].notna() & frame["enrolled"].notna()].reset_index(drop=True)
    parts = [part_label(data, row) for row in records(frame)]
    made = frame.assign(part=parts, when=[moment(row) for row in records(frame)])
    made["share"] = made["n"].astype(float) / made["enrolled"].astype(float)
    names = [
        "row_id",
        "part",
        "subgroup",
        "level",
        "arm_id",
        "time",
        "time_unit",
        "when",
        "n",
        "enrolled",
        "share",
    ]
    order = {name: place for place, name in enumerate(dict.fromkeys(made["part"]))}
    return made[names].sort_values(
        ["part"], key=lambda part: part.map(order), kind="stable", ignore_index=True
    )


def denominator_flow_table(data: Tables, parameters: Parameters, *, study_id: str, outcome_id: str) -> Table:
    """Return how many of the enrolled patients have a value at each time, whole and by subgroup."""
    frame = flow_frame(data, parameters, study_id=study_id, outcome_id=outcome_id)
    times = list(dict.fromkeys(frame["when"]))
    body = [_flow_row(records(group), times) for _, group in frame.groupby("part", sort=False)]
    label = _outcome(data, outcome_id)
    return build(
        data,
        [
            Column("Patients", width=1.4),
            Column("Enrolled", "right"),
            *(Column(time, "right") for time in times),
        ],
        body,
        caption=f"{study_label(data, study_id)}: patients with a value for {label} at each time.",
        note="In brackets: share of those enrolled.",
        frame=frame,
    )


def _outcome(data: Tables, outcome_id: str) -> str:
    found = data.outcomes.loc[data.outcomes["outcome_id"] == outcome_id, "label"]
    return lower_first(pretty(found.iloc[0])) if len(found) else outcome_id


def _flow_row(rows: Sequence[Mapping[str, Any]], times: Sequence[str]) -> tuple[Cell, ...]:
    by_time = {row["when"]: row for row in rows}
    cells = [_flow_cell(by_time.get(time)) for time in times]
    return Cell(str(rows[0]["part"])), Cell(str(rows[0]["enrolled"])), *cells


def _flow_cell(row: Mapping[str, Any] | None) -> Cell:
    return sourced(f"{row['n']} ({fmt.percent(row['share'], 0)})", row["row_id"]) if row else Cell("")


def bounds_frame(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str | None = "",
) -> pd.DataFrame:
    """Return the rates three times: observed, missing as failures, missing as successes (``treated_as``)."""
    frames = [
        rates(
            data, replace(parameters, missing_data=policy), study_id=study_id, outcome_ids=outcome_ids,
            subgroup=subgroup,
        ).assign(treated_as=policy)
        for policy in POLICIES
    ]  # fmt: skip
    made = pd.concat(frames, ignore_index=True)
    return made[made["events"].notna() & (made["analysis_set"] == "evaluable")].reset_index(drop=True)


def missing_bounds_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str | None = "",
) -> Table:
    """Return the observed rate between the bounds that patients without a value allow."""
    frame = bounds_frame(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    body: Body = []
    headings: list[str] = []
    observed = frame[frame["treated_as"] == "observed"]
    for row in records(observed.sort_values("level", key=_in_order_of_appearance, kind="stable")):
        same = frame[(frame["row_id"] == row["row_id"])]
        body.append((Cell(moment(row)), *(_bound_cell(one) for one in records(same))))
        headings.append(f"{pretty(row['outcome_label'])}: {part_label(data, row)}")
    return build(
        data,
        [Column("Time"), *(Column(POLICY_HEADS[policy], "right", 1.6) for policy in POLICIES)],
        body,
        caption=f"{study_label(data, study_id)}: observed rates and the bounds that missing values allow, "
        f"each with its {interval_words(parameters)}.",
        note=BOUNDS_NOTE,
        frame=frame,
        groups=grouped(headings),
    )


def _in_order_of_appearance(levels: pd.Series) -> pd.Series:
    return levels.map({name: place for place, name in enumerate(dict.fromkeys(levels))})


def _bound_cell(row: Mapping[str, Any]) -> Cell:
    text = f"{fmt.count(row['events'], row['n'])}, {fmt.risk(row['estimate'], row['low'], row['high'])}"
    return sourced(text, row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", "")))
