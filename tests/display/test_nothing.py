"""Where there is nothing to show or to estimate, that is said, and nothing is drawn or printed in its place."""

from dataclasses import replace

import pytest

import evidence
from evidence import display
from evidence import format as fmt
from evidence.display.explorer import _difference, _places, _ratio, _risk, payload
from evidence.stats import proportion
from evidence.synthesis.explorer import explore

from ..synthesis.invented import dataset, emptied, of_counts

P = evidence.Parameters()
NONE = float("nan")


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """Return data that ask one question, and hold no study."""
    return dataset(tmp_path_factory.mktemp("silent"), emptied())


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return data of one trial with one question."""
    return of_counts(tmp_path_factory.mktemp("alone"), [(30, 50, 20, 50)])


@pytest.fixture(scope="module")
def eventless(tmp_path_factory):
    """Return data of three trials in which nobody had the event."""
    return of_counts(tmp_path_factory.mktemp("eventless"), [(0, 50, 0, 50), (0, 40, 0, 40), (0, 30, 0, 30)])


@pytest.mark.parametrize(
    "builder", [display.audit_checks_table, display.audit_undecided_table, display.influence_table]
)
def test_a_table_of_no_study_says_that_there_are_no_rows(silent, builder):
    assert [[cell.text for cell in row] for row in builder(silent, P).rows] == [["No rows in the data."]]


def test_a_question_without_a_study_has_no_analysis(silent):
    made = display.specification_table(silent, P)
    assert [cell.text for cell in made.rows[0][2:5]] == ["–", "–", "–"]
    assert "no analysis is possible" in str(display.specification_prose(silent, P)).lower()


def test_a_report_that_asks_nothing_and_one_that_recovers_nothing_say_so(alone):
    assert display.answers_table([], alone, P).caption == "No questions are asked of the data."
    assert display.recovered_table(alone).caption == "No count had to be recovered."


def test_trials_without_an_event_give_a_difference_of_nothing_and_no_ratio(eventless):
    one = evidence.answer("cured_6m", eventless, P)
    assert one.finding.pooled is None
    assert (one.difference.estimate, one.difference.method) == (0, "Mantel-Haenszel")
    assert one.control.estimate == one.treatment.estimate == 0
    (row,) = display.answers_table([one], eventless, P).rows
    assert [cell.text for cell in row].count(fmt.NOT_ESTIMABLE) == 1


def test_trials_without_an_event_are_listed_in_the_forest_and_not_pooled(eventless):
    made = display.forest_table(eventless, P)
    assert [row[0].text.partition(" (")[0] for row in made.rows] == ["Trial 0", "Trial 1", "Trial 2"]
    assert {row[3].text for row in made.rows} == {fmt.NOT_ESTIMABLE}


def test_a_trial_without_an_event_has_no_weight_among_those_that_are_pooled(tmp_path):
    data = of_counts(tmp_path, [(0, 50, 0, 50), (10, 40, 5, 40), (9, 30, 6, 30), (8, 30, 7, 30)])
    first, *others, pooled = [
        [row[place].text for place in (3, 4)] for row in display.forest_table(data, P).rows
    ]
    assert first == [fmt.NOT_ESTIMABLE, "–"]
    assert all(weight.endswith("%") and float(weight[:-1]) > 0 for _, weight in others)
    assert pooled[1] == "100%"


def test_the_explorer_keeps_trials_without_an_event_and_draws_nothing_of_them(eventless):
    (topic,) = payload(explore(eventless, P))["topics"]
    assert len(topic["names"]) == 3
    assert {str(own[0]) for model in topic["own"] for own in model} == {"None"}


def test_numbers_that_are_missing_are_not_written():
    assert [fmt.ratio_number(NONE), fmt.p_value(NONE)] == ["", ""]
    assert fmt.mean_difference(NONE, 1, 2) == fmt.NOT_ESTIMABLE


def test_an_estimate_without_limits_stands_alone():
    assert fmt.ratio(1.5, NONE, 2.0) == "1.50"
    assert fmt.mean_difference(1.5, 0.5, NONE) == "+1.50"


def test_the_explorer_draws_nothing_where_nothing_is_estimable():
    assert _places([0.5, NONE, 0.9]) is None
    assert _risk(None) == ("", "", None)
    assert _difference(None) == _ratio(None) == (fmt.NOT_ESTIMABLE, "")


def test_a_risk_without_limits_is_drawn_as_a_point():
    risk = replace(proportion(30, 50), low=NONE, high=NONE)
    assert _risk(risk) == ("600", "", [0.6, 0.6, 0.6])
