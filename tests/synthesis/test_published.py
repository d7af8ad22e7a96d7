"""Published crude effects, and whether the counts in the data give them."""

import pytest

import evidence
from evidence.stats import compare

P = evidence.Parameters()


@pytest.fixture(scope="module")
def data():
    return evidence.dataset(P)


# Odds ratio of rhTPO against the combination in the four-regimen cohort, Table 3: 0.139 (0.030 to 0.639).
def test_the_cohorts_own_odds_ratio_follows_from_its_counts(data):
    study = evidence.answer("cit_efficacy_combination", data, P).finding.studies[0]
    e1, n1, e0, n0 = study.four
    made = compare(e0, n0, e1, n1, measure="OR")
    assert (round(made.estimate, 3), round(made.low, 3), round(made.high, 3)) == (0.139, 0.030, 0.639)


def test_an_adjusted_odds_ratio_is_not_the_crude_one(data):
    study = evidence.answer("cit_rise_combination", data, P).finding.studies[0]
    assert round(compare(*study.four, measure="OR").estimate, 2) != 2.01


# RACE: complete response at 3 months, odds ratio 3.2 (1.3 to 7.8); the trial's own is adjusted for strata.
def test_the_crude_odds_ratio_of_complete_response_is_within_the_published_interval(data):
    study = evidence.answer("saa_epag_cr_3m", data, P).finding.studies[0]
    assert 1.3 < compare(*study.four, measure="OR").estimate < 7.8


def test_no_question_pools_designs(data):
    for question in data.questions["question_id"]:
        finding = evidence.answer(question, data, P).finding
        if finding.control:
            assert len({study.allocation for study in finding.studies}) <= 1
            assert len({study.family for study in finding.studies}) == len(finding.studies)
