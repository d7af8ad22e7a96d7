"""What the audit says reads as a careful person would say it, whatever the figures are."""

import re

import pytest

from evidence import parameters
from evidence.audit.printed import p_between, p_is

STAGES = ("I", "II", "III")


def base(rows):
    return [rows.baseline("drug", "stage", name, 30, 90) for name in STAGES]


def staged(rows, arm, outcome, events, sizes=(30, 30, 30), time="6"):
    return [
        rows.count(arm, outcome, events=str(e), n=str(n), subgroup="stage", level=name, time=time)
        for e, n, name in zip(events, sizes, STAGES, strict=True)
    ]


@pytest.fixture(scope="module")
def sentences(found):
    columns = found[["reported", "recomputed", "why"]]
    return [text for column in columns for text in columns[column].tolist() if text]


@pytest.mark.parametrize(
    ("p", "words"), [(0.0, "P < 0.001"), (0.000999, "P < 0.001"), (0.001, "P = 0.001"), (1.0, "P = 1.000")]
)
def test_p_is_below_a_limit_or_equal_to_a_figure_never_both(p, words):
    assert p_is(p) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.0009, "P < 0.001"),
        (0.0, 0.02, "P of at most 0.020"),
        (0.0121, 0.0124, "P = 0.012"),
        (0.01, 0.02, "P between 0.010 and 0.020"),
    ],
)
def test_limits_of_p_that_are_written_alike_are_one(low, high, words):
    assert p_between(low, high) == words


def test_subgroups_that_differ_at_one_time_are_told_with_no_adjustment(audited, rows):
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    found = audited(
        arms=rows.arms(drug=90),
        counts=base(rows) + staged(rows, "drug", "cured", (28, 19, 6)),
        claims=[claim],
    )
    one = found.one("subgroups_are_alike")
    assert one["why"] == "Subgroups are called alike, but they differ (P < 0.001)."
    assert one["recomputed"].startswith("month 6 93.3%/63.3%/20.0%, P < 0.001 of those counted; month 6")


def test_subgroups_that_differ_at_two_times_are_adjusted_for_both(audited, rows):
    counts = base(rows) + [
        row for time in ("3", "6") for row in staged(rows, "drug", "cured", (28, 19, 6), time=time)
    ]
    found = audited(
        arms=rows.arms(drug=90),
        counts=counts,
        claims=[rows.claim("comparable", arms="drug", subgroup="stage")],
    )
    assert found.one("subgroups_are_alike")["why"].endswith(
        "(P < 0.001 after Holm's adjustment for 2 times)."
    )


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((30, 30, 30), "groups of 30 patients"), ((28, 30, 32), "groups of 28 to 32 patients")],
)
def test_groups_of_one_size_have_one_size(audited, rows, sizes, words):
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    found = audited(
        arms=rows.arms(drug=90),
        counts=base(rows) + staged(rows, "drug", "cured", (20, 19, 21), sizes),
        claims=[claim],
    )
    assert words in found.one("subgroups_are_alike")["why"]


def test_a_claim_with_means_but_no_test_is_told_with_its_means(audited, rows):
    means = [rows.measure("drug", "20.0", "9.0"), rows.measure("placebo", "14.0", "2.0")]
    found = audited(measurements=means, claims=[rows.claim("superior", "level")]).one("superiority_is_shown")
    assert (
        found["why"] == "No test of it is printed, only the means 20.0 ± 9.0 against 14.0 ± 2.0 at 6 months."
    )
    assert found["recomputed"] == "the means 20.0 ± 9.0 against 14.0 ± 2.0 at 6 months"


def test_a_claim_with_the_mean_of_one_arm_or_of_another_time_has_no_figures(audited, rows):
    means = [rows.measure("drug", "20.0", "9.0"), rows.measure("placebo", "14.0", "2.0", time="3")]
    claims = [rows.claim("comparable", "level")]
    why = audited(measurements=means, claims=claims).one("no_difference_is_shown")["why"]
    assert why == "No figures of these arms are printed for it."


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"low": "5", "high": "9", "interval_label": "range"}, "7 (5 to 9) against 6 (5 to 9)"),
        ({"low": "5", "interval_label": "range"}, "7 against 6"),
        ({}, "7 against 6"),
    ],
)
def test_a_median_is_told_with_its_limits_as_printed(audited, rows, limits, words):
    limits = {"statistic": "median", "time": "1"} | limits
    medians = [rows.measure(arm, value, "", **limits) for arm, value in (("drug", "7"), ("placebo", "6"))]
    why = audited(measurements=medians, claims=[rows.claim("comparable", "level")]).one(
        "no_difference_is_shown"
    )["why"]
    assert why == f"No test of it is printed, only the medians {words} at 1 month."


def test_a_rate_of_everybody_keeps_its_decimal_whatever_a_report_writes_elsewhere(audited, rows, monkeypatch):
    monkeypatch.setattr(parameters, "_decimals", [0])
    counts = [rows.count(events="5", n="40", time="6"), rows.count(events="4", n="32", time="12")]
    found = audited(arms=rows.arms(drug=40), counts=counts).one("rates_are_of_everybody")
    assert found["recomputed"] == "12.5%, 10.0% to 12.5%, 30.0%"


@pytest.mark.parametrize(
    ("ps", "words"),
    [
        (("0.020", "0.030", "0.704"), "none of the 2 that are significant survives Holm's"),
        (("0.020", "0.704", "0.900"), "the one that is significant does not survive Holm's"),
        (("0.010", "0.030", "0.704"), "1 of the 2 that are significant does not survive Holm's"),
        # 2 × 0.025 is just 0.05, and not below it
        (("0.001", "0.025", "0.704"), "1 of the 2 that are significant does not survive Holm's"),
        (("0.001", "0.030", "0.040"), "2 of the 3 that are significant do not survive Holm's"),
        (("0.001", "0.500", "0.704"), "1 of 3 is significant, before and after Holm's"),
    ],
)  # fmt: skip
def test_comparisons_lost_to_holm_are_counted_as_one_would_say_it(audited, rows, ps, words):
    tests = [rows.test(p, arms) for arms, p in zip(("a|b", "a|c", "b|c"), ps, strict=True)]
    found = audited(arms=rows.arms(a=50, b=50, c=50), tests=tests)
    assert words in found.one("significance_survives_holm")["why"]


def test_a_claim_of_a_part_of_the_patients_names_the_part_with_the_outcome(audited, rows):
    claim = rows.claim("superior", subgroup="stage", level="very_bad")
    told = audited(claims=[claim]).one("superiority_is_shown")["reported"]
    assert told == "Cured in very bad: drug against placebo, said to be better"


@pytest.mark.parametrize(
    "fault",
    [
        r"P = [<>]", r"P < 0\.\d+ \(?and|between <", r"\bfor 1 times\b", r"P = 0\.00\b", r"\b(\d+) to \1 patients", r"(\b\d+) of the \1 sig",
        r"\b1 (?:comparisons|patients|months|days|weeks|times)\b", r"(?:against|\(|: )(?:[A-Z][a-z]{4,}) (?:against|\+ )",
    ],
)  # fmt: skip
def test_no_sentence_of_the_audit_has_a_known_fault(sentences, fault):
    assert [text for text in sentences if re.search(fault, text)] == []
