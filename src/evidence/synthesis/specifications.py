"""What would change the answer: the same question under every defensible choice, on the absolute scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from evidence.data import Dataset
from evidence.data.precedence import COUNT_FIGURES, COUNT_KEY, mark_counted
from evidence.data.recover import inferred_sizes
from evidence.errors import StatisticsError
from evidence.memo import recalled
from evidence.parameters import (
    DifferenceMethod,
    IntervalMethod,
    MissingData,
    Parameters,
    PoolingMethod,
)
from evidence.questions import (
    Answer,
    Estimate,
    Study,
    answer,
    asked_of,
    at_control_risk,
    control_risk,
    grouped,
    measured_difference,
    question_row,
    select,
    studies_of,
)
from evidence.questions.selection import Row
from evidence.results import rates
from evidence.stats import PooledComparison, pool_comparisons
from evidence.stats.pool_comparisons import PooledMeasure
from evidence.wording import Direction, verdict_of

EVIDENCE, MISSING, LEFT_OUT, EFFECT, TAU2, INTERVAL = (
    "Evidence",
    "Patients without a value",
    "Studies",
    "Effect",
    "Variance between studies",
    "Interval",
)
ALL = "All"
TOGETHER = "All designs together"
MISSING_WORDS: dict[MissingData, str] = {
    "observed": "Left out",
    "failure": "Counted as failures",
    "success": "Counted as successes",
}
EFFECT_WORDS: dict[PooledMeasure, str] = {
    "RR": "Risk ratio at the control risk",
    "OR": "Odds ratio at the control risk",
    "RD": "Risk difference",
}

Choices = tuple[tuple[str, str], ...]  # pairs of a dimension and the option chosen in it


@dataclass(frozen=True, slots=True)
class Specification:
    """One analysis: the choices that lead to it and its difference in risk, with what it allows to be said.

    Different choices that lead to the same numbers are one analysis: ``choices`` then has several options of
    a dimension. ``main`` marks the analysis of the report's own parameters.
    """

    choices: Choices
    estimate: float
    low: float
    high: float
    studies: int
    direction: Direction
    main: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """All analyses of one question, sorted by estimate, and the choices that leave nothing to analyse."""

    question_id: str
    title: str
    outcome: str
    answer: Answer
    specifications: tuple[Specification, ...]
    impossible: tuple[str, ...]

    @property
    def same(self) -> int:
        """Return in how many analyses the conclusion is that of the report."""
        return sum(one.direction == self.answer.verdict.direction for one in self.specifications)

    @property
    def only_intervals(self) -> bool:
        """Return whether all analyses are of the same counts and differ in how the interval is made alone."""
        estimates = {round(one.estimate, 9) for one in self.specifications}
        return len(estimates) == 1 and set(self.options) <= {EFFECT}

    @property
    def options(self) -> dict[str, list[str]]:
        """Return the dimensions in which a choice changed the numbers, each with its options."""
        return {name: options for name, options in self._dimensions().items() if self._matters(name)}

    @property
    def inert(self) -> dict[str, list[str]]:
        """Return the dimensions in which no choice changed a number, each with its options."""
        found = self._dimensions()
        return {name: some for name, some in found.items() if len(some) > 1 and not self._matters(name)}

    def _dimensions(self) -> dict[str, list[str]]:
        pairs = dict.fromkeys(pair for one in self.specifications for pair in one.choices)
        found = {name for name, _ in pairs}
        names = [name for name in DIMENSIONS if name in found]
        names += [name for name in dict.fromkeys(name for name, _ in pairs) if name not in DIMENSIONS]
        return {
            name: sorted((pair[1] for pair in pairs if pair[0] == name), key=_places(name)) for name in names
        }

    def _matters(self, dimension: str) -> bool:
        sets = {
            frozenset(option for name, option in one.choices if name == dimension)
            for one in self.specifications
        }
        return len(sets) > 1


DIMENSIONS = [EVIDENCE, MISSING, LEFT_OUT, EFFECT, TAU2, INTERVAL]


def _places(dimension: str) -> Callable[[str], tuple[int, str]]:
    """Return the key that puts the options of a dimension in their order."""
    order = ORDERS.get(dimension, ())
    return lambda option: (order.index(option) if option in order else len(order), option)


def variants(data: Dataset) -> dict[str, Dataset]:
    """Return the dataset with only part of its counts, by name; precedence is settled anew in each part."""
    return {
        name: data if not column else _only(data, column, value) for name, (column, value) in VARIANTS.items()
    }


VARIANTS: dict[str, tuple[str, str]] = {
    ALL: ("", ""),
    "Primary publications only": ("tier", "primary"),
    "Documents read in full only": ("origin", "seed"),
    "Printed counts only": ("basis", "printed"),
}


ORDERS: dict[str, Sequence[str]] = {
    EVIDENCE: list(VARIANTS),
    MISSING: list(MISSING_WORDS.values()),
    LEFT_OUT: [ALL, TOGETHER],
    TAU2: get_args(PoolingMethod),
    INTERVAL: get_args(IntervalMethod),
}


def _only(data: Dataset, column: str, value: str) -> Dataset:
    kept = data.counts[data.counts[column].eq(value)]
    kept = kept[~inferred_sizes(kept)] if column == "basis" else kept
    return replace(data, counts=mark_counted(kept, COUNT_KEY, COUNT_FIGURES), _found={})


@recalled(64, asked_of)  # a table, a sentence and a figure ask for the same curve
def specifications(question_id: str, data: Dataset, parameters: Parameters) -> Curve:
    """Return the answer to a question under the combinations of choices that can be made here.

    The level of confidence stays that of the parameters. Varied are the evidence used, what is done about
    patients without a value, each study left out, and the effect: measured differences by three methods, or
    each ratio at the control risk; with several studies the estimator of the variance between them and the
    interval as well. Every result is a difference in risk.

    Raises:
        ParameterError: there is no such question.
    """
    question = question_row(question_id, data)
    report = answer(question_id, data, parameters)
    found: dict[tuple[float, float, float], Specification] = {}
    impossible: dict[str, None] = {}
    for one in _distinct(_inputs(question, data.about([question["outcome_id"]]), parameters)):
        if not one.studies:
            impossible |= dict.fromkeys(option for name, option in one.choices if name == EVIDENCE)
            continue
        for more, effect in _analyses(one, question):
            _add(found, (*one.choices, *more), effect, len(one.studies), report)
    made = _with_main(found, report)
    return Curve(
        question_id, report.title, report.outcome, report,
        tuple(sorted(made, key=lambda one: (round(one.estimate, 6), one.low))), tuple(impossible),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """A set of studies to analyse, and the choices that lead to it."""

    choices: Choices
    studies: tuple[Study, ...]
    rows: Sequence[Row]
    data: Dataset
    parameters: Parameters


def _inputs(question: Row, data: Dataset, parameters: Parameters) -> Iterator[Input]:
    """Return every set of studies that the choices of evidence lead to."""
    for name, part in variants(data).items():
        for policy, told in _policies(question, part, parameters).items():
            chosen = replace(parameters, missing_data=policy)
            rows = select(question, part, chosen)
            groups = grouped(studies_of(rows, question, part), question)
            found = next(iter(groups.values()), ())
            studies = tuple(study for study in found if study.comparator is not None)
            base = ((EVIDENCE, name), *told)
            yield Input((*base, (LEFT_OUT, ALL)), studies, rows, part, chosen)
            if len(groups) > 1 and question["comparator"]:
                everyone = tuple(study for some in groups.values() for study in some)
                yield Input((*base, (LEFT_OUT, TOGETHER)), everyone, rows, part, chosen)
            for study in studies if len(studies) > 1 else ():
                rest = tuple(one for one in studies if one is not study)
                yield Input((*base, (LEFT_OUT, f"Without {study.label}")), rest, rows, part, chosen)


def _policies(question: Row, data: Dataset, parameters: Parameters) -> dict[MissingData, Choices]:
    """Return the policies on missing values to go through; one stands for all where no value is missing."""
    filled = replace(parameters, missing_data="failure")
    frame = rates(data, filled, outcome_ids=[question["outcome_id"]], subgroup="")
    if (frame["policy"] != "observed").any():
        return {policy: ((MISSING, words),) for policy, words in MISSING_WORDS.items()}
    return {"observed": tuple((MISSING, words) for words in MISSING_WORDS.values())}


def _distinct(inputs: Iterable[Input]) -> list[Input]:
    """Return the inputs with different counts; choices that lead to the same counts stand together."""
    found: dict[tuple[object, ...], Input] = {}
    for one in inputs:
        key = tuple((study.study_id, study.four) for study in one.studies)
        known = found.setdefault(key, one)
        found[key] = replace(known, choices=tuple(dict.fromkeys((*known.choices, *one.choices))))
    return list(found.values())


def _analyses(one: Input, question: Row) -> Iterator[tuple[Choices, Estimate]]:
    """Return every analysis of a set of studies, with the choices that make it."""
    fours = [study.four for study in one.studies]
    if len(fours) == 1:
        for method in get_args(DifferenceMethod):
            made = measured_difference(fours[0], replace(one.parameters, difference_method=method))
            yield ((EFFECT, f"Risk difference, {NAMES[method]}"),), made
    measures: tuple[PooledMeasure, ...] = ("RR", "OR") if len(fours) == 1 else ("RR", "OR", "RD")
    for measure in measures:
        for more, pooled in _summaries(fours, measure, one.parameters):
            yield ((EFFECT, EFFECT_WORDS[measure]), *more), _absolute(pooled, one, question)


NAMES: dict[DifferenceMethod, str] = {
    "newcombe": "Newcombe",
    "miettinen-nurminen": "Miettinen-Nurminen",
    "wald": "Wald",
}


def _summaries(
    fours: Sequence[tuple[int, int, int, int]], measure: PooledMeasure, parameters: Parameters
) -> Iterator[tuple[Choices, PooledComparison]]:
    level = parameters.confidence_level
    for tau2, ci in _models(len(fours)):
        try:
            made = pool_comparisons(fours, measure=measure, tau2=tau2, ci=ci, level=level)
        except StatisticsError:
            return
        yield (((TAU2, tau2), (INTERVAL, ci)) if len(fours) > 1 else ()), made


def _models(k: int) -> Iterable[tuple[PoolingMethod, IntervalMethod]]:
    if k == 1:
        return (("FE", "Wald"),)
    return [
        (tau2, ci)
        for tau2 in get_args(PoolingMethod)
        for ci in get_args(IntervalMethod)
        if tau2 != "FE" or ci == "Wald"
    ]


def _absolute(pooled: PooledComparison, one: Input, question: Row) -> Estimate:
    if pooled.measure == "RD":
        return Estimate("RD", pooled.estimate, pooled.low, pooled.high, pooled.p, pooled.method)
    risk = control_risk(one.studies, question, one.rows, one.data, one.parameters, pooled)
    return at_control_risk(pooled, risk)


def _add(
    found: dict[tuple[float, float, float], Specification],
    choices: Choices,
    effect: Estimate,
    studies: int,
    report: Answer,
) -> None:
    """Add an analysis, or its choices to the analysis that has the same numbers."""
    key = (round(effect.estimate, 9), round(effect.low, 9), round(effect.high, 9))
    known = found.get(key)
    if known is None:
        said = verdict_of(
            effect.low, effect.high, better=report.better, important=report.important / 1000
        ).direction
        known = Specification((), effect.estimate, effect.low, effect.high, studies, said, main=False)
    found[key] = replace(known, choices=tuple(dict.fromkeys((*known.choices, *choices))))


def _with_main(
    found: Mapping[tuple[float, float, float], Specification], report: Answer
) -> list[Specification]:
    """Mark the report's own analysis; of two studies side by side it takes the report's verdict."""
    own = report.difference
    if own is None:
        return list(found.values())
    key = (round(own.estimate, 9), round(own.low, 9), round(own.high, 9))
    direction = report.verdict.direction
    return [
        replace(one, main=True, direction=direction) if place == key else one for place, one in found.items()
    ]
