import copy
import math
from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

import evidence
from evidence.display import (
    absolute_table,
    forest_figure,
    forest_table,
    proportions_figure,
    representation,
    specification_figure,
    specification_prose,
    specification_table,
    theme,
)
from evidence.display.figures.forest import ALONE, LARGEST, forest_rows, heterogeneity_words
from evidence.display.figures.forest_parts import TALLEST, begun, split_rows
from evidence.display.figures.forest_rows import SPACE, Row, layout
from evidence.display.figures.lights import light_look
from evidence.display.publish import further_parts
from evidence.display.synthesis import Section, reason_words, synthesise
from evidence.synthesis.bias import SIGNS
from evidence.synthesis.forest import ONE_STUDY
from evidence.synthesis.specifications import specifications

from ..conftest import TABLES, write_tables

P = evidence.Parameters()
LONG = (
    "A trial with a very long name that goes on and on, of the International Group for Long Names in Medicine"
)
STUDIES = [
    ("one", (35, 100, 15, 100), "yes", "Trial 1"),
    ("zero", (4, 30, 0, 30), "yes", "Trial with no event"),
    ("long", (120, 300, 80, 310), "yes", LONG),
    ("none", (0, 20, 0, 20), "yes", "Trial without any event"),
    ("same", (30, 40, 10, 40), "no", "Cohort"),
    ("again", (60, 80, 20, 80), "no", "Cohort"),
    ("alone", (6, 80, 20, 80), "", "Trial of unknown allocation"),
]


def loaded(folder, studies=STUDIES, **question):
    tables = copy.deepcopy(TABLES)
    for name in ("studies", "arms", "counts"):
        tables[name] = []
    for study_id, (e1, n1, e0, n0), said, label in studies:
        tables["studies"].append(
            {**TABLES["studies"][0], "study_id": study_id, "label": label, "randomised": said}
        )
        tables["arms"] += [arm | {"study_id": study_id} for arm in copy.deepcopy(TABLES["arms"])]
        for count, (events, n) in zip(copy.deepcopy(TABLES["counts"]), ((e1, n1), (e0, n0)), strict=True):
            tables["counts"].append(
                count | {"study_id": study_id, "events": str(events), "n": str(n), "percent": ""}
            )
    tables["questions"][0].update(question)
    write_tables(folder, tables)
    return evidence.load(folder)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("single"), STUDIES[:1])


def written(figure):
    """Return every text of the figure with its box in pixels, after drawing."""
    with theme.themed():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    renderer = canvas.get_renderer()
    found = []
    for axis in figure.axes:
        found += [*axis.texts, axis.xaxis.label]
        low, high = sorted(axis.get_xlim())
        ticks = zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)
        found += [label for tick, label in ticks if low <= tick <= high]
        low, high = sorted(axis.get_ylim())
        ticks = zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)
        found += [label for tick, label in ticks if low <= tick <= high]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in found if text.get_text().strip()]


FIGURES = {
    "ratio": lambda data: forest_figure(data, P),
    "difference": lambda data: forest_figure(data, P, measure="RD"),
    "odds": lambda data: forest_figure(data, P, measure="OR"),
    "together": lambda data: forest_figure(data, P, together=True),
    "proportions": lambda data: proportions_figure(data, P, outcome_ids=["cured"]),
    "curve": lambda data: specification_figure(data, P, question_id="cured_6m"),
}


@pytest.fixture(scope="module")
def drawn(many, single):
    """Return the function that draws a figure of many or of one study, once for all tests that look at it."""
    data = {"many": many, "single": single}
    return cache(lambda name, which="many": FIGURES[name](data[which]))


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("which", ["many", "single"])
def test_no_text_is_cut_or_runs_into_another(name, which, drawn):
    made = drawn(name, which)
    for figure in (made.figure, *made.narrow):
        boxes = written(figure)
        for text, box in boxes:
            assert -1 <= box.x0 < box.x1 <= figure.bbox.width + 1, f"{text!r} is cut at a side"
            assert -1 <= box.y0 < box.y1 <= figure.bbox.height + 1, f"{text!r} is cut above or below"
        for (one, a), (other, b) in combinations(boxes, 2):
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            along = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert across <= 1 or along <= 2, f"{one!r} runs into {other!r}"


@pytest.mark.parametrize("name", ["ratio", "difference", "odds", "together"])
def test_no_word_stands_on_the_line_of_no_difference_which_has_no_gap(name, drawn):
    made = drawn(name)
    for figure in (made.figure, *made.more):
        boxes = written(figure)
        (axis,) = figure.axes
        (line,) = [one for one in axis.lines if one.get_xdata()[0] in (0, 1) and one.get_zorder() == 1]
        (x, top), (_, bottom) = axis.transData.transform(line.get_xydata())
        assert bottom == pytest.approx(axis.bbox.y0, abs=1)
        on = [text for text, box in boxes if box.x0 < x < box.x1 and bottom + 1 < box.y1 and box.y0 < top - 1]
        assert on == []


@pytest.mark.parametrize("name", FIGURES)
def test_text_prints_at_nine_points_and_a_phone_shows_it_at_eleven_pixels(name, drawn):
    made = drawn(name)
    for figure in (made.figure, *made.narrow):
        sizes = {
            text.get_fontsize() for axis in figure.axes for text in (*axis.texts, *axis.get_xticklabels())
        }
        assert sizes == {theme.FONT_SIZE}
    smallest = (made.narrow or (made.figure,))[0]
    phone = 360 - 20  # the page leaves 10 pixels at each side
    least = 11 if made.narrow else 7
    assert theme.FONT_SIZE * phone / (72 * smallest.get_size_inches()[0]) >= least


def test_no_row_is_lost_and_no_two_rows_have_one_name(many):
    made = forest_figure(many, P)
    texts = [text for text, _ in written(made.figure)]
    assert sum(text.startswith("Cohort") for text in texts) == 2
    assert len({text for text in texts if text.startswith("Cohort")}) == 2
    assert len(made.data[made.data["kind"] == "study"]) == len(STUDIES)
    for _, (e1, n1, e0, n0), _, _ in STUDIES:
        assert {f"{e1}/{n1}", f"{e0}/{n0}"} <= set(texts)


def test_the_long_name_is_broken_and_whole(many):
    rows = forest_rows(synthesise(many, P).sections)
    row = next(row for row in rows if row.left.startswith("A trial"))
    for beside in (True, False):
        lines = layout([row], beside=beside).lines(row)
        assert len(lines) > 1
        assert " ".join(lines) == f"{LONG} (2020)"


def test_squares_have_the_area_of_their_weight(many):
    rows = [
        row for row in forest_rows(synthesise(many, P).sections) if row.mark and row.mark.shape == "square"
    ]
    weighted = {row.mark.weight: row.mark.size for row in rows if row.mark.weight not in ("", "–")}
    for text, size in weighted.items():
        share = float(text.removesuffix("%")) / 100
        assert size == pytest.approx(max(3.5, LARGEST * math.sqrt(share)), abs=0.05)
    assert {row.mark.size for row in rows if not row.mark.weight} == {ALONE}


def test_an_interval_beyond_the_axis_ends_in_an_arrow_and_the_caption_says_so(tmp_path):
    made = forest_figure(loaded(tmp_path, [("t", (20, 30, 0, 300), "yes", "T")]), P)
    assert ">" in {line.get_marker() for axis in made.figure.axes for line in axis.lines}
    assert "Arrows" in made.caption
    assert "0.5 added to every cell" in made.caption


def test_a_study_without_any_event_is_named_not_estimable(many):
    texts = [text for text, _ in written(forest_figure(many, P).figure)]
    assert "not estimable" in texts
    assert "–" in texts
    assert "0/20" in texts


def test_one_study_has_no_weight_no_diamond_and_no_heterogeneity(single):
    made = forest_figure(single, P)
    texts = " ".join(text for text, _ in written(made.figure))
    assert "Heterogeneity" not in texts
    assert "Weight" not in texts
    assert "against" in made.caption.partition(":")[0]
    assert "One study" not in made.caption, "the rows show it"


def test_sides_are_told_in_words_by_what_is_better(single, tmp_path):
    texts = [text for text, _ in written(forest_figure(single, P).figure)]
    assert {"← favours placebo", "favours drug →"} <= set(texts)


def test_the_caption_says_why_nothing_is_pooled_and_what_was_done(many):
    caption = forest_figure(many, P).caption
    assert "Studies that allocated their patients in different ways are not pooled." in caption
    assert "Two studies: they stand side by side" in caption
    assert "REML with Hartung-Knapp-Sidik-Jonkman intervals, never narrowed" in caption
    assert "95% confidence intervals" in caption
    narrow = forest_figure(many, evidence.Parameters(confidence_level=0.9, pooling_method="FE")).caption
    assert "90% confidence intervals" in narrow
    assert "a common effect" in narrow


def test_all_designs_together_are_named_a_sensitivity_analysis(many):
    made = forest_figure(many, P, together=True)
    for parts in ((made.figure, *made.more), made.narrow):
        words = " ".join(text for drawing in parts for text, _ in written(drawing))
        assert "All designs together, as a sensitivity analysis only" in words, "on one line or on several"
    assert "not as an answer" in made.caption


def test_alt_text_has_every_study_with_its_numbers(many):
    alt = forest_figure(many, P).alt
    assert alt.startswith("Forest plot.")
    assert "35/100 against 15/100, risk ratio 2.33 (1.36 to 3.99)" in alt
    assert alt.count("against") == len(STUDIES)


def test_heterogeneity_is_told_in_full(many):
    summary = synthesise(many, P).sections[0].forest.groups[0].summary
    words = heterogeneity_words(summary)
    for part in ("Q = ", "df = 2", "P = ", "I² = ", "τ² = "):
        assert part in words


MANY = 60


@pytest.fixture(scope="module")
def sixty(tmp_path_factory):
    studies = [
        (
            f"t{i}",
            (5 + i % 9, 40 + i, 3 + i % 5, 41 + i),
            "yes" if i < 40 else "no",
            f"Trial {i} of {LONG}",
        )
        for i in range(MANY)
    ]
    return forest_figure(loaded(tmp_path_factory.mktemp("sixty"), studies), P)


@pytest.mark.slow
def test_a_long_forest_is_drawn_in_parts_that_a_page_holds_at_full_size(sixty):
    drawings = [sixty.figure, *sixty.more]
    assert f"Drawn in {len(drawings)} parts" in sixty.caption
    assert len(drawings) > 3
    for drawing in drawings:
        assert 72 * drawing.get_size_inches()[1] <= TALLEST
        texts = [text for text, _ in written(drawing)]
        assert {"Study (year)", "← favours placebo", "Risk ratio, logarithmic axis"} <= set(texts)
        assert {size.get_fontsize() for axis in drawing.axes for size in axis.texts} == {theme.FONT_SIZE}
    assert len({drawing.axes[0].get_xlim() for drawing in drawings}) == 1


@pytest.mark.slow
def test_every_one_of_sixty_rows_stands_in_exactly_one_part(sixty):
    found = [text for drawing in (sixty.figure, *sixty.more) for text, _ in written(drawing)]
    names = [text.split("\u00a0of ")[0] for text in found if text.startswith("Trial ")]
    assert sorted(names) == sorted(f"Trial {i}" for i in range(MANY))
    assert len(sixty.data[sixty.data["kind"] == "study"]) == MANY
    assert [text for text in found if text.startswith("Pooled")] == ["Pooled", "Pooled"]
    assert {"Randomised (continued)", "Not randomised (continued)"} <= set(found)


def test_every_part_of_a_long_forest_is_published(sixty):
    parts = further_parts(sixty)
    assert len(parts) == len(sixty.more)
    assert all("<svg" in bundle["image/svg+xml"] for bundle, _ in parts)
    assert parts[0][1]["evidence"]["alt"].startswith(f"Part 2 of {len(parts) + 1}")


row = st.builds(
    Row,
    st.just("x"),
    level=st.sampled_from([0, 0, 0, 1, 2]),
    joins=st.booleans(),
    before=st.sampled_from([0.0, 9.0]),
)


@given(st.lists(row, max_size=60), st.floats(120, 400))
def test_parts_hold_all_rows_in_order_and_never_end_in_a_heading(rows, room):
    parts = split_rows([Row("head")], rows, layout([], beside=False).height, room=room)
    kept = [one for part in parts for one in part[1:] if not one.left.endswith("(continued)")]
    assert kept == rows
    assert all(part[0].left == "head" for part in parts)
    assert not any(part[-1].level for part in parts[:-1])


def test_a_part_that_begins_with_a_section_leaves_no_line_free_below_its_head():
    part = [Row("head"), Row("two", level=1, before=15.0), Row("b0", before=15.0)]
    assert [row.before for row in begun(part, 1)] == [0.0, SPACE, 15.0]
    assert [row.left for row in begun(part, 1)] == ["head", "two", "b0"]


def test_proportions_that_a_page_holds_are_drawn_in_one_piece(tmp_path):
    one = (3, 30, 2, 31)
    figure = proportions_figure(
        loaded(tmp_path, [(f"s{place}", one, "yes", f"Trial {place}") for place in range(8)]),
        P,
        outcome_ids=["cured"],
    )
    assert len(figure.data) == 16
    assert not figure.more
    assert 300 < 72 * figure.figure.get_size_inches()[1] < TALLEST


def test_a_judgement_of_bias_gets_a_sign_of_its_own():
    from evidence.display.figures.draw import ratio_scale
    from evidence.display.figures.forest import _drawn
    from evidence.display.figures.forest_rows import Mark

    mark = Mark(1, 0.5, 2, "square", 6, ("1/2", "1/2"), "100%", "high")
    rows = [Row("head"), Row("head"), Row("T", "1.00 (0.50 to 2.00)", mark=mark)]
    figure = _drawn(rows, ratio_scale([0.5, 2], "x"), layout(rows, beside=True), ("favours a", "favours b"))
    assert "×" in [text for text, _ in written(figure)]
    assert light_look("high").color in {line.get_markerfacecolor() for line in figure.axes[0].lines}


def test_judgements_differ_in_sign_or_shape_and_not_in_colour_alone():
    told = {
        (SIGNS[name], light_look(name).marker)
        for name in ("low", "some concerns", "unclear", "high", "critical")
    }
    assert len(told) == 5


def test_where_nothing_answers_the_figure_and_tables_say_so(many):
    for made in (forest_figure(many, P, indication="ITP"), proportions_figure(many, P, outcome_ids=[])):
        assert "no rows" in made.alt
    for table in (forest_table(many, P, indication="ITP"), specification_table(many, P, indication="ITP")):
        assert len(table.rows) == 1


def test_tables_hold_every_study_and_each_design_apart(many):
    shown = [row[0].text for row in forest_table(many, P).rows]
    assert len([name for name in shown if not name.startswith(("Pooled", "Together"))]) == len(STUDIES)
    lines = [row[1].text for row in absolute_table(many, P).rows]
    assert any("(randomised)" in line for line in lines)
    assert any("(not randomised)" in line for line in lines)
    assert any("(randomisation not stated in what was read)" in line for line in lines)


def test_the_curve_says_in_how_many_analyses_the_conclusion_is_the_same(many):
    figure = specification_figure(many, P, question_id="cured_6m")
    assert "is the same in" in figure.caption
    assert "is the same in" in specification_prose(many, P).text
    assert len(figure.data) == figure.data["rank"].max()
    assert "The report’s own:" in figure.alt


def test_no_analysis_has_the_colour_of_a_treatment(many):
    curve = specifications("cured_6m", many, P)
    assert curve.same < len(curve.specifications), "some analyses have another conclusion"
    figure = specification_figure(many, P, question_id="cured_6m").figure
    used = {line.get_color() for axis in figure.axes for line in axis.get_lines()}
    assert used
    assert used.isdisjoint(style.color for style in theme.STYLES)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_on_every_run(name, many):
    one, other = (representation(FIGURES[name](many))[0]["image/svg+xml"] for _ in range(2))
    assert one == other


def test_a_reason_is_said_of_the_sections_that_it_is_true_of(many):
    whole = synthesise(many, P).sections[0].forest
    bare = replace(whole, groups=(), reason="Kept apart.")
    one = replace(whole, groups=(replace(whole.groups[0], rows=whole.groups[0].rows[:1]),), reason=ONE_STUDY)
    assert reason_words([Section("Response", bare), Section("Cure", bare)]) == "Kept apart."
    told = reason_words([Section("Response", bare), Section("Cure", replace(bare, reason=""))])
    assert told == "Response: kept apart."
    alone = replace(one, groups=(replace(one.groups[0], summary=None, reason=""),))
    assert reason_words([Section("Cure", alone)]) == "", "one row shows that it is one study"
    assert ONE_STUDY not in reason_words([Section("Cure", replace(whole, reason=ONE_STUDY))])


def test_a_section_that_fits_a_part_is_not_divided_and_parts_are_even():
    rows = [Row("one", level=1), *(Row(f"a{place}") for place in range(6))]
    rows += [Row("two", level=1), *(Row(f"b{place}") for place in range(3))]
    parts = split_rows([Row("head")], rows, lambda _: 10.0, room=60.0)
    assert [[row.left for row in part[1:]] for part in parts] == [
        ["one", "a0", "a1", "a2"],
        ["one (continued)", "a3", "a4", "a5"],
        ["two", "b0", "b1", "b2"],
    ]
