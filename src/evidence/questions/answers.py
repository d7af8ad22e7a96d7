"""The answer to a question: what the best design says, what the others say apart, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evidence.data import Dataset
from evidence.data.content import content_of
from evidence.format import in_sentence
from evidence.memo import recalled
from evidence.parameters import Parameters, rounding, theme
from evidence.questions.findings import Estimate, Finding, find, finding_verdict
from evidence.questions.selection import Row, is_empty, question_row, select
from evidence.questions.studies import (
    Arm,
    Study,
    by_allocation,
    doubtful_words,
    studies_of,
    uncounted_words,
)
from evidence.results import RATES, records
from evidence.stats import NumberNeeded, Proportion, compare, number_needed
from evidence.wording import (
    Allocation,
    Verdict,
    allocation_of,
    apart_text,
    conclusion,
    pooled_text,
    risks_text,
    side_by_side_text,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the data say to one question.

    ``included`` and ``excluded`` hold rows of ``rates`` with ``side`` and ``reason``. ``treatment`` and
    ``control`` are risks (``control`` is None where the question has no comparator), ``effect`` is relative,
    ``difference`` absolute (treatment minus control); each is None where nothing defines it. All of these are
    of the best design that answers (``finding``): randomised studies if there are any. Studies of other
    designs stand in ``apart``, a finding per design, and are pooled with nothing.
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
    finding: Finding
    apart: tuple[Finding, ...]
    better: str
    important: float


def answer(question_id: str, dataset: Dataset, parameters: Parameters) -> Answer:
    """Answer one row of ``questions.csv`` under the parameters.

    Rows enter by the columns of the question alone: outcome, indication, population, designs, nodes and doses
    of the arms, analysis set and window of time; an empty column asks nothing. Within a study the latest time
    in the window counts, arms of the same treatment are added up, studies that share patients enter once.
    One study speaks for itself; two stand side by side; three or more are pooled on the scale of the
    parameters' effect measure, and the difference is what the pooled ratio makes of the control risk.
    Randomised and other studies are never pooled: the best design answers, the others stand apart.

    Raises:
        ParameterError: there is no such question.
    """
    return _answer(question_id, dataset, parameters)


def asked_of(question_id: str, data: Dataset, parameters: Parameters) -> tuple[object, ...]:
    """Return everything that an answer depends on: of the counts, those of the question's outcome."""
    part = data.about([question_row(question_id, data)["outcome_id"]])
    return question_id, content_of(part), parameters, rounding(), theme()


@recalled(256, asked_of)  # tables, sentences and figures of a chapter ask for the same answers
def _answer(question_id: str, data: Dataset, parameters: Parameters) -> Answer:
    return answer_to(question_row(question_id, data), data, parameters)


def answer_to(question: Row, data: Dataset, parameters: Parameters) -> Answer:
    """Answer a question that has the columns of ``questions.csv``, whether it stands there or not."""
    dataset = data.about([question["outcome_id"]])
    rows = select(question, dataset, parameters)
    groups = grouped(studies_of(rows, question, dataset), question)
    found = [
        find(some, question, rows, dataset, parameters, allocation=name) for name, some in groups.items()
    ]
    first = (
        found[0] if found else find((), question, rows, dataset, parameters, allocation=allocation_of([""]))
    )
    return _answered(question, rows, first, tuple(found[1:]), dataset, parameters)


def grouped(studies: Sequence[Study], question: Row) -> dict[Allocation, tuple[Study, ...]]:
    """Return the studies that may be pooled, by allocation; rates without comparison are one group."""
    if question["comparator"] or not studies:
        return by_allocation(studies)
    said = {"randomised": "yes", "not randomised": "no", "not stated": ""}
    return {allocation_of([said[study.allocation] for study in studies]): tuple(studies)}


def _answered(
    question: Row,
    rows: list[Row],
    found: Finding,
    apart: tuple[Finding, ...],
    data: Dataset,
    parameters: Parameters,
) -> Answer:
    outcome = records(data.outcomes[data.outcomes["outcome_id"] == question["outcome_id"]])[0]
    important = 0.0 if is_empty(question["important_per_1000"]) else float(question["important_per_1000"])
    better = str(outcome["better"] or "")
    verdict = finding_verdict(found, better=better, important=important / 1000)
    names = [study.study_id for study in found.studies]
    kept = [row for row in rows if not row["reason"] and row["study_id"] in names]
    label = str(outcome["label"])
    return Answer(
        question_id=str(question["question_id"]),
        title=str(question["title"]),
        outcome=label,
        included=_frame(kept),
        excluded=_frame(_left_out(rows, names, found)),
        treatment=found.treatment,
        control=found.control,
        effect=found.effect,
        difference=found.difference,
        needed=_needed(found, better, parameters),
        studies=tuple(names),
        allocation=found.allocation,
        verdict=verdict,
        sentence=" ".join(filter(None, (_sentence(found, verdict, label, important), *_rest(found, apart)))),
        finding=found,
        apart=apart,
        better=better,
        important=important,
    )


def _left_out(rows: list[Row], names: list[str], found: Finding) -> list[Row]:
    apart = {"reason": f"shown apart: the answer rests on studies with allocation {found.allocation}"}
    return [
        row if row["reason"] else row | apart for row in rows if row["reason"] or row["study_id"] not in names
    ]


def _frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else [*RATES, "side", "reason"])


def _needed(found: Finding, better: str, parameters: Parameters) -> NumberNeeded | None:
    if len(found.each) != 1:
        return None
    level, method = parameters.confidence_level, parameters.difference_method
    difference = compare(*found.studies[0].four, measure="RD", method=method, level=level)
    return number_needed(difference, better="lower" if better == "lower" else "higher")


def _sentence(found: Finding, verdict: Verdict, label: str, important: float) -> str:
    names = _names(found.studies)
    arm = names.get("treatment", "")
    said = conclusion(verdict, label, arm, allocation=found.allocation, important_per_1000=important)
    if found.treatment is None:
        return said
    return f"{told_of(found, label, names)} {said}"


def told_of(found: Finding, label: str, names: dict[str, str]) -> str:
    """Return the risks in words: measured in one study, side by side of two, pooled of more."""
    assert found.treatment is not None  # noqa: S101 - the caller has looked
    limits = found.difference and (found.difference.estimate, found.difference.low, found.difference.high)
    level = found.treatment.level
    if found.side_by_side:
        return side_by_side_text(
            label, [_one(study, found, i) for i, study in enumerate(found.studies)], level
        )
    if len(found.studies) == 1 and found.measured:
        return risks_text(
            label, names, found.treatment, found.control, limits or None, _signs(found.studies[0])
        )
    return pooled_text(label, names, len(found.studies), found.treatment, found.control, limits or None)


def _one(study: Study, found: Finding, place: int) -> tuple[str, str, str, tuple[float, float, float]]:
    none = study.comparator
    assert none is not None  # noqa: S101 - only comparisons stand side by side
    each = found.each[place]
    return (
        study.label,
        _counted(study.treatment),
        _counted(none),
        (each.estimate, each.low, each.high),
    )


def _counted(arm: Arm) -> str:
    return f"{arm.events} of {arm.n}{arm.sign} with {in_sentence(arm.label)}"


def _rest(found: Finding, apart: Sequence[Finding]) -> list[str]:
    """Return what is missing or doubtful, in what the studies differ, and what stands apart, likewise."""
    told = [part for one in apart for part in (apart_of([one]), one.taken_together if one.difference else "")]
    return [uncounted_words(found.studies), doubtful_words(found.studies), found.taken_together, *told]


def _names(studies: Sequence[Study]) -> dict[str, str]:
    if not studies:
        return {}
    first = studies[0]
    none = {"comparator": in_sentence(first.comparator.label)} if first.comparator else {}
    return {"treatment": in_sentence(first.treatment.label)} | none


def _signs(study: Study) -> dict[str, str]:
    none = {"comparator": study.comparator.sign} if study.comparator else {}
    return {"treatment": study.treatment.sign} | none


def apart_of(apart: Sequence[Finding]) -> str:
    """Return what findings of other designs say, in words."""
    return " ".join(
        apart_text(
            one.allocation, [(name, (shown.estimate, shown.low, shown.high)) for name, shown in _shown(one)]
        )
        for one in apart
        if one.difference is not None
    )


def _shown(found: Finding) -> list[tuple[str, Estimate]]:
    """Return the names and differences of a finding: of two studies one by one, of more together."""
    names = [study.label for study in found.studies]
    if found.difference is None:
        return []
    if found.side_by_side:
        return list(zip(names, found.each, strict=True))
    return [(", ".join(names), found.difference)]
