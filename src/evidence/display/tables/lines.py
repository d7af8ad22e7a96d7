"""What another definition would have counted: in the same patients, and for the same comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import (
    MEASURES,
    ci,
    effect_note,
    lower_first,
    moment,
    pretty,
    sourced,
    study_label,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.definitions import rules_of, threshold_rates
from evidence.display.tables.parts import build, grouped, nothing
from evidence.display.tables.rates import effect_cell
from evidence.parameters import Parameters
from evidence.results import Tables, contrasts, plain, rates, records

PATIENTS = ["study_id", "arm_id", "analysis_set", "time", "time_unit", "n"]
A_PERIOD = ("within", "stage")  # words with which a label says that it is no single visit
LINES_NOTE = (
    "A single percentage was counted. The others are bounds on the observed rate that follow without any "
    "assumption: whoever is above a line is above every lower one. Where a rule asks for more than its line, "
    "counts others too, or says more than instead of at least, fewer bounds follow. They hold for the same "
    "patients at the same visit only."
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """One printed rate by a rule with a line: above the line and nothing else, or narrower or wider.

    ``narrower`` asks for more than the line, ``wider`` counts others too. ``sharp`` is a line that is itself
    not enough (more than, not at least).
    """

    row: Mapping[str, Any]
    line: float
    sharp: bool
    rule: Literal["line", "narrower", "wider"]

    def below(self, line: float) -> bool:
        """Return whether everybody counted here is at or above another line."""
        return self.rule != "wider" and self.line >= line

    def above(self, line: float) -> bool:
        """Return whether everybody at or above another line is counted here."""
        return self.rule != "narrower" and (self.line < line if self.sharp else self.line <= line)


def lines_table(data: Tables, parameters: Parameters, *, criterion: str, unit: str) -> Table:
    """Return what each line of one criterion counts or would count, group of patients by group.

    Args:
        data: the tidy tables.
        parameters: the rates.
        criterion: what the lines are drawn through, as the definitions name it.
        unit: the unit of the lines.
    """
    found = _counted(data, parameters, criterion, unit)
    lines = sorted({one.line for one in found if not one.sharp})
    what = f"{plain(criterion).lower()}, {pretty(unit)}"
    caption = f"What each line counts, or the bounds on what it would have counted ({what})."
    if not found:
        return nothing(caption)
    groups = list(_patients(found))
    return build(
        data,
        (
            Column("Arm", width=1.8),
            Column("When", width=1.2),
            *(Column(f"≥{fmt.general(line)}", "right", 1.5) for line in lines),
        ),
        [_row(group, lines) for group in groups],
        caption=caption,
        note=LINES_NOTE,
        frame=pd.DataFrame([_tidy(group, line) for group in groups for line in lines]),
        groups=grouped([str(group[0].row["study_label"]) for group in groups]),
    )


def _counted(data: Tables, parameters: Parameters, criterion: str, unit: str) -> list[Counted]:
    """Return the rates at single visits whose rule has a line through the criterion."""
    drawn: dict[tuple[str, str], list[list[Row]]] = {}
    for rule in rules_of(data, ("efficacy",)):
        if rule["of"] == "study":
            drawn.setdefault((rule["outcome_id"], rule["study_id"]), []).extend(_groups(rule["rows"]))
    binary = data.outcomes.loc[data.outcomes["type"] == "binary", "outcome_id"]
    frame = rates(data, parameters, outcome_ids=[str(one) for one in binary], subgroup="")
    made = []
    for row in records(frame[frame["estimate"].notna()]):
        rules = drawn.get((row["outcome_id"], row["study_id"]), [])
        found = [_line(row, criteria, criterion, unit) for criteria in rules]
        if not _period(row) and found and all(found):
            made.append(min(filter(None, found), key=lambda one: one.rule != "narrower"))
    return made


def _groups(rows: Iterable[Row]) -> list[list[Row]]:
    """Return the criteria of each printing of a rule."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault((str(row["source_id"]), str(row["locator"]), str(row["group"])), []).append(row)
    return list(found.values())


def _line(row: Row, criteria: Sequence[Row], criterion: str, unit: str) -> Counted | None:
    own = [
        one
        for one in criteria
        if one["criterion"] == criterion and one["unit"] == unit and one["operator"] in (">=", ">")
    ]
    if len(own) != 1:
        return None
    joined = "wider" if str(criteria[0]["join"]) == "any" else "narrower"
    rule: Any = joined if len(criteria) > 1 else "line"
    return Counted(row, float(own[0]["threshold"]), own[0]["operator"] == ">", rule)


def _period(row: Row) -> bool:
    return str(row["time_label"] or "").lower().startswith(A_PERIOD)


def _patients(found: Sequence[Counted]) -> Iterable[list[Counted]]:
    """Return what was counted in the same patients; an undated printing gives way to dated ones."""
    groups: dict[tuple[str, ...], list[Counted]] = {}
    for one in found:
        groups.setdefault(tuple(str(one.row[name]) for name in PATIENTS), []).append(one)
    dated = {_arm(one) for one in found if pd.notna(one.row["time"])}
    kept = [
        group for group in groups.values() if pd.notna(group[0].row["time"]) or _arm(group[0]) not in dated
    ]
    order = list(dict.fromkeys(one.row["study_id"] for one in found))
    return sorted(kept, key=lambda group: order.index(group[0].row["study_id"]))


def _arm(one: Counted) -> tuple[str, str]:
    return str(one.row["study_id"]), str(one.row["arm_id"])


def _row(group: Sequence[Counted], lines: Sequence[float]) -> tuple[Cell, ...]:
    first = group[0].row
    when = moment({**first, "time_label": ""}) or moment(first) or "not stated"
    return Cell(str(first["arm_label"])), Cell(when), *(_cell(group, line) for line in lines)


def _cell(group: Sequence[Counted], line: float) -> Cell:
    """Return the printed rate at a line, or what the rates at other lines leave possible."""
    exact = next((one for one in group if _exact(one, line)), None)
    if exact is not None:
        counted = fmt.count(exact.row["events"], exact.row["n"])
        text = fmt.percent(exact.row["estimate"]) + (f" ({counted})" if counted else "")
        return _sourced(text, [exact])
    used = [one for one in (_least(group, line), _most(group, line)) if one is not None]
    return _sourced(_bounds(_least(group, line), _most(group, line)), used)


def _exact(one: Counted, line: float) -> bool:
    return one.rule == "line" and one.line == line and not one.sharp


def _least(group: Sequence[Counted], line: float) -> Counted | None:
    return max((one for one in group if one.below(line)), key=lambda one: one.row["estimate"], default=None)


def _most(group: Sequence[Counted], line: float) -> Counted | None:
    return min((one for one in group if one.above(line)), key=lambda one: one.row["estimate"], default=None)


def _bounds(least: Counted | None, most: Counted | None) -> str:
    low, high = (fmt.percent(one.row["estimate"]) if one else "" for one in (least, most))
    if least and most:
        agree = least.row["estimate"] <= most.row["estimate"]
        return f"{low.removesuffix('%')} to {high}" if agree else "printed rates disagree"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def _sourced(text: str, used: Sequence[Counted]) -> Cell:
    ids = "|".join(str(one.row["row_id"]) for one in used)
    bases = [str(one.row["basis"]) for one in used]
    basis = next((name for name in ("assumed", "derived") if name in bases), "printed")
    origin = "external" if any(one.row["origin"] == "external" for one in used) else "seed"
    return sourced(text, ids, basis=basis, origin=origin)


def _tidy(group: Sequence[Counted], line: float) -> Row:
    exact = next((one for one in group if _exact(one, line)), None)
    low, high = exact or _least(group, line), exact or _most(group, line)
    names = ("study_id", "arm_id", "time", "time_unit", "time_label", "n")
    return {name: group[0].row[name] for name in names} | {
        "line": line,
        "printed": exact is not None,
        "events": exact.row["events"] if exact else None,
        "low": low.row["estimate"] if low else 0.0,
        "high": high.row["estimate"] if high else 1.0,
    }


def criteria_effects_table(data: Tables, parameters: Parameters) -> Table:
    """Return the same comparison by every criterion that its study reports."""
    caption = (
        "The same comparison by different criteria of response: how far the effect hangs on the definition."
    )
    ratio = "RR" if parameters.effect_measure == "RD" else parameters.effect_measure
    pairs = _comparisons(data, parameters, ratio)
    if not pairs:
        return nothing(caption)
    frame = pd.DataFrame([row for pair in pairs for row in pair[:2]])
    return build(
        data,
        (
            Column("Counts when", width=2.6),
            Column("Treated", "right", 0.9),
            Column("Control", "right", 0.9),
            Column(f"Difference, points ({ci(parameters)})", "right", 1.8),
            Column(f"{MEASURES[ratio]} ({ci(parameters)})", "right", 1.7),
        ),
        [_effect_row(*pair) for pair in pairs],
        caption=caption,
        note=f"One study, the same patients: only the criterion changes. {effect_note(frame, parameters)}",
        frame=frame,
        groups=grouped([_versus(difference) for difference, _, _ in pairs]),
    )


def _comparisons(data: Tables, parameters: Parameters, ratio: Any) -> list[tuple[Row, Row, str]]:
    """Return difference, ratio and rule of every comparison that one study counts by several criteria."""
    several = threshold_rates(data, parameters)
    rules = {(row["study_id"], row["outcome_id"], row["arm_id"]): _ruled(row) for row in records(several)}
    found = []
    for study in dict.fromkeys(str(one) for one in several["study_id"]):
        outcomes = list(dict.fromkeys(several.loc[several["study_id"] == study, "outcome_id"]))
        made = [
            records(contrasts(data, parameters, study_id=study, outcome_ids=outcomes, measure=measure))
            for measure in ("RD", ratio)
        ]
        for difference, effect in zip(*made, strict=True):
            rule = rules.get((study, difference["outcome_id"], difference["arm1"]))
            named = {**difference, "study": study_label(data, study)}
            found += [(named, effect, rule)] if rule else []
    order = list(dict.fromkeys((one["study_id"], one["arm1"]) for one, _, _ in found))
    return sorted(found, key=lambda one: (order.index((one[0]["study_id"], one[0]["arm1"])), -one[0]["e1"]))


def _ruled(row: Row) -> str:
    label = str(row["time_label"] or "")
    return f"{row['rule']}, {label}" if label else str(row["rule"])


def _versus(row: Row) -> str:
    return (
        f"{row['study']}: {lower_first(str(row['arm1_label']))} against {lower_first(str(row['arm0_label']))}"
    )


def _effect_row(difference: Row, effect: Row, rule: str) -> tuple[Cell, ...]:
    one, none = str(difference["row_id"]).split("|")
    origin = str(difference["origin"])
    counts = (
        sourced(
            fmt.count(difference[f"e{arm}"], difference[f"n{arm}"]),
            ids,
            basis=difference[f"basis{arm}"],
            origin=origin,
        )
        for arm, ids in (("1", one), ("0", none))
    )
    return Cell(rule), *counts, effect_cell(difference), effect_cell(effect)
