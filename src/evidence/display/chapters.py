"""What the chapters say that answer no single question, in one or two computed sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evidence.data import Dataset
from evidence.display.across import effects_frame
from evidence.display.figures.flow import flow_of
from evidence.display.figures.stability import curves
from evidence.display.labels import interval_words, joined, lower_first, pretty
from evidence.display.markdown import escape
from evidence.display.marks import findings_of
from evidence.display.model import Prose
from evidence.display.short import quoted
from evidence.display.tables.audit import doubtful
from evidence.display.tables.scenarios import changed_sentences
from evidence.parameters import Parameters
from evidence.synthesis.bias import RANKS, assessments
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
    told = [
        f"In {len(methods)} of {_several(len(every), 'comparison')} the choices lead to the same counts, "
        f"and only the method of the interval varies; {_changing(methods, changing)}."
        if methods
        else "",
        f"In {len(rest)}, choices move the estimate too; {_changing(rest, changing)}." if rest else "",
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
    each = joined([f"{count} would change {what}" for what, count in causes.items()])
    made = f"{len(findings):,} checks of printed figures against each other had {wrong} findings."
    return quoted([made, f"Taken by root cause, {each}."])


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
    asked = _several(len(exploration.topics), "question")
    told = f"{choices:,} combinations of choices for {asked} can be looked at."
    return quoted([told, f"In {_several(len(moving), 'question')} what may be said depends on the choice."])


def limits_in_short(data: Dataset, parameters: Parameters) -> Prose:
    """Return what was read, and how many studies answer how many questions."""
    flow = flow_of(data, parameters)
    supplied, added = sum(flow.supplied.values()), sum(flow.added.values())
    read = (
        f"{supplied} documents were supplied and {added} added to check what they quote; no search was made."
    )
    return quoted(
        [read, f"Of {flow.studies} studies, {flow.answering} answer {_several(flow.questions, 'question')}."]
    )


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def scenarios_in_short(compared: Comparison) -> Prose:
    """Return which answers lose their direction under some scenario, and which had none to lose."""
    return quoted([escape(one) for one in changed_sentences(compared)])


def effects_in_short(data: Dataset, parameters: Parameters, *, outcome_ids: Sequence[str]) -> Prose:
    """Return how many comparisons within studies there are, and that they are not counted alike."""
    frame = effects_frame(data, parameters, measure="RD", outcome_ids=outcome_ids)
    studies = frame["study_id"].nunique()
    within = f"{studies} {'study' if studies == 1 else 'studies'}"
    said = f"{len(frame)} comparisons within {within} count these events."
    alike = "They were counted over different times and in different ways."
    return quoted([said, alike] if len(frame) else [])
