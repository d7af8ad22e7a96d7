"""Networks against another treatment: the one that the parameters name."""

import pytest

from evidence.display import (
    league_figure,
    league_table,
    network_absolute_table,
    network_effects_figure,
    network_exact_table,
    network_sets_table,
    p_scores_table,
    scales_figure,
    transitivity_table,
)
from evidence.errors import ParameterError
from evidence.parameters import Parameters
from evidence.results import records

from ..synthesis.invented_network import World, star

CHOICE = {"outcome_ids": ["cured"]}
BUILDERS = [
    league_figure, league_table, network_absolute_table, network_effects_figure, network_exact_table,
    p_scores_table, scales_figure, transitivity_table,
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return star()


def against(world: World, reference: str) -> dict[tuple[str, str], float]:
    table = network_absolute_table(world, Parameters(reference_treatment=reference), **CHOICE)
    return {(row["treatment1"], row["treatment0"]): row["estimate"] for row in records(table.data)}


def test_effects_are_set_against_the_treatment_asked_for(world):
    usual = against(world, "")
    one, none = next(pair for pair in usual)
    turned = against(world, one)
    assert {pair[1] for pair in turned} == {one}
    assert turned[none, one] == pytest.approx(1 / usual[one, none])


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_network_names_the_reference_that_it_has(world, builder):
    label = "beta"
    asked = builder(world, Parameters(reference_treatment=label), **CHOICE)
    usual = builder(world, Parameters(), **CHOICE)
    words = [" ".join([item.caption, getattr(item, "note", ""), getattr(item, "alt", ""), str(item.data)])
             for item in (asked, usual)]  # fmt: skip
    assert words[0] != words[1]


def test_a_network_without_the_treatment_keeps_its_usual_reference(world):
    narrowed = {"treatments": ["placebo", "alpha 5 mg"]}
    table = league_table(world, Parameters(reference_treatment="beta"), **CHOICE, **narrowed)
    assert table.groups[0] == (0, "Against placebo")


def test_networks_side_by_side_have_one_reference(world):
    sets = {"All": dict(CHOICE), "Few": CHOICE | {"treatments": ["placebo", "alpha 5 mg"]}}
    table = network_sets_table(world, Parameters(reference_treatment="beta"), sets=sets)
    assert "against placebo" in table.caption
    alike = {"All": dict(CHOICE), "Again": dict(CHOICE)}
    assert (
        "against beta"
        in network_sets_table(world, Parameters(reference_treatment="beta"), sets=alike).caption
    )


def test_a_treatment_that_is_none_is_refused_with_the_nearest(world):
    with pytest.raises(ParameterError, match=r"reference_treatment 'betta': .* did you mean 'beta'"):
        league_table(world, Parameters(reference_treatment="betta"), **CHOICE)
