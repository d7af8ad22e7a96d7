import math
from itertools import combinations, pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evidence.display import (
    effects_figure,
    measurement_figure,
    missing_bounds_figure,
    pairwise_figure,
    rates_figure,
    rates_over_time_figure,
    representation,
    subgroup_figure,
    theme,
)
from evidence.display.figures.draw import (
    Columns,
    Interval,
    Panel,
    columns,
    difference_scale,
    draw_panels,
    name_ticks,
    percent_scale,
    ratio_scale,
    spread_labels,
    text_width,
    wrapped,
)
from evidence.parameters import Parameters

FIGURES = {
    "rates": lambda d, p: rates_figure(
        d, p, study_id="pilot", outcome_ids=["overall_response", "complete_response"]
    ),
    "events": lambda d, p: rates_figure(
        d, p, study_id="cohort", outcome_ids=["any_event", "liver", "fatigue"]
    ),
    "course": lambda d, p: rates_over_time_figure(d, p, study_id="register", outcome_id="count_ge30"),
    "course of one": lambda d, p: rates_over_time_figure(d, p, study_id="register", outcome_id="count_ge100"),
    "bounds": lambda d, p: missing_bounds_figure(
        d, p, study_id="register", outcome_ids=["count_ge30", "count_ge100"]
    ),
    "subgroup": lambda d, p: subgroup_figure(
        d, p, study_id="pilot", outcome_ids=["complete_response"], subgroup="severity"
    ),
    "pairs": lambda d, p: pairwise_figure(d, p, study_id="cohort", outcome_id="efficacy"),
    "effects": lambda d, p: effects_figure(d, p, study_id="cohort", outcome_ids=["efficacy", "liver"]),
    "means": lambda d, p: measurement_figure(d, p, study_id="cohort", outcome_id="platelets"),
}
PAGE = (210 - 2 * 16) / 25.4  # inches of an A4 page between its margins
WITH_INTERVALS = [name for name in FIGURES if name != "means"]


def inside(ticks, labels, limits):
    low, high = sorted(limits)
    return [label for tick, label in zip(ticks, labels, strict=False) if low <= tick <= high]


def written(figure):
    """Return every text of the figure with its box in pixels, after drawing."""
    with theme.themed():
        canvas_ = FigureCanvasAgg(figure)
        canvas_.draw()
    renderer = canvas_.get_renderer()
    found = [
        text for axis in figure.axes for text in (*axis.texts, axis.title, axis._left_title, axis.xaxis.label)
    ]
    for axis in figure.axes:
        if axis.axison:
            found += inside(axis.get_xticks(), axis.get_xticklabels(), axis.get_xlim())
            found += inside(axis.get_yticks(), axis.get_yticklabels(), axis.get_ylim())
    return [(text.get_text(), text.get_window_extent(renderer)) for text in found if text.get_text().strip()]


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_clipped_or_runs_into_another(name, data, parameters):
    made = FIGURES[name](data, parameters)
    for figure in (made.figure, *made.narrow):
        boxes = written(figure)
        width, height = figure.bbox.width, figure.bbox.height
        assert boxes
        for text, box in boxes:
            assert box.x0 >= -1, f"{text!r} is cut at the left"
            assert box.x1 <= width + 1, f"{text!r} is cut at the right"
            assert box.y0 >= -1, f"{text!r} is cut at the bottom"
            assert box.y1 <= height + 1, f"{text!r} is cut at the top"
        for (one, a), (other, b) in combinations(boxes, 2):
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            along = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert across <= 1 or along <= 2, f"{one!r} runs into {other!r}"


@pytest.mark.parametrize("name", FIGURES)
def test_text_prints_at_nine_points_and_fits_the_page(name, data, parameters):
    figure = FIGURES[name](data, parameters).figure
    assert figure.get_size_inches()[0] <= PAGE
    assert figure.get_size_inches()[1] <= 9.0
    sizes = {text.get_fontsize() for axis in figure.axes for text in (*axis.texts, *axis.get_xticklabels())}
    assert sizes == {theme.FONT_SIZE}


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_caption_names_the_level_and_alt_has_numbers(name, data):
    figures = [FIGURES[name](data, Parameters(confidence_level=level)) for level in (0.95, 0.9)]
    assert "95% confidence intervals" in figures[0].caption
    assert "90% confidence intervals" in figures[1].caption
    assert "95%" not in figures[1].caption
    assert figures[0].alt != figures[1].alt or name == "bounds"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_alt_text_data_and_no_title_that_repeats_the_caption(name, data, parameters):
    figure = FIGURES[name](data, parameters)
    assert any(char.isdigit() for char in figure.alt)
    assert not figure.data.empty
    assert figure.caption.split(":")[0] not in " ".join(text for text, _ in written(figure.figure))


def test_sides_are_named_by_what_is_better(data, parameters):
    texts = [text for text, _ in written(FIGURES["subgroup"](data, parameters).figure)]
    assert "better with new drug + standard →" in texts
    assert "← better with standard alone" in texts
    harm = effects_figure(data, parameters, study_id="cohort", outcome_ids=["any_event"])
    assert "← better with first named" in [text for text, _ in written(harm.figure)]


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    rows = [Interval("one", 0.5, 0.001, 300.0, "0.50 (0.00 to 300)")]
    scale = ratio_scale([0.5, 0.001, 300.0], "ratio")
    assert (scale.low, scale.high) == (0.01, 100)
    for figure in draw_panels(Panel(rows, scale)):
        assert {line.get_marker() for axis in figure.axes for line in axis.lines} >= {"<", ">"}


def test_long_labels_are_broken_not_run_into_the_value():
    row = Interval("An arm with a very long name that goes on " * 3, 0.5, 0.4, 0.6, "50.0% (40.0 to 60.0)")
    for beside in (True, False):
        assert len(columns([row], beside=beside).lines(row)) > 1
    for figure in draw_panels(Panel([row], percent_scale(0.6, "x"))):
        boxes = written(figure)
        value = next(box for text, box in boxes if text.startswith("50.0%"))
        assert all(box.x1 < value.x0 for text, box in boxes if text.startswith("An arm"))


def test_lines_are_no_wider_than_their_room_and_lose_no_word():
    text = "A rather long label of 10 weeks that has to be broken " * 2
    lines = wrapped(text.strip(), 90)
    assert " ".join(lines).replace("\u00a0", " ") == text.strip()
    assert max(map(text_width, lines)) <= 90


def test_ticks_whose_words_would_touch_are_left_away_but_never_the_middle():
    rows = [Interval("A label as long as labels are, or longer", 0.1, -0.2, 0.4, "+10.0 (−20.0 to +40.0)")]
    for figure in draw_panels(Panel(rows, difference_scale([-0.2, 0.4], "x"), ("better", "worse"))):
        boxes = sorted(
            (box for text, box in written(figure) if text in ("−20", "0", "+20", "+40")), key=lambda b: b.x0
        )
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
        assert "0" in [text for text, _ in written(figure)]


@pytest.mark.parametrize("values", [[-0.6, 0.02], [0.01, 0.02], [math.nan], [-1.0, 1.0]])
def test_an_axis_of_differences_holds_its_values_and_zero(values):
    scale = difference_scale(values, "x")
    assert scale.low < 0 < scale.high
    assert all(scale.low <= value <= scale.high for value in values if not math.isnan(value))
    assert 3 <= len(scale.ticks) <= 10


def test_labels_keep_their_distance_and_their_order():
    placed = spread_labels([1.0, 1.01, 1.02, 9.0], gap=0.5)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(placed))
    assert placed[-1] == 9.0


def test_no_two_series_share_colour_or_marker():
    assert len({style.color for style in theme.STYLES}) == len({style.marker for style in theme.STYLES}) == 6


def test_colours_stand_out_from_paper():
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for color in (*(style.color for style in theme.STYLES), theme.INK, theme.MUTED):
        assert 1.05 / (luminance(color) + 0.05) >= 4.5, color


def test_drawing_works_without_the_projects_fonts(data, parameters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(theme, "_font_files", list)
    theme.font_family.cache_clear()
    try:
        assert theme.FALLBACK in theme.font_family()
        representation(FIGURES["rates"](data, parameters))
    finally:
        theme.font_family.cache_clear()


def test_the_theme_leaves_the_settings_of_others_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with theme.themed():
        assert mpl.rcParams["svg.fonttype"] == "path"
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("width", [60.0, 75.0, 90.0])
def test_ticks_left_away_leave_even_steps_around_no_difference(width):
    scale = difference_scale([-0.37, 0.55], "Difference")
    axis = Figure().add_subplot()
    name_ticks(axis, scale, Columns(width, 0.0, width, beside=True))
    ticks = [round(float(tick), 4) for tick in axis.get_xticks()]
    assert 0.0 in ticks
    assert len({round(right - left, 4) for left, right in pairwise(ticks)}) == 1
    assert 1 < len(ticks) < len(scale.ticks)


def test_a_line_never_ends_between_a_word_and_its_number():
    for text in (
        "Trial, drug 5 mg; week 8",
        "Any event after day 42",
        "At least 2 × baseline",
        "cohort 3; stage 4",
    ):
        for room in range(20, 160, 5):
            lines = wrapped(text, float(room))
            assert " ".join(lines).replace("\u00a0", " ") == text
            ends = (" 5", "week", "day", "2", "×", "cohort", "stage")
            assert not any(line.endswith(ends) for line in lines[:-1])


def test_the_course_of_a_mean_and_of_a_rate_is_told_with_what_is_measured(data, parameters):
    assert FIGURES["means"](data, parameters).alt.startswith("Line chart of cell count, ×10⁹/L.")
    course = FIGURES["course"](data, parameters)
    measured = course.caption.partition(": ")[2].partition(" over time")[0]
    assert course.alt.startswith(f"Small multiples over time: {measured}.")


def test_pairs_are_turned_so_that_what_is_tested_stands_first(data, parameters):
    arms = data.arms[data.arms["study_id"] == "cohort"].set_index("arm_id")
    drawn = pairwise_figure(data, parameters, study_id="cohort", outcome_id="efficacy").data
    ranks = [
        [(arms.loc[one, "role"] != "experimental", -arms.loc[one, "components"].count("+")) for one in pair]
        for pair in zip(drawn["arm1"], drawn["arm0"], strict=True)
    ]
    assert set(map(frozenset, zip(drawn["arm1"], drawn["arm0"], strict=True))) == {
        frozenset(pair)
        for pair in combinations(sorted(set(arms.index) & {*drawn["arm1"], *drawn["arm0"]}), 2)
    }
    assert all(one <= other for one, other in ranks)
    assert any(one < other for one, other in ranks)
