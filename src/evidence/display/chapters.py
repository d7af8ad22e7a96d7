"""What the chapters say that answer no single question, in one or two computed sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Unpack

from evidence.data import Dataset
from evidence.display.across import effects_frame
from evidence.display.counting import out_of, several
from evidence.display.figures.flow import flow_of
from evidence.display.figures.stability import curves
from evidence.display.labels import interval_words, joined, lower_first, pretty
from evidence.display.markdown import escape
from evidence.display.marks import findings_of
from evidence.display.model import Prose
from evidence.display.networks import NETWORK_RATIO, link
from evidence.display.short import certainty_tally, quoted
from evidence.display.synthesis import Asked, against_words, asked_questions
from evidence.display.tables.audit import causes_of, doubtful
from evidence.display.tables.scenarios import changed_sentences
from evidence.parameters import Parameters
from evidence.questions import Answer, answer
from evidence.results import records
from evidence.synthesis.bias import RANKS, assessments
from evidence.synthesis.certainty import certainty
from evidence.synthesis.connect import Linking
from evidence.synthesis.explorer import explore
from evidence.synthesis.scenarios import Comparison
from evidence.synthesis.specifications import Curve

LOW = "low"


def sensitivity_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return where only the method of the interval varies and where more, and which conclusions change."""
    changing = curves(data, parameters, changing=True)
    every = [*changing, *curves(data, parameters, changing=False)]
    methods = [one for one in every if one.only_intervals]
    rest = [one for one in every if not one.only_intervals]
    one = "the other" if len(rest) == 1 and methods else f"{'the other ' * bool(methods)}{len(rest)}"
    told = [
        f"In {out_of(len(methods), len(every), 'comparison')} the choices lead to the same counts, "
        f"and only the method of the interval varies; {_changing(methods, changing)}."
        if methods
        else "",
        f"In {one}, choices move the estimate too; {_changing(rest, changing)}." if rest else "",
        f"All intervals are {interval_words(parameters)}s: the level is not among the choices.",
    ]
    return quoted(list(filter(None, told)) if every else [])


def _changing(some: Sequence[Curve], changing: Sequence[Curve]) -> str:
    """Return what the choices do to the conclusions of some questions."""
    named = [lower_first(pretty(one.title)) for one in some if one in changing]
    if not named:
        return "no conclusion changes"
    return f"the conclusion of {len(named)} changes: {escape(joined(named))}"


def audit_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return how many checks found figures that do not fit, and how many causes of these change something."""
    findings = findings_of(data, parameters)
    wrong = int(findings["verdict"].isin(["inconsistent", "rounding"]).sum())
    causes = {
        "a conclusion": int(doubtful(findings, "conclusion")["leads"].sum()),
        "only a number": int(doubtful(findings, "number")["leads"].sum()),
    }
    left = causes_of(findings) - sum(causes.values())
    causes["neither"] = left
    told = [f"{count} would change {what}" for what, count in causes.items() if count]
    each = joined(told)
    made = f"{several(len(findings), 'check')} of printed figures against each other had "
    came = f"{several(wrong, 'finding')} with {several(causes_of(findings), 'cause')}: {each}."
    return quoted([f"{made}{came}" if wrong else f"{made}no finding."])


def bias_in_short(data: Dataset) -> Prose:
    """Return how the results that were judged came out overall, from best to worst."""
    made = [one.overall for one in assessments(data)]
    if not made:
        return quoted([])
    times = Counter(made)
    order = sorted(times, key=lambda word: RANKS.get(word, len(RANKS)))
    each = joined([f"{word} in {times[word]}" for word in order])
    told = [f"Of {len(made)} results judged, the risk of bias overall is {each}."]
    return quoted([*told, *([] if LOW in times else ["None is at low risk."])])


def explorer_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return how many choices can be made, and how many of the questions compared can go either way."""
    exploration = explore(data, parameters)
    if not exploration.topics:
        return quoted([])
    choices = sum(sum(place >= 0 for place in topic.places) for topic in exploration.topics)
    moving = [one for one in exploration.topics if len({view.verdict.direction for view in one.views}) > 1]
    joint = sum(len(one.subject.questions) > 1 for one in exploration.topics)
    asked = several(len(exploration.topics) - joint, "question")
    asked += f", and for {several(joint, 'set')} of questions taken together," if joint else ""
    told = f"{choices:,} combinations of choices for {asked} can be looked at."
    moved = [sum((len(one.subject.questions) > 1) == many for one in moving) for many in (False, True)]
    if len(exploration.topics) == 1:
        return quoted([told, f"What may be said {'depends' if moving else 'does not depend'} on the choice."])
    nouns = zip(moved, ("question", "set"), strict=True)
    which = " and ".join(several(count, noun) for count, noun in nouns if count) or "none of them"
    return quoted([told, f"For {which} what may be said depends on the choice."])


def limits_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return what was read, and how many studies answer how many questions."""
    flow = flow_of(data, parameters)
    supplied, added = sum(flow.supplied.values()), sum(flow.added.values())
    read = (
        f"{supplied} documents were supplied and {added} added to check what they quote; no search was made."
    )
    answering = f"{flow.answering} answer{'s' * (flow.answering == 1)} {several(flow.questions, 'question')}"
    return quoted([read, f"Of {several(flow.studies, 'study')}, {answering}."])


def scenarios_in_short(compared: Comparison) -> Prose:
    """Return which answers lose their direction under some scenario, and which had none to lose."""
    return quoted([escape(one) for one in changed_sentences(compared)])


def effects_in_short(data: Dataset, parameters: Parameters, *, outcome_ids: Sequence[str]) -> Prose:
    """Return how often events were compared within studies, and that they are not counted alike."""
    frame = effects_frame(data, parameters, measure="RD", outcome_ids=outcome_ids)
    events, studies = frame["outcome_id"].nunique(), several(frame["study_id"].nunique(), "study")
    times = "once" if len(frame) == 1 else f"{len(frame)} times"
    said = f"{several(events, 'event')} {'was' if events == 1 else 'were'} compared {times} within {studies}."
    alike = "They were counted over different times and in different ways."
    return quoted([said, alike if len(frame) > 1 else ""] if len(frame) else [])


def beside_in_short(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Prose:
    """Return what was compared with what in how many studies, that nothing is pooled, and how sure it is.

    The results themselves are told by the chapters on the studies.
    """
    ids = [str(row["question_id"]) for row in asked_questions(data, **asked)]
    found = [one for one in (answer(name, data, parameters) for name in ids) if one.difference is not None]
    pairs: dict[str, list[Answer]] = {}
    for one in found:
        arms = [(study.treatment.label, study.comparator.label) for study in one.finding.studies
                if study.comparator]  # fmt: skip
        about = against_words([arm for arm, _ in arms], [arm for _, arm in arms])
        pairs.setdefault(about, []).append(one)
    told = [_beside(about, some) for about, some in pairs.items()]
    sure = [certainty(one, data, parameters) for one in found]
    return quoted(map(escape, [*told, _pooling(found), certainty_tally(sure)] if found else []))


def _beside(about: str, some: Sequence[Answer]) -> str:
    families = {study.family for one in some for study in one.finding.studies}
    return f"{about}: {several(len(some), 'result')} of {several(len(families), 'study')}."


def _pooling(found: Sequence[Answer]) -> str:
    """Return how many results are of several studies taken together, in words."""
    pooled = sum(len(one.finding.studies) > 1 and not one.finding.side_by_side for one in found)
    if not pooled:
        return "Nothing is pooled."
    return f"{out_of(pooled, len(found), 'result').capitalize()} {'is' if pooled == 1 else 'are'} pooled."


def network_in_short(
    data: Dataset,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Prose:
    """Return what a network says of the treatments that no trial compared; it is no ranking."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    if len(linked.others) < 2:
        return quoted([])
    effects = records(linked.result(NETWORK_RATIO).effects())
    order = {name: place for place, name in enumerate(linked.others)}
    indirect = [
        (row["low"], row["high"])
        for row in effects
        if not row["direct"]
        and row["treatment1"] in order
        and row["treatment0"] in order
        and order[row["treatment1"]] < order[row["treatment0"]]
    ]
    pairs = math.comb(len(order), 2)
    tested = f"{linked.outcome}: {indirect_words(indirect, pairs)}" if indirect else ""
    return quoted(map(escape, [tested, "The chapter gives no ranking."] if tested else []))


def indirect_words(intervals: Sequence[tuple[float, float]], pairs: int) -> str:
    """Return what the intervals of ratios say of those among all pairs that no trial compared.

    >>> indirect_words([(0.2, 5.0)], 3)
    'of 3 pairs of treatments or doses 1 was compared in no trial; compared indirectly, none differs clearly.'
    >>> indirect_words([(2.0, 5.0)], 1)
    'the one pair of treatments was compared in no trial; compared indirectly, it differs clearly.'
    """
    apart = sum(low > 1 or high < 1 for low, high in intervals)
    if pairs == 1:
        told = f"compared indirectly, it {'differs' if apart else 'does not differ'} clearly"
        return f"the one pair of treatments was compared in no trial; {told}."
    were = "was" if len(intervals) == 1 else "were"
    told = f"compared indirectly, {apart or 'none'} {'differ' if apart > 1 else 'differs'} clearly"
    return f"of {pairs} pairs of treatments or doses {len(intervals)} {were} compared in no trial; {told}."
