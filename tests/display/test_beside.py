"""What stands beside an answer in its summary of findings: graver events, the start, a published effect."""

from __future__ import annotations

import functools
import re

import pytest

import evidence
from evidence.display import findings_table, summary_table
from evidence.display.tables.beside import adjusted_of, baseline_of, beside_values, graver_of
from evidence.display.tables.findings import matters_words
from evidence.synthesis.certainty import interval_levels

from ..conftest import ROOT

P = evidence.Parameters()


@functools.cache
def real():
    return evidence.load(ROOT / "data")


def of(question):
    return evidence.answer(question, real(), P)


def told(question):
    return {row[0].text: row[1].text for row in findings_table(real(), P, question_id=question).rows}


@pytest.mark.parametrize("dose", ["2_5", "5"])
def test_graver_bleeding_stands_beside_any_bleeding_with_its_counts(dose):
    whole, part = of(f"itp_bleeding_{dose}"), of(f"itp_bleeding_ge2_{dose}")
    text = told(f"itp_bleeding_{dose}")["Of these, bleeding of WHO grade ≥2"]
    study = part.finding.studies[0]
    assert f"{study.treatment.events} of {study.treatment.n} with" in text
    assert f"{study.comparator.events} of {study.comparator.n} with" in text
    assert f"of {abs(round(1000 * whole.difference.estimate))} fewer in all" in text
    assert [one.question_id for one in graver_of(whole, real(), P)] == [part.question_id]
    assert graver_of(part, real(), P) == []


def test_nothing_is_called_graver_where_more_is_better():
    assert graver_of(of("saa_or_6m"), real(), P) == []


def test_the_start_is_told_for_both_groups_of_the_answer_and_of_its_graver_part():
    counts = real().select("counts", study_id="itp_phase3", outcome_id="baseline_who_bleeding_1_4")
    printed = dict(zip(counts["arm_id"], counts["percent"], strict=True))
    for question, arm in {"itp_bleeding_2_5": "hpag_2_5", "itp_bleeding_ge2_5": "hpag_5"}.items():
        text = told(question)["Before treatment"]
        assert re.findall(r"\((\d+\.\d)%\)", text) == [printed[arm], printed["placebo"]]
    assert baseline_of(of("itp_p3_2_5"), real(), P) == []
    assert "Before treatment" not in told("saa_cr_6m")


def test_an_adjusted_effect_stands_beside_the_crude_one_with_what_it_means():
    """By hand: 100/148 is odds of 100/48; times the printed ratio, back to a share, less 100/148."""
    one = of("cit_rise_combination")
    (test,) = adjusted_of(one, real())
    odds = [float(test[name]) * 100 / 48 for name in ("effect", "low", "high")]
    by_hand = [each / (1 + each) - 100 / 148 for each in odds]
    assert test["difference"] == pytest.approx(by_hand)
    text = told("cit_rise_combination")["As published, adjusted"]
    assert text.startswith(f"Odds ratio {test['effect']} ({test['low']} to {test['high']})")
    assert [f"{1000 * each:.0f} more" in text for each in by_hand] == [True] * 3
    assert beside_values(one, real(), P)["adjusted_difference_low"] == pytest.approx(by_hand[1])
    assert adjusted_of(of("cit_chemo_combination"), real()) == []


@pytest.mark.slow
def test_the_summary_of_findings_tells_every_adjusted_effect_and_the_table_of_answers_none():
    questions = [str(one) for one in real().questions["question_id"]]
    adjusted = [one for one in questions if adjusted_of(of(one), real())]
    assert "cit_rise_combination" in adjusted
    for question in questions:
        assert ("As published, adjusted" in told(question)) == (question in adjusted)
    assert "As published" not in summary_table([of(one) for one in adjusted], real(), P).note


def test_one_difference_matters_everywhere_and_the_count_of_what_rests_on_it_is_computed():
    answers = [of(str(one)) for one in real().questions["question_id"]]
    compared = [one for one in answers if one.difference]
    held = sum(
        any(interval_levels(each.low, each.high, 0.1) for each in one.finding.each or [one.difference])
        for one in compared
    )
    assert f"imprecision of {held} of {len(compared)} comparisons" in matters_words(answers)
    assert matters_words([]) == ""
