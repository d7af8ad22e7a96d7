"""Which choice changes an answer, side by side for the three chapters that change choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.counting import out_of, several
from evidence.display.labels import joined, lower_first, pretty
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.answered import split_title
from evidence.display.tables.parts import grouped, nothing
from evidence.display.tables.scenarios import scenario_names
from evidence.display.tables.synthesis import telling_words
from evidence.parameters import MissingData, Parameters
from evidence.synthesis.explorer import Exploration, Topic, explore
from evidence.synthesis.flips import Flips, flips_of
from evidence.synthesis.scenarios import Compared, Comparison
from evidence.synthesis.specifications import Curve, specifications

NONE, NOT_ASKED = "–", "not asked"
JOINT = "Several questions taken together"
POLICIES: Mapping[MissingData, str] = {
    "observed": "patients without a value left out",
    "failure": "patients without a value counted as failures",
    "success": "patients without a value counted as successes",
}
TOGETHER = "only several choices together"
METHODS = "method of pooling"
MOVED = "(the rate moves)"


def flips_table(data: Dataset, parameters: Parameters, compared: Comparison) -> Table:
    """Return per question the choice that changes what may be said, by the chapter that makes the choice.

    Args:
        data: the dataset.
        parameters: those of the report.
        compared: every question under all scenarios.
    """
    exploration = explore(data, parameters)
    lines = _lines(exploration, data, parameters, compared)
    if not lines:
        return nothing("No questions are asked of the data.")
    columns = (
        Column("Question", width=2.4),
        Column("One choice in the explorer", width=2.0),
        Column("Evidence, missing values and method combined", width=1.7),
        Column("A named scenario", width=1.7),
    )
    frame, shown = pd.DataFrame(lines), [line for line in lines if is_flipped(line)]
    caption = flipped_words([line for line in lines if line["group"] != JOINT])
    if not shown:
        return Table((Column("Result"),), ((Cell(caption),),), caption, _note(lines), frame)
    body = tuple(tuple(Cell(line[name]) for name in SHOWN) for line in shown)
    return Table(columns, body, caption, _note(lines), frame, grouped([line["group"] for line in shown]))


Line = dict[str, str]
SHOWN = ("question", "explorer", "combined", "scenario")


def _lines(
    exploration: Exploration, data: Dataset, parameters: Parameters, compared: Comparison
) -> list[Line]:
    topics = {one.subject.topic_id: one for one in exploration.topics}
    lines = [
        _line(one, topics.get(one.question_id), exploration, data, parameters, compared)
        for one in compared.questions
    ]
    order = list(dict.fromkeys(line["group"] for line in lines))
    lines.sort(key=lambda line: order.index(line["group"]))
    several_ = [one for one in exploration.topics if len(one.subject.questions) > 1]
    return lines + [_joint(one, exploration, parameters) for one in several_]


def _line(
    asked: Compared,
    topic: Topic | None,
    exploration: Exploration,
    data: Dataset,
    parameters: Parameters,
    compared: Comparison,
) -> Line:
    group, what = split_title(asked.title)
    found = flips_of(exploration, topic, parameters) if topic else None
    curve = specifications(asked.question_id, data, parameters) if topic and topic.subject.compared else None
    return {
        "question_id": asked.question_id,
        "group": pretty(group),
        "question": fmt.sentence(pretty(what)),
        "explorer": flip_words(found, topic.names) if found and topic else NONE,
        "combined": _combined(curve) if curve else NOT_ASKED,
        "scenario": _scenario(asked, compared),
    }


def _joint(topic: Topic, exploration: Exploration, parameters: Parameters) -> Line:
    titles = [split_title(str(one["title"])) for one in topic.subject.questions]
    return {
        "question_id": topic.subject.topic_id,
        "group": JOINT,
        "question": "; ".join(f"{group}: {lower_first(pretty(what))}" for group, what in _mid(titles)),
        "explorer": flip_words(flips_of(exploration, topic, parameters), topic.names),
        "combined": NOT_ASKED,
        "scenario": NOT_ASKED,
    }


def _mid(titles: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return titles as they stand one after the other, the first with its capital."""
    return [(group if not place else lower_first(group), what) for place, (group, what) in enumerate(titles)]


def flip_words(found: Flips, names: Sequence[str]) -> str:
    """Return the choices that change a verdict each by itself, in words; a dash where none does.

    >>> flip_words(Flips((0.99,), ("failure",), (), ((0,),), together=False), ["Trial A", "Trial B"])
    '99% level; patients without a value counted as failures; without Trial A'
    >>> flip_words(Flips((), (), (), (), together=False), [])
    '–'
    >>> flip_words(Flips((), (), (), (), together=True), [])
    'only several choices together'
    >>> flip_words(Flips((), ("failure",), (), (), together=False, moved=True), [])
    'patients without a value counted as failures (the rate moves)'
    """
    told = [f"{fmt.level(level)} level" for level in found.levels]
    told += [POLICIES[policy] for policy in found.policies]
    told += [METHODS] if found.methods else []
    told += [f"without {joined([pretty(names[place]) for place in some])}" for some in found.sets]
    words = "; ".join(told) or (TOGETHER if found.together else NONE)
    return f"{words} {MOVED}" if found and found.moved else words


def _combined(curve: Curve) -> str:
    """Return what leads to another conclusion among the combined choices, or in how many analyses."""
    other = len(curve.specifications) - curve.same
    if not other:
        return NONE
    return telling_words(curve) or f"{other} of {len(curve.specifications)} analyses"


def _scenario(asked: Compared, compared: Comparison) -> str:
    changed = [one for result in asked.results if result.changed for one in result.scenarios]
    moved = [one for result in asked.moved for one in result.scenarios]
    told = scenario_names(changed, compared) if changed else ""
    return told or (f"{scenario_names(moved, compared)} {MOVED}" if moved else NONE)


def is_flipped(line: Mapping[str, str]) -> bool:
    """Return whether some choice of some chapter changes the answer of a line."""
    return any(line[name] not in (NONE, NOT_ASKED) for name in SHOWN[1:])


def flipped_words(lines: Sequence[Mapping[str, str]]) -> str:
    """Return in how many questions some choice changes the answer.

    >>> flipped_words([{"explorer": "99% level", "combined": "–", "scenario": "–"}] * 2)
    'Some choice changes the answer to all 2 questions.'
    """
    moved = sum(map(is_flipped, lines))
    if not moved:
        return "No choice changes any answer."
    return f"Some choice changes the answer to {out_of(moved, len(lines), 'question')}."


def _note(lines: Sequence[Line]) -> str:
    asked = [line for line in lines if line["group"] != JOINT]
    together = len(lines) - len(asked)
    compared = sum(line["combined"] != NOT_ASKED for line in asked)
    explored = several(len(asked), "question")
    explored += f" and {several(together, 'set')} of several taken together" if together else ""
    return (
        f"Each cell names the choice that changes what may be said; {NONE} none does. Questions whose answer "
        f"no choice changes are left out. Explorer: {explored}, one choice at a time (level, missing values, "
        "method of pooling, studies). Combined: the "
        f"{several(compared, 'question')} with a comparison, all at one level. Scenarios: "
        f"{several(len(asked), 'question')}, each scenario a whole report. {NOT_ASKED.capitalize()}: the "
        "chapter does not have it."
    )
