"""The first screen: the answers in a few words each, what the sources got wrong, how current it all is."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.audit.part_sizes import part_doubts
from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.display.decides import decides_words
from evidence.display.labels import ci, interval_words, joined, lower_first, pretty, study_label
from evidence.display.markdown import NO_BREAK, escape, unbroken
from evidence.display.marks import findings_of
from evidence.display.model import DOUBT, DOUBTED, Cell, Column, Prose, Table, legend_of, mark_from
from evidence.display.tables.answered import (
    NO_DATA,
    UNCOUNTED,
    UNREAD_NOTE,
    certainty_short,
    difference_words,
    doubt_sign,
    effect_words,
    patients_words,
    risk_cell,
    rows_of,
    shown_differences,
    sign_on,
    signs_of,
    split_asked,
    split_title,
)
from evidence.display.tables.audit import ORDER, doubtful, finding_subject, first, headline
from evidence.display.tables.kinds import Line, findings_frame, kind_lines, kinds_note
from evidence.display.tables.parts import build, grouped, nothing
from evidence.display.traced import counted, numbers_traced, traced
from evidence.display.trials import said_of, trial_details, trial_words, with_result, without_figures
from evidence.display.verdicts import bottom_line
from evidence.parameters import Parameters
from evidence.questions import Answer, ordered_questions
from evidence.questions.studies import Arm
from evidence.results import records
from evidence.stats import Proportion
from evidence.synthesis.certainty import Certainty, certainty, statement
from evidence.synthesis.reading import UNREAD_SHORT
from evidence.wording import per_1000, told_difference

DATES = "dates"  # the section of protocols that holds when a study's data were closed
AUDIT = "audit"  # the table of every check
MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")
CLAUSE_END = re.compile(r"[;:] ")
NOTHING_WRONG = "Nothing printed was found to be wrong in a way that changes a conclusion."
JOINT = '<span class="joint">{}</span>'  # what joins the parts of a line where they follow each other


def summary_prose(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Prose:
    """Return the answers, a line each under whom they are about: risks, difference, certainty.

    The parts of a line are spans, which a page may set apart and give a bar; without a style they are a
    sentence. Every number names the data rows that it comes from.
    """
    found: dict[str, list[Answer]] = {}
    for one in answers:
        found.setdefault(split_title(one.title)[0], []).append(one)
    diseases = {str(row["question_id"]): str(row["indication"]) for row in records(data.questions)}
    blocks, seen, open_ = [], set(), part_doubts(data, alpha=parameters.alpha)
    for whom, some in found.items():
        made = [(one, certainty(one, data, parameters)) for one in some]
        disease = diseases.get(some[0].question_id, "")
        waiting = [] if disease in seen else without_figures(data, disease)
        seen.add(disease)
        line = _lead(some, bottom_line(made), waiting, data)
        names = _asked(made)
        told = [_told_in_short(*pair, name, data, open_) for pair, name in zip(made, names, strict=True)]
        lines = [f"{'    ' if whom else ''}- {one}" for one in told]
        blocks.append("\n".join([*([f"- **{escape(whom)}.** {line}"] if whom else []), *lines]))
    listed = "\n".join(blocks) or "No questions are asked of the data."
    return Prose(f"::: {{.answers}}\n{listed}\n:::")


def _lead(some: Sequence[Answer], line: str, waiting: Sequence[Mapping[str, Any]], data: Dataset) -> str:
    """Return the verdict on a disease, then the trials without figures, then the studies; details smaller."""
    verdict, _, studies = line.partition(". ")
    named = {study.study_id for one in some for study in one.finding.studies}
    rows = data.studies.loc[data.studies["study_id"].isin(named), "row_id"]
    trials = [trial_words(data, one) for one in waiting]
    details = " ".join(trial_details(data, one) for one in waiting)
    told = [escape(f"{verdict}."), *trials, numbers_traced(studies, rows, data)]
    return " ".join(filter(None, [*told, _part("caveat", details) if details else ""]))


def key_prose(answers: Sequence[Answer], data: Dataset, parameters: Parameters, *, then: str = "") -> Prose:
    """Return the key of the first screen: its brackets, what they do not allow for, circles and signs.

    Args:
        answers: those shown; only signs that they carry are explained.
        data: the dataset.
        parameters: the level of the intervals.
        then: what stands behind it, as Markdown.
    """
    shown = [one for one in answers if one.finding.studies and not one.finding.side_by_side]
    marks = [mark_from(sign_on(one, side)) for one in shown for side in ("treatment", "comparator")]
    arms = [
        arm
        for one in shown
        for study in one.finding.studies
        for arm in (study.treatment, study.comparator)
        if arm
    ]
    open_ = part_doubts(data, alpha=parameters.alpha)
    doubt = f"{DOUBT} {DOUBTED}" if any(doubt_sign(arm, open_) for arm in arms) else ""
    signs = "; ".join(filter(None, (legend_of(marks), doubt)))
    told = [
        f"Brackets: {interval_words(parameters)}; it allows for chance only, not for differences between "
        "the groups.",
        "Circles: certainty, from ●○○○ very low to ●●●● high.",
        f"{escape(unbroken(signs))}." if signs else "",
        then,
    ]
    return Prose(f"::: {{.key}}\n{' '.join(filter(None, told))}\n:::")


def _asked(made: Sequence[tuple[Answer, Certainty | None]]) -> list[str]:
    """Return what each answer was asked; without the arms, which stand beside it, unless two ask the same.

    Then the treatment, which tells them apart, stands with it.
    """
    parts = [split_asked(one.title) for one, _ in made]
    whats = [what for what, _ in parts]
    named = [
        f"{what} ({compared.partition(' against ')[0]})" if compared and whats.count(what) > 1 else what
        for what, compared in parts
    ]
    whole = [sure is None or one.finding.side_by_side for one, sure in made]
    shown = zip(made, named, whole, strict=True)
    return [pretty(split_title(one.title)[1] if all_ else name) for (one, _), name, all_ in shown]


def _told_in_short(
    one: Answer, sure: Certainty | None, what: str, data: Dataset, open_: Collection[str]
) -> str:
    """Return one answer as parts of a line, with the sign of doubt where a question on its rows is open."""
    if sure is None:
        return f"{escape(what)}: no data."
    whole_words = f"{sure.word.capitalize()} certainty.".replace(" ", NO_BREAK)
    parts = (
        _part("asked", f"{escape(what)}{JOINT.format(':')}"),
        _part("risks", " ".join(_risks(one, data, open_))),
        _part("told", f"{_verdict(one, sure, data)}.{_caveats(sure)}"),
        _part("sure", escape(f"{sure.signs} {whole_words}")),
    )
    return " ".join(parts)


def _caveats(sure: Certainty) -> str:
    """Return what was not read, as a part within what is told; nothing where there is nothing to say."""
    told = " ".join(escape(f"{one[:1].upper()}{one[1:]}.") for one in sure.caveats)
    return f" {_part('caveat', told)}" if told else ""


def _part(name: str, text: str, style: str = "") -> str:
    more = f' style="{style}"' if style else ""
    return f'<span class="{name}"{more}>{text}</span>'


def _verdict(one: Answer, sure: Certainty, data: Dataset) -> str:
    """Return what may be said of the difference, its numbers with the rows of both sides."""
    said = statement(
        one.verdict, sure.level, _differences(one), allocation=one.allocation, important=one.important
    )
    return numbers_traced(said, [str(row["row_id"]) for row in records(one.included)], data)


def _risks(one: Answer, data: Dataset, open_: Collection[str]) -> list[str]:
    """Return the risk on each side with its arm; of two studies side by side none, since each has its own."""
    if one.finding.side_by_side:
        return [_part("risk", f"two studies{JOINT.format(',')}")]
    study = one.finding.studies[0]
    shown = [(one.treatment, "treatment", study.treatment), (one.control, "comparator", study.comparator)]
    told = [
        _risk(risk, arm, signs_of(one, side, open_), _rows(one, side), data)
        for risk, side, arm in shown
        if risk and arm
    ]
    ends = [",", ";"] if len(told) == 2 else [";"]
    return [
        _part("risk", text + JOINT.format(end), style) for (text, style), end in zip(told, ends, strict=True)
    ]


def _risk(risk: Proportion, arm: Arm, sign: str, rows: Sequence[str], data: Dataset) -> tuple[str, str]:
    """Return a risk per 1,000 in words, and the share of a bar that it fills."""
    text = traced(f"{per_1000(risk.estimate)}{sign}", rows, data)
    part = f" ({numbers_traced(arm.words, rows, data)})" if arm.group else ""
    return f"{text} with {escape(lower_first(arm.label))}{part}", f"--share: {100 * risk.estimate:.1f}%"


def _rows(one: Answer, side: str) -> list[str]:
    return [str(row["row_id"]) for row in records(one.included) if row["side"] == side]


def _differences(one: Answer) -> str:
    """Return the difference with its interval; of two studies side by side each its own, with its name."""
    names = [f" in {study.label}" if one.finding.side_by_side else "" for study in one.finding.studies]
    shown = shown_differences(one.finding)
    told = [told_difference(each.limits, unit=False) for each in shown]
    return "; ".join(f"{each}{name}" for each, name in zip(told, names, strict=False))


def scope_prose(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Prose:
    """Return what all answers rest on and how certain they are, in a sentence or two."""
    made = [certainty(one, data, parameters) for one in answers]
    words = [sure.word for sure in made if sure]
    studies = {study.family for one in answers for study in one.finding.studies}
    randomised = [one for one in answers if one.allocation == "randomised" and one.studies]
    trials = {study.family for one in randomised for study in one.finding.studies}
    each = [
        f"{word} for {counted(str(words.count(word)), 'certainty', 'risk_of_bias', 'counts')}"
        for word in ("high", "moderate", "low", "very low")
        if word in words
    ]
    all_ = "all" if len(words) == len(answers) else str(len(words))
    asked, used = counted(str(len(answers)), "questions"), counted(str(len(studies)), "studies", "counts")
    compared = f"{counted(str(len(randomised)), 'studies')} answers rest on a randomised comparison"
    source = f", in {counted(str(len(trials)), 'studies')} trial{'' if len(trials) == 1 else 's'}"
    told = (
        f"{asked} questions were asked, and {used} studies with different patients{_parts(answers, studies)} "
        f"answer {all_} of them; "
        f"{compared}{source if trials else ''}."
    )
    return Prose(f"{told} Certainty is {joined(each)}." if each else told)


def _parts(answers: Sequence[Answer], families: Collection[str]) -> str:
    """Return how many studies there are if parts of others, whose patients are the same, count too."""
    every = {study.study_id for one in answers for study in one.finding.studies}
    more = len(every) - len(families)
    if not more:
        return ""
    shared = "one that shares its patients" if more == 1 else f"{more} that share their patients"
    return f" ({counted(str(len(every)), 'studies')} with {shared})"


def summary_table(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> Table:
    """Return all answers: risks per 1,000, difference, relative effect and certainty."""
    if not answers:
        return nothing("No questions are asked of the data.")
    interval = ci(parameters)
    columns = (
        Column("Question", width=2.9),
        Column("Patients (studies)", width=0.8),
        Column("Without, per 1,000", width=1.1),
        Column("With, per 1,000", width=1.1),
        Column(f"Difference ({interval})", width=1.75),
        Column(f"{'Odds' if parameters.effect_measure == 'OR' else 'Risk'} ratio ({interval})", width=1.1),
        Column("Certainty", width=1.4),
    )
    answers = _together(answers, data)
    made = [certainty(one, data, parameters) for one in answers]
    lines = [
        [_row(one, sure), *kind_lines(one, data, parameters)] for one, sure in zip(answers, made, strict=True)
    ]
    level = fmt.level(parameters.confidence_level)
    caption = f"All {len(answers)} answers in absolute numbers, with {level} intervals."
    note = "Without and with the treatment of the question, per 1,000 patients. Certainty: GRADE."
    note += f" {UNCOUNTED}" if any(" of " in patients_words(one) for one in answers) else ""
    unread = UNREAD_NOTE if any(UNREAD_SHORT in row[-1].text for some in lines for row in some) else ""
    told = unread, kinds_note(answers, data, parameters), decides_words(answers)
    note = " ".join(filter(None, (note, *told)))
    frame = findings_frame(answers, made, data, parameters)
    frame["confidence_level"] = parameters.confidence_level
    keys = [split_title(one.title)[0] for one, some in zip(answers, lines, strict=True) for _ in some]
    groups = tuple(group for group in grouped(keys) if group[1])
    rows = tuple(line for some in lines for line in some)
    return build(data, columns, rows, caption=caption, note=note, frame=frame, groups=groups)


def _together(answers: Sequence[Answer], data: Dataset) -> list[Answer]:
    """Return answers on one disease, and in it on the same patients, together, in their first order."""
    order = [str(row["question_id"]) for row in ordered_questions(data)]
    return sorted(answers, key=lambda one: order.index(one.question_id))


def _row(one: Answer, sure: Certainty | None) -> Line:
    what = Cell(pretty(split_title(one.title)[1]))
    if sure is None:
        return (what, Cell("0 (0)"), *(Cell("–") for _ in range(4)), Cell(NO_DATA))
    rows = rows_of(one)
    return (
        what,
        Cell(f"{patients_words(one)} ({len(one.studies)})"),
        risk_cell(one, "comparator"),
        risk_cell(one, "treatment"),
        Cell(difference_words(one, unit=False), rows),
        Cell(effect_words(one), rows),
        Cell(certainty_short(sure)),
    )


@by_value
def wrong_prose(data: Dataset, parameters: Parameters, *, most: int = 3) -> Prose:
    """Return the findings of the audit that change a conclusion, the weightiest of each study or document."""
    found = _weightiest(data, parameters)
    if not found:
        return Prose(NOTHING_WRONG)
    lines = [
        f"- **{escape(finding_subject(row, data))}**: {_traced_finding(row, headline(row['why']), data)}"
        for row in found[:most]
    ]
    return Prose("\n".join([_wrong_in(len(found), most), "", *lines]))


def _weightiest(data: Dataset, parameters: Parameters) -> Sequence[Mapping[str, Any]]:
    """Return what changes a conclusion, a finding per study or document, the weightiest first."""
    found = doubtful(findings_of(data, parameters), "conclusion")
    about = found["study_id"].map(first).where(found["study_id"].ne(""), found["source_id"])
    rank = found.assign(about=about, rows=-found["row_id"].str.count(r"\|"), place=found["check"].map(ORDER))
    return records(rank.sort_values(["weight", "rows", "place"], kind="stable").drop_duplicates("about"))


def _wrong_in(several: int, most: int) -> str:
    """Return in how many studies or documents a conclusion hangs on something wrong, and what is told."""
    if several == 1:
        return "In one study or document something printed is wrong and changes a conclusion:"
    told = f"the weightiest of each of {most}" if several > most else "the weightiest of each"
    number = counted(str(several), AUDIT)
    return f"In {number} studies or documents something printed is wrong and changes a conclusion; {told}:"


def _traced_finding(row: Mapping[str, Any], said: str, data: Dataset) -> str:
    return numbers_traced(_told(said), filter(None, str(row["row_id"]).split("|")), data)


def brief_prose(
    data: Dataset, parameters: Parameters, *, wrong: str = "", current: str = "", most: int = 3
) -> Prose:
    """Return in a few lines what the sources got wrong that matters most, and how current the report is.

    Args:
        data: the dataset.
        parameters: those of the audit.
        wrong: the label of the section that tells the errors in full.
        current: that of the one on how current the report is.
        most: of how many studies or documents an error is told.
    """
    named = [
        f"{escape(finding_subject(row, data))}: "
        f"{_traced_finding(row, lower_first(_first_clause(row['why'])), data)}."
        for row in _weightiest(data, parameters)[:most]
    ]
    told = {
        _head("What the sources got wrong", wrong): " ".join(named) or NOTHING_WRONG,
        _head("How current this is", current): _current_in_short(data),
    }
    lines = [f"- {head} {each}" for head, each in told.items()]
    return Prose("\n".join(["::: {.answers .brief}", *lines, ":::"]))


def _head(words: str, label: str) -> str:
    return f"**[{words}](#{label}).**" if label else f"**{words}.**"


def _first_clause(why: str) -> str:
    """Return what a finding says before its first semicolon or colon, without the stop of its sentence.

    >>> _first_clause("It is called pooled, but no weight is printed: rates stand alone. They differ.")
    'It is called pooled, but no weight is printed'
    """
    return CLAUSE_END.split(headline(why), maxsplit=1)[0].rstrip(".")


def _told(text: Any) -> str:
    return MINUS.sub("−", pretty(text))


@by_value
def current_prose(data: Dataset) -> Prose:
    """Return how current the report is: the newest document, the last data cut, studies without results.

    All from the data; when the report was built says nothing about it.
    """
    year, cut, waiting = _newest(data), _last_cut(data), _waiting(data)
    told = [f"The newest documents are from {year}." if year else "No document has a year."]
    told += [f"The latest date to which a study says its data reach is {cut}."] if cut else []
    return Prose(" ".join([*told, *([_waiting_words(waiting, len(data.studies))] if waiting else [])]))


def _newest(data: Dataset) -> str:
    years = data.sources["year"].dropna()
    return counted(str(int(years.max())), "sources") if len(years) else ""


def _current_in_short(data: Dataset) -> str:
    """Return the year of the newest document and the last data cut."""
    year, cut = _newest(data), _last_cut(data)
    told = f"Newest documents: {year}." if year else "No document has a year."
    return f"{told} Latest date of data: {cut}." if cut else told


def _last_cut(data: Dataset) -> str:
    """Return the latest date to which data reach, with the study that prints it; nothing where none does."""
    rows = records(data.protocols[data.protocols["section"] == DATES])
    dated = [(day, row) for row in rows if not pd.isna(day := pd.to_datetime(row["value"], errors="coerce"))]
    if not dated:
        return ""
    day, row = max(dated, key=lambda one: one[0])
    whole = bool(re.search(r"\d{1,2}\D+\d{4}|\d{4}-\d\d-\d\d", str(row["value"])))
    written = f"{day.day} {day:%B %Y}" if whole else f"{day:%B %Y}"
    study = escape(study_label(data, str(row["study_id"])))
    return f"{traced(written, [str(row['row_id'])], data)} ({study})"


def _waiting(data: Dataset) -> list[str]:
    """Return the randomised studies without a figure on benefit or harm, and which are told of in words."""
    known = with_result(data)
    trials = records(data.studies[data.studies["randomised"] == "yes"])
    return [
        f"{row['label']}{' (a result is told in words alone)' if said_of(data, str(row['study_id'])) else ''}"
        for row in trials
        if row["study_id"] not in known
    ]


def _waiting_words(labels: Sequence[str], studies: int) -> str:
    noun = "trial" if len(labels) == 1 else "trials"
    of, trials = counted(str(studies), "studies"), counted(str(len(labels)), "studies")
    told = f"Of {of} studies, {trials} randomised {noun} had no figure on benefit or harm in what was read"
    return f"{told}: {escape('; '.join(labels))}."
