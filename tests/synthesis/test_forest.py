import math
from dataclasses import replace
from itertools import permutations
from statistics import NormalDist

import pytest

import evidence
from evidence.questions import Arm, Study
from evidence.stats import compare, pool
from evidence.synthesis.forest import (
    MIXED,
    MIXED_HERE,
    NEITHER,
    ONE_STUDY,
    SHARED,
    SIDE_BY_SIDE,
    TOGETHER,
    UNLIKE,
    forest,
    names_of,
    proportion_forest,
)
from evidence.synthesis.safety import asked_alike

from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
Z = NormalDist().inv_cdf(0.975)
# The first five trials of the BCG vaccine (Colditz and others, JAMA 1994;271:698-702): events and patients.
BCG = [(4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220), (62, 13598, 248, 12867), (33, 5069, 47, 5808)]


def pooled_directly(fours, measure="RR", tau2="REML", ci="HKSJ-adhoc"):
    effects = [compare(*four, measure=measure) for four in fours]
    z = 2 * 1.959963984540054
    y = [math.log(one.estimate) for one in effects]
    v = [(math.log(one.high / one.low) / z) ** 2 for one in effects]
    return pool(y, v, tau2=tau2, ci=ci)


@pytest.mark.parametrize("measure", ["RR", "OR"])
@pytest.mark.parametrize("method", ["REML", "DL", "PM", "FE"])
def test_the_subtotal_is_what_pool_gives(tmp_path, measure, method):
    data = of_counts(tmp_path, BCG)
    made = forest(["cured_6m"], data, evidence.Parameters(pooling_method=method, effect_measure=measure))
    direct = pooled_directly(BCG, measure, method, "Wald" if method == "FE" else "HKSJ-adhoc")
    summary = made.groups[0].summary
    shown = (summary.estimate, summary.low, summary.high)
    assert shown == pytest.approx([math.exp(x) for x in (direct.estimate, direct.low, direct.high)])
    assert (summary.q, summary.i2, summary.tau2) == pytest.approx((direct.q, direct.i2, direct.tau2))
    assert [row.weight for row in made.rows] == pytest.approx(list(direct.weights))
    assert sum(row.weight for row in made.rows) == pytest.approx(100)


def test_no_study_is_lost_and_the_order_does_not_matter(tmp_path):
    found = set()
    for place, order in enumerate(list(permutations(BCG[:3]))):
        made = forest(["cured_6m"], of_counts(tmp_path / str(place), order), P)
        assert len(made.rows) == 3
        assert {row.study.four for row in made.rows} == set(BCG[:3])
        found.add(round(made.groups[0].summary.estimate, 10))
    assert len(found) == 1


def test_a_prediction_interval_needs_three_studies(tmp_path):
    two, five = (
        forest(["cured_6m"], of_counts(tmp_path / str(k), BCG[:k]), P).groups[0].summary for k in (2, 5)
    )
    assert math.isnan(two.pi_low)
    assert five.pi_low < five.low < five.high < five.pi_high


def test_one_study_is_itself(tmp_path):
    made = forest(["cured_6m"], of_counts(tmp_path, BCG[:1]), P)
    direct = compare(*BCG[0])
    assert (made.rows[0].estimate, made.rows[0].low) == (direct.estimate, direct.low)
    assert made.groups[0].summary is None
    assert made.groups[0].reason == ONE_STUDY
    assert math.isnan(made.rows[0].weight)


def test_two_studies_are_secondary_with_wald_beside(tmp_path):
    made = forest(["cured_6m"], of_counts(tmp_path, BCG[:2]), P)
    summary = made.groups[0].summary
    assert summary.secondary
    assert made.groups[0].reason == SIDE_BY_SIDE
    assert summary.low < summary.wald_low < summary.wald_high < summary.high


def mixed(folder):
    tables = emptied()
    for place, said in enumerate(["yes", "yes", "yes", "no", "no", "no"]):
        study(tables, f"t{place}", BCG[place % 5], randomised=said)
    return dataset(folder, tables)


def test_designs_are_never_pooled_but_as_a_sensitivity(tmp_path):
    data = mixed(tmp_path)
    made = forest(["cured_6m"], data, P)
    assert [group.label for group in made.groups] == ["Randomised", "Not randomised"]
    assert (made.total, made.reason) == (None, MIXED)
    assert made.test.df == 1
    together = forest(["cured_6m"], data, P, together=True)
    assert (together.total.label, together.total.k, together.reason) == (TOGETHER, 6, MIXED_HERE)
    assert sum(row.weight for row in together.rows) == pytest.approx(100)


def test_rows_that_share_patients_are_never_pooled(tmp_path):
    tables = emptied()
    study(tables, "whole", BCG[0], label="Whole", population="adults")
    study(tables, "part", BCG[1], label="Part", population="children", parent_study_id="whole")
    tables["questions"].append(
        {**tables["questions"][0], "question_id": "children", "population": "children"}
    )
    made = forest(["cured_6m", "children"], dataset(tmp_path, tables), P)
    assert len(made.rows) == 2
    assert made.groups[0].summary is None
    assert made.groups[0].reason == SHARED
    assert made.test is None


def test_studies_that_say_nothing_of_a_ratio_stay_and_are_named(tmp_path):
    fours = [(4, 30, 0, 30), (0, 20, 0, 20), (10, 30, 5, 30), (12, 30, 6, 30)]
    data = of_counts(tmp_path, fours)
    ratio = forest(["cured_6m"], data, P)
    assert len(ratio.rows) == 4
    assert math.isnan(ratio.rows[1].estimate)
    assert ratio.rows[1].weight == 0
    summary = ratio.groups[0].summary
    assert (summary.k, summary.zero_cells) == (
        3,
        "0.5 added to every cell in 1 study; 1 study with no events, or only events, in both arms left out of the ratio",
    )
    difference = forest(["cured_6m"], data, P, measure="RD")
    assert difference.groups[0].summary.k == 4
    assert difference.rows[1].weight > 0


def test_what_is_taken_together_is_said(tmp_path):
    tables = emptied()
    for place, population in enumerate(["adults", "adults", "children"]):
        study(tables, f"t{place}", BCG[place], population=population)
    tables["questions"][0]["population"] = ""
    made = forest(["cured_6m"], dataset(tmp_path, tables), P)
    told = "Taken together across populations (adults, children). Definition not printed by any study."
    assert made.notes == (told,)


def test_groups_by_treatment_have_subtotals_and_a_test_and_no_total_over_drugs(tmp_path):
    tables = emptied()
    for place in range(6):
        study(tables, f"t{place}", BCG[place % 5], node="drug" if place < 3 else "other")
    tables["questions"].append({**tables["questions"][0], "question_id": "other", "treatment": "other"})
    made = forest(["cured_6m", "other"], dataset(tmp_path, tables), P, by="treatment")
    assert [len(group.rows) for group in made.groups] == [3, 3]  # both drugs have the label "Drug"
    assert (made.total, made.reason) == (None, NEITHER)
    assert made.test.df == 1
    assert len(made.frame()) == 6 + 2


def arm(label, events, n, **changes):
    values = {"study_id": label, "family": label, "label": label, "year": "", "allocation": "not randomised"}
    values |= {"design": "single_arm", "population": "adults", "when": "6 weeks", "analysis_set": "treated"}
    values |= {"node": "drug", "dose": "", "treatment": Arm("Drug", events, n, "", ""), "comparator": None}
    return Study(**values | changes)


def test_proportions_have_the_interval_asked_for_and_the_median_study():
    arms = [arm("A", 0, 20), arm("B", 5, 30), arm("C", 9, 40)]
    made = proportion_forest([("", arms)], replace(P, proportion_method="clopper-pearson"))
    assert made.rows[0].low == 0
    assert made.rows[0].high == pytest.approx(1 - 0.025 ** (1 / 20))
    wilson = proportion_forest([("", arms)], replace(P, proportion_method="wilson"))
    assert wilson.rows[0].high == pytest.approx(Z**2 / (20 + Z**2))
    assert wilson.notes[0] == "Intervals of rates: Wilson."
    assert made.groups[0].summary.label == "Proportion in the median study"
    assert asked_alike(arms)


def test_what_was_not_asked_alike_is_not_pooled():
    arms = [arm("A", 1, 20), arm("B", 5, 30, when="24 weeks")]
    assert not asked_alike(arms)
    made = proportion_forest([("", arms)], P, alike=False)
    assert made.groups[0].summary is None
    assert made.groups[0].reason == UNLIKE


def test_rows_of_one_name_get_names_of_their_own():
    same = [
        arm("A", 1, 20),
        arm("A", 2, 20, treatment=Arm("High", 2, 20, "", "")),
        arm("A", 3, 20, when="1 day"),
    ]
    assert len(set(names_of(same))) == 3
