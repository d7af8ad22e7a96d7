"""Summary of findings as GRADE has it: a table per question, and what lowered the certainty of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.decides import decides_words
from evidence.display.labels import ci, joined, lower_first, mark_of, pretty, sourced
from evidence.display.marks import with_doubts
from evidence.display.model import Cell, Column, Table
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import Parameters
from evidence.questions import Answer, Estimate, Finding, answer
from evidence.questions.studies import Arm, uncounted_words
from evidence.results import records
from evidence.stats import Proportion
from evidence.synthesis.certainty import DOMAINS, NAMES, UNJUDGED, Certainty, Step, certainty
from evidence.wording import Allocation, apart_text, difference_text, per_1000, signed_text

NO_DATA = "No data"
UNCOUNTED = "Patients, x of y: x were counted, and the groups had y."
ENDS = ("estimate", "low", "high")
WEAKEST = ("assumed", "derived", "printed")
ALLOCATIONS: dict[Allocation, str] = {
    "randomised": "randomised",
    "not randomised": "not randomised",
    "not stated": "randomisation not stated",
}
SHORT = {"publication_bias": "Publication bias", "risk_of_bias": "Risk of bias"}
SIGNS = "●●●● high, ●●●○ moderate, ●●○○ low, ●○○○ very low."


def split_title(title: str) -> tuple[str, str]:
    """Return a question's title as whom it is about and what is asked of them.

    >>> split_title("Adults, first treatment: cure at 6 months"), split_title("Cure")
    (('Adults, first treatment', 'Cure at 6 months'), ('', 'Cure'))
    """
    whom, colon, what = title.partition(": ")
    return (whom, what[:1].upper() + what[1:]) if colon else ("", title)


def split_asked(title: str) -> tuple[str, str]:
    """Return what is asked of a question's title, and what is compared with what where it says so.

    >>> split_asked("Adults: cure at 6 months, drug against placebo"), split_asked("Cure, or better")
    (('Cure at 6 months', 'drug against placebo'), ('Cure, or better', ''))
    """
    what = split_title(title)[1]
    outcome, comma, compared = what.partition(", ")
    return (outcome, compared) if comma and " against " in compared else (what, "")


def findings_tables(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> list[Table]:
    """Return the summary of findings of every question asked, in the order of the questions."""
    return [
        with_doubts(
            findings_table(data, parameters, question_id=str(one["question_id"])),
            data,
            alpha=parameters.alpha,
            margin=parameters.noninferiority_margin,
        )
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
    rows = [*_results(one, parameters), *_apart(one), *_judgements(sure)]
    frame = pd.DataFrame([finding_values(one, sure)])
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


def rows_of(one: Answer) -> tuple[str, ...]:
    """Return the data rows of both sides of an answer."""
    return tuple(str(row["row_id"]) for row in records(one.included))


def _measure(parameters: Parameters) -> str:
    return "Odds ratio" if parameters.effect_measure == "OR" else "Risk ratio"


def _who(one: Answer) -> str:
    names = joined([study.name for study in one.finding.studies])
    return f"{patients_words(one)} ({len(one.studies)}): {names}, {ALLOCATIONS[one.allocation]}"


def patients(one: Answer) -> int:
    """Return how many patients an answer rests on."""
    return sum(sum(study.four[1::2]) for study in one.finding.studies)


def patients_words(one: Answer) -> str:
    """Return how many patients an answer rests on, and of how many where its groups had more."""
    arms = [arm for study in one.finding.studies for arm in (study.treatment, study.comparator) if arm]
    whole = sum(arm.group or arm.n for arm in arms)
    return f"{patients(one):,}" + (f" of {whole:,}" if whole > patients(one) else "")


def risk_cell(one: Answer, side: str, *, words: bool = False) -> Cell:
    """Return the risk on one side per 1,000 with its interval; of two studies side by side each its own.

    Args:
        one: the answer.
        side: ``treatment`` or ``comparator``.
        words: whether counts and the unit are told too.
    """
    risk = one.treatment if side == "treatment" else one.control
    if risk is None:
        return Cell("–")
    used = [row for row in records(one.included) if row["side"] == side]
    basis = min((str(row["basis"]) for row in used), key=WEAKEST.index, default="")
    origin = "external" if any(row["origin"] == "external" for row in used) else ""
    rows = "|".join(str(row["row_id"]) for row in used)
    text = _risk_words(one, risk, side) if words else _risk(one, risk, side)
    return sourced(text, rows, mark=mark_of(basis, origin))


def _risk(one: Answer, risk: Proportion, side: str) -> str:
    if one.finding.side_by_side:
        return "; ".join(str(per_1000(events / n)) for events, n in _arms(one, side))
    limits = f"{per_1000(risk.low)} to {per_1000(risk.high)}"
    return f"{per_1000(risk.estimate)}" + (f" ({limits})" if risk.low < risk.high else "")


def _risk_words(one: Answer, risk: Proportion, side: str) -> str:
    counts = "; ".join(arm.words for arm in _sides(one, side))
    shown = _risk(one, risk, side)
    measured = one.finding.measured or one.finding.side_by_side or one.control is None
    tail = f": {counts}" if measured else f", {one.finding.control_source}" if side == "comparator" else ""
    return shown.replace(" (", " per 1,000 (", 1) + ("" if "(" in shown else " per 1,000") + tail


def _arms(one: Answer, side: str) -> list[tuple[int, int]]:
    return [arm.counts for arm in _sides(one, side)]


def _sides(one: Answer, side: str) -> list[Arm]:
    arms = [study.treatment if side == "treatment" else study.comparator for study in one.finding.studies]
    return [arm for arm in arms if arm]


def difference_words(one: Answer) -> str:
    """Return the difference per 1,000 with its interval; of two studies side by side each its own."""
    return "; ".join(_difference(each) for each in shown_differences(one.finding)) or "–"


def shown_differences(finding: Finding) -> tuple[Estimate, ...]:
    """Return the differences to show: of two studies side by side each its own, never their pool."""
    if finding.difference is None:
        return ()
    return finding.each if finding.side_by_side else (finding.difference,)


def _difference(each: Estimate) -> str:
    return f"{signed_text(each.estimate)} ({difference_text(each.low, each.high)})"


def effect_words(one: Answer) -> str:
    """Return the ratio with its interval; of two studies side by side each its own."""
    pooled = one.finding.pooled
    if one.control is None:
        return "–"
    if one.effect is None or pooled is None:
        return fmt.NOT_ESTIMABLE
    if not one.finding.side_by_side:
        return fmt.ratio(one.effect.estimate, one.effect.low, one.effect.high)
    return "; ".join(
        fmt.ratio(each.estimate, each.low, each.high) if each else fmt.NOT_ESTIMABLE
        for each in pooled.effects
    )


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
    limits = [(each.estimate, each.low, each.high) for each in shown_differences(found)]
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


def certainty_words(sure: Certainty) -> str:
    """Return a certainty in signs and in words, ``●●○○ Low``, with what has to be said of what was read."""
    return f"{sure.signs} {sure.word.capitalize()}{caveat_words(sure)}"


def caveat_words(sure: Certainty) -> str:
    """Return what has to be said with a level, in brackets; nothing where there is nothing to say."""
    return f" ({'; '.join(sure.caveats)})" if sure.caveats else ""


def levels_words(levels: int) -> str:
    """Return levels as a sentence has them.

    >>> levels_words(-2), levels_words(1)
    ('Two levels down', 'One level up')
    """
    count = {1: "One level", 2: "Two levels", 3: "Three levels"}.get(abs(levels), f"{abs(levels)} levels")
    return f"{count} {'down' if levels < 0 else 'up'}"


def finding_values(one: Answer, sure: Certainty | None) -> dict[str, Any]:
    """Return everything of one finding as unformatted values, a row of the tidy table."""
    values: dict[str, Any] = {
        "question_id": one.question_id,
        "title": one.title,
        "studies": "|".join(one.studies),
        "patients": patients(one),
        "allocation": one.allocation,
    }
    for name, risk in (("treatment", one.treatment), ("control", one.control)):
        values |= {
            f"{name}_{field}": getattr(risk, field, None)
            for field in ("events", "n", "estimate", "low", "high")
        }
    for name, effect in (("difference", one.difference), ("effect", one.effect)):
        values |= {
            f"{name}_{field}": getattr(effect, field, None)
            for field in ("measure", "estimate", "low", "high")
        }
    values |= _each_values(one.finding, "study") if one.finding.side_by_side else {}
    for place, other in enumerate(one.apart, 1):
        values |= (
            _each_values(other, f"apart{place}_study") if other.side_by_side else _apart_values(other, place)
        )
    return values | {"direction": one.verdict.direction} | certainty_values(sure)


def _each_values(found: Finding, name: str) -> dict[str, Any]:
    """Return counts, difference and ratio of every study of studies that stand side by side."""
    values: dict[str, Any] = {}
    effects = found.pooled.effects if found.pooled else [None] * len(found.each)
    for place, (study, each, effect) in enumerate(zip(found.studies, found.each, effects, strict=True), 1):
        values[f"{name}{place}"] = study.study_id
        values |= dict(
            zip((f"{name}{place}_{one}" for one in ("e1", "n1", "e0", "n0")), study.four, strict=True)
        )
        for what, estimate in (("difference", each), ("effect", effect)):
            values |= {f"{name}{place}_{what}_{end}": getattr(estimate, end, None) for end in ENDS}
    return values


def _apart_values(found: Finding, place: int) -> dict[str, Any]:
    """Return the studies and the difference of another design, which stands apart from the answer."""
    name = f"apart{place}"
    values: dict[str, Any] = {f"{name}_studies": "|".join(study.study_id for study in found.studies)}
    values |= {f"{name}_difference_{end}": getattr(found.difference, end, None) for end in ENDS}
    return values | {f"{name}_allocation": found.allocation}


def certainty_values(sure: Certainty | None) -> dict[str, Any]:
    """Return a certainty as unformatted values: its level, where it started, levels and reason by domain."""
    if sure is None:
        return {"certainty": "", "certainty_level": None}
    values: dict[str, Any] = {
        "certainty": sure.word,
        "certainty_level": sure.level,
        "certainty_start": sure.start,
        "certainty_caveats": "|".join(sure.caveats),
    }
    for step in sure.steps:
        values |= {f"{step.domain}_levels": step.levels, f"{step.domain}_reason": step.reason}
    return values


def certainty_table(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Table:
    """Return the evidence profile: what each domain did to the certainty of every question asked."""
    questions = by_patients(asked_questions(data, **asked))
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
    frame = pd.DataFrame([finding_values(one, sure) for one, sure in zip(answers, made, strict=True)])
    return Table(
        columns,
        rows,
        _told(made),
        " ".join(filter(None, (_profile_note(made), decides_words(answers)))),
        frame,
        grouped([split_title(one.title)[0] for one in answers]),
    )


def by_patients(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return questions with those of one disease, and in it of the same patients, together."""
    diseases = list(dict.fromkeys(str(one["indication"]) for one in questions))
    whom = list(dict.fromkeys(split_title(str(one["title"]))[0] for one in questions))

    def place(one: dict[str, Any]) -> tuple[int, int]:
        return diseases.index(str(one["indication"])), whom.index(split_title(str(one["title"]))[0])

    return sorted(questions, key=place)


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
