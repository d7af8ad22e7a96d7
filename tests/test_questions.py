import copy

import pytest

import evidence
from evidence.errors import ParameterError

from .conftest import TABLES, write_tables

P = evidence.Parameters()


def loaded(folder, tables):
    write_tables(folder / "data", tables)
    return evidence.load(folder / "data")


@pytest.fixture
def tables():
    return copy.deepcopy(TABLES)


def another_study(tables, study_id, **changes):
    """Add a second two-arm study of the same question, 40 of 100 against 30 of 100."""
    tables["studies"].append(
        {**tables["studies"][0], "study_id": study_id, "label": study_id, "n": "200"} | changes
    )
    for arm in copy.deepcopy(tables["arms"][:2]):
        tables["arms"].append(arm | {"study_id": study_id, "n": "100"})
    for count, events in zip(copy.deepcopy(tables["counts"][:2]), ("40", "30"), strict=True):
        tables["counts"].append(count | {"study_id": study_id, "events": events, "n": "100", "percent": ""})


def test_one_study_answers_for_itself(tmp_path, tables):
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    direct = evidence.compare(30, 50, 20, 50)
    assert (found.effect.estimate, found.effect.low, found.effect.high) == (
        direct.estimate,
        direct.low,
        direct.high,
    )
    assert found.studies == ("trial_a",)
    assert found.allocation == "randomised"
    assert found.verdict.direction == "more"


def test_parameters_change_level_and_measure(tmp_path, tables):
    data = loaded(tmp_path, tables)
    wide, narrow = (
        evidence.answer("cured_6m", data, evidence.Parameters(confidence_level=x)) for x in (0.99, 0.8)
    )
    assert wide.difference.low < narrow.difference.low < narrow.difference.high < wide.difference.high
    assert wide.verdict.direction == "uncertain"
    assert "99% CI" in wide.sentence
    assert evidence.answer("cured_6m", data, evidence.Parameters(effect_measure="OR")).effect.measure == "OR"


def test_a_study_added_by_rows_alone_enters_the_answer(tmp_path, tables):
    another_study(tables, "trial_b")
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.studies == ("trial_a", "trial_b")
    assert (found.treatment.events, found.treatment.n) == (70, 150)
    assert 1.33 < found.effect.estimate < 1.5


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("indication", "ITP", "another indication"),
        ("population", "children", "another population"),
    ],
)
def test_what_does_not_fit_is_excluded_with_its_reason(tmp_path, tables, column, value, reason):
    another_study(tables, "trial_b", **{column: value})
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.studies == ("trial_a",)
    assert set(found.excluded["reason"]) == {reason}
    assert set(found.excluded["study_id"]) == {"trial_b"}


def test_the_latest_time_in_the_window_counts_once(tmp_path, tables):
    early = [count | {"time": "3", "events": "5", "percent": ""} for count in tables["counts"]]
    tables["counts"] += early
    tables["questions"][0]["time_low"] = "1"
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.treatment.events == 30
    assert set(found.excluded["reason"]) == {"a later time of the same study counts"}


def test_a_window_in_months_takes_a_time_in_weeks(tmp_path, tables):
    for count in tables["counts"]:
        count.update(time="26", time_unit="week")
    assert evidence.answer("cured_6m", loaded(tmp_path, tables), P).studies == ()
    tables["questions"][0].update(time_low="5", time_high="7")
    assert evidence.answer("cured_6m", loaded(tmp_path / "wide", tables), P).studies == ("trial_a",)


def test_studies_that_share_patients_enter_once(tmp_path, tables):
    another_study(tables, "part", parent_study_id="trial_a")
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.studies == ("trial_a",)
    assert set(found.excluded["reason"]) == {"shares patients with an included study"}


def test_two_arms_of_one_treatment_are_added_up_and_their_sum_is_left_out(tmp_path, tables):
    tables["arms"].append({**tables["arms"][0], "arm_id": "high", "label": "High dose"})
    tables["arms"].append(
        {**tables["arms"][0], "arm_id": "both", "label": "Both doses", "combines": "drug|high", "n": "100"}
    )
    tables["counts"].append({**tables["counts"][0], "arm_id": "high", "events": "35", "percent": ""})
    tables["counts"].append(
        {**tables["counts"][0], "arm_id": "both", "events": "65", "n": "100", "percent": ""}
    )
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert (found.treatment.events, found.treatment.n) == (65, 100)


def test_nothing_that_answers_is_said_to_be_nothing(tmp_path, tables):
    tables["counts"] = []
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.treatment is None
    assert found.verdict.direction == "nothing"
    assert found.sentence == "No data on cured are available."


def test_an_unknown_question_names_those_there_are(tmp_path, tables):
    with pytest.raises(ParameterError, match="cured_6m"):
        evidence.answer("cured", loaded(tmp_path, tables), P)


def counts_of(tables, study_id, pairs):
    """Replace the events and patients of a study, drug first."""
    own = [count for count in tables["counts"] if count["study_id"] == study_id]
    for count, (events, n) in zip(own, pairs, strict=True):
        count.update(events=str(events), n=str(n), percent="")


def test_two_studies_stand_side_by_side_and_their_pool_is_secondary(tmp_path, tables):
    another_study(tables, "trial_b")
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.finding.side_by_side
    assert [round(one.estimate, 2) for one in found.finding.each] == [0.2, 0.1]
    assert "secondary" in found.effect.method
    assert found.finding.pooled.wald_low > found.effect.low
    assert "Trial A: 30 of 50" in found.sentence
    assert "trial_b: 40 of 100" in found.sentence
    assert found.verdict.direction == "uncertain"


def test_two_studies_that_both_say_more_say_more(tmp_path, tables):
    another_study(tables, "trial_b")
    counts_of(tables, "trial_b", [(60, 100), (30, 100)])
    assert evidence.answer("cured_6m", loaded(tmp_path, tables), P).verdict.direction == "more"


def test_three_studies_are_pooled_at_the_control_risk(tmp_path, tables):
    for name in ("trial_b", "trial_c"):
        another_study(tables, name)
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert not found.finding.side_by_side
    assert found.finding.pooled.k == 3
    assert found.difference.method == "RR at the control risk"
    assert found.treatment.estimate == pytest.approx(found.control.estimate * found.effect.estimate)
    assert found.sentence.startswith("Cured, 3 studies, 500 patients: ")


def test_randomised_studies_answer_and_the_others_stand_apart(tmp_path, tables):
    another_study(tables, "cohort_b", randomised="no")
    another_study(tables, "unknown_c", randomised="")
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.studies == ("trial_a",)
    assert found.effect.estimate == evidence.compare(30, 50, 20, 50).estimate
    assert [one.allocation for one in found.apart] == ["not stated", "not randomised"]
    assert set(found.excluded["reason"]) == {
        "shown apart: the answer rests on studies with allocation randomised"
    }
    assert set(found.included["study_id"]) == {"trial_a"}
    assert "Apart from these, not randomised: cohort_b, 100 more per 1,000" in found.sentence


def test_one_analysis_set_counts_and_the_question_may_prefer_one(tmp_path, tables):
    twice = [
        count | {"analysis_set": "evaluable", "events": "20", "percent": ""} for count in tables["counts"]
    ]
    tables["counts"] += twice
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert (found.treatment.events, found.treatment.n) == (30, 50)
    assert set(found.excluded["reason"]) == {"another analysis set of the same study counts"}
    tables["questions"][0]["analysis_set"] = "evaluable|randomised"
    assert evidence.answer("cured_6m", loaded(tmp_path / "b", tables), P).treatment.events == 20


def test_an_arm_that_is_a_sum_counts_where_its_parts_do_not(tmp_path, tables):
    tables["arms"][0]["node"] = "drug"
    tables["arms"].append({**tables["arms"][0], "arm_id": "high", "label": "High dose"})
    tables["arms"].append(
        {**tables["arms"][0], "arm_id": "both", "label": "Both doses", "combines": "drug|high", "n": "100"}
    )
    tables["counts"][0].update(arm_id="both", events="65", n="100", percent="")
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert (found.treatment.events, found.treatment.n) == (65, 100)


def test_no_events_in_both_arms_leave_the_difference(tmp_path, tables):
    counts_of(tables, "trial_a", [(0, 50), (0, 50)])
    found = evidence.answer("cured_6m", loaded(tmp_path, tables), P)
    assert found.effect is None
    assert found.difference.estimate == 0
    assert found.difference.low < 0 < found.difference.high
