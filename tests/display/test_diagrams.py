from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path as File
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from evidence.display import diagram_figure, theme
from evidence.display.figures.draw import NO_DATA
from evidence.parameters import Parameters

DATA = File(__file__).parents[2] / "data"
COLUMNS = ["row_id", "source_id", "locator", "cites", "diagram"]
TOUCH = 0.025  # inches: an arrow ends at an outline, a bar just before it


def table(rows, names):
    head = [[f"r{i}", "paper", "Figure 1", "", "d"] for i in range(len(rows))]
    return pd.DataFrame([[*a, *b] for a, b in zip(head, rows, strict=True)], columns=[*COLUMNS, *names])


def invented(nodes, edges):
    return SimpleNamespace(
        pathway_nodes=table(nodes, ["node_id", "label", "kind"]),
        pathway_edges=table(edges, ["from_id", "to_id", "label"]),
    )


def plain(edges):
    """Return boxes of one kind named as their ids, and the arrows between them."""
    names = dict.fromkeys(end for edge in edges for end in edge[:2])
    return invented([(name, f"Box {name}", "step") for name in names], [(*edge, "")[:3] for edge in edges])


def stored(name):
    tables = {
        part: pd.read_csv(DATA / f"pathway_{part}.csv", dtype=str, keep_default_na=False)
        for part in ("nodes", "edges")
    }
    return SimpleNamespace(
        **{f"pathway_{part}": frame[frame["diagram"] == name] for part, frame in tables.items()}
    )


LONG = "A criterion with quite many words and one supercalifragilisticexpialidociousness, at 50 × 10^9/L"
CASES = {
    "chain": plain([("a", "b", "then"), ("b", "c")]),
    "cycle": plain([("a", "b", "makes"), ("b", "c"), ("c", "a", "returns")]),
    "pair both ways": plain([("a", "b", "binds"), ("b", "a", "blocks")]),
    "loop": plain([("a", "a", "again"), ("a", "b")]),
    "all to all": plain([(a, b, a + b) for a in "abc" for b in "xyz"]),
    "shortcuts": plain([("a", "b"), ("b", "c"), ("c", "d"), ("a", "c", "skips"), ("a", "d", "skips"), ("b", "d")]),
    "wide": plain([("a", f"n{i}", f"label {i}") for i in range(11)]),
    "apart": invented([("a", "One", "odd kind"), ("b", "Two", ""), ("c", "Three", "odder")], [("a", "b", "")]),
    "long": invented(
        [(name, LONG, kind) for name, kind in zip("abcde", ["drug", "decision", "receptor", "outcome", "pathway"], strict=True)],
        [("a", one, LONG) for one in "bcd"] + [("b", "e", "inhibits"), ("c", "e", "x" * 60)],
    ),
    "signs": invented([("a", "costs $5 _and_ $6 <b>", "step"), ("b", "b\n c", "step")], [("a", "b", "$x$")]),
    **{
        name: stored(name)
        for name in pd.read_csv(DATA / "pathway_nodes.csv", usecols=["diagram"])["diagram"].unique()
    },
}  # fmt: skip


def drawn(name):
    data = CASES[name]
    diagram = data.pathway_nodes["diagram"].iloc[0]
    return data, diagram_figure(data, Parameters(), diagram=diagram, caption="What leads to what.")


def boxes(figure):
    (axis,) = figure.figure.axes
    outlines = {patch.get_label(): patch.get_path() for patch in axis.patches}
    return {
        name: path for name, path in outlines.items() if name and not name.startswith("_") and "→" not in name
    }


def lines(figure):
    """Return the points of every arrow's line, apart from arrows of a box to itself."""
    (axis,) = figure.figure.axes
    found = [
        patch.get_path() for patch in axis.patches if patch.get_zorder() == 1 and "→" not in patch.get_label()
    ]
    parts = []
    for path in found:
        starts = [*np.flatnonzero(path.codes == Path.MOVETO), len(path.vertices)]
        for a, b in pairwise(starts):
            part = Path(path.vertices[a:b], path.codes[a:b])
            parts.append(part.interpolated(1).to_polygons(closed_only=False)[0])
    return parts


def words(figure):
    """Return every text with its box in inches, as the renderer places it."""
    (axis,) = figure.figure.axes
    with theme.themed():
        sheet = FigureCanvasAgg(figure.figure)
        sheet.draw()
    back = axis.transData.inverted()
    extents = [(text, text.get_window_extent(sheet.get_renderer())) for text in axis.texts]
    return [(text, Bbox(np.sort(back.transform(box.get_points()), axis=0))) for text, box in extents]


def near(box, point):
    x, y = point
    return box.x0 - TOUCH <= x <= box.x1 + TOUCH and box.y0 - TOUCH <= y <= box.y1 + TOUCH


@pytest.mark.parametrize("name", CASES)
def test_boxes_lie_apart_and_on_the_sheet(name):
    _, figure = drawn(name)
    sheet = figure.figure.get_size_inches()
    found = {box: path.get_extents() for box, path in boxes(figure).items()}
    for (one, a), (other, b) in combinations(found.items(), 2):
        apart = a.x1 < b.x0 or b.x1 < a.x0 or a.y1 < b.y0 or b.y1 < a.y0
        assert apart, f"{one} overlaps {other}"
    for box in found.values():
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= sheet[0]
        assert box.y1 <= sheet[1]


@pytest.mark.parametrize("name", CASES)
def test_every_label_is_whole_and_inside_its_box(name):
    data, figure = drawn(name)
    texts = words(figure)
    labels = dict(zip(data.pathway_nodes["node_id"], data.pathway_nodes["label"], strict=True))
    assert set(boxes(figure)) == set(labels)
    for node, path in boxes(figure).items():
        edge = path.get_extents()
        inside = [(text, box) for text, box in texts if edge.contains(*((box.p0 + box.p1) / 2))]
        written = "".join(text.get_text() for text, _ in inside).replace(" ", "")
        assert written == "".join(labels[node].split()).replace("10^9", "10⁹")
        for text, box in inside:
            assert path.contains_points(box.corners()).all(), f"{text.get_text()!r} leaves {node}"


@pytest.mark.parametrize("name", CASES)
def test_no_words_run_into_others_or_off_the_sheet(name):
    _, figure = drawn(name)
    sheet = figure.figure.get_size_inches()
    texts = words(figure)
    for (one, a), (other, b) in combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        along = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.01 or along <= 0.03, f"{one.get_text()!r} runs into {other.get_text()!r}"
    for text, box in texts:
        assert box.x0 >= 0, text.get_text()
        assert box.x1 <= sheet[0], text.get_text()
        assert box.y1 <= sheet[1], text.get_text()


@pytest.mark.parametrize("name", CASES)
def test_every_arrow_runs_from_its_box_to_its_box(name):
    data, figure = drawn(name)
    edge = {box: path.get_extents() for box, path in boxes(figure).items()}
    heads = [
        patch.get_path().get_extents() for patch in figure.figure.axes[0].patches if patch.get_zorder() == 3
    ]
    ends = []
    for line in lines(figure):
        start = [box for box, place in edge.items() if near(place, line[0])]
        head = min(
            heads,
            key=lambda one: (
                abs(one.x0 + one.x1 - 2 * line[-1][0])
                + min(abs(one.y0 - line[-1][1]), abs(one.y1 - line[-1][1]))
            ),
        )
        tips = [((head.x0 + head.x1) / 2, y) for y in (head.y0, head.y1)]
        reached = [box for box, place in edge.items() if any(near(place, tip) for tip in tips)]
        assert len(start) == len(reached) == 1
        ends.append((*start, *reached))
    rows = data.pathway_edges
    wanted = {(a, b) for a, b in zip(rows["from_id"], rows["to_id"], strict=True) if a != b}
    assert sorted(ends) == sorted(wanted)


@pytest.mark.parametrize("name", CASES)
def test_no_arrow_runs_through_a_box(name):
    _, figure = drawn(name)
    insides = [path.get_extents().padded(-TOUCH) for path in boxes(figure).values()]
    for line in lines(figure):
        path = Path(line)
        assert not any(path.intersects_bbox(box, filled=False) for box in insides)


def test_an_arrow_of_a_box_to_itself_is_drawn():
    _, figure = drawn("loop")
    assert "a → a" in [patch.get_label() for patch in figure.figure.axes[0].patches]


@pytest.mark.parametrize("name", CASES)
def test_alternative_text_states_every_arrow_and_names_every_box(name):
    data, figure = drawn(name)
    for label in data.pathway_nodes["label"]:
        assert " ".join(label.split()).replace("10^9", "10⁹") in figure.alt
    assert figure.alt.count("→") == len(data.pathway_edges)
    assert all(f"({label})" in figure.alt for label in data.pathway_edges["label"] if label.isalpha())


def test_alternative_text_reads_as_statements():
    assert drawn("chain")[1].alt == "Diagram of 3 boxes. Box a → Box b (then); Box b → Box c."
    assert drawn("apart")[1].alt.endswith("One → Two. Not connected: Three.")


@pytest.mark.parametrize("name", CASES)
def test_the_data_are_the_arrows_with_labels_and_places(name):
    data, figure = drawn(name)
    assert list(figure.data["row_id"]) == list(data.pathway_edges["row_id"])
    assert {"locator", "label", "from_label", "to_label"} <= set(figure.data)
    assert figure.data.notna().all().all()


@pytest.mark.parametrize("name", CASES)
def test_the_same_rows_give_the_same_bytes(name):
    one, two = (theme.svg(drawn(name)[1].figure) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("name", CASES)
def test_text_prints_at_nine_points_and_diagrams_of_a_page_fit_it(name):
    _, figure = drawn(name)
    width, height = figure.figure.get_size_inches()
    assert {text.get_fontsize() for text in figure.figure.axes[0].texts} == {theme.FONT_SIZE}
    if name != "long":
        assert width == theme.WIDTH
        assert height <= 9.0


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("long", "signs")])
def test_a_phone_shows_every_box_on_a_narrower_sheet_and_breaks_no_word(name):
    data, figure = drawn(name)
    small = replace(figure, figure=figure.narrow[0])
    assert small.figure.get_size_inches()[0] <= figure.figure.get_size_inches()[0]
    assert set(boxes(small)) == set(boxes(figure))
    whole = {
        word for text in (*data.pathway_nodes["label"], *data.pathway_edges["label"]) for word in text.split()
    }
    legend = {word for kind in data.pathway_nodes["kind"] for word in kind.capitalize().split()}
    said = {word for text, _ in words(small) for word in text.get_text().split()}
    pieces = {part for word in whole for part in word.split("-")}
    assert {word.strip("-") for word in said} <= whole | legend | pieces | {"×"}


def test_kinds_differ_in_outline_not_only_in_colour():
    kinds = ["group", "drug", "receptor", "pathway", "process", "step", "decision", "outcome", "new", "newer"]
    data = invented([(kind, kind, kind) for kind in kinds], [])
    figure = diagram_figure(data, Parameters(), diagram="d", caption="c")
    (axis,) = figure.figure.axes
    shapes = set()
    for patch in axis.patches:
        if patch.get_label() in kinds:
            box = patch.get_path().get_extents()
            extra = sum(
                other is not patch and near(box, other.get_path().get_extents().p0) for other in axis.patches
            )
            bars = sum(near(box, line.get_segments()[0][0]) for line in axis.collections)
            codes = tuple(patch.get_path().codes)
            bend = round(float(patch.get_path().vertices[1][0] - box.x0) / box.height, 2)
            shapes.add((codes, bend, extra, bars, patch.get_linewidth(), patch.get_linestyle()))
    assert len(shapes) == len(kinds)
    texts = [text.get_text() for text in axis.texts]
    assert all(texts.count(kind.capitalize()) == 1 for kind in kinds)


def test_arrows_that_say_the_same_share_their_words():
    data = plain([("a", one, "starts") for one in "bcd"] + [(one, "e", "ends") for one in "bcd"])
    figure = diagram_figure(data, Parameters(), diagram="d", caption="c")
    texts = [text.get_text() for text in figure.figure.axes[0].texts]
    assert texts.count("starts") == texts.count("ends") == 1


def test_a_chain_is_straight():
    _, figure = drawn("chain")
    assert {round(float(x), 3) for line in lines(figure) for x, _ in line} == {round(theme.WIDTH / 2, 3)}


def test_a_diagram_without_rows_says_so():
    figure = diagram_figure(CASES["chain"], Parameters(), diagram="other", caption="What leads to what.")
    assert NO_DATA in figure.alt
    assert figure.data.empty
