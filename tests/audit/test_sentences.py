"""What the audit says of invented figures, word for word: each finding is what a reader is told, so no word may change unseen.

Every number here follows by hand from the few figures that the test gives, or from a published method on them: 30 and 20
of 50 have Pearson's chi-square 4.000 (P = 0.046) and the odds ratio 30 * 30 / (20 * 20) = 2.25.
"""

import hashlib

import pytest

from evidence.audit.finding import Finding
from evidence.audit.printed import p_text

# fmt: off
PAIR = "drug|placebo"
EVERYBODY = {"study_id": "trial_a", "arm_id": "all", "label": "All", "components": "", "n": "100", "role": "", "node": "", "combines": PAIR}


def two(rows, e1=30, e0=20, outcome="cured"):
    return [rows.count(outcome=outcome, events=str(e1)), rows.count("placebo", outcome, events=str(e0))]


def classes(rows, arm, outcome, **events):
    return [rows.baseline(arm, outcome, name, number) for name, number in events.items()]


def course(rows, ns, events, arm="drug"):
    pairs = enumerate(zip(events, ns, strict=True), start=1)
    return [rows.count(arm, events=str(e), n=str(n), time=str(6 * i), time_unit="week") for i, (e, n) in pairs]


def median(rows, days, analysis_set="unstated", arm="drug"):
    row = rows.measure(arm, days, "", "time_to_cured", n="", unit="day", analysis_set=analysis_set)
    return {name: text for name, text in row.items() if name not in ("time", "time_unit")} | {"statistic": "median"}


def told(found, checks):
    """Return what was found by each check: verdict, consequence, printed, recomputed, why."""
    columns = ("verdict", "consequence", "reported", "recomputed", "why")
    return {check: [tuple(one[name] for name in columns) for one in found.of(check)] for check in checks}


def test_sums_say_what_does_not_add_up(audited, rows):
    given = {"arms": [*rows.arms(drug=50, placebo=50), EVERYBODY], "counts": [
        rows.count(events="30"), rows.count("placebo", events="20"), rows.count("all", events="49", n="100"),
        rows.count(outcome="lasting_cure", events="31"),
        *classes(rows, "drug", "sex", male=30, female=18), *classes(rows, "placebo", "sex", male=30, female=22),
        *classes(rows, "drug", "stage", I=20, II=30, III=0), *classes(rows, "placebo", "stage", I=20, II=17),
        rows.baseline("drug", "cycles", "<5", 25), rows.baseline("drug", "cycles", ">5", 25),
        rows.count(events="12", n="31", subgroup="sex", level="male"),
        rows.count(events="19", n="19", subgroup="sex", level="female"),
    ]}
    expected = {
        'classes_add_up': [
            ('inconsistent', 'number', '30 + 18', '48', 'The classes of sex add up to 48, not to the 50 patients: 2 missing.'),
            ('inconsistent', 'number', '30 + 22', '52', 'The classes of sex add up to 52, not to the 50 patients: 2 counted twice.'),
            ('consistent', '', '20 + 30 + 0', '50', 'The 3 classes of stage add up to the 50 patients.'),
            ('not_checkable', '', '20 + 17', '37', '13 of 50 patients are in classes of stage not printed here.'),
            ('consistent', '', '25 + 25', '50', 'The 2 classes of cycles add up to the 50 patients.'),
        ],
        'classes_cover_every_value': [
            ('inconsistent', 'cosmetic', '<5 and >5', '5', 'Exactly 5 is in no class of Cycles, so it is unclear where such patients were counted.'),
        ],
        'arms_add_up_to_combined': [
            ('inconsistent', 'number', '49', '50/100 = 50.00%', 'The arms add up to 50/100 = 50.00%, not to 49.'),
        ],
        'arms_add_up_to_study': [
            ('consistent', '', '100', '50 + 50', 'The arms add up to the 100 patients.'),
            ('consistent', '', '100', '50 + 50', 'The arms add up to the 100 patients.'),
        ],
        'parts_are_within_whole': [
            ('inconsistent', 'number', 'Lasting cure 31, Cured 30', '30', '31 patients with lasting cure cannot be part of 30 with cured.'),
        ],
        'subgroups_add_up': [
            ('inconsistent', 'number', '30/50', '31/50', 'The subgroups add up to 31/50, the whole study has 30/50.'),
        ],
        'subgroups_are_within_baseline': [
            ('inconsistent', 'number', '31 patients', '30', '31 patients are analysed, but only 30 were in that class at baseline.'),
            ('inconsistent', 'number', '19 patients', '18', '19 patients are analysed, but only 18 were in that class at baseline.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_sums_that_are_sound_say_so(audited, rows):
    given = {"arms": [*rows.arms(drug=50, placebo=50), EVERYBODY], "counts": [
        rows.count(events="30"), rows.count("placebo", events="20"), rows.count("all", events="50", n="100"),
        rows.count(outcome="lasting_cure", events="30"),
        *classes(rows, "drug", "sex", male=30, female=20), *classes(rows, "placebo", "cycles", **{"<5": 20, "≥5": 30}),
        rows.count(events="12", n="30", subgroup="sex", level="male"),
        rows.count(events="18", n="20", subgroup="sex", level="female"),
    ]}
    expected = {
        'classes_add_up': [
            ('consistent', '', '30 + 20', '50', 'The 2 classes of sex add up to the 50 patients.'),
            ('consistent', '', '20 + 30', '50', 'The 2 classes of cycles add up to the 50 patients.'),
        ],
        'classes_cover_every_value': [
            ('consistent', '', '<5 and ≥5', '5', 'Every value of Cycles has one class.'),
        ],
        'arms_add_up_to_combined': [
            ('consistent', '', '50', '50/100 = 50.00%', 'The arms add up to 50/100 = 50.00%.'),
        ],
        'arms_add_up_to_study': [
            ('consistent', '', '100', '50 + 50', 'The arms add up to the 100 patients.'),
            ('consistent', '', '100', '50 + 50', 'The arms add up to the 100 patients.'),
        ],
        'parts_are_within_whole': [
            ('consistent', '', 'Lasting cure 30, Cured 30', '30', 'Lasting cure is no more frequent than cured.'),
        ],
        'subgroups_add_up': [
            ('consistent', '', '30/50', '30/50', 'The subgroups add up to the whole study.'),
        ],
        'subgroups_are_within_baseline': [
            ('consistent', '', '30 patients', '30', '30 of the 30 patients of that class at baseline.'),
            ('consistent', '', '20 patients', '20', '20 of the 20 patients of that class at baseline.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_percentages_say_how_they_came_about(audited, rows):
    given = {"arms": rows.arms(drug=64, placebo=64), "counts": [
        rows.count(events="28", n="64", percent="43.7"), rows.count("placebo", events="28", n="64", percent="43.8"),
        rows.count(outcome="lasting_cure", events="28", n="64", percent="43.75"),
        rows.count("placebo", "lasting_cure", events="28", n="63", percent="44.9"),
        rows.count(outcome="fever", events="21", n="64", percent="32.9"),
        rows.count("placebo", "fever", percent="19.3", n="29"), rows.count("placebo", "fever", percent="65", n="32", time="12"),
        rows.count("drug", "fever", percent="68.9", n="29", time="12"), rows.count("drug", "fever", percent="<3", n="29", time="18"),
        rows.count("placebo", "fever", percent="40", n="20", time="18"),
        rows.count("placebo", "fever", events="22", percent="34.3", n="64", time="24"),
    ]}
    expected = {
        'percent_matches_count': [
            ('consistent', '', '28/64 (43.7%)', '28/64 = 43.75%', 'The count gives the percentage.'),
            ('consistent', '', '28/64 (43.8%)', '28/64 = 43.75%', 'The count gives the percentage.'),
            ('consistent', '', '28/64 (43.75%)', '28/64 = 43.75%', 'The count gives the percentage.'),
            ('inconsistent', 'number', '28/63 (44.9%)', '28/63 = 44.44%', '28/63 = 44.44%, not 44.9%: the count, the number of patients or the percentage is wrong.'),
            ('rounding', 'cosmetic', '21/64 (32.9%)', '21/64 = 32.81%', '21/64 = 32.81% is printed as 32.9%, which only rounding up explains.'),
            ('rounding', 'cosmetic', '22/64 (34.3%)', '22/64 = 34.38%', '22/64 = 34.38% is printed as 34.3%, which only cutting the digits off explains.'),
        ],
        'percent_is_possible': [
            ('inconsistent', 'number', '19.3% of 29', '5/29 = 17.24% and 6/29 = 20.69% and 7/29 = 24.14%', 'No count out of 29 gives 19.3%: the percentage or its denominator is wrong.'),
            ('rounding', 'cosmetic', '65% of 32', '20/32 = 62.50% and 21/32 = 65.62% and 22/32 = 68.75%', 'No count out of 32 rounds to 65%; 21/32 = 65.62% gives it only if its digits are cut off.'),
            ('rounding', 'cosmetic', '68.9% of 29', '19/29 = 65.52% and 20/29 = 68.97% and 21/29 = 72.41%', 'No count out of 29 rounds to 68.9%; 20/29 = 68.97% gives it only if its digits are cut off.'),
            ('not_checkable', '', '<3% of 29', '', 'It is no plain figure.'),
            ('consistent', '', '40% of 20', '8/20', '8/20 gives it; 79% of such percentages fit no count out of 20.'),
        ],
        'rounding_is_one_habit': [
            ('rounding', 'cosmetic', '43.7%, 43.8%', '', 'The document has no one way of rounding: it prints 28/64 = 43.75% as 43.7%, which rounds halves down; 28/64 = 43.75% as 43.8%, which rounds halves up.'),
        ],
        'same_ratio_one_percent': [
            ('rounding', 'cosmetic', '43.7% and 43.8%', '28/64 = 43.75%', '28/64 = 43.75% is printed as 43.7% and 43.8% in one document; only the rounding differs.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_one_percentage_rounded_otherwise_is_named_with_the_habit(audited, rows):
    given = {"counts": [
        rows.count(arm, outcome, events=e, n="16", percent=p)
        for arm, outcome, e, p in (("drug", "cured", "1", "6.3"), ("placebo", "cured", "3", "18.8"), ("drug", "fever", "5", "31.3"), ("placebo", "fever", "7", "43.7"))
    ]}
    expected = {
        'rounding_is_one_habit': [
            ('consistent', '', '6.3%', '1/16 = 6.25%', 'Rounded as the document rounds.'),
            ('consistent', '', '18.8%', '3/16 = 18.75%', 'Rounded as the document rounds.'),
            ('consistent', '', '31.3%', '5/16 = 31.25%', 'Rounded as the document rounds.'),
            ('rounding', 'cosmetic', '43.7%', '7/16 = 43.75%', '7/16 = 43.75% is printed as 43.7%, which rounds halves down; in the 3 other places that tell, the document rounds halves up.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_denominators_say_what_the_missing_could_do(audited, rows):
    given = {"counts": [*course(rows, (48, 30), (36, 27)), *course(rows, (48, 24), (10, 4), "placebo")],
        "measurements": [median(rows, "56"), median(rows, "21", "responders", "placebo")]}
    expected = {
        'patients_fit_arm': [
            ('not_checkable', 'number', 'n = 48', '50', 'n is less than the arm: 2 are left out of 50 patients, and who they are is not told here.'),
            ('not_checkable', 'number', 'n = 30', '50', 'n is less than the arm: 20 are left out of 50 patients, and who they are is not told here.'),
            ('not_checkable', 'number', 'n = 48', '50', 'n is less than the arm: 2 are left out of 50 patients, and who they are is not told here.'),
            ('not_checkable', 'number', 'n = 24', '50', 'n is less than the arm: 26 are left out of 50 patients, and who they are is not told here.'),
        ],
        'rates_are_of_everybody': [
            ('not_checkable', 'conclusion', '36/48, 27/30', '72.0%, 54.0% to 76.0%, 94.0%', 'Cured at 6, 12 weeks is of 48, 30 of 50 patients: of everybody it is 72.0%, 54.0% if the missing failed and 76.0%, 94.0% if they succeeded; the printed rise becomes a fall if they failed.'),
            ('not_checkable', 'conclusion', '10/48, 4/24', '20.0%, 8.0% to 24.0%, 60.0%', 'Cured at 6, 12 weeks is of 48, 24 of 50 patients: of everybody it is 20.0%, 8.0% if the missing failed and 24.0%, 60.0% if they succeeded; the printed fall becomes a rise if they succeeded.'),
        ],
        'medians_are_of_everybody': [
            ('consistent', '', 'median 56 days', '27/30 at 12 weeks', 'Half of the patients can have had the event by then.'),
            ('consistent', '', 'median 21 days', '4/24 at 12 weeks', 'It is said to be of responders.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_a_median_of_all_patients_that_cannot_be_is_told_with_its_counts(audited, rows):
    given = {"counts": course(rows, (50, 49), (30, 20), "placebo"),
        "measurements": [median(rows, "56", "randomised", "placebo")]}
    expected = {
        'patients_fit_arm': [
            ('consistent', '', 'n = 50', '50', 'All patients of the arm are counted.'),
            ('not_checkable', 'number', 'n = 49', '50', 'n is less than the arm: 1 is left out of 50 patients, and who they are is not told here.'),
        ],
        'rates_are_of_everybody': [
            ('not_checkable', 'conclusion', '30/50, 20/49', '60.0%, 40.0% to 60.0%, 42.0%', 'Cured at 6, 12 weeks is of 50, 49 of 50 patients: of everybody it is 60.0%, 40.0% if the missing failed and 60.0%, 42.0% if they succeeded.'),
        ],
        'medians_are_of_everybody': [
            ('inconsistent', 'conclusion', 'median 56 days', '20/49 at 12 weeks', 'At 12 weeks only 20 of 49 patients had the event (unless some had lost it again), so a median of 56 days can only be among those who had it: such medians of two arms do not compare all patients.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_tests_on_counts_say_what_was_tried(audited, rows):
    given = {"counts": two(rows), "tests": [
        rows.test("0.012"), rows.test("0.450", test_label="Fisher's exact test"),
        rows.test("0.046", statistic="4.000", statistic_label="χ²"), rows.test("0.200", statistic="4.000", statistic_label="χ²"),
        rows.test("0.110", "drug|placebo", "fever", statistic="4.000", statistic_label="χ²"), rows.test("1.200", "drug|placebo", "fever"),
        rows.test("0.046", effect_label="OR", effect="2.25", low="1.01", high="5.00", interval_level="0.95"),
        rows.test("0.046", effect_label="OR", effect="0.44", low="0.20", high="0.99", interval_level="0.95"),
        rows.test("0.046", effect_label="RR", effect="1.50", low="1.00", high="2.26", interval_level="0.95", adjusted="yes"),
        rows.test("0.046", effect_label="RR", effect="1.90", low="1.00", high="2.26", interval_level="0.95"),
    ]}
    expected = {
        'test_recomputes': [
            ('inconsistent', 'number', 'P = 0.012', '4.000, P = 0.046 (Pearson chi-square test)', "P printed 0.012, recomputed 0.046 (Pearson chi-square test), 0.047 (N-1 chi-square test), 0.072 (chi-square test with Yates' correction), 0.071 (Fisher's exact test)."),
            ('inconsistent', 'number', 'P = 0.450', "P = 0.071 (Fisher's exact test)", "P printed 0.450, recomputed 0.071 (Fisher's exact test), 0.046 (Pearson chi-square test), 0.047 (N-1 chi-square test), 0.072 (chi-square test with Yates' correction)."),
            ('consistent', '', 'χ² = 4.000, P = 0.046', '4.000, P = 0.046 (Pearson chi-square test)', 'Pearson chi-square test on the printed figures gives it.'),
            ('inconsistent', 'conclusion', 'χ² = 4.000, P = 0.200', '4.000, P = 0.046 (Pearson chi-square test)', "P printed 0.200, recomputed 0.046 (Pearson chi-square test), 0.047 (N-1 chi-square test), 0.072 (chi-square test with Yates' correction), 0.071 (Fisher's exact test). The recomputed P is on the other side of 0.05."),
            ('not_checkable', '', 'χ² = 4.000, P = 0.110', '', 'The counts or means it was made from are not printed.'),
            ('not_checkable', '', 'P = 1.200', '', 'The counts or means it was made from are not printed.'),
            ('not_checkable', '', 'P = 0.046', '', 'It is adjusted for other variables: the counts alone do not give it.'),
        ],
        'p_fits_statistic': [
            ('consistent', '', 'χ² = 4.000, P = 0.046', 'P = 0.046', 'chi-square on 1 df gives it.'),
            ('inconsistent', 'conclusion', 'χ² = 4.000, P = 0.200', 'P = 0.046', '4.000 as chi-square on 1 df gives P = 0.046, not 0.200, which is on the other side of 0.05.'),
            ('not_checkable', '', 'χ² = 4.000, P = 0.110', '', 'Neither the label nor the data say which distribution the statistic has.'),
        ],
        'p_is_a_probability': [
            ('inconsistent', 'number', 'P = 1.200', '', 'A P value lies between 0 and 1.'),
        ],
        'effect_recomputes': [
            ('inconsistent', 'number', 'OR 2.25 (1.01 to 5.00)', '2.250 (1.011 to 5.008)', 'Recomputed from the printed figures: upper limit 5.00 is 5.008.'),
            ('inconsistent', 'number', 'OR 0.44 (0.20 to 0.99)', '2.250 (1.011 to 5.008)', 'Drug against placebo gives 2.250 (1.011 to 5.008); what is printed is the inverse, placebo against drug: read as labelled, the arms change places.'),
            ('not_checkable', '', 'RR 1.50 (1.00 to 2.26)', '', 'It is adjusted for other variables.'),
            ('not_checkable', '', 'RR 1.90 (1.00 to 2.26)', '1.500 (0.997 to 2.256)', 'The counts give 1.500 (0.997 to 2.256); an adjusted or stratified analysis, not stated, may explain it.'),
        ],
        'interval_holds_estimate': [
            ('consistent', '', 'OR 2.25 (1.01 to 5.00)', 'middle 2.247', 'The interval is symmetric on the log scale about it.'),
            ('consistent', '', 'OR 0.44 (0.20 to 0.99)', 'middle 0.445', 'The interval is symmetric on the log scale about it.'),
            ('consistent', '', 'RR 1.50 (1.00 to 2.26)', 'middle 1.503', 'The interval is symmetric on the log scale about it.'),
            ('not_checkable', '', 'RR 1.90 (1.00 to 2.26)', 'middle 1.503', 'The interval is not symmetric on the log scale; a method for which it need not be is not stated.'),
        ],
        'effects_agree_everywhere': [
            ('inconsistent', 'number', '2.25 (1.01 to 5.00) and 0.44 (0.20 to 0.99)', '', 'One effect is printed as 2.25 (1.01 to 5.00) and as 0.44 (0.20 to 0.99).'),
        ],
        'tests_are_named': [
            ('not_checkable', 'cosmetic', '9 of 10 P values', '', 'The test is not named beside 9 of 10 P values; 1 can be reproduced (Pearson chi-square test 1).'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_tests_on_means_say_what_was_tried(audited, rows):
    given = {"measurements": [rows.measure("drug", "12.0", "4.0"), rows.measure("placebo", "10.0", "4.0")], "tests": [
        rows.test("0.014", PAIR, "level", effect="2.0", low="0.4", high="3.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.200", PAIR, "level", effect="2.0", low="0.4", high="3.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.014", PAIR, "level", effect="2.0", low="0.4", high="3.9", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.014", PAIR, "level", effect="4.0", low="2.4", high="5.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.014", PAIR, "level", effect="2.0", low="2.1", high="3.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.014", PAIR, "level", statistic="2.500", statistic_label="t"),
        rows.test("0.014", PAIR, "level", statistic="3.100", statistic_label="t"),
    ]}
    expected = {
        'test_recomputes': [
            ('consistent', '', 't = 2.500, P = 0.014', '2.500, P = 0.014 (Student t test)', 'Student t test on the printed figures gives it.'),
            ('inconsistent', 'conclusion', 'P = 0.200', '2.500, P = 0.014 (Student t test)', 'P printed 0.200, recomputed 0.014 (Student t test), 0.014 (Welch t test), 0.724 (Wald chi-square, ± read as standard errors), 0.724 (Student t test, ± read as standard errors); this takes that all patients were analysed (50, 50). The recomputed P is on the other side of 0.05.'),
        ],
        'p_fits_statistic': [
            ('consistent', '', 't = 2.500, P = 0.014', 'P = 0.014', 't on 98 df gives it.'),
            ('inconsistent', 'number', 't = 3.100, P = 0.014', 'P = 0.003', '3.100 as t on 98 df gives P = 0.003, not 0.014; the data give P as printed, so the statistic is at fault.'),
        ],
        'one_test_one_p': [
            ('inconsistent', 'number', '0.014, 0.200', '', 'One test is printed with P values that cannot all be right: 0.014, 0.200.'),
        ],
        'effect_recomputes': [
            ('consistent', '', 'mean difference 2.0 (0.4 to 3.6)', '2.000 (0.412 to 3.588)', 'The printed figures give it.'),
            ('consistent', '', 'mean difference 2.0 (0.4 to 3.6)', '2.000 (0.412 to 3.588)', 'The printed figures give it.'),
            ('inconsistent', 'number', 'mean difference 2.0 (0.4 to 3.9)', '2.000 (0.412 to 3.588)', 'Recomputed from the printed figures with all patients of the arms: upper limit 3.9 is 3.588.'),
            ('inconsistent', 'number', 'mean difference 4.0 (2.4 to 5.6)', '2.000 (0.412 to 3.588)', 'Recomputed from the printed figures with all patients of the arms: estimate 4.0 is 2.000, lower limit 2.4 is 0.412, upper limit 5.6 is 3.588.'),
            ('inconsistent', 'number', 'mean difference 2.0 (2.1 to 3.6)', '2.000 (0.412 to 3.588)', 'Recomputed from the printed figures with all patients of the arms: lower limit 2.1 is 0.412.'),
        ],
        'interval_holds_estimate': [
            ('consistent', '', 'mean difference 2.0 (0.4 to 3.6)', 'middle 2.000', 'The interval is symmetric about it.'),
            ('consistent', '', 'mean difference 2.0 (0.4 to 3.6)', 'middle 2.000', 'The interval is symmetric about it.'),
            ('inconsistent', 'number', 'mean difference 2.0 (0.4 to 3.9)', 'middle 2.150', 'The middle of the interval is 2.150, not 2.0.'),
            ('consistent', '', 'mean difference 4.0 (2.4 to 5.6)', 'middle 4.000', 'The interval is symmetric about it.'),
            ('inconsistent', 'number', 'mean difference 2.0 (2.1 to 3.6)', '', '2.0 lies outside its own interval 2.1 to 3.6.'),
        ],
        'spread_is_what_it_says': [
            ('consistent', '', '± labelled SD', '0 tests fit standard errors, 1 fit standard deviations', 'The tests fit the label of the spread.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_p_is_held_against_the_interval(audited, rows):
    given = {"counts": two(rows), "measurements": [rows.measure("drug", "12.0", "4.0"), rows.measure("placebo", "10.0", "4.0")], "tests": [
        rows.test("0.014", PAIR, "level", effect="2.0", low="0.4", high="3.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.200", PAIR, "level", effect="2.0", low="0.4", high="3.6", effect_label="mean difference", interval_level="0.95"),
        rows.test("0.014", PAIR, "level", effect="2.0", low="0.4", high="3.9", effect_label="mean difference", interval_level="0.95"),
        *(rows.test(p, PAIR, "fever", effect_label="HR", effect=e, low=low, high=high, interval_level="95", adjusted="yes") for p, e, low, high in (
            ("0.200", "2.0", "1.3", "3.1"), ("0.010", "1.2", "0.8", "1.8"), ("0.030", "1.50", "1.15", "1.95"), ("0.030", "1.50", "0", "1.80"), ("0.003", "1.50", "1.15", "1.95"))),
        rows.test("0.046", effect_label="OR", effect="2.25", low="1.29", high="3.94", interval_level="95", adjusted="yes"),
    ]}
    expected = {
        'p_fits_interval': [
            ('consistent', '', 'mean difference 2.0 (0.4 to 3.6), P = 0.014', 'P = 0.016', 'Estimate and interval imply the printed P.'),
            ('inconsistent', 'conclusion', 'mean difference 2.0 (0.4 to 3.6), P = 0.200', 'P = 0.016', 'Estimate and interval imply P between 0.010 and 0.022, not 0.200: they come from different analyses.'),
            ('inconsistent', 'number', 'mean difference 2.0 (0.4 to 3.9), P = 0.014', 'P = 0.026', 'Estimate and interval imply P between 0.018 and 0.034, not 0.014: they come from different analyses.'),
            ('inconsistent', 'conclusion', 'HR 2.0 (1.3 to 3.1), P = 0.200', 'P = 0.002', 'The interval implies P = 0.002, on the other side of 0.05 from the printed 0.200.'),
            ('inconsistent', 'conclusion', 'HR 1.2 (0.8 to 1.8), P = 0.010', 'P = 0.378', 'The interval implies P = 0.378, on the other side of 0.05 from the printed 0.010.'),
            ('not_checkable', 'number', 'HR 1.50 (1.15 to 1.95), P = 0.030', 'P = 0.003', 'The interval of the adjusted effect implies P = 0.003, not 0.030: they may come from different tests or models.'),
            ('not_checkable', '', 'HR 1.50 (0 to 1.80), P = 0.030', '', 'A limit of the ratio is 0 or below.'),
            ('consistent', '', 'HR 1.50 (1.15 to 1.95), P = 0.003', 'P = 0.003', 'Interval and P lead to the same conclusion.'),
            ('inconsistent', 'number', 'OR 2.25 (1.29 to 3.94), P = 0.046', 'P = 0.004', 'The interval of the adjusted effect implies P = 0.004, not 0.046: Pearson chi-square test of the counts, not adjusted, gives the printed P.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_intervals_of_rates_are_told_by_their_method(audited, rows):
    given = {"counts": [
        rows.count(events="30", low="45.2", high="73.6", interval_level="0.95"), rows.count("placebo", events="20", low="27.6", high="53.8", interval_level="0.95"),
        rows.count(outcome="fever", events="5", low="3.4", high="21.8", interval_level="95"), rows.count("placebo", "fever", events="5", low="1", high="30", interval_level="95"),
        rows.count(events="30", low="46.4", high="73.6", interval_level="0.95", time="12"), rows.count("placebo", events="30", low="49.0", high="70.4", interval_level="0.9", time="12"),
    ]}
    expected = {
        'rate_interval_recomputes': [
            ('consistent', '', '30/50, 45.2 to 73.6', 'Clopper-Pearson', 'It is the Clopper-Pearson interval.'),
            ('consistent', '', '20/50, 27.6 to 53.8', 'Wilson', 'It is the Wilson interval.'),
            ('rounding', 'cosmetic', '5/50, 3.4 to 21.8', '3.3 to 21.8 (Clopper-Pearson)', 'It is the Clopper-Pearson interval rounded twice or cut off: 3.3 to 21.8 (Clopper-Pearson).'),
            ('inconsistent', 'number', '5/50, 1 to 30', '3.3 to 21.8 (Clopper-Pearson)', 'No usual method gives 1 to 30 for 5 of 50, but 3.3 to 21.8 (Clopper-Pearson).'),
            ('consistent', '', '30/50, 46.4 to 73.6', 'Wald', 'It is the Wald interval.'),
            ('inconsistent', 'number', '30/50, 49.0 to 70.4', '47.4 to 71.7 (Clopper-Pearson)', 'No usual method gives 49.0 to 70.4 for 30 of 50, but 47.4 to 71.7 (Clopper-Pearson).'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_claims_are_held_against_tests_and_counts(audited, rows):
    given = {"counts": [*two(rows), *two(rows, 10, 10, "fever"), *two(rows, 30, 10, "lasting_cure")], "tests": [rows.test("0.072")], "claims": [
        rows.claim("superior"), rows.claim("superior", arms="placebo|drug"), rows.claim("non_inferior"), rows.claim("comparable", "fever"),
        rows.claim("no_difference"), rows.claim("comparable"), rows.claim("superior", "fever"), rows.claim("superior", "level"), rows.claim("comparable", "score"),
        rows.claim("superior", "lasting_cure"), rows.claim("no_difference", "lasting_cure"), rows.claim("superior", arms="drug|placebo", cites="7"),
        rows.claim("rate", arms="drug", value="60", unit="%"), rows.claim("rate", arms="drug", value="65", unit="%"),
        rows.claim("rate", low="40", high="60", unit="%"), rows.claim("other", value="20", unit="%"),
        rows.claim("rate", arms="drug", value="70", unit="%") | {"paraphrase": "approximately 70% were cured"},
        rows.claim("rate", arms="drug", value="65", unit="%") | {"paraphrase": "approximately 65% were cured"},
    ]}
    expected = {
        'non_inferiority_has_a_margin': [
            ('not_checkable', 'conclusion', 'Cured: drug against placebo, said to be not inferior', '+20.0 points (+0.5 to +37.5)', 'Cured is called not inferior with drug against placebo, without a margin. P 0.072 fails to show a difference, which is another thing. The data allow a difference of +20.0 points (+0.5 to +37.5).'),
        ],
        'superiority_is_shown': [
            ('inconsistent', 'conclusion', 'Cured: drug against placebo, said to be better', 'P 0.072', 'Cured is called better with drug than with placebo, but the printed test does not show it: P 0.072 at 6 months. Differences: +20.0 points (95% CI +0.5 to +37.5) at 6 months. This takes what it names to mean cured.'),
            ('inconsistent', 'conclusion', 'Cured: placebo against drug, said to be better', 'P 0.072', 'The figures point the other way.'),
            ('not_checkable', 'conclusion', 'Fever: drug against placebo, said to be better', 'P = 1.000', 'No test of it is printed, and the counts do not settle it: differences 0.0 points (-15.7 to +15.7), exact P = 1.000.'),
            ('not_checkable', 'conclusion', 'Level: drug against placebo, said to be better', '', 'No figures of these arms are printed for it.'),
            ('consistent', '', 'Lasting cure: drug against placebo, said to be better', 'P < 0.001', 'The counts support it; no test is printed.'),
        ],
        'no_difference_is_shown': [
            ('not_checkable', 'conclusion', 'Fever: drug against placebo, said to be alike', 'P = 1.000', 'Alike is concluded from counts that are too few to tell, no test being printed, without a margin; the data allow a difference of 0.0 points (-15.7 to +15.7).'),
            ('consistent', '', 'Cured: drug against placebo, said not to differ', 'P 0.072', 'No test of it is significant, which is not proof that there is none; the data allow a difference of +20.0 points (+0.5 to +37.5).'),
            ('not_checkable', 'conclusion', 'Cured: drug against placebo, said to be alike', 'P 0.072', 'Alike is concluded from a test that found no difference, without a margin; the data allow a difference of +20.0 points (+0.5 to +37.5).'),
            ('not_checkable', 'conclusion', 'Score: drug against placebo, said to be alike', '', 'No figures of these arms are printed for it.'),
            ('inconsistent', 'conclusion', 'Lasting cure: drug against placebo, said not to differ', 'P < 0.001', 'No difference is claimed, but the counts differ.'),
        ],
        'claims_do_not_contradict': [
            ('inconsistent', 'conclusion', 'superior', 'no_difference comparable', '“Table 1” claims a benefit for cured, but “Table 5” says that there is none, or none that is significant; the counts are 30/50 against 20/50 at 6 months. This takes what it names to mean cured.'),
            ('inconsistent', 'conclusion', 'superior', 'comparable', '“Table 7” claims a benefit for fever, but “Table 4” says that there is none, or none that is significant; the counts are 10/50 against 10/50 at 6 months. This takes what it names to mean fever.'),
            ('inconsistent', 'conclusion', 'superior', 'no_difference', '“Table 10” claims a benefit for lasting cure, but “Table 11” says that there is none, or none that is significant; the counts are 30/50 against 10/50 at 6 months. This takes what it names to mean lasting cure.'),
        ],
        'claimed_rates_match_counts': [
            ('consistent', '', '60%', '60.00%', 'The counts give it.'),
            ('inconsistent', 'number', '65%', '60.00%', 'The counts give 60.00%.'),
            ('consistent', '', '40 to 60%', '40.00 to 60.00%', 'The counts give it.'),
            ('consistent', '', '20%', '20.00%', 'The counts give it.'),
            ('inconsistent', 'number', '70%', '60.00%', 'The counts give 60.00%.'),
            ('inconsistent', 'number', '65%', '60.00%', 'The counts give 60.00%.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_subgroups_said_to_be_alike_are_told_what_the_tests_leave_open(audited, rows):
    given = {"arms": rows.arms(drug=90, placebo=90), "counts": [
        *[rows.baseline(arm, "stage", name, 30, 90) for arm in ("drug", "placebo") for name in ("I", "II", "III")],
        *[rows.count("drug", events=e, n="30", subgroup="stage", level=name) for e, name in (("20", "I"), ("19", "II"), ("21", "III"))],
        *[rows.count("placebo", events=e, n="30", subgroup="stage", level=name) for e, name in (("10", "I"), ("9", "II"), ("11", "III"))],
    ], "claims": [
        rows.claim("comparable", arms="drug", subgroup="stage", time="6", time_unit="month"),
        rows.claim("subgroup_consistent", subgroup="stage"), rows.claim("comparable", arms="drug", subgroup="sex"),
    ]}
    expected = {
        'subgroups_are_alike': [
            ('not_checkable', 'conclusion', 'Cured: drug, said to be alike', 'month 6 66.7%/63.3%/70.0%, P = 0.960 of those counted; month 6 66.7%/63.3%/70.0%, P = 0.960 missing as failure', 'No test over all stage levels finds a difference (smallest P 0.960 at month 6 of those counted; pairs after Holm 1.000 at month 6 of those counted; trend, not adjusted, 0.784 at month 6 of those counted), but groups of 30 patients leave room for one: I less II -20 to +26 points at 6 months.'),
            ('not_checkable', 'conclusion', 'Cured: drug against placebo, said to be the same in all subgroups', 'P of interaction 1.000', 'No interaction is found (P = 1.000), which a small study rarely could.'),
            ('not_checkable', 'conclusion', 'Cured: drug, said to be alike', '', 'No counts by subgroup are printed for it.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_claims_on_means_are_told_with_welchs_interval(audited, rows):
    given = {"measurements": [rows.measure("drug", "20.0", "9.0", n="10"), rows.measure("placebo", "14.0", "2.0", n="40")],
        "claims": [rows.claim("non_inferior", "level")]}
    expected = {
        'non_inferiority_has_a_margin': [
            ('inconsistent', 'conclusion', 'Level: drug against placebo, said to be not inferior', '+6.0 (-0.5 to +12.5) at 6 months', 'Level is called not inferior with drug against placebo, without a margin. The data allow a difference of +6.0 (-0.5 to +12.5) at 6 months.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_comparisons_that_do_not_survive_holm_are_named(audited, rows):
    given = {"arms": rows.arms(a=50, b=50, c=50), "tests": [rows.test(p, arms) for arms, p in (("a|b", "0.040"), ("a|c", "0.001"), ("b|c", "0.030"))]}
    expected = {
        'significance_survives_holm': [
            ('not_checkable', 'conclusion', 'P = 0.040, P = 0.001, P = 0.030', 'P = 0.060, P = 0.003, P = 0.060', "Of 3 comparisons of cured at 6 months, 2 of the 3 that are significant do not survive Holm's adjustment (A against B, B against C); whether any was planned is not printed."),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_comparisons_that_survive_holm_are_counted(audited, rows):
    given = {"arms": rows.arms(a=50, b=50, c=50), "tests": [rows.test(p, arms) for arms, p in (("a|b", "0.020"), ("a|c", "0.001"), ("b|c", "0.700"))]}
    expected = {
        'significance_survives_holm': [
            ('consistent', '', 'P = 0.020, P = 0.001, P = 0.700', 'P = 0.040, P = 0.003, P = 0.700', "2 of 3 are significant, before and after Holm's adjustment."),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_what_is_printed_in_two_places_is_compared(audited, rows):
    given = {"counts": [rows.count(events="30", percent="60.0"), rows.count(percent="61.0", locator="Abstract"), rows.count("placebo", percent="40.0"), rows.count("placebo", events="20", locator="Abstract")],
        "measurements": [rows.measure("drug", "9.12", "2.66"), rows.measure("drug", "9.3", "2.7", locator="Abstract"), rows.measure("placebo", "9.12", "2.66"), rows.measure("placebo", "9.1", "2.7", locator="Abstract")],
        "tests": [rows.test("0.045", outcome="fever", effect_label="OR", effect="2.25", low="1.01", high="5.01"), rows.test("0.045", outcome="fever", effect_label="OR", effect="2.3", low="1.0", high="5.0", locator="Abstract")]}
    expected = {
        'counts_agree_everywhere': [
            ('inconsistent', 'number', '?/50 (61.0%)', '30/50 (60.0%)', 'Abstract and Table 1 print it as ?/50 (61.0%) and 30/50 (60.0%).'),
            ('consistent', '', '?/50 (40.0%)', '20/50', 'The printings of it agree.'),
        ],
        'measurements_agree_everywhere': [
            ('inconsistent', 'number', '9.3 2.7', '9.12 2.66', 'Abstract and Table 1 print it as 9.3 2.7 and 9.12 2.66.'),
            ('consistent', '', '9.1 2.7', '9.12 2.66', 'The printings of it agree.'),
        ],
        'effects_agree_everywhere': [
            ('consistent', '', '2.25 (1.01 to 5.01) and 2.3 (1.0 to 5.0)', '2.25 (1.01 to 5.01)', '2 printings of one effect agree.'),
        ],
        'one_test_one_p': [
            ('consistent', '', '0.045', '0.045', '2 printings of one P value agree.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_what_is_missing_is_told(audited, rows):
    given = {"measurements": [rows.measure("drug", "9.1", ""), rows.measure("drug", "9.1", "2.0", "score")], "counts": [rows.count(percent="41.3") | {"n": "", "n_basis": ""}],
        "tests": [rows.test("0.000"), rows.test("0.04"), rows.test("0.04", outcome="fever", test_label="chi-square")]}
    expected = {
        'p_is_not_zero': [
            ('rounding', 'cosmetic', 'P = 0.000', 'P <0.001', 'No P value is 0: 0.000 is anything below 0.0005, usually printed <0.001.'),
        ],
        'spread_is_printed': [
            ('not_checkable', 'number', '9.1', '', 'The mean of level is printed without any measure of spread: it cannot be tested or pooled.'),
            ('consistent', '', '9.1', '', 'Its spread is printed.'),
        ],
        'denominator_is_printed': [
            ('not_checkable', 'number', '41.3%', '', '41.3% is printed without the number of patients it is of.'),
        ],
        'tests_are_named': [
            ('not_checkable', 'cosmetic', '2 of 3 P values', '', 'The test is not named beside 2 of 3 P values.'),
        ],
        'effects_are_printed': [
            ('not_checkable', 'cosmetic', '2 comparisons, lowest P < 0.001', '', '2 comparisons of two arms have a P value but no effect with an interval.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_whole_numbers_and_centres_are_told(audited, rows):
    given = {"measurements": [
        rows.measure("drug", "3.44", "2.47", "score", n="18"), rows.measure("placebo", "5.19", "1.00", "score", n="28"), rows.measure("drug", "5.18", "", "score", n="28", time="12"),
        rows.measure("drug", "0.53", "0.40", "cured", n="50"), rows.measure("drug", "9.1", "2.7", locator="Table 6, row Median time", time="12"),
        rows.measure("drug", "90", "", low="20", high="80", interval_label="range", time="18") | {"statistic": "median"},
        rows.measure("placebo", "50", "40", low="20", high="80", interval_label="range", time="18"), rows.measure("drug", "50", "20", low="20", high="80", interval_label="range", time="24"),
    ]}
    expected = {
        'mean_of_whole_numbers_is_possible': [
            ('inconsistent', 'number', '3.44 ± 2.47, n = 18', '', '18 whole numbers with the mean 3.44 cannot have the standard deviation 2.47.'),
            ('inconsistent', 'number', '5.19 ± 1.00, n = 28', '', 'No sum of 28 whole numbers has the mean 5.19.'),
            ('consistent', '', '5.18, n = 28', '', 'Whole numbers can give it.'),
            ('inconsistent', 'number', '0.53 ± 0.40, n = 50', '', 'No sum of 50 whole numbers has the mean 0.53.'),
        ],
        'centre_is_what_it_is_called': [
            ('inconsistent', 'number', '9.1 ± 2.7', 'mean', 'Level is called a median, but what is printed is a mean: the two differ where a few patients take very long or have very high values.'),
        ],
        'centre_is_within_interval': [
            ('inconsistent', 'number', '90 (20 to 80)', '', '90 lies outside 20 to 80.'),
            ('consistent', '', '50 (20 to 80)', '', 'It lies between its limits.'),
            ('consistent', '', '50 (20 to 80)', '', 'It lies between its limits.'),
        ],
        'spread_fits_range': [
            ('inconsistent', 'number', '± 40, 20 to 80', '5.96 to 30.8', 'Values from 20 to 80 cannot have a standard deviation of 40.'),
            ('consistent', '', '± 20, 20 to 80', '5.96 to 30.8', 'The range leaves room for the standard deviation.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_subgroups_that_are_not_all_printed_may_leave_room_but_not_exceed(audited, rows):
    given = {"counts": [
        *classes(rows, "drug", "stage", I=20, II=20, III=10), *classes(rows, "placebo", "stage", I=20, II=20, III=10), *two(rows, 20, 20),
        rows.count(events="9", n="20", subgroup="stage", level="I"), rows.count(events="8", n="20", subgroup="stage", level="II"),
        rows.count("placebo", events="12", n="20", subgroup="stage", level="I"), rows.count("placebo", events="9", n="20", subgroup="stage", level="II"),
    ]}
    expected = {
        'subgroups_add_up': [
            ('consistent', '', '20/50', '17/40', 'The subgroups printed leave room for the others.'),
            ('inconsistent', 'number', '20/50', '21/40', 'The subgroups add up to 21/40, the whole study has 20/50.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_a_test_that_only_a_less_usual_method_gives_is_told_with_its_luck(audited, rows):
    given = {"counts": [*classes(rows, "drug", "stage", I=10, II=20, III=20), *classes(rows, "placebo", "stage", I=20, II=20, III=10), *two(rows), *two(rows, 12, 4, "lasting_cure")],
        "tests": [rows.test(p, PAIR, "stage", time="0", time_unit="month", time_label="baseline") for p in ("0.036", "0.010", "0.123")]
        + [rows.test(p, PAIR, "cured") for p in ("0.045", "0.064")]}
    expected = {
        'test_recomputes': [
            ('consistent', '', 'P = 0.036', '6.667, P = 0.036 (Pearson chi-square test)', 'Pearson chi-square test on the printed figures gives it.'),
            ('consistent', '', 'P = 0.010', 'P = 0.010 (a rank test on the ordered classes (Mann-Whitney))', 'Only a rank test on the ordered classes (Mann-Whitney) gives it, Pearson chi-square test would give P = 0.036; the test is not named, and the chance that one of 8 methods fits by luck is 0.8%.'),
            ('inconsistent', 'conclusion', 'P = 0.123', '6.667, P = 0.036 (Pearson chi-square test)', 'P printed 0.123, recomputed 0.036 (Pearson chi-square test), 0.041 (Fisher-Freeman-Halton exact test). The recomputed P is on the other side of 0.05.'),
            ('consistent', '', 'P = 0.045', 'P = 0.045 (the likelihood-ratio test)', 'Only the likelihood-ratio test gives it, Pearson chi-square test would give P = 0.046; the test is not named, and the chance that one of 8 methods fits by luck is 0.8%.'),
            ('inconsistent', 'conclusion', 'P = 0.064', '4.000, P = 0.046 (Pearson chi-square test)', "P printed 0.064, recomputed 0.046 (Pearson chi-square test), 0.047 (N-1 chi-square test), 0.072 (chi-square test with Yates' correction), 0.071 (Fisher's exact test). The recomputed P is on the other side of 0.05."),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_a_margin_is_held_against_the_counts(audited, rows):
    given = {"counts": two(rows, 30, 31), "claims": [rows.claim("non_inferior"), rows.claim("non_inferior", "level")],
        "protocols": [{"study_id": "trial_a", "section": "statistics", "item": "non-inferiority margin", "value": "10", "unit": "%"}]}
    expected = {
        'non_inferiority_has_a_margin': [
            ('inconsistent', 'conclusion', 'Cured: drug against placebo, said to be not inferior', '-2.0 points (-20.4 to +16.6)', 'At a margin of 10 percentage points, as printed, not inferior is not shown: the interval reaches a loss of 20.4 points.'),
            ('not_checkable', '', 'Level: drug against placebo, said to be not inferior', '', 'A margin is printed; the interval has to be held against it.'),
        ],
    }
    assert told(audited(**given), expected) == expected


def source(name, **more):
    return {"source_id": name, "citekey": name, "title": f"Paper {name}", "kind": "article", "tier": "primary"} | more


def definition(**more):
    level = {"criterion": "level", "operator": ">=", "threshold": "100", "unit": "10^9/L"}
    return {"study_id": "trial_a", "outcome_id": "cured", "group": "a", "join": "all"} | level | more


STUDY = {
    "study_id": "trial_a", "label": "Trial A", "indication": "SAA", "population": "adults", "design": "randomised_trial",
    "randomised": "yes", "n": "100", "status": "completed", "origin": "seed", "period": "2019",
}


def test_identifiers_definitions_and_references_are_told_word_for_word(audited, rows):
    quoted = {"unit": "%", "cites": "4", "locator": "p 1"}
    given = {
        "studies": [STUDY | {"registry_id": "NCT01234567|NCT123"}, STUDY | {"study_id": "trial_b", "registry_id": "NCT01234567"}],
        "sources": [source("doc", doi="10.1016/j.x.2015.01.002", year="2022"), source("other", doi="10.1000/b")],
        "definitions": [
            definition(source_id="doc"), definition(source_id="other"),
            definition(source_id="other", criterion="transfusion_free", operator="", threshold="", unit=""),
            definition(source_id="doc", outcome_id="fever", threshold="38.50", unit="day"),
            definition(source_id="other", outcome_id="fever", threshold="20", operator="<", unit="g"),
        ],
        "claims": [
            rows.claim("rate", "fever", "drug", value=value, paraphrase=words, **quoted)
            for value, words in (("10", "grade 1 fever"), ("5.5", "grade 2 fever"), ("12", "any fever"))
        ],
    }
    expected = {
        "quoted_grades_fit_total": [
            ("inconsistent", "number", "12%", "10 + 5.5 = 15.5", "The quoted grades add up to 15.5%, more than the 12% quoted for all of them."),
        ],
        "registry_ids_are_sound": [
            ("inconsistent", "number", "NCT01234567", "", "NCT01234567 is given for different studies: trial_a, trial_b."),
            ("inconsistent", "number", "NCT123", "", "NCT123 is no identifier of that registry: it has the wrong number of digits."),
        ],
        "definitions_are_one": [
            ("not_checkable", "conclusion", "level ≥100 × 10⁹/L and transfusion free (article); level ≥100 × 10⁹/L (article, 2022)", "", "Cured is level ≥100 × 10⁹/L and transfusion free (article), but level ≥100 × 10⁹/L (article, 2022). A document that does not print “transfusion free” may have asked for it all the same; if it did not, the rates are not rates of one thing."),
            ("inconsistent", "conclusion", "level <20 g (article); level ≥38.5 days (article, 2022)", "", "As printed, Fever means level <20 g (article), but level ≥38.5 days (article, 2022): their rates are not rates of one thing."),
        ],
        "documents_are_listed_once": [
            ("consistent", "", "10.1016/j.x.2015.01.002", "", "No other document has this DOI."),
            ("consistent", "", "10.1000/b", "", "No other document has this DOI."),
        ],
        "references_are_plausible": [
            ("not_checkable", "cosmetic", "10.1016/j.x.2015.01.002, 2022", "2015", "The DOI names 2015, the reference 2022: one of them may be another document's."),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_parts_groups_and_printed_statistics_are_told(audited, rows):
    shared = {"domain": "efficacy", "type": "binary", "better": "higher"}
    outcomes = [
        {"outcome_id": "cured", "label": "Cured"} | shared, {"outcome_id": "full", "label": "Full cure", "partition": "cured"} | shared,
        {"outcome_id": "partial", "label": "Partial cure", "partition": "cured"} | shared,
        {"outcome_id": "level", "label": "Level", "domain": "efficacy", "type": "continuous", "better": "higher", "unit": "g"},
        {"outcome_id": "group", "label": "Group", "domain": "baseline", "type": "categorical", "better": "none"},
    ]
    printed = (("0.046", "z", "2.0", ""), ("0.020", "z value", "2.0", ""), ("0.050", "F", "3.00", "2, 100"), ("0.010", "F", "3.00", "2; 100"),
               ("0.046", "chi-square", "3.98", "1"), ("0.046", "t", "2.02", "98"))
    given = {
        "arms": [*rows.arms(drug=50, placebo=50), EVERYBODY], "outcomes": outcomes,
        "counts": [
            rows.count(events="30"), rows.count(outcome="partial", events="10"), rows.count(outcome="full", events="19"),
            rows.count("placebo", events="30"), rows.count("placebo", "partial", events="10"), rows.count("placebo", "full", events="20"),
            rows.count("all", percent="60.0", n="100"), rows.count("all", "partial", percent="21.0", n="100"), rows.count("all", "full", percent="<40", n="100"),
            rows.baseline("all", "group", "drug", 50, 100), rows.baseline("all", "group", "placebo", 49, 100),
        ],
        "tests": [rows.test(p, PAIR, "level", statistic_label=name, statistic=value, df=df) for p, name, value, df in printed],
    }
    expected = {
        "arms_add_up_to_combined": [
            ("consistent", "", "60.0%", "60/100 = 60.00%", "The arms add up to 60/100 = 60.00%."),
            ("inconsistent", "number", "21.0%", "20/100 = 20.00%", "The arms add up to 20/100 = 20.00%, not to 21.0%."),
            ("not_checkable", "", "<40", "39/100 = 39.00%", "It prints no count and no plain figure."),
        ],
        "arm_counts_match_sizes": [
            ("consistent", "", "50", "50", "The group is as large here as in its header."),
            ("inconsistent", "number", "49", "50", "Its header says 50."),
        ],
        "partitions_add_up": [
            ("inconsistent", "number", "10 + 19", "30", "The parts add up to 29, the whole is 30."),
            ("consistent", "", "10 + 20", "30", "The parts add up to 30 of 30."),
        ],
        "p_fits_statistic": [
            ("consistent", "", "z = 2.0, P = 0.046", "P = 0.046", "z gives it."),
            ("inconsistent", "number", "z value = 2.0, P = 0.020", "P = 0.046", "2.0 as z gives P = 0.046, not 0.020."),
            ("inconsistent", "number", "F = 3.00, P = 0.050", "P = 0.054", "3.00 as F on 2 and 100 df gives P = 0.054, not 0.050."),
            ("inconsistent", "conclusion", "F = 3.00, P = 0.010", "P = 0.054", "3.00 as F on 2 and 100 df gives P = 0.054, not 0.010, which is on the other side of 0.05."),
            ("consistent", "", "chi-square = 3.98, P = 0.046", "P = 0.046", "chi-square on 1 df gives it."),
            ("consistent", "", "t = 2.02, P = 0.046", "P = 0.046", "t on 98 df gives it."),
        ],
    }
    assert told(audited(**given), expected) == expected


def test_several_p_values_are_joined_and_a_claim_without_figures_names_none(audited, rows):
    given = {
        "counts": two(rows),
        "tests": [*(rows.test(p) for p in ("0.110", "0.220", "0.330")), rows.test("0.110", PAIR, "level")],
        "claims": [rows.claim("non_inferior"), rows.claim("superior", "level"), rows.claim("superior", "level", paraphrase="Better level was seen.")],
    }
    unshown = "Level is called better with drug than with placebo, but the printed test does not show it: P 0.110 at 6 months."
    expected = {
        "non_inferiority_has_a_margin": [
            ("not_checkable", "conclusion", "Cured: drug against placebo, said to be not inferior", "+20.0 points (+0.5 to +37.5)", "Cured is called not inferior with drug against placebo, without a margin. P 0.110, 0.220 and 0.330 fail to show a difference, which is another thing. The data allow a difference of +20.0 points (+0.5 to +37.5)."),
        ],
        "superiority_is_shown": [
            ("inconsistent", "conclusion", "Level: drug against placebo, said to be better", "P 0.110", f"{unshown} This takes what it names to mean level."),
            ("inconsistent", "conclusion", "Level: drug against placebo, said to be better", "P 0.110", unshown),
        ],
    }
    assert told(audited(**given), expected) == expected


@pytest.mark.parametrize(("percent", "power"), [("40", "69%"), ("33.3", "97%")])
def test_the_power_of_the_question_falls_with_the_decimals(audited, rows, percent, power):
    # 31 counts of 101 or of 1,001 percentages
    why = audited(counts=[rows.count(percent=percent, n="30")]).one("percent_is_possible")["why"]
    assert f"{power} of such percentages fit no count out of 30." in why


def test_a_finding_is_known_by_its_check_its_rows_in_any_order_and_what_it_is_about():
    one, turned = (Finding(rows, "", "", "consistent", "So.", about="5") for rows in (("b", "a"), ("a", "b")))
    wanted = "a_check-" + hashlib.blake2s(b"a_check|5|a|b", digest_size=4).hexdigest()
    assert one.identity("a_check") == turned.identity("a_check") == wanted


@pytest.mark.parametrize(("p", "text"), [(0.001, "0.001"), (0.000999, "<0.001"), (0.0496, "0.050"), (1.0, "1.000")])
def test_p_is_written_with_three_decimals_down_to_one_thousandth(p, text):
    assert p_text(p) == text


def test_figures_of_one_digit_are_held_between_their_limits_and_bounds_are_left_alone(audited, rows):
    limits = {"low": "2", "high": "8", "interval_label": "range"}
    given = [rows.measure("drug", "5", "", **limits), rows.measure("placebo", "<5", "", **(limits | {"low": "6"}))]
    found = audited(measurements=given).of("centre_is_within_interval")
    assert [(one["verdict"], one["reported"]) for one in found] == [("consistent", "5 (2 to 8)")]
