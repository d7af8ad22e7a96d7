"""Leaving one out, adding by year, and Egger's test of the studies that answer a question."""

import math
from dataclasses import replace

import pytest

import evidence
from evidence.display import influence_table
from evidence.stats import SmallStudyTest, pool_comparisons
from evidence.synthesis.forest import forest
from evidence.synthesis.influence import influence, small_studies

from .invented import of_counts

P = evidence.Parameters()
# The first trials of the BCG vaccine (Colditz and others, JAMA 1994;271:698-702): events and patients.
BCG = [(4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220), (62, 13598, 248, 12867), (33, 5069, 47, 5808)]


def studies_of(data):
    return [row.study for row in forest(["cured_6m"], data, P).rows]


def test_each_study_is_left_out_once_and_the_rest_is_pooled_as_anywhere_else(tmp_path):
    steps = influence(studies_of(of_counts(tmp_path, BCG)), P, measure="RR")
    without = [step for step in steps if step.kind == "without"]
    assert [step.k for step in without] == [4] * 5
    for place, step in enumerate(without):
        rest = pool_comparisons([four for i, four in enumerate(BCG) if i != place])
        assert (step.estimate, step.low, step.high) == (rest.estimate, rest.low, rest.high)
    assert steps[0].kind == "all"
    assert steps[0].estimate == pool_comparisons(BCG).estimate


def test_studies_are_added_by_year_and_the_last_step_is_all_of_them(tmp_path):
    known = studies_of(of_counts(tmp_path, BCG[:3]))
    years = ("2001", "1999", "")
    dated = [replace(one, year=year) for one, year in zip(known, years, strict=True)]
    steps = influence(dated, P, measure="RR")
    until = [step for step in steps if step.kind == "until"]
    assert [(step.name, step.k) for step in until] == [("1999", 1), ("2001", 3)]
    assert until[-1].estimate == steps[0].estimate


def test_of_one_study_there_is_only_the_study(tmp_path):
    steps = influence(studies_of(of_counts(tmp_path, BCG[:1])), P, measure="RR")
    assert [(step.kind, step.k) for step in steps] == [("all", 1)]


def test_counts_that_say_nothing_are_not_a_number(tmp_path):
    steps = influence(studies_of(of_counts(tmp_path, [(0, 20, 0, 20)])), P, measure="RR")
    assert math.isnan(steps[0].estimate)


@pytest.mark.parametrize("k", [3, 10])
def test_eggers_test_is_refused_below_ten_studies_with_the_reason(tmp_path, k):
    fours = [(four[0] + i, four[1], four[2] + 2 * i, four[3]) for i, four in enumerate(BCG * 2)]
    made = small_studies(studies_of(of_counts(tmp_path, fours[:k])), P, measure="RR")
    if k < 10:
        assert made == "Egger's test has too little power with 3 studies: it needs at least 10"
    else:
        assert isinstance(made, SmallStudyTest)
        assert made.k == 10


def test_nothing_to_leave_out_is_a_sentence_and_no_table(tmp_path):
    said = influence_table(of_counts(tmp_path, BCG[:1]), P)
    assert said.text.endswith("nothing, because the result rests on one study.")


def test_the_table_says_what_was_left_out_and_what_was_not_made(tmp_path):
    table = influence_table(of_counts(tmp_path, BCG[:3]), P)
    names = [row[0].text for row in table.rows]
    assert names == ["All", "Without Trial 0 (2020)", "Without Trial 1 (2020)", "Without Trial 2 (2020)"]
    assert "the result rests on several studies." in table.caption
    assert "too little power with 3 studies" in table.note
