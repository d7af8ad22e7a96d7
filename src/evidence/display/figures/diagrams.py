"""Diagrams of boxes and arrows: pathways, workflows and designs, in layers from top to bottom.

Each box stands below all that lead to it, in the layer that keeps arrows shortest, and in the row of a layer
where sweeps by barycentre find the fewest crossings (Sugiyama, Tagawa and Toda 1981). Both the layers and the
places across are linear programmes (Gansner, Koutsofios, North and Vo 1993), so arrows are exactly straight
wherever they can be. An arrow over several layers passes each in a lane, words on an arrow have a place of
their own, and arrows run across only between rows: no arrow can pass through a box or through words.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import pandas as pd

from evidence.display import theme
from evidence.display.figures.draw import NARROW, canvas, nothing
from evidence.display.labels import pretty
from evidence.display.model import Figure
from evidence.errors import EvidenceError
from evidence.parameters import Parameters
from evidence.results import records

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-untyped]
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.path import Path

POINT = 1 / 72  # inches, the unit of every length below
LINE_SPACING = 12.0 * POINT
SHEETS = (NARROW * POINT, 4.2, 4.6, 5.0)  # for narrow screens: wider where words would be broken
MARGIN = 0.04  # keeps thick outlines inside the sheet
WIDEST_BOX, WIDEST_TEXT = 2.35, 1.3
NARROWEST = 0.6  # a box or a text is never squeezed further; the sheet grows instead
BOX_GAP, LANE_GAP = 0.2, 0.12
PADDING = 0.075  # above and below the words of a box
STUB, ARROW_STUB = 0.1, 0.21  # the least straight piece after leaving and before reaching a row
TRACK = 0.11  # between two arrows that run across in the same gap
HEAD_LENGTH, HEAD_WIDTH = 0.085, 0.075
CORNER = 0.06
FLAT = 0.2  # arrows keep this far from the corners of a box, which may be cut or round
HAIR = 0.0005  # forgives rounding
STRAIGHT = 0.01  # arrows that jog by less are drawn straight
BOXES_IN_A_ROW = 4  # more would leave less than 15 characters to a line
SWEEPS = 6  # the order of a diagram of a page settles within them
# Weights: a straight arrow, an even fork, a short fork, a port in its place, and what decides a tie.
STRONG, MIDDLE, WEAK, SLIDING, FAINT = 4.0, 1.2, 1.0, 2.0, 0.001
ALL_ORDERS = 6  # nets of a gap whose every order is tried
STOPPING = ("inhibit", "block", "suppress")  # effects drawn with a bar, as in pathway diagrams

# A net is "out" with the item it leaves, "in" with the item it reaches (1: with a bar), or "up" with both.
_NetName = tuple[str, int, int]
_Slant = Literal["normal", "italic"]
_Port = tuple[int, str, _NetName]


class Pathways(Protocol):
    """What is read of a dataset: the boxes and arrows of all diagrams."""

    @property
    def pathway_nodes(self) -> pd.DataFrame:
        """A row per box: diagram, id, label, kind."""

    @property
    def pathway_edges(self) -> pd.DataFrame:
        """A row per arrow: diagram, the ids of both boxes, label."""


@dataclass(frozen=True, slots=True)
class Look:
    """Outline of a kind of box: no two kinds share one, so that colour is never needed."""

    corners: Literal["square", "round", "pill", "hexagon", "cut"] = "square"
    extra: Literal["", "double", "bars"] = ""
    line: Any = "-"
    width: float = 0.9
    color: str = theme.LIGHT.muted
    fill: float = 0.09  # share of the colour in the paper
    padding: float = 0.11  # left and right of the words


LOOKS: Mapping[str, Look] = {
    "": Look(fill=0),
    "group": Look(color=theme.LIGHT.ink, fill=0),
    "drug": Look("pill", color=theme.LIGHT.series[0], padding=0.17),
    "receptor": Look("round", extra="double", color=theme.LIGHT.series[1], padding=0.14),
    "pathway": Look("cut", color=theme.LIGHT.series[3]),
    "process": Look("round", color=theme.LIGHT.series[2]),
    "step": Look(extra="bars", color=theme.LIGHT.series[5], padding=0.16),
    "decision": Look("hexagon", color=theme.LIGHT.series[4], padding=0.2),
    "outcome": Look("round", width=2.0, color=theme.LIGHT.ink, fill=0.05),
}
SPARE_LOOKS = (
    Look(line="--"),
    Look("round", line=":", width=1.2),
    Look("hexagon", line="--", padding=0.2),
    Look("cut", line=":", width=1.2),
    Look("pill", line="--", padding=0.17),
)


def diagram_figure(data: Pathways, parameters: Parameters, *, diagram: str, caption: str) -> Figure:
    """Draw one diagram of ``pathway_nodes`` and ``pathway_edges``; its arrows are the data.

    The same drawing under all ``parameters``: a diagram shows what a document says, not a result.
    The alternative text is the diagram as statements, ``A → B (label)``, in the order of the table.
    """
    graph = _graph(data, diagram)
    if not graph:
        return nothing(caption)
    kinds = _looks(kind for _, kind in graph.nodes(data="kind"))
    with theme.themed():
        wide, narrow = (_drawn(graph, kinds, widths) for widths in ((theme.WIDTH,), SHEETS))
    return Figure(wide, caption, _alt(graph), _frame(data, diagram, graph), narrow=(narrow,))


def _drawn(graph: nx.DiGraph[str], kinds: Mapping[str, Look], widths: Sequence[float]) -> Canvas:
    layout = _laid_out(graph, kinds, widths)
    legend = _legend(kinds, layout.width)
    sheet, axis = _sheet(layout.width, layout.height + legend.height)
    _draw(axis, layout, kinds)
    _draw_legend(axis, legend, kinds, layout.height)
    return sheet


def _graph(data: Pathways, diagram: str) -> nx.DiGraph[str]:
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for row in _rows(data.pathway_nodes, diagram):
        graph.add_node(str(row["node_id"]), label=_words(row["label"]), kind=str(row["kind"]).strip())
    for row in _rows(data.pathway_edges, diagram):
        ends = (str(row["from_id"]), str(row["to_id"]))
        graph.add_nodes_from((end, {"label": end, "kind": ""}) for end in ends if end not in graph)
        known = [graph.edges[ends]["label"]] if graph.has_edge(*ends) else []
        graph.add_edge(*ends, label="; ".join(dict.fromkeys(filter(None, [*known, _words(row["label"])]))))
    return graph


def _rows(table: pd.DataFrame, diagram: str) -> list[dict[str, Any]]:
    return [] if table.empty else records(table[table["diagram"] == diagram].fillna(""))


def _words(label: Any) -> str:
    return " ".join(pretty(label).split())


def _frame(data: Pathways, diagram: str, graph: nx.DiGraph[str]) -> pd.DataFrame:
    edges = pd.DataFrame(_rows(data.pathway_edges, diagram), columns=data.pathway_edges.columns)
    named = {
        f"{end}_{name}": [graph.nodes[node][name] for node in edges[f"{end}_id"]]
        for end in ("from", "to")
        for name in ("label", "kind")
    }
    return edges.assign(**named)


def _alt(graph: nx.DiGraph[str]) -> str:
    names = dict(graph.nodes(data="label"))
    statements = [
        f"{names[a]} → {names[b]}" + (f" ({label})" if label else "")
        for a, b, label in graph.edges(data="label")
    ]
    alone = [names[node] for node, degree in graph.degree() if not degree]
    parts = ["; ".join(statements), f"Not connected: {'; '.join(alone)}" if alone else ""]
    return " ".join([f"Diagram of {len(graph)} boxes.", *(f"{part}." for part in parts if part)])


def _looks(kinds: Iterable[str]) -> dict[str, Look]:
    used = list(dict.fromkeys(kinds))
    spare = itertools.cycle(SPARE_LOOKS)
    return {kind: LOOKS.get(kind.lower()) or next(spare) for kind in used}


@functools.lru_cache(maxsize=4096)
def _text_width(text: str, style: _Slant = "normal") -> float:
    """Return the width in inches without a renderer, so that it is the same everywhere."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=list(theme.font_family()), size=theme.FONT_SIZE, style=style)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) * POINT


def _wrapped(text: str, width: float, style: _Slant = "normal") -> list[str]:
    """Return the text in as few lines as the width allows, and these as even as they can be."""
    words = [piece for word in _bound(text).split(" ") for piece in _pieces(word, width, style)]
    widest = max(_text_width(word, style) for word in words)
    lines = _filled(words, width, style)
    while (width := max(_text_width(line, style) for line in lines) - POINT) >= widest:
        closer = _filled(words, width, style)
        if len(closer) > len(lines):
            break
        lines = closer
    return [line.replace("\u00a0", " ") for line in lines]


def _filled(words: Sequence[str], width: float, style: _Slant) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        lines[-1:] = [longer] if _text_width(longer, style) <= width else [lines[-1], word]
    return lines


def _bound(text: str) -> str:
    """Return the text with spaces that keep a number with its unit."""
    text = re.sub(r" × (?=10)", "\u00a0×\u00a0", text)
    return re.sub(r"(?<![\w-])([\d.,]+) (?=[^\W\d]{1,8}\b)", "\\1\u00a0", text)


def _pieces(word: str, width: float, style: _Slant) -> list[str]:
    """Return a word, or its pieces where it alone is wider than a line."""
    if _text_width(word, style) <= width:
        return [word]
    if "\u00a0" in word:
        return [piece for part in word.split("\u00a0") for piece in _pieces(part, width, style)]
    pieces = [""]
    for char in word:
        longer = pieces[-1] + char
        pieces[-1:] = (
            [longer] if _text_width(longer, style) <= width or not pieces[-1] else [pieces[-1], char]
        )
    return pieces


@dataclass(slots=True)
class _Item:
    """What takes part in a row: a box (it has an id), words on an arrow, or the lane of a passing arrow."""

    row: int
    text: str = ""
    node: str = ""
    kind: str = ""
    lines: list[str] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    loop: float = 0.0  # width that an arrow from a box to itself takes on its right

    @property
    def bottom(self) -> float:
        """Return where its lower edge lies; y grows downwards."""
        return self.y + self.height / 2

    @property
    def top(self) -> float:
        """Return where its upper edge lies."""
        return self.y - self.height / 2


class _Chain(NamedTuple):
    """An arrow as the items that it passes from top to bottom; upward when it points to the top."""

    ends: tuple[str, str]
    label: str
    items: tuple[int, ...]
    upward: bool


class _Segment(NamedTuple):
    """A piece of an arrow between two rows; pieces of one net share their path across."""

    above: int
    below: int
    net: _NetName


@dataclass(slots=True)
class _Layout:
    items: list[_Item]
    chains: list[_Chain]
    rows: list[list[int]]
    segments: list[_Segment] = field(default_factory=list)
    ports: dict[_Port, float] = field(default_factory=dict)  # from the middle of the item
    slack: dict[_Port, float] = field(default_factory=dict)  # how far a port may slide to straighten an arrow
    across: dict[tuple[int, _NetName], float] = field(default_factory=dict)
    loops: list[tuple[str, str]] = field(default_factory=list)  # box, words on the arrow
    width: float = theme.WIDTH
    height: float = 0.0

    def port(self, segment: _Segment, side: str) -> float:
        """Return where across the sheet a segment leaves (``out``) or reaches (``in``) its item."""
        index = segment.above if side == "out" else segment.below
        return self.items[index].x + self.ports.get((index, side, segment.net), 0.0)


def _laid_out(graph: nx.DiGraph[str], kinds: Mapping[str, Look], widths: Sequence[float]) -> _Layout:
    """Return the diagram on the first sheet of a width on which no word is broken, or the last."""
    layout = _in_rows(graph)
    layout.segments = _segments(layout)
    layout.rows = _untangled(layout.rows, layout.segments)
    for layout.width in widths:
        for row in layout.rows:
            _fit(layout, row, kinds)
        if all(" ".join(item.lines) == item.text for item in layout.items):
            break
    layout.width = max(layout.width, *(_row_width(layout, row) for row in layout.rows))
    _place_across(layout)
    for _ in range(2):  # ports follow from the places, and the places from the ports
        _set_ports(layout)
        _place_across(layout)
    _place_down(layout)
    return layout


def _acyclic(graph: nx.DiGraph[str]) -> tuple[nx.DiGraph[str], set[tuple[str, str]]]:
    """Return the graph without its loops and with arrows turned that would close a cycle, and these."""
    import networkx as nx

    flow = nx.DiGraph(graph)
    flow.remove_edges_from(list(nx.selfloop_edges(flow)))
    turned: set[tuple[str, str]] = set()
    while not nx.is_directed_acyclic_graph(flow):
        a, b = nx.find_cycle(flow, source=list(flow))[-1][:2]
        flow.remove_edge(a, b)
        turned.add((a, b))
    flow.add_edges_from((b, a) for a, b in turned)
    return flow, turned


def _layers(flow: nx.DiGraph[str]) -> dict[str, int]:
    """Return the layer of each box: below all that lead to it, arrows as short as can be, no row too full."""
    import networkx as nx

    place = {node: i for i, node in enumerate(flow)}
    steps = [({place[a]: 1.0, place[b]: -1.0}, -1.0) for a, b in flow.edges]
    cost = [flow.in_degree(node) - flow.out_degree(node) + FAINT for node in flow]
    ideal = _programme(cost, steps, [(0.0, float(len(flow)))] * len(flow))
    layers: dict[str, int] = {}
    for node in nx.lexicographical_topological_sort(
        flow, key=lambda one: (round(ideal[place[one]]), place[one])
    ):
        after = 1 + max((layers[one] for one in flow.predecessors(node)), default=-1)
        layers[node] = _with_room(layers, max(after, round(ideal[place[node]])))
    used = sorted(set(layers.values()))
    return {node: used.index(layer) for node, layer in layers.items()}


def _programme(
    cost: Sequence[float],
    rows: Sequence[tuple[Mapping[int, float], float]],
    bounds: Sequence[tuple[float | None, float | None]],
) -> list[float]:
    """Return the values of least cost; each row bounds a sum of coefficients times values from above."""
    import numpy as np
    from scipy.optimize import linprog

    if not rows:
        return [low or 0.0 for low, _ in bounds]
    matrix = np.zeros((len(rows), len(cost)))
    for place, (coefficients, _) in enumerate(rows):
        for column, value in coefficients.items():
            matrix[place, column] = value
    found = linprog(cost, A_ub=matrix, b_ub=[limit for _, limit in rows], bounds=bounds, method="highs")
    if found.x is None:
        raise EvidenceError(f"no layout: {found.message}")
    return [float(value) for value in found.x]


def _with_room(layers: Mapping[str, int], layer: int) -> int:
    counts = list(layers.values())
    return next(one for one in itertools.count(layer) if counts.count(one) < BOXES_IN_A_ROW)


def _in_rows(graph: nx.DiGraph[str]) -> _Layout:
    """Return boxes in even rows, words on arrows in odd rows between them, and lanes through all others."""
    flow, turned = _acyclic(graph)
    layers = _layers(flow)
    items = [_Item(2 * layers[node], node=node, text=label, kind=graph.nodes[node]["kind"])
             for node, label in graph.nodes(data="label")]  # fmt: skip
    index = {item.node: i for i, item in enumerate(items)}
    words = _words_on_arrows(graph, layers, turned, items)
    used = sorted({item.row for item in items})
    lanes: dict[Any, int] = {}
    chains = []
    for a, b, label in graph.edges(data="label"):
        if a != b:
            upward = (a, b) in turned
            top, low = (index[b], index[a]) if upward else (index[a], index[b])
            passed = _passed((top, low), words.get((a, b)), used, items, lanes, own=upward)
            chains.append(_Chain((a, b), label, passed, upward))
    rows = [[i for i, item in enumerate(items) if item.row == row] for row in used]
    loops = [(a, label) for a, b, label in graph.edges(data="label") if a == b]
    return _Layout(items, chains, rows, loops=loops)


def _words_on_arrows(
    graph: nx.DiGraph[str],
    layers: Mapping[str, int],
    turned: set[tuple[str, str]],
    items: list[_Item],
) -> dict[tuple[str, str], int]:
    """Add an item for the words of each arrow; arrows that fork or join share theirs where they are equal."""
    labels = {(a, b): label for a, b, label in graph.edges(data="label") if label and a != b}
    forks, joins = _sharing(labels, turned, 0), _sharing(labels, turned, 1)
    made: dict[Any, int] = {}
    words: dict[tuple[str, str], int] = {}
    for (a, b), label in labels.items():
        fork = (a, b) in forks
        key = ("fork", a, label) if fork else ("join", b, label) if (a, b) in joins else (a, b)
        if key not in made:
            made[key] = len(items)
            low = max(layers[a], layers[b])
            items.append(_Item(2 * layers[a] + 1 if fork else 2 * low - 1, text=label))
        words[a, b] = made[key]
    return words


def _sharing(
    labels: Mapping[tuple[str, str], str], turned: set[tuple[str, str]], end: int
) -> set[tuple[str, str]]:
    """Return the arrows that say the same as another one from the same box (end 0) or to it (end 1)."""
    said = [(arrow[end], label) for arrow, label in labels.items() if arrow not in turned]
    return {
        arrow
        for arrow, label in labels.items()
        if arrow not in turned and said.count((arrow[end], label)) > 1
    }


def _passed(
    ends: tuple[int, int],
    word: int | None,
    used: Sequence[int],
    items: list[_Item],
    lanes: dict[Any, int],
    *,
    own: bool,
) -> tuple[int, ...]:
    """Return the items from one box down to another, with lanes in the rows between.

    Arrows that leave together share their lanes; one that points upward has its own.
    """
    top, low = ends
    passed, trunk = [top], (top, low if own else -1)
    for row in used[used.index(items[top].row) + 1 : used.index(items[low].row)]:
        if word is not None and items[word].row == row:
            passed.append(word)
            trunk = (word, low if own else -1)
            continue
        if (row, trunk) not in lanes:
            lanes[row, trunk] = len(items)
            items.append(_Item(row))
        passed.append(lanes[row, trunk])
    return (*passed, low)


def _segments(layout: _Layout) -> list[_Segment]:
    """Return the pieces of all arrows once each; a net is what leaves one item, or else reaches one.

    What reaches a box with a bar does not join what reaches it with a point.
    """
    pieces = dict.fromkeys(
        (a, b, chain.upward, int(_stops(chain.label) and b == chain.items[-1]))
        for chain in layout.chains
        for a, b in itertools.pairwise(chain.items)
    )
    leaving = [a for a, _, upward, _ in pieces if not upward]
    return [
        _Segment(a, b, ("up", a, b) if upward else ("out", a, 0) if leaving.count(a) > 1 else ("in", b, bar))
        for a, b, upward, bar in pieces
    ]


def _stops(label: str) -> bool:
    return label.lower().startswith(STOPPING)


def _untangled(rows: Sequence[Sequence[int]], segments: Sequence[_Segment]) -> list[list[int]]:
    """Return the rows in the order with the fewest crossings found: sweeps, from better and better starts."""
    best = _best_sweep([list(row) for row in rows], segments)
    least = _crossings(best, segments)
    improved = True
    while improved and least:
        improved = False
        for start in _moves(best):
            swept = _best_sweep(start, segments)
            if (count := _crossings(swept, segments)) < least:
                best, least, improved = swept, count, True
                break
    return best


def _moves(rows: list[list[int]]) -> Iterator[list[list[int]]]:
    """Yield the rows with one item moved within its row, in every way."""
    for place, row in enumerate(rows):
        for item, at in itertools.product(row, range(len(row))):
            others = [one for one in row if one != item]
            if row.index(item) != at:
                yield [*rows[:place], [*others[:at], item, *others[at:]], *rows[place + 1 :]]


def _best_sweep(rows: list[list[int]], segments: Sequence[_Segment]) -> list[list[int]]:
    above = _neighbours((one.below, one.above) for one in segments)
    below = _neighbours((one.above, one.below) for one in segments)
    tried = [rows]
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        tried.append(_swept(tried[-1], above if downward else below, downward=downward))
    return min(tried, key=lambda one: _crossings(one, segments))


def _neighbours(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found


def _swept(rows: list[list[int]], fixed: Mapping[int, list[int]], *, downward: bool) -> list[list[int]]:
    """Return the rows sorted one by one by the mean place of what each item joins in the row before."""
    places: dict[int, float] = {}
    swept = []
    for row in rows if downward else reversed(rows):
        wish = {item: _mean([places[one] for one in fixed[item]]) for item in row if item in fixed}
        drawn = iter(sorted(wish, key=wish.__getitem__))
        swept.append([next(drawn) if item in wish else item for item in row])
        places |= {item: (place + 0.5) / len(row) for place, item in enumerate(swept[-1])}
    return swept if downward else swept[::-1]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _crossings(rows: Sequence[Sequence[int]], segments: Sequence[_Segment]) -> int:
    place = {item: i for row in rows for i, item in enumerate(row)}
    level = {item: i for i, row in enumerate(rows) for item in row}
    return sum(
        level[one.above] == level[two.above]
        and (place[one.above] - place[two.above]) * (place[one.below] - place[two.below]) < 0
        for one, two in itertools.combinations(segments, 2)
    )


def _fit(layout: _Layout, row: Sequence[int], kinds: Mapping[str, Look]) -> None:
    """Wrap the words of a row so that it fits the sheet; boxes of a kind get the same size."""
    items = [layout.items[i] for i in row]
    loops = dict(layout.loops)
    for item in items:
        words = loops.get(item.node, "") if item.node else ""
        item.loop = 0.25 + _text_width(words, "italic") if item.node in loops else 0.0
    written = [item for item in items if item.text]
    natural = [_natural(item, kinds) for item in written]
    room = layout.width - 2 * MARGIN - sum(_gaps(items)) - sum(item.loop for item in items)
    longest = [min(_longest_word(item, kinds), most) for item, most in zip(written, natural, strict=True)]
    least = longest if sum(longest) <= room else [0.0] * len(longest)
    cap = max(_cap_above(least, natural, room), NARROWEST)
    for item, floor in zip(written, least, strict=True):
        _wrap(item, max(cap, floor + HAIR), kinds)
    for kind in dict.fromkeys(item.kind for item in items if item.node):
        _equalise([item for item in items if item.node and item.kind == kind], items, room)


def _natural(item: _Item, kinds: Mapping[str, Look]) -> float:
    if item.node:
        return min(_text_width(item.text) + 2 * kinds[item.kind].padding, WIDEST_BOX)
    return min(_text_width(item.text, "italic") + 2 * POINT, WIDEST_TEXT)


def _longest_word(item: _Item, kinds: Mapping[str, Look]) -> float:
    """Return the width below which a word of an item would be broken."""
    style: _Slant = "normal" if item.node else "italic"
    around = kinds[item.kind].padding if item.node else POINT
    return max(_text_width(word, style) for word in _bound(item.text).split(" ")) + 2 * around


def _gaps(items: Sequence[_Item]) -> list[float]:
    """Return the least distance between each two neighbours of a row."""
    return [BOX_GAP if a.node and b.node else LANE_GAP for a, b in itertools.pairwise(items)]


def _cap(natural: Sequence[float], room: float) -> float:
    """Return the width to which the wider items must be cut so that all of them fit.

    >>> _cap([1.0, 3.0, 4.0], 6.0)
    2.5
    """
    cap = max(natural, default=0.0)
    for place, width in enumerate(sorted(natural)):
        share = room / (len(natural) - place)
        if width > share:
            return share
        room -= width
    return cap


def _cap_above(least: Sequence[float], natural: Sequence[float], room: float) -> float:
    """Return the width to which wider items must be cut, none below its least, so that all of them fit.

    >>> _cap_above([0.5, 3.5, 1.0], [1.0, 4.0, 4.0], 7.0)
    2.5
    """
    free, taken = list(zip(least, natural, strict=True)), 0.0
    while True:
        cap = _cap([most for _, most in free], room - taken)
        stuck = [low for low, most in free if cap < low and low < most]
        if not stuck:
            return cap
        free = [(low, most) for low, most in free if not (cap < low and low < most)]
        taken += sum(stuck)


def _wrap(item: _Item, cap: float, kinds: Mapping[str, Look]) -> None:
    style: _Slant = "normal" if item.node else "italic"
    padding = kinds[item.kind].padding if item.node else POINT
    widest = WIDEST_BOX if item.node else WIDEST_TEXT
    item.lines = _wrapped(item.text, min(cap, widest) - 2 * padding + HAIR, style)
    item.width = max(_text_width(line, style) for line in item.lines) + 2 * padding
    item.height = LINE_SPACING * len(item.lines) + (2 * PADDING if item.node else 0.0)


def _equalise(same: Sequence[_Item], row: Sequence[_Item], room: float) -> None:
    width = max(item.width for item in same)
    others = sum(item.width for item in row if item not in same)
    for item in same:
        item.height = max(one.height for one in same)
        item.width = width if others + width * len(same) <= room + STRAIGHT else item.width


def _row_width(layout: _Layout, row: Sequence[int]) -> float:
    items = [layout.items[i] for i in row]
    return sum(item.width + item.loop for item in items) + sum(_gaps(items)) + 2 * MARGIN


def _place_across(layout: _Layout) -> None:
    """Put the items of all rows where arrows are straightest, and the whole in the middle of the sheet.

    The variables are the places of the items, the slides of the ports, and the sums that are kept small.
    """
    items, slides = layout.items, list(layout.slack.items())
    terms = _terms(layout, {port: len(items) + i for i, (port, _) in enumerate(slides)})
    rows = [({a: 1.0, b: -1.0}, -step) for a, b, step in _steps(layout)]
    for place, (_, coefficients, shift) in enumerate(terms, start=len(items) + len(slides)):
        for sign in (1.0, -1.0):  # the absolute value of a sum is the least number above it and its negative
            rows.append(({**{i: sign * one for i, one in coefficients.items()}, place: -1.0}, -sign * shift))
    reach = [(MARGIN + one.width / 2, layout.width - MARGIN - one.width / 2 - one.loop) for one in items]
    bounds = [*reach, *((-slack, slack) for _, slack in slides), *[(0.0, None)] * len(terms)]
    cost = [0.0] * (len(items) + len(slides)) + [weight for weight, _, _ in terms]
    found = _programme(cost, rows, bounds)
    for (port, _), slide in zip(slides, found[len(items) :], strict=False):
        layout.ports[port] += round(slide, 4)
    _centre(layout, found)


def _centre(layout: _Layout, places: Sequence[float]) -> None:
    found = list(zip(layout.items, places, strict=False))
    left = min(x - item.width / 2 for item, x in found)
    right = max(x + item.width / 2 + item.loop for item, x in found)
    for item, x in found:
        item.x = round(x + (layout.width - left - right) / 2, 4)


def _steps(layout: _Layout) -> list[tuple[int, int, float]]:
    """Return for each two neighbours of a row how far apart their middles must be."""
    steps = []
    for row in layout.rows:
        gaps = _gaps([layout.items[i] for i in row])
        for (a, b), gap in zip(itertools.pairwise(row), gaps, strict=True):
            one, two = layout.items[a], layout.items[b]
            steps.append((a, b, one.width / 2 + one.loop + gap + two.width / 2))
    return steps


def _terms(layout: _Layout, slides: Mapping[_Port, int]) -> list[tuple[float, dict[int, float], float]]:
    """Return what to keep small: weight, coefficients and constant of sums whose absolute values count."""
    nets: dict[_NetName, list[_Segment]] = {}
    for one in layout.segments:
        nets.setdefault(one.net, []).append(one)
    terms = [(FAINT, {i: 1.0}, -layout.width / 2) for i in range(len(layout.items))]
    terms += [(SLIDING, {i: 1.0}, 0.0) for i in slides.values()]
    for pieces in nets.values():
        for one in pieces:
            out, into = (one.above, "out", one.net), (one.below, "in", one.net)
            ends = {one.above: 1.0, one.below: -1.0}
            ends |= {slides[port]: sign for port, sign in ((out, 1.0), (into, -1.0)) if port in slides}
            shift = layout.ports.get(out, 0.0) - layout.ports.get(into, 0.0)
            terms.append((STRONG if len(pieces) == 1 else WEAK, ends, shift))
        terms += [_even(layout, pieces)] if len(pieces) > 1 else []
    return terms


def _even(layout: _Layout, pieces: Sequence[_Segment]) -> tuple[float, dict[int, float], float]:
    """Return the term that holds the stem of a fork or join over the middle of its ends."""
    place = {item: i for row in layout.rows for i, item in enumerate(row)}
    forks = pieces[0].net[0] == "out"
    stem = pieces[0].above if forks else pieces[0].below
    ends = sorted((one.below if forks else one.above for one in pieces), key=place.__getitem__)
    middle = [ends[0], ends[-1]] if len(ends) % 2 == 0 else [ends[len(ends) // 2]]
    return MIDDLE, {stem: 2.0, **dict.fromkeys(middle, -2.0 / len(middle))}, 0.0


def _set_ports(layout: _Layout) -> None:
    """Set where along its edge each net leaves or reaches a box, in the order of what lies beyond."""
    beyond: dict[tuple[int, str], dict[_NetName, list[float]]] = {}
    for one in layout.segments:
        beyond.setdefault((one.above, "out"), {}).setdefault(one.net, []).append(layout.items[one.below].x)
        beyond.setdefault((one.below, "in"), {}).setdefault(one.net, []).append(layout.items[one.above].x)
    for (index, side), nets in beyond.items():
        width = layout.items[index].width
        step = (width - 2 * min(FLAT, width / 4)) / (len(nets) + 1)
        for place, net in enumerate(sorted(nets, key=lambda net: (_mean(nets[net]), net))):
            layout.ports[index, side, net] = step * (place - (len(nets) - 1) / 2)
            if layout.items[index].node:
                layout.slack[index, side, net] = step * 0.3


def _place_down(layout: _Layout) -> None:
    """Give each row its height and each gap the tracks that its arrows need to run across."""
    top = MARGIN
    for place, row in enumerate(layout.rows):
        items = [layout.items[i] for i in row]
        height = max(item.height for item in items)
        for item in items:
            item.y = top + height / 2
        layout.height = top + height + MARGIN
        below = [one for one in layout.segments if one.above in row]
        if place + 1 < len(layout.rows):
            top += height + _gap_height(layout, place, below, top + height)


def _gap_height(layout: _Layout, place: int, segments: Sequence[_Segment], top: float) -> float:
    levels = _levels(layout, segments)
    for net, level in levels.items():
        layout.across[place, net] = top + STUB + level * TRACK
    reached = any(layout.items[i].node for i in layout.rows[place + 1])
    tracks = max(levels.values(), default=0) * TRACK if levels else 0.0
    return STUB + tracks + (ARROW_STUB if reached else STUB)


class _Net(NamedTuple):
    """One net of a gap: where its arrows come down to it, and where they go down from it."""

    name: _NetName
    tops: tuple[float, ...]
    feet: tuple[float, ...]

    @property
    def span(self) -> tuple[float, float]:
        """Return the leftmost and the rightmost place that it reaches."""
        return min(*self.tops, *self.feet), max(*self.tops, *self.feet)


def _levels(layout: _Layout, segments: Sequence[_Segment]) -> dict[_NetName, int]:
    """Return the track, counted from the top, of each net that runs across; the order crosses least."""
    nets = []
    for name in dict.fromkeys(one.net for one in segments):
        own = [one for one in segments if one.net == name]
        tops, feet = (tuple(layout.port(one, side) for one in own) for side in ("out", "in"))
        nets.append(_Net(name, tops, feet))
    bent = [net for net in nets if net.span[1] - net.span[0] >= STRAIGHT]
    orders = itertools.permutations(bent) if len(bent) <= ALL_ORDERS else [tuple(bent)]
    best = min(orders, key=_order_cost)
    return _stacked(best)


def _overlap(one: _Net, two: _Net) -> bool:
    return one.span[0] - LANE_GAP < two.span[1] and two.span[0] - LANE_GAP < one.span[1]


def _stacked(order: Sequence[_Net]) -> dict[_NetName, int]:
    levels: dict[_NetName, int] = {}
    for place, net in enumerate(order):
        levels[net.name] = 1 + max(
            (levels[one.name] for one in order[:place] if _overlap(one, net)), default=-1
        )
    return levels


def _order_cost(order: Sequence[_Net]) -> int:
    """Return how many lines cross when earlier nets run above later ones; lines upon each other count ten."""
    cost = max(_stacked(order).values(), default=0)
    for upper, lower in itertools.combinations(order, 2):
        cost += 4 * sum(lower.span[0] < x < lower.span[1] for x in upper.feet)
        cost += 4 * sum(upper.span[0] < x < upper.span[1] for x in lower.tops)
        cost += 40 * sum(abs(x - y) < LANE_GAP / 2 for x in upper.feet for y in lower.tops)
    return cost


def _sheet(width: float, height: float) -> tuple[Canvas, Axes]:
    figure, (axis,) = canvas(height)
    figure.set_layout_engine("none")
    figure.set_size_inches(width, height)
    axis.set_position((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.set_axis_off()
    return figure, axis


def _draw(axis: Axes, layout: _Layout, kinds: Mapping[str, Look]) -> None:
    rows = {i: place for place, row in enumerate(layout.rows) for i in row}
    nets = {(one.above, one.below, one.net[0] == "up"): one for one in layout.segments}
    lines = []
    for chain in layout.chains:
        pieces = [nets[a, b, chain.upward] for a, b in itertools.pairwise(chain.items)]
        points = [point for one in pieces for point in _points(layout, one, rows[one.above])]
        lines.append(_draw_head(axis, points[::-1] if chain.upward else points, chain.label))
    _draw_lines(axis, lines)
    for item in layout.items:
        if item.node:
            _draw_box(axis, item, kinds[item.kind])
        elif item.text:
            _draw_words(axis, item)
    for node, words in layout.loops:
        _draw_loop(axis, next(item for item in layout.items if item.node == node), words)


def _points(layout: _Layout, one: _Segment, row: int) -> list[tuple[float, float]]:
    start, end = layout.port(one, "out"), layout.port(one, "in")
    top, low = layout.items[one.above].bottom, layout.items[one.below].top
    across = layout.across.get((row, one.net))
    if across is None:
        return [(end, top), (end, low)]
    return [(start, top), (start, across), (end, across), (end, low)]


def _draw_head(axis: Axes, points: Sequence[tuple[float, float]], label: str) -> Path:
    """Draw the head of an arrow, and return the line that leads to it."""
    from matplotlib.patches import Polygon

    (x, y), (_, before) = points[-1], points[-2]
    way = 1 if y >= before else -1
    stops = _stops(label)
    tip = y - way * (0.02 if stops else 0.0)
    half, length = (HEAD_WIDTH, 0.028) if stops else (HEAD_WIDTH / 2, HEAD_LENGTH)
    corners = [(x - half, tip), (x + half, tip)] if stops else [(x, tip)]
    corners += [(x + half, tip - way * length), (x - half, tip - way * length)]
    axis.add_patch(Polygon(corners, closed=True, facecolor=theme.INK, edgecolor="none", zorder=3))
    return _rounded([*points[:-1], (x, tip - way * length * 0.8)], CORNER)


def _draw_lines(axis: Axes, lines: Sequence[Path]) -> None:
    """Draw all lines as one shape, so that those upon each other look no thicker than others."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if lines:
        whole = Path.make_compound_path(*lines)
        axis.add_patch(PathPatch(whole, facecolor="none", edgecolor=theme.INK, linewidth=1.0, zorder=1))


def _rounded(points: Sequence[tuple[float, float]], radius: float, *, closed: bool = False) -> Path:
    """Return a line through the points with round corners; a corner takes at most half of a side."""
    import numpy as np
    from matplotlib.path import Path

    kept = [np.array(one) for one, _ in itertools.groupby(points)]
    count = len(kept)
    codes, drawn = [Path.MOVETO], [kept[0]]
    if closed:
        drawn = [(kept[0] + kept[1]) / 2]
    for place in range(1, count + 1 if closed else count - 1):
        a, corner, b = kept[place - 1], kept[place % count], kept[(place + 1) % count]
        near, far = (_towards(corner, end, radius) for end in (a, b))
        drawn += [near, near + 0.55 * (corner - near), far + 0.55 * (corner - far), far]
        codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    end = [drawn[0]] if closed else [kept[-1]]
    return Path([*drawn, *end], [*codes, Path.CLOSEPOLY if closed else Path.LINETO])


def _towards(corner: Any, end: Any, radius: float) -> Any:
    length = float(((end - corner) ** 2).sum() ** 0.5)
    return corner + (end - corner) * min(radius / length, 0.5) if length else corner


def _draw_box(axis: Axes, item: _Item, look: Look) -> None:
    _draw_outline(axis, look, (item.x, item.y), (item.width, item.height), item.node)
    for place, line in enumerate(item.lines):
        _write(axis, item.x, item.y + LINE_SPACING * (place - (len(item.lines) - 1) / 2), line)


def _draw_outline(
    axis: Axes, look: Look, centre: tuple[float, float], size: tuple[float, float], name: str
) -> None:
    from matplotlib.patches import PathPatch

    color = theme.now(look.color)
    fill = _tint(color, look.fill)
    line: dict[str, Any] = {"edgecolor": color, "linewidth": look.width, "linestyle": look.line}
    path = _outline(look.corners, centre, size)
    axis.add_patch(PathPatch(path, facecolor=fill, zorder=2, label=name, **line))
    if look.extra == "double":
        inner = _outline(look.corners, centre, (size[0] - 0.064, size[1] - 0.064))
        axis.add_patch(PathPatch(inner, facecolor="none", zorder=2.1, **line))
    if look.extra == "bars":
        left, right = centre[0] - size[0] / 2 + 0.05, centre[0] + size[0] / 2 - 0.05
        top, low = centre[1] - size[1] / 2, centre[1] + size[1] / 2
        axis.vlines([left, right], top, low, color=color, linewidth=look.width, zorder=2.1)


def _tint(color: str, share: float) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(round(1 - share * (1 - one), 4) for one in to_rgb(color))


def _outline(corners: str, centre: tuple[float, float], size: tuple[float, float]) -> Path:
    (x, y), (width, height) = centre, size
    left, right, top, low = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    cut = {"hexagon": min(0.13, height / 2), "cut": min(0.08, height / 3)}.get(corners, 0.0)
    rise = height / 2 if corners == "hexagon" else cut
    points = [
        (left + cut, top),
        (right - cut, top),
        (right, top + rise),
        (right, low - rise),
        (right - cut, low),
        (left + cut, low),
        (left, low - rise),
        (left, top + rise),
    ]
    radius = {"round": min(0.09, height / 4), "pill": min(height / 2, 0.2)}.get(corners, 0.0)
    return _rounded(list(dict.fromkeys((round(a, 5), round(b, 5)) for a, b in points)), radius, closed=True)


def _draw_words(axis: Axes, item: _Item) -> None:
    from matplotlib.patches import Rectangle

    corner = (item.x - item.width / 2, item.top)
    axis.add_patch(
        Rectangle(corner, item.width, item.height, facecolor=theme.PAPER, edgecolor="none", zorder=1.5)
    )
    for place, line in enumerate(item.lines):
        _write(axis, item.x, item.top + LINE_SPACING * (place + 0.5), line, style="italic")


def _write(axis: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write one line whose capitals are centred at a height."""
    baseline = y + 0.34 * theme.FONT_SIZE * POINT
    look: dict[str, Any] = {"ha": "center", "va": "baseline", "zorder": 4, "parse_math": False, **options}
    axis.text(x, baseline, text, **look)


def _draw_loop(axis: Axes, item: _Item, words: str) -> None:
    from matplotlib.patches import FancyArrowPatch

    edge, reach = item.x + item.width / 2, item.height / 4
    arrow = FancyArrowPatch(
        (edge, item.y - reach),
        (edge, item.y + reach),
        connectionstyle="arc3,rad=-1.2",
        arrowstyle="-|>,head_length=4,head_width=2.4",
        shrinkA=0,
        shrinkB=0,
        color=theme.INK,
        linewidth=1.0,
        label=f"{item.node} → {item.node}",
    )
    axis.add_patch(arrow)
    _write(axis, edge + 0.22, item.y, words, ha="left", style="italic")


class _Legend(NamedTuple):
    places: tuple[tuple[str, float, float], ...]
    height: float


def _legend(kinds: Mapping[str, Look], width: float) -> _Legend:
    """Return where under the diagram each kind is explained; a single kind needs no explanation."""
    named = [kind for kind in kinds if kind]
    if len(kinds) < 2:
        return _Legend((), 0.0)
    lines: list[list[str]] = [[]]
    for kind in named:
        row = [*lines[-1], kind]
        lines[-1:] = [row] if sum(map(_entry_width, row)) <= width or not lines[-1] else [lines[-1], [kind]]
    places = []
    for place, line in enumerate(lines):
        x = (width - sum(map(_entry_width, line)) + 0.16) / 2
        for kind in line:
            places.append((kind, x, 0.2 + 0.21 * place))
            x += _entry_width(kind)
    return _Legend(tuple(places), 0.34 + 0.21 * (len(lines) - 1))


def _entry_width(kind: str) -> float:
    return 0.36 + _text_width(_kind_words(kind)) + 0.16


def _kind_words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _draw_legend(axis: Axes, legend: _Legend, kinds: Mapping[str, Look], top: float) -> None:
    for kind, x, y in legend.places:
        _draw_outline(axis, kinds[kind], (x + 0.15, top + y), (0.3, 0.15), "")
        _write(axis, x + 0.36, top + y, _kind_words(kind), ha="left", color=theme.MUTED)
