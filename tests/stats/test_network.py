from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as distributions

from evidence.errors import StatisticsError
from evidence.stats import (
    ASSUMED_TAU,
    arm_contrasts,
    bucher,
    network,
    node_split,
    node_splits,
    pool,
)
from evidence.stats.network_data import read_evidence
from evidence.stats.network_fit import consistency_model

REFERENCE = Path(__file__).parents[1] / "reference"
COLUMNS = ["study", "treatment1", "treatment0", "y", "v"]
METHODS = {"FE": "FE", "DL": "DL", "REML": "REML", "assumed": 0.0625}
NODES = "abcde"


def frame(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def place(result, one, none):
    return result.treatments.index(one), result.treatments.index(none)


@pytest.fixture(scope="module")
def data(pinned):
    sets = defaultdict(list)
    for row in pinned.rows("network_data.csv"):
        values = row["study"], row["treatment1"], row["treatment0"], float(row["y"]), float(row["v"])
        sets[row["set"]].append(values)
    return {name: frame(*rows) for name, rows in sets.items()}


@pytest.fixture(scope="module")
def summaries(pinned):
    return {row["set"]: row for row in pinned.rows("network_summary.csv")}


def test_heterogeneity_and_inconsistency_match_metafor_on_every_network(pinned, data, summaries):
    for name, row in summaries.items():
        by = {
            method: network(data[name], measure=row["measure"], reference=row["reference"], tau2=method)
            for method in ("DL", "REML")
        }
        ours = by["REML"]
        assert (ours.q_df, ours.q_within_df, ours.k, len(ours.designs)) == tuple(
            int(row[part]) for part in ("q_df", "q_within_df", "studies", "designs")
        )
        assert ours.q_between == pytest.approx(float(row["q"]) - float(row["q_within"]), rel=1e-8)
        for part in ("q", "q_within", "tau2_within", "q_inconsistency"):
            assert pinned.deviation(getattr(ours, part), float(row[part]), 1e-6) < 1e-9, (name, part)
        by_chance = distributions.chi2.sf(float(row["q_inconsistency"] or "nan"), ours.q_between_df)
        assert ours.q_inconsistency_p == pytest.approx(by_chance, rel=1e-7, nan_ok=True), name
        assert pinned.deviation(by["DL"].tau2, float(row["tau2_dl"]), 1e-6) < 1e-9, name
        assert pinned.deviation(ours.tau2, float(row["tau2_reml"]), 1e-6) < 1e-7, name
        # rma.mv stops earlier: 5e-6 relative on these networks
        assert ours.tau2 == pytest.approx(float(row["tau2_metafor"]), rel=1e-5, abs=1e-9)


def test_the_grid_has_not_shrunk(pinned, data, summaries):
    done = {(row["set"], row["method"]) for row in pinned.rows("network.csv")}
    assert len(data) >= 9
    assert done == {(name, method) for name in data for method in METHODS}
    arms = {name: Counter(rows["study"]) for name, rows in data.items()}
    assert sum(max(studies.values()) >= 3 for studies in arms.values()) >= 8
    assert max(max(studies.values()) for studies in arms.values()) >= 6
    assert len(pinned.rows("network_split.csv")) >= 60
    assert set(summaries) == set(data)


def test_contrasts_from_arms_match_the_second_implementation(pinned, data):
    arms = defaultdict(list)
    for row in pinned.rows("network_arms.csv"):
        arms[row["set"], row["measure"]].append(
            (row["study"], row["treatment"], int(row["events"]), int(row["n"]))
        )
    assert len(arms) >= 6
    for (name, measure), rows in arms.items():
        ours = arm_contrasts(*zip(*rows, strict=True), measure=measure).dropna(subset=["y"])
        theirs = data[name]
        assert ours[COLUMNS[:3]].to_numpy().tolist() == theirs[COLUMNS[:3]].to_numpy().tolist()
        np.testing.assert_allclose(ours[["y", "v"]], theirs[["y", "v"]], rtol=1e-11, atol=1e-13)


# The diabetes network of Senn and others (Statistical Methods in Medical Research 2013;22:169-189), 26 trials, one
# of three arms, with the effects and standard errors as the R package netmeta keeps them: two and four decimals.
# Q and its parts as netmeta prints them for these data, for instance in
# https://cttir.github.io/courses/course3_design_causal/labs/lab_week4_session3_slides.html
@pytest.fixture(scope="module")
def senn(data):
    rows = data["senn2013"]
    return rows.assign(y=rows["y"].round(2), v=(rows["v"] ** 0.5).round(4) ** 2)


def test_heterogeneity_and_inconsistency_of_a_published_network_are_those_printed(senn):
    result = network(senn, measure="MD", reference="placebo", tau2="DL")
    assert (round(result.q, 2), result.q_df) == (96.99, 18)
    assert (round(result.q_within, 2), result.q_within_df) == (74.46, 11)
    assert (round(result.q_between, 2), result.q_between_df) == (22.53, 7)
    assert round(result.q_between_p, 4) == 0.0021


def test_p_scores_are_the_mean_chance_of_being_better_by_the_effects_of_metafor(data):
    effects = pd.read_csv(REFERENCE / "network.csv", comment="#")
    ours = effects[(effects["set"] == "senn2013") & (effects["method"] == "DL")]
    pairs = zip(ours["treatment1"], ours["treatment0"], ours["estimate"] / ours["se"], strict=True)
    chances = {}
    for one, other, z in pairs:  # smaller is better
        chances.setdefault(one, []).append(float(distributions.norm.cdf(-z)))
        chances.setdefault(other, []).append(float(distributions.norm.cdf(z)))
    found = network(data["senn2013"], measure="MD", reference="placebo", tau2="DL", better="smaller").p_scores
    expected = {name: np.mean(values) for name, values in chances.items()}
    assert dict(zip(found.treatments, found.scores, strict=True)) == pytest.approx(expected, rel=1e-9)


# Random connected networks: effects per treatment, arm variances, studies as sets of treatments with noise.


@st.composite
def networks(draw, at_least=4):
    size = draw(st.integers(3, 5))
    number = st.floats(-2, 2).map(lambda x: round(x, 3))
    spread = st.floats(0.02, 1).map(lambda x: round(x, 3))
    designs = [(NODES[0], node) for node in NODES[1:size]]
    some = st.lists(st.sampled_from(NODES[:size]), min_size=2, max_size=4, unique=True)
    designs += [tuple(nodes) for nodes in draw(st.lists(some, min_size=at_least - 2, max_size=6))]
    rows = []
    for index, design in enumerate(designs):
        arms = [(node, draw(number), draw(spread)) for node in design]
        rows += [(f"s{index}", b, a, y - x, v + w) for (a, x, w), (b, y, v) in combinations(arms, 2)]
    return frame(*rows)


methods = st.sampled_from(["FE", "DL", "REML", 0.25])
fewer = settings(
    max_examples=30
)  # a network is built of many numbers: drawing one costs more than solving it


def analysed(rows, tau2, reference="a"):
    return network(rows, measure="MD", reference=reference, tau2=tau2)


def same(one, other):
    for part in ("estimate", "se"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), rtol=1e-6, atol=1e-7)
    assert (one.tau2, one.q, one.q_within) == pytest.approx(
        (other.tau2, other.q, other.q_within), rel=1e-6, abs=1e-7
    )


@fewer
@given(networks(), methods, st.randoms())
def test_the_order_of_studies_and_rows_does_not_matter(rows, tau2, random):
    shuffled = list(rows.index)
    random.shuffle(shuffled)
    same(analysed(rows, tau2), analysed(rows.loc[shuffled], tau2))


@fewer
@given(networks(), methods)
def test_relabelling_treatments_relabels_the_result(rows, tau2):
    names = dict(zip(NODES, "pqrst", strict=True))
    renamed = rows.assign(treatment1=rows["treatment1"].map(names), treatment0=rows["treatment0"].map(names))
    one, other = analysed(rows, tau2), analysed(renamed, tau2, reference="p")
    same(one, other)
    assert other.treatments == tuple(names[node] for node in one.treatments)


@fewer
@given(networks(), methods, st.sampled_from("abc"))
def test_the_reference_changes_only_the_order(rows, tau2, reference):
    one, other = analysed(rows, tau2), analysed(rows, tau2, reference)
    order = [one.treatments.index(node) for node in other.treatments]
    np.testing.assert_allclose(other.estimate, one.estimate[np.ix_(order, order)], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(other.se, one.se[np.ix_(order, order)], rtol=1e-6, atol=1e-7)


@fewer
@given(networks(), st.sampled_from(["FE", "DL", "REML"]), st.floats(0.05, 20))
def test_the_unit_carries_over(rows, tau2, unit):
    one, other = analysed(rows, tau2), analysed(rows.assign(y=unit * rows["y"], v=unit**2 * rows["v"]), tau2)
    np.testing.assert_allclose(other.estimate, unit * one.estimate, rtol=1e-6, atol=1e-7 * unit)
    assert other.tau2 == pytest.approx(unit**2 * one.tau2, rel=1e-6, abs=1e-9)
    assert other.q == pytest.approx(one.q)
    np.testing.assert_allclose(other.p_scores.scores, one.p_scores.scores, atol=1e-6)


@fewer
@given(networks(), methods)
def test_effects_are_consistent_and_intervals_mirror(rows, tau2):
    result = analysed(rows, tau2)
    for a, b, c in combinations(range(len(result.treatments)), 3):
        assert result.estimate[a, c] == pytest.approx(result.estimate[a, b] + result.estimate[b, c], abs=1e-9)
        assert result.se[a, c] <= result.se[a, b] + result.se[b, c] + 1e-9
    np.testing.assert_allclose(result.low, -result.high.T, atol=1e-12)
    assert result.p_scores.scores.mean() == pytest.approx(0.5)
    assert (result.p_scores.low <= result.p_scores.high).all()
    assert result.q == pytest.approx(result.q_within + result.q_between)
    assert result.q_between >= -1e-9


@fewer
@given(networks(), methods, st.randoms())
def test_the_base_arm_of_a_study_does_not_matter(rows, tau2, random):
    turned = [
        (row.study, row.treatment0, row.treatment1, -row.y, row.v) if random.random() < 0.5 else tuple(row)
        for row in rows.itertuples(index=False)
    ]
    same(analysed(rows, tau2), analysed(frame(*turned), tau2))


@fewer
@given(networks(), st.floats(-3, 3), methods)
def test_shifting_a_treatment_in_every_study_shifts_only_its_effects(rows, shift, tau2):
    moved = rows["y"] + shift * ((rows["treatment1"] == "b").astype(float) - (rows["treatment0"] == "b"))
    one, other = analysed(rows, tau2), analysed(rows.assign(y=moved), tau2)
    at = one.treatments.index("b")
    np.testing.assert_allclose(other.estimate[at, 0], one.estimate[at, 0] + shift, atol=1e-6)
    assert (other.tau2, other.q) == pytest.approx((one.tau2, one.q), rel=1e-5, abs=1e-6)


@given(st.floats(-3, 3), st.floats(0.01, 2))
def test_one_study_of_two_arms_gives_its_own_effect(y, v):
    result = network(frame(("s", "b", "a", y, v)), measure="MD", reference="a")
    assert (result.estimate[1, 0], result.se[1, 0]) == pytest.approx((y, math.sqrt(v)))
    assert math.isnan(result.q_p)
    assert math.isnan(result.i2)
    assert "cannot be estimated" in result.warnings[0]


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2)), min_size=2, max_size=8))
def test_two_treatments_give_the_pairwise_pooled_effect(pairs):
    rows = frame(*((f"s{i}", "b", "a", y, v) for i, (y, v) in enumerate(pairs)))
    y, v = np.array(pairs).T
    for method in ("FE", "DL", "REML"):
        ours, theirs = analysed(rows, method), pool(y, v, tau2=method, ci="Wald")
        assert ours.tau2 == pytest.approx(theirs.tau2, rel=1e-5, abs=1e-8)
        assert (ours.low[1, 0], ours.high[1, 0]) == pytest.approx(
            (theirs.low, theirs.high), rel=1e-5, abs=1e-7
        )
        assert (ours.q, ours.q_within) == pytest.approx((theirs.q, theirs.q), abs=1e-9)
        if method != "FE":
            assert (ours.tau2_low, ours.tau2_high) == pytest.approx(
                (theirs.tau2_low, theirs.tau2_high), rel=1e-6, abs=1e-9
            )


def test_tau2_of_two_studies_is_found_where_the_likelihood_turns_at_the_end_of_the_search():
    # One residual part: the restricted likelihood is greatest at (y1 - y2)^2 / 2 - v, by hand.
    rows = frame(("s", "b", "a", 1.125, 0.01171875), ("t", "b", "a", 0.0, 0.01171875))
    assert analysed(rows, "REML").tau2 == pytest.approx(1.125**2 / 2 - 0.01171875, rel=1e-9)


def test_arm_variances_are_recovered_from_the_contrasts_of_a_study_of_four_arms():
    # Three against the first with arm variances 1, 2, 3, 4: the least-squares solution by hand is the data.
    arms = {"a": (0.0, 1.0), "b": (1.0, 2.0), "c": (3.0, 3.0), "d": (2.0, 4.0)}
    rows = [("s", j, i, arms[j][0] - arms[i][0], arms[j][1] + arms[i][1]) for i, j in combinations(arms, 2)]
    result = network(frame(*rows), measure="MD", reference="a")
    np.testing.assert_allclose(result.estimate[:, 0], [0, 1, 3, 2])
    np.testing.assert_allclose(result.covariance[1:, 1:], np.diag([2, 3, 4]) + 1)


STAR = frame(("s", "b", "a", 0.5, 0.04), ("t", "c", "a", 0.2, 0.09))


def test_one_study_per_edge_is_a_common_effect_with_assumed_values_beside_it():
    results = [network(STAR, measure="OR", reference="a", tau2=tau**2) for tau in ASSUMED_TAU]
    default = network(STAR, measure="OR", reference="a")
    assert default.tau2 == 0
    assert (default.method, default.q_df, default.q_between_df) == ("FE", 0, 0)
    assert "common effect (tau 0)" in default.warnings[0]
    assert [round(result.se[1, 0], 4) for result in results] == [0.2, 0.3202, 0.5385]
    np.testing.assert_allclose(results[2].estimate, default.estimate, atol=1e-14)
    assert all("assumed" in result.warnings[0] for result in results)


def test_a_loop_of_single_studies_cannot_tell_heterogeneity_from_inconsistency():
    rows = frame(("s", "b", "a", 0.5, 0.1), ("t", "c", "b", 0.5, 0.1), ("u", "c", "a", 0.4, 0.1))
    result = network(rows, measure="MD", reference="a")
    assert (result.q_df, result.q_within_df, result.q_between_df) == (1, 0, 1)
    assert math.isnan(result.tau2_within)
    assert "cannot be told apart" in result.warnings[0]
    split = node_split(rows, "c", "a", measure="MD", tau2="FE")
    assert result.q_between == pytest.approx((split.difference.estimate / split.difference.se) ** 2)


def test_an_inconsistent_loop_is_warned_of():
    rows = frame(("s", "b", "a", 2.0, 0.1), ("t", "c", "b", 2.0, 0.1), ("u", "c", "a", -1, 0.1))
    assert any("designs disagree" in text for text in network(rows, measure="MD", reference="a").warnings)


def test_the_indirect_effect_of_a_star_is_buchers():
    result = network(STAR, measure="OR", reference="a", tau2="FE")
    indirect = bucher((0.5, 0.2), (0.2, 0.3))
    at = place(result, "b", "c")
    assert (result.estimate[at], result.low[at], result.high[at], result.p[at]) == pytest.approx(
        (indirect.estimate, indirect.low, indirect.high, indirect.p)
    )


def test_bucher_takes_pooled_results():
    ac, bc = pool([0.1, 0.5], [0.1, 0.2], ci="Wald"), pool([0.3, 0.2], [0.1, 0.1], ci="Wald")
    assert bucher(ac, bc).se == pytest.approx(math.hypot(ac.se, bc.se))
    assert bucher(ac, bc).estimate == pytest.approx(ac.estimate - bc.estimate)


def test_a_split_of_two_arm_studies_is_direct_against_bucher():
    rows = frame(
        ("s", "b", "a", 0.5, 0.1),
        ("t", "c", "b", 0.4, 0.2),
        ("u", "c", "a", 0.3, 0.1),
        ("w", "c", "a", 0.6, 0.3),
    )
    split = node_split(rows, "c", "a", measure="MD", tau2="FE")
    direct, indirect = (
        pool([0.3, 0.6], [0.1, 0.3], tau2="FE", ci="Wald"),
        bucher((0.5, 0.1**0.5), (-0.4, 0.2**0.5)),
    )
    assert (split.direct.estimate, split.direct.se) == pytest.approx((direct.estimate, direct.se))
    assert (split.indirect.estimate, split.indirect.se) == pytest.approx((indirect.estimate, indirect.se))
    assert split.studies == ("u", "w")
    assert len(node_splits(rows, measure="MD")) == 3


def test_the_league_table_reads_row_against_column():
    table = network(STAR, measure="OR", reference="a").league()
    assert table.loc["b", "a"] == "1.65 (1.11 to 2.44)"
    assert table.loc["a", "b"] == "0.61 (0.41 to 0.90)"
    assert table.loc["a", "a"] == ""
    effects = network(STAR, measure="OR", reference="a").effects()
    indirect = effects.query("treatment1 == 'b' and treatment0 == 'c'").iloc[0]
    assert (indirect["direct"], round(indirect["estimate"], 4)) == (0, round(math.exp(0.3), 4))
    assert network(STAR, measure="OR", reference="a").effects(scale="analysis")["estimate"].iloc[2] == 0.5


def test_p_scores_carry_an_interval_a_seed_and_a_warning():
    one = network(STAR, measure="OR", reference="a").p_scores
    again = network(STAR, measure="OR", reference="a").p_scores
    np.testing.assert_array_equal(one.low, again.low)
    assert "do not choose by rank" in one.warning
    assert (one.low <= one.scores).all()
    assert (one.scores <= one.high).all()
    worse = network(STAR, measure="OR", reference="a", better="smaller").p_scores
    np.testing.assert_allclose(one.scores + worse.scores, 1)
    assert one.frame()["treatment"].iloc[0] == "b"


def test_counts_and_other_programs_names_are_read():
    counts = pd.DataFrame(
        [("s", "b", "a", 8, 20, 4, 20), ("t", "c", "a", 6, 30, 5, 30)],
        columns=["study_id", "arm1", "arm0", "e1", "n1", "e0", "n0"],
    )
    ours = network(counts, measure="OR", reference="a")
    contrasts = arm_contrasts(["s", "s", "t", "t"], "abac", [4, 8, 5, 6], [20, 20, 30, 30], measure="OR")
    same(ours, network(contrasts, measure="OR", reference="a"))
    netmeta = pd.DataFrame({"studlab": ["s"], "treat1": ["b"], "treat2": ["a"], "TE": [0.5], "seTE": [0.2]})
    assert network(netmeta, measure="OR", reference="a").se[1, 0] == pytest.approx(0.2)


def test_the_treatment_of_zero_cells_is_named_and_the_same_in_all_arms_of_a_study():
    arms = ["s"] * 3 + ["t"] * 2, ["a", "b", "c", "a", "b"], [0, 3, 4, 2, 5], [20] * 5
    odds = arm_contrasts(*arms, measure="OR")
    assert list(odds["correction"]) == ["0.5 added to every cell"] * 3 + ["none"]
    assert odds["y"][0] + odds["y"][2] == pytest.approx(odds["y"][1])
    risk = arm_contrasts(["s"] * 2, ["a", "b"], [0, 20], [20, 20], measure="RD")
    assert (risk["y"][0], risk["correction"][0]) == (
        1.0,
        "0.5 added to every cell, in the standard error only",
    )


def test_studies_without_events_are_left_out_of_ratios_and_named():
    arms = ["s", "s", "t", "t"], ["a", "b", "a", "b"], [0, 0, 2, 5], [20] * 4
    result = network(arm_contrasts(*arms, measure="OR"), measure="OR", reference="a")
    assert (result.studies, result.left_out) == (("t",), ("s",))
    assert any("left out: s" in text for text in result.warnings)
    assert len(network(arm_contrasts(*arms, measure="RD"), measure="RD", reference="a").studies) == 2


def test_a_disconnected_network_is_refused_with_its_components_named():
    rows = frame(("s", "b", "a", 0.5, 0.1), ("t", "d", "c", 0.5, 0.1), ("u", "e", "b", 0.1, 0.1))
    with pytest.raises(StatisticsError, match=r"2 components \{a, b, e\}; \{c, d\}"):
        network(rows, measure="MD", reference="a")


THREE = [("s", "b", "a", 0.5, 0.2), ("s", "c", "a", 0.3, 0.2), ("s", "c", "b", -0.2, 0.2)]


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: network(frame(*THREE[:2]), measure="MD", reference="a"), "give all 3"),
        (
            lambda: network(frame(*THREE[:2], ("s", "c", "b", 0.9, 0.2)), measure="MD", reference="a"),
            "add up",
        ),
        (
            lambda: network(frame(*THREE[:2], ("s", "c", "b", -0.2, 5.0)), measure="MD", reference="a"),
            "fit no",
        ),
        (lambda: network(frame(THREE[0], THREE[0]), measure="MD", reference="a"), "twice"),
        (lambda: network(frame(("s", "a", "a", 0.1, 0.1)), measure="MD", reference="a"), "with itself"),
        (lambda: network(STAR, measure="OR", reference="z"), "reference"),
        (lambda: network(STAR, measure="XX", reference="a"), "measure"),
        (lambda: network(STAR, measure="OR", reference="a", tau2=-1), "variance of at least 0"),
        (lambda: network(STAR, measure="OR", reference="a", tau2="ML"), "choose REML"),
        (lambda: network(STAR.assign(v=[0.1, 0.0]), measure="OR", reference="a"), "v must be above 0"),
        (lambda: network(STAR.assign(v=[0.1, None]), measure="OR", reference="a"), "v must be above 0"),
        (lambda: network(STAR.assign(y="x"), measure="OR", reference="a"), "no number"),
        (lambda: network(STAR.drop(columns="y"), measure="OR", reference="a"), "or the counts"),
        (lambda: network(STAR.drop(columns="study"), measure="OR", reference="a"), "lack the columns study"),
        (lambda: network(STAR.assign(y=None, v=None), measure="OR", reference="a"), "nothing to connect"),
        (lambda: node_split(STAR, "b", "c", measure="OR"), "no study compares b with c"),
        (lambda: node_split(STAR, "b", "a", measure="OR"), "there is no loop"),
        (lambda: node_split(frame(*THREE), "b", "a", measure="MD"), "there is no loop"),
        (lambda: node_split(STAR, "b", "z", measure="OR"), "no pair of treatments"),
        (lambda: node_splits(STAR, measure="OR"), "no loop of independent studies"),
        (lambda: bucher((0.5, 0.0), (0.2, 0.3)), "standard error of direct_ac"),
        (lambda: bucher((0.5,), (0.2, 0.3)), "an effect and its standard error"),
        (lambda: arm_contrasts(["s"], ["a"], [1], [9], measure="OR"), "has one arm"),
        (lambda: arm_contrasts(["s", "s"], ["a", "a"], [1, 2], [9, 9], measure="OR"), "merge the arms"),
        (lambda: arm_contrasts(["s", "s"], ["a", "b"], [1, 12], [9, 9], measure="OR"), "exceeds"),
    ],
)
def test_unusable_networks_are_refused_with_the_mend(call, mend):
    with pytest.raises(StatisticsError, match=mend):
        call()


def test_counts_that_contradict_each_other_are_refused():
    rows = [("s", "b", "a", 8, 20, 4, 20), ("s", "c", "a", 6, 20, 5, 20), ("s", "c", "b", 6, 20, 8, 20)]
    counts = pd.DataFrame(rows, columns=["study", "treatment1", "treatment0", "e1", "n1", "e0", "n0"])
    with pytest.raises(StatisticsError, match="correct one"):
        network(counts, measure="OR", reference="a")


def test_the_interval_of_a_pair_is_that_of_pooling_by_every_method():
    y, v = [0.2, 0.9, 0.5, 1.4], [0.04, 0.09, 0.05, 0.2]
    rows = frame(*((f"s{place}", "b", "a", *pair) for place, pair in enumerate(zip(y, v, strict=True))))
    for ci in ("HKSJ", "HKSJ-adhoc", "Wald"):
        whole, pair = network(rows, measure="OR", reference="a", ci=ci), pool(y, v, ci=ci)
        ends = (whole.low[1, 0], whole.high[1, 0], whole.se[1, 0], whole.p[1, 0])
        assert ends == pytest.approx((pair.low, pair.high, pair.se, pair.p), rel=1e-7), ci


def test_t_limits_of_a_network_are_those_of_generalised_least_squares_in_statsmodels(data):
    from statsmodels.regression.linear_model import GLS

    for name in list(data)[:4]:
        made = network(
            data[name], measure="MD", reference=sorted(set(data[name]["treatment0"]))[0], ci="HKSJ"
        )
        model = consistency_model(read_evidence(data[name], "MD"), made.reference)
        fitted = GLS(model.y, model.x, sigma=model.v + made.tau2 * model.s).fit()
        np.testing.assert_allclose(made.se[1:, 0], fitted.bse, rtol=1e-6)
        limits = np.column_stack([made.low[1:, 0], made.high[1:, 0]])
        np.testing.assert_allclose(limits, fitted.conf_int(), rtol=1e-6, atol=1e-9)
        assert made.df == fitted.df_resid


def test_a_variance_that_is_not_estimated_leaves_normal_limits():
    rows = frame(("s1", "b", "a", 0.5, 0.04), ("s2", "b", "a", 0.9, 0.05), ("s3", "c", "a", 0.1, 0.05))
    star_of = rows[rows["study"] != "s2"]
    for contrasts, tau2 in ((rows, 0.1), (rows, "FE"), (star_of, "REML")):
        made = network(contrasts, measure="OR", reference="a", tau2=tau2, ci="HKSJ-adhoc")
        normal = network(contrasts, measure="OR", reference="a", tau2=tau2)
        assert (made.ci, math.isnan(made.df)) == ("Wald", True)
        np.testing.assert_array_equal(made.low, normal.low)


def test_never_narrowed_limits_hold_the_normal_ones():
    rows = frame(("s1", "b", "a", 0.5, 0.04), ("s2", "b", "a", 0.51, 0.05), ("s3", "c", "a", 0.1, 0.05))
    made, plain_ = (network(rows, measure="OR", reference="a", ci=ci) for ci in ("HKSJ-adhoc", "HKSJ"))
    normal = network(rows, measure="OR", reference="a")
    assert made.high[1, 0] > normal.high[1, 0] > plain_.high[1, 0]
    with pytest.raises(StatisticsError, match="ci"):
        network(rows, measure="OR", reference="a", ci="exact")
