"""Spread and implied numbers of patients."""

import math

import pytest

from evidence.audit.spread import debit, grim, grimmer
from evidence.stats import anova_from_summary, mean_difference

ARMS = {"a": (33, 9.12, 2.66), "b": (12, 9.90, 3.24), "c": (14, 6.69, 2.21)}


def test_grim_on_the_example_of_its_authors():
    # Brown and Heathers 2017: 28 scores cannot have a mean of 5.19
    assert not grim("5.19", 28)
    assert grim("5.18", 28)
    assert grim("5.21", 28)


def test_grimmer_on_the_examples_of_scrutiny():
    # scrutiny, ?grimmer: mean 5.21, n 28: SD 1.60 cannot be, 1.61 can be of whole numbers or not as computed
    scores = [5] * 27 + [11]
    mean = sum(scores) / 28
    sd = math.sqrt(sum((x - mean) ** 2 for x in scores) / 27)
    assert grimmer(f"{mean:.2f}", f"{sd:.2f}", 28)
    assert not grimmer("3.44", "2.47", 18)  # Allard 2018, GRIMMER without simulation


def test_debit_allows_just_the_spread_of_zeros_and_ones():
    p = 30 / 80
    assert debit(f"{p:.3f}", f"{math.sqrt(p * (1 - p) * 80 / 79):.3f}", 80)
    assert not debit(f"{p:.3f}", "0.400", 80)


@pytest.mark.parametrize(("sd", "verdict"), [("2.47", "inconsistent"), ("2.48", "consistent")])
def test_scores_are_held_to_whole_numbers(audited, rows, sd, verdict):
    found = audited(measurements=[rows.measure("drug", "3.44", sd, "score", n="18")])
    assert found.verdicts("mean_of_whole_numbers_is_possible") == [verdict]


@pytest.mark.parametrize(
    ("mean", "sd", "n", "verdict"),
    [
        # zeros and ones with the mean p have the standard deviation √(p (1 - p) n / (n - 1))
        ("0.54", "0.50", "50", "consistent"),
        ("0.54", "0.40", "50", "inconsistent"),
        ("0.50", "0.58", "4", "consistent"),
        ("0.50", "0.50", "4", "inconsistent"),
    ],
)
def test_a_yes_or_no_is_held_to_the_spread_of_zeros_and_ones(audited, rows, mean, sd, n, verdict):
    found = audited(measurements=[rows.measure("drug", mean, sd, "cured", n=n)])
    assert found.verdicts("mean_of_whole_numbers_is_possible") == [verdict]


def means(rows, spreads, label="sd"):
    values = {"a": "10.00", "b": "11.00", "c": "12.50", "d": "10.40"}
    return [rows.measure(arm, values[arm], spreads[arm], spread_label=label) for arm in values]


@pytest.mark.parametrize(("label", "verdict"), [("sd", "inconsistent"), ("se", "consistent")])
def test_standard_errors_called_standard_deviations_are_found_by_the_tests(audited, rows, label, verdict):
    sds = {"a": 3.0, "b": 3.2, "c": 2.9, "d": 3.4}
    p = anova_from_summary([10, 11, 12.5, 10.4], list(sds.values()), [50] * 4).p
    pair = mean_difference(10.0, 3.0, 50, 11.0, 3.2, 50).p
    errors = {arm: f"{sd / math.sqrt(50):.5f}" for arm, sd in sds.items()}
    tests = [rows.test(f"{p:.4f}", "a|b|c|d", "level"), rows.test(f"{pair:.3f}", "a|b", "level")]
    found = audited(
        arms=rows.arms(**dict.fromkeys("abcd", 50)), measurements=means(rows, errors, label), tests=tests
    )
    assert found.verdicts("spread_is_what_it_says") == [verdict]


def test_standard_deviations_called_so_are_left_alone(audited, rows):
    sds = {"a": "3.00", "b": "3.20", "c": "2.90", "d": "3.40"}
    p = mean_difference(10.0, 3.0, 50, 11.0, 3.2, 50).p
    tests = [rows.test(f"{p:.3f}", "a|b", "level")]
    found = audited(arms=rows.arms(**dict.fromkeys("abcd", 50)), measurements=means(rows, sds), tests=tests)
    assert found.alarms == []
    assert found.verdicts("spread_is_what_it_says") == ["consistent"]


@pytest.mark.parametrize(
    ("locator", "alarm"),
    [("Table 6, row Median time", True), ("Table 6, row Time", False), ("Mean and median", False)],
)
def test_a_mean_under_the_word_median_is_found(audited, rows, locator, alarm):
    found = audited(measurements=[rows.measure("drug", "9.1", "2.7", locator=locator)])
    assert bool(found.of("centre_is_what_it_is_called")) is alarm


@pytest.mark.parametrize(("sd", "verdict"), [("40", "inconsistent"), ("20", "consistent")])
def test_a_standard_deviation_fits_into_its_range(audited, rows, sd, verdict):
    limits = {"low": "20", "high": "80", "interval_label": "range"}
    found = audited(measurements=[rows.measure("drug", "50", sd, **limits)])
    assert found.verdicts("spread_fits_range") == [verdict]


def test_a_median_outside_its_range_is_found(audited, rows):
    limits = {"low": "20", "high": "80", "interval_label": "range"}
    found = audited(measurements=[rows.measure("drug", "90", "", **limits) | {"statistic": "median"}])
    assert found.verdicts("centre_is_within_interval") == ["inconsistent"]


def comparisons(rows, arms=ARMS):
    """Return the pairwise t intervals and the F test that patients of these numbers would be printed with."""
    tests = []
    for one, none in (("a", "b"), ("a", "c"), ("b", "c")):
        (n1, m1, s1), (n0, m0, s0) = arms[one], arms[none]
        made = mean_difference(m1, s1, n1, m0, s0, n0)
        limits = {"effect": f"{made.estimate:.3f}", "low": f"{made.low:.3f}", "high": f"{made.high:.3f}"}
        tests.append(
            rows.test(
                f"{made.p:.3f}",
                f"{one}|{none}",
                "time_to_cured",
                effect_label="mean difference",
                interval_level="0.95",
                **limits,
            )
        )
    sizes, centres, spreads = zip(*arms.values(), strict=True)
    f = anova_from_summary(centres, spreads, sizes)
    return [
        *tests,
        rows.test(
            f"{f.p:.3f}", "a|b|c", "time_to_cured", statistic=f"{f.statistic:.3f}", statistic_label="F"
        ),
    ]


def printed_means(rows, sizes):
    return [
        rows.measure(arm, f"{m:.2f}", f"{s:.2f}", "time_to_cured", n=str(n))
        for (arm, (_, m, s)), n in zip(ARMS.items(), sizes, strict=True)
    ]


@pytest.mark.parametrize("fewest", [14, 2])
def test_the_numbers_of_patients_behind_the_intervals_are_solved(audited, rows, fewest):
    found = audited(
        arms=rows.arms(a=64, b=37, c=36),
        measurements=printed_means(rows, (64, 37, 36)),
        tests=comparisons(rows, ARMS | {"c": (fewest, 6.69, 2.21)}),
    )
    solved = found.one("patients_fit_means_and_intervals")
    assert (solved["verdict"], solved["consequence"]) == ("inconsistent", "conclusion")
    assert solved["recomputed"] == f"n = 33, 12, {fewest}"
    assert found.verdicts("patients_fit_f") == ["inconsistent"]


def test_headers_that_give_the_intervals_are_sound(audited, rows):
    found = audited(
        arms=rows.arms(a=33, b=12, c=14),
        measurements=printed_means(rows, (33, 12, 14)),
        tests=comparisons(rows),
    )
    assert found.verdicts("patients_fit_means_and_intervals") == ["consistent"]
    assert found.alarms == []


def test_another_table_that_cannot_stand_with_the_implied_patients_is_found(audited, rows):
    definition = {"study_id": "trial_a", "outcome_id": "time_to_cured", "group": "a", "join": "all",
                  "criterion": "level", "operator": ">=", "threshold": "100", "unit": "g"}  # fmt: skip
    levels = [
        rows.measure("c", "165.8", "11.1", spread_label="sd", n="36"),
        rows.measure("a", "101.0", "8.0", n="64"),
    ]
    means = [*printed_means(rows, (64, 37, 36)), *levels]
    found = audited(
        arms=rows.arms(a=64, b=37, c=36),
        measurements=means,
        tests=comparisons(rows),
        definitions=[definition],
    )
    verdicts = {
        one["reported"]: one["verdict"] for one in found.of("other_tables_hold_with_implied_patients")
    }
    assert verdicts == {"165.8 ± 11.1, n = 36": "inconsistent", "101.0 ± 8.0, n = 64": "consistent"}


@pytest.mark.parametrize(
    ("events", "verdict"), [(14, "consistent"), (20, "inconsistent"), (9, "not_checkable")]
)
def test_counts_of_an_event_are_held_against_the_patients_whose_times_are_printed(
    audited, rows, events, verdict
):
    found = audited(
        arms=rows.arms(a=64, b=37, c=36),
        measurements=printed_means(rows, (64, 37, 36)),
        tests=comparisons(rows),
        counts=[rows.count("c", events=str(events), n="36")],
    )
    assert found.verdicts("counts_hold_with_implied_patients") == [verdict]
