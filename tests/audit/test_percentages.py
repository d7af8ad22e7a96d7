import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.audit.percentages import rounding_of

QUOTED = {"cites": "7"}


@pytest.mark.parametrize(
    ("events", "n", "percent", "rounding"),
    [
        (36, 64, "56.3", "half up"),
        (28, 64, "43.7", "half down"),
        (21, 32, "66", "nearest"),
        (21, 32, "65", "cut off"),
        (16, 32, "50.0", "exact"),
        (22, 32, "68.9", "other"),
        (1, 3, "34", "up"),
        (0, 37, "0.00", "exact"),
    ],
)
def test_how_a_percentage_was_rounded_is_told_in_whole_numbers(events, n, percent, rounding):
    assert rounding_of(events, n, percent) == rounding


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 2))
def test_a_percentage_printed_to_the_nearest_is_never_called_odd(pair, decimals):
    events, n = pair
    scaled = 10**decimals * 100 * events
    figure = (2 * scaled + n) // (2 * n)
    text = f"{figure:0{decimals + 1}d}"
    percent = f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text
    assert rounding_of(events, n, percent) in ("exact", "nearest", "half up")


def test_a_percentage_that_is_not_of_its_count_is_inconsistent(audited, rows):
    found = audited(counts=[rows.count(events="17", percent="43.0")]).one("percent_matches_count")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "number")
    assert "17/50 = 34.00%" in found["why"]


def test_a_percentage_cut_off_is_only_unusual_rounding(audited, rows):
    found = audited(
        counts=[
            rows.count(events="19", n="29", percent="65.5"),
            rows.count("placebo", events="20", n="29", percent="68.9"),
        ]
    )
    assert sorted(found.verdicts("percent_matches_count")) == ["consistent", "rounding"]


def test_grim_finds_a_percentage_that_no_count_gives(audited, rows):
    found = audited(counts=[rows.count(percent="19.3", n="29")]).one("percent_is_possible")
    assert found["verdict"] == "inconsistent"


def test_a_percentage_of_another_number_is_told_with_those_of_the_same_patients(audited, rows):
    both = [
        rows.count(percent="65.6", n="67", **QUOTED),
        rows.count(outcome="fever", percent="31.3", n="67", **QUOTED),
    ]
    found = audited(counts=both, arms=rows.arms(drug=67, placebo=50))
    told = next(one for one in found.of("percent_is_possible") if one["verdict"] == "rounding")
    assert len(told["row_id"].split("|")) == 2
    assert "it and 31.3% of the same patients together fit 32 or 64 patients." in told["why"]


def test_a_quoted_percentage_and_a_quoted_test_are_checked_like_any(audited, rows):
    counts = [
        rows.count(arm, events=events, percent=percent, **QUOTED)
        for arm, events, percent in (("drug", "30", "61.0"), ("placebo", "20", "40.0"))
    ]
    found = audited(counts=counts, tests=[rows.test("0.59", cites="7")])
    assert sorted(found.verdicts("percent_matches_count")) == ["consistent", "inconsistent"]
    assert found.verdicts("test_recomputes") == ["inconsistent"]


def test_grim_says_how_many_percentages_it_could_have_refuted(audited, rows):
    found = audited(counts=[rows.count(percent="40", n="20")]).one("percent_is_possible")
    assert (found["verdict"], found["recomputed"]) == ("consistent", "8/20")
    assert "79% of such percentages fit no count out of 20" in found["why"]  # 1 - 21/101


def test_the_odd_one_of_a_document_that_rounds_halves_up_stands_out(audited, rows):
    up = [rows.count(arm, outcome, events=e, n="16", percent=p) for arm, outcome, e, p in (
        ("drug", "cured", "1", "6.3"), ("placebo", "cured", "3", "18.8"), ("drug", "fever", "5", "31.3"))]  # fmt: skip
    found = audited(counts=[*up, rows.count("placebo", "fever", events="7", n="16", percent="43.7")])
    odd = [one for one in found.of("rounding_is_one_habit") if one["verdict"] == "rounding"]
    assert [one["reported"] for one in odd] == ["43.7%"]


def test_two_classes_rounded_to_make_a_hundred_tell_nothing_of_the_habit(audited, rows):
    counts = [
        rows.baseline("drug", "sex", "male", 30, 48, percent="63"),
        rows.baseline("drug", "sex", "female", 18, 48, percent="37"),
    ]
    assert not [
        one for one in audited(counts=counts).of("rounding_is_one_habit") if one["verdict"] == "rounding"
    ]


@pytest.mark.parametrize(
    ("other", "verdict", "consequence"),
    [("43.8", "rounding", "cosmetic"), ("45.0", "inconsistent", "number")],
)
def test_one_ratio_printed_as_two_percentages_is_found(audited, rows, other, verdict, consequence):
    counts = [
        rows.count(events="28", n="64", percent="43.7"),
        rows.count("placebo", events="28", n="64", percent=other),
    ]
    found = audited(counts=counts, arms=rows.arms(drug=64, placebo=64)).one("same_ratio_one_percent")
    assert (found["verdict"], found["consequence"]) == (verdict, consequence)
    assert (found["reported"], found["recomputed"]) == (f"43.7% and {other}%", "28/64 = 43.75%")


def test_a_percentage_that_two_counts_give_if_wrongly_rounded_may_be_of_either(audited, rows):
    # 2 of 61 are 3.28% and 3 of 61 are 4.92%: rounded up, or cut off, either is 4%
    found = audited(counts=[rows.count(percent="4", n="61")], arms=rows.arms(drug=61, placebo=50))
    told = found.one("percent_is_possible")
    assert (told["verdict"], told["consequence"]) == ("rounding", "number")
    assert told["why"] == "No count out of 61 rounds to 4%; 2/61 = 3.28% gives it only rounded up."
