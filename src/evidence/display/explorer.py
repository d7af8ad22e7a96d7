"""The explorer: a page part in which a reader changes the choices and sees what becomes of the answer.

Every number and every sentence is made here and stored as text; the script in the page only picks and draws.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.figures.draw import Scale, effect_scale, percent_scale
from evidence.display.figures.forest import (
    effect_words,
    forest_figure,
    heterogeneity_words,
    method_words,
    sides,
    signs_legend,
)
from evidence.display.figures.treatments import Treatments, treatments
from evidence.display.labels import MEASURES, lower_first, pretty
from evidence.display.model import Figure, Prose
from evidence.display.synthesis import window_words
from evidence.parameters import IntervalMethod, MissingData, Parameters, PoolingMethod
from evidence.questions import Estimate, Finding, Study
from evidence.stats import Proportion
from evidence.synthesis.explorer import Exploration, Group, Own, Topic, View, explore, summary_of
from evidence.synthesis.forest import (
    NO_POOL,
    ONE_STUDY,
    SHARED,
    SIDE_BY_SIDE,
    Forest,
    ForestGroup,
    ForestStudy,
    Summary,
)
from evidence.wording import Allocation, difference_text, per_1000, size_text

POLICIES: dict[MissingData, str] = {
    "observed": "Left out",
    "failure": "Failures",
    "success": "Successes",
}
ESTIMATORS: dict[PoolingMethod, str] = {
    "REML": "Restricted maximum likelihood (REML)",
    "DL": "DerSimonian and Laird (DL)",
    "PM": "Paule and Mandel (PM)",
    "ML": "Maximum likelihood (ML)",
    "EB": "Empirical Bayes (EB)",
    "SJ": "Sidik and Jonkman (SJ)",
    "HE": "Hedges (HE)",
    "FE": "None: a common effect (FE)",
}
INTERVALS: dict[IntervalMethod, str] = {
    "HKSJ-adhoc": "Hartung-Knapp-Sidik-Jonkman, never narrowed",
    "HKSJ": "Hartung-Knapp-Sidik-Jonkman",
    "Wald": "Wald",
}
TITLES: dict[Allocation, str] = {
    "randomised": "Randomised",
    "not stated": "Randomisation not stated",
    "not randomised": "Not randomised",
}
DIGITS = 5  # of positions on an axis; what is read is text
FARTHEST = 1e9  # stands for infinity, which JSON lacks
RESOURCES = "resources"
UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&`\u2028\u2029"}


def explorer_page(data: Dataset, parameters: Parameters) -> Prose:
    """Return the explorer as a raw HTML block: controls, all precomputed analyses, style and script.

    Paper leaves the block out. The text from the data is stored as JSON in which nothing can end the script
    element, and reaches the page as text alone.
    """
    exploration = explore(data, parameters)
    if not exploration.topics:
        return Prose("No study answers a question, so there is nothing to explore.")
    page = _filled(_resource("explorer.html"), exploration, parameters, treatments(data))
    return Prose(f"`````{{=html}}\n{page}\n`````")


def explorer_figure(data: Dataset, parameters: Parameters) -> Figure:
    """Draw the forest plot of the view that the explorer opens with."""
    exploration = explore(data, parameters)
    start = default_topic(exploration) if exploration.topics else None
    asked = [str(one["question_id"]) for one in start.subject.questions] if start else []
    return forest_figure(data, parameters, question_id=asked)


def default_topic(exploration: Exploration) -> Topic:
    """Return the topic that the explorer opens with: the first that compares, in the order of the report."""
    return max(exploration.topics, key=lambda one: one.subject.compared)


def _resource(name: str) -> str:
    return (files("evidence.display") / RESOURCES / name).read_text(encoding="utf-8")


def _filled(page: str, exploration: Exploration, parameters: Parameters, styles: Treatments) -> str:
    start = default_topic(exploration)
    options, models = exploration.options, exploration.options.models
    own = (f"{parameters.confidence_level:g}", parameters.missing_data)
    parts = {
        "style": _resource("explorer.css"),
        "questions": _questions(exploration, start),
        "levels": _radios("level", [(f"{one:g}", fmt.level(one)) for one in options.levels], own[0]),
        "missing": _radios("missing", [(one, POLICIES[one]) for one in options.policies], own[1]),
        "pooling": _choices(
            [(one, ESTIMATORS[one]) for one in dict.fromkeys(one for one, _ in models)],
            parameters.pooling_method,
        ),
        "interval": _choices(
            [(one, INTERVALS[one]) for one in dict.fromkeys(ci for _, ci in models)],
            parameters.interval_method,
        ),
        "colors": html.escape(json_text(_colors(exploration, styles))),
        "data": json_text(payload(exploration)),
        "script": _resource("explorer.js"),
    }
    for name, text in parts.items():
        page = page.replace(f"{{{{{name}}}}}", text.strip("\n"))
    return page.strip("\n")


def _colors(exploration: Exploration, styles: Treatments) -> dict[str, str]:
    """Return the colour of each treatment, as in all figures, by the words above its risk."""
    arms = [
        arm
        for topic in exploration.topics
        for one in topic.studies
        for arm in (one.treatment, one.comparator)
    ]
    labels = sorted({arm.label for arm in arms if arm})
    return {pretty(_with(label)): styles.label(label).color for label in labels}


def _with(label: str) -> str:
    return f"With {label}"


def _questions(exploration: Exploration, start: Topic) -> str:
    """Return the options of the questions, those taken together in a group of their own."""
    groups = {
        "Treatments of the same question together": [
            one for one in exploration.topics if len(one.subject.questions) > 1
        ],
        "One treatment": [one for one in exploration.topics if len(one.subject.questions) == 1],
    }
    made = []
    for name, topics in groups.items():
        options = _choices(
            [(one.subject.topic_id, topic_title(one)) for one in topics], start.subject.topic_id
        )
        made += [f'<optgroup label="{html.escape(name)}">{options}</optgroup>'] if topics else []
    return "".join(made)


def _choices(options: Sequence[tuple[str, str]], chosen: str) -> str:
    return "".join(
        f'<option value="{html.escape(value)}"{" selected" if value == chosen else ""}>'
        f"{html.escape(label)}</option>"
        for value, label in options
    )


def _radios(name: str, options: Sequence[tuple[str, str]], chosen: str) -> str:
    return "".join(
        f'<label><input type="radio" name="explorer-{name}" value="{html.escape(value)}"'
        f"{' checked' if value == chosen else ''}><span>{html.escape(label)}</span></label>"
        for value, label in options
    )


def topic_title(topic: Topic) -> str:
    """Return the title of a topic: that of its question, or what its questions have in common."""
    questions = topic.subject.questions
    if len(questions) == 1:
        return pretty(questions[0]["title"])
    about = min((str(one["title"]).partition(":")[0] for one in questions), key=len)
    window = window_words(questions[0])
    arms = " or ".join(dict.fromkeys(study.treatment.label for study in topic.studies))
    against = " or ".join(dict.fromkeys(one.comparator.label for one in topic.studies if one.comparator))
    outcome = lower_first(topic.subject.outcome) + (f", {window}" if window else "")
    return pretty(f"{about}: {outcome}; {arms} against {against}")


def json_text(values: Any) -> str:
    r"""Return values as JSON that is harmless inside a script element and a fenced block.

    >>> print(json_text(["</script>"]))
    ["\u003c/script\u003e"]
    """
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(UNSAFE)


@dataclass(slots=True)
class _Texts:
    """The texts of the page, each stored once and named by its place."""

    places: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


def payload(exploration: Exploration) -> dict[str, Any]:
    """Return everything that the script picks from, as plain values; the order of lists is its key.

    Texts are stored once, in ``texts``, and named by their place. See ``explorer.js`` for who reads what.
    """
    texts = _Texts()
    options = exploration.options
    topics = [_topic(one, exploration, texts) for one in exploration.topics]
    return {
        "levels": [f"{one:g}" for one in options.levels],
        "missing": list(options.policies),
        "pooling": list(dict.fromkeys(one for one, _ in options.models)),
        "interval": list(dict.fromkeys(ci for _, ci in options.models)),
        "topics": topics,
        "texts": list(texts.places),
    }


def _topic(topic: Topic, exploration: Exploration, texts: _Texts) -> dict[str, Any]:
    shell = _shell(topic, exploration)
    scale = _scale(topic, shell)
    left, right = sides(shell) if topic.subject.compared else ("", "")
    return {
        "id": topic.subject.topic_id,
        "title": topic_title(topic),
        "keys": _keys(topic.studies),
        "names": [pretty(name) for name in topic.names],
        "sections": _sections(topic),
        "head": _measure(shell),
        "compared": topic.subject.compared,
        "scale": {
            "low": scale.low, "high": scale.high, "log": scale.log, "ticks": list(scale.ticks),
            "labels": list(scale.labels), "label": scale.label, "reference": scale.reference,
            "left": left, "right": right,
        },
        "own": [[_own(one, shell, texts) for one in some] for some in topic.own.values()],
        "sets": [list(some) for some in topic.sets],
        "setNames": [pretty(name) for name in topic.set_names],
        "places": list(topic.places),
        "views": [_view(one, shell, texts) for one in topic.views],
        "signs": signs_legend([shell]),
    }  # fmt: skip


def _shell(topic: Topic, exploration: Exploration) -> Forest:
    """Return the topic as a forest without any summary, which says how its numbers are written."""
    nan = math.nan
    measure = exploration.measure if topic.subject.compared else "proportion"
    studies = topic.studies
    rows = tuple(ForestStudy(study, study.label, nan, nan, nan, nan) for study in studies)
    treatment = " or ".join(dict.fromkeys(study.treatment.label for study in studies))
    comparator = " or ".join(dict.fromkeys(one.comparator.label for one in studies if one.comparator))
    groups = (ForestGroup("", rows, None, ""),)
    subject = topic.subject
    return Forest(
        measure, 0.0, subject.outcome, subject.better, treatment, comparator, groups, None, "", None, ()
    )


def _measure(shell: Forest) -> str:
    return MEASURES.get(shell.measure, "Proportion")


def _keys(studies: Sequence[Study]) -> list[str]:
    """Return a short name for each row that a link can hold: the study's id, with a number if repeated."""
    ids = [study.study_id for study in studies]
    return [
        one if ids.count(one) == 1 else f"{one}.{ids[:place].count(one) + 1}" for place, one in enumerate(ids)
    ]


def _sections(topic: Topic) -> list[list[Any]]:
    """Return the headings of the rows with their places: by allocation where there is a comparison."""
    if not topic.subject.compared:
        return [["", list(range(len(topic.names)))]]
    found: dict[str, list[int]] = {}
    for place, study in enumerate(topic.studies):
        found.setdefault(TITLES[study.allocation], []).append(place)
    return [[title, places] for title, places in found.items()]


def _scale(topic: Topic, shell: Forest) -> Scale:
    """Return one axis for all views of a topic, so that nothing but the choice moves what is drawn."""
    values = [end for some in topic.own.values() for one in some if one for end in _three(one)]
    for view in topic.views:
        for group in view.groups:
            one = summary_of(group)
            values += _three(one) if one and not one.secondary else []
    if shell.measure == "proportion":
        return percent_scale(max([0.0, *(one for one in values if not math.isnan(one))]), "Proportion")
    return effect_scale(shell.measure, values, f"{_measure(shell)}, logarithmic axis")


def _three(one: Own | Summary | Estimate) -> list[float]:
    return [one.estimate, one.low, one.high]


def _places(values: Sequence[float]) -> list[float] | None:
    """Return estimate and limits as they are drawn; None where there is nothing to draw."""
    if any(map(math.isnan, values)):
        return None
    return [float(f"{min(max(one, -FARTHEST), FARTHEST):.{DIGITS}g}") for one in values]


def _own(one: Own | None, shell: Forest, texts: _Texts) -> list[Any] | None:
    if one is None:
        return None
    arms = [one.study.treatment, one.study.comparator]
    counts = [texts(f"{fmt.count(arm.events, arm.n)}{arm.sign}" if arm else "") for arm in arms]
    return [_places(_three(one)), texts(effect_words(shell, *_three(one))), *counts]


def _view(view: View, shell: Forest, texts: _Texts) -> list[Any]:
    """Return a view: the parts of its sentence, notes, legend, groups, cards, level."""
    summaries = [summary_of(group) for group in view.groups]
    groups = [_group(group, one, shell, texts) for group, one in zip(view.groups, summaries, strict=True)]
    cards = [
        card
        for place, group in enumerate(view.groups)
        for found in group.findings
        for card in _cards(found, texts, apart=place > 0)
    ]
    notes = [texts(one) for one in view.notes]
    legend = texts(_legend(view, summaries))
    said = [texts(part) for part in (view.told, view.said, view.apart)]
    return [said, notes, legend, groups, cards, texts(fmt.level(view.level))]


def _group(group: Group, one: Summary | None, shell: Forest, texts: _Texts) -> list[Any]:
    """Return a group: places of its rows, their weights, its summary, and why there is none."""
    weights: Sequence[float] = ()
    if one and group.findings[0].pooled:
        weights = group.findings[0].pooled.weights
    shown = [f"{fmt.number(weight, 1)}%" if weight else "–" for weight in weights]
    return [
        list(group.places), [texts(text) for text in shown],
        _summary_values(one, shell, texts) if one else None, texts(_reason(group, one)),
    ]  # fmt: skip


def _reason(group: Group, one: Summary | None) -> str:
    if one is not None:
        return SIDE_BY_SIDE if one.secondary else ""
    if group.shared:
        return SHARED
    return ONE_STUDY if len(group.places) == 1 else NO_POOL


def _summary_values(one: Summary, shell: Forest, texts: _Texts) -> list[Any]:
    bars = [("Prediction interval", one.pi_low, one.pi_high)]
    if one.secondary:
        bars.insert(0, ("The same by Wald’s method", one.wald_low, one.wald_high))
    shown = [
        [texts(label), _places([low, high]), texts(_limits(shell, low, high))]
        for label, low, high in bars
        if not math.isnan(low)
    ]
    counts = [texts(fmt.count(e, n) if n else "") for e, n in zip(one.events, one.patients, strict=True)]
    told = "" if one.measure == "proportion" else heterogeneity_words(one)
    effect = effect_words(shell, *_three(one))
    return [
        texts(one.label),
        _places(_three(one)),
        texts(effect),
        int(one.secondary),
        shown,
        texts(told),
        *counts,
    ]


def _limits(shell: Forest, low: float, high: float) -> str:
    if shell.measure == "proportion":
        return f"{fmt.number(low * 100, 1)} to {fmt.number(high * 100, 1)}%"
    return fmt.interval(fmt.ratio_number(low), fmt.ratio_number(high))


def _cards(found: Finding, texts: _Texts, *, apart: bool) -> list[list[Any]]:
    """Return the results per 1,000 and the relative effect: one card, or one per study side by side."""
    sub = TITLES[found.allocation] + (", shown apart" if apart else "") if found.control else "No comparison"
    if found.side_by_side and found.pooled:
        effects = found.pooled.effects
        return [
            _card(_heading([study]), sub, _measured(study), each, effect, texts)
            for study, each, effect in zip(found.studies, found.each, effects, strict=True)
        ]
    figures = _Figures(found.treatment, found.control, *_labels(found.studies))
    return [_card(_heading(found.studies), sub, figures, found.difference, found.effect, texts)]


@dataclass(frozen=True, slots=True)
class _Figures:
    """The risks on both sides, and what the sides are called."""

    treatment: Proportion | None
    control: Proportion | None
    label: str
    against: str


def _measured(study: Study) -> _Figures:
    """Return one study's risks without limits: of two side by side only the differences have them."""
    nan = math.nan
    risks = [
        Proportion(arm.events / arm.n, nan, nan, arm.events, arm.n, nan, "") if arm else None
        for arm in (study.treatment, study.comparator)
    ]
    return _Figures(risks[0], risks[1], *_labels([study]))


def _labels(studies: Sequence[Study]) -> tuple[str, str]:
    arms = dict.fromkeys(study.treatment.label for study in studies)
    against = dict.fromkeys(study.comparator.label for study in studies if study.comparator)
    return " or ".join(arms), " or ".join(against)


def _heading(studies: Sequence[Study]) -> str:
    return pretty(studies[0].name) if len(studies) == 1 else f"{len(studies)} studies"


def _card(
    heading: str, sub: str, figures: _Figures, difference: Estimate | None, effect: Any, texts: _Texts
) -> list[Any]:
    parts: list[tuple[str, str, str, list[float] | None]] = [
        (_with(figures.label), *_risk(figures.treatment)),
    ]
    if figures.control:
        parts += [
            (_with(figures.against), *_risk(figures.control)),
            ("Difference", *_difference(difference), None),
            (MEASURES.get(getattr(effect, "measure", ""), "Relative effect"), *_ratio(effect), None),
        ]
    return [
        texts(heading), texts(sub),
        [[texts(pretty(name)), texts(main), texts(limits), bar] for name, main, limits, bar in parts],
    ]  # fmt: skip


def _risk(risk: Proportion | None) -> tuple[str, str, list[float] | None]:
    if risk is None:
        return "", "", None
    main = str(per_1000(risk.estimate))
    if math.isnan(risk.low):
        return main, "", _places([risk.estimate] * 3)
    limits = fmt.interval(str(per_1000(risk.low)), str(per_1000(risk.high)))
    return main, limits, _places([risk.estimate, risk.low, risk.high])


def _difference(one: Estimate | None) -> tuple[str, str]:
    if one is None:
        return fmt.NOT_ESTIMABLE, ""
    return size_text(one.estimate), difference_text(one.low, one.high)


def _ratio(one: Any) -> tuple[str, str]:
    if one is None:
        return fmt.NOT_ESTIMABLE, ""
    return fmt.ratio_number(one.estimate), fmt.interval(fmt.ratio_number(one.low), fmt.ratio_number(one.high))


def _legend(view: View, summaries: Sequence[Summary | None]) -> str:
    """Return the sentences that say how the plot is read."""
    known = [one for one in summaries if one]
    methods = dict.fromkeys(one.method for one in known)
    bars = any(not math.isnan(one.pi_low) or one.secondary for one in known)
    weighted = any(one.measure != "proportion" for one in known)
    parts = [
        f"Squares: {'one study each, area by weight' if weighted else 'one study each'}; "
        f"lines: {fmt.level(view.level)} confidence intervals.",
        *(f"Taken together by {method_words(method)}." for method in methods),
        "Filled diamond: pooled." if any(not one.secondary for one in known) else "",
        "Open diamond: secondary, not an answer." if any(one.secondary for one in known) else "",
        "Thick bars: as named." if bars else "",
    ]
    return " ".join(filter(None, parts))
