"""From a question (PICO) to the rows that answer it, the result in absolute terms, and a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from evidence.data import Dataset
from evidence.errors import ParameterError
from evidence.parameters import Parameters
from evidence.results import RATES, days, rates, records
from evidence.stats import (
    NumberNeeded,
    Proportion,
    compare,
    number_needed,
    pool,
    pool_proportions,
    proportion,
)
from evidence.wording import Allocation, Verdict, allocation_of, conclusion, risks_text, sign_of, verdict_of

Side = Literal["treatment", "comparator", ""]
Row = dict[str, Any]
HALF_A_DAY = 0.5  # a window named in months takes a time named in days that rounds into it


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect of treatment against comparator, of one study or pooled over several."""

    measure: str
    estimate: float
    low: float
    high: float
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the data say to one question.

    ``included`` and ``excluded`` hold rows of ``rates`` with ``side`` and ``reason``. ``treatment`` and
    ``control`` are risks (``control`` is None where the question has no comparator), ``effect`` is relative,
    ``difference`` absolute (treatment minus control); each is None where nothing defines it.
    """

    question_id: str
    title: str
    outcome: str
    included: pd.DataFrame
    excluded: pd.DataFrame
    treatment: Proportion | None
    control: Proportion | None
    effect: Estimate | None
    difference: Estimate | None
    needed: NumberNeeded | None
    studies: tuple[str, ...]
    allocation: Allocation
    verdict: Verdict
    sentence: str


def answer(question_id: str, dataset: Dataset, parameters: Parameters) -> Answer:
    """Answer one row of ``questions.csv`` under the parameters.

    Rows enter by the columns of the question alone: outcome, indication, population, designs, nodes and doses
    of the arms, analysis set and window of time; an empty column asks nothing. Within a study the latest time
    in the window counts, arms of the same treatment are added up, studies that share patients enter once.
    One study speaks for itself; several are pooled on the scale of the parameters' effect measure.

    Raises:
        ParameterError: there is no such question.
        StatisticsError: the counts define no estimate of the measure.
    """
    question = _question(question_id, dataset)
    rows = [row | _judged(row, question) for row in _candidates(question, dataset, parameters)]
    rows = _share_patients_once(_whole_comparisons(_latest(rows), question))
    included = [row for row in rows if not row["reason"]]
    arms = {side: _sums(included, side) for side in ("treatment", "comparator")}
    return _answered(question, rows, arms, dataset, parameters)


def _question(question_id: str, dataset: Dataset) -> Row:
    for row in records(dataset.questions):
        if row["question_id"] == question_id:
            return row
    known = ", ".join(dataset.questions["question_id"])
    raise ParameterError(f"question {question_id!r}: the questions are {known}")


def _candidates(question: Row, data: Dataset, parameters: Parameters) -> list[Row]:
    """Return every whole-study rate of the outcome, with what the question asks of its study and arm."""
    frame = rates(data, parameters, outcome_ids=[question["outcome_id"]], subgroup="")
    studies = data.studies[
        ["study_id", "indication", "population", "design", "randomised", "parent_study_id"]
    ]
    arms = data.arms[["study_id", "arm_id", "node", "dose_value", "combines"]]
    joined = frame.merge(arms, on=["study_id", "arm_id"], how="left").merge(
        studies, on="study_id", how="left"
    )
    return [row for row in records(joined) if not row["category"]]


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
    """Return which side an arm is on; one that is the sum of others, or of another dose, is on none."""
    sides: tuple[Side, Side] = ("treatment", "comparator")
    for side in sides:
        if row["node"] and row["node"] == question[side] and not row["combines"]:
            dose = question[f"{side}_dose"]
            return side if _empty(dose) or float(dose) == row["dose_value"] else ""
    return ""


def _empty(value: Any) -> bool:
    return value == "" or bool(pd.isna(value))


def _in_window(row: Row, question: Row) -> bool:
    low, high, unit = question["time_low"], question["time_high"], question["time_unit"]
    if _empty(low) and _empty(high):
        return True
    first = -math.inf if _empty(low) else days(low, unit)
    last = math.inf if _empty(high) else days(high, unit)
    day = days(row["time"], row["time_unit"])
    return math.isfinite(day) and first - HALF_A_DAY <= day <= last + HALF_A_DAY


def _latest(rows: list[Row]) -> list[Row]:
    """Leave each study only the latest time that answers."""
    last: dict[str, float] = {}
    for row in (row for row in rows if not row["reason"]):
        last[row["study_id"]] = max(last.get(row["study_id"], -math.inf), _order(row))
    late = {"reason": "a later time of the same study counts"}
    return [row | late if not row["reason"] and _order(row) < last[row["study_id"]] else row for row in rows]


def _order(row: Row) -> float:
    day = days(row["time"], row["time_unit"])
    return day if math.isfinite(day) else -1.0


def _whole_comparisons(rows: list[Row], question: Row) -> list[Row]:
    """Leave out studies that lack a side of the comparison."""
    sides: dict[str, set[str]] = {}
    for row in (row for row in rows if not row["reason"]):
        sides.setdefault(row["study_id"], set()).add(row["side"])
    needed = 2 if question["comparator"] else 1
    lacking = {"reason": "no arm to compare with"}
    return [
        row | lacking if not row["reason"] and len(sides[row["study_id"]]) < needed else row for row in rows
    ]


def _share_patients_once(rows: list[Row]) -> list[Row]:
    """Leave each family of studies its parent, or the first part where the parent is absent."""
    chosen: dict[str, str] = {}
    answering = sorted(
        (row for row in rows if not row["reason"]), key=lambda row: row["parent_study_id"] != ""
    )
    for row in answering:
        chosen.setdefault(row["parent_study_id"] or row["study_id"], row["study_id"])
    shared = {"reason": "shares patients with an included study"}
    kept = set(chosen.values())
    return [row | shared if not row["reason"] and row["study_id"] not in kept else row for row in rows]


def _sums(rows: list[Row], side: str) -> dict[str, tuple[int, int]]:
    """Return events and patients per study on one side, arms of the same treatment added up."""
    total: dict[str, tuple[int, int]] = {}
    for row in (row for row in rows if row["side"] == side):
        events, n = total.get(row["study_id"], (0, 0))
        total[row["study_id"]] = (events + int(row["events"]), n + int(row["n"]))
    return total


def _answered(
    question: Row,
    rows: list[Row],
    arms: dict[str, dict[str, tuple[int, int]]],
    data: Dataset,
    parameters: Parameters,
) -> Answer:
    treatment, control = _risk(arms["treatment"], parameters), _risk(arms["comparator"], parameters)
    effect = _effect(arms, _relative(parameters), parameters) if control else None
    difference = _difference(arms, effect, treatment, control, parameters) if control else None
    outcome = records(data.outcomes[data.outcomes["outcome_id"] == question["outcome_id"]])[0]
    verdict = _verdict(difference, treatment, outcome["better"], question)
    included = _frame([row for row in rows if not row["reason"]])
    allocation = _allocation(included, data)
    return Answer(
        question_id=str(question["question_id"]),
        title=str(question["title"]),
        outcome=str(outcome["label"]),
        included=included,
        excluded=_frame([row for row in rows if row["reason"]]),
        treatment=treatment,
        control=control,
        effect=effect,
        difference=difference,
        needed=_needed(arms, outcome["better"], parameters) if control else None,
        studies=tuple(arms["treatment"]),
        allocation=allocation,
        verdict=verdict,
        sentence=_sentence(question, outcome, rows, (treatment, control, difference), verdict, allocation),
    )


def _frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else [*RATES, "side", "reason"])


def _allocation(included: pd.DataFrame, data: Dataset) -> Allocation:
    studies = set(included["study_id"]) if len(included) else set()
    return allocation_of(set(data.studies.loc[data.studies["study_id"].isin(studies), "randomised"]))


def _risk(arm: dict[str, tuple[int, int]], parameters: Parameters) -> Proportion | None:
    """Return the risk on one side: of one study directly, of several as that of the median study."""
    if not arm:
        return None
    events, n = [pair[0] for pair in arm.values()], [pair[1] for pair in arm.values()]
    level, method = parameters.confidence_level, parameters.proportion_method
    if len(events) == 1:
        return proportion(events[0], n[0], level=level, method=method)
    pooled = pool_proportions(events, n, level=level)
    return Proportion(pooled.estimate, pooled.low, pooled.high, sum(events), sum(n), level, pooled.method)


def _relative(parameters: Parameters) -> str:
    return "RR" if parameters.effect_measure == "RD" else parameters.effect_measure


def _effect(arms: dict[str, dict[str, tuple[int, int]]], measure: str, parameters: Parameters) -> Estimate:
    method = parameters.difference_method if measure == "RD" else None
    each = [
        compare(*arms["treatment"][study], *arms["comparator"][study], measure=measure, method=method,  # type: ignore[arg-type]
                level=parameters.confidence_level)
        for study in arms["treatment"]
    ]  # fmt: skip
    if len(each) == 1:
        one = each[0]
        return Estimate(measure, one.estimate, one.low, one.high, one.p, one.method)
    return _pooled(measure, arms, parameters)


def _pooled(measure: str, arms: dict[str, dict[str, tuple[int, int]]], parameters: Parameters) -> Estimate:
    """Pool log ratios by random effects."""
    from evidence.stats import chi_square_p

    level = parameters.confidence_level
    pairs = [(arms["treatment"][study], arms["comparator"][study]) for study in arms["treatment"]]
    effects = [compare(*one, *none, measure=measure, level=level) for one, none in pairs]  # type: ignore[arg-type]
    y = [math.log(effect.estimate) for effect in effects]
    v = [(math.log(effect.high / effect.low) / _width(level)) ** 2 for effect in effects]
    tau2 = parameters.pooling_method
    ci = "Wald" if tau2 == "FE" else parameters.interval_method
    pooled = pool(y, v, tau2=tau2, ci=ci, level=level)
    p = float(chi_square_p((pooled.estimate / pooled.se) ** 2, 1))
    low, middle, high = (math.exp(value) for value in (pooled.low, pooled.estimate, pooled.high))
    return Estimate(measure, middle, low, high, p, f"{tau2}, {ci}")


def _width(level: float) -> float:
    from scipy.special import ndtri

    return 2 * float(ndtri((1 + level) / 2))


def _difference(
    arms: dict[str, dict[str, tuple[int, int]]],
    effect: Estimate | None,
    treatment: Proportion | None,
    control: Proportion | None,
    parameters: Parameters,
) -> Estimate | None:
    """Return the absolute difference: measured in one study, else the relative effect at the control risk."""
    if len(arms["treatment"]) == 1 or effect is None or control is None:
        return _effect(arms, "RD", parameters)
    risk = control.estimate
    low, middle, high = (
        _treated(ratio, risk, effect.measure) for ratio in (effect.low, effect.estimate, effect.high)
    )
    return Estimate(
        "RD", middle - risk, low - risk, high - risk, effect.p, f"{effect.measure} at the control risk"
    )


def _treated(ratio: float, risk: float, measure: str) -> float:
    if measure == "OR":
        return ratio * risk / (1 - risk + ratio * risk)
    return min(1.0, ratio * risk)


def _needed(
    arms: dict[str, dict[str, tuple[int, int]]], better: str, parameters: Parameters
) -> NumberNeeded | None:
    if len(arms["treatment"]) != 1:
        return None
    study = next(iter(arms["treatment"]))
    pair = (*arms["treatment"][study], *arms["comparator"][study])
    level, method = parameters.confidence_level, parameters.difference_method
    difference = compare(*pair, measure="RD", method=method, level=level)
    return number_needed(difference, better="lower" if better == "lower" else "higher")


def _verdict(
    difference: Estimate | None, treatment: Proportion | None, better: str, question: Row
) -> Verdict:
    if difference is None:
        return Verdict("described" if treatment else "nothing", "neither")
    important = (
        0.0 if _empty(question["important_per_1000"]) else float(question["important_per_1000"]) / 1000
    )
    return verdict_of(difference.low, difference.high, better=better, important=important)


def _sentence(
    question: Row,
    outcome: Row,
    rows: list[Row],
    found: tuple[Proportion | None, Proportion | None, Estimate | None],
    verdict: Verdict,
    allocation: Allocation,
) -> str:
    treatment, control, difference = found
    label, names = (
        str(outcome["label"]),
        {row["side"]: str(row["arm_label"]) for row in rows if not row["reason"]},
    )
    important = 0.0 if _empty(question["important_per_1000"]) else float(question["important_per_1000"])
    arm = names.get("treatment", "")
    said = conclusion(verdict, label, arm, allocation=allocation, important_per_1000=important)
    if treatment is None:
        return said
    limits = None if difference is None else (difference.estimate, difference.low, difference.high)
    return f"{risks_text(label, names, treatment, control, limits, _signs(rows))} {said}"


def _signs(rows: list[Row]) -> dict[str, str]:
    """Return how the counts of each side are known."""
    used = [row for row in rows if not row["reason"]]
    return {
        side: sign_of(
            [row["basis"] for row in used if row["side"] == side],
            [row["origin"] for row in used if row["side"] == side],
        )
        for side in ("treatment", "comparator")
    }
