"""What the scenarios change: all questions under all of them, on an invented project."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import evidence as ev
from evidence.display import (
    representation,
    scenarios_figure,
    scenarios_in_short,
    scenarios_prose,
    scenarios_table,
)
from evidence.errors import ParameterError
from evidence.parameters import PARAMETERS, Parameters
from evidence.questions import answer
from evidence.scenarios import read_scenario, read_scenarios
from evidence.synthesis.scenarios import ANSWERING, CHOOSING, OWN, compare_scenarios
from evidence.wording import Verdict

from .conftest import write_project

DEFAULT = "title: Default\nreason: The usual choices.\nparameters: {}\n"
FILES = {
    "default": DEFAULT,
    "wide": "title: Wide\nreason: An interval that is hard to please.\nparameters: {confidence_level: 0.999}\n",
    "odds": "title: Odds\nreason: The ratio of odds.\nparameters: {effect_measure: OR}\n",
    "empty": "title: Empty\nreason: Without the only trial.\nparameters: {excluded_studies: trial_a}\n",
    "bold": "title: Bold\nreason: Results at one in a hundred.\nparameters: {alpha: 0.01}\n",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    made = write_project(tmp_path_factory.mktemp("scenarios") / "project")
    for name, text in FILES.items():
        (made / "scenarios" / f"{name}.yml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture
def inside(root, monkeypatch) -> Path:
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def compared(inside):
    return compare_scenarios(read_scenarios(), Parameters(), ev.dataset)


def test_scenarios_are_found_by_their_files_the_default_first(inside):
    assert [one.name for one in read_scenarios()] == ["default", "bold", "empty", "odds", "wide"]
    assert ev.read_scenarios(inside) == read_scenarios()


def test_a_fault_in_a_scenario_is_told_with_its_name(root, tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "odd.yml").write_text("parameters: {alfa: 1}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="did you mean alpha"):
        read_scenarios(tmp_path)


@pytest.mark.slow
def test_scenarios_with_the_same_numbers_share_a_result_and_the_reports_stands_first(compared):
    (question,) = compared.questions
    groups = [[one.name for one in result.scenarios] for result in question.results]
    assert groups == [["default", "bold"], ["empty"], ["odds"], ["wide"]]
    assert [(result.found, result.changed) for result in question.results] == [
        (True, False), (False, False), (True, False), (True, True),
    ]  # fmt: skip
    assert not question.stable
    assert [one.name for one in question.lost] == ["empty"]


def test_a_result_is_the_answer_under_its_scenario(compared):
    (question,) = compared.questions
    for result in question.results:
        p = result.scenarios[0].parameters
        same = answer("cured_6m", ev.dataset(p), p)
        assert result.answer.sentence == same.sentence
        assert result.answer.difference == same.difference


def test_a_report_that_is_no_scenario_joins_in_and_one_that_is_does_not(inside):
    scenarios = read_scenarios()
    other = compare_scenarios(scenarios, Parameters(confidence_level=0.8), ev.dataset)
    assert other.own.name == OWN
    assert [one.name for one in other.scenarios] == [OWN, *(one.name for one in scenarios)]
    wide = compare_scenarios(scenarios, Parameters(confidence_level=0.999), ev.dataset)
    assert (wide.own.name, wide.scenarios) == ("wide", scenarios)
    assert wide.questions[0].results[0].changed is False
    drawn = compare_scenarios(scenarios, Parameters(rounding=3, theme="print"), ev.dataset)
    assert drawn.own.name == "default"


def test_data_are_loaded_once_for_each_choice_of_rows(inside):
    asked: list[Parameters] = []

    def load(parameters: Parameters):
        asked.append(parameters)
        return ev.dataset(parameters)

    compare_scenarios(read_scenarios(), Parameters(), load)
    assert [one.excluded_studies for one in asked] == ["", "trial_a"]


def test_the_reports_data_folder_holds_for_every_scenario(inside, tmp_path):
    with pytest.raises(ev.EvidenceError, match="no such folder"):
        compare_scenarios(read_scenarios(), Parameters(data_dir=str(tmp_path / "absent")), ev.dataset)


def test_what_an_answer_depends_on_is_what_scenarios_are_told_apart_by(inside, monkeypatch):
    names, read = {spec.name for spec in PARAMETERS}, set()
    ordinary = Parameters.__getattribute__

    def watched(self, name):
        if name in names and sys._getframe(1).f_code.co_name not in ("__hash__", "__eq__"):
            read.add(name)  # to find an answer made before, every parameter is compared
        return ordinary(self, name)

    p = Parameters()
    with monkeypatch.context() as patch:
        patch.setattr(Parameters, "__getattribute__", watched)
        answer("cured_6m", ev.dataset(p), p)
    # Of one study nothing is pooled, and the threshold chooses rows.
    assert read | {"pooling_method", "interval_method"} == {*ANSWERING, *CHOOSING}
    assert set(ANSWERING) - set(CHOOSING) <= read | {"pooling_method", "interval_method"}


def test_table_figure_and_list_say_what_each_scenario_changes(compared):
    table = scenarios_table(compared)
    assert not any(set("†‡§¶") & set(row[0]) for row in table.texts())
    assert table.caption == ("1 question under 5 scenarios in numbers.")
    assert scenarios_figure(compared).caption.startswith(
        "The one answer that says more or fewer becomes uncertain in the scenario “Wide” (99.9% intervals): "
        "cure at 6 months. "
    )
    assert (
        "In 1 of 4 pairs of a question and a scenario other than this report there are no data" in table.note
    )
    assert "and in 1 no number changes" in table.note
    assert [row[0].text for row in table.rows] == ["Default; Bold", "Empty", "Odds", "Wide"]
    assert [row[-1].text for row in table.rows] == [
        "More patients",
        "No data",
        "More patients",
        "Changed: uncertain",
    ]
    assert table.rows[0][1].rows == ("doc-c001",)
    assert table.places["doc-c001"] == "Article, 2020 · Table 1"
    assert "95% CI, 99.9% CI in Wide. Ratio: risk ratio, odds ratio in odds." in table.note
    assert len(table.data) == 5
    figure = scenarios_figure(compared)
    assert "Wide 200 more per 1,000" in figure.alt
    assert "Empty no data" in figure.alt
    assert "<svg" in representation(figure)[0]["image/svg+xml"]
    told = scenarios_prose(compared).text
    assert "- **Default** (the parameters of this report). The usual choices. Changed: nothing." in told
    assert "- **Wide**. An interval that is hard to please. Changed: confidence level = 0.999." in told


def test_the_rows_say_level_and_methods_and_no_change_where_there_are_no_data(compared):
    frame = compared.frame().set_index("scenario")
    assert dict(frame["confidence_level"]) == {
        "default": 0.95, "bold": 0.95, "empty": 0.95, "odds": 0.95, "wide": 0.999,
    }  # fmt: skip
    assert frame.loc["empty", ["changed", "difference_method", "proportion_method"]].isna().all()
    assert [frame.loc[name, "changed"] for name in ("default", "odds", "wide")] == [False, False, True]
    assert frame.loc["wide", ["proportion_method", "difference_method"]].tolist() == ["wilson", "newcombe"]
    assert list(frame["ratio_method"].dropna().unique()) == ["katz", "woolf"]


def test_only_what_had_a_direction_is_counted_as_able_to_lose_it(inside):
    own = Parameters(confidence_level=0.999)
    told = scenarios_in_short(compare_scenarios(read_scenarios(), own, ev.dataset)).text
    assert "more or fewer" not in told
    assert "1 was uncertain before; another conclusion in every scenario but “Wide” and “Empty”" in told
    assert "(95% intervals): cure at 6 months." in told


def test_an_answer_that_turns_round_is_not_called_uncertain(compared):
    (question,) = compared.questions
    *others, wide = question.results
    turned = replace(wide, answer=replace(wide.answer, verdict=Verdict("fewer", "comparator")), changed=True)
    one = replace(question, results=(*others, turned))
    told = scenarios_in_short(replace(compared, questions=(one,))).text
    assert "The one answer that says more or fewer changes in the scenario “Wide”" in told


def test_a_risk_without_comparison_is_named_where_it_leaves_its_own_interval(compared):
    (question,) = compared.questions
    own, _, _, wide = question.results
    alone = replace(own.answer, verdict=Verdict("described", "neither"))
    low, high = alone.treatment.low, alone.treatment.high
    for risk, moves in ((low - 0.01, True), (high, False), (high + 0.01, True)):
        there = replace(alone, treatment=replace(alone.treatment, estimate=risk))
        one = replace(
            question,
            results=(replace(own, answer=alone), replace(wide, answer=there, changed=False)),
        )
        told = scenarios_in_short(replace(compared, questions=(one,))).text
        assert "1 has no comparison" in told
        assert ("1 has no comparison; the rate of 1 leaves its interval: cure" in told) is moves
        assert (
            f"to {round(1000 * risk)} per 1,000 in the scenario “Wide” (99.9% intervals)" in told
        ) is moves


def test_an_answer_that_nothing_can_change_is_not_counted_as_tested(compared):
    (question,) = compared.questions
    own = question.own
    still = replace(question, results=(replace(own, scenarios=compared.scenarios),))
    told = replace(compared, questions=(still,))
    assert (told.cells, told.without_data, told.identical) == (4, 0, 4)
    assert "The one answer that says more or fewer does not change." in scenarios_in_short(told).text


def test_nothing_is_drawn_where_nothing_is_asked(compared):
    bare = replace(compared, questions=())
    assert "No questions" in scenarios_table(bare).caption
    assert "No comparison" in scenarios_figure(bare).caption


def test_many_questions_are_drawn_in_parts_of_a_page(compared):
    (one,) = compared.questions
    many = tuple(replace(one, title=f"Group {place}: cure", question_id=str(place)) for place in range(14))
    figure = scenarios_figure(replace(compared, questions=many))
    assert len(figure.more) == 1
    assert max(part.get_size_inches()[1] for part in (figure.figure, *figure.more)) < 9.3
    assert len(figure.narrow) == 2
    assert {part.get_size_inches()[0] for part in figure.narrow} == {276 / 72}


def test_patients_whose_questions_go_on_in_the_next_part_are_named_again(compared):
    (one,) = compared.questions
    whom = ["Adults"] * 9 + ["Children"] * 5
    many = tuple(
        replace(one, title=f"{name}: cure {place}", question_id=str(place)) for place, name in enumerate(whom)
    )
    figure = scenarios_figure(replace(compared, questions=many))
    first, second = (
        [text.get_text() for axis in part.axes for text in axis.texts]
        for part in (figure.figure, *figure.more)
    )
    assert first.count("Adults") == 1
    assert second.count("Adults, continued") == second.count("Children") == 1


def test_the_alternative_text_of_many_questions_has_the_ends_and_what_changes(compared):
    (one,) = compared.questions
    many = tuple(replace(one, title=f"Group {place}: cure", question_id=str(place)) for place in range(30))
    alt = scenarios_figure(replace(compared, questions=many)).alt
    assert len(alt) < 1000
    assert alt.startswith("Interval plot of 30 questions under 5 scenarios, per 1,000 patients.")
    assert "Conclusions that change: 30, among them: Group 0: cure, 200 more (" in alt
    assert "under Wide 200 more (" in alt


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: &a x\nreason: *a\n", "anchors and aliases are not read"),
        ("title: " + "[" * 40 + "]" * 40, "nested more than"),
        ("title: a\ntitle: b\n", "'title' stands twice or is no name"),
        ("? [a]\n: b\n", "stands twice or is no name"),
        ("title: " + "x" * 2_000_000, "settings have at most"),
        ('title: "a\\u200bb"\n', "title holds a character that cannot be seen"),
    ],
)
def test_a_scenario_holds_plain_settings_alone(tmp_path, text, message):
    path = tmp_path / "plain.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_scenario(str(path), tmp_path)


def test_a_scenario_whose_name_could_not_name_a_folder_is_refused(tmp_path):
    for name in ("con", "a b"):
        path = tmp_path / f"{name}.yml"
        path.write_text(DEFAULT, encoding="utf-8")
        with pytest.raises(ParameterError, match="it names the report's folder"):
            read_scenario(str(path), tmp_path)
