"""What a forest plot shows, as numbers: studies, weights, subtotals, a total where pooling is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import pandas as pd
from scipy.special import ndtri

from evidence.data import Dataset
from evidence.errors import StatisticsError
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import (
    ALLOCATIONS,
    Study,
    differences_between,
    median_risk,
    question_row,
    select,
    studies_of,
)
from evidence.stats import (
    PooledComparison,
    PooledProportion,
    TestResult,
    compare,
    heterogeneity,
    proportion,
)
from evidence.stats.pool_comparisons import FEWEST_TO_POOL, zero_cells
from evidence.synthesis.bias import bias_lights
from evidence.synthesis.pooled import pooled
from evidence.wording import ALLOCATED, Allocation

Grouping = Literal["allocation", "treatment", "dose", "none"]

ONE_STUDY = "One study: the result is the study itself."
SIDE_BY_SIDE = "Two studies: they stand side by side; what they give together is secondary."
MIXED = "Studies that allocated their patients in different ways are not pooled."
MIXED_HERE = (
    "Studies that allocated their patients in different ways are pooled here, as a sensitivity analysis and "
    "not as an answer."
)
SHARED = "The rows share patients, so they are neither pooled nor tested against each other."
NO_POOL = "The counts say nothing about this measure, so nothing is pooled."
UNLIKE = "Not counted alike, so not pooled."
TOGETHER = "All designs together, as a sensitivity analysis only"
NEITHER = "The treatments differ, so nothing is pooled over them: that would be the effect of none."


@dataclass(frozen=True, slots=True)
class ForestStudy:
    """One study: its own effect on the natural scale, NaN where its counts say nothing, and its weight.

    ``weight`` is in percent of the total, else of its group, NaN where nothing is pooled; ``judgement`` is
    its risk of bias in a word, empty where it was not judged.
    """

    study: Study
    label: str
    estimate: float
    low: float
    high: float
    weight: float
    correction: str = ""
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """Studies taken together. ``secondary`` where two studies stand side by side.

    All effects are on the natural scale; ``tau2`` on the analysis scale. What is not shown is NaN.
    """

    label: str
    measure: str
    k: int
    estimate: float
    low: float
    high: float
    wald_low: float
    wald_high: float
    pi_low: float
    pi_high: float
    q: float
    q_df: int
    q_p: float
    i2: float
    tau2: float
    tau2_low: float
    tau2_high: float
    method: str
    zero_cells: str
    secondary: bool
    events: tuple[int, int]
    patients: tuple[int, int]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForestGroup:
    """Studies that could be pooled: ``summary`` does so, or ``reason`` says in words why not."""

    label: str
    rows: tuple[ForestStudy, ...]
    summary: Summary | None
    reason: str


@dataclass(frozen=True, slots=True)
class Forest:
    """A whole forest plot in numbers.

    ``measure`` is RR, OR, RD or ``proportion``. ``total`` is None where pooling is not allowed; ``reason``
    says why. ``test`` asks whether the groups differ, ``notes`` say what was taken together.
    """

    measure: str
    level: float
    outcome: str
    better: str
    treatment: str
    comparator: str
    groups: tuple[ForestGroup, ...]
    total: Summary | None
    reason: str
    test: TestResult | None
    notes: tuple[str, ...]

    @property
    def rows(self) -> tuple[ForestStudy, ...]:
        """Return the studies of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """Return the subtotals and the total."""
        return tuple(one for one in (*(group.summary for group in self.groups), self.total) if one)

    def frame(self) -> pd.DataFrame:
        """Return studies and summaries as a tidy table."""
        made = [_study_values(group, row) for group in self.groups for row in group.rows]
        made += [_summary_values(group.label, group.summary) for group in self.groups if group.summary]
        made += [_summary_values("", self.total)] if self.total else []
        return pd.DataFrame(made).assign(outcome=self.outcome, measure=self.measure)


def forest(
    question_ids: Sequence[str],
    data: Dataset,
    parameters: Parameters,
    *,
    by: Grouping = "allocation",
    measure: EffectMeasure | None = None,
    together: bool = False,
) -> Forest:
    """Return the forest of one question or of several with the same outcome and comparator.

    Args:
        question_ids: rows of ``questions.csv``, such as one per treatment or dose.
        data: the tidy tables.
        parameters: measure, level, pooling and interval methods.
        by: what the groups are: how patients were allocated, the treatment, its dose, or nothing. A group
            never holds studies of different allocation, whatever it is named after.
        measure: the effect; the parameters' ``effect_measure`` by default.
        together: also summarise all studies across designs, labelled as a sensitivity analysis.

    Raises:
        ParameterError: there is no such question.
    """
    shown = measure or parameters.effect_measure
    studies: list[Study] = []
    for question_id in question_ids:
        question = question_row(question_id, data)
        studies += studies_of(select(question, data, parameters), question, data)
    compared = [study for study in studies if study.comparator is not None]
    groups = tuple(_group(label, some, shown, parameters) for label, some in _grouped(compared, by))
    first = question_row(question_ids[0], data) if question_ids else {}
    return _whole(groups, compared, first, data, parameters, shown, together=together)


def _grouped(studies: Iterable[Study], by: Grouping) -> list[tuple[str, list[Study]]]:
    """Return the studies by group, best allocation first within each; titles name both."""
    found: dict[tuple[str, int], list[Study]] = {}
    labels: dict[str, dict[str, None]] = {}
    for study in studies:
        key = KEYS[by](study)
        labels.setdefault(key, {}).update({study.treatment.label: None} if key else {})
        found.setdefault((key, ALLOCATIONS.index(study.allocation)), []).append(study)
    order = list(labels)
    places = sorted(found, key=lambda place: (order.index(place[0]), place[1]))
    return [(_title(" or ".join(labels[key]), ALLOCATIONS[rank]), found[(key, rank)]) for key, rank in places]


KEYS: dict[Grouping, Callable[[Study], str]] = {
    "allocation": lambda study: "",
    "treatment": lambda study: study.node,
    "dose": lambda study: f"{study.node} {study.dose}",
    "none": lambda study: "",
}


def _title(label: str, allocation: Allocation) -> str:
    said = ALLOCATED[allocation]
    return f"{label}, {said}" if label else said[:1].upper() + said[1:]


def _group(
    label: str, studies: Sequence[Study], measure: EffectMeasure, parameters: Parameters
) -> ForestGroup:
    shared = _shared(studies)
    made = None if shared else pooled(studies, parameters, measure=measure)
    weights = made.weights if made and len(studies) > 1 else (math.nan,) * len(studies)
    rows = tuple(
        _row(study, name, measure, parameters, weight)
        for study, name, weight in zip(studies, names_of(studies), weights, strict=True)
    )
    if made is None or made.pooled is None:
        reason = SHARED if shared else ONE_STUDY if len(rows) == 1 else NO_POOL
        return ForestGroup(label, rows, None, reason)
    return ForestGroup(label, rows, summarised(made, studies), SIDE_BY_SIDE if made.secondary else "")


def names_of(studies: Sequence[Study]) -> list[str]:
    """Return a name for each row; rows of one name also tell the arm, then the time, then their place."""
    names = [study.name for study in studies]
    for more in MORE:
        twice = {name for name in names if names.count(name) > 1}
        names = [
            f"{name}, {more(study)}" if name in twice and more(study) else name
            for name, study in zip(names, studies, strict=True)
        ]
    return names


MORE: tuple[Callable[[Study], str], ...] = (
    lambda study: study.treatment.label,
    lambda study: study.when,
    lambda study: study.study_id,
)


def _row(
    study: Study, name: str, measure: EffectMeasure, parameters: Parameters, weight: float
) -> ForestStudy:
    method = parameters.difference_method if measure == "RD" else None
    try:
        made = compare(*study.four, measure=measure, level=parameters.confidence_level, method=method)
    except StatisticsError:
        return ForestStudy(study, name, math.nan, math.nan, math.nan, 0.0, zero_cells([None]))
    correction = "" if made.correction == "none" else made.correction
    return ForestStudy(study, name, made.estimate, made.low, made.high, weight, correction)


def summarised(made: PooledComparison, studies: Sequence[Study], label: str = "") -> Summary:
    """Return what a pooled comparison of studies shows, under a label or the usual words."""
    pooled = made.pooled
    assert pooled is not None  # noqa: S101 - one study has no summary
    fours = [study.four for study in studies]
    words = "Together, secondary" if made.secondary else "Pooled"
    return Summary(
        label or words, made.measure, made.k, made.estimate, made.low, made.high,
        made.wald_low, made.wald_high, made.pi_low, made.pi_high,
        pooled.q, pooled.q_df, pooled.q_p, pooled.i2, pooled.tau2, pooled.tau2_low,
        pooled.tau2_high, made.method, made.zero_cells, made.secondary,
        (sum(four[0] for four in fours), sum(four[2] for four in fours)),
        (sum(four[1] for four in fours), sum(four[3] for four in fours)), made.warnings,
    )  # fmt: skip


def _whole(
    groups: tuple[ForestGroup, ...],
    studies: Sequence[Study],
    question: dict[str, Any],
    data: Dataset,
    parameters: Parameters,
    measure: EffectMeasure,
    *,
    together: bool,
) -> Forest:
    outcome = data.outcomes[data.outcomes["outcome_id"] == question.get("outcome_id", "")]
    total, weights, reason = _total(groups, measure, parameters, together=together)
    groups = _reweighted(groups, weights) if total else groups
    groups = _judged(groups, str(question.get("outcome_id", "")), data)
    notes = [differences_between(group) for group in _taken_together(groups, total, studies)]
    return Forest(
        measure=measure,
        level=parameters.confidence_level,
        outcome=str(outcome["label"].iloc[0]) if len(outcome) else "",
        better=str(outcome["better"].iloc[0]) if len(outcome) else "",
        treatment=" or ".join(dict.fromkeys(study.treatment.label for study in studies)),
        comparator=" or ".join(_distinct(_label(study) for study in studies)),
        groups=groups,
        total=total,
        reason=reason,
        test=_test(groups, measure, parameters.confidence_level),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
    )


def _distinct(labels: Iterable[str]) -> list[str]:
    """Return labels without repeats; what is also named as given alone is named so.

    >>> _distinct(["Placebo", "Diet alone", "Diet", "Placebo"])
    ['Placebo', 'Diet alone']
    """
    found = dict.fromkeys(labels)
    return [label for label in found if f"{label} alone" not in found]


def _label(study: Study) -> str:
    return study.comparator.label if study.comparator else ""


def _taken_together(
    groups: Sequence[ForestGroup], total: Summary | None, studies: Sequence[Study]
) -> list[list[Study]]:
    pooled = [[row.study for row in group.rows] for group in groups if group.summary]
    return [*pooled, list(studies)] if total else pooled


def _total(
    groups: Sequence[ForestGroup], measure: EffectMeasure, parameters: Parameters, *, together: bool
) -> tuple[Summary | None, tuple[float, ...], str]:
    """Return the summary over all groups with the weights of its studies, or why there is none."""
    studies = [row.study for group in groups for row in group.rows]
    if len(groups) < 2:
        return None, (), groups[0].reason if groups else ""
    if _shared(studies):
        return None, (), SHARED
    mixed = len({study.allocation for study in studies}) > 1
    if mixed and not together:
        return None, (), MIXED
    if len({study.node for study in studies}) > 1:
        return None, (), NEITHER
    made = pooled(studies, parameters, measure=measure)
    if made is None or made.pooled is None:
        return None, (), NO_POOL
    summary = summarised(made, studies, TOGETHER if mixed else "")
    return summary, made.weights, MIXED_HERE if mixed else SIDE_BY_SIDE if summary.secondary else ""


def _reweighted(groups: Sequence[ForestGroup], weights: Sequence[float]) -> tuple[ForestGroup, ...]:
    """Return the groups with every study's weight in the total."""
    left = iter(weights)
    return tuple(
        replace(group, rows=tuple(replace(row, weight=next(left)) for row in group.rows)) for group in groups
    )


def _judged(groups: Sequence[ForestGroup], outcome_id: str, data: Dataset) -> tuple[ForestGroup, ...]:
    """Return the groups with the risk of bias of every study's result, where it was judged."""

    def judged(row: ForestStudy) -> ForestStudy:
        light = bias_lights(data, row.study.study_id, outcome_id)
        return replace(row, judgement=light.judgement) if light else row

    return tuple(replace(group, rows=tuple(map(judged, group.rows))) for group in groups)


def _shared(studies: Iterable[Study]) -> bool:
    """Return whether two of the rows hold patients of the same study or of its parts."""
    families = [study.family for study in studies]
    return len(set(families)) < len(families)


def _test(groups: Sequence[ForestGroup], measure: str, level: float) -> TestResult | None:
    """Return Q between the groups, each by its summary or its only study; None where it cannot be asked."""
    known = [one for group in groups if (one := _of_group(group)) is not None]
    if len(known) < 2 or _shared(row.study for group in groups for row in group.rows):
        return None
    wide = 2 * float(ndtri((1 + level) / 2))
    log = (lambda value: value) if measure == "RD" else math.log
    effects = [log(estimate) for estimate, _, _ in known]
    variances = [((log(high) - log(low)) / wide) ** 2 for _, low, high in known]
    return heterogeneity(effects, variances) if all(variances) else None


def _of_group(group: ForestGroup) -> tuple[float, float, float] | None:
    if group.summary:
        return group.summary.estimate, group.summary.wald_low, group.summary.wald_high
    known = [row for row in group.rows if not math.isnan(row.estimate)]
    return (known[0].estimate, known[0].low, known[0].high) if len(known) == 1 else None


def proportion_forest(
    groups: Sequence[tuple[str, Sequence[Study]]],
    parameters: Parameters,
    *,
    outcome: str = "",
    better: str = "",
    alike: bool = True,
) -> Forest:
    """Return the forest of single proportions with intervals, the median study's proportion per group.

    Args:
        groups: label and studies; only ``treatment`` of each study is read.
        parameters: level and method of the intervals.
        outcome: the outcome's label.
        better: whether a higher or a lower proportion is good.
        alike: whether the studies of a group counted the same thing over the same time; if not, each stands
            for itself.
    """
    level = parameters.confidence_level
    made = tuple(_proportion_group(label, studies, parameters, alike=alike) for label, studies in groups)
    everyone = [study for _, studies in groups for study in studies]
    together = [list(studies) for (_, studies), group in zip(groups, made, strict=True) if group.summary]
    notes = [f"Intervals of rates: {parameters.proportion_method.title()}."]
    notes += [differences_between(studies) for studies in together]
    return Forest(
        "proportion", level, outcome, better,
        " or ".join(dict.fromkeys(study.treatment.label for study in everyone)), "", made, None,
        "" if len(made) < 2 else UNLIKE, None, tuple(note for note in notes if note),
    )  # fmt: skip


def _proportion_group(
    label: str, studies: Sequence[Study], parameters: Parameters, *, alike: bool
) -> ForestGroup:
    named = zip(studies, names_of(studies), strict=True)
    rows = tuple(_proportion_row(study, name, parameters) for study, name in named)
    if len(rows) == 1:
        return ForestGroup(label, rows, None, ONE_STUDY)
    if len({study.family for study in studies}) == 1:
        return ForestGroup(label, rows, None, "")
    if not alike or _shared(studies):
        return ForestGroup(label, rows, None, SHARED if alike else UNLIKE)
    found = median_risk([study.treatment.counts for study in studies], parameters.confidence_level)
    few = len(rows) < FEWEST_TO_POOL
    return ForestGroup(label, rows, _proportion_summary(found, few=few), SIDE_BY_SIDE if few else "")


def _proportion_row(study: Study, name: str, parameters: Parameters) -> ForestStudy:
    level, method = parameters.confidence_level, parameters.proportion_method
    rate = proportion(*study.treatment.counts, level=level, method=method)
    return ForestStudy(study, name, rate.estimate, rate.low, rate.high, math.nan)


def _proportion_summary(found: PooledProportion, *, few: bool) -> Summary:
    nan = math.nan
    words = found.centre[:1].upper() + found.centre[1:]
    pi = (nan, nan) if few else (found.pi_low, found.pi_high)
    return Summary(
        f"{words}, secondary" if few else words,
        "proportion",
        found.k, found.estimate, found.low, found.high, nan, nan, *pi,
        nan, found.k - 1, nan, nan, found.tau2, nan, nan, found.method, found.correction, few,
        (found.events, 0), (found.n, 0), found.warnings,
    )  # fmt: skip


def _study_values(group: ForestGroup, row: ForestStudy) -> dict[str, Any]:
    study, none = row.study, row.study.comparator
    return {
        "kind": "study", "group": group.label, "study_id": study.study_id, "label": row.label,
        "when": study.when, "arm1": study.treatment.label, "e1": study.treatment.events,
        "n1": study.treatment.n, "arm0": none.label if none else "", "e0": none.events if none else None,
        "n0": none.n if none else None, "estimate": row.estimate, "low": row.low, "high": row.high,
        "weight": row.weight, "correction": row.correction,
        "row_id": "|".join(filter(None, (study.treatment.rows, none.rows if none else ""))),
    }  # fmt: skip


def _summary_values(group: str, one: Summary) -> dict[str, Any]:
    kept = {item.name: getattr(one, item.name) for item in fields(one)}
    (e1, e0), (n1, n0) = kept.pop("events"), kept.pop("patients")
    counts = {"e1": e1, "n1": n1, "e0": e0, "n0": n0, "warnings": "; ".join(kept.pop("warnings"))}
    return {"kind": "subtotal" if group else "total", "group": group} | kept | counts
