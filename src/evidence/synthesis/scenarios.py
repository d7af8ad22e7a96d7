"""What the scenarios change: every question answered under each of them, and whether the conclusion stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from evidence.data import Dataset
from evidence.parameters import Parameters
from evidence.questions import Answer, Estimate, answer, ordered_questions
from evidence.scenarios import Scenario
from evidence.stats import Proportion

OWN = "this-report"
OWN_TITLE = "This report"
OWN_REASON = "The parameters of this report, which are those of no scenario."
# What an answer can depend on; the other parameters say how it is written, drawn, judged or located.
ANSWERING = (
    "confidence_level", "proportion_method", "effect_measure", "difference_method", "pooling_method",
    "interval_method", "missing_data", "include_external", "include_derived", "primary_only",
    "excluded_studies", "outcome_threshold",
)  # fmt: skip
# Which rows there are to answer from.
CHOOSING = (
    "data_dir", "include_external", "include_derived", "primary_only", "excluded_studies", "subgroups",
    "outcome_threshold", "study_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """One answer to a question, the scenarios that all lead to it, and the data of the first of them.

    ``changed`` says that there is a conclusion, and another one than that of the report. Where the scenario
    or the report has no data there is nothing to compare, and so no change.
    """

    scenarios: tuple[Scenario, ...]
    answer: Answer
    data: Dataset
    changed: bool

    @property
    def found(self) -> bool:
        """Return whether the data that the scenario leaves have an answer."""
        return self.answer.verdict.direction != "nothing"


@dataclass(frozen=True, slots=True)
class Compared:
    """One question under all scenarios: each different result once, that of the report first."""

    question_id: str
    title: str
    results: tuple[Result, ...]

    @property
    def own(self) -> Result:
        """Return the result of the report."""
        return self.results[0]

    @property
    def stable(self) -> bool:
        """Return whether every scenario that has an answer has the report's conclusion."""
        return not any(one.changed for one in self.results)

    @property
    def moved(self) -> tuple[Result, ...]:
        """Return the results without a comparison whose estimate lies outside the interval of the report's.

        What is only described has no conclusion that could change, and can move a long way nevertheless.
        """
        own = self.own.answer
        if own.verdict.direction != "described" or own.treatment is None:
            return ()
        low, high = own.treatment.low, own.treatment.high
        risks = [(one, one.answer.treatment) for one in self.results]
        return tuple(one for one, risk in risks if risk and not low <= risk.estimate <= high)

    @property
    def lost(self) -> tuple[Scenario, ...]:
        """Return the scenarios that leave no data to answer from."""
        return tuple(one for result in self.results if not result.found for one in result.scenarios)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All questions under all scenarios; ``own`` is the scenario that the report itself is."""

    scenarios: tuple[Scenario, ...]
    own: Scenario
    questions: tuple[Compared, ...]

    @property
    def cells(self) -> int:
        """Return how many pairs there are of a question and a scenario other than the report's."""
        return len(self.questions) * (len(self.scenarios) - 1)

    @property
    def without_data(self) -> int:
        """Return in how many of the cells there are no data."""
        return sum(len([one for one in asked.lost if one is not self.own]) for asked in self.questions)

    @property
    def identical(self) -> int:
        """Return in how many of the cells every number is that of the report, so that nothing can change."""
        return sum(len(one.own.scenarios) - 1 for one in self.questions if one.own.found)

    def frame(self) -> pd.DataFrame:
        """Return one row per question and scenario: risks, difference, ratio, their methods, conclusion."""
        rows = [
            {
                "question_id": one.question_id,
                "scenario": scenario.name,
                "confidence_level": scenario.parameters.confidence_level,
            }
            | _values(result, one)
            for one in self.questions
            for result in one.results
            for scenario in result.scenarios
        ]
        return pd.DataFrame(rows)


def compare_scenarios(
    scenarios: Sequence[Scenario], parameters: Parameters, load: Callable[[Parameters], Dataset]
) -> Comparison:
    """Answer every question under every scenario.

    Each scenario is taken as it stands, on the report's data folder. The report joins in as one more where
    none of them has its parameters.

    Args:
        scenarios: what to compare, such as all that ``evidence.scenarios.read_scenarios`` finds.
        parameters: those of the report.
        load: makes the dataset that parameters ask for, such as ``evidence.dataset``; asked once for each
            different choice of rows.

    >>> import evidence as ev
    >>> found = ev.compare_scenarios(ev.read_scenarios(), ev.Parameters(), ev.dataset)  # doctest: +SKIP
    >>> [one.question_id for one in found.questions if not one.stable]  # doctest: +SKIP
    ['cure_6m', 'relapse_1y']
    """
    alike = [one for one in scenarios if _answering(one.parameters) == _answering(parameters)]
    own = alike[0] if alike else Scenario(OWN, OWN_TITLE, OWN_REASON, parameters)
    every = (own, *(one for one in scenarios if one is not own))
    datasets: dict[tuple[Any, ...], Dataset] = {}
    found: dict[str, tuple[Dataset, dict[str, Answer]]] = {}
    for scenario in every:
        chosen = replace(scenario.parameters, data_dir=parameters.data_dir, study_id="")
        key = _values_of(chosen, CHOOSING)
        if key not in datasets:
            datasets[key] = load(chosen)
        found[scenario.name] = datasets[key], _answers(datasets[key], chosen)
    made = [_compared(question, every, found) for question in found[own.name][1]]
    return Comparison(tuple(scenarios) if alike else every, own, tuple(made))


def _answering(parameters: Parameters) -> tuple[Any, ...]:
    return _values_of(parameters, ANSWERING)


def _values_of(parameters: Parameters, names: Sequence[str]) -> tuple[Any, ...]:
    values = parameters.values()
    return tuple(values[name] for name in names)


def _answers(data: Dataset, parameters: Parameters) -> dict[str, Answer]:
    """Return the answers to all questions, in their order."""
    ids = [str(one["question_id"]) for one in ordered_questions(data)]
    return {one: answer(one, data, parameters) for one in ids}


def _compared(
    question: str, scenarios: Sequence[Scenario], found: Mapping[str, tuple[Dataset, Mapping[str, Answer]]]
) -> Compared:
    """Return one question, scenarios that lead to the same numbers at the same level taken together."""
    groups: dict[tuple[Any, ...], list[Scenario]] = {}
    for scenario in scenarios:
        groups.setdefault(_numbers(found[scenario.name][1][question]), []).append(scenario)
    own = found[scenarios[0].name][1][question]
    return Compared(
        question, own.title, tuple(_result(some, question, own, found) for some in groups.values())
    )


def _result(
    alike: Sequence[Scenario],
    question: str,
    own: Answer,
    found: Mapping[str, tuple[Dataset, Mapping[str, Answer]]],
) -> Result:
    data, answers = found[alike[0].name]
    one = answers[question]
    known = "nothing" not in (one.verdict.direction, own.verdict.direction)
    return Result(tuple(alike), one, data, known and one.verdict != own.verdict)


def _numbers(one: Answer) -> tuple[Any, ...]:
    """Return what two answers must have in common to be the same."""
    parts = [one.treatment, one.control, one.difference, one.effect, *one.finding.each]
    return (one.verdict, one.studies, *map(_limits, parts))


def _limits(part: Proportion | Estimate | None) -> tuple[Any, ...]:
    if part is None:
        return ()
    level = getattr(part, "level", getattr(part, "measure", ""))
    return (*(round(value, 9) for value in (part.estimate, part.low, part.high)), level)


def _values(result: Result, asked: Compared) -> dict[str, Any]:
    one = result.answer
    parts = {
        "treatment": one.treatment,
        "control": one.control,
        "difference": one.difference,
        one.effect.measure.lower() if one.effect else "ratio": one.effect,
    }
    numbers = {
        f"{name}_{end}": getattr(part, end, None)
        for name, part in parts.items()
        for end in ("estimate", "low", "high")
    }
    methods = {
        "proportion_method": getattr(one.treatment, "method", None),
        "difference_method": getattr(one.difference, "method", None),
        "ratio_method": getattr(one.effect, "method", None),
    }
    changed = result.changed if result.found and asked.own.found else None
    said = {"direction": one.verdict.direction, "favours": one.verdict.favours, "changed": changed}
    return {"studies": "|".join(one.studies)} | numbers | methods | said
