import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.stats import proportion
from evidence.wording import (
    Verdict,
    conclusion,
    difference_text,
    in_sentence,
    per_1000,
    risks_text,
    sign_of,
    signed_text,
    told_difference,
    verdict_of,
)

RISK = st.floats(-1, 1, allow_nan=False)
DIRECTIONS = ["more", "fewer", "small", "uncertain", "described", "nothing"]


@given(RISK, RISK, st.sampled_from(["higher", "lower"]), st.floats(0, 0.5))
def test_a_direction_is_named_only_when_the_interval_excludes_no_difference(a, b, better, important):
    low, high = min(a, b), max(a, b)
    verdict = verdict_of(low, high, better=better, important=important)
    assert (verdict.direction in ("more", "fewer")) == (low > 0 or high < 0)
    assert (verdict.favours == "neither") == (low <= 0 <= high)


@given(st.floats(0.001, 1), st.floats(0.001, 1))
def test_more_events_favour_the_treatment_only_where_higher_is_better(a, b):
    low, high = min(a, b), max(a, b)
    assert verdict_of(low, high, better="higher", important=0).favours == "treatment"
    assert verdict_of(low, high, better="lower", important=0).favours == "comparator"
    assert verdict_of(-high, -low, better="lower", important=0).favours == "treatment"


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("allocation", ["randomised", "not randomised", "not stated"])
def test_no_sentence_claims_no_effect_significance_or_importance(direction, allocation):
    text = conclusion(Verdict(direction, "neither"), "Complete response", "Drug", allocation=allocation)
    assert not re.search(
        r"no effect|no difference|significan|important|proves|superior|equivalent", text, re.I
    )


def test_a_comparison_without_randomisation_names_the_other_explanation():
    verdict = Verdict("more", "treatment")
    assert "not randomised" in conclusion(verdict, "Cure", "Drug", allocation="not randomised")
    assert "not randomised" not in conclusion(verdict, "Cure", "Drug", allocation="randomised")


@given(RISK, RISK)
def test_limits_per_1000_keep_their_sides(a, b):
    low, high = min(a, b), max(a, b)
    text = difference_text(low, high)
    assert ("fewer" in text) == (per_1000(low) < 0)
    assert ("more" in text) == (per_1000(high) > 0)


@given(RISK, RISK)
def test_each_limit_says_its_direction_and_the_smaller_of_one_direction_stands_first(a, b):
    low, high = min(a, b), max(a, b)
    ends = [re.fullmatch(r"(\d+)(?: (more|fewer))?", end) for end in difference_text(low, high).split(" to ")]
    assert [bool(end[2]) for end in ends] == [int(end[1]) > 0 for end in ends]
    signed = [int(end[1]) * (-1 if end[2] == "fewer" else 1) for end in ends]
    assert sorted(signed) == [per_1000(low), per_1000(high)]
    assert signed[0] < 0 < signed[1] or abs(signed[0]) <= abs(signed[1])


@given(RISK, RISK, RISK)
def test_one_form_tells_a_difference_with_its_interval(estimate, a, b):
    low, high = min(a, b), max(a, b)
    told = told_difference((estimate, low, high), interval="95% CI")
    assert told == f"{signed_text(estimate)} (95% CI {difference_text(low, high)})"
    bare = told_difference((estimate, low, high), unit=False)
    assert bare == told.replace(" per 1,000", "").replace("95% CI ", "")
    assert bare.startswith("as many (") == (per_1000(estimate) == 0)


def test_absolute_numbers_stand_in_the_sentence_with_their_interval():
    text = risks_text(
        "Cured",
        {"treatment": "Drug", "comparator": "Placebo"},
        proportion(30, 50),
        proportion(20, 50),
        (0.2, 0.004, 0.379),
    )
    assert text.startswith("Cured: 30 of 50 (60.0%; 95% CI 46.2 to 72.4) with Drug and 20 of 50 (40.0%;")
    assert text.endswith("200 more per 1,000 (95% CI 4 more to 379 more).")


def test_labels_keep_capitals_that_belong_to_them():
    assert in_sentence("MDS or AML") == "MDS or AML"
    assert in_sentence("Fatigue") == "fatigue"
    assert signed_text(0.0) == "as many"


def test_a_count_carries_the_sign_of_its_basis_and_of_its_origin():
    assert sign_of(["derived", "printed"], ["external"]) == "†§"
    assert sign_of(["assumed", "derived"], ["seed"]) == "‡"
    assert sign_of(["printed"], ["seed"]) == ""
