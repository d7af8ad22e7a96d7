"""From a question to the rows that answer it, and why the others do not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd

from evidence.data import Dataset
from evidence.errors import ParameterError
from evidence.parameters import Parameters
from evidence.results import days, rates, records

Side = Literal["treatment", "comparator", ""]
Row = dict[str, Any]
SIDES: tuple[Side, Side] = ("treatment", "comparator")
OF_STUDY = ("indication", "population", "design", "randomised", "parent_study_id")
OF_ARM = ("node", "dose_value", "combines")
HALF_A_DAY = 0.5  # a window named in months takes a time named in days that rounds into it
# Whom to count where a study counts more than one set and the question names none: the widest first.
SETS = ("randomised", "enrolled", "treated", "unstated", "safety", "evaluable", "responders")


def question_row(question_id: str, dataset: Dataset) -> Row:
    """Return a question's row.

    Raises:
        ParameterError: there is no such question.
    """
    for row in records(dataset.questions):
        if row["question_id"] == question_id:
            return row
    known = ", ".join(dataset.questions["question_id"])
    raise ParameterError(f"question {question_id!r}: the questions are {known}")


def select(question: Row, data: Dataset, parameters: Parameters) -> list[Row]:
    """Return every whole-study rate of the outcome with ``side`` and ``reason``.

    ``reason`` is empty where the row answers. Within a study the latest time in the window counts, one
    analysis set, and an arm that is the sum of others only where those are not counted; studies that share
    patients enter once.
    """
    rows = [row | _judged(row, question) for row in _candidates(question, data, parameters)]
    rows = _latest(_one_set(rows, question))
    return _share_patients_once(_whole_comparisons(_no_arm_twice(rows), question))


def is_empty(value: Any) -> bool:
    """Return whether a cell asks nothing."""
    return value == "" or bool(pd.isna(value))


def _candidates(question: Row, data: Dataset, parameters: Parameters) -> list[Row]:
    """Return every whole-study rate of the outcome, with what the question asks of its study and arm."""
    asked = [str(question["outcome_id"])]
    frame = rates(data.about(asked), parameters, outcome_ids=asked, subgroup="")
    arms = _by_key(data.arms, ("study_id", "arm_id"), OF_ARM)
    studies = _by_key(data.studies, ("study_id",), OF_STUDY)
    return [
        row | arms[row["study_id"], row["arm_id"]] | studies[row["study_id"],]
        for row in records(frame)
        if not row["category"]
    ]


def _by_key(frame: pd.DataFrame, key: Sequence[str], names: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    """Return columns of a table by its key; what it lacks has NaN in each."""
    lacking = dict.fromkeys(names, math.nan)
    found: dict[tuple[Any, ...], Row] = defaultdict(lambda: lacking)
    keys = zip(*(frame[name].tolist() for name in key), strict=True)
    return found | dict(zip(keys, records(frame[list(names)]), strict=True))


def _judged(row: Row, question: Row) -> Row:
    """Return the side of the comparison a row is on, and why it does not answer if it does not."""
    side = _side(row, question)
    tests = {
        "another indication": _listed(row["indication"], question["indication"]),
        "another population": _listed(row["population"], question["population"]),
        "another design": _listed(row["design"], question["designs"]),
        "another treatment or dose": side != "",
        "another analysis set": _listed(row["analysis_set"], question["analysis_set"]),
        "outside the window of time": _in_window(row, question),
        "no count": pd.notna(row["events"]) and pd.notna(row["n"]),
    }
    return {"side": side, "reason": next((reason for reason, holds in tests.items() if not holds), "")}


def _listed(value: str, allowed: str) -> bool:
    return allowed == "" or value in allowed.split("|")


def _side(row: Row, question: Row) -> Side:
    """Return which side an arm is on; one of another dose is on none."""
    for side in SIDES:
        if row["node"] and row["node"] == question[side]:
            dose = question[f"{side}_dose"]
            return side if is_empty(dose) or float(dose) == row["dose_value"] else ""
    return ""


def _in_window(row: Row, question: Row) -> bool:
    low, high, unit = question["time_low"], question["time_high"], question["time_unit"]
    if is_empty(low) and is_empty(high):
        return True
    first = -math.inf if is_empty(low) else days(low, unit)
    last = math.inf if is_empty(high) else days(high, unit)
    day = days(row["time"], row["time_unit"])
    return math.isfinite(day) and first - HALF_A_DAY <= day <= last + HALF_A_DAY


def _answering(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row["reason"]]


def _by_study(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in _answering(rows):
        found.setdefault(row["study_id"], []).append(row)
    return found


def _one_set(rows: list[Row], question: Row) -> list[Row]:
    """Leave each study one analysis set: that with most sides of the comparison, then the preferred one."""
    wanted = [name for name in str(question["analysis_set"]).split("|") if name]
    order = [*wanted, *(name for name in SETS if name not in wanted)]
    chosen = {study: _best_set(some, order) for study, some in _by_study(rows).items()}
    other = {"reason": "another analysis set of the same study counts"}
    return [
        row | other if not row["reason"] and row["analysis_set"] != chosen[row["study_id"]] else row
        for row in rows
    ]


def _best_set(rows: Sequence[Row], order: Sequence[str]) -> str:
    sides: dict[str, set[str]] = {}
    for row in rows:
        sides.setdefault(str(row["analysis_set"]), set()).add(row["side"])
    place = {name: order.index(name) if name in order else len(order) for name in sides}
    return min(sides, key=lambda name: (-len(sides[name]), place[name]))


def _latest(rows: list[Row]) -> list[Row]:
    """Leave each study only the latest time that answers, at which most sides were counted."""
    chosen = {study: _best_day(some) for study, some in _by_study(rows).items()}
    late = {"reason": "a later time of the same study counts"}
    return [
        row | late if not row["reason"] and _order(row) != chosen[row["study_id"]] else row for row in rows
    ]


def _best_day(rows: Sequence[Row]) -> float:
    sides: dict[float, set[str]] = {}
    for row in rows:
        sides.setdefault(_order(row), set()).add(row["side"])
    return max(sides, key=lambda day: (len(sides[day]), day))


def _order(row: Row) -> float:
    day = days(row["time"], row["time_unit"])
    return day if math.isfinite(day) else -1.0


def _no_arm_twice(rows: list[Row]) -> list[Row]:
    """Leave out arms whose patients other counted arms hold: sums of counted arms, or parts of a sum."""
    counted = {(row["study_id"], row["arm_id"]) for row in _answering(rows)}
    seen: set[tuple[str, str]] = set()
    kept = []
    for row in rows:
        arm = (row["study_id"], row["arm_id"])
        reason = row["reason"] or _repeats(row, counted, rows) or ("counted already" if arm in seen else "")
        seen |= set() if reason else {arm}
        kept.append(row | {"reason": reason})
    return kept


def _repeats(row: Row, counted: set[tuple[str, str]], rows: list[Row]) -> str:
    study = row["study_id"]
    if _is_whole(row, counted):
        return "the sum of arms that are counted"
    sums = [one for one in _answering(rows) if one["study_id"] == study and row["arm_id"] in _parts(one)]
    inside = any(not _is_whole(one, counted) for one in sums)
    return "part of an arm that is counted" if inside else ""


def _parts(row: Row) -> list[str]:
    return [part for part in str("" if is_empty(row["combines"]) else row["combines"]).split("|") if part]


def _is_whole(row: Row, counted: set[tuple[str, str]]) -> bool:
    """Return whether a row is the sum of arms that are all counted themselves."""
    parts = _parts(row)
    return bool(parts) and all((row["study_id"], part) in counted for part in parts)


def _whole_comparisons(rows: list[Row], question: Row) -> list[Row]:
    """Leave out studies that lack a side of the comparison."""
    needed = 2 if question["comparator"] else 1
    lacking = {
        study for study, some in _by_study(rows).items() if len({row["side"] for row in some}) < needed
    }
    reason = {"reason": "no arm to compare with"}
    return [row | reason if not row["reason"] and row["study_id"] in lacking else row for row in rows]


def _share_patients_once(rows: list[Row]) -> list[Row]:
    """Leave each family of studies its parent, or the first part where the parent is absent."""
    chosen: dict[str, str] = {}
    for row in sorted(_answering(rows), key=lambda row: row["parent_study_id"] != ""):
        chosen.setdefault(row["parent_study_id"] or row["study_id"], row["study_id"])
    shared = {"reason": "shares patients with an included study"}
    kept = set(chosen.values())
    return [row | shared if not row["reason"] and row["study_id"] not in kept else row for row in rows]
