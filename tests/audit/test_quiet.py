"""Figures that leave a check little to say: what is missing, cannot be read, or is allowed, is told as such."""

import pytest
from scipy import stats

from evidence.audit.across import _units
from evidence.audit.printed import p_text
from evidence.audit.recompute import Summary, _p, _propagated
from evidence.audit.reported import Reported
from evidence.stats import breslow_day, chi_square, t_from_summary

SEXES = ("male", "female")
EVERYBODY = {"study_id": "trial_a", "arm_id": "all", "label": "All", "components": "", "n": "", "role": "", "node": "", "combines": "drug|placebo"}  # fmt: skip


def by_sex(rows, *cells, sexes=SEXES):
    """Return the counts of one table of drug and placebo per sex, 25 patients in each cell."""
    return [
        *(rows.baseline(arm, "sex", sex, 25) for arm in ("drug", "placebo") for sex in SEXES),
        *(
            rows.count(arm, events=str(events), n="25", subgroup="sex", level=sex)
            for sex, pair in zip(sexes, cells, strict=True)
            for arm, events in zip(("drug", "placebo"), pair, strict=False)
        ),
    ]


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [([(20, 5), (5, 20)], "inconsistent"), ([(15, 10), (16, 9)], "not_checkable")],
)
def test_an_effect_called_the_same_in_all_subgroups_is_held_to_breslow_and_day(audited, rows, cells, verdict):
    alike = rows.claim("subgroup_consistent", subgroup="sex")
    found = audited(counts=by_sex(rows, *cells), claims=[alike]).one("subgroups_are_alike")
    p = breslow_day([[[one, 25 - one], [none, 25 - none]] for one, none in cells]).p
    assert (found["verdict"], found["recomputed"]) == (verdict, f"P of interaction {p_text(p)}")
    assert ("interaction has" in found["why"]) == (verdict == "inconsistent")


def test_a_subgroup_counted_in_one_arm_alone_says_nothing_of_interaction(audited, rows):
    alike = rows.claim("subgroup_consistent", subgroup="sex")
    found = audited(counts=by_sex(rows, (20, 5), (5,)), claims=[alike]).one("subgroups_are_alike")
    assert (found["verdict"], found["recomputed"]) == ("not_checkable", "P of interaction 1.000")


def test_subgroups_called_alike_without_counts_cannot_be_checked(audited, rows):
    found = audited(claims=[rows.claim("comparable", subgroup="sex")]).one("subgroups_are_alike")
    assert (found["verdict"], found["consequence"]) == ("not_checkable", "conclusion")
    assert found["why"] == "No counts by subgroup are printed for it."


def test_a_claim_without_a_figure_is_no_rate(audited, rows):
    counts = [rows.count(events="30"), rows.count("placebo", events="20")]
    silent = rows.claim("rate", unit="%")
    assert audited(counts=counts, claims=[silent]).of("claimed_rates_match_counts") == []
    said = silent | {"value": "20"}
    assert audited(counts=counts, claims=[said]).verdicts("claimed_rates_match_counts") == ["consistent"]


def test_one_arm_cannot_be_said_to_be_better(audited, rows):
    claim = rows.claim("superior", arms="drug")
    assert audited(counts=[rows.count(events="30")], claims=[claim]).of("superiority_is_shown") == []


def test_a_claim_about_no_outcome_rests_on_the_tests_of_its_own_study(audited, rows):
    claim = rows.claim("superior", outcome="")
    found = audited(tests=[rows.test("0.003", outcome="fever")], claims=[claim]).one("superiority_is_shown")
    assert (found["verdict"], found["recomputed"]) == ("consistent", "P 0.003")


def test_a_ratio_whose_interval_reaches_0_has_no_p_to_compare(audited, rows):
    test = rows.test("0.04", effect_label="OR", effect="1.5", low="0.0", high="3.0", interval_level="0.95")
    found = audited(tests=[test]).one("p_fits_interval")
    assert (found["verdict"], found["why"]) == ("not_checkable", "A limit of the ratio is 0 or below.")


def difference(rows, effect, low, high, p="", arms="drug|placebo"):
    limits = {"effect": effect, "low": low, "high": high, "interval_level": "0.95"}
    return rows.test(p, arms, "level", effect_label="mean difference", **limits)


def test_a_difference_of_means_stands_in_the_middle_of_its_interval(audited, rows):
    found = audited(tests=[difference(rows, "2.0", "1.0", "4.0")]).one("interval_holds_estimate")
    assert (found["verdict"], found["recomputed"]) == ("inconsistent", "middle 2.500")
    assert found["why"] == "The middle of the interval is 2.500, not 2.0."


def test_a_difference_between_arms_of_unknown_size_implies_no_p(audited, rows):
    arms = [*rows.arms(drug=50, placebo=50), EVERYBODY]
    found = audited(arms=arms, tests=[difference(rows, "2.0", "1.0", "3.0", "0.04", "drug|all")]).one(
        "p_fits_interval"
    )
    assert (found["verdict"], found["reported"]) == (
        "not_checkable",
        "mean difference 2.0 (1.0 to 3.0), P = 0.04",
    )
    assert found["why"] == "The sizes of the arms are not printed."


def test_three_groups_without_a_named_test_may_have_been_tested_for_trend(audited, rows):
    given = {"low": 10, "middle": 15, "high": 20}
    counts = [rows.count(arm, events=str(events)) for arm, events in given.items()]
    share = 45 / 150
    score = sum(weight * (events - 50 * share) for weight, events in enumerate(given.values()))
    p = stats.chi2.sf(score**2 / (share * (1 - share) * 50 * (5 - 9 / 3)), 1)
    test = rows.test(f"{p:.3f}", "low|middle|high")
    found = audited(arms=rows.arms(**dict.fromkeys(given, 50)), counts=counts, tests=[test]).one(
        "test_recomputes"
    )
    assert found["verdict"] == "not_checkable"
    assert found["recomputed"] == f"P = {p:.3f} (a test for trend over the groups as ordered)"


@pytest.mark.parametrize(("percent", "verdict"), [("60.0", "consistent"), ("62.0", "inconsistent")])
def test_a_count_printed_again_as_a_percentage_agrees_where_that_gives_it(audited, rows, percent, verdict):
    again = rows.count(percent=percent, events="", locator="Abstract")
    found = audited(counts=[rows.count(events="30"), again]).one("counts_agree_everywhere")
    assert (found["verdict"], found["reported"], found["recomputed"]) == (
        verdict,
        f"?/50 ({percent}%)",
        "30/50",
    )


def test_subgroups_that_are_not_all_printed_leave_room_for_the_others(audited, rows):
    counts = [rows.count(events="30"), *by_sex(rows, (10,), (5,), sexes=("male", "other"))]
    found = audited(counts=counts).one("subgroups_add_up")
    assert (found["verdict"], found["reported"], found["recomputed"]) == ("consistent", "30/50", "15/50")


def test_a_percentage_that_is_no_plain_figure_is_not_held_to_counts(audited, rows):
    found = audited(counts=[rows.count(percent=">60", events="")]).one("percent_is_possible")
    assert (found["verdict"], found["why"]) == ("not_checkable", "It is no plain figure.")


def test_a_statistic_is_at_fault_where_the_data_give_p(audited, rows):
    counts = [rows.count(events="30"), rows.count("placebo", events="20")]
    test = rows.test("0.046", statistic="5.00", statistic_label="chi-square", df="1")
    found = audited(counts=counts, tests=[test]).one("p_fits_statistic")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "number")
    assert found["why"].endswith("; the data give P as printed, so the statistic is at fault.")


def test_a_mean_of_whole_numbers_that_no_sum_gives_is_found(audited, rows):
    found = audited(measurements=[rows.measure("drug", "2.35", "", "score", n="11")])
    told = found.one("mean_of_whole_numbers_is_possible")
    assert (told["verdict"], told["why"]) == ("inconsistent", "No sum of 11 whole numbers has the mean 2.35.")


def test_times_to_an_event_cannot_be_tested_without_the_patients(audited, rows):
    found = audited(tests=[rows.test("0.030", outcome="time_to_cured")]).one("test_recomputes")
    assert found["verdict"] == "not_checkable"
    assert "individual patients' times" in found["why"]


def test_arms_of_hundreds_are_too_large_to_infer_patients_from_intervals(audited, rows):
    means = [rows.measure(arm, value, "1.0", n="500") for arm, value in (("drug", "3.0"), ("placebo", "2.0"))]
    tests = [difference(rows, "1.0", "0.9", "1.1")]
    found = audited(arms=rows.arms(drug=500, placebo=500), measurements=means, tests=tests)
    told = found.one("patients_fit_means_and_intervals")
    assert (told["verdict"], told["reported"]) == ("not_checkable", "500, 500")


def test_no_more_patients_have_an_event_than_the_arm_has(audited, rows):
    found = audited(counts=[rows.count(events="60", n="")]).one("events_fit_patients")
    assert (found["verdict"], found["why"]) == ("inconsistent", "60 patients cannot be out of 50.")


def test_a_centre_on_its_limit_lies_within_it(audited, rows):
    ends = [rows.measure("drug", value, "", low="2", high="4") for value in ("2", "4", "5")]
    found = audited(measurements=[row | {"time": str(month)} for month, row in enumerate(ends, 1)])
    assert found.verdicts("centre_is_within_interval") == ["consistent", "consistent", "inconsistent"]


def test_trial_identifiers_quoted_in_sentences_are_held_to_their_form(audited, rows):
    quoted = rows.claim("identity", "", "", value="NCT123")
    found = audited(claims=[quoted]).one("registry_ids_are_sound")
    assert (found["verdict"], found["consequence"], found["cause"]) == (
        "inconsistent",
        "cosmetic",
        found["finding_id"],
    )


def test_a_sound_identifier_has_no_consequence(audited, rows):
    study = {
        "study_id": "trial_a", "label": "Trial A", "indication": "SAA", "population": "adults", "design": "randomised_trial",
        "randomised": "yes", "n": "100", "status": "completed", "origin": "seed", "period": "2019", "registry_id": "NCT01234567",
    }  # fmt: skip
    found = audited(studies=[study]).one("registry_ids_are_sound")
    assert (found["verdict"], found["consequence"]) == ("consistent", "")


def test_what_two_documents_say_of_one_identifier_stands_side_by_side(audited, rows):
    said = [
        rows.claim("identity", "", "", value="NCT01234567", paraphrase=words, source_id=source)
        for source, words in (("doc", "The trial in adults."), ("other", "A trial in children."))
    ]
    source = {"kind": "article", "tier": "primary", "year": "2020"}
    sources = [source | {"source_id": name, "title": name} for name in ("doc", "other")]
    study = {"study_id": "trial_a", "label": "Trial A", "indication": "SAA", "n": "100", "status": "completed", "origin": "seed", "registry_id": "NCT01234567"}  # fmt: skip
    found = audited(sources=sources, studies=[study], claims=said)
    asked = [one for one in found.of("registry_ids_are_sound") if "children" in one["why"]]
    assert [one["verdict"] for one in asked] == ["not_checkable"]
    assert "adults" in asked[0]["why"]
    alone = audited(sources=sources, studies=[study], claims=said[:1])
    assert alone.verdicts("registry_ids_are_sound") == ["consistent"]


def test_a_p_value_of_just_a_thousandth_is_not_below_it():
    assert [p_text(0.001), p_text(0.00099)] == [_p(0.001), _p(0.00099)] == ["0.001", "<0.001"]


TWO_RESULTS = {"cured": (30, 20), "fever": (35, 20)}  # Pearson's chi-square 4.00 (P 0.046) and 9.09 (P 0.003)


def of_two_results(rows):
    return [
        rows.count(arm, outcome, events=str(events))
        for outcome, pair in TWO_RESULTS.items()
        for arm, events in zip(("drug", "placebo"), pair, strict=True)
    ]


@pytest.mark.parametrize(("statistics", "number"), [(("4.00", "9.09"), 0), (("9.09", "4.00"), 1)])
def test_statistics_beside_each_others_p_change_no_conclusion_where_the_data_give_every_p(
    audited, rows, statistics, number
):
    tests = [
        rows.test(
            p, outcome=outcome, statistic=statistic, statistic_label="chi-square", df="1", locator="Table 9"
        )
        for outcome, p, statistic in zip(TWO_RESULTS, ("0.046", "0.003"), statistics, strict=True)
    ]
    found = audited(counts=of_two_results(rows), tests=tests).of("statistics_stand_beside_their_p")
    assert [(one["verdict"], one["consequence"]) for one in found] == number * [("inconsistent", "number")]
    assert all("put in the order 4.00, 9.09, 2 of 2 fit" in one["why"] for one in found)


def test_p_values_exchanged_on_one_side_of_significance_change_numbers_alone(audited, rows):
    tests = [rows.test("0.003", locator="Table 9"), rows.test("0.046", outcome="fever", locator="Table 9")]
    found = audited(counts=of_two_results(rows), tests=tests).one("p_values_stand_in_their_rows")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "number")


def test_a_p_value_below_a_tenth_is_not_called_significant(audited, rows):
    counts = [rows.count(events="25"), rows.count("placebo", events="20")]
    found = audited(counts=counts, tests=[rows.test("<0.1", test_label="chi-square")]).one("test_recomputes")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "number")


def test_a_test_of_one_class_is_made_from_the_counts_of_that_class(audited, rows):
    sizes = {"drug": (10, 15, 25), "placebo": (20, 20, 10)}
    counts = [
        rows.baseline(arm, "stage", name, events)
        for arm, events_of in sizes.items()
        for name, events in zip(("I", "II", "III"), events_of, strict=True)
    ]
    p = chi_square([[10, 40], [20, 30]]).p
    test = rows.test(f"{p:.3f}", outcome="stage", category="I", time="0", time_label="baseline")
    assert audited(counts=counts, tests=[test]).verdicts("test_recomputes") == ["consistent"]


def test_an_interval_by_bonferroni_is_named_whatever_the_size_of_the_spreads(audited, rows):
    means, sd, n = {"a": "0.90", "b": "0.50", "c": "0.20"}, 0.4, 20
    half = stats.t.ppf(1 - 0.025 / 3, 3 * (n - 1)) * sd * (2 / n) ** 0.5
    limits = {
        "effect": "0.40",
        "low": f"{0.4 - half:.2f}",
        "high": f"{0.4 + half:.2f}",
        "interval_level": "0.95",
    }
    test = rows.test("", "a|b", "level", effect_label="mean difference", **limits)
    found = audited(
        arms=rows.arms(a=n, b=n, c=n),
        measurements=[
            rows.measure(arm, mean, f"{sd:.2f}", n=str(n), spread_label="sd") for arm, mean in means.items()
        ],
        tests=[test],
    ).one("effect_recomputes")
    assert (found["verdict"], found["recomputed"]) == ("consistent", "Bonferroni after one-way ANOVA")


def test_means_that_are_equal_have_a_statistic_around_0():
    groups = [Summary(Reported("3.0"), Reported("1.0"), 20)] * 2
    made = _propagated(lambda values: t_from_summary(*values[0], *values[1]), groups)
    end = 2 * 0.05 / (2 / 20) ** 0.5  # half a unit of each mean, by the standard error of the difference
    assert made.statistic_range == pytest.approx((-end, end))


def test_the_pooled_results_of_a_meta_analysis_are_counted(audited, rows):
    called = rows.claim("method", arms="", outcome="", paraphrase="The title calls it a meta-analysis.")
    without = audited(claims=[called]).one("pooling_is_shown")
    assert without["recomputed"] == "no pooled result"
    study = {
        "study_id": "trial_a", "label": "Trial A", "indication": "SAA", "population": "adults", "design": "meta_analysis",
        "randomised": "yes", "n": "100", "status": "completed", "origin": "seed", "period": "2019",
    }  # fmt: skip
    found = audited(studies=[study], claims=[called], tests=[rows.test("0.02")]).one("pooling_is_shown")
    assert (found["verdict"], found["recomputed"]) == ("consistent", "1 pooled result")
    assert found["why"] == "1 pooled result is printed with it."


def test_a_ratio_on_the_limit_of_a_printed_interval_may_be_an_adjusted_one(audited, rows):
    counts = [rows.count(events="25"), rows.count("placebo", events="50")]  # a risk ratio of exactly one half
    test = rows.test("0.020", effect_label="RR", effect="0.7", low="0.5", high="0.9", interval_level="0.95")
    assert audited(counts=counts, tests=[test]).verdicts("effect_recomputes") == ["not_checkable"]


@pytest.mark.parametrize("unit", ["day", "week", "month", "year", "cycle", "lineage"])
def test_what_can_be_counted_has_a_plural(unit):
    assert (_units(unit, "2"), _units(unit, "1"), _units("g", "2")) == (f"{unit}s", unit, "g")


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (("12", "month"), "at 6, 12 months"),
        (("1", "year"), "at 6 months and 1 year"),
        (("2", "year"), "at 6 months and 2 years"),
    ],
)
def test_times_are_told_in_the_units_they_are_printed_in(audited, rows, second, told):
    later = dict(zip(("time", "time_unit"), second, strict=True))
    counts = [rows.count(events="30", n="48"), rows.count(events="27", n="40", **later)]
    assert (
        f"Cured {told} is of 48, 40 of 50 patients"
        in audited(counts=counts).one("rates_are_of_everybody")["why"]
    )
