import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import evidence
from evidence.display import (
    audit_in_short,
    beside_in_short,
    bias_in_short,
    certainty_table,
    changing_figure,
    explorer_in_short,
    limits_in_short,
    network_in_short,
    outcome_words_table,
    sensitivity_in_short,
    signs_table,
    specification_table,
    summary_table,
    unchanged_figure,
)
from evidence.display.decides import decides_words, disagreement
from evidence.display.figures.stability import curves
from evidence.display.model import DOUBT, SIGNS
from evidence.questions import answer
from evidence.synthesis.bias import RANKS

from ..synthesis.invented import dataset, emptied, of_counts

P = evidence.Parameters()
CLEAR = (45, 50, 10, 50)
BORDERLINE = (30, 50, 20, 50)  # 20 points more: one interval ends above no difference, another below


@pytest.fixture(scope="module")
def clear(tmp_path_factory):
    return of_counts(tmp_path_factory.mktemp("clear"), (CLEAR,))


@pytest.fixture(scope="module")
def borderline(tmp_path_factory):
    return of_counts(tmp_path_factory.mktemp("borderline"), (BORDERLINE,))


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("empty"), emptied())


def test_a_question_stands_in_the_figure_of_those_that_change_or_in_that_of_the_others(clear, borderline):
    for data, changes in ((clear, False), (borderline, True)):
        assert [len(curves(data, P, changing=each)) for each in (True, False)] == [changes, not changes]
    assert "Nothing to draw" in changing_figure(clear, P).alt
    assert "Nothing to draw" in unchanged_figure(borderline, P).alt


def test_the_joint_figure_tells_the_own_result_and_the_span_of_all_analyses(clear):
    figure = unchanged_figure(clear, P)
    made = curves(clear, P, changing=False)[0].specifications
    assert f"{round(1000 * next(one.estimate for one in made if one.main))} more" in figure.alt
    assert f"{round(1000 * max(one.high for one in made))} more" in figure.alt
    assert set(figure.data["question_id"]) == {"cured_6m"}
    assert f"1 by {len(made)} methods of the interval of the same counts" in figure.caption


def test_analyses_of_the_same_counts_are_called_methods(clear, tmp_path):
    (one,) = curves(clear, P, changing=False)
    assert one.only_intervals
    table = specification_table(clear, P)
    assert table.rows[0][2].text == f"{one.same} of {len(one.specifications)} methods"
    assert set(table.data["confidence_level"]) == {P.confidence_level}
    two = curves(of_counts(tmp_path, (CLEAR, (40, 50, 12, 50))), P, changing=False)
    two += curves(of_counts(tmp_path, (CLEAR, (40, 50, 12, 50))), P, changing=True)
    assert [each.only_intervals for each in two] == [False]


def test_where_difference_and_ratio_disagree_the_rule_that_decides_is_named(clear, borderline):
    (sure,) = curves(clear, P, changing=False)
    (close,) = curves(borderline, P, changing=True)
    assert decides_words([sure.answer]) == ""
    told = decides_words([sure.answer, close.answer], ["A", "B"])
    assert "the absolute difference decides: cure at 6 months (B: the difference leaves out 0" in told
    assert "the ratio includes 1)." in told
    assert told.split(" (B")[0] in certainty_table(borderline, P).note
    summary = summary_table([close.answer], borderline, P)
    assert "the absolute difference decides" in summary.note
    assert set(summary.data["confidence_level"]) == {P.confidence_level}


def test_of_two_studies_side_by_side_one_that_disagrees_is_enough(tmp_path):
    data = of_counts(tmp_path, (CLEAR, BORDERLINE))
    one = answer("cured_6m", data, P)
    assert one.finding.side_by_side
    assert disagreement(one) == "the difference leaves out 0, the ratio includes 1"
    wider = replace(one.finding.each[1], low=-0.01)
    assert disagreement(replace(one, finding=replace(one.finding, each=(one.finding.each[0], wider)))) == ""


def test_a_ratio_that_leaves_out_1_while_its_difference_includes_0_is_told(clear):
    (sure,) = curves(clear, P, changing=False)
    both = replace(sure.answer, difference=replace(sure.answer.difference, low=-0.01))
    assert disagreement(both) == "the difference includes 0, the ratio leaves out 1"


def test_the_confidence_level_moves_a_question_from_one_figure_to_the_other(borderline):
    assert curves(borderline, replace(P, confidence_level=0.6), changing=False)


def test_short_texts_count_what_the_chapter_shows(clear, borderline):
    told = "the choices lead to the same counts, and only the method of the interval varies"
    assert f"{told}; no conclusion changes." in sensitivity_in_short(clear, P).text
    changed = f"In the one comparison {told}; the conclusion of 1 changes: cure at 6 months."
    assert changed in sensitivity_in_short(borderline, P).text
    assert "All intervals are 95% confidence intervals" in sensitivity_in_short(clear, P).text
    assert re.search(r"\d+ checks of printed figures", audit_in_short(clear, P).text)
    assert "Of 1 study, 1 answers 1 question." in limits_in_short(clear, P).text
    explored = explorer_in_short(clear, P).text
    assert "combinations of choices for 1 question" in explored
    assert explored.endswith("What may be said does not depend on the choice.")
    assert explorer_in_short(borderline, P).text.endswith("What may be said depends on the choice.")


def test_results_beside_each_other_are_counted_and_a_pooled_one_is_told(tmp_path, clear, empty):
    assert "Drug against placebo: 1 result of 1 study. Nothing is pooled." in beside_in_short(clear, P).text
    three = of_counts(tmp_path / "three", (CLEAR, BORDERLINE, (20, 40, 10, 40)))
    assert "1 result of 3 studies. The one result is pooled." in beside_in_short(three, P).text
    assert (
        beside_in_short(empty, P) == network_in_short(clear, P, outcome_ids=["cured"]) == bias_in_short(empty)
    )


def test_judged_results_are_counted_from_best_to_worst():
    judged = bias_in_short(evidence.load(Path(__file__).parents[2] / "data")).text
    total = int(re.search(r"Of (\d+) results judged", judged)[1])
    told = judged.partition(" overall is ")[2].partition(".")[0]
    each = {word: int(count) for word, count in re.findall(r"(?:, | and |^)([a-z ]+?) in (\d+)", told)}
    assert sum(each.values()) == total
    assert [RANKS[word] for word in each] == sorted(RANKS[word] for word in each)
    assert ("None is at low risk." in judged) != ("low" in each)


def test_short_texts_of_an_empty_dataset_say_so(empty):
    for text in (sensitivity_in_short(empty, P), bias_in_short(empty), explorer_in_short(empty, P)):
        assert "holds no result" in text.text or "hold no result" in text.text
    assert "No rows" in outcome_words_table(empty, P).rows[0][0].text


def test_an_outcome_is_defined_only_by_studies_that_answer():
    data = evidence.load(Path(__file__).parents[2] / "data")
    asked = data.questions.groupby("outcome_id")["question_id"].agg(list)
    table = outcome_words_table(data, P)
    for rule in table.data.to_dict("records"):
        answers = [evidence.answer(one, data, P) for one in asked[rule["outcome_id"]]]
        studies = {study for one in answers for study in one.studies}
        assert rule["study_id"] in studies or (rule["study_id"] == "" and "not printed" in rule["rule"])
    assert set(table.data["outcome_id"]) == set(data.questions["outcome_id"])


def test_every_sign_of_a_number_is_explained():
    signs = [row[0].text for row in signs_table(P).rows]
    assert {*SIGNS.values(), DOUBT, "●●●●", "●○○○"} <= set(signs)
    assert len(signs) == len(set(signs))


POINTED = re.compile(r'\btitle="([^"]*)"')
ROWS = re.compile(r"rows? \w+-[a-z]\d")


def test_whatever_names_a_data_row_names_its_document_too():
    root = Path(__file__).parents[2]
    seen = 0
    for path in [root / "index.ipynb", *sorted((root / "notebooks").glob("*.ipynb"))]:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            shown = (one.get("data", {}).get("text/markdown", "") for one in cell.get("outputs", []))
            titles = [title for text in shown for title in POINTED.findall("".join(text))]
            named = [title for title in titles if ROWS.search(title)]
            bare = [title for title in named if not all(" · row" in one for one in _places_in(title))]
            assert not bare, (path.name, cell["id"], bare[:3])
            seen += len(named)
    assert seen > 2000


def _places_in(title: str) -> list[str]:
    """Return the parts of a title that name data rows, each with what stands before them."""
    rows = list(re.finditer(r"rows? \w+-[a-z]\d[\w~.-]*(?:, \w+-[a-z]\d[\w~.-]*)*", title))
    starts = [0, *(one.end() for one in rows)]
    return [title[start : one.end()] for start, one in zip(starts, rows, strict=False)]
