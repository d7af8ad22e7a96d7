"""What happened to the patients: adverse events by arm, and what became of everyone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import (
    arm_labels,
    ci,
    effect_note,
    interval_words,
    lower_first,
    moment,
    pretty,
    rate_note,
    sourced,
    study_label,
    titled,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import Body, build, clear_words, grouped
from evidence.display.tables.rates import count_cell, effect_cell, rate_cell, stacked
from evidence.parameters import Parameters
from evidence.results import Tables, contrasts, days, rates, records, reference_arm

EVERYTHING, OTHERS = "All events", "Single events"
BANDS = {
    "Serious, severe or fatal": re.compile(
        r"\b(?:death|fatal|serious|severe|grade ≥? ?[345])", re.IGNORECASE
    ),
    "Treatment stopped or changed": re.compile(r"leading to|discontinu|interrupt|withdraw", re.IGNORECASE),
}
ORDER = (EVERYTHING, *BANDS, OTHERS)


def band_of(data: Tables, outcome_id: str) -> str:
    """Return the band of seriousness of an adverse event, by its own name and those of what it is part of."""
    known = {str(row["outcome_id"]): row for row in records(data.outcomes)}
    labels: list[str] = []
    while outcome_id in known:
        labels.append(pretty(known[outcome_id]["label"]))
        outcome_id = str(known[outcome_id]["parent_id"] or "")
    if len(labels) == 1 and labels[0].startswith("Any "):
        return EVERYTHING
    return next((name for name, words in BANDS.items() if any(map(words.search, labels))), OTHERS)


def outcomes_of(data: Tables, domain: str) -> list[str]:
    """Return the outcomes of a domain, in the order of the table."""
    return [str(one) for one in data.outcomes.loc[data.outcomes["domain"] == domain, "outcome_id"]]


def event_frames(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str] | None = None,
    reference: str | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rates of events by arm, and their risk differences against the reference arm."""
    chosen = outcomes_of(data, "safety") if outcome_ids is None else list(outcome_ids)
    made: dict[str, Any] = {"study_id": study_id, "outcome_ids": chosen}
    frame = rates(data, parameters, **made, subgroup="")
    effects = contrasts(data, parameters, **made, measure="RD", reference=reference)
    return frame[frame["estimate"].notna()].reset_index(drop=True), effects


def event_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str] | None = None,
    reference: str | None = None,
) -> Table:
    """Return adverse events by arm: count, rate with interval, risk difference against the reference arm.

    The heading above the arms names the event and when it was counted. An arm without events has an interval
    too: none seen does not mean none possible.
    """
    frame, effects = event_frames(
        data, parameters, study_id=study_id, outcome_ids=outcome_ids, reference=reference
    )
    differences = {(*_result(row), row["arm1"]): row for row in records(effects)}
    rows = sorted(records(frame), key=_together(frame))
    body: Body = [_event_row(row, differences) for row in rows]
    groups = grouped([titled(row) for row in rows])
    zero = arm_labels(data, study_id).get(reference or reference_arm(data, study_id), "")
    compared = [Column(f"Difference from {lower_first(zero)}, points ({ci(parameters)})", "right", 1.8)]
    single = effects.empty
    return build(
        data,
        [
            Column("Arm", width=1.7),
            Column("Events/n", "right", 0.8),
            Column(f"Rate ({ci(parameters)})", "right", 1.6),
            *([] if single else compared),
        ],
        [row[:-1] for row in body] if single else body,
        caption=f"{study_label(data, study_id)}: adverse events, with {interval_words(parameters)}s. "
        f"{clear_words(effects)}".strip(),
        note=" ".join(filter(None, (rate_note(parameters, frame), effect_note(effects, parameters)))),
        frame=stacked(frame, effects),
        groups=groups,
    )


def _result(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells one result of a study from another, whichever arm it is of."""
    when = (days(row["time"], row["time_unit"]), "") if pd.notna(row["time"]) else (-1.0, row["time_label"])
    return row["outcome_id"], row["category"], row["analysis_set"], *when


def _together(frame: pd.DataFrame) -> Callable[[Mapping[str, Any]], int]:
    """Return the order of events and times, each with all its arms, in the order of the frame."""
    places: dict[tuple[Any, ...], int] = {}
    for row in records(frame):
        places.setdefault(_result(row), len(places))
    return lambda row: places[_result(row)]


def _event_row(row: Mapping[str, Any], differences: Mapping[Any, Mapping[str, Any]]) -> tuple[Cell, ...]:
    found = differences.get((*_result(row), row["arm_id"]))
    difference = effect_cell(found) if found else Cell("")
    return Cell(str(row["arm_label"])), count_cell(row), rate_cell(row), difference


def disposition_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str] | None = None
) -> Table:
    """Return what became of the patients: counts out of n as printed, with the place of each.

    By default every outcome of the disposition, and every event that it would be better not to have.
    """
    chosen = _became(data) if outcome_ids is None else list(outcome_ids)
    frame = rates(data, parameters, study_id=study_id, outcome_ids=chosen)
    frame = frame[frame["events"].notna() & frame["n"].notna()].reset_index(drop=True)
    several = frame["arm_id"].nunique() > 1
    body = [_disposition_row(row, several) for row in records(frame)]
    return build(
        data,
        [
            Column("What happened", width=2.4),
            *([Column("Arm", width=1.4)] if several else []),
            Column("When", width=1.2),
            Column("Patients", "right", 0.8),
            Column("Share", "right", 0.7),
        ],
        body,
        caption=f"{study_label(data, study_id)}: what happened to the patients, in {len(body)} counts.",
        note="Counts as printed; they may overlap.",
        frame=frame,
    )


def _became(data: Tables) -> list[str]:
    disposed, unwanted = data.outcomes["domain"].eq("disposition"), data.outcomes["better"].eq("lower")
    return [str(one) for one in data.outcomes.loc[disposed | unwanted, "outcome_id"]]


def _disposition_row(row: Mapping[str, Any], several: bool) -> tuple[Cell, ...]:
    arm = (Cell(str(row["arm_label"])),) if several else ()
    share = sourced(fmt.percent(row["estimate"]), row["row_id"])
    return Cell(pretty(row["outcome_label"])), *arm, Cell(moment(row)), count_cell(row), share
