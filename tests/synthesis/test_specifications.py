import time

import pytest

import evidence
from evidence.synthesis.specifications import (
    EFFECT,
    EVIDENCE,
    INTERVAL,
    LEFT_OUT,
    MISSING,
    TAU2,
    TOGETHER,
    specifications,
)

from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
FOURS = [(30, 50, 20, 50), (35, 100, 15, 100), (40, 80, 30, 80)]


def test_one_study_has_an_analysis_per_effect_and_the_report_is_one_of_them(tmp_path):
    curve = specifications("cured_6m", of_counts(tmp_path, FOURS[:1]), P)
    assert len(curve.specifications) == 5
    assert [one.main for one in curve.specifications].count(True) == 1
    assert list(curve.options) == [EFFECT]
    assert set(curve.inert) == {EVIDENCE, MISSING}


def test_several_studies_add_estimators_intervals_and_each_left_out(tmp_path):
    curve = specifications("cured_6m", of_counts(tmp_path, FOURS), P)
    assert {LEFT_OUT, EFFECT, TAU2, INTERVAL} <= set(curve.options)
    assert curve.options[LEFT_OUT] == ["All", "Without Trial 0", "Without Trial 1", "Without Trial 2"]
    assert [one.main for one in curve.specifications].count(True) == 1
    main = next(one for one in curve.specifications if one.main)
    assert main.estimate == pytest.approx(curve.answer.difference.estimate)
    assert main.direction == curve.answer.verdict.direction


def test_analyses_are_sorted_distinct_and_counted(tmp_path):
    curve = specifications("cured_6m", of_counts(tmp_path, FOURS), P)
    estimates = [round(one.estimate, 6) for one in curve.specifications]
    assert estimates == sorted(estimates)
    numbers = {(round(s.estimate, 9), round(s.low, 9), round(s.high, 9)) for s in curve.specifications}
    assert len(numbers) == len(curve.specifications)
    assert curve.same == sum(one.direction == curve.answer.verdict.direction for one in curve.specifications)


def test_missing_patients_change_the_numbers_only_where_there_are_any(tmp_path):
    tables = emptied()
    study(tables, "t0", (30, 50, 20, 50))
    for arm in tables["arms"]:
        arm["n"] = "60"
    for count in tables["counts"]:
        count["analysis_set"] = "evaluable"
    curve = specifications("cured_6m", dataset(tmp_path, tables), P)
    assert curve.options[MISSING] == ["Left out", "Counted as failures", "Counted as successes"]


def test_evidence_that_leaves_no_study_is_named(tmp_path):
    tables = emptied()
    study(tables, "t0", (30, 50, 20, 50))
    for count, percent in zip(tables["counts"], ("60.0", "40.0"), strict=True):
        count.update(events="", percent=percent)
    curve = specifications("cured_6m", dataset(tmp_path, tables), P)
    assert curve.impossible == ("Printed counts only",)


def test_designs_are_taken_together_only_as_a_choice_that_is_named(tmp_path):
    tables = emptied()
    study(tables, "t0", FOURS[0])
    study(tables, "t1", FOURS[1], randomised="no")
    curve = specifications("cured_6m", dataset(tmp_path, tables), P)
    assert TOGETHER in curve.options[LEFT_OUT]
    main = next(one for one in curve.specifications if one.main)
    assert main.studies == 1


def test_a_question_without_comparator_has_no_curve(tmp_path):
    tables = emptied()
    study(tables, "t0", FOURS[0])
    tables["questions"][0]["comparator"] = ""
    curve = specifications("cured_6m", dataset(tmp_path, tables), P)
    assert curve.specifications == ()


def test_a_curve_of_five_studies_takes_little_time(tmp_path):
    data = of_counts(tmp_path, [*FOURS, (20, 60, 10, 60), (25, 70, 20, 70)])
    started = time.process_time()
    specifications("cured_6m", data, P)
    assert time.process_time() - started < 5  # about 1 s alone; other work on the machine is allowed for
