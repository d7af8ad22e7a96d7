"""The first screen: the answers in a few words each, what the sources got wrong, how current it all is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.documents import document_name
from evidence.display.labels import ci, joined, pretty, study_label
from evidence.display.markdown import escape
from evidence.display.marks import findings_of
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.audit import ORDER, doubtful, first
from evidence.display.tables.findings import (
    NO_DATA,
    certainty_words,
    difference_words,
    effect_words,
    finding_values,
    patients,
    risk_cell,
    shown_differences,
    split_title,
)
from evidence.display.tables.parts import grouped, nothing
from evidence.parameters import Parameters
from evidence.questions import Answer, Estimate
from evidence.results import records
from evidence.synthesis.certainty import Certainty, certainty, statement
from evidence.wording import difference_text, per_1000, sign_of, signed_text

DATES = "dates"  # the section of protocols that holds when a study's data were closed
MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")


def summary_prose(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Prose:
    """Return the answers, a line each under whom they are about: risks, difference, certainty."""
    found: dict[str, list[str]] = {}
    for one in answers:
        whom, what = split_title(one.title)
        told = escape(_told_in_short(one, pretty(what), certainty(one, data, parameters)))
        found.setdefault(whom, []).append(f"{'    ' if whom else ''}- {told}")
    blocks = [
        "\n".join([*([f"- **{escape(whom)}**"] if whom else []), *told]) for whom, told in found.items()
    ]
    return Prose("\n".join(blocks) or "No questions are asked of the data.")


def _told_in_short(one: Answer, what: str, sure: Certainty | None) -> str:
    if sure is None:
        return f"{what}: no data."
    verdict = statement(
        one.verdict, sure.level, _differences(one), allocation=one.allocation, important=one.important
    )
    return f"{what}: {_risks(one, what)}{verdict}. {sure.signs} {sure.word.capitalize()}."


def _risks(one: Answer, what: str) -> str:
    """Return both risks; of two studies side by side none, since each has its own."""
    if one.finding.side_by_side:
        return "two studies; "
    treated, none = (
        f"{per_1000(risk.estimate)}{_sign(one, side)}" if risk else "" for risk, side in _sides(one)
    )
    first_ = one.finding.studies[0]
    if first_.comparator is None or one.treatment is None:
        limits = f"{per_1000(one.treatment.low)} to {per_1000(one.treatment.high)}" if one.treatment else ""
        return f"{treated} ({limits}) with {first_.treatment.label}; "
    arms = (first_.treatment.label, first_.comparator.label)
    if all(arm.lower() in what.lower() for arm in arms):
        return f"{treated} against {none}, "
    return f"{treated} with {arms[0]}, {none} with {arms[1]}; "


def _differences(one: Answer) -> str:
    """Return the difference with its interval; of two studies side by side each its own, with its name."""
    names = [f" in {study.label}" if one.finding.side_by_side else "" for study in one.finding.studies]
    shown = shown_differences(one.finding)
    return "; ".join(f"{_short(each)}{name}" for each, name in zip(shown, names, strict=False))


def _short(each: Estimate) -> str:
    """Return a difference with its interval, the direction said once where it is one.

    >>> _short(Estimate("RD", 0.198, 0.035, 0.38, 0.01, ""))
    '198 more (35 to 380)'
    """
    size = signed_text(each.estimate).replace(" per 1,000", "")
    limits = difference_text(each.low, each.high)
    direction = size.rpartition(" ")[2]
    one_way = limits.endswith(f" {direction}") and limits.count(" more") + limits.count(" fewer") == 1
    return f"{size} ({limits.removesuffix(f' {direction}') if one_way else limits})"


def _sides(one: Answer) -> Iterator[tuple[Any, str]]:
    yield one.treatment, "treatment"
    yield one.control, "comparator"


def _sign(one: Answer, side: str) -> str:
    used = [row for row in records(one.included) if row["side"] == side]
    return sign_of([str(row["basis"]) for row in used], [str(row["origin"]) for row in used])


def scope_prose(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Prose:
    """Return what all answers rest on and how certain they are, in a sentence or two."""
    made = [certainty(one, data, parameters) for one in answers]
    words = [sure.word for sure in made if sure]
    studies = {study for one in answers for study in one.studies}
    randomised = sum(one.allocation == "randomised" and bool(one.studies) for one in answers)
    each = [
        f"{word} for {words.count(word)}" for word in ("high", "moderate", "low", "very low") if word in words
    ]
    all_ = "all" if len(words) == len(answers) else str(len(words))
    told = (
        f"{len(answers)} questions were asked, and {len(studies)} studies answer {all_} of them; "
        f"{randomised} answers rest on a randomised comparison."
    )
    return Prose(f"{told} Certainty is {joined(each)}." if each else told)


def summary_table(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Table:
    """Return all answers: risks per 1,000, difference, relative effect and certainty."""
    if not answers:
        return nothing("No questions are asked of the data.")
    interval = ci(parameters)
    columns = (
        Column("Question", width=2.6),
        Column("Patients (studies)", width=1.1),
        Column("Without, per 1,000", width=1.3),
        Column("With, per 1,000", width=1.3),
        Column(f"Difference ({interval})", width=1.9),
        Column(f"{'Odds' if parameters.effect_measure == 'OR' else 'Risk'} ratio ({interval})", width=1.5),
        Column("Certainty", width=1.35),
    )
    answers = _together(answers)
    made = [certainty(one, data, parameters) for one in answers]
    rows = tuple(_row(one, sure) for one, sure in zip(answers, made, strict=True))
    level = fmt.level(parameters.confidence_level)
    caption = f"All {len(answers)} answers in absolute numbers, with {level} intervals."
    note = "Without and with the treatment of the question, per 1,000 patients. Certainty: GRADE."
    frame = pd.DataFrame([finding_values(one, sure) for one, sure in zip(answers, made, strict=True)])
    groups = grouped([split_title(one.title)[0] for one in answers])
    return Table(columns, rows, caption, note, frame, tuple(group for group in groups if group[1]))


def _together(answers: Sequence[Answer]) -> list[Answer]:
    """Return answers about the same patients together, in their first order."""
    whom = list(dict.fromkeys(split_title(one.title)[0] for one in answers))
    return sorted(answers, key=lambda one: whom.index(split_title(one.title)[0]))


def _row(one: Answer, sure: Certainty | None) -> tuple[Cell, ...]:
    what = Cell(pretty(split_title(one.title)[1]))
    if sure is None:
        return (what, Cell("0 (0)"), *(Cell("–") for _ in range(4)), Cell(NO_DATA))
    return (
        what,
        Cell(f"{patients(one):,} ({len(one.studies)})"),
        risk_cell(one, "comparator"),
        risk_cell(one, "treatment"),
        Cell(difference_words(one).replace(" per 1,000", "")),
        Cell(effect_words(one)),
        Cell(certainty_words(sure)),
    )


def wrong_prose(data: Dataset, parameters: Parameters, *, most: int = 3) -> Prose:
    """Return the findings of the audit that change a conclusion, the weightiest of each study or document."""
    findings = findings_of(data, parameters.alpha)
    found = doubtful(findings, "conclusion")
    about = found["study_id"].map(first).where(found["study_id"].ne(""), found["source_id"])
    rank = found.assign(about=about, rows=-found["row_id"].str.count(r"\|"), place=found["check"].map(ORDER))
    ranked = rank.sort_values(["weight", "rows", "place"], kind="stable").drop_duplicates("about")
    lines = [
        f"- **{escape(_subject(row, data))}**: {escape(_told(row['why']))}"
        for row in records(ranked.head(most))
    ]
    return Prose(
        "\n".join(lines) or "Nothing printed was found to be wrong in a way that changes a conclusion."
    )


def _subject(row: Mapping[str, Any], data: Dataset) -> str:
    studies = [study for study in str(row["study_id"]).split("|") if study]
    if not studies:
        return document_name(data, first(str(row["source_id"])))
    names = [study_label(data, study) for study in studies[:2]]
    return joined([*names, *([f"{len(studies) - 2} more"] if len(studies) > 2 else [])])


def _told(text: Any) -> str:
    return MINUS.sub("−", pretty(text))


def current_prose(data: Dataset) -> Prose:
    """Return how current the report is: the newest document, the last data cut, studies without results.

    All from the data; when the report was built says nothing about it.
    """
    years = data.sources["year"].dropna()
    newest = f"The newest documents are from {int(years.max())}." if len(years) else "No document has a year."
    cut = _last_cut(data)
    waiting = _waiting(data)
    told = [newest, *([f"The latest date to which a study says its data reach is {cut}."] if cut else [])]
    told += [_waiting_words(waiting, len(data.studies))] if waiting else []
    return Prose(escape(" ".join(told)))


def _last_cut(data: Dataset) -> str:
    """Return the latest date to which data reach, with the study that prints it; nothing where none does."""
    rows = records(data.protocols[data.protocols["section"] == DATES])
    dated = [(day, row) for row in rows if not pd.isna(day := pd.to_datetime(row["value"], errors="coerce"))]
    if not dated:
        return ""
    day, row = max(dated, key=lambda one: one[0])
    whole = bool(re.search(r"\d{1,2}\D+\d{4}|\d{4}-\d\d-\d\d", str(row["value"])))
    written = f"{day.day} {day:%B %Y}" if whole else f"{day:%B %Y}"
    return f"{written} ({study_label(data, str(row['study_id']))})"


def _waiting(data: Dataset) -> list[str]:
    """Return the labels of randomised studies of which no result on benefit or harm was read."""
    known = with_result(data)
    trials = data.studies[data.studies["randomised"] == "yes"]
    return [str(row["label"]) for row in records(trials) if row["study_id"] not in known]


def with_result(data: Dataset) -> set[str]:
    """Return the studies of which a figure on benefit or harm after the start of treatment was read."""
    outcomes = data.outcomes.loc[data.outcomes["domain"].isin(("efficacy", "safety")), "outcome_id"]
    return {
        str(study)
        for frame in (data.counts, data.measurements, data.tests)
        for study in frame.loc[frame["outcome_id"].isin(outcomes) & frame["time"].ne(0), "study_id"]
    }


def _waiting_words(labels: Sequence[str], studies: int) -> str:
    noun = "trial" if len(labels) == 1 else "trials"
    told = f"Of {studies} studies, {len(labels)} randomised {noun} had no results in what was read"
    return f"{told}: {'; '.join(labels)}."
