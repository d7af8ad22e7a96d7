"""Which questions a synthesis shows, gathered into sections of one outcome, time and comparator."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.labels import MEASURES, lower_first, outcome_labels
from evidence.display.tables.doubts import doubt_words
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import is_empty, ordered_questions
from evidence.results import days
from evidence.synthesis.forest import MIXED, ONE_STUDY, Forest, Grouping, forest


class Asked(TypedDict, total=False):
    """Columns of ``questions.csv`` with the values they must have; several values mean any of them."""

    question_id: str | Collection[str]
    indication: str | Collection[str]
    population: str | Collection[str]
    treatment: str | Collection[str]
    comparator: str | Collection[str]
    outcome_id: str | Collection[str]
    time_high: float | Collection[float]
    time_unit: str


@dataclass(frozen=True, slots=True)
class Section:
    """One forest with its heading."""

    title: str
    forest: Forest


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The forests of one figure or table, and what they are about."""

    sections: tuple[Section, ...]
    caption: str

    def frame(self) -> pd.DataFrame:
        """Return all numbers as one tidy table."""
        made = [
            section.forest.frame().assign(section=section.title)
            for section in self.sections
            if section.forest.rows
        ]
        return pd.concat(made, ignore_index=True) if made else pd.DataFrame()


def asked_questions(data: Dataset, **asked: Unpack[Asked]) -> list[dict[str, Any]]:
    """Return the questions that have the given values, in the order of all questions; no column asks nothing.

    Those of one disease stand together, and in it those of the same patients.
    """
    frame = data.questions
    for column, value in asked.items():
        many = isinstance(value, Collection) and not isinstance(value, str)
        wanted = list(value) if many else [value]  # type: ignore[call-overload]
        frame = frame[frame[column].isin(wanted)]
    wanted_ids = set(frame["question_id"])
    return [one for one in ordered_questions(data) if one["question_id"] in wanted_ids]


def synthesise(
    data: Dataset,
    parameters: Parameters,
    *,
    by: Grouping = "allocation",
    measure: EffectMeasure | None = None,
    together: bool = False,
    **asked: Unpack[Asked],
) -> Synthesis:
    """Return the forests of the questions asked: a section per outcome, window of time and comparator.

    With ``together``, only the sections in which several designs can be taken together, if there are any.
    """
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for question in asked_questions(data, **asked):
        if question["comparator"]:
            found.setdefault(_same(question), []).append(question)
    outcomes = list(dict.fromkeys(key[1] for key in found))
    order = sorted(found.values(), key=lambda some: _place(some[0], outcomes))
    made = [
        Section(
            _section_title(some[0], data),
            forest(
                [str(one["question_id"]) for one in some],
                data,
                parameters,
                by=by,
                measure=measure,
                together=together,
            ),
        )
        for some in order
    ]
    several = together and any(section.forest.total for section in made)
    shown = [section for section in made if section.forest.total] if several else made
    sections = tuple(section for section in shown if section.forest.rows)
    used = {str(one) for section in sections for one in section.forest.frame()["row_id"]}
    doubts = doubt_words(data, {one for rows in used for one in rows.split("|")})
    return Synthesis(sections, _caption(sections, MEASURES[measure or parameters.effect_measure], doubts))


def _place(question: dict[str, Any], outcomes: Sequence[str]) -> tuple[str, int, float]:
    """Return where a section stands: by indication, outcome and time."""
    time = days(pd.NA if is_empty(question["time_high"]) else question["time_high"], question["time_unit"])
    return str(question["indication"]), outcomes.index(str(question["outcome_id"])), time


def _same(question: dict[str, Any]) -> tuple[str, ...]:
    names = ("indication", "outcome_id", "time_low", "time_high", "time_unit", "comparator")
    return tuple("" if is_empty(question[name]) else str(question[name]) for name in names)


def _section_title(question: dict[str, Any], data: Dataset) -> str:
    label = outcome_labels(data).get(str(question["outcome_id"]), str(question["outcome_id"]))
    return ", ".join(filter(None, (label, window_words(question))))


def window_words(question: dict[str, Any]) -> str:
    """Return the window of a question in words: ``6 months``, ``6 to 8 weeks``, or nothing."""
    low, high, unit = question["time_low"], question["time_high"], question["time_unit"]
    ends = [fmt.general(end) for end in (low, high) if not is_empty(end)]
    if not ends:
        return ""
    named = dict.fromkeys(ends)
    return f"{' to '.join(named)} {unit}{'' if list(named) == ['1'] else 's'}"


def reason_words(sections: Sequence[Section]) -> str:
    """Return why what is shown was not pooled, or how; each reason with the sections that it is true of.

    That a group has one study is not said: the rows show it. That designs are not pooled is a rule for all.
    """
    found: dict[str, list[str]] = {}
    for section in sections:
        for reason in _reasons(section.forest):
            found.setdefault(reason, []).append(section.title)
    return " ".join(
        reason
        if reason == MIXED or len(titles) == len(sections)
        else f"{_listed(titles)}: {lower_first(reason)}"
        for reason, titles in found.items()
    )


def _reasons(forest: Forest) -> list[str]:
    told = dict.fromkeys([forest.reason, *(group.reason for group in forest.groups)])
    return [reason for reason in told if reason and reason != ONE_STUDY]


def _listed(titles: Sequence[str]) -> str:
    """Return titles in one line, those after the first as inside a sentence."""
    named = [one for one in titles if one] or ["Elsewhere"]
    return "; ".join([named[0], *(lower_first(one) for one in named[1:])])


def _caption(sections: Sequence[Section], measure: str, doubts: str) -> str:
    if not sections:
        return "No study answers these questions."
    return " ".join(filter(None, (_found(sections, measure), doubts)))


def _found(sections: Sequence[Section], measure: str) -> str:
    """Return what a forest shows, as a sentence: the one result, or from where to where the results lie."""
    rows = [row for section in sections for row in section.forest.rows if not math.isnan(row.estimate)]
    arms = {
        side: [str(getattr(section.forest, side)) for section in sections]
        for side in ("treatment", "comparator")
    }
    about = against_words(arms["treatment"], arms["comparator"])
    short = sections[0].forest.measure
    ends = sorted(row.estimate for row in rows)
    if len(rows) == 1:
        one = fmt.effect(short, rows[0].estimate, rows[0].low, rows[0].high)
        return f"{about}: {lower_first(sections[0].title)}, {lower_first(measure)} {one}."
    if not rows:
        return f"{about}: {lower_first(_listed([section.title for section in sections]))}."
    low, high = (fmt.effect(short, end, math.nan, math.nan).partition(" (")[0] for end in (ends[0], ends[-1]))
    return f"{about}: {lower_first(measure)}s from {low} to {high}, by outcome and study{_totals(sections)}."


def _totals(sections: Sequence[Section]) -> str:
    """Return what different designs give where they are taken together, as a sentence goes on."""
    told = [
        f"{lower_first(section.title)} {fmt.effect(one.measure, one.estimate, one.low, one.high)}"
        for section in sections
        if (one := section.forest.total)
    ]
    return f"; taken together, {'; '.join(told)}" if told else ""


def against_words(treatments: Sequence[str], comparators: Sequence[str]) -> str:
    """Return what is compared with what, each arm once, as the start of a sentence.

    >>> against_words(["Drug A or Drug B", "Drug A"], ["Placebo", "Placebo"])
    'Drug A or drug B against placebo'
    """
    one, none = (
        " or ".join(fmt.in_sentence(arm) for arm in dict.fromkeys(" or ".join(some).split(" or ")))
        for some in (treatments, comparators)
    )
    return f"{fmt.sentence(one)} against {none}" if none else fmt.sentence(one)
