"""What reviewers judged, and what nobody named, reaches the certainty in words."""

from dataclasses import replace

import pytest

import evidence
from evidence.display.figures.forest import _limits, between_words, sides
from evidence.display.indirect import loop_title
from evidence.stats import TestResult
from evidence.synthesis.certainty import certainty, imprecision_step
from evidence.synthesis.explorer import explore
from evidence.synthesis.flips import flips_of
from evidence.synthesis.forest import Forest
from evidence.synthesis.indirect import Loop

from .invented import dataset, emptied, of_counts, study

P = evidence.Parameters()


def judged(tmp_path, *rows):
    tables = emptied()
    study(tables, "trial_0", (30, 50, 20, 50))
    named = {"question_id": "cured_6m", "reason": "Because of it."}
    tables["certainty"] = [
        named | dict(zip(("domain", "levels", "reviewer"), row, strict=True)) for row in rows
    ]
    data = dataset(tmp_path / "data", tables)
    return certainty(evidence.answer("cured_6m", data, P), data, P)


def test_a_start_that_reviewers_judged_stands(tmp_path):
    made = judged(tmp_path, ("start", "2", "A. Nobody"))
    assert (made.start, made.start_reason) == (2, "Because of it.")


def test_of_two_reviewers_the_less_sure_counts(tmp_path):
    rows = [("indirectness", levels, reviewer) for levels, reviewer in (("-1", "A"), ("0", "B"))]
    for place, order in enumerate((rows, rows[::-1])):
        made = judged(tmp_path / str(place), *order)
        (step,) = [one for one in made.steps if one.domain == "indirectness"]
        assert (step.levels, step.basis) == (-1, "A")


def test_without_a_difference_that_matters_no_rate_is_too_wide(tmp_path):
    tables = emptied()
    study(tables, "trial_0", (30, 50, 20, 50))
    tables["questions"] = [tables["questions"][0] | {"comparator": "", "important_per_1000": ""}]
    data = dataset(tmp_path / "data", tables)
    step = imprecision_step(evidence.answer("cured_6m", data, P).finding, important=0)
    assert step.levels == 0
    assert step.reason.startswith("No difference that matters is named.")


def test_an_interval_is_told_alone_where_nobody_said_what_matters(tmp_path):
    finding = evidence.answer("cured_6m", of_counts(tmp_path / "data", [(25, 50, 20, 50)]), P).finding
    step = imprecision_step(finding, important=0)
    assert step.levels == -1
    assert step.reason.endswith("per 1,000, includes no difference.")


def test_rates_that_do_not_overlap_are_inconsistent_without_a_comparison(tmp_path):
    tables = emptied()
    study(tables, "trial_0", (45, 50, 20, 50))
    study(tables, "trial_1", (5, 50, 20, 50))
    tables["questions"] = [tables["questions"][0] | {"comparator": ""}]
    data = dataset(tmp_path / "data", tables)
    made = certainty(evidence.answer("cured_6m", data, P), data, P)
    (step,) = [one for one in made.steps if one.domain == "inconsistency"]
    assert (step.levels, step.reason) == (-1, "2 studies: intervals that do not overlap.")


SHELL = Forest("OR", 0.95, "Cured", "higher", "Drug", "Placebo", (), None, "", None, ())


@pytest.mark.parametrize(
    ("better", "told"),
    [
        ("higher", ("favours placebo", "favours drug")),
        ("lower", ("favours drug", "favours placebo")),
        ("none", ("less often with drug", "more often with drug")),
    ],
)
def test_the_sides_of_a_forest_follow_from_what_is_better(better, told):
    assert sides(replace(SHELL, better=better)) == told


@pytest.mark.parametrize(
    ("measure", "told"), [("proportion", "12.5 to 50.0%"), ("RD", "+12.5 to +50.0"), ("OR", "0.13 to 0.50")]
)
def test_limits_without_an_estimate_are_told_on_the_scale_of_their_measure(measure, told):
    assert _limits(replace(SHELL, measure=measure), 0.125, 0.5) == told


def test_groups_that_were_not_compared_have_no_test():
    assert (
        between_words(SHELL) == between_words(replace(SHELL, test=TestResult(None, None, 1.0, "none"))) == ""
    )
    tested = replace(SHELL, test=TestResult(4.0, 1, 0.0455, "Q"))
    assert between_words(tested) == "Difference between groups: Q = 4.00, df = 1, P = 0.046."


def test_choices_turn_nothing_where_the_report_s_own_are_not_offered(tmp_path):
    exploration = explore(of_counts(tmp_path / "data", [(30, 50, 20, 50)]), P)
    (topic,) = exploration.topics
    nothing = flips_of(exploration, topic, replace(P, confidence_level=0.87))
    assert (nothing.levels, nothing.together) == ((), False)
    assert flips_of(exploration, topic, P).levels == (0.99,)  # P is 0.045


def test_a_loop_of_every_time_has_the_name_of_its_outcome_alone():
    loop = Loop("cured", "Cured", None, "OR", (None, None, None), None, None, "", {})
    assert loop_title(loop) == "Cured"
    assert loop_title(replace(loop, window=(1, 1, "month"))) == "Cured, 1 month"
    assert loop_title(replace(loop, window=(6, 12, "month"))) == "Cured, 6 to 12 months"
