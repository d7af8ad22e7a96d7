"""The answers to the questions: sentences, and a table in absolute terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.decides import decides_words
from evidence.display.labels import ci, joined
from evidence.display.markdown import escape
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.answered import (
    UNCOUNTED,
    difference_words,
    effect_words,
    patients_words,
    risk_cell,
    rows_of,
    split_title,
)
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import Parameters
from evidence.questions import Answer
from evidence.results import Tables
from evidence.wording import Allocation

ALLOCATIONS: dict[Allocation, str] = {
    "randomised": "Patients were randomised in:",
    "not randomised": "They were not in:",
    "not stated": "What was read does not say in:",
}
CONFOUNDED = "Without randomisation, a difference can come from the patients as well as from the treatment."
DIRECTIONS = {
    "more": "More patients",
    "fewer": "Fewer patients",
    "small": "Little difference",
    "uncertain": "Uncertain",
    "described": "No comparison",
    "nothing": "No data",
}


def answers_prose(answers: Sequence[Answer]) -> Prose:
    """Return one bullet per question: its title and the sentence that answers it."""
    return Prose("\n".join(f"- **{escape(one.title)}.** {escape(one.sentence)}" for one in answers))


def allocation_prose(answers: Sequence[Answer], data: Tables) -> Prose:
    """Return which of the comparisons were randomised, by study, and what follows where they were not."""
    labels = dict(zip(data.studies["study_id"], data.studies["label"], strict=True))
    compared = [one for one in answers if one.control]
    parts = []
    for allocation, words in ALLOCATIONS.items():
        studies = dict.fromkeys(
            study for one in compared if one.allocation == allocation for study in one.studies
        )
        if studies:
            parts.append(f"**{words}** {escape(joined([str(labels[study]) for study in studies]))}.")
    return Prose(" ".join([*parts, CONFOUNDED] if parts else ["No answer rests on a comparison."]))


def answers_table(answers: Sequence[Answer], data: Tables, parameters: Parameters) -> Table:
    """Return the answers side by side: risks per 1,000, their difference and the relative effect."""
    if not answers:
        return nothing("No questions are asked of the data.")
    columns = (
        Column("Question", width=2.6),
        Column("Patients (studies)", width=1.1),
        Column("With treatment, per 1,000", width=1.5),
        Column("With comparator, per 1,000", width=1.5),
        Column(f"Difference per 1,000 ({ci(parameters)})", width=2.0),
        Column(f"{_relative(parameters)} ({ci(parameters)})", width=1.5),
        Column("Direction", width=1.2),
    )
    rows = tuple(_row(one) for one in answers)
    caption = _caption(answers, parameters)
    note = (
        "Per 1,000 patients. Direction: what the interval of the difference allows to be said; "
        "“Uncertain” means that it includes both more and fewer patients."
    )
    if any(one.finding.side_by_side for one in answers):
        note += " Two studies stand side by side, divided by a semicolon."
    if any(one.apart for one in answers):
        note += " Studies of other designs are not in the table; they stand apart in the text."
    note += f" {UNCOUNTED}" if any(" of " in patients_words(one) for one in answers) else ""
    note = " ".join(filter(None, (note, decides_words(answers))))
    whom = [split_title(one.title)[0] for one in answers]
    groups = grouped(whom) if any(whom) else ()
    return build(data, columns, rows, caption=caption, note=note, frame=_tidy(answers), groups=groups)


def _caption(answers: Sequence[Answer], parameters: Parameters) -> str:
    """Return of how many comparisons and studies the answers are, those that share patients as one."""
    compared = [one for one in answers if one.difference is not None]
    level = fmt.level(parameters.confidence_level)
    told = f"Answers in absolute numbers, with {level} confidence intervals"
    if not compared:
        return f"{told}."
    families = {study.family for one in compared for study in one.finding.studies}
    noun = "comparison" if len(compared) == 1 else "comparisons"
    of = "1 study" if len(families) == 1 else f"{len(families)} studies with different patients"
    return f"{told}: {len(compared)} {noun} in {of}."


def _relative(parameters: Parameters) -> str:
    return "Odds ratio" if parameters.effect_measure == "OR" else "Risk ratio"


def _row(one: Answer) -> tuple[Cell, ...]:
    rows = rows_of(one)
    return (
        Cell(split_title(one.title)[1]),
        Cell(f"{patients_words(one)} ({len(one.studies)})"),
        risk_cell(one, "treatment"),
        risk_cell(one, "comparator"),
        Cell(difference_words(one, unit=False), rows),
        Cell(effect_words(one), rows),
        Cell(DIRECTIONS[one.verdict.direction]),
    )


def _patients(one: Answer) -> int:
    return sum(risk.n for risk in (one.treatment, one.control) if risk)


def _tidy(answers: Sequence[Answer]) -> pd.DataFrame:
    return pd.DataFrame([_values(one) for one in answers])


def _values(one: Answer) -> dict[str, Any]:
    values: dict[str, Any] = {
        "question_id": one.question_id,
        "title": one.title,
        "studies": "|".join(one.studies),
        "patients": _patients(one),
        "shown_apart": one.finding.side_by_side,
    }
    for name, risk in (("treatment", one.treatment), ("control", one.control)):
        for field in ("events", "n", "estimate", "low", "high"):
            values[f"{name}_{field}"] = getattr(risk, field, None)
    for name, effect in (("difference", one.difference), ("effect", one.effect)):
        for field in ("measure", "estimate", "low", "high", "p", "method"):
            values[f"{name}_{field}"] = getattr(effect, field, None)
    said = {"direction": one.verdict.direction, "favours": one.verdict.favours}
    return values | said | {"allocation": one.allocation, "control_risk": one.finding.control_source}
