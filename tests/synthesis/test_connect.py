from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.stats import compare, network
from evidence.synthesis.connect import connect

from .invented_network import World, star

P = Parameters()


def joined(world, parameters=P, outcome_ids=("cured",), **choice):
    return connect(world, parameters, outcome_ids=list(outcome_ids), **choice)


def reasons(found):
    return {(row.study_id, row.treatment): row.reason for row in found.rows.itertuples()}


def test_doses_are_treatments_of_their_own_and_a_result_counts_once():
    found = joined(star())
    assert list(found.arms["treatment"]) == ["alpha 5 mg", "alpha 10 mg", "placebo", "beta", "placebo"]
    assert found.labels["alpha 10 mg"] == "Alpha 10 mg"
    assert found.studies == ("first", "second")
    assert len(found.components) == 1


def test_what_stays_out_says_why():
    why = reasons(joined(star()))
    assert why["part", "placebo"] == "shares patients with a study that went in"
    assert why["lone", "alpha 5 mg"] == "no other treatment to compare with"
    assert {why["first", "placebo"], why["second", "beta"]} == {""}


def test_a_part_enters_where_its_parent_does_not():
    found = joined(star(), designs=["post_hoc"])
    assert found.studies == ("part",)
    assert reasons(found)["first", "placebo"] == "another design"


def test_filters_choose_studies_treatments_and_times():
    assert joined(star(), indication="ITP").arms.empty
    assert joined(star(), except_designs=["post_hoc", "single_arm"], window=(6, 6, "week")).studies == (
        "second",
    )
    assert joined(star(), window=(42, 42, "day")).studies == ("second", "part")
    assert joined(star(), treatments=["beta", "placebo"]).studies == ("second",)
    assert joined(star(), populations=["adults"]).arms.empty


def test_an_arm_that_is_the_sum_of_others_stays_out():
    world = star()
    pooled = world.rows["arms"][0] | {
        "arm_id": "both",
        "label": "Both",
        "dose_value": "",
        "combines": "a0|a1",
    }
    world.rows["arms"].append(pooled)
    world.count("first", "both", 30, 82, week=8)
    found = joined(world)
    assert reasons(found)["first", "alpha"] == "the sum of other arms"
    assert found.arms["n"].sum() == 40 + 42 + 40 + 50 + 48


def test_doses_together_are_added_up():
    arms = joined(star(), doses="together").arms
    row = arms[(arms["study_id"] == "first") & (arms["treatment"] == "alpha")].iloc[0]
    assert (row["events"], row["n"]) == (30, 82)
    assert row["row_id"] == "first-c001|first-c002"


def test_the_preferred_outcome_and_the_latest_time_that_two_arms_share_go_in():
    world = star()
    world.count("second", "a0", 30, 50, outcome="relieved", week=6).count(
        "second", "a1", 9, 48, outcome="relieved"
    )
    world.count("second", "a0", 25, 50, week=12)
    found = joined(world, outcome_ids=("cured", "relieved"))
    row = found.arms[found.arms["study_id"] == "second"].iloc[0]
    assert (row["outcome_id"], row["time"], row["events"]) == ("cured", 6.0, 20)
    kept = found.rows[(found.rows["study_id"] == "second") & (found.rows["reason"] == "")]
    assert len(kept) == 2
    preferred = joined(world, outcome_ids=("relieved", "cured")).arms
    assert list(preferred["events"]) == [12, 18, 4, 30, 9]


def test_a_percentage_that_fits_no_count_never_enters():
    world = World().outcome("cured", "Cured").study("s", ("alpha", None, "", 67), ("placebo", None, 3, 42))
    world.rows["counts"][0] |= {"percent": "65.6"}
    assert reasons(joined(world))["s", "alpha"] == "no count of patients"
    assert joined(world).arms.empty


def test_a_disconnected_network_is_refused_with_its_components_named():
    world = star().study("third", ("gamma", None, 5, 20), ("delta", None, 8, 20))
    with pytest.raises(
        StatisticsError, match=r"2 components \{Alpha 10 mg, Alpha 5 mg, Beta, Placebo\}; \{Delta, Gamma\}"
    ):
        joined(world).network("RR", reference="placebo")


def test_nothing_to_connect_and_an_unknown_reference_are_refused():
    with pytest.raises(StatisticsError, match="no study compares"):
        joined(star(), indication="CIT").network("RR", reference="placebo")
    with pytest.raises(StatisticsError, match="reference"):
        joined(star()).network("RR", reference="nothing")


def test_one_trial_of_two_arms_gives_its_own_effect():
    result = joined(star(), treatments=["beta", "placebo"]).network("RR", reference="placebo")
    own = compare(20, 50, 3, 48)
    found = np.exp([result.estimate[1, 0], result.low[1, 0], result.high[1, 0]])
    assert found == pytest.approx([own.estimate, own.low, own.high])


def test_the_networks_effects_are_those_of_the_contrasts():
    found = joined(star())
    direct = network(found.contrasts("OR"), measure="OR", reference="placebo", tau2=0.25)
    np.testing.assert_allclose(found.network("OR", reference="placebo", tau=0.5).estimate, direct.estimate)
    better = found.network("OR", reference="placebo", better="lower").p_scores.scores
    np.testing.assert_allclose(better + found.network("OR", reference="placebo").p_scores.scores, 1)


@settings(max_examples=25, deadline=None)
@given(st.permutations(["first", "second", "third"]), st.integers(1, 9), st.integers(1, 9))
def test_the_order_of_studies_does_not_change_effects(order, one, none):
    arms = {
        "first": (("alpha", 5, 12, 40), ("placebo", None, 4, 40)),
        "second": (("beta", None, 20, 50), ("placebo", None, 3, 48)),
        "third": (("alpha", 5, one, 10), ("beta", None, none, 10)),
    }
    world = World().outcome("cured", "Cured")
    for study in order:
        world.study(study, *arms[study])
    usual = World().outcome("cured", "Cured")
    for study, rows in arms.items():
        usual.study(study, *rows)
    keys = ["treatment1", "treatment0"]
    made = [
        joined(w).network("OR", reference="placebo", tau=0.2).effects().sort_values(keys)
        for w in (world, usual)
    ]
    np.testing.assert_allclose(made[0]["estimate"], made[1]["estimate"], rtol=1e-9)
    assert list(made[0]["direct"]) == list(made[1]["direct"])
