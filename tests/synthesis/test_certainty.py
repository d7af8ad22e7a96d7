import copy
from dataclasses import replace
from pathlib import Path

import pytest

import evidence
from evidence.questions import Estimate, Finding, answer
from evidence.synthesis.certainty import (
    DOMAINS,
    FEW_EVENTS,
    WORDS,
    certainty,
    imprecision_step,
    inconsistency_step,
    information_size,
    interval_levels,
    statement,
)
from evidence.wording import Verdict

from .invented import dataset, emptied, study

P = evidence.Parameters()
ROOT = Path(__file__).parents[2]
TOOLS = {"RoB 2": "randomisation process", "ROBINS-I": "confounding", "Murad 2018": "selection"}


def judged(tables, study_id, tool, judgement, *, more=()):
    """Judge the domains that are named as given and everything else low."""
    from evidence.synthesis.bias import find_tool

    bad = {TOOLS[tool], *more}
    for domain in [*(one.name for one in find_tool(tool).domains), "overall"]:
        row = {
            "study_id": study_id,
            "outcome_id": "cured",
            "tool": tool,
            "domain": domain,
            "reason": "because",
        }
        row |= {"judgement": judgement if domain in bad else "low", "reviewer": "one"}
        number = len(tables.setdefault("risk_of_bias", []))
        tables["risk_of_bias"].append(row | {"row_id": f"doc-b{number:03d}"})


def of(folder, *studies, rows=(), **changes):
    """Return the certainty of the question, of studies given as counts, tool and judgement."""
    tables = emptied()
    tables["questions"] = copy.deepcopy(tables["questions"])
    tables["questions"][0] |= changes
    tables["risk_of_bias"] = []
    for place, (four, tool, judgement, said) in enumerate(studies):
        study(tables, f"trial_{place}", four, randomised=said, label=f"Trial {place}")
        if tool:
            judged(tables, f"trial_{place}", tool, judgement)
    tables["certainty"] = [
        {"question_id": "cured_6m", "domain": domain, "levels": str(levels), "reason": "so", "reviewer": who}
        for domain, levels, who in rows
    ]
    data = dataset(folder, tables)
    return certainty(answer("cured_6m", data, P), data, P)


def levels(sure):
    return {step.domain: step.levels for step in sure.steps}


LARGE = (450, 1000, 300, 1000)  # 150 more per 1,000, precise


@pytest.mark.parametrize(
    ("tool", "judgement", "said", "expected"),
    [
        ("RoB 2", "low", "yes", 4),
        ("RoB 2", "some concerns", "yes", 4),
        ("RoB 2", "no information", "yes", 3),
        ("RoB 2", "high", "yes", 3),
        ("RoB 2", "low", "", 2),
        ("ROBINS-I", "low", "no", 4),
        ("ROBINS-I", "moderate", "no", 3),
        ("ROBINS-I", "serious", "no", 2),
        ("ROBINS-I", "critical", "no", 1),
        ("", "", "yes", 3),
        ("", "", "no", 2),
    ],
)
def test_risk_of_bias_lowers_a_precise_answer_by_tool_and_judgement(
    tmp_path, tool, judgement, said, expected
):
    sure = of(tmp_path, (LARGE, tool, judgement, said))
    assert sure.level == expected
    assert sure.start == 4
    assert len(sure.signs) == 4
    assert sure.signs.count("●") == expected


def test_several_high_domains_cost_two_levels(tmp_path):
    tables = emptied()
    tables["risk_of_bias"] = []
    study(tables, "trial_0", LARGE)
    judged(tables, "trial_0", "RoB 2", "high", more=("missing outcome data",))
    data = dataset(tmp_path, tables)
    assert levels(certainty(answer("cured_6m", data, P), data, P))["risk_of_bias"] == -2


def test_the_studies_with_half_of_the_patients_decide_on_risk_of_bias(tmp_path):
    small, large = (45, 100, 30, 100), (450, 1000, 300, 1000)
    assert levels(of(tmp_path / "a", (large, "RoB 2", "low", "yes"), (small, "RoB 2", "high", "yes")))[
        "risk_of_bias"
    ] == 0  # fmt: skip
    assert levels(of(tmp_path / "b", (large, "RoB 2", "high", "yes"), (small, "RoB 2", "low", "yes")))[
        "risk_of_bias"
    ] == -1  # fmt: skip


def test_a_single_arm_starts_low_and_never_falls_below_very_low(tmp_path):
    sure = of(tmp_path, ((50, 100, 1, 100), "Murad 2018", "high", "no"), comparator="")
    assert sure.start == 2
    assert sure.level == 1
    assert sure.word == "very low"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.11, 0.3, 0),  # all that is possible matters
        (0.03, 0.3, -1),  # may be too small to matter
        (-0.05, 0.05, 0),  # nothing possible matters, either way
        (-0.05, 0.3, -1),  # no difference or one that matters
        (-0.2, 0.3, -2),  # better or worse, both of which matter
        (-0.3, -0.11, 0),
    ],
)
def test_imprecision_follows_from_the_interval_and_the_difference_that_matters(low, high, expected):
    assert interval_levels(low, high, 0.1) == expected


def test_where_nobody_said_what_matters_no_difference_is_the_limit():
    assert interval_levels(-0.01, 0.3, 0) == -1
    assert interval_levels(0.01, 0.3, 0) == 0


@pytest.mark.parametrize("control", [0.05, 0.1, 0.3, 0.5, 0.85])
def test_information_size_agrees_with_the_formula_that_pools_the_variance(control):
    """Fleiss, Levin and Paik 2003, chapter 4, without correction; the two variances differ by under 3%."""
    other = control + 0.1
    mean = (control + other) / 2
    null, apart = 2 * mean * (1 - mean), control * (1 - control) + other * (1 - other)
    per_arm = (1.959964 * null**0.5 + 0.841621 * apart**0.5) ** 2 / 0.1**2
    assert information_size(control, 0.1) / 2 == pytest.approx(per_arm, rel=0.03)


def test_information_size_looks_the_other_way_where_there_is_no_room():
    assert information_size(0.95, 0.1) == information_size(0.05, 0.1)
    assert information_size(0.3, 0) == 0


def test_few_events_lower_an_answer_whose_interval_leaves_no_doubt(tmp_path):
    sure = of(tmp_path / "few", ((99, 168, 5, 85), "RoB 2", "low", "yes"))
    (step,) = [one for one in sure.steps if one.domain == "imprecision"]
    assert step.levels == -1
    assert f"104 events, fewer than {FEW_EVENTS}" in step.reason
    assert levels(of(tmp_path / "many", (LARGE, "RoB 2", "low", "yes")))["imprecision"] == 0


def test_one_study_cannot_be_inconsistent(tmp_path):
    assert levels(of(tmp_path, (LARGE, "RoB 2", "low", "yes")))["inconsistency"] == 0


def test_alike_studies_are_consistent_and_contradicting_ones_lose_two_levels(tmp_path):
    good = (LARGE, "RoB 2", "low", "yes")
    bad = ((300, 1000, 450, 1000), "RoB 2", "low", "yes")
    assert levels(of(tmp_path / "alike", good, good, good))["inconsistency"] == 0
    apart = of(tmp_path / "apart", good, good, bad)
    (step,) = [one for one in apart.steps if one.domain == "inconsistency"]
    assert step.levels == -2
    assert "do not overlap" in step.reason


def test_a_prediction_interval_that_reaches_no_difference_costs_a_level(tmp_path):
    data_sure = of(tmp_path, *((four, "RoB 2", "low", "yes") for four in [LARGE, LARGE, LARGE]))
    assert levels(data_sure)["inconsistency"] == 0
    tables = emptied()
    for place in range(3):
        study(tables, f"trial_{place}", LARGE)
    data = dataset(tmp_path / "wide", tables)
    found = answer("cured_6m", data, P).finding
    wide = replace(found, pooled=replace(found.pooled, pi_low=0.9, pi_high=3.0))
    assert inconsistency_step(wide, P).levels == -1


def test_of_two_studies_side_by_side_the_more_precise_one_counts():
    wide, narrow = (Estimate("RD", 0.2, low, high, 0.5, "") for low, high in ((-0.3, 0.5), (0.05, 0.3)))
    found = Finding("randomised", (), None, None, "", None, wide, None, (wide, narrow))
    assert imprecision_step(found, important=0.1).levels == -1


def test_a_reviewers_row_takes_the_place_of_a_computed_one_and_the_least_sure_counts(tmp_path):
    rows = [("imprecision", -2, "a"), ("indirectness", 0, "a"), ("indirectness", -1, "b")]
    sure = of(tmp_path, (LARGE, "RoB 2", "low", "yes"), rows=rows)
    assert levels(sure)["imprecision"] == -2
    assert levels(sure)["indirectness"] == -1
    assert sure.level == 1


def test_certainty_can_rise_but_not_above_high(tmp_path):
    raised = of(tmp_path, (LARGE, "ROBINS-I", "serious", "no"), rows=[("large_effect", 1, "a")])
    assert raised.level == 3
    sure = of(tmp_path / "top", (LARGE, "RoB 2", "low", "yes"), rows=[("large_effect", 2, "a")])
    assert sure.level == 4


def test_what_nobody_judged_says_so(tmp_path):
    sure = of(tmp_path, (LARGE, "RoB 2", "low", "yes"))
    assert {step.domain for step in sure.steps if step.basis == "not judged"} == {
        "indirectness",
        "publication_bias",
    }


def test_no_answer_has_no_certainty(tmp_path):
    assert of(tmp_path) is None


@pytest.mark.parametrize("allocation", ["randomised", "not randomised", "not stated"])
@pytest.mark.parametrize("direction", ["more", "fewer", "uncertain", "small"])
@pytest.mark.parametrize("level", WORDS)
def test_words_never_claim_no_effect_or_importance(direction, level, allocation):
    verdict = Verdict(direction, "neither")
    text = statement(verdict, level, "9 more (1 to 20)", allocation=allocation, important=100)
    assert not any(word in text.lower() for word in ("no effect", "no difference", "significan", "importan"))
    if direction == "uncertain" or (direction == "small" and level == 1):
        assert text.endswith("direction not clear")
    if direction in ("more", "fewer"):
        assert {4: "9", 3: "probably", 2: "perhaps", 1: "9"}[level] in text
        assert ("," in text) == (level == 1)


def test_a_doubtful_number_of_patients_is_told_with_imprecision_and_costs_no_level_itself():
    data = evidence.load(ROOT / "data")
    finding = answer("saa_hpag_epag_cr", data, P).finding
    arm = finding.studies[0].treatment
    step = imprecision_step(finding, important=0.1)
    sound = replace(finding, studies=(replace(finding.studies[0], treatment=replace(arm, doubt="")),))
    assert f"{arm.n}, is doubtful" in step.reason
    assert "doubtful" not in imprecision_step(sound, important=0.1).reason
    assert imprecision_step(sound, important=0.1).levels == step.levels


def test_every_question_is_judged_on_what_cannot_be_computed():
    data = evidence.load(ROOT / "data")
    rows = set(zip(data.certainty["question_id"], data.certainty["domain"], strict=True))
    wanted = {
        (one, domain)
        for one in data.questions["question_id"]
        for domain in ("indirectness", "publication_bias")
    }
    assert rows >= wanted
    for question, domain in rows - wanted:  # only where a group was not counted whole
        assert domain == "risk_of_bias"
        assert any(each.treatment.group for each in answer(question, data, P).finding.studies)
    assert all(data.certainty["reviewer"] == "one reviewer, from published text")
    for one in data.questions["question_id"]:
        sure = certainty(answer(one, data, P), data, P)
        assert [step.domain for step in sure.steps] == list(DOMAINS)
        assert all(step.reason.endswith(".") for step in sure.steps)


def test_without_randomisation_no_answer_is_more_than_low():
    """GRADE guideline 18: non-randomised evidence with serious risk of bias ends low or very low."""
    data = evidence.load(ROOT / "data")
    for one in data.questions["question_id"]:
        found = answer(one, data, P)
        if found.allocation != "randomised":
            assert certainty(found, data, P).level <= 2, one


@pytest.mark.parametrize(
    ("four", "needed", "expected"),
    [((200, 250, 100, 250), 770, -1), ((90, 100, 10, 100), 394, -1), ((45, 50, 20, 50), 770, -2)],
)
def test_fewer_than_half_of_the_patients_that_a_trial_needs_cost_two_levels(tmp_path, four, needed, expected):
    assert information_size(four[2] / four[3], 0.1) == needed
    assert levels(of(tmp_path, (four, "RoB 2", "low", "yes")))["imprecision"] == expected
