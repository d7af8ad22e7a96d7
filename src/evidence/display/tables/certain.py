"""The most certain answers, a line each: what happens to 1,000 patients without and with the treatment."""

from __future__ import annotations

from dataclasses import replace

from evidence.data import Dataset
from evidence.display.labels import ci, pretty
from evidence.display.model import Cell, Column, Table
from evidence.display.synthesis import asked_questions
from evidence.display.tables.answered import (
    certainty_words,
    difference_words,
    risk_cell,
    rows_of,
    split_asked,
    split_title,
)
from evidence.display.tables.kinds import NOT_RATED, SIDES, Line, findings_frame, kind_name, kinds_note
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import Parameters
from evidence.questions import Answer, answer, events_of, parts_of
from evidence.synthesis.certainty import Certainty, certainty


def certain_table(data: Dataset, parameters: Parameters) -> Table:
    """Return the answers of the highest certainty reached: both risks, difference and certainty.

    Below an answer stand the kinds of its events where most are of one kind that is no harm of the treatment:
    the others, as far as anybody had them.
    """
    questions = asked_questions(data)
    answers = [answer(str(one["question_id"]), data, parameters) for one in questions]
    rated = [(one, sure) for one in answers if (sure := certainty(one, data, parameters))]
    best = max((sure.level for one, sure in rated if one.difference), default=0)
    shown = [(one, sure) for one, sure in rated if one.difference and sure.level == best]
    if not shown:
        return nothing("The most certain answers.")
    order = [_arms(one) for one, _ in shown]
    shown = sorted(shown, key=lambda pair: order.index(_arms(pair[0])))
    lines = [_lines(one, sure, data, parameters) for one, sure in shown]
    keys = [_arms(one) for (one, _), some in zip(shown, lines, strict=True) for _ in some]
    told, made = [one for one, _ in shown], [sure for _, sure in shown]
    columns = (
        Column("Outcome", width=2.4),
        Column("Without, per 1,000", "right", 0.9),
        Column("With, per 1,000", "right", 0.9),
        Column(f"Difference ({ci(parameters)})", width=2.0),
        Column("Certainty", width=1.8),
    )
    return build(
        data,
        columns,
        [line for some in lines for line in some],
        caption=f"The {len(shown)} most certain answers, of 1,000 patients.",
        note=kinds_note(told, data, parameters),
        frame=findings_frame(told, made, data, parameters),
        groups=grouped(keys),
    )


def _arms(one: Answer) -> str:
    """Return whom an answer is about and what was compared with what."""
    return ": ".join(filter(None, (split_title(one.title)[0], split_asked(one.title)[1])))


def _lines(one: Answer, sure: Certainty, data: Dataset, parameters: Parameters) -> list[Line]:
    parts = parts_of(one, data, parameters)
    seen = [part for part in (parts.others if parts else ()) if any(events_of(part, side) for side in SIDES)]
    first = _line(one, pretty(split_asked(one.title)[0]), certainty_words(sure))
    return [first, *(_line(part, kind_name(part), NOT_RATED) for part in seen)]


def _line(one: Answer, name: str, sure: str) -> Line:
    risks = [risk_cell(one, side) for side in ("comparator", "treatment")]
    bare = [replace(cell, text=cell.text.partition(" (")[0]) for cell in risks]
    return (Cell(name), *bare, Cell(difference_words(one, unit=False), rows_of(one)), Cell(sure))
