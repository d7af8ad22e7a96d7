"""What a chapter says, in a sentence or a short list under its title: numbers, and how sure they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.audit.part_sizes import part_doubts
from evidence.data import Dataset
from evidence.display.across import Choice, across_frame, design_words
from evidence.display.counting import several, share_words
from evidence.display.evidence import patients
from evidence.display.labels import (
    arm_labels,
    ci,
    joined,
    lower_first,
    marked,
    outcome_labels,
    pretty,
    titled,
)
from evidence.display.markdown import escape, told_small
from evidence.display.marks import doubts
from evidence.display.model import DOUBT, DOUBTED, Prose, legend_of, mark_from
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.tables.answered import (
    caveat_words,
    doubt_sign,
    shown_differences,
    signs_of,
    split_title,
)
from evidence.display.tables.definitions import rules_of, threshold_heading, threshold_rates, widest_gap
from evidence.display.tables.pairwise import printed_effect
from evidence.display.tables.protocols import awaited
from evidence.display.tables.statements import told_in_words
from evidence.display.traced import traced
from evidence.display.verdicts import Made, studies_words, verdict_words
from evidence.parameters import Parameters, rounding
from evidence.questions import Answer, answer
from evidence.questions.selection import SIDES
from evidence.results import days, once, rates, records, separate_arms, words_of
from evidence.stats import Proportion
from evidence.synthesis.certainty import WORDS, Certainty, certainty, statement
from evidence.wording import per_1000, sign_of, told_difference

HEADING = "**In short.**"
LEAD = re.compile(r"^\*\*(.*?)\*\*")  # what a point of a list is about, in bold
NOTHING = "The data hold no result for this."
NO_RESULT = "No result of it was read."
NO_OUTCOMES = ("product_label", "pharmacokinetic")  # designs that are not asked what they found in patients
EFFECT = ["outcome_id", "arms", "time", "time_label", "effect_label"]
AT = ["time", "time_unit", "time_label"]
NO_DATA = "no data under these parameters"
Said = Answer | Prose | str


def in_short(data: Dataset, parameters: Parameters, *said: Said, **asked: Unpack[Asked]) -> Prose:
    """Return what a chapter says, as a quotation under its title.

    One answer is told with its certainty and two are told one below the other; of more, the first is told and
    all are counted: how many comparisons and studies there are, and how certain they are. Other sentences
    follow as they are. Two or more are the points of a list.

    Args:
        data: the dataset.
        parameters: those of the report; level, measure and what is left out follow them.
        said: answers, ids of questions, sentences computed elsewhere (text is plain, prose is Markdown).
        asked: columns of ``questions.csv``; the questions that fit come after those in ``said``.
    """
    ids = [str(row["question_id"]) for row in asked_questions(data, **asked)] if asked else []
    answers = list(_answers([*said, *ids], data, parameters))
    told = [*answers_in_short(answers, data, parameters), *_sentences(said, data)]
    return listed(told)


def listed(points: Iterable[str]) -> Prose:
    """Return Markdown points as a list in the short text under a title; a single one as a sentence.

    >>> print(listed(["**Cure:** more.", "Two studies."]).text)
    > **In short.**
    >
    > - **Cure:** more.
    > - Two studies.
    >>> listed(["**Cure:** more."]).text
    '> **In short.** Cure: more.'
    """
    told = list(filter(None, points))
    if len(told) < 2:
        return quoted(LEAD.sub(r"\1", one) for one in told)
    return Prose("\n".join([f"> {HEADING}", ">", *(f"> - {one}" for one in told)]))


def quoted(sentences: Iterable[str]) -> Prose:
    """Return Markdown sentences as the short text under a title.

    >>> quoted(["One.", "Two."]).text
    '> **In short.** One. Two.'
    """
    return Prose(f"> {HEADING} {' '.join(filter(None, sentences)) or NOTHING}")


def answers_in_short(answers: Sequence[Answer], data: Dataset, parameters: Parameters) -> list[str]:
    """Return at most two sentences on answers, as Markdown; none where there are no answers."""
    sure = [certainty(one, data, parameters) for one in answers]
    few = len(answers) < 3
    shown = answers[:2] if few else answers[:1]
    told = [answer_in_short(one, made, data, parameters) for one, made in zip(shown, sure, strict=False)]
    alone = [one for one in shown if not one.finding.side_by_side]
    open_ = part_doubts(data, alpha=parameters.alpha)
    signs = [signs_of(one, side, open_) for one in alone for side in SIDES]
    legend = _legend(signs)
    told[-1:] = [f"{one}{told_small(legend)}" for one in told[-1:]]
    return told if few else [*told, escape(tally(answers, sure))]


def findings_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return a point per disease with what its first questions come to, then how certain all answers are."""
    questions = asked_questions(data)
    answers = [answer(str(row["question_id"]), data, parameters) for row in questions]
    made = [(one, certainty(one, data, parameters)) for one in answers]
    whom: dict[str, str] = {}
    for row, one in zip(questions, answers, strict=True):
        whom.setdefault(str(row["indication"]), split_title(one.title)[0])
    groups = {
        name: [pair for pair in made if split_title(pair[0].title)[0] == name] for name in whom.values()
    }
    lines = [f"**{escape(name)}:** {escape(_verdict(some))}" for name, some in groups.items() if name]
    return listed([*lines, escape(tally(answers, [sure for _, sure in made]))])


def _verdict(some: Sequence[Made]) -> str:
    """Return the verdict on some answers with the studies behind it."""
    compared = [one for one, _ in some if one.difference is not None]
    return "; ".join(filter(None, (lower_first(verdict_words(some)), studies_words(compared)))) + "."


def answer_in_short(one: Answer, sure: Certainty | None, data: Dataset, parameters: Parameters) -> str:
    """Return one answer as a point in Markdown: risks per 1,000, difference with interval, certainty."""
    what = f"**{escape(pretty(split_title(one.title)[1]))}:**"
    if sure is None or one.treatment is None:
        return f"{what} {NO_DATA}."
    verdict = statement(
        one.verdict,
        sure.level,
        _differences(one, parameters),
        allocation=one.allocation,
        important=one.important,
    )
    open_ = part_doubts(data, alpha=parameters.alpha)
    told = f"{_risks(one, one.treatment, parameters, open_)}{verdict}"
    rows = [str(row["row_id"]) for row in records(one.included)]
    tail = escape(f"; {sure.word} certainty{caveat_words(sure)}.")
    return f"{what} {traced(told, rows, data)}{_uncounted(one, open_, data)}{tail}"


def _uncounted(one: Answer, open_: Collection[str], data: Dataset) -> str:
    """Return the counts of arms that were not counted whole, and where the number of patients is doubtful."""
    arms = [arm for study in one.finding.studies for arm in (study.treatment, study.comparator) if arm]
    told = [
        f"with {escape(fmt.in_sentence(arm.label))} {traced(arm.words, arm.rows.split('|'), data)}"
        for arm in arms
        if arm.group
    ]
    told += [
        escape(f"the number of patients with {fmt.in_sentence(arm.label)} is doubtful")
        for arm in arms
        if doubt_sign(arm, open_)
    ]
    return "".join(f"; {part}" for part in told)


def tally(answers: Sequence[Answer], sure: Sequence[Certainty | None]) -> str:
    """Return how many comparisons there are and from how many studies, those that share patients as one."""
    compared = [one for one in answers if one.difference is not None]
    alone = sum(one.treatment is not None for one in answers) - len(compared)
    families = {study.family for one in compared for study in one.finding.studies}
    parts = []
    if compared:
        noun = "comparison" if len(compared) == 1 else "comparisons"
        came = f"{'comes' if len(compared) == 1 else 'come'} from {len(families)}"
        whose = "study" if len(families) == 1 else "studies with different patients"
        parts.append(f"{len(compared)} {noun} {came} {whose}")
    if alone:
        others = {study.family for one in answers for study in one.finding.studies} - families
        whence = f", from {several(len(others), 'more study')}" if others and compared else ""
        parts.append(
            f"{alone} {'result stands' if alone == 1 else 'results stand'} without a comparison{whence}"
        )
    rated = certainty_tally(sure)
    parts += [lower_first(rated).removesuffix(".") if rated else NO_DATA]
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}."


def certainty_tally(sure: Sequence[Certainty | None]) -> str:
    """Return how certain how many answers are, as a sentence; nothing where none was rated."""
    words = [made.word for made in sure if made]
    each = [f"{word} for {_share(words.count(word), words)}" for word in WORDS.values() if word in words]
    return f"Certainty is {joined(each)}." if each else ""


def _share(count: int, of: Sequence[str]) -> str:
    return f"all {count}" if count == len(of) > 1 else str(count)


def _answers(said: Iterable[Said], data: Dataset, parameters: Parameters) -> Iterable[Answer]:
    known = set(data.questions["question_id"])
    for one in said:
        if isinstance(one, Answer):
            yield one
        elif isinstance(one, str) and one in known:
            yield answer(one, data, parameters)


def _sentences(said: Iterable[Said], data: Dataset) -> list[str]:
    known = set(data.questions["question_id"])
    texts = [one for one in said if isinstance(one, Prose) or (isinstance(one, str) and one not in known)]
    return [one.text if isinstance(one, Prose) else escape(one) for one in texts]


def _risks(one: Answer, treated: Proportion, parameters: Parameters, open_: Collection[str]) -> str:
    """Return both risks; of two studies side by side none, since each has its own."""
    if one.finding.side_by_side:
        return "two studies, "
    study = one.finding.studies[0]
    name = fmt.in_sentence(study.treatment.label)
    risk = f"{per_1000(treated.estimate)}{signs_of(one, 'treatment', open_)} per 1,000"
    if study.comparator is None or one.control is None:
        limits = f"{ci(parameters)} {per_1000(treated.low)} to {per_1000(treated.high)}"
        return f"{risk} with {name} ({limits}); "
    other = fmt.in_sentence(study.comparator.label)
    without = f"{per_1000(one.control.estimate)}{signs_of(one, 'comparator', open_)}"
    if all(arm.lower() in one.title.lower() for arm in (name, other)):
        return f"{risk} against {without}, "
    return f"{risk} with {name}, {without} with {other}; "


def _differences(one: Answer, parameters: Parameters) -> str:
    """Return the difference with its interval; of two studies side by side each its own, with its name."""
    names = [f" in {study.label}" if one.finding.side_by_side else "" for study in one.finding.studies]
    told = [
        told_difference(each.limits, interval=ci(parameters), unit=False)
        for each in shown_differences(one.finding)
    ]
    return " and ".join(f"{each}{name}" for each, name in zip(told, names, strict=False))


def study_in_short(data: Dataset, parameters: Parameters, *, study_id: str) -> Prose:
    """Return what a study was, and the share with its first counted outcome in every arm."""
    study = first_record(data.studies[data.studies["study_id"] == study_id])
    if not study:
        return quoted([])
    result = _first_result(data, parameters, study_id)
    if not result and study["design"] in NO_OUTCOMES:
        return Prose("")
    return quoted([escape(_who(data, study)), result or _words_alone(data, study_id) or NO_RESULT])


def _words_alone(data: Dataset, study_id: str) -> str:
    """Return what is told of a result without a rate, each sentence with its source; else nothing."""
    rows = told_in_words(data, study_id)
    told = [traced(pretty(row["paraphrase"]).rstrip("."), [str(row["row_id"])], data) for row in rows]
    return f"No rate was read; told in words: {'. '.join(told)}." if told else ""


def registered_in_short(data: Dataset) -> Prose:
    """Return how many trials have no result in the documents, by state, and which of them are finished."""
    trials = awaited(data)
    states = [str(one["state"]).partition(",")[0] for one in trials]
    each = [f"{states.count(state)} {lower_first(state)}" for state in dict.fromkeys(states)]
    have = "has" if len(trials) == 1 else "have"
    told = [f"{several(len(trials), 'trial')} {have} no results in the documents: {joined(each)}."] * bool(
        trials
    )
    first = [f"{one['label']}" for one, state in zip(trials, states, strict=True) if state == states[0]]
    told += [f"{states[0]}: {'; '.join(first)}."] if first else []
    return quoted(map(escape, told))


def series_in_short(
    data: Dataset, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Choice]
) -> Prose:
    """Return every counted result of the chosen studies in one sentence, and that nothing was compared."""
    frame = across_frame(data, parameters, outcome_ids=outcome_ids, **choice)
    rows = records(frame[frame["events"].notna() & frame["n"].notna()])
    if not rows:
        return quoted([])
    each = [f"{_share_in(row, data, parameters)} in {row['study_label']}" for row in rows]
    doubted = [DOUBT for row in rows if _in_doubt(row, data, parameters)]
    told = [traced(one, [str(row["row_id"])], data) for one, row in zip(each, rows, strict=True)]
    patients_ = sum(int(row["n"]) for row in rows)
    return quoted(
        [
            f"{escape(titled(rows[0]))}: {'; '.join(told)}.{_signs_of(rows, doubted)}",
            f"That is {several(patients_, 'patient')}, and nobody to compare them with.",
        ]
    )


def definitions_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return how many studies print criteria, and the widest gap that criteria make in the same patients."""
    rules = [rule for rule in rules_of(data, ("efficacy",)) if rule["of"] == "study"]
    studies, outcomes = ({str(rule[name]) for rule in rules} for name in ("study_id", "outcome_id"))
    printed = (
        f"Criteria are printed by {several(len(studies), 'study')}, for {several(len(outcomes), 'outcome')}."
    )
    told = [printed] if rules else []
    frame = threshold_rates(data, parameters)
    return quoted([*map(escape, told), *([_gap(frame, data, parameters)] if len(frame) else [])])


def _gap(frame: pd.DataFrame, data: Dataset, parameters: Parameters) -> str:
    """Return as Markdown what the easiest and the hardest criterion count where they differ most."""
    rows = widest_gap(frame)
    doubted = [DOUBT if _in_doubt(row, data, parameters) else "" for row in rows]
    counts = [
        f"{marked(fmt.x_of_n(row['events'], row['n']), str(row['basis']), str(row['origin']))}{doubt} "
        f"({fmt.percent(row['estimate'])})"
        for row, doubt in zip(rows, doubted, strict=True)
    ]
    told = [
        f"“{escape(str(row['rule']))}” counts {traced(count, [str(row['row_id'])], data)}"
        for row, count in zip(rows, counts, strict=True)
    ]
    where = escape(f"In the same patients ({threshold_heading(rows[0])})")
    return f"{where} {', '.join(told)}.{_signs_of(rows, doubted)}"


def statements_in_short(data: Dataset, *, kinds: Sequence[str]) -> Prose:
    """Return how many statements without a figure the documents make, and in how many of them."""
    frame = data.select("claims", kind=list(kinds), study_id="")
    wordy = frame[frame["value"].eq("") & frame["low"].eq("") & frame["high"].eq("")]
    documents = set(wordy["source_id"])
    cited = int(wordy["cites"].ne("").sum())
    count = (
        f"{several(len(wordy), 'statement')} about no single study come from "
        f"{several(len(documents), 'document')}; "
        f"{share_words(cited, len(wordy), 'given with a reference')}."
    )
    told = [
        count,
        "All say why a treatment could work, and none measures how well it does.",
    ]
    return quoted(map(escape, told)) if len(wordy) else quoted([])


def first_record(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the first row of a frame, or nothing."""
    return next(iter(records(frame.head(1))), {})


def _who(data: Dataset, study: dict[str, Any]) -> str:
    """Return design, patients and arms of a study as a sentence."""
    size = patients(data, study)
    about = ", ".join(filter(None, (str(study["indication"] or ""), words_of(study["population"]).lower())))
    known = "" if fmt.missing(size) else f", {int(size):,} patients"
    arms = [_arm(row) for row in records(separate_arms(data, str(study["study_id"])))]
    wordy = any(", " in arm or " or " in arm for arm in arms)
    treated = f": {'; '.join(arms) if wordy else joined(arms)}" if arms else ""
    return f"{design_words(study)}{f' ({about})' if about else ''}{known}{treated}."


def _arm(row: dict[str, Any]) -> str:
    size = "" if fmt.missing(row["n"]) else f" ({int(row['n'])})"
    return f"{fmt.in_sentence(str(row['label']))}{size}"


def _first_result(data: Dataset, parameters: Parameters, study_id: str) -> str:
    """Return the first outcome that was counted, at the time that most arms share, the latest of these."""
    domain = data.outcomes[data.outcomes["domain"] == "efficacy"]
    asked = [one for one in data.questions["outcome_id"] if one in set(domain["outcome_id"])]
    order = list(dict.fromkeys([*asked, *domain["outcome_id"]]))
    frame = rates(data, parameters, study_id=study_id, outcome_ids=order, subgroup="")
    frame = frame[frame["estimate"].notna() & frame["category"].eq("")]
    if frame.empty:
        return _printed_effects(data, study_id)
    chosen = min(frame["outcome_id"], key=order.index)
    times = [group for _, group in frame[frame["outcome_id"] == chosen].groupby(AT, sort=False, dropna=False)]
    shown = _without_sums(data, records(max(times, key=_arms_and_time)))
    each = [traced(_share_in(row, data, parameters), [str(row["row_id"])], data) for row in shown]
    doubted = [DOUBT for row in shown if _in_doubt(row, data, parameters)]
    return f"{escape(titled(shown[0]))}: {joined(each)}.{_signs_of(shown, doubted)}"


def _in_doubt(row: dict[str, Any], data: Dataset, parameters: Parameters) -> bool:
    """Return whether the audit doubts a result, as the tables of its study say."""
    alpha, margin = parameters.alpha, parameters.noninferiority_margin
    return str(row["row_id"]) in doubts(data, [str(row["study_id"])], alpha=alpha, margin=margin)


def _signs_of(rows: Sequence[dict[str, Any]], more: Sequence[str] = ()) -> str:
    """Return what the signs at the counts of results mean, as a sentence in brackets behind others."""
    known = [sign_of([str(row["basis"])], [str(row["origin"])]) for row in rows]
    return told_small(_legend([*known, *more]))


def _legend(signs: Sequence[str]) -> str:
    """Return what signs mean, that of a doubt last."""
    doubt = f"{DOUBT} {DOUBTED}" if any(DOUBT in one for one in signs) else ""
    return "; ".join(filter(None, (legend_of(map(mark_from, signs)), doubt)))


def _without_sums(data: Dataset, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results less those of arms that are the sum of other arms shown."""
    separate = {str(one) for one in separate_arms(data, str(rows[0]["study_id"]))["arm_id"]}
    return [row for row in rows if row["arm_id"] in separate] or rows


def _printed_effects(data: Dataset, study_id: str) -> str:
    """Return the first effect that a study prints, and how many more; nothing where there is none."""
    tests = data.select("tests", study_id=study_id)
    tests = tests[tests["effect"].ne("")]
    shown = once(tests, EFFECT)
    if shown.empty:
        return ""
    row, labels = records(shown)[0], arm_labels(data, study_id)
    arms = " against ".join(fmt.in_sentence(labels.get(one, one)) for one in str(row["arms"]).split("|"))
    outcome = outcome_labels(data).get(str(row["outcome_id"]), str(row["outcome_id"]))
    origin = str(row.get("origin", ""))
    told = f"{row['effect_label']} {marked(printed_effect(row), '', origin)} for {arms}, as printed"
    rest = len(shown) - 1
    more = f"; {rest} more effect{'s are' if rest > 1 else ' is'} printed" if rest else ""
    signs = _signs_of([{"basis": "", "origin": origin}])
    return f"{escape(outcome)}: {traced(told, [str(row['row_id'])], data)}{more}.{signs}"


def _arms_and_time(group: pd.DataFrame) -> tuple[int, float]:
    return len(group), days(group["time"].iloc[0], group["time_unit"].iloc[0])


def _share_in(row: dict[str, Any], data: Dataset, parameters: Parameters) -> str:
    doubt = DOUBT if _in_doubt(row, data, parameters) else ""
    name = fmt.in_sentence(str(row["arm_label"]))
    if fmt.missing(row["events"]) or fmt.missing(row["n"]):
        share = marked(fmt.printed_percent(str(row["percent"])), str(row["basis"]), str(row["origin"]))
        return f"{share}{doubt} with {name}, no count printed"
    limits = fmt.interval(*(fmt.number(100 * row[end], rounding()) for end in ("low", "high")))
    counted = marked(fmt.x_of_n(row["events"], row["n"]), str(row["basis"]), str(row["origin"]))
    return f"{fmt.percent(row['estimate'])} with {name} ({counted}{doubt}; {ci(parameters)} {limits})"
