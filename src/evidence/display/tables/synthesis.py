"""Syntheses in tables and sentences: studies beside each other, their pool, what would change it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.audit.reported import Reported
from evidence.data import Dataset
from evidence.display.answers import DIRECTIONS
from evidence.display.counting import several
from evidence.display.labels import ci, corrected, joined, lower_first, pretty, sourced
from evidence.display.markdown import escape
from evidence.display.model import SIGNS, Cell, Column, Prose, Table, mark_from
from evidence.display.synthesis import Asked, Section, asked_questions, reason_words, synthesise
from evidence.display.tables.answered import rows_of, split_title
from evidence.display.tables.doubts import doubt_words
from evidence.display.tables.parts import build, grouped, nothing
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import Arm, Finding, Study, answer
from evidence.results import records
from evidence.stats import Effect, compare
from evidence.stats.compare import Measure
from evidence.synthesis.forest import Forest, ForestStudy, Grouping, Summary
from evidence.synthesis.specifications import Curve, specifications
from evidence.wording import ALLOCATED, per_1000, told_difference

ENDS: dict[str, Callable[..., float | None]] = {"lowest": min, "highest": max}
NO_QUESTION = "The data hold no comparison to synthesise here."
WORDS: dict[str, str] = {
    "more": "more patients with treatment",
    "fewer": "fewer patients with treatment",
    "small": "only a small difference either way",
    "uncertain": "the direction is uncertain",
    "described": "no comparison",
    "nothing": "no data",
}


def forest_table(
    data: Dataset,
    parameters: Parameters,
    *,
    by: Grouping = "allocation",
    measure: EffectMeasure | None = None,
    together: bool = False,
    **asked: Unpack[Asked],
) -> Table:
    """Return the numbers of a forest plot: every study with its counts and effect, and what is pooled."""
    synthesis = synthesise(data, parameters, by=by, measure=measure, together=together, **asked)
    lines = [line for section in synthesis.sections for line in _section_lines(section, data)]
    columns = (
        Column("Study", width=2.4),
        Column("With treatment", "right", 1.1),
        Column("With comparator", "right", 1.1),
        Column(f"Effect ({ci(parameters)})", "right", 1.8),
        Column("Weight", "right", 0.8),
    )
    groups, last = [], ""
    for place, (heading, _) in enumerate(lines):
        groups += [(place, heading)] if heading != last else []
        last = heading
    return build(
        data, columns, [cells for _, cells in lines], caption=synthesis.caption,
        note=reason_words(synthesis.sections),
        frame=synthesis.frame(), groups=groups,
    )  # fmt: skip


def _section_lines(section: Section, data: Dataset) -> list[tuple[str, tuple[Cell, ...]]]:
    made = []
    for group in section.forest.groups:
        heading = ": ".join(filter(None, (section.title, pretty(group.label))))
        made += [(heading, _study_cells(row, section.forest)) for row in group.rows]
        made += [(heading, _summary_cells(group.summary, section.forest))] if group.summary else []
    total = section.forest.total
    return [*made, *([(section.title, _summary_cells(total, section.forest))] if total else [])]


def _study_cells(row: ForestStudy, forest: Forest) -> tuple[Cell, ...]:
    effect = fmt.effect(forest.measure, row.estimate, row.low, row.high)
    arms = (row.study.treatment, row.study.comparator)
    rows = tuple(one for arm in arms if arm for one in arm.rows.split("|"))
    shown = Cell(effect, rows, corrected({"correction": row.correction}))
    return (Cell(pretty(row.label)), *(_counts(arm) for arm in arms), shown, Cell(_weight_words(row)))


def _weight_words(row: ForestStudy) -> str:
    """Return a study's weight; nothing where nothing is pooled, a dash where it has no estimate to weigh."""
    if math.isnan(row.weight):
        return ""
    return "–" if math.isnan(row.estimate) else f"{fmt.number(row.weight, 1)}%"


def _counts(arm: Arm | None) -> Cell:
    if arm is None:
        return Cell("")
    return sourced(fmt.count(arm.events, arm.n), arm.rows, mark=mark_from(arm.sign))


def _summary_cells(one: Summary, forest: Forest) -> tuple[Cell, ...]:
    counts = [Cell(fmt.count(e, n)) for e, n in zip(one.events, one.patients, strict=True)]
    effect = fmt.effect(forest.measure, one.estimate, one.low, one.high)
    return (Cell(one.label), *counts, Cell(effect), Cell("100%"))


def absolute_table(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Table:
    """Return, per question and design, both risks and their difference per 1,000, and where they come from.

    Randomised and other studies have a line each; two studies side by side have one each as well.
    """
    body, rows = [], []
    for question in asked_questions(data, **asked):
        found = answer(str(question["question_id"]), data, parameters)
        for finding in (found.finding, *found.apart):
            for cells, values in _absolute_lines(finding):
                body.append((Cell(split_title(found.title)[1]), *cells))
                rows.append({"question_id": found.question_id, "title": found.title} | values)
    columns = (
        Column("Question", width=3.0),
        Column("Studies", width=2.0),
        Column("With treatment, per 1,000", width=1.5),
        Column("With comparator, per 1,000", width=1.5),
        Column(f"Difference per 1,000 ({ci(parameters)})", width=2.0),
    )
    caption = "Absolute effects by question and design, per 1,000 patients."
    caption = f"{caption} {_reach(rows)}".strip()
    note = POOLED_RISKS if any(row["pooled"] for row in rows) else ""
    doubts = doubt_words(data, {row_id for line in body for cell in line for row_id in cell.rows})
    note = f"{note} {doubts}".strip()
    groups = _by_whom(row["title"] for row in rows)
    return build(data, columns, body, caption=caption, note=note, frame=pd.DataFrame(rows), groups=groups)


def _by_whom(titles: Iterable[str]) -> list[tuple[int, str]]:
    """Return a heading above the lines of the same patients, where the titles name them."""
    return [group for group in grouped([split_title(title)[0] for title in titles]) if group[1]]


POOLED_RISKS = (
    "One study: its own risks. Several: the comparator’s risk in the median study and what the pooled ratio "
    "makes of it, with the uncertainty of both."
)


def _reach(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how many differences there are, and of how many the direction is open, as a sentence.

    >>> _reach([{"low": -0.1, "high": 0.2}, {"low": 0.1, "high": 0.2}])
    '2 differences; in 1 the interval reaches from fewer to more.'
    """
    if not rows:
        return ""
    open_ = sum(row["low"] < 0 < row["high"] for row in rows)
    if len(rows) == 1:
        return f"One difference{'; its interval reaches from fewer to more' if open_ else ''}."
    return f"{len(rows)} differences; in {open_ or 'none'} the interval reaches from fewer to more."


def _absolute_lines(finding: Finding) -> Iterable[tuple[tuple[Cell, ...], dict[str, Any]]]:
    if finding.treatment is None or finding.control is None or finding.difference is None:
        return
    if finding.side_by_side:
        for study, each in zip(finding.studies, finding.each, strict=True):
            none = study.comparator
            risks = [
                _risk_cell(arm.events / arm.n, arm.rows, arm.sign) for arm in (study.treatment, none) if arm
            ]
            shares = [arm.events / arm.n for arm in (study.treatment, none) if arm]
            yield _line(study.label, finding, risks, shares, (each.estimate, each.low, each.high))
        return
    signs = [arm.sign for study in finding.studies for arm in (study.treatment, study.comparator) if arm]
    row_ids = [
        "|".join(study.treatment.rows for study in finding.studies),
        "|".join(study.comparator.rows for study in finding.studies if study.comparator),
    ]
    sign = "".join(sign for sign in SIGNS.values() if any(sign in one for one in signs))
    risks = [
        _risk_cell(risk.estimate, rows, sign)
        for risk, rows in zip((finding.treatment, finding.control), row_ids, strict=True)
    ]
    one, shares = finding.difference, [finding.treatment.estimate, finding.control.estimate]
    names = "; ".join(study.label for study in finding.studies)
    yield _line(names, finding, risks, shares, (one.estimate, one.low, one.high))


def _risk_cell(risk: float, rows: str, sign: str) -> Cell:
    return sourced(str(per_1000(risk)), rows, mark=mark_from(sign))


def _line(
    studies: str,
    finding: Finding,
    risks: Sequence[Cell],
    shares: Sequence[float],
    difference: tuple[float, float, float],
) -> tuple[tuple[Cell, ...], dict[str, Any]]:
    allocation = ALLOCATED[finding.allocation]
    estimate, low, high = difference
    shown = told_difference(difference, unit=False)
    values = {
        "studies": studies,
        "pooled": len(finding.studies) > 1 and not finding.side_by_side,
        "allocation": finding.allocation,
        **dict(zip(("treatment_risk", "comparator_risk"), shares, strict=True)),
        "difference": estimate,
        "low": low,
        "high": high,
        "control_risk": finding.control_source,
    }
    return (Cell(f"{studies} ({allocation})"), *risks, Cell(shown)), values


def specification_table(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Table:
    """Return, per question, how many analyses there are and in how many the conclusion is the same."""
    curves = _curves(data, parameters, **asked)
    if not curves:
        return nothing(NO_QUESTION)
    columns = (
        Column("Question", width=3.0),
        Column("Conclusion", width=1.4),
        Column("Analyses with it", "right", 1.1),
        Column("Estimates per 1,000, lowest to highest", width=1.5),
        Column("Limits per 1,000, lowest to highest", width=1.5),
        Column("Choices that leave no study", width=1.6),
    )
    caption = "What would change the answer: analyses of each question and how many keep its conclusion."
    note = (
        "Each analysis is one combination of choices; combinations that lead to the same numbers count once. "
        "Methods: all analyses are of the same counts and differ only in how the interval is made. "
        f"All intervals: {fmt.level(parameters.confidence_level)}. "
        "“Uncertain” means that the interval includes both more and fewer patients."
    )
    frame = pd.DataFrame([_curve_values(curve) for curve in curves])
    frame["confidence_level"] = parameters.confidence_level
    lines, groups = [_curve_cells(one) for one in curves], _by_whom(curve.title for curve in curves)
    return build(data, columns, lines, caption=caption, note=note, frame=frame, groups=groups)


def _curves(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> list[Curve]:
    chosen = [question for question in asked_questions(data, **asked) if question["comparator"]]
    return [specifications(str(question["question_id"]), data, parameters) for question in chosen]


def _curve_cells(curve: Curve) -> tuple[Cell, ...]:
    made, values = curve.specifications, _curve_values(curve)
    return (
        Cell(split_title(curve.title)[1]),
        Cell(DIRECTIONS[curve.answer.verdict.direction]),
        Cell(f"{curve.same} of {analyses_words(curve)}" if made else "–"),
        Cell(_span(values["estimate_lowest"], values["estimate_highest"]), rows_of(curve.answer)),
        Cell(_span(values["limit_lowest"], values["limit_highest"]), rows_of(curve.answer)),
        Cell("; ".join(lower_first(one) for one in curve.impossible) or "–"),
    )


def analyses_words(curve: Curve) -> str:
    """Return how many analyses there are; methods where they differ in how the interval is made alone."""
    return f"{len(curve.specifications)} {'methods' if curve.only_intervals else 'analyses'}"


def _span(lowest: float | None, highest: float | None) -> str:
    if lowest is None or highest is None:
        return "–"
    low, high = (fmt.signed(per_1000(end), 0) for end in (lowest, highest))
    return low if low == high else fmt.interval(low, high)


def _curve_values(curve: Curve) -> dict[str, Any]:
    estimates = [one.estimate for one in curve.specifications]
    limits = [end for one in curve.specifications for end in (one.low, one.high)]
    return {
        "question_id": curve.question_id,
        "title": curve.title,
        "direction": curve.answer.verdict.direction,
        "analyses": len(curve.specifications),
        "only_intervals": curve.only_intervals,
        "same": curve.same,
        **{f"estimate_{name}": end(estimates, default=None) for name, end in ENDS.items()},
        **{f"limit_{name}": end(limits, default=None) for name, end in ENDS.items()},
        "impossible": "|".join(curve.impossible),
    }


def specification_prose(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Prose:
    """Return one bullet per question: how many analyses have the same conclusion, and what changed it."""
    curves = _curves(data, parameters, **asked)
    bullets = [
        f"- **{escape(curve.title)}.** {escape(f'{curve_words(curve)} {nothing_left_words(curve)}'.strip())}"
        for curve in curves
    ]
    return Prose("\n".join(bullets) or NO_QUESTION)


def curve_words(curve: Curve) -> str:
    """Return in how many analyses the conclusion is the same, and what leads to another."""
    total, same = len(curve.specifications), curve.same
    conclusion = WORDS[curve.answer.verdict.direction]
    if not total:
        return "No analysis is possible."
    how = f"by {same} of {total} methods of its interval" if curve.only_intervals else ""
    told = f"The conclusion ({conclusion}) is the same {how or f'in {same} of {total} analyses'}."
    others: dict[str, int] = {}
    for one in curve.specifications:
        if one.direction != curve.answer.verdict.direction:
            others[one.direction] = others.get(one.direction, 0) + 1
    if others:
        changed = joined([f"{count}: {WORDS[name]}" for name, count in others.items()])
        telling = telling_words(curve)
        told += f" In {changed}{f' ({telling})' if telling else ''}."
    return f"{told} {inert_words(curve)}".strip()


def telling_words(curve: Curve) -> str:
    """Return the choices that all analyses with another conclusion share, if they set them apart."""
    other = [one for one in curve.specifications if one.direction != curve.answer.verdict.direction]
    same = [one for one in curve.specifications if one.direction == curve.answer.verdict.direction]
    shared = set(other[0].choices).intersection(*(one.choices for one in other))
    telling = [
        pair for pair in other[0].choices if pair in shared and all(pair not in one.choices for one in same)
    ]
    return "; ".join(lower_first(option) for _, option in telling)


def inert_words(curve: Curve) -> str:
    """Return the choices that changed no number."""
    told = [
        f"{lower_first(name)} ({', '.join(lower_first(option) for option in options)})"
        for name, options in curve.inert.items()
    ]
    return f"Changed no number: {'; '.join(told)}." if told else ""


def nothing_left_words(curve: Curve) -> str:
    """Return the choices of evidence that leave no study."""
    named = joined([lower_first(one) for one in curve.impossible])
    return f"No study is left with: {named}." if named else ""


def published_beside_table(data: Dataset, parameters: Parameters, **asked: Unpack[Asked]) -> Table:
    """Return the effects that the studies behind the questions print, each beside what the counts give.

    A published effect that was adjusted stands beside the crude one; the two are never pooled.
    """
    frames = [_published(question, data, parameters) for question in asked_questions(data, **asked)]
    body = [line for lines, _ in frames for line in lines]
    columns = (
        Column("Result", width=2.6),
        Column("Comparison", width=2.0),
        Column("Published", "right", 1.6),
        Column("Adjusted", width=1.0),
        Column("From the counts", "right", 1.6),
    )
    frame = pd.DataFrame([values for _, values_of in frames for values in values_of])
    differing = int(frame["differs"].sum()) if len(frame) else 0
    caption = "Effects as the studies print them, and as their counts give them."
    caption += f" {differing_effects(differing)}" if differing else ""
    note = f"From the counts: with {ci(parameters)}. Crude and adjusted effects are never pooled."
    note += f" {OWN_P}" if len(frame) and frame["published_p"].ne("").any() else ""
    note += f" {UNSAID}" if differing else ""
    return build(data, columns, body, caption=caption, note=note, frame=frame)


def differing_effects(count: int) -> str:
    """Return how many printed effects the counts do not give.

    >>> differing_effects(1), differing_effects(2)
    ('The counts do not give 1 effect as printed.', 'The counts do not give 2 effects as printed.')
    """
    return f"The counts do not give {several(count, 'effect')} as printed."


def _published(
    question: dict[str, Any], data: Dataset, parameters: Parameters
) -> tuple[list[tuple[Cell, ...]], list[dict[str, Any]]]:
    found = answer(str(question["question_id"]), data, parameters)
    sides = {(row["study_id"], row["arm_id"]): str(row["side"]) for row in records(found.included)}
    lines, values = [], []
    for study in found.finding.studies:
        tests = data.select("tests", study_id=study.study_id, outcome_id=str(question["outcome_id"]))
        tests = tests[(tests["effect"] != "") & tests["counted"]]
        for test in records(tests):
            arms = str(test["arms"]).split("|")
            named = [sides.get((study.study_id, arm), "") for arm in arms]
            if sorted(named) == ["comparator", "treatment"]:
                outcome = split_title(str(question["title"]))[1].partition(",")[0]
                forward = named[0] == "treatment"
                cells, row = _published_line(study, test, parameters, outcome, forward=forward)
                lines.append(cells)
                values.append({"question_id": question["question_id"]} | row)
    return lines, values


def _published_line(
    study: Study, test: dict[str, Any], parameters: Parameters, outcome: str, *, forward: bool
) -> tuple[tuple[Cell, ...], dict[str, Any]]:
    label = str(test["effect_label"])
    e1, n1, e0, n0 = study.four
    four = (e1, n1, e0, n0) if forward else (e0, n0, e1, n1)
    none = study.comparator.label if study.comparator else ""
    sides = (study.treatment.label, none) if forward else (none, study.treatment.label)
    measure = PUBLISHED.get(label.split(" ")[0].lower())
    made = compare(*four, measure=measure, level=parameters.confidence_level) if measure else None
    ours = fmt.effect(made.measure, made.estimate, made.low, made.high) if made else "–"
    ours += f"; P {fmt.p_value(made.p)}" if made and test["p"] else ""
    limits = f" ({test['low']} to {test['high']})" if test["low"] else ""
    p = f"; P {fmt.printed(test['p'])}" if test["p"] else ""
    adjusted = {"yes": "adjusted", "no": "crude"}.get(str(test["adjusted"]), "not stated")
    rows = "|".join(filter(None, (study.treatment.rows, study.comparator.rows if study.comparator else "")))
    crude = adjusted != "adjusted"  # an adjusted effect is another quantity, and need not agree
    differs = "differs" if made and crude and not _could_print(test, made) else ""
    cells = (
        Cell(f"{study.label}: {outcome}, {label}"),
        Cell(f"{sides[0]} against {lower_first(sides[1])}"),
        sourced(fmt.printed(f"{test['effect']}{limits}") + p, test["row_id"], origin=str(test["origin"])),
        Cell(adjusted),
        sourced(ours, rows, mark=differs),
    )
    values = {
        "study_id": study.study_id,
        "outcome": outcome,
        "effect_label": label,
        "published": test["effect"],
        "published_low": test["low"],
        "published_high": test["high"],
        "published_p": test["p"],
        "adjusted": adjusted,
        "differs": bool(differs),
        **{name: getattr(made, name, None) for name in ("estimate", "low", "high", "p")},
    }
    return cells, values


def _could_print(test: dict[str, Any], made: Effect) -> bool:
    """Return whether the printed effect and limits can have been rounded from those of the counts."""
    scale = 100.0 if made.measure == "RD" else 1.0
    pairs = ((test["effect"], made.estimate), (test["low"], made.low), (test["high"], made.high))
    return all(Reported(str(text)).allows(scale * value, scale * value) for text, value in pairs if text)


OWN_P = "P from the counts is of the effect, by Wald’s test; other tests of the same counts give others."
UNSAID = "Where it is not stated whether an effect was adjusted, that may be why the counts do not give it."
PUBLISHED: dict[str, Measure] = {"or": "OR", "rr": "RR", "difference": "RD"}
