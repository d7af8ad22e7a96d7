"""Which single choice changes an answer, and what the joint table of the three chapters says of it."""

from dataclasses import replace

import pytest

import evidence
from evidence.display import flips_table
from evidence.display.tables.flips import flip_words
from evidence.scenarios import Scenario
from evidence.synthesis.explorer import explore
from evidence.synthesis.flips import Flips, chosen_views, flips_of

from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
CLEAR, BORDERLINE, NOT_QUITE = (45, 50, 10, 50), (30, 50, 20, 50), (29, 50, 20, 50)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    named = {"clear": (CLEAR,), "borderline": (BORDERLINE,), "not quite": (NOT_QUITE,)}
    return {name: of_counts(tmp_path_factory.mktemp(name), four) for name, four in named.items()}


def flips(data, parameters=P):
    exploration = explore(data, parameters)
    return flips_of(exploration, exploration.topics[0], parameters)


def test_a_level_that_changes_the_direction_is_named_and_no_other(datasets):
    assert not flips(datasets["clear"])
    assert flips(datasets["borderline"]).levels == (0.99,)
    assert flips(datasets["not quite"]).levels == (0.9,)


def test_the_choice_is_a_departure_from_the_parameters_of_the_report(datasets):
    own = replace(P, confidence_level=0.99)
    assert flips(datasets["borderline"], own).levels == (0.9, 0.95)


def test_every_single_choice_that_is_named_does_change_the_direction(datasets):
    data = datasets["borderline"]
    exploration = explore(data, P)
    (topic,) = exploration.topics
    found, views = flips_of(exploration, topic, P), list(chosen_views(exploration, topic))
    same = {one.level: one.view.verdict.direction for one in views if one.policy == P.missing_data}
    assert all(same[level] != same[P.confidence_level] for level in found.levels)
    assert not found.together


def test_what_only_several_choices_change_is_said_so():
    assert flip_words(Flips((), (), (), (), together=True), []) == "only several choices together"
    assert bool(Flips((), (), (), (), together=True))


def test_the_joint_table_names_the_choices_of_each_chapter_and_leaves_out_what_stays(datasets):
    for name, told in (("borderline", "the one question"), ("clear", "No choice changes any answer")):
        data = datasets[name]
        own = Scenario("own", "Own", "As it is.", P)
        wide = Scenario("wide", "Wide", "Wider.", replace(P, confidence_level=0.99))
        compared = evidence.compare_scenarios([own, wide], P, lambda _, data=data: data)
        table = flips_table(data, P, compared)
        assert told in table.caption
        assert len(table.data) == 1, "the values hold every question"
        if name == "borderline":
            (row,) = table.rows
            assert [row[1].text, row[3].text] == ["99% level", "Wide"]
            assert row[2].text not in ("–", "not asked"), "one method of the interval includes no difference"


@pytest.mark.parametrize(("enrolled", "moves"), [(200, True), (105, False)])
def test_a_rate_without_comparison_is_named_where_missing_values_move_it_out_of_its_interval(
    tmp_path, enrolled, moves
):
    tables = emptied()
    study(tables, "trial", (80, 100, 1, 2), label="Trial")
    tables["arms"], tables["counts"] = tables["arms"][:1], tables["counts"][:1]
    tables["arms"][0]["n"], tables["counts"][0]["analysis_set"] = str(enrolled), "evaluable"
    tables["questions"][0] |= {"comparator": "", "analysis_set": "evaluable"}
    data = dataset(tmp_path, tables)
    found = flips(data)
    # 80 of 100 is 0.80 (0.71 to 0.87); with all missing failed or well 0.40 or 0.90 of 200, 0.76 or 0.81 of 105.
    assert found.moved
    assert found.policies == (("failure", "success") if moves else ())
    assert flip_words(found, ["Trial"]).endswith("(the rate moves)") is moves
