"""Printed numbers of patients that do not fit all percentages beside them, and what hangs on them."""

from __future__ import annotations

from typing import Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data.joint import Doubt, find_doubts
from evidence.data.recover import recover_events
from evidence.data.values import by_value
from evidence.display.across import Choice, chosen_studies, when_counted
from evidence.display.labels import (
    MEASURES,
    arm_labels,
    ci,
    joined,
    lower_first,
    outcome_labels,
    pretty,
    sourced,
    study_label,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build, grouped
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Row, Tables, contrasts, records
from evidence.stats import compare

NO_COUNT = "no count fits"
NO_EFFECT = "none computed"
CAPTION = "Results whose printed number of patients is in doubt, and what would follow from a smaller one."
NOTE = (
    "A percentage of the group has no whole count out of the printed number, so patients may be missing "
    "from it, or a figure is misprinted. Sensitivity, not an answer: counts out of the largest smaller "
    "number that fits every percentage of the group, and counts out of the printed one that give a "
    "percentage only if its digits were cut off instead of rounded. An effect is given only where the "
    "printed number gives one too."
)


def doubt_words(data: Tables, row_ids: set[str]) -> str:
    """Return in a sentence each which of these results have a doubtful number of patients, or nothing."""
    return " ".join(words for rows, words in _all_doubts(data) if row_ids & set(rows))


@by_value
def _all_doubts(data: Tables) -> list[tuple[list[str], str]]:
    """Return the results of each group with a doubtful number of patients, and in words why it is."""
    counts = data.counts.reset_index(drop=True)
    found = []
    for doubt in find_doubts(counts):
        rows = records(counts.loc[list(doubt.places)])
        words = (
            f"{_group(data, rows[0])}: the number of patients, {doubt.n}, is doubtful, because another "
            f"percentage of the same group fits no count out of it; {doubt.words}."
        )
        found.append(([str(row["row_id"]) for row in rows], words))
    return found


def doubtful_sizes_table(data: Tables, parameters: Parameters, **choice: Unpack[Choice]) -> Table:
    """Return the groups of the chosen studies whose printed number does not fit all their percentages.

    Each result stands with its count out of the printed number and out of the largest smaller one that fits
    them all, and with the effect that either gives against the study's reference arm.
    """
    rows = _rows(data, parameters, chosen_studies(data, **choice))
    frame = pd.DataFrame(rows)
    measure = MEASURES[parameters.effect_measure]
    return build(
        data,
        (
            Column("Result", width=2.2),
            Column("Printed", "right", 0.8),
            Column("Out of the printed number", "right", 1.2),
            Column(f"{measure} ({ci(parameters)})", "right", 1.5),
            Column("Sensitivity: out of a number that fits", "right", 1.2),
            Column(f"Sensitivity: {lower_first(measure)} ({ci(parameters)})", "right", 1.5),
        ),
        [_cells(row) for row in rows],
        caption=CAPTION,
        note=NOTE,
        frame=frame,
        groups=grouped([str(row["group"]) for row in rows]),
    )


def _rows(data: Tables, parameters: Parameters, studies: list[str]) -> list[Row]:
    counts = data.counts.reset_index(drop=True)
    made: list[Row] = []
    for doubt in find_doubts(counts):
        for row in records(counts.loc[list(doubt.places)]):
            if row["study_id"] in studies and row["counted"]:
                made.append(_known(data, row, doubt) | _effects(data, parameters, row, max(doubt.sizes)))
                if row["percent"] in doubt.cut:
                    made.append(_known(data, row, doubt) | _cut(made[-1], doubt.cut[row["percent"]]))
    return made


def _cut(known: Row, events: int) -> Row:
    """Return what changes in a result where digits were cut off: its count, out of the printed number."""
    told = {"result": f"{known['result']}, if digits were cut off", "events": events, "basis": "assumed"}
    return told | {"events_if": None, "n_if": None, "measure": known["measure"], "cut": True}


def _known(data: Tables, row: Row, doubt: Doubt) -> Row:
    sizes = joined([str(size) for size in doubt.sizes])
    named = ("row_id", "study_id", "arm_id", "outcome_id", "percent", "events", "origin", "basis")
    return {name: row[name] for name in named} | {
        "group": f"{_group(data, row)}: {doubt.n} printed, {sizes} would fit",
        "result": pretty(outcome_labels(data).get(str(row["outcome_id"]), str(row["outcome_id"]))),
        "n": doubt.n,
        "sizes": "|".join(map(str, doubt.sizes)),
        "cut": False,
    }


def _group(data: Tables, row: Row) -> str:
    study, arm = str(row["study_id"]), str(row["arm_id"])
    name = fmt.in_sentence(str(arm_labels(data, study).get(arm, arm)))
    return f"{study_label(data, study)}: {name}, {when_counted(row).lower()}"


def _effects(data: Tables, parameters: Parameters, row: Row, size: int) -> Row:
    fits = recover_events(str(row["percent"]), size)
    events = fits[0] if len(fits) == 1 else None
    made: Row = {"events_if": events, "n_if": size, "measure": parameters.effect_measure}
    frame = contrasts(data, parameters, study_id=row["study_id"], outcome_ids=[row["outcome_id"]])
    ours = [one for one in records(frame) if row["row_id"] in str(one["row_id"]).split("|")]
    if not ours or events is None:
        return made
    one = ours[0]
    side = "1" if str(one["row_id"]).startswith(f"{row['row_id']}|") else "0"
    changed = _again(one | {f"e{side}": events, f"n{side}": size}, parameters)
    return made | _named(one, "") | _named(changed, "_if")


def _named(effect: Row, suffix: str) -> Row:
    return {f"{name}{suffix}": effect[name] for name in ("estimate", "low", "high")}


def _again(effect: Row, parameters: Parameters) -> Row:
    counts = [int(effect[name]) for name in ("e1", "n1", "e0", "n0")]
    measure = parameters.effect_measure
    method = parameters.difference_method if measure == "RD" else None
    try:
        made = compare(*counts, measure=measure, level=parameters.confidence_level, method=method)
    except StatisticsError:
        return dict.fromkeys(("estimate", "low", "high"))
    return {"estimate": made.estimate, "low": made.low, "high": made.high}


def _cells(row: Row) -> tuple[Cell, ...]:
    known = not fmt.missing(row["events"])
    count = fmt.count(row["events"], row["n"]) if known else f"{NO_COUNT} {row['n']}"
    if row["cut"]:
        return _cut_cells(row, count)
    changed = fmt.count(row["events_if"], row["n_if"]) if row["events_if"] is not None else NO_COUNT
    return (
        Cell(str(row["result"])),
        sourced(fmt.printed_percent(str(row["percent"])), row["row_id"], origin=str(row["origin"])),
        sourced(count, row["row_id"], basis="derived" if known else ""),
        Cell(_effect(row, "")),
        sourced(changed, row["row_id"], basis="assumed"),
        Cell(_effect(row, "_if")),
    )


def _cut_cells(row: Row, count: str) -> tuple[Cell, ...]:
    printed = sourced(fmt.printed_percent(str(row["percent"])), row["row_id"], origin=str(row["origin"]))
    alternative = sourced(count, row["row_id"], basis="assumed")
    return Cell(str(row["result"])), printed, alternative, Cell(NO_EFFECT), Cell(""), Cell("")


def _effect(row: Row, suffix: str) -> str:
    values = [row.get(f"{name}{suffix}") for name in ("estimate", "low", "high")]
    return NO_EFFECT if fmt.missing(values[0]) else fmt.effect(str(row["measure"]), *values)
