"""A caption begins with what was found, computed from the numbers shown."""

import importlib.util
import math
import re
import sys
from pathlib import Path

import pytest

from evidence.data import load
from evidence.display import (
    across_figure,
    across_table,
    effects_across_figure,
    forest_figure,
    league_figure,
    league_table,
    network_absolute_table,
    network_effects_figure,
    network_exact_table,
    network_figure,
    network_sets_table,
    proportions_figure,
    transitivity_table,
    within_trial_table,
)
from evidence.display.networks import leaving_words
from evidence.display.tables.synthesis import _reach
from evidence.parameters import Parameters
from evidence.synthesis.forest import forest

from ..synthesis.invented import dataset, emptied, study

P = Parameters()


def _network():
    path = Path(__file__).parents[1] / "synthesis" / "invented_network.py"
    spec = importlib.util.spec_from_file_location("invented_network_of_captions", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


star = _network().star


@pytest.fixture(scope="module")
def real():
    return load(Path(__file__).parents[2] / "data")


@pytest.fixture(scope="module")
def net():
    return star()


def outside(frame, none=1):
    return int(((frame["low"] > none) | (frame["high"] < none)).sum())


def test_the_effects_of_a_network_are_told_by_how_many_intervals_leave_out_one(net):
    table = network_absolute_table(net, P, outcome_ids=["cured"])
    clear, total = outside(table.data), len(table.data)
    assert clear > 0
    assert leaving_words("OR", [clear], total) in table.caption


def test_every_assumption_has_its_own_number_where_they_differ(net):
    figure = network_effects_figure(net, P, outcome_ids=["cured"], taus=(0.0, 2.0))
    by_tau = [outside(group) for _, group in figure.data.groupby("tau", sort=True)]
    assert by_tau[0] != by_tau[1]
    words = f"{by_tau[0]} of 3 with effects alike (τ 0), {by_tau[1]} of 3 with effects that vary (τ 2)."
    assert f"Intervals that leave out 1: {words}" in figure.caption


def test_treatments_against_each_other_are_counted_apart_from_those_against_the_reference(net):
    frame = league_table(net, P, outcome_ids=["cured"]).data
    order = list(dict.fromkeys(frame["treatment1"]))
    assert len(order) == 4
    one_way = frame[[one > none for one, none in zip(frame["treatment1"], frame["treatment0"], strict=True)]]
    ours = one_way[(one_way["treatment1"] != "placebo") & (one_way["treatment0"] != "placebo")]
    caption = league_table(net, P, outcome_ids=["cured"]).caption
    said = leaving_words("OR", [outside(ours)], len(ours))
    assert f"against each other, {said[:1].lower()}{said[1:]}" in caption
    assert (
        leaving_words("OR", [outside(ours)] * 2, 3, ["a", "b"])
        in league_figure(net, P, outcome_ids=["cured"], taus=(0.0, 0.01)).caption
    )


def test_small_counts_and_single_trials_are_told_by_their_intervals(net):
    exact = network_exact_table(net, P, outcome_ids=["cured"])
    clear = [
        outside(exact.data),
        outside(exact.data[["low_conditional", "high_conditional"]].set_axis(["low", "high"], axis=1)),
    ]
    names = ["the normal approximation", "conditional logistic regression"]
    assert leaving_words("OR", clear, len(exact.data), names) in exact.caption
    within = within_trial_table(
        net, P, outcome_ids=["cured"], treatment="alpha 10 mg", comparator="alpha 5 mg"
    )
    assert leaving_words("RD", [outside(within.data, 0)], len(within.data)) in within.caption


def test_networks_side_by_side_are_told_with_their_numbers(net):
    sets = {
        "Narrow": {"outcome_ids": ["cured"], "treatments": ["beta", "placebo"]},
        "Wide": {"outcome_ids": ["cured"]},
    }
    assert re.search(
        r"leave out 1: Narrow, 1 of 1; Wide, \d of 3\.", network_sets_table(net, P, sets=sets).caption
    )


def test_a_network_is_drawn_under_its_trials_patients_and_treatments(net):
    assert (
        ": 2 trials of 220 patients link 4 treatments."
        in network_figure(net, P, outcome_ids=["cured"]).caption
    )
    alone = network_figure(net, P, outcome_ids=["cured"], treatments=["beta", "placebo"]).caption
    assert ": one trial of 98 patients links 2 treatments." in alone


def test_an_outcome_has_a_small_letter_inside_a_caption(net):
    assert transitivity_table(net, P, outcome_ids=["cured"]).caption.startswith(
        "What comparing treatments through placebo assumes: cured."
    )


@pytest.mark.parametrize(
    ("clear", "total", "words"),
    [([1], 1, "The interval leaves out 1."), ([0], 1, "The interval includes 1."), ([1], 4, "1 of the 4 intervals leaves out 1."),
     ([2], 4, "2 of the 4 intervals leave out 1.")],
)  # fmt: skip
def test_few_intervals_are_told_as_one_would_say_it(clear, total, words):
    assert leaving_words("OR", clear, total) == words


@pytest.mark.parametrize(
    ("intervals", "words"),
    [
        ([], ""),
        ([(0.1, 0.3)], "One difference."),
        ([(-0.1, 0.3)], "One difference; its interval reaches from fewer to more."),
        ([(0.1, 0.3), (0, 0.1)], "2 differences; in none the interval reaches from fewer to more."),
        ([(0.1, 0.3), (-0.2, 0.1)], "2 differences; in 1 the interval reaches from fewer to more."),
    ],
)
def test_absolute_effects_are_told_with_how_many_are_open(intervals, words):
    assert _reach([{"low": low, "high": high} for low, high in intervals]) == words


def test_rates_across_studies_are_told_from_the_lowest_to_the_highest(data):
    table = across_table(data, P, outcome_ids=["complete_response"])
    known = table.data[table.data["estimate"].notna()]["estimate"]
    ends = f"from {100 * known.min():.1f}% to {100 * known.max():.1f}%."
    assert len(known) > 1
    assert ends in table.caption
    assert ends in across_figure(data, P, outcome_ids=["complete_response"]).caption


def test_rates_of_several_outcomes_are_counted_and_not_ranged(data):
    caption = across_table(data, P, outcome_ids=["complete_response", "overall_response"]).caption
    assert re.search(r"\d+ results of \d+ stud(?:y|ies)\.$", caption)
    assert "from" not in caption


def test_effects_across_studies_are_told_from_the_lowest_to_the_highest(data):
    figure = effects_across_figure(data, P, outcome_ids=["complete_response", "overall_response"])
    known = figure.data[figure.data["estimate"].notna()]["estimate"]
    assert f"{len(known)} effects from {known.min():.2f} to {known.max():.2f}." in figure.caption


def test_proportions_of_one_outcome_are_told_from_the_lowest_to_the_highest(real):
    figure = proportions_figure(real, P, outcome_ids=["headache"])
    shown = [one for one in figure.data["estimate"] if not math.isnan(one)]
    assert f"from {100 * min(shown):.1f}% to {100 * max(shown):.1f}%, by study and arm" in figure.caption


def test_all_designs_together_are_told_with_what_they_give(tmp_path):
    tables = emptied()
    for place, said in enumerate(["yes", "yes", "no", "no"]):
        study(tables, f"t{place}", (12 + place, 40, 6, 40), randomised=said)
    data = dataset(tmp_path, tables)
    figure = forest_figure(data, P, indication="SAA", together=True)
    total = forest(["cured_6m"], data, P, together=True).total
    assert (
        f"taken together, cured, 6 months {total.estimate:.2f} ({total.low:.2f} to {total.high:.2f})"
        in figure.caption
    )
    assert "taken together, " not in forest_figure(data, P, indication="SAA").caption


def test_different_treatments_are_not_told_as_one(real):
    figure = forest_figure(real, P, indication="SAA", measure="RD", together=True)
    assert "taken together, " not in figure.caption
