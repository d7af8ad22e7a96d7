"""What is said of the analyses that could also have been made, in every case that can arise."""

from types import SimpleNamespace

import pandas as pd
import pytest

from evidence.display import short
from evidence.display.tables.synthesis import (
    _curve_cells,
    analyses_words,
    curve_words,
    inert_words,
    nothing_left_words,
)
from evidence.synthesis.specifications import EFFECT, EVIDENCE, MISSING, Curve, Specification


def analysis(direction, estimate, *choices):
    return Specification(choices, estimate, estimate - 0.1, estimate + 0.1, 2, direction, main=False)


def curve(direction, *analyses, impossible=()):
    verdict = SimpleNamespace(direction=direction)
    answer = SimpleNamespace(verdict=verdict, included=pd.DataFrame())
    return Curve("cured_6m", "Cure at 6 months", "cured", answer, analyses, impossible)


ALL, FEWER = (EVIDENCE, "All documents"), (EVIDENCE, "Primary documents only")
FAILED, LEFT = (MISSING, "Missing as failures"), (MISSING, "Missing left out")


def test_where_no_analysis_is_possible_that_is_all_that_is_said():
    none = curve("nothing")
    assert curve_words(none) == "No analysis is possible."
    assert [cell.text for cell in _curve_cells(none)] == ["Cure at 6 months", "No data", "–", "–", "–", "–"]


def test_what_leads_to_another_conclusion_is_named_where_it_sets_those_analyses_apart():
    made = curve(
        "more",
        analysis("uncertain", 0.05, FEWER, FAILED),
        analysis("uncertain", 0.06, FEWER, LEFT),
        analysis("more", 0.2, ALL, FAILED),
        analysis("more", 0.3, ALL, LEFT),
        impossible=("Without trial A",),
    )
    assert curve_words(made) == (
        "The conclusion (more patients with treatment) is the same in 2 of 4 analyses. "
        "In 2: the direction is uncertain (primary documents only)."
    )
    assert [cell.text for cell in _curve_cells(made)][1:] == [
        "More patients",
        "2 of 4 analyses",
        "+50 to +300",
        "−50 to +400",
        "without trial A",
    ]
    assert nothing_left_words(made) == "No study is left with: without trial A."


def test_a_choice_that_does_not_set_them_apart_is_not_blamed():
    made = curve(
        "more",
        analysis("fewer", -0.2, ALL, LEFT),
        analysis("more", 0.2, ALL, FAILED),
        analysis("more", 0.3, FEWER, LEFT),
    )
    assert curve_words(made) == (
        "The conclusion (more patients with treatment) is the same in 2 of 3 analyses. In 1: fewer patients with treatment."
    )


def test_choices_that_changed_no_number_are_listed():
    made = curve("more", analysis("more", 0.2, ALL, FEWER, FAILED), analysis("more", 0.3, ALL, FEWER, LEFT))
    assert curve_words(made) == (
        "The conclusion (more patients with treatment) is the same in 2 of 2 analyses. "
        f"Changed no number: {EVIDENCE.lower()} (all documents, primary documents only)."
    )
    assert inert_words(curve("more", analysis("more", 0.2, ALL))) == ""


@pytest.mark.parametrize(("other", "said"), [(0.2, "2 methods"), (0.3, "2 analyses")])
def test_analyses_of_one_estimate_are_methods_of_its_interval(other, said):
    made = curve("more", analysis("more", 0.2, (EFFECT, "A")), analysis("more", other, (EFFECT, "B")))
    assert analyses_words(made) == said
    assert ("by 2 of 2 methods of its interval" in curve_words(made)) is (said == "2 methods")
    assert nothing_left_words(made) == ""


TRIALS = [
    {"label": "Trial A", "state": "Completed, not published"},
    {"label": "Trial B", "state": "Recruiting"},
    {"label": "Trial C", "state": "Completed"},
]


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (TRIALS, ["3 trials have no results in the documents: 2 completed and 1 recruiting.", "Completed: Trial A; Trial C."]),
        (TRIALS[1:2], ["1 trial has no results in the documents: 1 recruiting.", "Recruiting: Trial B."]),
        ([], ["The data hold no result for this."]),
    ],
)  # fmt: skip
def test_trials_without_results_are_counted_by_state_and_the_first_named(monkeypatch, trials, said):
    monkeypatch.setattr(short, "awaited", lambda data: trials)
    told = short.registered_in_short(None).text
    assert all(sentence in told for sentence in said)
