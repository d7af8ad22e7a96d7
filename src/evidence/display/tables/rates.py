"""Rates by arm and time, and the effects between arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import (
    MEASURES,
    ci,
    corrected,
    effect_note,
    interval_words,
    joined,
    lower_first,
    moment,
    pretty,
    rate_note,
    sourced,
    study_label,
    titled,
)
from evidence.display.markdown import escape
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import (
    TEST_NOTE,
    Body,
    build,
    clear_words,
    empty_cells,
    find_test,
    grouped,
    pair_test,
    short_method,
    tested,
    with_tests,
)
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import SETTING, Tables, class_labels, contrasts, level_label, rates, records


def rates_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str] | None = None,
    subgroup: str | None = None,
) -> Table:
    """Return every counted result of the outcomes: events out of n, printed percentage, rate with interval.

    A recomputed rate is marked where it would not be printed as it is; where no percentage is printed, the
    table says nothing of printed ones. ``subgroup`` as in ``results.rates``.
    """
    frame = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    names = joined([lower_first(pretty(label)) for label in dict.fromkeys(frame["outcome_label"])])
    shown = frame[frame["estimate"].notna()]
    printed = bool(shown["percent"].ne("").any())
    how = printed_and_recomputed(parameters) if printed else f"with {interval_words(parameters)}s"
    caption = f"{study_label(data, study_id)}: {names or 'rates'}, {how}."
    return listed_rates(data, parameters, shown, caption=caption, printed=printed)


def printed_and_recomputed(parameters: Parameters) -> str:
    """Return the words for a table of printed percentages beside recomputed rates."""
    return f"as printed and recomputed with {interval_words(parameters)}s"


def listed_rates(
    data: Tables, parameters: Parameters, frame: pd.DataFrame, *, caption: str, printed: bool = True
) -> Table:
    """Return the table of a frame of rates: a heading per outcome, class and level, and time.

    Without ``printed`` the printed percentages have a column only where one of them does not fit its count.
    """
    several = frame["arm_id"].nunique() > 1
    told = [_heading(data, row, timed=several) for row in records(frame)]
    headings = pd.Series(told, index=frame.index, dtype=object)
    places = {text: place for place, text in enumerate(dict.fromkeys(headings))}
    order = headings.map(places).sort_values(kind="stable").index
    frame, headings = frame.loc[order].reset_index(drop=True), headings.loc[order]
    counted = bool(frame["events"].notna().any())
    columns = [Column("Arm", width=2.0) if several else Column("Time", width=1.6),
               Column("Events/n", "right", 0.9), Column("Printed", "right", 0.8),
               Column(f"Rate ({ci(parameters)})" if counted else "Rate", "right", 1.8)]  # fmt: skip
    body = [_rate_row(row, several) for row in records(frame)]
    if not printed and not any(map(differs, records(frame))):
        columns, body = [*columns[:2], columns[3]], [(*row[:2], row[3]) for row in body]
    note = rate_note(parameters, frame) if counted else ""
    groups = grouped(list(headings))
    return build(data, columns, body, caption=caption, note=note, frame=frame, groups=groups)


def _heading(data: Tables, row: Mapping[str, Any], *, timed: bool) -> str:
    parts = [pretty(row["outcome_label"]), *map(lower_first, class_labels(data, row))]
    when = lower_first(moment(row)) if timed else ""
    return ", ".join(filter(None, (": ".join(parts), when)))


def _rate_row(row: Mapping[str, Any], several: bool) -> tuple[Cell, ...]:
    first = str(row["arm_label"]) if several else moment(row) or "Time not stated"
    printed = sourced(fmt.printed_percent(str(row["percent"])), row["row_id"])
    return Cell(fmt.sentence(first)), count_cell(row), printed, rate_cell(row)


def count_cell(row: Mapping[str, Any]) -> Cell:
    """Return events over patients as a cell, marked where the count was not printed."""
    text = fmt.count(row["events"], row["n"])
    return sourced(text, row["row_id"], basis=str(row["basis"]), origin=str(row["origin"]))


def rate_cell(row: Mapping[str, Any]) -> Cell:
    """Return a rate with its interval as a cell, marked where the printed percentage differs."""
    text = fmt.risk(row["estimate"], row["low"], row["high"])
    if fmt.missing(row["events"]):
        text = fmt.printed_percent(str(row["percent"]))
    mark = "differs" if differs(row) else ""
    return sourced(text, row["row_id"], basis=str(row["basis"]), origin=str(row["origin"]), mark=mark)


def differs(row: Mapping[str, Any]) -> bool:
    """Return whether the observed rate would not be printed as the paper prints it."""
    from evidence.audit.reported import Reported

    printed = str(row["percent"])
    if not printed or fmt.missing(row["events"]) or fmt.missing(row["n"]) or row["policy"] != "observed":
        return False
    return not Reported(printed).allows(100 * float(row["events"]) / float(row["n"]))


def comparison_table(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    reference: str | None = None,
    subgroup: str | None = "",
) -> Table:
    """Return, for each outcome and time, the rate in every arm, then the effects against the reference arm.

    Risk difference first unless ``effect_measure`` says otherwise, with the number needed to treat; the
    printed P value stands beside the recomputed one.
    """
    frame = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    frame = frame[frame["estimate"].notna()]
    effects = all_effects(
        data, parameters, study_id=study_id, outcome_ids=outcome_ids, reference=reference, subgroup=subgroup
    )
    body: Body = []
    groups: list[tuple[int, str]] = []
    for _, group in frame.groupby(SETTING, sort=False, dropna=False):
        arms = records(group)
        groups.append((len(body), _setting_title(data, arms[0])))
        body += [_arm_row(row) for row in arms]
        body += [row for part in _parts_of(effects, arms[0]) for row in _effect_rows(data, part)]
    return build(
        data,
        _comparison_columns(parameters),
        body,
        caption=f"{_comparison_caption(data, parameters, study_id, frame)} {clear_words(effects)}".strip(),
        note=" ".join((rate_note(parameters, frame), effect_note(effects, parameters), COMPARISON_NOTE)),
        frame=stacked(frame, _tested_effects(data, effects)),
        groups=groups,
    )


def _tested_effects(data: Tables, effects: pd.DataFrame) -> pd.DataFrame:
    """Return effects with the test of their counts, printed and recomputed where a document prints one."""
    found = [pair_test(row) for row in records(effects)]
    made = effects.assign(p=[p for p, _ in found], test=[name for _, name in found])
    return with_tests(data, made, lambda row: (row["arm1"], row["arm0"]))


NEEDED_NOTE = "NNTB and NNTH: patients treated for one more to benefit or to be harmed, rounded up."
COMPARISON_NOTE = f"{NEEDED_NOTE} {TEST_NOTE}"


def _comparison_columns(parameters: Parameters) -> list[Column]:
    return [
        Column("", width=2.0),
        Column("Events/n", "right", 0.8),
        Column(f"Estimate ({ci(parameters)})", "right", 1.7),
        Column("P, printed", "right", 0.8),
        Column("P, recomputed", "right", 1.2),
    ]


def all_effects(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    reference: str | None = None,
    subgroup: str | None = "",
) -> pd.DataFrame:
    """Return risk difference, risk ratio and odds ratio of every contrast, the preferred measure first."""
    frames = [
        contrasts(
            data,
            parameters,
            study_id=study_id,
            outcome_ids=outcome_ids,
            measure=measure,
            reference=reference,
            subgroup=subgroup,
        )
        for measure in measures(parameters)
    ]
    return pd.concat(frames, ignore_index=True)


def measures(parameters: Parameters) -> list[EffectMeasure]:
    """Return the three measures: the absolute one first, unless the odds ratio was asked for."""
    rest: list[EffectMeasure] = ["RD", "RR", "OR"]
    if parameters.effect_measure == "OR":
        rest = ["RD", "OR", "RR"]
    return rest


def stacked(frame: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Return rates and effects in one tidy frame; ``measure`` is ``rate`` for the rates."""
    return pd.concat([frame.assign(measure="rate"), effects], ignore_index=True)


def _comparison_caption(data: Tables, parameters: Parameters, study_id: str, frame: pd.DataFrame) -> str:
    names = [lower_first(pretty(label)) for label in dict.fromkeys(frame["outcome_label"])]
    arms = joined([lower_first(str(one)) for one in dict.fromkeys(frame["arm_label"])])
    what = f"{study_label(data, study_id)}: {joined(names) or 'comparison'} by arm ({arms})"
    return f"{what}, and effects, with {interval_words(parameters)}s."


def _setting_title(data: Tables, row: Mapping[str, Any]) -> str:
    part = f": {level_label(data, row)}" if row["level"] else ""
    return f"{titled(row)}{part}"


def _parts_of(effects: pd.DataFrame, row: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the effects of one result, one list per pair of arms."""
    same = [one for one in records(effects) if all(_equal(one[name], row[name]) for name in SETTING)]
    pairs = dict.fromkeys((one["arm1"], one["arm0"]) for one in same)
    return [[one for one in same if (one["arm1"], one["arm0"]) == pair] for pair in pairs]


def _equal(one: Any, other: Any) -> bool:
    return one == other or (fmt.missing(one) and fmt.missing(other))


def _arm_row(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return Cell(str(row["arm_label"])), count_cell(row), rate_cell(row), *empty_cells(2)


def _effect_rows(data: Tables, effects: Sequence[Mapping[str, Any]]) -> Body:
    first = effects[0]
    found = tested(data, find_test(data, first, (first["arm1"], first["arm0"])))
    p_cells = (found.printed, found.recomputed) if found else (Cell(""), p_cell(first))
    names = [f"{MEASURES[one['measure']]}{', points' if one['measure'] == 'RD' else ''}" for one in effects]
    rows = [
        (Cell(name), Cell(""), effect_cell(one), *(empty_cells(2) if i else p_cells))
        for i, (name, one) in enumerate(zip(names, effects, strict=True))
    ]
    needed = next((one for one in effects if one["number_needed"]), None)
    if needed:
        rows.insert(1, (Cell("Number needed"), Cell(""), needed_cell(needed), *empty_cells(2)))
    versus = f"{first['arm1_label']} against {lower_first(str(first['arm0_label']))}"
    return [(Cell(versus), *empty_cells(4)), *rows] if _several(data, first) else rows


def _several(data: Tables, row: Mapping[str, Any]) -> bool:
    from evidence.results import separate_arms

    return len(separate_arms(data, str(row["study_id"]))) > 2


def effect_cell(row: Mapping[str, Any]) -> Cell:
    """Return an effect with its interval as a cell."""
    text = fmt.effect(str(row["measure"]), row["estimate"], row["low"], row["high"])
    basis, origin = str(row["basis"]), str(row.get("origin", ""))
    return sourced(text, row["row_id"], basis=basis, origin=origin, mark=corrected(row))


def needed_cell(row: Mapping[str, Any]) -> Cell:
    """Return the number needed to treat as a cell."""
    return sourced(
        str(row["number_needed"]).replace("infinity", fmt.INFINITY),
        row["row_id"],
        basis=str(row["basis"]),
        origin=str(row.get("origin", "")),
    )


def p_cell(row: Mapping[str, Any]) -> Cell:
    """Return the P value of the counts behind an effect as a cell, with the test in brackets."""
    p, test = pair_test(row)
    text = f"{fmt.p_value(p)} ({short_method(test)})" if test else fmt.NOT_ESTIMABLE
    return sourced(text, row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", "")))


AGREE = (
    "In every comparison above, the interval of the difference and that of the ratio agree on whether the "
    "arms can be alike."
)


def borderline_prose(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> Prose:
    """Return the results in which difference and ratio disagree on whether the arms can be alike.

    The direction is judged by the difference.
    """
    named: EffectMeasure = "OR" if parameters.effect_measure == "OR" else "RR"
    pairs = zip(
        *(
            records(contrasts(data, parameters, study_id=study_id, outcome_ids=outcome_ids, measure=measure))
            for measure in ("RD", named)
        ),
        strict=True,
    )
    told = [_border(*pair) for pair in pairs if _leaves_out(pair[0], 0.0) != _leaves_out(pair[1], 1.0)]
    return Prose(" ".join(told) or AGREE)


def _leaves_out(row: Mapping[str, Any], none: float) -> bool:
    return not fmt.missing(row["low"]) and not row["low"] <= none <= row["high"]


def _border(difference: Mapping[str, Any], ratio: Mapping[str, Any]) -> str:
    p, test = pair_test(difference)
    rows = difference, ratio
    points, times = (fmt.effect(row["measure"], row["estimate"], row["low"], row["high"]) for row in rows)
    clear = _leaves_out(difference, 0.0)
    zero, one = ("leaves out", "includes") if clear else ("includes", "leaves out")
    name = MEASURES[ratio["measure"]].lower()
    return (
        f"{escape(titled(difference))}, lies at the border: the interval of the difference, {points} points, "
        f"{zero} 0, that of the {name}, {times}, {one} 1; {escape(fmt.p_words(p))} ({short_method(test)}). "
        "The two intervals come from different methods. The direction is judged by the difference, and so "
        f"it is {'not called' if clear else 'called'} uncertain."
    )
