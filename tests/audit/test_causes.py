"""Findings with one root cause, and the checks that look across documents."""

import pytest

from evidence.stats import chi_square, compare, fisher_exact

TWO = ((30, 50), (20, 50))


def two(rows):
    pairs = zip(("drug", "placebo"), TWO, strict=True)
    return [rows.count(arm, events=str(events), n=str(n)) for arm, (events, n) in pairs]


def turned():
    """Return the odds ratio of the counts, printed the other way round."""
    made = compare(*TWO[0], *TWO[1], measure="OR")
    ends = {"effect": made.estimate, "low": made.high, "high": made.low}
    printed = {name: f"{1 / value:.3f}" for name, value in ends.items()}
    return printed | {"effect_label": "OR", "interval_level": "0.95"}


def criterion(source, name, threshold, number, operator=">="):
    return {
        "row_id": f"{source}-d00{number}", "source_id": source, "locator": "Methods", "study_id": "trial_a",
        "outcome_id": "cured", "group": "a", "join": "all", "criterion": name, "operator": operator,
        "threshold": threshold, "unit": "week" if threshold else "",
    }  # fmt: skip


SOURCES = [
    {"source_id": source, "title": source.title(), "kind": "article", "tier": "primary"}
    for source in ("doc", "other")
]


def test_one_wrong_test_that_fails_several_checks_is_one_cause(audited, rows):
    test = rows.test("0.900", **turned())
    frame = audited(counts=two(rows), tests=[test]).frame
    odd = frame[frame["verdict"] == "inconsistent"]
    assert len(odd) > 1
    assert odd["cause"].nunique() == 1
    assert set(odd["cause"]) <= set(odd["finding_id"])


def test_sound_findings_have_no_cause(audited, rows):
    frame = audited(counts=two(rows), tests=[rows.test(f"{chi_square([[30, 20], [20, 30]]).p:.3f}")]).frame
    assert set(frame.loc[frame["verdict"] == "consistent", "cause"]) == {""}


def test_two_wrong_percentages_are_two_causes(audited, rows):
    counts = [rows.count(arm, events="20", percent="47.0") for arm in ("drug", "placebo")]
    frame = audited(counts=counts).frame
    wrong = frame[frame["check"] == "percent_matches_count"]
    assert wrong["cause"].nunique() == 2


@pytest.mark.parametrize(
    ("p", "verdict", "words"),
    [
        ("0.019", "consistent", "same conclusion"),
        ("0.013", "consistent", "same conclusion"),
        ("0.002", "not_checkable", "different tests or models"),
        (f"{fisher_exact([[30, 20], [20, 30]]).p:.3f}", "inconsistent", "not adjusted, gives the printed P"),
    ],
)
def test_p_beside_an_adjusted_effect_is_held_against_its_interval(audited, rows, p, verdict, words):
    low, high = ("1.12", "3.60") if verdict != "inconsistent" else ("1.50", "2.69")
    test = rows.test(
        p, effect_label="OR", effect="2.01", low=low, high=high, interval_level="0.95", adjusted="yes"
    )
    found = audited(counts=two(rows), tests=[test]).one("p_fits_interval")
    assert found["verdict"] == verdict, found
    assert words in found["why"]


def test_silence_about_a_criterion_is_a_question_and_no_difference(audited):
    said = [criterion("doc", "free_of_signs", "6", 1)]
    more = [criterion("other", "free_of_signs", "6", 2), criterion("other", "relapse", "", 3, "absent")]
    found = audited(sources=SOURCES, definitions=[*said, *more]).one("definitions_are_one")
    assert (found["verdict"], found["consequence"]) == ("not_checkable", "conclusion")
    assert "does not print “relapse absent”" in found["why"]
    assert "≥6 weeks" in found["reported"]


def test_two_thresholds_of_one_criterion_are_a_difference(audited):
    said = [criterion("doc", "free_of_signs", "6", 1), criterion("other", "free_of_signs", "8", 2)]
    assert audited(sources=SOURCES, definitions=said).one("definitions_are_one")["verdict"] == "inconsistent"


def test_two_wrong_tests_that_fail_several_checks_each_are_two_causes(audited, rows):
    outcomes = ("cured", "fever")
    counts = [row | {"outcome_id": outcome} for outcome in outcomes for row in two(rows)]
    tests = [rows.test("0.900", outcome=outcome, **turned()) for outcome in outcomes]
    frame = audited(counts=counts, tests=tests).frame
    odd = frame[frame["verdict"] == "inconsistent"]
    assert odd["cause"].nunique() == 2
