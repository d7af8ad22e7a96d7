"""Effects drawn: by outcome, by subgroup with its interaction, and between all pairs of arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.figures.draw import Interval, Panel, draw_panels, effect_scale, nothing, numbers
from evidence.display.labels import (
    MEASURES,
    METHODS,
    interval_words,
    joined,
    lower_first,
    mark_legend,
    marked,
    outcome_labels,
    pretty,
    study_label,
    titled,
)
from evidence.display.model import Figure
from evidence.display.tables.pairwise import pair_frame, tested_pairs
from evidence.display.tables.subgroups import interaction_words, subgroup_effects
from evidence.parameters import EffectMeasure, Parameters
from evidence.results import Tables, contrasts, records

ARROW_NOTE = "Arrows: the interval goes on beyond the axis."


def axis_words(measure: str) -> str:
    """Return what the axis of an effect measure is called."""
    return {"RD": "Risk difference, percentage points"}.get(measure, f"{MEASURES[measure]}, logarithmic")


def effect_text(row: Mapping[str, Any]) -> str:
    """Return an effect with its interval, as written beside its row."""
    return fmt.effect(str(row["measure"]), row["estimate"], row["low"], row["high"])


def effects_figure(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    measure: EffectMeasure = "RD",
    reference: str | None = None,
) -> Figure:
    """Draw the effect of every arm against the reference arm, by outcome and time."""
    frame = contrasts(
        data, parameters, study_id=study_id, outcome_ids=outcome_ids, measure=measure, reference=reference
    )
    names = joined([lower_first(pretty(label)) for label in dict.fromkeys(frame["outcome_label"])])
    caption = f"{study_label(data, study_id)}: {lower_first(MEASURES[measure])}, {names or 'no outcome'}."
    caption = f"{caption} {_lines(frame, parameters)}"
    if frame.empty:
        return nothing(caption)
    single = frame[["arm1", "arm0"]].drop_duplicates().shape[0] == 1
    rows: list[Interval] = []
    for _, group in frame.groupby(["outcome_id", "time", "time_label"], sort=False, dropna=False):
        made = records(group)
        rows += [] if single else [Interval(titled(made[0]))]
        rows += [_effect_row(row, titled(row) if single else _versus(row)) for row in made]
    return _forest(data, frame, rows, measure, caption, alt=_alt(frame, titled if single else _both))


def _both(row: Mapping[str, Any]) -> str:
    return f"{titled(row)}, {lower_first(_versus(row))}"


def _versus(row: Mapping[str, Any]) -> str:
    return f"{row['arm1_label']} against {lower_first(str(row['arm0_label']))}"


def _lines(frame: pd.DataFrame, parameters: Parameters) -> str:
    methods = [METHODS.get(name, name) for name in dict.fromkeys(frame["method"][frame["estimate"].notna()])]
    legend = mark_legend(frame["basis"], frame["origin"])
    lines = f"Lines are {interval_words(parameters)}s ({joined(methods) or 'none'})."
    return f"{lines} {legend}." if legend else lines


def _effect_row(row: Mapping[str, Any], label: str, *, summary: bool = False) -> Interval:
    text = marked(effect_text(row), str(row["basis"]), str(row["origin"]))
    return Interval(label, **numbers(row), text=text, summary=summary)


def _forest(
    data: Tables, frame: pd.DataFrame, rows: Sequence[Interval], measure: str, caption: str, *, alt: str
) -> Figure:
    values = [float(value) for name in ("low", "high", "estimate") for value in frame[name]]
    panel = Panel(rows, effect_scale(measure, values, axis_words(measure)), side_words(data, frame))
    return drawn(panel, caption, f"Forest plot. {alt}", frame)


def drawn(panel: Panel, caption: str, alt: str, frame: pd.DataFrame) -> Figure:
    """Return a panel as a figure; its caption explains the arrows where there are any."""
    wide, narrow = draw_panels(panel)
    told = f"{caption} {ARROW_NOTE}" if panel.cut else caption
    return Figure(wide, told, alt, frame, narrow=(narrow,))


def side_words(data: Tables, frame: pd.DataFrame) -> tuple[str, str]:
    """Return what the left and the right side of an effect axis mean, in words."""
    better = dict(zip(data.outcomes["outcome_id"], data.outcomes["better"], strict=True))
    senses = {better.get(outcome, "") for outcome in frame["outcome_id"]}
    arms = frame[["arm1_label", "arm0_label"]].drop_duplicates()
    named = arms.iloc[0] if len(arms) == 1 else ("first named", "second named")
    one, none = (lower_first(str(name)) for name in named)
    if senses == {"higher"}:
        return f"better with {none}", f"better with {one}"
    if senses == {"lower"}:
        return f"better with {one}", f"better with {none}"
    return f"less often with {one}", f"more often with {one}"


def _alt(frame: pd.DataFrame, name: Any) -> str:
    return " ".join(
        f"{name(row)}: {MEASURES[row['measure']].lower()} {effect_text(row)}." for row in records(frame)
    )


def subgroup_figure(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str,
    measure: EffectMeasure | None = None,
) -> Figure:
    """Draw the effect in each level of a subgroup and in all patients, with the interaction test in words."""
    parts = subgroup_effects(
        data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup, measure=measure
    )
    shown = measure or parameters.effect_measure
    label = lower_first(outcome_labels(data).get(subgroup, subgroup))
    title = f"{study_label(data, study_id)}: {lower_first(MEASURES[shown])} by {label}."
    if not parts:
        return nothing(title)
    frame = pd.concat(
        [part.assign(interaction_p=found.p if found else None) for part, found in parts], ignore_index=True
    )
    rows: list[Interval] = []
    words: list[str] = []
    for part, found in parts:
        rows.append(Interval(titled(records(part)[0])))
        rows += [_part_row(row) for row in records(part)]
        words.append(f"{titled(records(part)[0])}: {interaction_words(found)}.")
    caption = f"{title} {_lines(frame, parameters)} Diamonds: all patients. {' '.join(words)}"
    return _forest(data, frame, rows, shown, caption, alt=f"{_alt(frame, _part_name)} {' '.join(words)}")


def _part_name(row: Mapping[str, Any]) -> str:
    return f"{titled(row)}, {lower_first(str(row['part']))}"


def _part_row(row: Mapping[str, Any]) -> Interval:
    known = str(row["basis"]), str(row["origin"])
    pair = (fmt.count(row["e1"], row["n1"]), fmt.count(row["e0"], row["n0"]))
    counts = " against ".join(marked(text, *known) for text in pair)
    whole = row["part"] == "All patients"
    return _effect_row(row, f"{row['part']}, {counts}", summary=whole)


def pairwise_figure(data: Tables, parameters: Parameters, *, study_id: str, outcome_id: str) -> Figure:
    """Draw every pair of arms, what is tested first, as risk difference and, below, as odds ratio."""
    pairs = tested_pairs(data, study_id=study_id)
    frame = pair_frame(
        data, parameters, study_id=study_id, outcome_ids=[outcome_id], pairs=pairs, measures=("RD", "OR")
    )
    label = lower_first(outcome_labels(data).get(outcome_id, outcome_id))
    caption = f"{study_label(data, study_id)}: {label}, all pairs of arms. {_lines(frame, parameters)}"
    if frame.empty:
        return nothing(caption)
    panels = {str(measure): group for measure, group in frame.groupby("measure", sort=False)}
    wide, narrow = draw_panels(*(_pair_panel(data, name, group) for name, group in panels.items()))
    return Figure(wide, caption, f"Two forest plots. {_alt(frame, _versus)}", frame, narrow=(narrow,))


def _pair_panel(data: Tables, measure: str, frame: pd.DataFrame) -> Panel:
    rows = [_effect_row(row, _versus(row)) for row in records(frame)]
    values = [value for row in rows for value in (row.low, row.high, row.estimate)]
    scale = effect_scale(measure, values, axis_words(measure))
    return Panel(rows, scale, side_words(data, frame), MEASURES[measure])
