"""Every analysis that the explorer can show: questions, levels, policies, methods and sets of studies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

from evidence.data import Dataset
from evidence.format import in_sentence
from evidence.memo import recalled, repeated
from evidence.parameters import IntervalMethod, MissingData, Parameters, PoolingMethod
from evidence.questions import (
    ALLOCATIONS,
    Finding,
    Study,
    apart_of,
    asked_of,
    differences_between,
    find,
    finding_verdict,
    grouped,
    is_empty,
    question_row,
    select,
    studies_of,
    told_of,
)
from evidence.questions.selection import Row
from evidence.questions.studies import doubtful_words, uncounted_words
from evidence.results import records
from evidence.stats import Proportion
from evidence.synthesis.forest import SHARED, Summary, names_of, summarised
from evidence.synthesis.specifications import ALL, variants
from evidence.wording import Allocation, Verdict, conclusion

LEVELS = (0.90, 0.95, 0.99)
MOST_STUDIES = 8  # with more, 2^k sets of studies would be too many: all, leave-one-out and named sets
MOST_VIEWS = 8000  # about 500 bytes each: the page stays below 5 MB
ALL_STUDIES, RANDOMISED = "All studies", "Randomised studies only"
SHORTER: tuple[tuple[Sequence[PoolingMethod], Sequence[IntervalMethod]], ...] = (
    (get_args(PoolingMethod), get_args(IntervalMethod)),
    (("REML", "DL", "PM", "FE"), ("HKSJ-adhoc", "Wald")),
    (("REML", "DL", "FE"), ()),
    ((), ()),
)
"""Estimators and intervals to offer beside the report's own, from all of them to none."""

Model = tuple[PoolingMethod, IntervalMethod]


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen, each in the order shown; ``models`` are pairs of estimator and interval."""

    levels: tuple[float, ...]
    policies: tuple[MissingData, ...]
    models: tuple[Model, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """One row's own result: the study under a policy and its effect, or its proportion, at a level.

    The three numbers are NaN where the counts say nothing about the measure.
    """

    study: Study
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """Chosen studies of one allocation, by their places among the rows, and what they say.

    ``findings`` has one entry, or one per row where rows ``shared`` patients and nothing is taken together.
    """

    allocation: Allocation
    places: tuple[int, ...]
    findings: tuple[Finding, ...]
    shared: bool


@dataclass(frozen=True, slots=True)
class View:
    """One analysis: the groups, the best design first, the verdict, what is said and what to know of it.

    ``told`` has the numbers of the best design in words, ``said`` what they allow to be concluded, ``apart``
    what is missing or doubtful in it and what other designs found.
    """

    level: float
    groups: tuple[Group, ...]
    verdict: Verdict
    told: str
    said: str
    apart: str
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Return all that is said."""
        return " ".join(filter(None, (self.told, self.said, self.apart)))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked: one question, or several that differ only in treatment, dose or population."""

    questions: tuple[Row, ...]
    outcome: str
    better: str
    important: float

    @property
    def topic_id(self) -> str:
        """Return the ids of the questions, joined by ``+``."""
        return "+".join(str(one["question_id"]) for one in self.questions)

    @property
    def compared(self) -> bool:
        """Return whether there is a comparator."""
        return bool(self.questions[0]["comparator"])


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject with all of its analyses.

    ``names`` has the rows; ``own`` each row's own result by level and policy, None where the policy leaves
    no count. ``sets`` are the places of the studies that count; ``set_names`` names them where there are too
    many studies for every set, else it is empty. ``places`` leads from level, policy, model and set, counted
    in this order, to ``views``; it is -1 where nothing is left.
    """

    subject: Subject
    names: tuple[str, ...]
    own: Mapping[tuple[float, MissingData], tuple[Own | None, ...]]
    sets: tuple[tuple[int, ...], ...]
    set_names: tuple[str, ...]
    places: tuple[int, ...]
    views: tuple[View, ...]

    @property
    def studies(self) -> tuple[Study, ...]:
        """Return the study of each row, under the first policy that has it."""
        columns = zip(*self.own.values(), strict=True)
        return tuple(next(one.study for one in column if one) for column in columns)


@dataclass(frozen=True, slots=True)
class Exploration:
    """All topics, what can be chosen, and the measure of the relative effects."""

    options: Options
    topics: tuple[Topic, ...]
    measure: str

    def view(
        self, topic: Topic, level: float, policy: MissingData, model: Model, studies: Iterable[int]
    ) -> View | None:
        """Return the analysis of choices; None where they leave nothing."""
        some = topic.sets.index(tuple(sorted(studies)))
        place = self.options.levels.index(level)
        place = place * len(self.options.policies) + self.options.policies.index(policy)
        place = place * len(self.options.models) + self.options.models.index(model)
        found = topic.places[place * len(topic.sets) + some]
        return None if found < 0 else topic.views[found]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A subject with its studies and data rows by policy, before anything is analysed."""

    subject: Subject
    studies: Mapping[MissingData, tuple[Study | None, ...]]
    rows: Mapping[MissingData, Sequence[Row]]
    sets: tuple[tuple[int, ...], ...]
    set_names: tuple[str, ...]

    @property
    def known(self) -> tuple[Study, ...]:
        """Return the study of each row, under the first policy that has it."""
        return tuple(next(filter(None, column)) for column in zip(*self.studies.values(), strict=True))


@repeated(8)  # the page, its figure and a sentence ask for the same analyses
def explore(data: Dataset, parameters: Parameters) -> Exploration:
    """Analyse every question under every choice that the explorer offers.

    Chosen are the confidence level, what is done about patients without a value, the estimator of the
    variance between studies with the interval, and the studies. Every set of studies is analysed up to eight
    studies, all of them, all but one and named sets above that. What is not chosen stays as in the
    parameters. Fewer methods are offered where the analyses would be too many for one page.
    """
    levels = tuple(sorted({*LEVELS, parameters.confidence_level}))
    drafts = _drafts(data, parameters, get_args(MissingData))
    options = Options(levels, get_args(MissingData), _models(drafts, len(levels), parameters))
    measure = "OR" if parameters.effect_measure == "OR" else "RR"
    made = tuple(_topic(draft, options, data, parameters) for draft in drafts)
    return Exploration(options, made, measure)


def _drafts(data: Dataset, parameters: Parameters, policies: Sequence[MissingData]) -> list[_Draft]:
    """Return the subjects that have studies: each question, then those that can be taken together."""
    asked = records(data.questions.sort_values("order", kind="stable"))
    names = [str(one["question_id"]) for one in asked]
    found = {name: _selected(name, data, parameters, tuple(policies)) for name in names}
    drafts = [_draft([one], found, data, parameters, policies) for one in asked]
    several = [_draft(some, found, data, parameters, policies) for some in _alike(asked)]
    return [one for one in drafts if one.known] + [one for one in several if _worth_joining(one)]


_Selected = Mapping[MissingData, tuple[Sequence[Row], tuple[Study, ...]]]


def _asked(
    question_id: str, data: Dataset, parameters: Parameters, policies: tuple[MissingData, ...]
) -> tuple[object, ...]:
    return *asked_of(question_id, data, parameters), policies


@recalled(64, _asked)
def _selected(
    question_id: str, data: Dataset, parameters: Parameters, policies: tuple[MissingData, ...]
) -> _Selected:
    """Return the data rows and the studies that answer a question, by policy."""
    question = question_row(question_id, data)
    part = data.about([question["outcome_id"]])
    found = {}
    for policy in policies:
        rows = select(question, part, replace(parameters, missing_data=policy))
        found[policy] = rows, studies_of(rows, question, part)
    return found


def _alike(asked: Sequence[Row]) -> list[list[Row]]:
    """Return the questions that ask the same of other treatments, doses or populations."""
    names = ("indication", "outcome_id", "time_low", "time_high", "time_unit", "comparator")
    found: dict[tuple[str, ...], list[Row]] = {}
    for one in asked:
        if one["comparator"]:
            key = tuple("" if is_empty(one[name]) else str(one[name]) for name in names)
            found.setdefault(key, []).append(one)
    return [some for some in found.values() if len(some) > 1]


def _worth_joining(draft: _Draft) -> bool:
    """Return whether a joint subject has more than its questions have: patients of several studies."""
    return len({study.family for study in draft.known}) > 1


def _draft(
    questions: Sequence[Row],
    found: Mapping[str, _Selected],
    data: Dataset,
    parameters: Parameters,
    policies: Sequence[MissingData],
) -> _Draft:
    parts = [found[str(one["question_id"])] for one in questions]
    by_key = {
        policy: {_key(study): study for part in parts for study in part[policy][1]} for policy in policies
    }
    known = {key: study for some in by_key.values() for key, study in some.items()}
    keys = sorted(known, key=lambda key: ALLOCATIONS.index(known[key].allocation))
    studies = {policy: tuple(some.get(key) for key in keys) for policy, some in by_key.items()}
    rows = {policy: [row for part in parts for row in part[policy][0]] for policy in policies}
    draft = _Draft(_subject(questions, data), studies, rows, (), ())
    named = _sets(draft, data, parameters)
    return replace(draft, sets=tuple(named.values()), set_names=tuple(named) if _is_many(draft) else ())


def _key(study: Study) -> tuple[str, str, str]:
    return study.study_id, study.node, study.dose


def _subject(questions: Sequence[Row], data: Dataset) -> Subject:
    first = questions[0]
    outcome = records(data.outcomes[data.outcomes["outcome_id"] == first["outcome_id"]])[0]
    important = 0.0 if is_empty(first["important_per_1000"]) else float(first["important_per_1000"])
    return Subject(tuple(questions), str(outcome["label"]), str(outcome["better"] or ""), important)


def _is_many(draft: _Draft) -> bool:
    return len(draft.known) > MOST_STUDIES


def _sets(draft: _Draft, data: Dataset, parameters: Parameters) -> dict[str, tuple[int, ...]]:
    """Return the sets of studies to analyse by name; every set has the name of its members' places."""
    everyone = tuple(range(len(draft.known)))
    if not _is_many(draft):
        masks = range(1, 2 ** len(everyone))
        sets = [tuple(place for place in everyone if mask >> place & 1) for mask in masks]
        return {" ".join(map(str, some)): some for some in sets}
    found = {ALL_STUDIES: everyone}
    for place, name in enumerate(names_of(draft.known)):
        found[f"Without {name}"] = tuple(one for one in everyone if one != place)
    found |= _named_sets(draft, data, parameters)
    return {name: some for name, some in found.items() if some}


def _named_sets(draft: _Draft, data: Dataset, parameters: Parameters) -> dict[str, tuple[int, ...]]:
    """Return the randomised studies, and those that each choice of evidence leaves."""
    found = {RANDOMISED: tuple(i for i, one in enumerate(draft.known) if one.allocation == "randomised")}
    about = data.about({str(one["outcome_id"]) for one in draft.subject.questions})
    for name, part in variants(about).items():
        if name != ALL:
            keys = {_key(study) for one in draft.subject.questions for study in _left(one, part, parameters)}
            found[name] = tuple(i for i, one in enumerate(draft.known) if _key(one) in keys)
    return found


def _left(question: Row, data: Dataset, parameters: Parameters) -> tuple[Study, ...]:
    return studies_of(select(question, data, parameters), question, data)


def _models(drafts: Sequence[_Draft], levels: int, parameters: Parameters) -> tuple[Model, ...]:
    """Return the models to offer: the most that keep the number of analyses in bounds."""
    own = (parameters.pooling_method, parameters.interval_method)
    views = levels * sum(_distinct_counts(one) * len(one.sets) for one in drafts if len(one.known) > 1)
    for pooling, intervals in SHORTER:
        models = _pairs({*pooling, own[0]}, {*intervals, own[1]})
        if views * len(models) <= MOST_VIEWS:
            return models
    return (own,)


def _distinct_counts(draft: _Draft) -> int:
    return len({tuple(study and study.four for study in some) for some in draft.studies.values()})


def _pairs(pooling: set[PoolingMethod], intervals: set[IntervalMethod]) -> tuple[Model, ...]:
    """Return the pairs in the order of the parameters' choices."""
    pairs = product(get_args(PoolingMethod), get_args(IntervalMethod))
    return tuple((one, ci) for one, ci in pairs if one in pooling and ci in intervals)


def _topic(draft: _Draft, options: Options, data: Dataset, parameters: Parameters) -> Topic:
    views: dict[tuple[object, ...], int] = {}
    made: list[View] = []
    places: list[int] = []
    for key, chosen in _choices(draft, options, parameters):
        if key is not None and key not in views:
            views[key] = len(made)
            made.append(_view(draft, chosen, data))
        places.append(-1 if key is None else views[key])
    own = {
        (level, policy): _owns(draft, policy, replace(parameters, confidence_level=level), data)
        for level, policy in product(options.levels, options.policies)
    }
    names = tuple(names_of(draft.known))
    return Topic(draft.subject, names, own, draft.sets, draft.set_names, tuple(places), tuple(made))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The studies that count by their places, and the parameters that they are analysed with."""

    studies: Mapping[int, Study]
    parameters: Parameters


def _choices(
    draft: _Draft, options: Options, parameters: Parameters
) -> Iterator[tuple[tuple[object, ...] | None, _Chosen]]:
    """Return every combination of choices with the key of its analysis; None where no study is left.

    Choices have one key where they cannot differ: counts that a policy leaves as they are, one study under
    any model, a common effect under any interval.
    """
    named = any("/" in str(one["control_risk"]) for one in draft.subject.questions)
    for level, policy, (pooling, interval), some in product(
        options.levels, options.policies, options.models, draft.sets
    ):
        own = draft.studies[policy]
        studies = {place: one for place in some if (one := own[place]) is not None}
        model = _told_model(list(studies.values()), pooling, interval)
        counts = tuple((place, one.four) for place, one in studies.items())
        chosen = replace(
            parameters, confidence_level=level, missing_data=policy,
            pooling_method=pooling, interval_method=interval,
        )  # fmt: skip
        key = (level, counts, model, policy if named else "")
        yield key if studies else None, _Chosen(studies, chosen)


def _told_model(
    studies: Sequence[Study], pooling: PoolingMethod, interval: IntervalMethod
) -> tuple[str, ...]:
    """Return what of a model matters to a set of studies."""
    allocations = [study.allocation for study in studies]
    if len(set(allocations)) == len(allocations):
        return ()
    return (pooling,) if pooling == "FE" else (pooling, interval)


def _owns(
    draft: _Draft, policy: MissingData, parameters: Parameters, data: Dataset
) -> tuple[Own | None, ...]:
    rows, question = draft.rows[policy], draft.subject.questions[0]
    return tuple(
        None
        if study is None
        else _own(study, find((study,), question, rows, data, parameters, allocation=study.allocation))
        for study in draft.studies[policy]
    )


def _own(study: Study, found: Finding) -> Own:
    if study.comparator is None and found.treatment:
        return Own(study, found.treatment.estimate, found.treatment.low, found.treatment.high)
    effect = found.pooled and found.pooled.effects[0]
    nan = math.nan
    return Own(study, effect.estimate, effect.low, effect.high) if effect else Own(study, nan, nan, nan)


def _view(draft: _Draft, chosen: _Chosen, data: Dataset) -> View:
    subject, parameters = draft.subject, chosen.parameters
    places = {id(study): place for place, study in chosen.studies.items()}
    groups = []
    for allocation, studies in grouped(list(chosen.studies.values()), subject.questions[0]).items():
        shared = len({study.family for study in studies}) < len(studies)
        parts = [(study,) for study in studies] if shared else [studies]
        rows = draft.rows[parameters.missing_data]
        found = tuple(
            find(some, subject.questions[0], rows, data, parameters, allocation=allocation) for some in parts
        )
        groups.append(Group(allocation, tuple(places[id(study)] for study in studies), found, shared))
    verdict = _verdict(groups[0], subject)
    notes = [_note(group) for group in groups]
    words = _words(subject, groups, verdict)
    return View(parameters.confidence_level, tuple(groups), verdict, *words, tuple(filter(None, notes)))


def _verdict(group: Group, subject: Subject) -> Verdict:
    """Return what may be said: of rows that share patients only what all of them say."""
    said = {
        finding_verdict(one, better=subject.better, important=subject.important / 1000)
        for one in group.findings
    }
    return said.pop() if len(said) == 1 else Verdict("uncertain", "neither")


def _note(group: Group) -> str:
    if group.shared:
        return SHARED
    return differences_between(group.findings[0].studies) if len(group.places) > 1 else ""


def _words(subject: Subject, groups: Sequence[Group], verdict: Verdict) -> tuple[str, str, str]:
    """Return the numbers in words, the conclusion, and what stands apart; of several treatments all names."""
    first = groups[0]
    studies = [study for found in first.findings for study in found.studies]
    names = {"treatment": _joined(study.treatment.label for study in studies)}
    if subject.compared:
        names["comparator"] = _joined(study.comparator.label for study in studies if study.comparator)
    told = [told_of(found, subject.outcome, _own_names(found, names)) for found in first.findings]
    said = conclusion(
        verdict, subject.outcome, names["treatment"], allocation=first.allocation,
        important_per_1000=subject.important,
    )  # fmt: skip
    apart = apart_of([found for group in groups[1:] for found in group.findings])
    missing = (uncounted_words(studies), doubtful_words(studies))
    return " ".join(told), said, " ".join(filter(None, (*missing, apart)))


def _own_names(found: Finding, names: dict[str, str]) -> dict[str, str]:
    """Return the names of the arms of one study, which speaks for itself, or those of all."""
    if len(found.studies) > 1:
        return names
    study = found.studies[0]
    sides = {"treatment": study.treatment, "comparator": study.comparator}
    return {side: in_sentence(arm.label) for side, arm in sides.items() if arm}


def _joined(labels: Iterable[str]) -> str:
    return " or ".join(map(in_sentence, dict.fromkeys(labels)))


def summary_of(group: Group) -> Summary | None:
    """Return what a group's studies give together; None where nothing is taken together."""
    found = group.findings[0]
    if group.shared or len(found.studies) < 2:
        return None
    if found.pooled is not None:
        return summarised(found.pooled, found.studies) if found.pooled.pooled else None
    return _median(found, found.treatment) if found.control is None and found.treatment else None


def _median(found: Finding, risk: Proportion) -> Summary:
    """Return the proportion of the median study, which studies without comparison give."""
    nan = math.nan
    return Summary(
        "Median study", "proportion", len(found.studies), risk.estimate, risk.low, risk.high, nan, nan, nan,
        nan, nan, 0, nan, nan, nan, nan, nan, risk.method, "", secondary=len(found.studies) == 2,
        events=(risk.events, 0), patients=(risk.n, 0),
    )  # fmt: skip
