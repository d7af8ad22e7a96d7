"""A network drawn: treatments as nodes sized by patients, comparisons as lines sized by studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from evidence.display import theme
from evidence.display.figures.draw import canvas, nothing
from evidence.display.figures.treatments import Treatments, treatments
from evidence.display.labels import joined
from evidence.display.model import Figure
from evidence.display.networks import Linked, known_words, link, trials
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records
from evidence.synthesis.connect import Linking

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVAL = 1.25  # width of the oval on which nodes stand, its height being 1
REACH = 2.65  # half of the width shown, on the same scale
ABOVE, BELOW = 0.35, 0.75  # room beyond the outermost nodes, for half of one and for one with its label
SIZE = 10.0  # points: larger than elsewhere, since there is room and phones shrink it
LARGEST = 0.27  # radius of the largest node on the same scale
LINE, STEP = 1.6, 1.8  # width of a line of one study, and what each further study adds
GAP = 0.09  # between a node and its label
MIDDLE = 0.2  # a node nearer to the middle than this has its label above or below it
Point = tuple[float, float]


def network_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Figure:
    """Draw which treatments were compared with which: every node and line says its numbers in words."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    if linked.arms.arms.empty:
        return nothing(f"{linked.title}: the network of comparisons.")
    nodes, edges, shared = _nodes(linked), _edges(linked), _shared(linked)
    title = f"{linked.title}: {_linking(linked, nodes)}."
    places = _places(linked, list(nodes["treatment"]))
    styles = treatments(data)
    with theme.themed():
        low, high = _span(places)
        figure, (axis,) = canvas((high - low) * theme.WIDTH / (2 * REACH))
        _frame(axis, low, high)
        for members in shared:
            axis.fill(*zip(*(places[one] for one in members), strict=True), color=theme.GRID, zorder=1)
        for edge in records(edges):
            _draw_edge(axis, places[edge["treatment1"]], places[edge["treatment0"]], int(edge["studies"]))
        for node in records(nodes):
            _draw_node(
                axis, places[str(node["treatment"])], node, linked, int(nodes["patients"].max()), styles
            )
    sized = _with_sizes(edges, nodes)
    told = " ".join(filter(None, (title, _reading(shared), known_words(linked))))
    return Figure(figure, told, _alt(nodes, edges, linked), sized)


def _linking(linked: Linked, nodes: pd.DataFrame) -> str:
    """Return how many trials and patients link how many treatments."""
    count, patients = len(linked.arms.studies), int(nodes["patients"].sum())
    link_words = "links" if count == 1 else "link"
    return f"{trials(count)} of {patients} patients {link_words} {len(nodes)} treatments"


def _with_sizes(edges: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return edges with all patients of the network on each of their treatments."""
    sizes = dict(zip(nodes["treatment"], nodes["patients"], strict=True))
    return edges.assign(
        **{f"patients{side}": [sizes[one] for one in edges[f"treatment{side}"]] for side in ("1", "0")}
    )


def _nodes(linked: Linked) -> pd.DataFrame:
    """Return patients and studies of each treatment, in the order of the data."""
    groups = linked.arms.arms.groupby("treatment", sort=False)
    rows = [
        {"treatment": str(one), "patients": int(group["n"].sum()), "studies": group["study_id"].nunique()}
        for one, group in groups
    ]
    return pd.DataFrame(rows)


def _edges(linked: Linked) -> pd.DataFrame:
    """Return one row per pair that a study compared: treatments, studies, patients."""
    pairs: dict[tuple[str, str], list[int]] = {}
    for _, group in linked.arms.arms.groupby("study_id", sort=False):
        for one, none in combinations(records(group), 2):
            key = str(one["treatment"]), str(none["treatment"])
            known = key if key in pairs or key[::-1] not in pairs else key[::-1]
            pairs.setdefault(known, []).append(int(one["n"]) + int(none["n"]))
    rows = [(*pair, len(sizes), sum(sizes)) for pair, sizes in pairs.items()]
    return pd.DataFrame(rows, columns=["treatment1", "treatment0", "studies", "patients"])


def _shared(linked: Linked) -> list[list[str]]:
    """Return the treatments of each study of more than two."""
    groups = linked.arms.arms.groupby("study_id", sort=False)
    return [members for _, group in groups if len(members := list(group["treatment"])) > 2]


def _places(linked: Linked, treatments: Sequence[str]) -> dict[str, Point]:
    """Return points on a circle, the reference at the bottom and the others clockwise after it."""
    order = [one for one in treatments if one == linked.reference] + linked.others
    turn = 2 * math.pi / len(order)
    angles = (-math.pi / 2 - turn * place for place in range(len(order)))
    return {one: (OVAL * math.cos(angle), math.sin(angle)) for one, angle in zip(order, angles, strict=True)}


def _span(places: dict[str, Point]) -> tuple[float, float]:
    """Return the lowest and the highest point to show; a node in the middle has its label above or below."""
    heights = [y for _, y in places.values()]
    top = max(places.values(), key=lambda place: place[1])
    return min(heights) - BELOW, max(heights) + (BELOW if abs(top[0]) < MIDDLE else ABOVE)


def _frame(axis: Axes, low: float, high: float) -> None:
    axis.set_axis_off()
    axis.set_aspect("equal")
    axis.set_xlim(-REACH, REACH)
    axis.set_ylim(low, high)


def _draw_edge(axis: Axes, start: Point, end: Point, studies: int) -> None:
    width = LINE + STEP * (studies - 1)
    axis.plot(*zip(start, end, strict=True), color=theme.MUTED, linewidth=width, zorder=2)
    middle = [(one + other) / 2 for one, other in zip(start, end, strict=True)]
    patch = {"boxstyle": "square,pad=0.15", "facecolor": theme.PAPER, "edgecolor": "none"}
    axis.text(
        middle[0],
        middle[1],
        trials(studies).replace("one", "1"),
        ha="center",
        va="center",
        bbox=patch,
        zorder=2.5,
        size=SIZE,
    )


def _draw_node(axis: Axes, place: Point, node: Row, linked: Linked, most: int, styles: Treatments) -> None:
    from matplotlib.patches import Circle

    treatment, patients = str(node["treatment"]), int(node["patients"])
    radius = LARGEST * math.sqrt(patients / most)
    plain = treatment == linked.reference
    fill = theme.PAPER if plain else styles.node(treatment).color
    axis.add_patch(Circle(place, radius, facecolor=fill, edgecolor=theme.INK, linewidth=1.0, zorder=3))
    side = 0 if abs(place[0]) < MIDDLE else math.copysign(1, place[0])
    x = place[0] + side * (radius + GAP)
    y = place[1] if side else place[1] + math.copysign(radius + GAP, place[1])
    align = {0: "center", 1: "left", -1: "right"}[int(side)]
    vertical = "center" if side else ("bottom" if place[1] > 0 else "top")
    look: dict[str, Any] = {
        "ha": align,
        "va": vertical,
        "color": theme.INK,
        "zorder": 4,
        "linespacing": 1.3,
        "size": SIZE,
    }
    axis.text(x, y, f"{linked.name(treatment)}\n{patients} patients", **look)


def _reading(shared: Sequence[Sequence[str]]) -> str:
    said = "Circles grow with the patients, lines with the trials."
    return f"{said} Shaded: compared within one trial of more than two arms." if shared else said


def _alt(nodes: pd.DataFrame, edges: pd.DataFrame, linked: Linked) -> str:
    sizes = [f"{linked.name(str(row['treatment']))} {row['patients']} patients" for row in records(nodes)]
    lines = [
        f"{linked.name(str(row['treatment1']))} with {linked.inside(str(row['treatment0']))}, "
        f"{trials(int(row['studies']))}"
        for row in records(edges)
    ]
    return f"Network of {len(nodes)} treatments: {joined(sizes)}. Compared: {'; '.join(lines)}."
