"""Results by subgroup: effects with their interaction test, or levels of one arm compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import (
    MEASURES,
    ci,
    effect_note,
    interval_words,
    joined,
    lower_first,
    outcome_labels,
    pretty,
    rate_note,
    sourced,
    study_label,
    titled,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import (
    PAIR_NOTE,
    Body,
    build,
    empty_cells,
    pair_test,
    with_pair_tests,
    with_shares,
)
from evidence.display.tables.rates import count_cell, effect_cell, p_cell, rate_cell
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import (
    SETTING,
    STRATA,
    Interaction,
    Tables,
    contrasts,
    interaction,
    level_contrasts,
    level_label,
    level_omnibus,
    rates,
    records,
)

INTERACTION_NOTE = (
    "A subgroup's own P value does not show that the effect differs between subgroups; the interaction "
    "test asks that."
)


def subgroup_effects(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str,
    measure: EffectMeasure | None = None,
) -> list[tuple[pd.DataFrame, Interaction | None]]:
    """Return, for each outcome and time, the effects in every level and in all patients, and the interaction.

    ``part`` names the level; the row of all patients comes last, where it is known.
    """
    levels, whole = (
        contrasts(
            data, parameters, study_id=study_id, outcome_ids=outcome_ids, measure=measure, subgroup=part
        )
        for part in (subgroup, "")
    )
    keys = ["outcome_id", "time", "time_unit", "time_label", "arm1", "arm0"]
    made = []
    for _, group in levels.groupby(keys, sort=False, dropna=False):
        first = records(group)[0]
        named = group.assign(part=[level_label(data, row) for row in records(group)])
        total = whole[[_same(row, first, keys) for row in records(whole)]].assign(part="All patients")
        joint = pd.concat([named, total], ignore_index=True)
        made.append((joint, interaction(group, level=parameters.confidence_level)))
    return made


def _same(row: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[str]) -> bool:
    return all(row[key] == other[key] or (fmt.missing(row[key]) and fmt.missing(other[key])) for key in keys)


def interaction_words(found: Interaction | None) -> str:
    """Return an interaction test as a phrase: ``interaction P = 0.495 (Breslow-Day test ...)``."""
    if found is None:
        return "interaction not estimable"
    return f"interaction {fmt.p_words(found.p)} ({found.method})"


def subgroup_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str,
    measure: EffectMeasure | None = None,
) -> Table:
    """Return the effect in each level of a subgroup and in all patients, with the interaction test."""
    parts = subgroup_effects(
        data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup, measure=measure
    )
    name = MEASURES[measure or parameters.effect_measure]
    arms = _arm_names(parts)
    body: Body = []
    groups: list[tuple[int, str]] = []
    for frame, found in parts:
        groups.append((len(body), titled(records(frame)[0])))
        body += [_effect_row(row) for row in records(frame)]
        body.append((Cell("Test of interaction"), *empty_cells(3), Cell(_interaction_p(found))))
    effects = _concat([frame for frame, _ in parts])
    label = outcome_labels(data).get(subgroup, subgroup)
    return build(
        data,
        [
            Column("Patients", width=1.6),
            *(Column(arm, "right", 1.2) for arm in arms),
            Column(_effect_header(name, parameters), "right", 1.8),
            Column("P", "right", 1.0),
        ],
        body,
        caption=f"{study_label(data, study_id)}: {lower_first(name)} by {lower_first(label)}, with "
        f"{interval_words(parameters)}s and the test of interaction.",
        note=_note(effects, parts, parameters) if parts else "",
        frame=_tidy(parts),
        groups=groups,
    )


def _tidy(parts: Sequence[tuple[pd.DataFrame, Interaction | None]]) -> pd.DataFrame:
    """Return effects with shares, the test of their counts and that of the interaction of their result."""
    made = []
    for frame, found in parts:
        tests = [pair_test(row) for row in records(frame)]
        named = frame.assign(p=[p for p, _ in tests], test=[name for _, name in tests])
        joint = (found.p, found.method) if found else (math.nan, "")
        made.append(with_shares(named).assign(interaction_p=joint[0], interaction_test=joint[1]))
    return _concat(made)


def _note(
    effects: pd.DataFrame, parts: Sequence[tuple[pd.DataFrame, Interaction | None]], parameters: Parameters
) -> str:
    return f"{effect_note(effects, parameters)} {PAIR_NOTE} {_method_words(parts)} {INTERACTION_NOTE}"


def _interaction_p(found: Interaction | None) -> str:
    return fmt.p_value(found.p) if found else fmt.NOT_ESTIMABLE


def _method_words(parts: Sequence[tuple[pd.DataFrame, Interaction | None]]) -> str:
    used = dict.fromkeys(found.method for _, found in parts if found)
    return f"Interaction: {joined(list(used))}." if used else ""


def _effect_header(name: str, parameters: Parameters) -> str:
    return f"{name}{', points' if name == MEASURES['RD'] else ''} ({ci(parameters)})"


def _concat(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _arm_names(parts: Sequence[tuple[pd.DataFrame, Interaction | None]]) -> list[str]:
    pairs = {(row["arm1_label"], row["arm0_label"]) for frame, _ in parts for row in records(frame)}
    return list(next(iter(pairs))) if len(pairs) == 1 else ["Arm", "Reference"]


def _effect_row(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    ids, origin = str(row["row_id"]).split("|"), str(row["origin"])
    counts = [
        sourced(_counted(row, arm), one, basis=str(row[f"basis{arm}"]), origin=origin)
        for arm, one in zip("10", ids, strict=True)
    ]
    return Cell(str(row["part"])), *counts, effect_cell(row), p_cell(row)


def _counted(row: Mapping[str, Any], arm: str) -> str:
    share = fmt.percent(float(row[f"e{arm}"]) / float(row[f"n{arm}"])) if row[f"n{arm}"] else ""
    return f"{fmt.count(row[f'e{arm}'], row[f'n{arm}'])} ({share})"


def level_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str], subgroup: str
) -> Table:
    """Return the rate in each level of a subgroup within one arm, the test over levels, and the pairs.

    Pairs are compared by risk difference, with P as it is and adjusted by Holm.
    """
    made: dict[str, Any] = {"study_id": study_id, "outcome_ids": outcome_ids, "subgroup": subgroup}
    frame = rates(data, parameters, **made)
    frame = frame[frame["events"].notna()]
    effects = level_contrasts(data, parameters, **made, measure="RD")
    pairs = with_pair_tests(effects, [name for name in STRATA if name in effects])
    tests = level_omnibus(data, parameters, **made)
    body: Body = []
    groups: list[tuple[int, str]] = []
    for _, group in frame.groupby([*STRATA, "arm_id"], sort=False, dropna=False):
        first = records(group)[0]
        groups.append((len(body), titled(first)))
        body += [_level_row(data, row) for row in records(group)]
        body += [_pair_row(row) for row in _of(pairs, first)]
        body += [_test_row(row) for row in _of(tests, first)]
    label = outcome_labels(data).get(subgroup, subgroup)
    names = joined([lower_first(pretty(name)) for name in dict.fromkeys(frame["outcome_label"])])
    return build(
        data,
        [
            Column("", width=2.2),
            Column("Events/n", "right", 0.9),
            Column(f"Rate or difference in points ({ci(parameters)})", "right", 1.9),
            Column("P", "right", 1.0),
            Column("P, Holm", "right", 0.7),
        ],
        body,
        caption=f"{study_label(data, study_id)}: {names} by {lower_first(label)}, with "
        f"{interval_words(parameters)}s.",
        note=f"{rate_note(parameters, frame)} {effect_note(pairs, parameters)} {PAIR_NOTE}",
        frame=_concat([frame.assign(measure="rate"), pairs, tests.assign(measure="omnibus")]),
        groups=groups,
    )


def _of(frame: pd.DataFrame, first: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = [name for name in SETTING if name not in ("level", "subgroup")]
    return [row for row in records(frame) if _same(row, first, keys)]


def _level_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return Cell(level_label(data, row)), count_cell(row), rate_cell(row), *empty_cells(2)


def _pair_row(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    holm = sourced(fmt.p_value(row["p_holm"]), row["row_id"])
    versus = Cell(f"{row['arm1_label']} − {lower_first(str(row['arm0_label']))}")
    return versus, Cell(""), effect_cell(row), p_cell(row), holm


def _test_row(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    trend = "" if fmt.missing(row["p_trend"]) else f"; trend {fmt.p_words(row['p_trend'])}"
    words = f"All levels: {row['method']}{trend}"
    return Cell(words), *empty_cells(2), sourced(fmt.p_value(row["p"]), row["row_id"]), Cell("")
