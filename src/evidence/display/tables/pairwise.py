"""Comparisons between all arms of a study: pairs and omnibus tests, printed beside recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import (
    ci,
    effect_note,
    interval_words,
    joined,
    lower_first,
    outcome_labels,
    sourced,
    study_label,
    titled,
)
from evidence.display.model import Cell, Column, Table, together
from evidence.display.tables.parts import (
    TEST_NOTE,
    Body,
    Tested,
    build,
    empty_cells,
    find_test,
    short_method,
    tested,
    with_pair_tests,
    with_tests,
)
from evidence.display.tables.rates import effect_cell, p_cell
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import SETTING, Tables, contrasts, omnibus, records, separate_arms

HOLM_NOTE = (
    "Holm: P adjusted for all pairs of one outcome and time; Pearson’s chi-square test, or Fisher’s exact "
    "test where an expected count is below 5."
)


def printed_pairs(data: Tables, *, study_id: str, outcome_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return every pair of arms, turned the way its effect is printed, in the order of the arms."""
    ids = [str(arm) for arm in separate_arms(data, study_id)["arm_id"]]
    tests = data.tests[
        (data.tests["study_id"] == study_id) & data.tests["outcome_id"].isin(list(outcome_ids))
    ]
    printed = {tuple(row["arms"].split("|")) for row in records(tests) if row["effect"]}
    pairs = [(one, none) for place, one in enumerate(ids) for none in ids[place + 1 :]]
    return [(none, one) if (none, one) in printed else (one, none) for one, none in pairs]


def tested_pairs(data: Tables, *, study_id: str) -> list[tuple[str, str]]:
    """Return every pair of arms with what is tested first; of two such arms, what is made up of more."""
    arms = records(separate_arms(data, study_id))
    arms.sort(key=lambda arm: (arm["role"] != "experimental", -str(arm["components"]).count("+")))
    return list(combinations([str(arm["arm_id"]) for arm in arms], 2))


def pair_frame(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    measures: Sequence[EffectMeasure] = ("OR", "RD"),
) -> pd.DataFrame:
    """Return the effects of pairs of arms (arm 1, arm 0) in each measure, one frame."""
    frames = [
        contrasts(data, parameters, study_id=study_id, outcome_ids=outcome_ids, measure=measure, pairs=pairs)
        for measure in measures
    ]
    return pd.concat(frames, ignore_index=True)


def pairwise_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> Table:
    """Return every pair of arms: printed statistic, P and odds ratio above the recomputed ones."""
    pairs = printed_pairs(data, study_id=study_id, outcome_ids=outcome_ids)
    effects = pair_frame(data, parameters, study_id=study_id, outcome_ids=outcome_ids, pairs=pairs)
    frame = with_pair_tests(effects, [*SETTING, "measure"])
    body: Body = []
    groups: list[tuple[int, str]] = []
    for row in records(frame[frame["measure"] == "OR"]):
        other = next(
            one for one in records(frame) if one["measure"] == "RD" and one["row_id"] == row["row_id"]
        )
        groups.append(
            (
                len(body),
                f"{row['arm1_label']} against {lower_first(str(row['arm0_label']))}{_when(frame, row)}",
            )
        )
        body += _pair_rows(data, row, other)
    names = joined([lower_first(outcome_labels(data).get(one, one)) for one in outcome_ids])
    return build(
        data,
        [
            Column("", width=0.9),
            Column("χ²", "right", 0.7),
            Column("P", "right", 1.3),
            Column("P, Holm", "right", 0.7),
            Column(f"Odds ratio ({ci(parameters)})", "right", 1.7),
            Column(f"Risk difference, points ({ci(parameters)})", "right", 1.9),
        ],
        body,
        caption=f"{study_label(data, study_id)}: {names}, all pairs of arms, printed and recomputed, with "
        f"{interval_words(parameters)}s.",
        note=f"{effect_note(frame, parameters)} {HOLM_NOTE} {TEST_NOTE} Printed intervals are as printed.",
        frame=with_tests(data, frame, lambda row: (row["arm1"], row["arm0"])),
        groups=groups,
    )


def _when(frame: pd.DataFrame, row: Mapping[str, Any]) -> str:
    return f": {titled(row)}" if len(frame.drop_duplicates(["outcome_id", "time"])) > 1 else ""


def _pair_rows(data: Tables, row: Mapping[str, Any], difference: Mapping[str, Any]) -> Body:
    found = tested(data, find_test(data, row, (row["arm1"], row["arm0"])))
    chi, p = (found.again.statistic, found.recomputed) if found else (None, p_cell(row))
    chi_cell = sourced(fmt.number(chi, 3), row["row_id"], mark=_differs(found, "statistic"))
    holm = sourced(
        fmt.p_value(difference["p_holm"]),
        row["row_id"],
        basis=str(row["basis"]),
        origin=str(row.get("origin", "")),
    )
    again = (Cell("Recomputed"), chi_cell, p, holm, _odds_cell(row, found), effect_cell(difference))
    return [_printed_row(found), again] if found else [again]


def _odds_cell(row: Mapping[str, Any], found: Tested | None) -> Cell:
    cell = effect_cell(row)
    return Cell(cell.text, cell.rows, together(_differs(found, "effect", "low", "high"), cell.mark))


def _differs(found: Tested | None, *words: str) -> Any:
    return "differs" if found and set(words) & set(found.again.differs) else ""


def _printed_row(found: Tested) -> tuple[Cell, ...]:
    test = found.test
    return (
        Cell("Printed"),
        sourced(fmt.printed(test["statistic"]), test["row_id"], origin=found.origin),
        found.printed,
        Cell(""),
        sourced(printed_effect(test), test["row_id"], origin=found.origin),
        Cell(""),
    )


def printed_effect(test: Mapping[str, Any]) -> str:
    """Return a printed effect with its printed interval."""
    if fmt.missing(test["effect"]):
        return ""
    text = fmt.printed(test["effect"])
    if fmt.missing(test["low"]):
        return text
    return f"{text} ({fmt.interval(fmt.printed(test['low']), fmt.printed(test['high']))})"


def omnibus_table(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str] | None = None
) -> Table:
    """Return the test over all arms for each outcome and time, printed beside recomputed."""
    frame = omnibus(data, parameters, study_id=study_id, outcome_ids=outcome_ids)
    frame = frame[frame["category"] == ""].reset_index(drop=True)
    arms = [str(arm) for arm in separate_arms(data, study_id)["arm_id"]]
    body = [_omnibus_row(data, row, arms) for row in records(frame)]
    return build(
        data,
        [
            Column("Outcome", width=2.0),
            Column("Statistic, printed", "right", 0.9),
            Column("P, printed", "right", 0.8),
            Column("Statistic, recomputed", "right", 0.9),
            Column("P, recomputed", "right", 1.3),
            Column("Exact P", "right", 0.8),
        ],
        body,
        caption=f"{study_label(data, study_id)}: tests over all {len(arms)} arms, printed and recomputed.",
        note=f"{TEST_NOTE} Exact P: Fisher's test, extended by Freeman and Halton to more than two arms.",
        frame=with_tests(data, frame, lambda row: arms),
    )


def _omnibus_row(data: Tables, row: Mapping[str, Any], arms: Sequence[str]) -> tuple[Cell, ...]:
    found = tested(data, find_test(data, row, arms))
    exact = sourced(fmt.p_value(row["p_exact"]), row["row_id"])
    if found is None:
        statistic = sourced(fmt.number(row["statistic"], 3), row["row_id"])
        p = sourced(f"{fmt.p_value(row['p'])} ({short_method(str(row['method']))})", row["row_id"])
        return Cell(titled(row)), *empty_cells(2), statistic, p, exact
    again = found.again
    statistic = sourced(fmt.number(again.statistic, 3), row["row_id"], mark=_differs(found, "statistic"))
    printed = sourced(fmt.printed(found.test["statistic"]), found.test["row_id"], origin=found.origin)
    return Cell(titled(row)), printed, found.printed, statistic, found.recomputed, exact
