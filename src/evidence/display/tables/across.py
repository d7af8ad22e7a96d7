"""Tables across studies: rates by treatment and effects by design, side by side and never pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display.across import (
    PART,
    Choice,
    Some,
    Window,
    across_frame,
    chosen_studies,
    effects_frame,
    sharing_words,
    undated_words,
    when_counted,
)
from evidence.display.counting import several as counted
from evidence.display.labels import (
    MEASURES,
    ci,
    corrected,
    effect_note,
    interval_words,
    joined,
    lower_first,
    outcome_labels,
    pretty,
    rate_note,
    sourced,
    unit,
)
from evidence.display.measured import MEASUREMENT_KEY, measured, statistic_words
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import build, clear_words, grouped
from evidence.display.tables.rates import differs
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import Tables, once, records, words_of

NOT_STATED = "not stated"
SUBSETS = ("responders", "evaluable")
MOST_NAMED = 4  # outcomes that a caption names; of more, it gives the number
NO_EVENT = "no event in a group"
NO_RATIO = (
    "–: no ratio is given where a group has no event; half an event added to groups of unequal size could "
    "turn it against the difference."
)
NOT_POOLED = "Studies stand side by side; nothing is pooled."


def names_of(data: Tables, outcome_ids: Sequence[str], shown: pd.DataFrame) -> str:
    """Return the labels of the outcomes that are shown, as a caption has them; of all where none is."""
    labels = outcome_labels(data)
    used = [one for one in outcome_ids if one in set(shown["outcome_id"])] or list(outcome_ids)
    if len(used) > MOST_NAMED:
        return f"{len(used)} outcomes"
    return joined([lower_first(labels.get(one, one)) for one in used])


def study_words(row: Mapping[str, Any]) -> str:
    """Return a study's label, marked where its patients are those of another study."""
    return f"{row['study_label']}{PART if row['part_of'] else ''}"


def across_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> Table:
    """Return every counted result of the outcomes in the chosen studies: by treatment, then by study.

    Arguments as in ``across_frame``. A percentage that no count stands behind is shown without interval.
    """
    frame = across_frame(data, parameters, outcome_ids=outcome_ids, window=window, **choice)
    several = frame["heading"].nunique() > 1
    headings = [
        f"{row['heading']}: {lower_first(str(row['node_label']))}" if several else str(row["node_label"])
        for row in records(frame)
    ]
    note = [rate_note(parameters, frame), NOT_POOLED, undated_words(data, frame)]
    note.append(sharing_words(data, set(frame["study_id"])))
    return build(
        data,
        (
            Column("Study and arm", width=2.8),
            Column("Population", width=1.1),
            Column("Time", width=1.0),
            Column("Events/n", "right", 0.9),
            Column(f"Rate ({ci(parameters)})", "right", 1.7),
        ),
        [_result_row(row) for row in records(frame)],
        caption=f"{_capital(names_of(data, outcome_ids, frame))} by treatment and study, with "
        f"{interval_words(parameters)}s. {spread_words(frame)}".strip(),
        note=" ".join(filter(None, note)),
        frame=frame,
        groups=grouped(headings),
    )


def spread_words(frame: pd.DataFrame) -> str:
    """Return how many results there are and from where to where their rates reach, as a sentence."""
    shown = frame[frame["estimate"].notna()]
    if len(shown) < 2:
        return ""
    low, high = fmt.percent(shown["estimate"].min()), fmt.percent(shown["estimate"].max())
    studies = shown["study_id"].nunique()
    told = f"{len(shown)} results of {studies} {'studies' if studies > 1 else 'study'}"
    if shown["outcome_id"].nunique() > 1:
        return f"{told}."
    return f"{told}, {f'from {low} to {high}' if low != high else f'all {low}'}."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" or "Results"


def _result_row(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    known = not fmt.missing(row["events"]) and not fmt.missing(row["n"])
    share = fmt.risk(row["estimate"], row["low"], row["high"])
    text = share if known else fmt.printed_percent(str(row["percent"]))
    marks = {"basis": str(row["basis"]) if known else "", "origin": str(row["origin"])}
    arm = "" if row["arm_label"] == row["node_label"] else f": {lower_first(str(row['arm_label']))}"
    return (
        Cell(f"{study_words(row)}{arm}"),
        Cell(words_of(row["population"]).lower() or NOT_STATED),
        Cell(when_counted(row)),
        sourced(count_words(row), row["row_id"], **marks),
        sourced(text, row["row_id"], **marks, mark="differs" if differs(row) else ""),
    )


def count_words(row: Mapping[str, Any]) -> str:
    """Return a count out of patients, or in words why there is none; a subset of patients is named.

    >>> count_words({"events": None, "n": 67, "admissible": "none", "analysis_set": "treated"})
    'no count of 67 fits'
    """
    named = f" ({row['analysis_set']})" if row["analysis_set"] in SUBSETS else ""
    return f"{_count(row)}{named}"


def _count(row: Mapping[str, Any]) -> str:
    if not fmt.missing(row["events"]):
        return fmt.count(row["events"], row["n"])
    if fmt.missing(row["n"]):
        return "no n printed"
    if row["admissible"] == "none":
        return f"no count of {int(row['n'])} fits"
    options = str(row["admissible"]).replace("|", " or ")
    return f"{options} of {int(row['n'])}" if options else f"?/{int(row['n'])}"


def effects_across_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    treatments: Some = None,
    comparators: Some = None,
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> Table:
    """Return every effect within a study, by outcome and design, with the difference in percentage points.

    Arguments as in ``effects_frame``. An adverse event that one group has not seen gets no ratio.
    """
    wanted: dict[str, Any] = {"outcome_ids": outcome_ids, "window": window, **choice}
    wanted |= {"treatments": treatments, "comparators": comparators}
    measures = list(dict.fromkeys((parameters.effect_measure, "RD")))
    frames = [effects_frame(data, parameters, measure=one, **wanted) for one in measures]
    frames = [_without_empty_ratios(data, frame) for frame in frames]
    both = pd.concat(frames, ignore_index=True) if len(frames[0]) else frames[0]
    several = frames[0]["outcome_id"].nunique() > 1
    rows = list(zip(*(records(frame) for frame in frames), strict=True))
    note = [effect_note(both, parameters), NO_RATIO if both["method"].eq(NO_EVENT).any() else "", NOT_POOLED]
    note += [undated_words(data, both), sharing_words(data, set(both["study_id"]))]
    names = names_of(data, outcome_ids, both)
    return build(
        data,
        _effect_columns(parameters, measures),
        [_effect_row(one) for one in rows],
        caption=f"{_capital(names)}: effects within studies, by design, with {interval_words(parameters)}s. "
        f"{clear_words(both)}".strip(),
        note=" ".join(filter(None, note)),
        frame=both,
        groups=grouped([_design_heading(row, several) for row in records(frames[0])]),
    )


def _without_empty_ratios(data: Tables, frame: pd.DataFrame) -> pd.DataFrame:
    """Return effects without the ratios of adverse events that a group has not seen, and why."""
    harms = set(data.outcomes.loc[data.outcomes["domain"] == "safety", "outcome_id"])
    empty = (
        frame["outcome_id"].isin(harms) & frame["measure"].ne("RD") & frame[["e1", "e0"]].eq(0).any(axis=1)
    )
    blank = {name: frame[name].mask(empty) for name in ("estimate", "low", "high")}
    return frame.assign(**blank, method=frame["method"].mask(empty, NO_EVENT))


def _effect_columns(parameters: Parameters, measures: Sequence[EffectMeasure]) -> tuple[Column, ...]:
    return (
        Column("Study and comparison", width=2.8),
        Column("Time", width=0.9),
        Column("First", "right", 0.8),
        Column("Second", "right", 0.8),
        *(
            Column(f"{MEASURES[one]}{', points' if one == 'RD' else ''} ({ci(parameters)})", "right", 1.5)
            for one in measures
        ),
    )


def _design_heading(row: Mapping[str, Any], several: bool) -> str:
    return f"{pretty(row['outcome_label'])}: {lower_first(row['design'])}" if several else str(row["design"])


def _versus(row: Mapping[str, Any]) -> str:
    return f"{lower_first(str(row['arm1_label']))} against {lower_first(str(row['arm0_label']))}"


def _effect_row(effects: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    row = effects[0]
    marks = {"basis": str(row["basis"]), "origin": str(row["origin"])}
    one, none = str(row["row_id"]).split("|")
    return (
        Cell(f"{study_words(row)}: {_versus(row)}"),
        Cell(when_counted(row)),
        sourced(fmt.count(row["e1"], row["n1"]), one, basis=row["basis1"], origin=marks["origin"]),
        sourced(fmt.count(row["e0"], row["n0"]), none, basis=row["basis0"], origin=marks["origin"]),
        *(
            _across_effect(each, **marks) for each in effects
        ),
    )  # fmt: skip


def _across_effect(row: Mapping[str, Any], **marks: str) -> Cell:
    if row["method"] == NO_EVENT:
        return Cell("–")
    text = fmt.effect(str(row["measure"]), row["estimate"], row["low"], row["high"])
    return sourced(text, row["row_id"], mark=corrected(row), **marks)


def measured_across_table(
    data: Tables, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Choice]
) -> Table:
    """Return every printed mean, median or range of the outcomes in the chosen studies."""
    frame = once(data.measurements, MEASUREMENT_KEY)
    studies = chosen_studies(data, **choice)
    kept = frame["study_id"].isin(studies) & frame["outcome_id"].isin(list(outcome_ids))
    frame = frame[kept & (frame["subgroup"] == "")]
    order = {one: place for place, one in enumerate(outcome_ids)}
    frame = frame.sort_values("outcome_id", key=lambda ids: ids.map(order), kind="stable")
    labels = outcome_labels(data)
    return build(
        data,
        (
            Column("Study and arm", width=2.8),
            Column("When", width=1.0),
            Column("Patients", "right", 0.8),
            Column("Statistic", width=1.4),
            Column("Printed", "right", 1.4),
        ),
        [_measured_row(data, row) for row in records(frame)],
        caption=f"{_capital(names_of(data, outcome_ids, frame))}: as printed, by study. "
        f"{counted(len(frame), 'value')} of {counted(frame['study_id'].nunique(), 'study')}.",
        note="Nothing here is recomputed.",
        frame=frame,
        groups=grouped([
            ", ".join(filter(None, (labels.get(row["outcome_id"], ""), unit(row["unit"]))))
            for row in records(frame)
        ]),
    )  # fmt: skip


def _measured_row(data: Tables, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    from evidence.display.labels import arm_labels, study_label

    study = str(row["study_id"])
    arm = arm_labels(data, study).get(row["arm_id"], str(row["arm_id"]))
    return (
        Cell(f"{study_label(data, study)}: {lower_first(str(arm))}"),
        Cell(when_counted(row)),
        Cell(NOT_STATED if fmt.missing(row["n"]) else str(row["n"])),
        Cell(statistic_words(row)),
        sourced(measured(row), row["row_id"], basis=str(row["basis"]), origin=str(row.get("origin", ""))),
    )
