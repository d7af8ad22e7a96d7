"""Denominators, claims, documents against each other, reporting."""

import math
import re

import pytest

from evidence.stats import fisher_exact, fisher_freeman_halton, holm


def course(rows, ns, events):
    return [
        rows.count(events=str(e), n=str(n), time=str(6 * i + 6), time_unit="week")
        for i, (e, n) in enumerate(zip(events, ns, strict=True))
    ]


def test_falling_denominators_are_bounded_with_missing_as_failure_and_success(audited, rows):
    found = audited(counts=course(rows, (48, 30), (36, 27))).one("rates_are_of_everybody")
    assert (found["verdict"], found["consequence"]) == ("not_checkable", "conclusion")
    assert "72.0%, 54.0% if the missing failed and 76.0%, 94.0% if they succeeded" in found["why"]
    assert found["why"].endswith("the printed rise becomes a fall if they failed.")


def test_a_rate_of_everybody_is_sound(audited, rows):
    assert audited(counts=course(rows, (50, 50), (36, 27))).verdicts("rates_are_of_everybody") == [
        "consistent"
    ]


@pytest.mark.parametrize(
    ("n", "verdict", "consequence"), [("50", "consistent", ""), ("51", "inconsistent", "number")]
)
def test_no_more_patients_are_counted_than_the_arm_has(audited, rows, n, verdict, consequence):
    found = audited(counts=[rows.count(events="20", n=n)]).one("patients_fit_arm")
    assert (found["verdict"], found["consequence"]) == (verdict, consequence)


def median(rows, days, analysis_set="unstated"):
    row = rows.measure("drug", days, "", "time_to_cured", n="", unit="day", analysis_set=analysis_set)
    return {k: v for k, v in row.items() if k not in ("time", "time_unit")} | {"statistic": "median"}


@pytest.mark.parametrize(
    ("events", "analysis_set", "verdict"),
    [("20", "unstated", "not_checkable"), ("20", "randomised", "inconsistent"), ("20", "responders", "consistent"), ("30", "unstated", "consistent")],
)  # fmt: skip
def test_a_median_before_half_had_the_event_is_of_responders(audited, rows, events, analysis_set, verdict):
    found = audited(counts=[rows.count(events=events)], measurements=[median(rows, "56", analysis_set)])
    assert found.verdicts("medians_are_of_everybody") == [verdict]


def two(rows, e1, e0, outcome="cured"):
    return [rows.count(outcome=outcome, events=str(e1)), rows.count("placebo", outcome, events=str(e0))]


def test_non_inferiority_without_a_margin_is_called_so_with_its_interval(audited, rows):
    found = audited(counts=two(rows, 30, 31), tests=[rows.test("0.839")], claims=[rows.claim("non_inferior")])
    claim = found.one("non_inferiority_has_a_margin")
    assert (claim["verdict"], claim["consequence"]) == ("inconsistent", "conclusion")
    assert "-2.0 points" in claim["why"]
    margin = [
        {
            "study_id": "trial_a",
            "section": "statistics",
            "item": "non-inferiority margin",
            "value": "10",
            "unit": "%",
        }
    ]
    found = audited(counts=two(rows, 30, 31), claims=[rows.claim("non_inferior")], protocols=margin)
    assert found.verdicts("non_inferiority_has_a_margin") == ["inconsistent"]
    wide = [{**margin[0], "value": "30"}]
    found = audited(counts=two(rows, 30, 31), claims=[rows.claim("non_inferior")], protocols=wide)
    assert found.verdicts("non_inferiority_has_a_margin") == ["consistent"]


@pytest.mark.parametrize(
    ("e1", "e0", "p", "verdict"),
    [(30, 20, "0.045", "consistent"), (25, 20, "0.315", "inconsistent"), (20, 30, "0.045", "inconsistent")],
)
def test_better_needs_a_significant_test_in_the_right_direction(audited, rows, e1, e0, p, verdict):
    found = audited(counts=two(rows, e1, e0), tests=[rows.test(p)], claims=[rows.claim("superior")])
    assert found.verdicts("superiority_is_shown") == [verdict]


def test_a_p_value_stands_beside_the_difference_of_its_own_time(audited, rows):
    counts, tests = [], []
    for month, e1, p in (("6", 28, "0.111"), ("3", 24, "0.222")):  # printed in the wrong order
        at = {"time": month, "time_unit": "month"}
        counts += [rows.count(events=str(e1), **at), rows.count("placebo", events="20", **at)]
        tests.append(rows.test(p) | at)
    found = audited(counts=counts, tests=tests, claims=[rows.claim("superior", time="", time_unit="")])
    why = found.one("superiority_is_shown")["why"]
    assert re.search(
        r": P 0\.222 at 3 months, P 0\.111 at 6 months\. "
        r"Differences: \+8\.0 points \(95% CI [^)]*\) at 3 months; \+16\.0 [^)]*\) at 6 months\.",
        why,
    )


def test_no_difference_from_a_failed_test_is_not_proof(audited, rows):
    tests, claims = [rows.test("0.315")], [rows.claim("no_difference"), rows.claim("comparable")]
    found = audited(counts=two(rows, 25, 20), tests=tests, claims=claims)
    assert found.verdicts("no_difference_is_shown") == ["consistent", "not_checkable"]
    found = audited(counts=two(rows, 35, 20), tests=[rows.test("0.003")], claims=claims)
    assert found.verdicts("no_difference_is_shown") == ["inconsistent", "inconsistent"]


def test_safety_compared_without_counts_is_found(audited, rows):
    claims = [rows.claim("no_difference", "fever")]
    assert audited(claims=claims).verdicts("safety_claims_have_counts") == ["not_checkable"]
    assert audited(counts=two(rows, 3, 2, "fever"), claims=claims).of("safety_claims_have_counts") == []


def test_two_claims_that_contradict_each_other_are_found(audited, rows):
    severe = {"subgroup": "stage", "level": "very_severe"}
    claims = [rows.claim("no_difference", **severe), rows.claim("superior", arms="placebo|drug", **severe)]
    found = audited(claims=claims, counts=[rows.baseline("drug", "stage", "very_severe", 20)]).one(
        "claims_do_not_contradict"
    )
    assert found["verdict"] == "inconsistent"
    assert "for cured (very severe), but" in found["why"]
    apart = [
        rows.claim("no_difference", time="3", time_unit="month"),
        rows.claim("superior", time="6", time_unit="month"),
    ]
    assert audited(claims=apart).of("claims_do_not_contradict") == []


@pytest.mark.parametrize(("value", "verdict"), [("60.0", "consistent"), ("62.0", "inconsistent")])
def test_a_rate_repeated_in_a_sentence_is_that_of_the_counts(audited, rows, value, verdict):
    claim = rows.claim("rate", arms="drug", value=value, unit="%")
    assert audited(counts=two(rows, 30, 20), claims=[claim]).verdicts("claimed_rates_match_counts") == [
        verdict
    ]


def test_an_approximate_difference_is_held_to_its_leading_digits(audited, rows):
    claim = rows.claim("other", value="20", unit="%", paraphrase="higher by approximately this much")
    assert audited(counts=two(rows, 31, 22), claims=[claim]).verdicts("claimed_rates_match_counts") == [
        "consistent"
    ]
    assert audited(counts=two(rows, 40, 22), claims=[claim]).verdicts("claimed_rates_match_counts") == [
        "inconsistent"
    ]


def stages(rows, events):
    base = [rows.baseline("drug", "stage", name, 30, 90) for name in ("I", "II", "III")]
    return base + [
        rows.count(events=str(e), n="30", subgroup="stage", level=name)
        for e, name in zip(events, ("I", "II", "III"), strict=True)
    ]


@pytest.mark.parametrize(
    ("events", "verdict"), [((20, 19, 21), "not_checkable"), ((28, 19, 6), "inconsistent")]
)
def test_subgroups_called_alike_are_tested(audited, rows, events, verdict):
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    found = audited(arms=rows.arms(drug=90), counts=stages(rows, events), claims=[claim])
    assert found.verdicts("subgroups_are_alike") == [verdict]


def test_holm_tells_which_of_many_comparisons_stay_significant(audited, rows):
    ps = {"a|b": "0.009", "a|c": "0.017", "b|c": "0.704"}
    found = audited(arms=rows.arms(a=50, b=50, c=50), tests=[rows.test(p, arms) for arms, p in ps.items()])
    assert found.verdicts("significance_survives_holm") == ["consistent"]
    assert holm([0.02, 0.03, 0.704]).tolist()[0] > 0.05
    ps = {"a|b": "0.020", "a|c": "0.030", "b|c": "0.704"}
    found = audited(arms=rows.arms(a=50, b=50, c=50), tests=[rows.test(p, arms) for arms, p in ps.items()])
    assert "none of the 2 that are significant survives" in found.one("significance_survives_holm")["why"]


@pytest.mark.parametrize(("percent", "verdict"), [("60", "consistent"), ("61.0", "inconsistent")])
def test_one_result_printed_twice_is_one_figure(audited, rows, percent, verdict):
    counts = [rows.count(events="30", percent="60.0"), rows.count(percent=percent, locator="Abstract")]
    assert audited(counts=counts).verdicts("counts_agree_everywhere") == [verdict]


def test_one_mean_printed_twice_is_one_figure(audited, rows):
    same = [rows.measure("drug", "9.12", "2.66"), rows.measure("drug", "9.1", "2.7", locator="Abstract")]
    assert audited(measurements=same).verdicts("measurements_agree_everywhere") == ["consistent"]
    other = [rows.measure("drug", "9.12", "2.66"), rows.measure("drug", "9.3", "2.7", locator="Abstract")]
    assert audited(measurements=other).verdicts("measurements_agree_everywhere") == ["inconsistent"]


def test_p_printed_as_zero_is_a_matter_of_rounding(audited, rows):
    found = audited(tests=[rows.test("0.000")]).one("p_is_not_zero")
    assert (found["verdict"], found["recomputed"], found["consequence"]) == (
        "rounding",
        "P <0.001",
        "cosmetic",
    )


def test_what_is_missing_from_a_report_is_listed(audited, rows):
    bare = rows.measure("drug", "9.1", "")
    found = audited(
        measurements=[bare],
        counts=[rows.count(percent="41.3") | {"n": "", "n_basis": ""}],
        tests=[rows.test("0.04")],
    )
    for check in ("spread_is_printed", "denominator_is_printed", "tests_are_named", "effects_are_printed"):
        assert found.verdicts(check) == ["not_checkable"], check


def test_a_fall_among_those_left_may_be_a_rise_of_everybody(audited, rows):
    # 45/50 fall to 26/30; with the missing 20 as successes 46/50
    found = audited(counts=course(rows, (50, 30), (45, 26))).one("rates_are_of_everybody")
    assert found["why"].endswith("the printed fall becomes a rise if they succeeded.")


def test_a_claim_on_means_is_told_with_the_interval_of_their_difference(audited, rows):
    # 20 ± 5 and 19 ± 5 of 50 each: 1.0 ± t(0.975; 98) × 1.0 = 1.98
    means = [rows.measure("drug", "20.0", "5.0"), rows.measure("placebo", "19.0", "5.0")]
    found = audited(measurements=means, claims=[rows.claim("non_inferior", "level")])
    one = found.one("non_inferiority_has_a_margin")
    assert "+1.0 (-1.0 to +3.0) at 6 months" in one["why"]
    assert one["verdict"] == "inconsistent"


def test_fewer_patients_than_the_arm_has_are_a_question_unless_it_is_a_part(audited, rows):
    found = audited(counts=[rows.count(events="20", n="47")]).one("patients_fit_arm")
    assert found["verdict"] == "not_checkable"
    assert "3 are left out of 50 patients" in found["why"]
    part = audited(counts=[rows.count(events="20", n="30", analysis_set="responders")])
    assert part.verdicts("patients_fit_arm") == ["consistent"]


def test_a_claim_in_other_words_is_judged_under_a_condition(audited, rows):
    said = [
        rows.claim("superior", paraphrase="A better clinical cured state was reached."),
        rows.claim("no_difference", time="6", time_unit="month", paraphrase="Cured did not differ."),
        rows.claim("no_difference", time="12", time_unit="month", paraphrase="Cured did not differ later."),
    ]
    found = audited(claims=said).one("claims_do_not_contradict")
    assert "none at 6 and 12 months" in found["why"]
    assert "means" not in found["why"]
    other = said[0] | {"paraphrase": "A better clinical state was reached."}
    assert (
        "This takes what it names to mean cured."
        in audited(claims=[other, *said[1:]]).one("claims_do_not_contradict")["why"]
    )


def test_a_rate_is_held_against_counts_only_in_percent_and_where_all_its_arms_are_counted(audited, rows):
    others = rows.claim("rate", arms="drug", value="30", unit="g"), rows.claim("rate", value="60.0", unit="%")
    for claim in others:
        found = audited(counts=[rows.count(events="30")], claims=[claim])
        assert found.of("claimed_rates_match_counts") == []


@pytest.mark.parametrize(("value", "verdict"), [("34", "consistent"), ("35", "inconsistent")])
def test_an_approximate_figure_without_zeros_is_held_to_half_its_last_digit(audited, rows, value, verdict):
    # 17 of 50 is 34.0%, 16 of 48 is 33.3%: within half a point of 33, not of 32 or 34
    said = rows.claim("rate", arms="drug", unit="%", paraphrase="approximately")
    exact = audited(counts=[rows.count(events="17")], claims=[said | {"value": value}])
    assert exact.verdicts("claimed_rates_match_counts") == [verdict]
    near = audited(counts=[rows.count(events="16", n="48")], claims=[said | {"value": "33"}])
    assert near.verdicts("claimed_rates_match_counts") == ["consistent"]


def test_two_levels_are_told_without_pairs_or_a_trend(audited, rows):
    levels = ("young", "old")
    counts = [rows.baseline("drug", "stage", name, 30, 60) for name in levels]
    counts += [rows.count(events="15", n="30", subgroup="stage", level=name) for name in levels]
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    why = audited(arms=rows.arms(drug=60), counts=counts, claims=[claim]).one("subgroups_are_alike")["why"]
    assert "(smallest P 1.000 at month 6 of those counted)" in why


def test_a_claim_that_two_tests_do_not_bear_out_names_both(audited, rows):
    tests = [rows.test(p, time=month, time_unit="month") for p, month in (("0.300", "3"), ("0.200", "6"))]
    claim = rows.claim("superior", paraphrase="More were cured.")
    why = audited(tests=tests, claims=[claim]).one("superiority_is_shown")["why"]
    assert "but no printed test shows it: P 0.300" in why
    assert "P 0.200" in why


def test_a_claim_of_no_outcome_is_about_everything(audited, rows):
    found = audited(claims=[rows.claim("non_inferior", "")]).one("non_inferiority_has_a_margin")
    assert found["why"].startswith("Everything is called not inferior with drug against placebo")
    assert found["reported"] == "Drug against placebo, said to be not inferior"


def test_a_margin_chosen_for_the_report_stands_before_the_printed_one(audited, rows):
    # 30 and 31 of 50: the interval reaches a loss of 20.4 points (Newcombe)
    printed = {
        "study_id": "trial_a",
        "section": "statistics",
        "item": "non-inferiority margin",
        "value": "10",
        "unit": "%",
    }
    given = {"counts": two(rows, 30, 31), "claims": [rows.claim("non_inferior")], "protocols": [printed]}
    for margin, verdict, origin in (
        (0.0, "inconsistent", "10 percentage points, as printed"),
        (25.0, "consistent", "25 percentage points, chosen for this report"),
    ):
        found = audited(margin=margin, **given).one("non_inferiority_has_a_margin")
        assert found["verdict"] == verdict
        assert origin in found["why"]


def test_one_limit_is_no_interval(audited, rows):
    test = rows.test("0.300", outcome="level", effect_label="mean difference", effect="2.0", low="0.5")
    found = audited(tests=[test], claims=[rows.claim("comparable", "level")]).one("no_difference_is_shown")
    assert found["why"] == "Alike is concluded from a test that found no difference, without a margin."


def test_a_claim_against_two_arms_names_both(audited, rows):
    found = audited(arms=rows.arms(a=50, b=50, c=50), claims=[rows.claim("non_inferior", arms="a|b|c")])
    why = found.one("non_inferiority_has_a_margin")["why"]
    assert why == "Cured is called not inferior with A against B or C, without a margin."


def levels(rows, events, sizes, **at):
    names = ("young", "old")
    base = [rows.baseline("drug", "stage", name, n, sum(sizes)) for name, n in zip(names, sizes, strict=True)]
    return base + [
        rows.count(events=str(e), n=str(n), subgroup="stage", level=name, **at)
        for e, n, name in zip(events, sizes, names, strict=True)
    ]


def test_the_room_left_for_a_difference_is_that_of_the_last_time_in_whatever_unit(audited, rows):
    early, late = {"time": "12", "time_unit": "week"}, {"time": "6", "time_unit": "month"}
    counts = [*levels(rows, (15, 15), (30, 30), **early), *levels(rows, (16, 15), (30, 30), **late)[2:]]
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    why = audited(arms=rows.arms(drug=60), counts=counts, claims=[claim]).one("subgroups_are_alike")["why"]
    assert why.endswith(" points at 6 months.")


def test_a_p_of_exactly_alpha_is_not_below_it(audited, rows):
    p = fisher_freeman_halton([[3, 0], [0, 3]]).p
    claim = rows.claim("comparable", arms="drug", subgroup="stage")
    given = {"arms": rows.arms(drug=6), "counts": levels(rows, (3, 0), (3, 3)), "claims": [claim]}
    for alpha, verdict in ((p, "not_checkable"), (math.nextafter(p, 1), "inconsistent")):
        assert audited(alpha=alpha, **given).verdicts("subgroups_are_alike") == [verdict]


def test_a_count_out_of_its_own_patients_is_not_held_against_those_of_the_arm(audited, rows):
    found = audited(
        counts=[rows.count(events="55", n="60"), rows.count("placebo", events="51", n="", n_basis="")]
    )
    assert found.one("events_fit_patients")["reported"] == "51/50"
    assert found.one("patients_fit_arm")["reported"] == "n = 60"


@pytest.mark.parametrize(("kind", "verdict"), [("no_difference", "inconsistent"), ("superior", "consistent")])
def test_counts_with_a_p_of_exactly_alpha_show_no_difference(audited, rows, kind, verdict):
    p = fisher_exact([[3, 0], [0, 3]]).p  # 2 of the 20 ways to choose 3 of 6: 0.1
    counts = [rows.count(events="3", n="3"), rows.count("placebo", events="0", n="3")]
    given = {"arms": rows.arms(drug=3, placebo=3), "counts": counts, "claims": [rows.claim(kind)]}
    check = "superiority_is_shown" if kind == "superior" else "no_difference_is_shown"
    assert audited(alpha=p, **given).verdicts(check) == ["not_checkable"]
    assert audited(alpha=math.nextafter(p, 1), **given).verdicts(check) == [verdict]


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((("12", "month"), ("6", "month")), "6 and 12 months"),
        ((("6", "month"), ("12", "week")), "12 weeks and 6 months"),
        ((("6", "month"), ("6", "week")), "6 weeks and 6 months"),
        ((("1", "month"),), "1 month"),
    ],
)
def test_the_times_at_which_no_difference_is_claimed_are_told_in_their_order(audited, rows, times, told):
    said = [rows.claim("superior", paraphrase="Cured was better.")]
    said += [
        rows.claim("no_difference", time=time, time_unit=unit, paraphrase="Cured did not differ.")
        for time, unit in times
    ]
    found = audited(claims=said).one("claims_do_not_contradict")
    assert f"says that there is none at {told}, or none" in found["why"]
