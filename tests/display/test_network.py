from __future__ import annotations

import importlib.util
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from evidence.display import (
    Figure,
    Table,
    direct_indirect_figure,
    direct_indirect_prose,
    direct_indirect_table,
    league_figure,
    league_table,
    network_absolute_table,
    network_arms_table,
    network_effects_figure,
    network_exact_table,
    network_figure,
    network_sets_table,
    p_scores_table,
    representation,
    scales_figure,
    transitivity_table,
    within_trial_table,
)
from evidence.parameters import Parameters
from evidence.stats import compare

P = Parameters()
BUILDERS = [
    league_figure, league_table, network_absolute_table, network_effects_figure, network_exact_table,
    network_figure, p_scores_table, scales_figure, transitivity_table,
]  # fmt: skip


def _worlds():
    path = Path(__file__).parents[1] / "synthesis" / "invented_network.py"
    spec = importlib.util.spec_from_file_location("invented_network", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["invented_network"] = module
    spec.loader.exec_module(module)
    return module


World, star = (getattr(_worlds(), name) for name in ("World", "star"))


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def cell(table, row, column):
    headers = [one.header for one in table.columns]
    place = next(i for i, header in enumerate(headers) if header.startswith(column))
    return next(one[place] for one in table.rows if one[0].text == row)


def outcome(world=None, **choice):
    return {"data": world or star(), "parameters": P, "outcome_ids": ["cured"], **choice}


def called(builder, **arguments):
    data, parameters = arguments.pop("data"), arguments.pop("parameters")
    return builder(data, parameters, **arguments)


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_builder_can_be_published_and_says_the_same_twice(builder):
    one, two = (representation(called(builder, **outcome())) for _ in range(2))
    assert one == two
    assert one[1]["evidence"]["caption"]
    assert one[1]["evidence"]["csv"]


@pytest.mark.parametrize("builder", BUILDERS)
def test_without_data_or_with_an_unknown_reference_a_builder_says_so(builder):
    empty = called(builder, **outcome(indication="CIT"))
    assert isinstance(empty, Table | Figure)
    unknown = called(builder, **outcome(reference="nothing"))
    assert unknown.caption


def test_a_disconnected_network_is_shown_as_its_reason():
    world = star().study("third", ("gamma", None, 5, 20), ("delta", None, 8, 20))
    assert "{Delta, Gamma}" in called(league_table, **outcome(world)).caption
    assert "{Delta, Gamma}" in called(league_figure, **outcome(world)).caption
    assert len(called(network_figure, **outcome(world)).data) == 5


def test_the_arms_table_loses_no_result():
    table = called(network_arms_table, **outcome())
    shown = {row_id for row in table.rows for one in row for row_id in one.rows}
    assert shown == set(star().counts["row_id"])
    assert [text for _, text in table.groups] == ["In the network", "Left out"]
    assert "2 trials, 220 patients" in table.caption


def test_a_left_out_design_is_named():
    table = called(network_arms_table, **outcome(designs=["trial"]))
    assert "Another design: post hoc" in [row[-1] for row in texts(table)]


def test_the_league_table_has_every_pair_once_with_ratio_difference_and_how_it_was_compared():
    table = called(league_table, **outcome())
    own = compare(20, 50, 3, 48, measure="OR")
    names = ["Placebo", "Alpha 5 mg", "Alpha 10 mg", "Beta"]
    pairs = [f"{one} against {none[:1].lower()}{none[1:]}" for none, one in combinations(names[1:], 2)]
    assert [row[0] for row in texts(table)] == [*names[1:], *pairs]
    assert [text for _, text in table.groups] == ["Against placebo", "Against each other"]
    assert cell(table, "Beta", "Odds ratio").text.startswith(f"{own.estimate:.2f} (")
    assert cell(table, "Beta", "Compared").text == "in a trial"
    assert cell(table, "Beta against alpha 5 mg", "Compared").text == "indirectly"
    assert "more" in cell(table, "Beta", "Difference per 1,000").text
    assert "7/88 in 2 trials" in table.caption


def test_absolute_effects_stand_beside_what_the_trial_measured():
    table = called(network_absolute_table, **outcome())
    measured = compare(20, 50, 3, 48, measure="RD")
    assert cell(table, "Beta", "Difference per 1,000 in its").text.startswith(
        f"{measured.estimate * 1000:.0f} more ("
    )
    assert [row[0] for row in texts(table)] == ["Alpha 5 mg", "Alpha 10 mg", "Beta"]
    assert (table.data["risk1_high"] <= 1).all()


def test_another_reference_turns_the_network_round():
    table = called(network_absolute_table, **outcome(reference="beta"))
    assert "against beta" in table.caption
    assert cell(table, "Alpha 5 mg", "Difference per 1,000 in its").text == "no trial"
    assert cell(table, "Placebo", "Difference per 1,000 in its").text.endswith("fewer)")


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_networks_are_of_odds_ratios_whatever_the_measure(measure):
    table = network_absolute_table(star(), Parameters(effect_measure=measure), outcome_ids=["cured"])
    assert any(one.header.startswith("Odds ratio") for one in table.columns)
    assert "an odds ratio cannot" in table.note


def test_no_ratio_of_the_league_table_contradicts_its_difference():
    frame = called(league_table, **outcome()).data
    above, below = frame["estimate"] > 1, frame["difference"] > 0
    assert (above == below).all()


def test_p_scores_stand_apart_by_two_scales_and_with_a_warning():
    table = called(p_scores_table, **outcome())
    assert [row[0] for row in texts(table)] == ["Placebo", "Alpha 5 mg", "Alpha 10 mg", "Beta"]
    assert [one.header.split("s (")[0] for one in table.columns[1:]] == ["By odds ratio", "By risk ratio"]
    assert set(table.data["measure"]) == {"OR", "RR"}
    assert "no choice should rest on them" in table.note
    assert "highest P-score" in table.caption


def test_figures_have_a_row_per_comparison_and_tau():
    assert len(called(network_effects_figure, **outcome()).data) == 3 * 3
    assert len(called(league_figure, **outcome()).data) == 3 * 3
    scales = called(scales_figure, **outcome()).data
    assert list(scales["carries_over"].unique()) == ["odds ratio", "difference"]
    assert "(within a trial)" in called(league_figure, **outcome()).alt


@pytest.mark.slow
def test_the_network_figure_counts_studies_and_patients_in_words():
    figure = called(network_figure, **outcome())
    assert set(figure.data["studies"]) == {1}
    assert "Alpha 10 mg 42 patients" in figure.alt
    assert "Shaded" in figure.caption
    assert "Shaded" not in called(network_figure, **outcome(treatments=["beta", "placebo"])).caption


@pytest.mark.parametrize("count", [2, 3, 6, 7])
def test_networks_of_any_size_are_drawn(count):
    world = World().outcome("cured", "Cured")
    for place in range(1, count):
        world.study(f"s{place}", (f"a rather long name {place}", None, 9, 30), ("placebo", None, 3, 30))
    figure = called(network_figure, **outcome(world))
    assert len(figure.data) == count - 1
    assert representation(figure)[0]["image/svg+xml"]


def test_small_counts_are_checked_by_exact_methods():
    table = called(network_exact_table, **outcome())
    exact = compare(20, 50, 3, 48, measure="OR-exact")
    assert cell(table, "Beta against placebo", "Exact").text.startswith(f"{exact.estimate:.2f} (")
    assert cell(table, "Beta against alpha 5 mg", "Exact").text == "–"
    assert len(table.rows) == 6


def test_doses_are_compared_within_their_trial():
    doses = {"treatment": "alpha 10 mg", "comparator": "alpha 5 mg"}
    table = called(within_trial_table, **outcome(), **doses)
    assert texts(table)[0][1:3] == ["18/42", "12/40"]
    assert "First" in table.caption
    absent = called(within_trial_table, **outcome(), treatment="alpha 10 mg", comparator="beta")
    assert absent.data.empty


def test_networks_side_by_side_say_what_they_are_made_of_and_which_was_refused():
    sets = {"Narrow": {"outcome_ids": ["cured"], "treatments": ["beta", "placebo"]},
            "Wide": {"outcome_ids": ["cured"]}, "None": {"outcome_ids": ["relieved"]}}  # fmt: skip
    table = network_sets_table(star(), P, sets=sets)
    assert [one.header for one in table.columns][1:] == [
        "Narrow (one trial, 98 patients)",
        "Wide (2 trials, 220 patients)",
    ]
    assert "None: no study compares" in table.note
    assert cell(table, "Alpha 5 mg", "Narrow").text == "–"
    assert network_sets_table(star(), P, sets={"None": sets["None"]}).data.empty


def triangle():
    world = World().outcome("cured", "Cured")
    world.study("direct", ("alpha", None, 20, 60), ("beta", None, 15, 55), randomised="no")
    world.study("one", ("alpha", None, 18, 40), ("placebo", None, 9, 42), randomised="no")
    return world.study("two", ("beta", None, 22, 50), ("placebo", None, 11, 51))


LOOP = {"outcome_ids": ["cured"], "treatment": "alpha", "comparator": "beta", "through": "placebo",
        "windows": [(6, 6, "week"), (12, 12, "week")]}  # fmt: skip


def test_direct_and_indirect_evidence_stand_together_with_their_ratio():
    table = direct_indirect_table(triangle(), P, **LOOP)
    firsts = [row[0] for row in texts(table)]
    assert firsts == ["Alpha against placebo", "Beta against placebo", "Indirect", "Direct: Alpha against beta",
                      "Direct over indirect"]  # fmt: skip
    assert table.groups == ((0, "Cured, 6 weeks"),)
    assert len(direct_indirect_figure(triangle(), P, **LOOP).data) == 3


def test_the_remark_says_that_design_and_inconsistency_cannot_be_told_apart():
    said = direct_indirect_prose(triangle(), P, **LOOP).text
    assert "Every comparison with Alpha is not randomised" in said
    assert "cannot be told apart" in said
    randomised = World().outcome("cured", "Cured")
    randomised.study("direct", ("alpha", None, 20, 60), ("beta", None, 15, 55))
    randomised.study("one", ("alpha", None, 18, 40), ("placebo", None, 9, 42))
    randomised.study("two", ("beta", None, 22, 50), ("placebo", None, 11, 51))
    assert "told apart" not in direct_indirect_prose(randomised, P, **LOOP).text


def test_an_open_loop_is_shown_with_what_is_missing():
    world = World().outcome("cured", "Cured").study("one", ("alpha", None, 18, 40), ("placebo", None, 9, 42))
    table = direct_indirect_table(world, P, **LOOP)
    assert texts(table)[-1][1].startswith("No study with counts of alpha against beta")
    assert (
        "neither" in direct_indirect_prose(world, P, **LOOP).text
        or "no outcome" in direct_indirect_prose(world, P, **LOOP).text
    )
    assert direct_indirect_table(World().outcome("cured", "Cured"), P, **LOOP).data.empty
    assert direct_indirect_figure(world, P, **LOOP).data.empty


def test_the_transitivity_table_has_a_column_per_study_and_a_judgement():
    table = called(transitivity_table, **outcome())
    assert [one.header for one in table.columns] == ["To be alike", "First", "Second", "Alike?"]
    assert cell(table, "Time of the count", "Alike?").text == "Differs"
    assert "Shown to be alike in 1 of 6 respects: randomised." in table.caption
    alone = called(transitivity_table, **outcome(treatments=["beta", "placebo"]))
    assert "nothing is compared across studies" in alone.caption
    assert {row[-1] for row in texts(alone)} == {"One study"}


def test_an_indirect_comparison_says_how_certain_it_can_be():
    def said(world):
        table = direct_indirect_table(world, P, **LOOP)
        return next(row[1] for row in texts(table) if row[0] == "Indirect")

    world = World().outcome("cured", "Cured")
    world.study("one", ("alpha", None, 18, 40), ("placebo", None, 9, 42))
    world.study("two", ("beta", None, 22, 50), ("placebo", None, 11, 51))
    assert said(world) == "Certainty: at most moderate"
    assert said(triangle()) == "Certainty: very low"


def varied():
    world = World().outcome("cured", "Cured")
    world.study("one", ("alpha", None, 30, 60), ("placebo", None, 10, 60))
    world.study("two", ("alpha", None, 40, 60), ("placebo", None, 4, 60))
    world.study("three", ("alpha", None, 20, 60), ("placebo", None, 0, 17))
    return world


def test_an_estimated_variation_between_trials_widens_the_limits_and_the_note_says_what_it_changes():
    made = {ci: network_sets_table(varied(), replace(P, interval_method=ci), sets={"All": {"outcome_ids": ["cured"]}})
            for ci in ("HKSJ-adhoc", "Wald")}  # fmt: skip
    t, normal = (made[ci].data.iloc[0] for ci in ("HKSJ-adhoc", "Wald"))
    assert t["low"] < normal["low"] < 1.1 * normal["estimate"] < t["high"]
    assert "t with 2 degrees of freedom" in made["HKSJ-adhoc"].note
    assert "degrees of freedom" not in made["Wald"].note
    assert f"in {int(normal['low'] > 1)} of 1." in made["HKSJ-adhoc"].note


def test_a_network_with_an_empty_cell_stands_beside_one_without_correction():
    table = network_sets_table(varied(), P, sets={"All": {"outcome_ids": ["cured"]}})
    assert [one.header for one in table.columns][2:] == ["All, no cell corrected"]
    assert "(Three, placebo 0/17)" in table.note
    assert cell(table, "Alpha", "All, no").text != cell(table, "Alpha", "All (").text
    assert cell(table, "τ between trials", "All, no").text == "taken as 0"
    whole = network_sets_table(star(), P, sets={"All": {"outcome_ids": ["cured"]}})
    assert len(whole.columns) == 2
    assert "Half a patient" not in whole.note
