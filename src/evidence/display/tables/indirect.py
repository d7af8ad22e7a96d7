"""Direct against indirect evidence as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import pandas as pd

from evidence.display.indirect import (
    Triangle,
    loop_title,
    loops,
    measure_of,
    natural,
    pair_words,
    ratio_text,
    studies_of,
    untold,
)
from evidence.display.labels import MEASURES, ci, lower_first
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.network import counts_cell
from evidence.display.tables.parts import build, empty_cells, nothing
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records
from evidence.stats import Contrast
from evidence.synthesis.indirect import Edge, Loop

RANDOMISED = {"randomised": "Yes", "not randomised": "No", "not stated": "Not stated"}
NOTE = (
    "Indirect: the first comparison with the third treatment over the second (Bucher). Direct over indirect: "
    "1 where they agree. First and second: events of patients. A percentage that fits no whole count gives "
    "none, and no effect is computed from it. Certainty of an indirect comparison, by a rule of its own as "
    "no risk of bias is judged for it: it starts high if both comparisons it goes through are randomised, "
    "low if one is not or does not say so; less one level for indirectness. What else would lower it is not "
    "rated here, so no rating is above this."
)


def direct_indirect_table(data: Tables, parameters: Parameters, **triangle: Unpack[Triangle]) -> Table:
    """Return two treatments compared directly and through a third, by outcome and time.

    Each comparison has its studies, whether they were randomised, counts and ratio; the last row of a loop is
    direct over indirect, or why it cannot be had. See ``display.indirect.Triangle``.
    """
    found = loops(data, parameters, triangle)
    shown = measure_of(parameters, triangle)
    if not found:
        return nothing(untold(triangle))
    one, none, third = (found[0].labels[triangle[name]] for name in ("treatment", "comparator", "through"))
    bodies = [_body(loop) for loop in found]
    starts = [sum(len(body) for body in bodies[:place]) for place in range(len(bodies))]
    return build(
        data,
        (
            Column("Comparison", width=2.0),
            Column("Study", width=2.4),
            Column("Randomised", width=0.9),
            Column("First", "right", 0.8),
            Column("Second", "right", 0.8),
            Column(f"Ratio ({ci(parameters)})", "right", 1.4),
        ),
        [row for body in bodies for row in body],
        caption=f"{one} against {lower_first(none)}, directly and through {lower_first(third)}: "
        f"{lower_first(MEASURES[shown])}s.{_leaving(found)}",
        note=NOTE,
        frame=pd.DataFrame([row for loop in found for row in _tidy(loop)]),
        groups=[(start, loop_title(loop)) for start, loop in zip(starts, found, strict=True)],
    )


def _leaving(found: Sequence[Loop]) -> str:
    """Return how many direct and how many indirect ratios have an interval that leaves out 1."""
    direct = [loop.edges[0].effect for loop in found if loop.edges[0]]
    indirect = [loop.indirect for loop in found if loop.indirect]
    told = [
        f"{sum(one.low > 0 or one.high < 0 for one in some)} of {len(some)} {name}"  # of logarithms
        for name, some in (("direct", direct), ("indirect", indirect))
        if some
    ]
    return f" Intervals that leave out 1: {', '.join(told)}." if told else ""


def _body(loop: Loop) -> list[tuple[Cell, ...]]:
    rows = [_edge_row(loop, edge) for edge in (*loop.edges[1:], loop.edges[0]) if edge]
    if loop.indirect:
        at = len(rows) - (loop.edges[0] is not None)
        rows.insert(at, _plain("Indirect", ratio_text(loop.indirect), f"Certainty: {_certainty(loop)}"))
    if loop.difference:
        return [*rows, _plain("Direct over indirect", ratio_text(loop.difference))]
    why = f"{loop.reason[:1].upper()}{loop.reason[1:]}"
    return [*rows, (Cell("Direct over indirect"), Cell(why), *empty_cells(3), Cell("–"))]


def _certainty(loop: Loop) -> str:
    """Return how certain an indirect comparison can be at most, from how its two parts were allocated."""
    kinds = {edge.allocation for edge in loop.edges[1:] if edge}
    return "at most moderate" if kinds == {"randomised"} else "very low"


def _plain(name: str, text: str, said: str = "") -> tuple[Cell, ...]:
    return Cell(name), Cell(said), *empty_cells(3), Cell(text)


def _edge_row(loop: Loop, edge: Edge) -> tuple[Cell, ...]:
    sides = [
        counts_cell([row for row in records(edge.arms) if row["treatment"] == one])
        for one in (edge.treatment, edge.comparator)
    ]
    kind = "Direct: " if edge is loop.edges[0] else ""
    return (
        Cell(f"{kind}{pair_words(loop, edge)}"),
        Cell(studies_of(edge)),
        Cell(RANDOMISED[edge.allocation]),
        *sides,
        Cell(ratio_text(edge.effect)),
    )


def _tidy(loop: Loop) -> list[Row]:
    known = {"outcome_id": loop.outcome_id, "time": loop_title(loop), "measure": loop.measure}
    names = ("direct", "treatment against third", "comparator against third")
    parts = [
        (name, edge.effect if edge else None, _events(edge))
        for name, edge in zip(names, loop.edges, strict=True)
    ]
    parts += [("indirect", loop.indirect, {}), ("direct over indirect", loop.difference, {})]
    return [known | {"comparison": name} | events | _ends(contrast) for name, contrast, events in parts]


def _ends(contrast: Contrast | None) -> Row:
    values = natural(contrast) if contrast else (None, None, None)
    return dict(zip(("estimate", "low", "high"), values, strict=True))


def _events(edge: Edge | None) -> Row:
    """Return the studies of an edge, and events and patients of its first and its second treatment."""
    if edge is None:
        return {}
    made: Row = {"studies": "|".join(dict.fromkeys(map(str, edge.arms["study_id"])))}
    for place, one in (("1", edge.treatment), ("0", edge.comparator)):
        arms = edge.arms[edge.arms["treatment"] == one]
        made |= {f"e{place}": int(arms["events"].sum()), f"n{place}": int(arms["n"].sum())}
    return made
