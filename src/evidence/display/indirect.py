"""Direct against indirect evidence: what its table, its figure and its remark share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Required, TypedDict, Unpack

from evidence import format as fmt
from evidence.display.labels import joined, lower_first
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.networks import ratio_of
from evidence.parameters import Parameters
from evidence.results import Tables
from evidence.stats import Contrast
from evidence.synthesis.connect import Linking, Window, treatment_label
from evidence.synthesis.indirect import Edge, Loop, RatioMeasure, close_loop

MONTHS = ((3.0, 3.0, "month"), (6.0, 6.0, "month"))
ALLOCATIONS = {"randomised": "Randomised", "not randomised": "Not randomised", "not stated": "Not stated"}


class Triangle(TypedDict, total=False):
    """Two treatments and the third that both were compared with.

    ``outcome_ids``, ``treatment``, ``comparator`` and ``through`` are needed; ``windows`` are earliest and
    latest time with their unit (3 and 6 months by default), ``indication`` chooses studies, ``measure`` is RR
    or OR (the parameters' effect measure by default).
    """

    outcome_ids: Required[Sequence[str]]
    treatment: Required[str]
    comparator: Required[str]
    through: Required[str]
    windows: Sequence[Window]
    indication: str
    measure: RatioMeasure


def measure_of(parameters: Parameters, triangle: Triangle) -> RatioMeasure:
    """Return the ratio that is shown."""
    return triangle.get("measure") or ratio_of(parameters)


def loops(data: Tables, parameters: Parameters, triangle: Triangle) -> list[Loop]:
    """Return the loop of every outcome in every window that at least one of its comparisons has."""
    measure = measure_of(parameters, triangle)
    made = []
    for outcome in triangle["outcome_ids"]:
        for window in triangle.get("windows", MONTHS):
            choice: Linking = {"window": window}
            if "indication" in triangle:
                choice["indication"] = triangle["indication"]
            made.append(
                close_loop(
                    data, parameters, outcome_id=outcome, measure=measure, treatment=triangle["treatment"],
                    comparator=triangle["comparator"], through=triangle["through"], **choice,
                )
            )  # fmt: skip
    return [one for one in made if any(one.edges)]


def loop_title(loop: Loop) -> str:
    """Return outcome and time of a loop."""
    if loop.window is None:
        return loop.outcome_label
    first, last, unit = loop.window
    span = f"{first:g}" if first == last else f"{first:g} to {last:g}"
    return f"{loop.outcome_label}, {span} {unit}{'' if last == 1 else 's'}"


def natural(contrast: Contrast) -> tuple[float, float, float]:
    """Return estimate and limits of a log ratio as ratios."""
    return math.exp(contrast.estimate), math.exp(contrast.low), math.exp(contrast.high)


def ratio_text(contrast: Contrast) -> str:
    """Return a log ratio as it is written."""
    return fmt.ratio(*natural(contrast))


def untold(triangle: Triangle) -> str:
    """Return the caption of what is shown where no study compares any two of the three."""
    names = (triangle["treatment"], triangle["comparator"], triangle["through"])
    one, none, third = (treatment_label(name, []) for name in names)
    return f"{one} against {lower_first(none)}, directly and through {lower_first(third)}."


def pair_words(loop: Loop, edge: Edge) -> str:
    """Return the two treatments of an edge in words."""
    return f"{loop.labels[edge.treatment]} against {lower_first(loop.labels[edge.comparator])}"


def direct_indirect_prose(data: Tables, parameters: Parameters, **triangle: Unpack[Triangle]) -> Prose:
    """Return what direct and indirect evidence say, and what their difference cannot tell.

    See ``Triangle``.
    """
    found = loops(data, parameters, triangle)
    closed = [one for one in found if one.difference]
    if not closed:
        return Prose("For no outcome at one time are there both a direct and an indirect comparison.")
    return Prose(" ".join([*(_told(one) for one in closed), _remark(closed)]))


def _told(loop: Loop) -> str:
    direct = loop.edges[0]
    if direct is None or loop.indirect is None or loop.difference is None:
        return ""
    return escape(
        f"{loop_title(loop)}: {pair_words(loop, direct)} directly {ratio_text(direct.effect)}, indirectly "
        f"{ratio_text(loop.indirect)}; direct over indirect {ratio_text(loop.difference)}."
    )


def _remark(closed: Sequence[Loop]) -> str:
    """Return why a difference between the two cannot be laid to inconsistency."""
    edges = [edge for one in closed for edge in one.edges if edge]
    first = closed[0].labels[edges[0].treatment]
    own = {edge.allocation for edge in edges if edge.treatment == edges[0].treatment}
    said = (
        "The interval of their ratio is wide enough for agreement and for disagreement."
        if all(one.difference and one.difference.low < 0 < one.difference.high for one in closed)
        else "The two disagree by more than chance allows."
    )
    if own == {"randomised"}:
        return said
    words = "is not randomised" if own == {"not randomised"} else "is not randomised or does not say so"
    return escape(
        f"{said} Every comparison with {first} {words}: how patients came to their treatment and whether "
        "direct and indirect evidence agree cannot be told apart, so neither agreement nor disagreement says "
        "which is right."
    )


def studies_of(edge: Edge) -> str:
    """Return the studies of an edge in words."""
    return joined(list(dict.fromkeys(str(one) for one in edge.arms["study_label"])))
