"""Summary of findings as GRADE has it: a table per question, and what lowered the certainty of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.decides import decides_words
from evidence.display.labels import ci, joined, lower_first, pretty
from evidence.display.marks import with_doubts
from evidence.display.model import Cell, Column, Table
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.tables.answered import (
    NO_DATA,
    certainty_words,
    counts_mark,
    difference_words,
    effect_words,
    patients_words,
    risk_cell,
    rows_of,
    shown_differences,
    split_title,
)
from evidence.display.tables.beside import beside_rows
from evidence.display.tables.kinds import findings_frame, kind_name, kinds_words
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import Parameters
from evidence.questions import Answer, Finding, answer, parts_of
from evidence.questions.studies import uncounted_words
from evidence.synthesis.certainty import (
    DOMAINS,
    NAMES,
    UNJUDGED,
    Certainty,
    Step,
    certainty,
    interval_levels,
)
from evidence.wording import ALLOCATED, apart_text

SHORT = {"publication_bias": "Publication bias", "risk_of_bias": "Risk of bias"}
SIGNS = "●●●● high, ●●●○ moderate, ●●○○ low, ●○○○ very low."


def findings_tables(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> list[Table]:
    """Return the summary of findings of every question asked, in the order of the questions."""
    return [
        with_doubts(findings_table(data, parameters, question_id=str(one["question_id"])), data, parameters)
        for one in asked_questions(data, **asked)
    ]


def findings_table(data: Dataset, parameters: Parameters, *, question_id: str) -> Table:
    """Return the summary of findings of one question.

    Patients and studies, risk without and with the treatment and their difference per 1,000, the relative
    effect, the certainty, and every domain that changed it with the levels and the reason.
    """
    one = answer(question_id, data, parameters)
    sure = certainty(one, data, parameters)
    caption = f"{pretty(one.title)}."
    if sure is None:
        return nothing(caption)
    kinds = _kinds(one, data, parameters)
    beside = beside_rows(one, data, parameters)
    rows = [*_results(one, parameters), *kinds, *beside, *_apart(one), *_judgements(sure)]
    frame = findings_frame([one], [sure], data, parameters)
    columns = (Column("Finding", width=1.5), Column(_comparison(one), width=3.8))
    note = uncounted_words(one.finding.studies)
    return build(data, columns, rows, caption=caption, note=note, frame=frame)


def _comparison(one: Answer) -> str:
    first = one.finding.studies[0]
    none = first.comparator
    return (
        f"{first.treatment.label} against {lower_first(none.label)}"
        if none
        else f"{first.treatment.label}, not compared"
    )


def _results(one: Answer, parameters: Parameters) -> list[tuple[Cell, ...]]:
    first = one.finding.studies[0]
    names = {
        "comparator": first.comparator.label if first.comparator else "",
        "treatment": first.treatment.label,
    }
    rows: list[tuple[Cell, ...]] = [(Cell("Patients (studies)"), Cell(_who(one)))]
    rows += [
        (Cell(f"With {fmt.in_sentence(names[side])}"), risk_cell(one, side, words=True))
        for side in ("comparator", "treatment")
        if names[side]
    ]
    if one.control is not None:
        limits = f" ({ci(parameters)})"
        ids = rows_of(one)
        rows.append((Cell("Difference" + limits), Cell(difference_words(one), ids)))
        rows.append((Cell(_measure(parameters) + limits), Cell(effect_words(one), ids)))
    return rows


def _kinds(one: Answer, data: Dataset, parameters: Parameters) -> list[tuple[Cell, ...]]:
    """Return what the events mostly were, and a row per kind of event with its counts and difference."""
    parts = parts_of(one, data, parameters)
    if parts is None:
        return []
    rows = tuple(row for part in parts.all for row in rows_of(part))
    return [
        (Cell("What they were"), Cell(kinds_words((one, parts)), rows, counts_mark(one))),
        *((Cell(kind_name(part)), Cell(_kind(part), rows_of(part), counts_mark(part))) for part in parts.all),
    ]


def _kind(part: Answer) -> str:
    arms = [arm for study in part.finding.studies for arm in (study.treatment, study.comparator) if arm]
    counts = " and ".join(f"{arm.words} with {fmt.in_sentence(arm.label)}" for arm in arms)
    return f"{difference_words(part)}: {counts}"


def _measure(parameters: Parameters) -> str:
    return "Odds ratio" if parameters.effect_measure == "OR" else "Risk ratio"


def _who(one: Answer) -> str:
    names = joined([study.name for study in one.finding.studies])
    return f"{patients_words(one)} ({len(one.studies)}): {names}, {ALLOCATED[one.allocation]}"


def _apart(one: Answer) -> list[tuple[Cell, ...]]:
    """Return a row per other design, which stands apart from the answer."""
    return [
        (Cell("Other designs"), Cell(apart_text(other.allocation, _shown(other)), _rows_of_finding(other)))
        for other in one.apart
        if other.difference is not None
    ]


def _rows_of_finding(found: Finding) -> tuple[str, ...]:
    arms = [arm for study in found.studies for arm in (study.treatment, study.comparator) if arm]
    return tuple(dict.fromkeys(row for arm in arms for row in arm.rows.split("|") if row))


def _shown(found: Finding) -> list[tuple[str, tuple[float, float, float]]]:
    names = [study.label for study in found.studies]
    names = names if found.side_by_side else [joined(names)]
    limits = [each.limits for each in shown_differences(found)]
    return list(zip(names, limits, strict=True))


def _judgements(sure: Certainty) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = [
        (Cell("Certainty"), Cell(f"{certainty_words(sure)}. {sure.start_reason}"))
    ]
    rows += [
        (Cell(_name(step)), Cell(f"{levels_words(step.levels)}. {pretty(step.reason)}"))
        for step in sure.changes
    ]
    same = [step for step in sure.steps if not step.levels]
    told = " ".join(f"{_name(step)}: {pretty(step.reason)}" for step in same)
    return [*rows, (Cell("Unchanged"), Cell(told))] if told else rows


def _name(step: Step) -> str:
    return step.name[:1].upper() + step.name[1:]


def levels_words(levels: int) -> str:
    """Return levels as a sentence has them.

    >>> levels_words(-2), levels_words(1)
    ('Two levels down', 'One level up')
    """
    count = {1: "One level", 2: "Two levels", 3: "Three levels"}.get(abs(levels), f"{abs(levels)} levels")
    return f"{count} {'down' if levels < 0 else 'up'}"


def certainty_table(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Table:
    """Return the evidence profile: what each domain did to the certainty of every question asked."""
    questions = asked_questions(data, **asked)
    answers = [answer(str(one["question_id"]), data, parameters) for one in questions]
    made = [certainty(one, data, parameters) for one in answers]
    if not any(made):
        return nothing("Certainty of the answers.")
    columns = (
        Column("Question", width=3.4),
        Column("Certainty", width=1.9),
        Column("Starts", width=0.9),
        *(Column(SHORT.get(name, NAMES[name].capitalize()), "center", 1.15) for name in DOMAINS),
    )
    rows = tuple(_profile(one, sure) for one, sure in zip(answers, made, strict=True))
    frame = findings_frame(answers, made, data, parameters)
    return Table(
        columns,
        rows,
        _told(made),
        " ".join(filter(None, (_profile_note(made), matters_words(answers), decides_words(answers)))),
        frame,
        grouped([split_title(one.title)[0] for one in answers]),
    )


def _profile(one: Answer, sure: Certainty | None) -> tuple[Cell, ...]:
    title = Cell(pretty(split_title(one.title)[1]))
    if sure is None:
        return (title, Cell(NO_DATA), *(Cell("–") for _ in range(len(DOMAINS) + 1)))
    steps = {step.domain: step for step in sure.steps}
    start = "High" if sure.start == 4 else "Low" if sure.start == 2 else str(sure.start)
    return (
        title,
        Cell(certainty_words(sure)),
        Cell(start),
        *(Cell(_levels(steps[name])) for name in DOMAINS),
    )


def _levels(step: Step) -> str:
    if step.basis == UNJUDGED:
        return "?"
    return fmt.signed(step.levels, 0)


def _told(made: Sequence[Certainty | None]) -> str:
    """Return the caption: how many answers are how certain."""
    words = [sure.word for sure in made if sure]
    counts = [
        f"{word} for {words.count(word)}" for word in ("high", "moderate", "low", "very low") if word in words
    ]
    return f"Certainty of {len(words)} answers: {joined(counts)}."


def matters_words(answers: Sequence[Answer]) -> str:
    """Return that one difference is held to matter everywhere, and in how many comparisons that decides.

    It decides directly where the interval includes that difference, in either direction.
    """
    compared = [one for one in answers if one.difference is not None]
    sizes = {one.important for one in compared}
    if len(sizes) != 1 or not (size := sizes.pop()):
        return ""
    held = [
        one
        for one in compared
        if any(interval_levels(each.low, each.high, size / 1000) for each in shown_differences(one.finding))
    ]
    return (
        f"One difference, {size:g} per 1,000, is held to matter for every outcome, harms too; imprecision of "
        f"{len(held)} of {len(compared)} comparisons rests on it, since their intervals include it."
    )


def _profile_note(made: Sequence[Certainty | None]) -> str:
    raised = joined(
        [
            f"{_name(step)} {fmt.signed(step.levels, 0)}"
            for sure in made
            if sure
            for step in sure.changes
            if step.levels > 0
        ]
    )
    unjudged = any(step.basis == UNJUDGED for sure in made if sure for step in sure.steps)
    parts = ["Levels down by domain; the reasons stand in the tables below.", SIGNS]
    parts += [f"Raised: {raised}."] if raised else []
    return " ".join([*parts, *(["? not judged."] if unjudged else [])])
