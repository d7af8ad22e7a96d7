"""What one study, or the order in which studies came, does to a pooled result, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Unpack

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.labels import MEASURES, ci, pretty
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.synthesis import Asked, Section, synthesise
from evidence.display.tables.parts import build, nothing
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import Study
from evidence.stats import SmallStudyTest
from evidence.synthesis.forest import Grouping
from evidence.synthesis.influence import Step, influence, small_studies

CAPTION = "What single studies and the order of publication do to the result"
ALONE = "Of one study nothing can be left out and nothing added by year."
NAMES = {"without": "Without {}", "until": "Published until {}"}


def influence_table(
    data: Dataset,
    parameters: Parameters,
    *,
    by: Grouping = "treatment",
    measure: EffectMeasure | None = None,
    **asked: Unpack[Asked],
) -> Table | Prose:
    """Return each pooled result without each of its studies, then by year, and Egger's test or why not.

    Studies are grouped as in ``forest_figure``; a group of one study shows that study. Where every result
    rests on one study there is nothing to leave out, and a sentence says so in place of a table.
    """
    shown = measure or parameters.effect_measure
    sections = synthesise(data, parameters, by=by, measure=measure, **asked).sections
    groups = [group for section in sections for group in _groups(section)]
    if not groups:
        return nothing(f"{CAPTION}.")
    if all(len(studies) == 1 for _, studies in groups):
        return Prose(f"{CAPTION}: {_told([studies for _, studies in groups])}")
    made = [(title, influence(studies, parameters, measure=shown), studies) for title, studies in groups]
    starts = [sum(len(steps) for _, steps, _ in made[:place]) for place in range(len(made))]
    return build(
        data,
        (
            Column("Studies", width=2.6),
            Column("Number", "right", 0.7),
            Column(f"{MEASURES[shown]} ({ci(parameters)})", "right", 1.7),
        ),
        [_row(step, studies, shown) for _, steps, studies in made for step in steps],
        caption=f"{CAPTION}: {_told([studies for _, studies in groups])}",
        note=_note([studies for _, studies in groups], parameters, shown),
        frame=pd.DataFrame([asdict(step) | {"group": title} for title, steps, _ in made for step in steps]),
        groups=[(start, title) for start, (title, _, _) in zip(starts, made, strict=True)],
    )


def _groups(section: Section) -> list[tuple[str, list[Study]]]:
    return [
        (": ".join(filter(None, (section.title, pretty(group.label)))), [row.study for row in group.rows])
        for group in section.forest.groups
    ]


def _row(step: Step, studies: Sequence[Study], measure: EffectMeasure) -> tuple[Cell, ...]:
    whole = studies[0].name if len(studies) == 1 else "All"
    name = NAMES[step.kind].format(step.name) if step.kind in NAMES else whole
    effect = fmt.effect(measure, step.estimate, step.low, step.high)
    return Cell(pretty(name)), Cell(str(step.k)), Cell(effect)


def _told(groups: Sequence[Sequence[Study]]) -> str:
    several, total = sum(len(studies) > 1 for studies in groups), len(groups)
    if not several:
        rest = "the result rests" if total == 1 else f"each of the {total} results rests"
        return f"nothing, because {rest} on one study."
    if several == total:
        return (
            "the result rests on several studies."
            if total == 1
            else f"all {total} results rest on several studies."
        )
    return f"{several} of {total} results rest{'s' * (several == 1)} on more than one study."


def _note(groups: Sequence[Sequence[Study]], parameters: Parameters, measure: EffectMeasure) -> str:
    tests = [small_studies(studies, parameters, measure=measure) for studies in groups]
    alone = ALONE if any(len(studies) == 1 for studies in groups) else ""
    refused = dict.fromkeys(test for test in tests if isinstance(test, str))
    made = [_test_words(test) for test in tests if isinstance(test, SmallStudyTest)]
    return " ".join(filter(None, (alone, *made, *(f"Not made: {reason}." for reason in refused))))


def _test_words(test: SmallStudyTest) -> str:
    return f"{test.method} of {test.k} studies: t = {fmt.number(test.statistic, 2)}, {fmt.p_words(test.p)}."
