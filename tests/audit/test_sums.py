import pytest


def sexes(rows, male, female):
    return [rows.baseline("drug", "sex", "male", male), rows.baseline("drug", "sex", "female", female)]


@pytest.mark.parametrize(
    ("female", "verdict"), [(20, "consistent"), (21, "inconsistent"), (18, "inconsistent")]
)
def test_classes_add_up_to_the_arm_or_are_said_not_to(audited, rows, female, verdict):
    assert audited(counts=sexes(rows, 30, female)).verdicts("classes_add_up") == [verdict]


def test_classes_that_are_not_all_printed_are_not_called_wrong(audited, rows):
    stages = [rows.baseline("drug", "stage", stage, n) for stage, n in (("I", 20), ("II", 20), ("III", 10))]
    part = [rows.baseline("placebo", "stage", stage, 20) for stage in ("I", "II")]
    assert sorted(audited(counts=stages + part).verdicts("classes_add_up")) == ["consistent", "not_checkable"]


@pytest.mark.parametrize(
    ("labels", "verdict"),
    [(("<5", ">5"), "inconsistent"), (("<5", "≥5"), "consistent"), (("≤5", "≥5"), "inconsistent"), (("≤5", ">5"), "consistent")],
)  # fmt: skip
def test_a_value_between_two_classes_is_in_one_of_them(audited, rows, labels, verdict):
    counts = [rows.baseline("drug", "cycles", label, 25) for label in labels]
    assert audited(counts=counts).verdicts("classes_cover_every_value") == [verdict]


@pytest.mark.parametrize(("events", "verdict"), [("50", "consistent"), ("51", "inconsistent")])
def test_arms_add_up_to_everybody(audited, rows, events, verdict):
    everybody = rows.arms(all=100)[0] | {"combines": "drug|placebo", "components": "", "role": "", "node": ""}
    counts = [
        rows.count(events="30"),
        rows.count("placebo", events="20"),
        rows.count("all", events=events, n="100"),
    ]
    found = audited(arms=[*rows.arms(drug=50, placebo=50), everybody], counts=counts)
    assert found.verdicts("arms_add_up_to_combined") == [verdict]
    assert found.verdicts("arms_add_up_to_study") == ["consistent", "consistent"]


@pytest.mark.parametrize(("part", "verdict"), [("20", "consistent"), ("21", "inconsistent")])
def test_a_part_is_no_larger_than_its_whole(audited, rows, part, verdict):
    found = audited(counts=[rows.count(events="20"), rows.count(outcome="lasting_cure", events=part)])
    assert found.verdicts("parts_are_within_whole") == [verdict]


@pytest.mark.parametrize(("events", "verdict"), [("11", "consistent"), ("12", "inconsistent")])
def test_subgroups_add_up_to_the_whole_study(audited, rows, events, verdict):
    level = [
        rows.count(events=e, n=n, subgroup="sex", level=name)
        for e, n, name in (("9", "20", "male"), (events, "30", "female"))
    ]
    counts = [*sexes(rows, 20, 30), rows.count(events="20"), *level]
    found = audited(counts=counts)
    assert found.verdicts("subgroups_add_up") == [verdict]
    assert found.verdicts("subgroups_are_within_baseline") == ["consistent", "consistent"]


@pytest.mark.parametrize(("total", "verdict"), [("1", "consistent"), ("0", "inconsistent")])
def test_levels_of_which_one_is_not_printed_exceed_no_total_not_even_of_none(audited, rows, total, verdict):
    base = [rows.baseline("drug", "stage", name, n) for name, n in (("I", 20), ("II", 20), ("III", 10))]
    level = [
        rows.count(events=e, n="20", subgroup="stage", level=name) for e, name in (("1", "I"), ("0", "II"))
    ]
    found = audited(counts=[*base, rows.count(events=total), *level]).one("subgroups_add_up")
    assert (found["verdict"], found["recomputed"]) == (verdict, "1/40")


def test_a_level_of_nobody_adds_nobody(audited, rows):
    base = [rows.baseline("drug", "stage", name, n) for name, n in (("I", 20), ("II", 30), ("III", 0))]
    level = [
        rows.count(events=e, n=n, subgroup="stage", level=name)
        for e, n, name in (("9", "20", "I"), ("11", "30", "II"), ("0", "0", "III"))
    ]
    found = audited(counts=[*base, rows.count(events="20"), *level]).one("subgroups_add_up")
    assert (found["verdict"], found["recomputed"]) == ("consistent", "20/50")


@pytest.mark.parametrize(("events", "verdict"), [("11", "consistent"), ("12", "inconsistent")])
def test_levels_printed_without_patients_are_added_by_their_events(audited, rows, events, verdict):
    base = [rows.baseline("drug", "sex", name, n) for name, n in (("male", 20), ("female", 30))]
    level = [
        rows.count(events=e, n=n, percent="", subgroup="sex", level=name)
        for e, n, name in (("9", "20", "male"), (events, "", "female"))
    ]
    found = audited(counts=[*base, rows.count(events="20"), *level]).one("subgroups_add_up")
    assert (found["verdict"], found["reported"], found["recomputed"]) == (verdict, "20", str(9 + int(events)))


def test_one_level_alone_is_no_sum(audited, rows):
    counts = [rows.count(events="20"), rows.count(events="9", n="20", subgroup="sex", level="male")]
    assert audited(counts=counts).of("subgroups_add_up") == []


def test_a_subgroup_larger_than_its_class_at_baseline_is_found(audited, rows):
    counts = [*sexes(rows, 20, 30), rows.count(events="9", n="21", subgroup="sex", level="male")]
    assert audited(counts=counts).verdicts("subgroups_are_within_baseline") == ["inconsistent"]


@pytest.mark.parametrize(
    ("total", "verdict"), [("12.5", "consistent"), ("12.8", "not_checkable"), ("11.0", "inconsistent")]
)
def test_quoted_grades_are_held_against_the_quoted_total(audited, rows, total, verdict):
    quoted = {"cites": "3", "unit": "%", "arms": "", "locator": "Discussion"}
    grades = [
        rows.claim("rate", value=v, subgroup="grade", level=g, **quoted)
        for g, v in (("2", "6.4"), ("3", "4.2"), ("4", "1.9"))
    ]
    found = audited(claims=[rows.claim("rate", value=total, **quoted), *grades])
    assert found.verdicts("quoted_grades_fit_total") == [verdict]


PARTITION = [
    {
        "outcome_id": name,
        "label": name,
        "domain": "efficacy",
        "type": "binary",
        "better": "higher",
        "partition": "any",
    }
    for name in ("full", "half")
]
WHOLE = {"outcome_id": "any", "label": "Any", "domain": "efficacy", "type": "binary", "better": "higher"}


@pytest.mark.parametrize(
    ("half", "whole", "verdict"),
    [
        (12, 20, "consistent"),
        (11, 20, "inconsistent"),  # both parts are printed, so they make up the whole
        (13, 20, "inconsistent"),
        (12, None, "consistent"),
        (42, None, "consistent"),  # no whole is printed: together they are all 50 patients
        (43, None, "inconsistent"),
    ],
)
def test_parts_of_an_outcome_add_up_to_their_whole_or_to_no_more_than_the_patients(
    audited, rows, half, whole, verdict
):
    counts = [rows.count(outcome="full", events="8"), rows.count(outcome="half", events=str(half))]
    counts += [rows.count(outcome="any", events=str(whole))] if whole is not None else []
    found = audited(outcomes=[*PARTITION, WHOLE], counts=counts).one("partitions_add_up")
    assert found["verdict"] == verdict
    assert found["reported"] == f"8 + {half}"
    assert found["recomputed"] == str(whole or 50)
    assert f"{8 + half}" in found["why"]
    assert len(found["row_id"].split("|")) == len(counts)


def test_one_part_alone_is_no_sum_and_parts_with_room_are_sound(audited, rows):
    alone = audited(outcomes=[*PARTITION, WHOLE], counts=[rows.count(outcome="full", events="8")])
    assert alone.of("partitions_add_up") == []
    third = {**PARTITION[0], "outcome_id": "quarter", "label": "quarter"}
    counts = [
        rows.count(outcome=name, events=events)
        for name, events in (("full", "8"), ("half", "9"), ("any", "20"))
    ]
    some = audited(outcomes=[*PARTITION, third, WHOLE], counts=counts)
    assert some.one("partitions_add_up")["verdict"] == "consistent", "a third part is not printed"


def test_a_combined_percentage_is_held_against_the_arms_that_make_it_up(audited, rows):
    everybody = rows.arms(all=100)[0] | {"combines": "drug|placebo", "components": "", "role": "", "node": ""}
    parts = [rows.count(events="30"), rows.count("placebo", events="20")]
    for percent, verdict in (("50.0", "consistent"), ("51.0", "inconsistent"), (">50", "not_checkable")):
        whole = rows.count("all", n="", n_basis="", percent=percent)
        found = audited(arms=[*rows.arms(drug=50, placebo=50), everybody], counts=[*parts, whole])
        assert found.verdicts("arms_add_up_to_combined") == [verdict], percent
