"""The specification curve of each question over the scenarios of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evidence.build.files import write_whole
from evidence.data import Dataset
from evidence.questions import answer
from evidence.scenarios import Scenario
from evidence.synthesis.specifications import Curve, Specification

Row = dict[str, Any]
Numbers = tuple[float, float, float]


def write_curves(
    scenarios: Sequence[Scenario],
    varied: Sequence[str],
    answers: Mapping[str, Sequence[Row]],
    data: Dataset,
    folder: Path,
) -> list[Path]:
    """Draw a figure per question that compares two sides, and write it with its values below ``folder``.

    Scenarios that lead to the same numbers are one analysis. The first scenario's counts as the main one.
    """
    from evidence.display.figures.specification import curve_figure, curve_frame
    from evidence.display.theme import svg

    main, written = scenarios[0], []
    for curve in _curves(scenarios, varied, answers, data):
        figure = curve_figure(curve, main.parameters)
        stem = folder / f"specification-{curve.question_id}"
        write_whole(stem.with_suffix(".svg"), svg(figure.figure))
        write_whole(stem.with_suffix(".csv"), curve_frame(curve).to_csv(index=False, lineterminator="\n"))
        written += [stem.with_suffix(".svg"), stem.with_suffix(".csv")]
    return written


def _curves(
    scenarios: Sequence[Scenario], varied: Sequence[str], answers: Mapping[str, Sequence[Row]], data: Dataset
) -> list[Curve]:
    curves = []
    for place, first in enumerate(answers[scenarios[0].name]):
        report = answer(first["question_id"], data, scenarios[0].parameters)
        found: dict[Numbers, Specification] = {}
        for scenario in scenarios:
            _add(
                found,
                answers[scenario.name][place],
                _choices(scenario, varied),
                main=scenario is scenarios[0],
            )
        ordered = tuple(sorted(found.values(), key=lambda one: (round(one.estimate, 6), one.low)))
        if report.control is not None and len(ordered) > 1:
            curves.append(Curve(report.question_id, report.title, report.outcome, report, ordered, ()))
    return curves


def _choices(scenario: Scenario, varied: Sequence[str]) -> tuple[tuple[str, str], ...]:
    values = scenario.parameters.values()
    return tuple((name, str(values[name])) for name in varied)


def _add(
    found: dict[Numbers, Specification], row: Row, choices: tuple[tuple[str, str], ...], *, main: bool
) -> None:
    if row["estimate"] is None or row["low"] is None or row["high"] is None:
        return
    numbers = (row["estimate"], row["low"], row["high"])
    before = found.get(numbers)
    if before is None:
        studies = len(row["studies"].split("|"))
        found[numbers] = Specification(choices, *numbers, studies, row["direction"], main)
    else:
        both = tuple(dict.fromkeys((*before.choices, *choices)))
        found[numbers] = replace(before, choices=both, main=before.main or main)
