"""The answers to the questions: sentences, and a table in absolute terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.display.decides import decides_words
from evidence.display.labels import ci, joined, sourced
from evidence.display.markdown import escape
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.findings import UNCOUNTED, patients_words
from evidence.display.tables.parts import nothing
from evidence.parameters import Parameters
from evidence.questions import Answer, Estimate
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
    return Table(columns, rows, caption, note, _tidy(answers))


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
    rows = tuple(str(row["row_id"]) for row in records(one.included))
    return (
        Cell(one.title),
        Cell(f"{patients_words(one)} ({len(one.studies)})"),
        _risk(one.treatment, one, "treatment"),
        _risk(one.control, one, "comparator"),
        Cell("; ".join(_difference(each) for each in _differences(one)) or "–", rows),
        Cell(_effects(one), rows),
        Cell(DIRECTIONS[one.verdict.direction]),
    )


def _patients(one: Answer) -> int:
    return sum(risk.n for risk in (one.treatment, one.control) if risk)


def _differences(one: Answer) -> tuple[Estimate, ...]:
    """Return the differences shown: of two studies side by side each its own."""
    if one.difference is None:
        return ()
    return one.finding.each if one.finding.side_by_side else (one.difference,)


def _difference(each: Estimate) -> str:
    shown = f"{signed_text(each.estimate)} ({difference_text(each.low, each.high)})"
    return shown.replace(" per 1,000", "")


def _effects(one: Answer) -> str:
    """Return the ratios shown: of two studies side by side each its own, never their pool."""
    if one.control is None:
        return "–"
    pooled = one.finding.pooled
    if one.effect is None or pooled is None:
        return fmt.NOT_ESTIMABLE
    if not one.finding.side_by_side:
        return fmt.ratio(one.effect.estimate, one.effect.low, one.effect.high)
    return "; ".join(
        fmt.ratio(each.estimate, each.low, each.high) if each else fmt.NOT_ESTIMABLE
        for each in pooled.effects
    )


def _risk(risk: Proportion | None, one: Answer, side: str) -> Cell:
    if risk is None:
        return Cell("–")
    used = [row for row in records(one.included) if row["side"] == side]
    basis = min((str(row["basis"]) for row in used), key=WEAKEST.index)
    origin = "external" if any(row["origin"] == "external" for row in used) else "seed"
    return sourced(
        _risk_text(risk, one, side), "|".join(str(row["row_id"]) for row in used), basis=basis, origin=origin
    )


def _risk_text(risk: Proportion, one: Answer, side: str) -> str:
    """Return a risk per 1,000 with its limits; of two studies side by side each its own, without."""
    if not one.finding.side_by_side:
        return f"{per_1000(risk.estimate)} ({per_1000(risk.low)} to {per_1000(risk.high)})"
    arms = [study.treatment if side == "treatment" else study.comparator for study in one.finding.studies]
    return "; ".join(str(per_1000(arm.events / arm.n)) for arm in arms if arm)


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
