"""The answers to the questions: sentences, and a table in absolute terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import ci, joined, sourced
from evidence.display.markdown import escape
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import nothing
from evidence.parameters import Parameters
from evidence.questions import Answer
from evidence.results import Tables, records
from evidence.stats import Proportion
from evidence.wording import Allocation, difference_text, per_1000, signed_text

WEAKEST = ("assumed", "derived", "printed")
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


def answers_table(answers: Sequence[Answer], parameters: Parameters) -> Table:
    """Return the answers side by side: risks per 1,000, their difference and the relative effect."""
    if not answers:
        return nothing("No questions are asked of the data.")
    columns = (
        Column("Question", width=3.0),
        Column("Patients (studies)", width=1.1),
        Column("With treatment, per 1,000", width=1.5),
        Column("With comparator, per 1,000", width=1.5),
        Column(f"Difference per 1,000 ({ci(parameters)})", width=2.0),
        Column(f"{_relative(parameters)} ({ci(parameters)})", width=1.5),
        Column("Direction", width=1.2),
    )
    rows = tuple(_row(one) for one in answers)
    caption = (
        f"Answers in absolute numbers, with {fmt.level(parameters.confidence_level)} confidence intervals."
    )
    note = (
        "Per 1,000 patients. Direction: what the interval of the difference allows to be said; "
        "“Uncertain” means that it includes both more and fewer patients."
    )
    return Table(columns, rows, caption, note, _tidy(answers))


def _relative(parameters: Parameters) -> str:
    return "Odds ratio" if parameters.effect_measure == "OR" else "Risk ratio"


def _row(one: Answer) -> tuple[Cell, ...]:
    size = sum(risk.n for risk in (one.treatment, one.control) if risk)
    difference = one.difference
    shown = (
        difference
        and f"{signed_text(difference.estimate)} ({difference_text(difference.low, difference.high)})"
    )
    effect = one.effect
    return (
        Cell(one.title),
        Cell(f"{size} ({len(one.studies)})"),
        _risk(one.treatment, one, "treatment"),
        _risk(one.control, one, "comparator"),
        Cell(shown.replace(" per 1,000", "") if shown else "–"),
        Cell(fmt.ratio(effect.estimate, effect.low, effect.high) if effect else "–"),
        Cell(DIRECTIONS[one.verdict.direction]),
    )


def _risk(risk: Proportion | None, one: Answer, side: str) -> Cell:
    if risk is None:
        return Cell("–")
    used = [row for row in records(one.included) if row["side"] == side]
    basis = min((str(row["basis"]) for row in used), key=WEAKEST.index)
    origin = "external" if any(row["origin"] == "external" for row in used) else "seed"
    text = f"{per_1000(risk.estimate)} ({per_1000(risk.low)} to {per_1000(risk.high)})"
    return sourced(text, "|".join(str(row["row_id"]) for row in used), basis=basis, origin=origin)


def _tidy(answers: Sequence[Answer]) -> pd.DataFrame:
    return pd.DataFrame([_values(one) for one in answers])


def _values(one: Answer) -> dict[str, Any]:
    values: dict[str, Any] = {
        "question_id": one.question_id,
        "title": one.title,
        "studies": "|".join(one.studies),
    }
    for name, risk in (("treatment", one.treatment), ("control", one.control)):
        for field in ("events", "n", "estimate", "low", "high"):
            values[f"{name}_{field}"] = getattr(risk, field, None)
    for name, effect in (("difference", one.difference), ("effect", one.effect)):
        for field in ("measure", "estimate", "low", "high", "p", "method"):
            values[f"{name}_{field}"] = getattr(effect, field, None)
    return values | {"direction": one.verdict.direction, "favours": one.verdict.favours}
