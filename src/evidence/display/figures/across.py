"""Figures across studies: rates by treatment and effects by design, side by side and never pooled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display import theme
from evidence.display.across import (
    Choice,
    Some,
    Window,
    across_frame,
    effects_frame,
    sharing_words,
    undated_words,
    when_counted,
)
from evidence.display.figures.draw import Interval, Panel, effect_scale, nothing, numbers, percent_scale
from evidence.display.figures.effects import axis_words, drawn, effect_text, side_words
from evidence.display.figures.lights import lights_legend
from evidence.display.figures.treatments import Treatments, treatments
from evidence.display.labels import (
    MEASURES,
    METHODS,
    interval_words,
    joined,
    lower_first,
    mark_legend,
    marked,
)
from evidence.display.model import Figure
from evidence.display.tables.across import (
    NOT_POOLED,
    NOT_STATED,
    count_words,
    names_of,
    spread_words,
    study_words,
)
from evidence.parameters import Parameters
from evidence.results import Tables, records
from evidence.synthesis.bias import bias_lights

NO_INTERVAL = "A point without a line is a percentage that no count stands behind."


def across_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> Figure:
    """Draw every counted result of the outcomes in the chosen studies, by treatment and study.

    Arguments as in ``across_frame``. Colour and marker are those of the treatment.
    """
    frame = across_frame(data, parameters, outcome_ids=outcome_ids, window=window, **choice)
    caption = _caption(data, parameters, outcome_ids, frame)
    if frame.empty:
        return nothing(caption)
    rows = _rows(frame, treatments(data))
    highest = float(frame[["estimate", "high"]].max().max())
    panel = Panel(rows, percent_scale(highest, "Patients with the outcome"))
    return drawn(panel, caption, f"Interval plot. {_alt(frame)}", frame)


def _caption(data: Tables, parameters: Parameters, outcome_ids: Sequence[str], frame: pd.DataFrame) -> str:
    names = names_of(data, outcome_ids, frame)
    bare = bool(frame["low"].isna().any())
    parts = [
        f"{names[:1].upper()}{names[1:]} by treatment and study.",
        spread_words(frame),
        f"Lines are {interval_words(parameters)}s ({METHODS[parameters.proportion_method]}).",
        NO_INTERVAL if bare else "",
        NOT_POOLED,
        undated_words(data, frame),
        sharing_words(data, set(frame["study_id"])),
        _legend(frame),
    ]
    return " ".join(filter(None, parts))


def _legend(frame: pd.DataFrame) -> str:
    told = mark_legend(frame["basis"], frame["origin"])
    return f"{told}." if told else ""


def _rows(frame: pd.DataFrame, styles: Treatments) -> list[Interval]:
    rows: list[Interval] = []
    last = ""
    for row in records(frame):
        heading = _heading(row, frame)
        rows += [Interval(heading)] if heading != last else []
        rows.append(_row(row, styles.arm(str(row["study_id"]), str(row["arm_id"]))))
        last = heading
    return rows


def _heading(row: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """Return what a row stands under: its treatment, with the outcome where there are several."""
    treatment = str(row["node_label"])
    several = frame["heading"].nunique() > 1
    return f"{row['heading']}: {lower_first(treatment)}" if several else treatment


def _row(row: Mapping[str, Any], style: theme.Style) -> Interval:
    return Interval(_label(row), **numbers(row), text=_value(row), style=style)


def _label(row: Mapping[str, Any]) -> str:
    arm = "" if row["arm_label"] == row["node_label"] else f", {lower_first(str(row['arm_label']))}"
    return f"{study_words(row)}{arm}; {_when(row)}"


def _when(row: Mapping[str, Any]) -> str:
    when = lower_first(when_counted(row))
    return "time not stated" if when == NOT_STATED else when


def _value(row: Mapping[str, Any]) -> str:
    known = not fmt.missing(row["events"])
    share = fmt.percent(row["estimate"]) if known else fmt.printed_percent(str(row["percent"]))
    return f"{share}  ({marked(count_words(row), str(row['basis']) if known else '', str(row['origin']))})"


def _alt(frame: pd.DataFrame) -> str:
    groups: dict[str, list[str]] = {}
    for row in records(frame):
        words = f"{_label(row)}: {fmt.risk(row['estimate'], row['low'], row['high'])}"
        groups.setdefault(_heading(row, frame), []).append(words.replace(";", ","))
    return " ".join(f"{heading}. {'; '.join(told)}." for heading, told in groups.items())


def effects_across_figure(
    data: Dataset,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    treatments: Some = None,
    comparators: Some = None,
    window: Window | None = None,
    **choice: Unpack[Choice],
) -> Figure:
    """Draw every effect within a study in the measure of the parameters, by outcome and design.

    Arguments as in ``effects_frame``. There is no diamond: nothing is pooled. The light of a result stands at
    the right of its row, none where its risk of bias was not judged.
    """
    frame = effects_frame(
        data,
        parameters,
        outcome_ids=outcome_ids,
        treatments=treatments,
        comparators=comparators,
        window=window,
        **choice,
    )
    frame = frame.assign(risk_of_bias=[_judgement(data, row) for row in records(frame)])
    measure = parameters.effect_measure
    caption = _effects_caption(data, parameters, outcome_ids, frame)
    if frame["estimate"].notna().sum() == 0:
        return nothing(caption)
    rows = _effect_rows(frame)
    values = [float(value) for name in ("low", "high", "estimate") for value in frame[name]]
    panel = Panel(rows, effect_scale(measure, values, axis_words(measure)), side_words(data, frame))
    return drawn(panel, caption, _effects_alt(frame), frame)


def _effects_caption(
    data: Tables, parameters: Parameters, outcome_ids: Sequence[str], frame: pd.DataFrame
) -> str:
    known = frame[frame["estimate"].notna()]
    methods = joined([METHODS.get(name, name) for name in dict.fromkeys(known["method"])])
    parts = [
        f"{MEASURES[parameters.effect_measure]} within studies, by design: "
        f"{names_of(data, outcome_ids, frame)}{_reach(parameters.effect_measure, known)}.",
        f"Lines are {interval_words(parameters)}s ({methods or 'none'}).",
        NOT_POOLED,
        undated_words(data, frame),
        sharing_words(data, set(frame["study_id"])),
        _legend(frame),
        lights_legend(set(known["risk_of_bias"])),
    ]
    return " ".join(filter(None, parts))


def _judgement(data: Dataset, row: Mapping[str, Any]) -> str:
    """Return the risk of bias of a result that is drawn, nothing where it was not judged."""
    light = bias_lights(data, str(row["study_id"]), str(row["outcome_id"]))
    return light.judgement if light and not math.isnan(row["estimate"]) else ""


def _reach(measure: str, known: pd.DataFrame) -> str:
    """Return from where to where the effects reach, as a sentence goes on; nothing of none."""
    if known.empty:
        return ""
    ends = [fmt.effect(measure, known["estimate"].agg(end), math.nan, math.nan) for end in ("min", "max")]
    low, high = (end.partition(" (")[0] for end in ends)
    return f", {low}" if len(known) == 1 else f", {len(known)} effects from {low} to {high}"


def _effect_rows(frame: pd.DataFrame) -> list[Interval]:
    several = frame["outcome_id"].nunique() > 1
    rows: list[Interval] = []
    last = ""
    for row in records(frame):
        heading = f"{row['outcome_label']}: {lower_first(row['design'])}" if several else str(row["design"])
        rows += [Interval(heading)] if heading != last else []
        text = marked(effect_text(row), str(row["basis"]), str(row["origin"]))
        rows.append(Interval(_versus(row), **numbers(row), text=text, judgement=row["risk_of_bias"]))
        last = heading
    return rows


def _versus(row: Mapping[str, Any]) -> str:
    pair = " against ".join(lower_first(str(row[arm])) for arm in ("arm1_label", "arm0_label"))
    return f"{study_words(row)}: {pair}; {_when(row)}"


def _effects_alt(frame: pd.DataFrame) -> str:
    parts = [
        f"{row['outcome_label']}, {_versus(row)}: {effect_text(row)}"
        f"{', risk of bias ' if row['risk_of_bias'] else ''}{row['risk_of_bias']}."
        for row in records(frame)
    ]
    measure = MEASURES[str(frame["measure"].iloc[0])].lower()
    return f"Forest plot of the {measure}. {' '.join(parts)}"
