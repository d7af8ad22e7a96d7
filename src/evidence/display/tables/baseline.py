"""Who was studied: baseline characteristics by arm, the printed P values beside recomputed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import joined, lower_first, pretty, sourced, study_label, unit
from evidence.display.measured import measured, measurements, statistic_words
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import TEST_NOTE, Body, build, empty_cells, find_test, tested, with_tests
from evidence.parameters import Parameters
from evidence.results import Tables, class_labels, rates, records, study_arms

NOTE = "Counts with the printed percentage, or out of all patients of the arm where none is printed."


def baseline_table(data: Tables, parameters: Parameters, *, study_id: str) -> Table:
    """Return the baseline characteristics of a study by arm, as printed, with printed and recomputed P."""
    arms = study_arms(data, study_id)
    names = [str(arm) for arm in arms["arm_id"]]
    base = data.outcomes.loc[data.outcomes["domain"] == "baseline", "outcome_id"]
    counted = rates(data, parameters, study_id=study_id, outcome_ids=list(base), arm_ids=names, subgroup="")
    valued = measurements(data, study_id)
    valued = valued[_at_baseline(valued, base) & valued["arm_id"].isin(names) & (valued["subgroup"] == "")]
    body: Body = []
    for outcome_id in data.outcomes["outcome_id"]:
        body += _measured_rows(data, valued[valued["outcome_id"] == outcome_id], names)
        body += _counted_rows(data, counted[counted["outcome_id"] == outcome_id], names)
    several = len(names) > 1
    return build(
        data,
        [
            Column("Characteristic", width=2.0),
            *map(_arm_column, records(arms)),
            *(P_COLUMNS if several else ()),
        ],
        body if several else [row[:-2] for row in body],
        caption=f"{study_label(data, study_id)}: patients at baseline{_by(arms)}.",
        note=" ".join((NOTE, TEST_NOTE)) if several else NOTE,
        frame=with_tests(data, pd.concat([counted, valued], ignore_index=True), lambda row: names),
    )


def _at_baseline(frame: pd.DataFrame, base: pd.Series) -> pd.Series:
    """Return which rows are of a baseline outcome, or were measured at the start."""
    return frame["outcome_id"].isin(base) | (frame["time"] == 0)


P_COLUMNS = (Column("P, printed", "right", 0.8), Column("P, recomputed", "right", 1.3))


def _by(arms: pd.DataFrame) -> str:
    names = [lower_first(str(label)) for label in arms["label"]]
    return f" by arm ({joined(names)})" if len(names) > 1 else ""


def _arm_column(arm: Mapping[str, Any]) -> Column:
    size = "" if fmt.missing(arm["n"]) else f" (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{int(arm['n'])})"
    return Column(f"{arm['label']}{size}", "right", 1.25)


def _measured_rows(data: Tables, frame: pd.DataFrame, arms: Sequence[str]) -> Body:
    body: Body = []
    for _, group in frame.groupby("statistic", sort=False):
        rows = {row["arm_id"]: row for row in records(group)}
        first = next(iter(rows.values()))
        named = max(rows.values(), key=lambda row: str(row["interval_label"]) not in ("", "unstated"))
        parts = (pretty(first["outcome_label"]), unit(first["unit"]), statistic_words(named))
        words = ", ".join(part for part in parts if part)
        cells = [_measured_cell(rows.get(arm)) for arm in arms]
        body.append((Cell(words), *cells, *_p_cells(data, first, arms)))
    return body


def _measured_cell(row: Mapping[str, Any] | None) -> Cell:
    return (
        sourced(measured(row), row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", "")))
        if row
        else Cell("")
    )


def _counted_rows(data: Tables, frame: pd.DataFrame, arms: Sequence[str]) -> Body:
    body: Body = []
    for _, group in frame.groupby("category", sort=False):
        rows = {row["arm_id"]: row for row in records(group)}
        first = next(iter(rows.values()))
        parts = [pretty(first["outcome_label"]), *class_labels(data, first)]
        cells = [_counted_cell(rows.get(arm)) for arm in arms]
        tests = empty_cells(2) if body else _p_cells(data, first, arms)
        body.append((Cell(": ".join(filter(None, parts))), *cells, *tests))
    return body


def _counted_cell(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return Cell("")
    percent = fmt.printed_percent(str(row["percent"]))
    if fmt.missing(row["events"]):
        text = percent
    else:
        text = f"{row['events']} ({percent})" if percent else fmt.count(row["events"], row["n"])
    return sourced(text, row["row_id"], basis=str(row["basis"]), origin=str(row["origin"]))


def _p_cells(data: Tables, row: Mapping[str, Any], arms: Sequence[str]) -> tuple[Cell, ...]:
    found = tested(data, find_test(data, row, arms))
    return (found.printed, found.recomputed) if found else empty_cells(2)
