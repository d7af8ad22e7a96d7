from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.stats import bucher, compare, proportion
from evidence.synthesis.connect import connect
from evidence.synthesis.indirect import absolute_effects, baseline_risk, close_loop, effects_by_tau
from evidence.synthesis.transitivity import judgement, respects

from .invented_network import World, star

P = Parameters()


def linked(world=None, **choice):
    return connect(world or star(), P, outcome_ids=["cured"], **choice)


def loop(world, **choice):
    names = {"treatment": "alpha", "comparator": "beta", "through": "placebo"}
    return close_loop(world, P, outcome_id="cured", **names, **choice)


def test_the_baseline_is_the_reference_arms_own_risk():
    one = baseline_risk(linked(treatments=["beta", "placebo"]), "placebo")
    wilson = proportion(3, 48)
    assert (one.events, one.n, one.k) == (3, 48, 1)
    assert (one.estimate, one.low, one.high) == pytest.approx((wilson.estimate, wilson.low, wilson.high))
    both, total = baseline_risk(linked(), "placebo"), proportion(7, 88)
    assert (both.events, both.n, both.k) == (7, 88, 2)
    assert (both.estimate, both.low, both.high) == pytest.approx((total.estimate, total.low, total.high))
    with pytest.raises(StatisticsError, match="no arm has gamma"):
        baseline_risk(linked(), "gamma")


def test_absolute_effects_follow_from_the_ratio_and_never_exceed_everyone():
    found = linked()
    base = baseline_risk(found, "placebo")
    result = found.network("OR", reference="placebo", tau=0.5)
    frame = absolute_effects(result, base)
    at = result.treatments.index("beta")
    ratio = math.exp(result.estimate[at, 0])
    odds = base.estimate / (1 - base.estimate) * ratio
    wanted = odds / (1 + odds)
    row = frame.query("treatment1 == 'beta' and treatment0 == 'placebo'").iloc[0]
    assert row["risk1"] == pytest.approx(wanted)
    assert row["difference"] == pytest.approx(wanted - base.estimate)
    assert (frame[["risk1", "risk1_high"]] <= 1).all(axis=None)
    assert frame[["low", "high"]].abs().max(axis=None) <= 1
    assert (frame["low"] <= frame["difference"]).all()
    assert (frame["difference"] <= frame["high"]).all()
    assert (frame["risk1"].between(frame["risk1_low"], frame["risk1_high"])).all()


def test_differences_mirror_each_other_and_are_the_same_every_time():
    found = linked()
    result, base = found.network("OR", reference="placebo"), baseline_risk(found, "placebo")
    frame = absolute_effects(result, base).set_index(["treatment1", "treatment0"])
    there, back = frame.loc[("beta", "alpha 5 mg")], frame.loc[("alpha 5 mg", "beta")]
    assert (there["difference"], there["low"]) == pytest.approx((-back["difference"], -back["high"]))
    again = absolute_effects(result, base).set_index(["treatment1", "treatment0"])
    assert frame.equals(again)


def test_a_risk_of_other_patients_widens_the_interval_of_the_difference():
    found = linked()
    result, base = found.network("OR", reference="placebo"), baseline_risk(found, "placebo")
    risk = base.risk
    known = replace(risk, low=risk.estimate, high=risk.estimate, variance=0.0, shared={})
    outside = replace(risk, shared={})
    widths = [
        absolute_effects(result, replace(base, risk=one)).set_index(["treatment1", "treatment0"])
        .eval("high - low")["beta", "placebo"]
        for one in (known, outside)
    ]  # fmt: skip
    assert widths[0] < widths[1]


def test_the_patients_that_effects_and_risk_share_are_not_counted_twice():
    found = linked(treatments=["beta", "placebo"])
    result, base = found.network("OR", reference="placebo"), baseline_risk(found, "placebo")
    row = absolute_effects(result, base).query("treatment1 == 'beta'").iloc[0]
    own, arm = compare(20, 50, 3, 48, measure="RD"), proportion(20, 50)
    assert (row["risk1"], row["risk1_low"], row["risk1_high"]) == pytest.approx((0.4, arm.low, arm.high))
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((own.estimate, own.low, own.high))


def test_the_risk_in_the_median_study_shares_less_with_each_trial_than_a_common_one():
    world = World().outcome("cured", "Cured")
    world.study("rare", ("alpha", None, 30, 60), ("placebo", None, 2, 60))
    world.study("often", ("beta", None, 40, 60), ("placebo", None, 25, 60))
    base = baseline_risk(linked(world), "placebo")
    assert base.method == "GLMM"
    assert sum(base.risk.shared.values()) < 2 * base.risk.variance
    assert all(0 < one < base.risk.variance for one in base.risk.shared.values())


@pytest.mark.parametrize("placebo", [(0, 12, 2), (1, 15, 30), (0, 0, 20), (3, 39, 40)])
def test_trials_of_unlike_risks_share_no_more_with_the_median_risk_than_it_has(placebo):
    world = World().outcome("cured", "Cured")
    for place, events in enumerate(placebo):
        world.study(f"trial_{place}", ("alpha", None, 20, 40), ("placebo", None, events, 40))
    base = baseline_risk(linked(world), "placebo")
    assert base.method == "GLMM"
    halves = [0.5 if events in (0, 40) else 0 for events in placebo]
    own = [1 / (e + half) + 1 / (40 - e + half) for e, half in zip(placebo, halves, strict=True)]
    most = sum(base.risk.shared[f"trial_{place}"] ** 2 / v for place, v in enumerate(own))
    assert 0 < most <= base.risk.variance * (1 + 1e-9)


def test_absolute_effects_refuse_another_measure_or_reference():
    found = linked()
    base = baseline_risk(found, "placebo")
    for measure, reference in (("RD", "placebo"), ("RR", "placebo"), ("OR", "beta")):
        result = found.network(measure, reference=reference)
        with pytest.raises(StatisticsError, match="against placebo"):
            absolute_effects(result, base)


def test_assumed_taus_widen_intervals_and_leave_a_star_where_it_is():
    frame = effects_by_tau(linked(), measure="RR", reference="placebo")
    pair = frame.query("treatment1 == 'beta' and treatment0 == 'placebo'")
    assert list(pair["tau"]) == [0.0, 0.25, 0.5]
    np.testing.assert_allclose(pair["estimate"], 6.4)  # 20/50 against 3/48
    widths = np.diff(np.log(pair[["low", "high"]].to_numpy()), axis=1).ravel()
    assert (np.diff(widths) > 0).all()


def triangle():
    world = World().outcome("cured", "Cured")
    world.study("direct", ("alpha", None, 20, 60), ("beta", None, 15, 55), randomised="no")
    world.study("one", ("alpha", None, 18, 40), ("placebo", None, 9, 42))
    return world.study("two", ("beta", None, 22, 50), ("placebo", None, 11, 51))


def test_a_loop_holds_direct_against_indirect():
    found = loop(triangle(), window=(6, 6, "week"))
    one, two = compare(18, 40, 9, 42), compare(22, 50, 11, 51)
    indirect = one.estimate / two.estimate
    assert math.exp(found.indirect.estimate) == pytest.approx(indirect)
    assert math.exp(found.difference.estimate) == pytest.approx(20 / 60 / (15 / 55) / indirect)
    direct, first, second = found.edges
    assert found.indirect.se == pytest.approx(bucher(first.effect, second.effect).se)
    assert found.difference.se == pytest.approx(math.hypot(direct.effect.se, found.indirect.se))
    assert (direct.allocation, first.allocation) == ("not randomised", "randomised")
    assert (found.reason, first.method) == ("", "one study")


def test_an_open_loop_says_which_comparison_is_missing():
    world = triangle()
    world.rows["counts"] = [row for row in world.rows["counts"] if row["study_id"] != "two"]
    found = loop(world)
    assert (found.indirect, found.difference) == (None, None)
    assert found.reason == "no study with counts of beta against placebo"
    assert loop(world, indication="CIT").edges == (None, None, None)


def test_a_study_of_all_three_counts_for_the_direct_comparison_alone():
    world = World().outcome("cured", "Cured")
    world.study("all", ("alpha", None, 20, 60), ("beta", None, 15, 55), ("placebo", None, 5, 50))
    found = loop(world)
    assert found.edges[0].k == 1
    assert found.edges[1:] == (None, None)


def test_several_studies_of_a_comparison_are_pooled():
    found = loop(triangle().study("three", ("alpha", None, 25, 60), ("placebo", None, 12, 58)))
    assert (found.edges[1].k, found.edges[1].method) == (2, "REML, HKSJ-adhoc")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 29), st.integers(1, 29))
def test_swapping_the_treatments_turns_the_loop_round(one, none):
    world = World().outcome("cured", "Cured").study("direct", ("alpha", None, 9, 30), ("beta", None, 12, 30))
    world.study("one", ("alpha", None, one, 30), ("placebo", None, 9, 30))
    world.study("two", ("beta", None, none, 30), ("placebo", None, 8, 30))
    there = close_loop(world, P, outcome_id="cured", treatment="alpha", comparator="beta", through="placebo")
    back = close_loop(world, P, outcome_id="cured", treatment="beta", comparator="alpha", through="placebo")
    assert there.indirect.estimate == pytest.approx(-back.indirect.estimate)
    assert there.difference.estimate == pytest.approx(-back.difference.estimate)
    assert there.difference.se == pytest.approx(back.difference.se)


def test_respects_are_judged_alike_different_or_not_stated():
    world = star()
    for study, criterion in (("first", "platelets"), ("second", "platelets"), ("second", "rescue")):
        absent = criterion == "rescue"
        world.rows["definitions"].append(
            {"row_id": f"{study}-d{criterion}", "study_id": study, "outcome_id": "cured", "criterion": criterion,
             "operator": "absent" if absent else ">=", "threshold": "" if absent else 50, "unit": ""}
        )  # fmt: skip
    made = {one.name: one for one in respects(world, linked(world), reference="placebo")}
    assert made["Threshold that counts"].judgement == "Alike"
    assert made["Threshold that counts"].told["first"].text == "Platelets ≥50"
    assert made["Rescue treatment"].judgement == "Not stated in 1 of 2"
    assert made["Time of the count"].judgement == "Differs"
    assert made["Randomised"].judgement == "Alike"
    assert made["Population"].judgement == "Not stated in 2 of 2"
    assert made["Response with placebo"].judgement == "Observed: 6.3% to 10.0%"
    assert made["Response with placebo"].told["first"].rows == ("first-c003",)


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=6), st.randoms())
def test_a_judgement_does_not_depend_on_the_order(texts, random):
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert judgement(texts) == judgement(shuffled)


def test_a_loop_says_whose_percentage_gives_no_count():
    world = World().outcome("cured", "Cured").study("s", ("alpha", None, "", 67), ("beta", None, 31, 42))
    world.rows["counts"][0] |= {"percent": "65.6"}
    world.study("t", ("alpha", None, 9, 30), ("placebo", None, 5, 30))
    world.study("u", ("beta", None, 9, 30), ("placebo", None, 5, 30))
    found = loop(world)
    assert found.edges[0] is None
    assert found.indirect is not None
    assert (
        found.reason == "no study with counts of alpha against beta (S: a printed percentage gives no count)"
    )
