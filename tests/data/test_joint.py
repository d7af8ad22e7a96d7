"""Group sizes that several percentages admit together: the true one is always among them."""

from __future__ import annotations

import csv
import shutil
import time
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.data import load
from evidence.data.frame import text, whole
from evidence.data.joint import MOST, fill_jointly, find_doubts, find_groups, joint_sizes, sizes_adding_up
from evidence.data.recover import recover_events
from evidence.errors import StatisticsError

from .conftest import Folder

ROOT = Path(__file__).parents[2]

ROUNDINGS = [ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN]


def printed(events: int, n: int, decimals: int, rounding: str) -> str:
    with localcontext(prec=60):
        return str((Decimal(100 * events) / Decimal(n)).quantize(Decimal(1).scaleb(-decimals), rounding))


@st.composite
def group(draw: st.DrawFn) -> tuple[list[str], int]:
    """The percentages that some author prints of one group, and its size."""
    n = draw(st.integers(1, 300))
    one = st.tuples(st.integers(0, n), st.integers(0, 2), st.sampled_from(ROUNDINGS))
    rows = draw(st.lists(one, min_size=1, max_size=6))
    return [printed(events, n, decimals, rounding) for events, decimals, rounding in rows], n


@given(group(), st.integers(0, 100))
def test_the_true_size_is_always_among_them(case: tuple[list[str], int], more: int):
    percents, n = case
    assert n in joint_sizes(percents, n + more)


@given(group())
def test_a_size_fits_exactly_where_every_percentage_has_a_count(case: tuple[list[str], int]):
    percents, _ = case
    every = tuple(n for n in range(1, 121) if all(recover_events(one, n) for one in percents))
    assert joint_sizes(percents, 120) == every


@given(group(), st.data())
def test_another_percentage_never_adds_a_size(case: tuple[list[str], int], draw: st.DataObject):
    percents, _ = case
    fewer = percents[: draw.draw(st.integers(1, len(percents)))]
    assert set(joint_sizes(percents, 150)) <= set(joint_sizes(fewer, 150))


@given(group(), st.integers(2, 4))
def test_every_multiple_of_a_size_fits_too(case: tuple[list[str], int], times: int):
    percents, n = case
    assert times * n in joint_sizes(percents, times * n)


@given(group(), st.permutations(range(6)))
def test_neither_order_nor_repetition_matters(case: tuple[list[str], int], order: list[int]):
    percents, _ = case
    mixed = [percents[place % len(percents)] for place in order] + percents
    assert joint_sizes(mixed, 200) == joint_sizes(percents, 200)


def test_five_percentages_of_37_patients_leave_its_multiples_below_a_hundred():
    assert joint_sizes(["59.5", "32.4", "21.6", "16.2", "13.5"], 100) == (37, 74)  # 22, 12, 8, 6, 5 of 37


def test_percentages_that_contradict_each_other_leave_nothing():
    assert joint_sizes(["65", "33.33"], 20) == ()


@pytest.mark.parametrize(("percents", "sizes"), [(["0"], (1, 2, 3)), (["100.0"], (1, 2, 3)), (["50"], (2,))])
def test_the_ends_of_the_scale_admit_every_size(percents: list[str], sizes: tuple[int, ...]):
    assert joint_sizes(percents, 3) == sizes


def test_no_patient_at_most_leaves_nothing():
    assert joint_sizes(["50"], 0) == ()


@pytest.mark.parametrize("percents", [[], ["<1"], ["50", ""], ["-3"]])
def test_what_is_no_plain_figure_is_refused(percents: list[str]):
    with pytest.raises(StatisticsError):
        joint_sizes(percents, 10)


def test_two_thousand_sizes_are_instant():
    start = time.perf_counter()
    joint_sizes(["59.5", "32.4", "21.6", "16.2", "13.5", "7", "88.88", "1.1"], 2000)
    assert time.perf_counter() - start < 0.5  # takes 4 ms; the margin is for a busy machine


@given(st.lists(group(), min_size=1, max_size=4))
def test_the_true_sizes_add_up_to_their_total(cases: list[tuple[list[str], int]]):
    total = sum(n for _, n in cases)
    kept = sizes_adding_up([joint_sizes(percents, total) for percents, _ in cases], total)
    assert all(n in sizes for (_, n), sizes in zip(cases, kept, strict=True))


@given(st.lists(st.lists(st.integers(1, 12), max_size=4), min_size=1, max_size=3), st.integers(1, 30))
def test_a_size_is_kept_exactly_where_some_combination_adds_up(sizes: list[list[int]], total: int):
    fitting = [one for one in product(*sizes) if sum(one) == total]
    expected = tuple(
        tuple(n for n in own if any(one[place] == n for one in fitting)) for place, own in enumerate(sizes)
    )
    assert sizes_adding_up(sizes, total) == expected


def test_a_total_settles_three_arms_that_one_percentage_each_leaves_open():
    arms = [joint_sizes([percent], 80) for percent in ("68.8", "74.3", "7.7")]
    assert sizes_adding_up(arms, 80) == ((32,), (35,), (13,))  # 22/32, 26/35 and 1/13 of 80 patients


Arm = tuple[int, bool, list[tuple[int, str]]]  # true n, whether it is printed, true events with percentages


@st.composite
def study(draw: st.DrawFn) -> tuple[list[Arm], bool]:
    """A study of one to four arms as some author prints it, and whether its total is printed."""
    arms = []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(1, 120))
        decimals, rounding = draw(st.integers(0, 2)), draw(st.sampled_from(ROUNDINGS))
        events = draw(st.lists(st.integers(0, n), min_size=1, max_size=4))
        arms.append((n, draw(st.booleans()), [(e, printed(e, n, decimals, rounding)) for e in events]))
    return arms, draw(st.booleans())


def frames(
    arms: list[Arm], total: int | None, analysis_set: str = "treated"
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return counts, arms and studies as they are before anything is inferred jointly."""
    rows = [(f"a{at}", percent) for at, (_, _, shares) in enumerate(arms) for _, percent in shares]
    fixed = {"study_id": "s", "subgroup": "", "level": "", "analysis_set": analysis_set, "time_unit": "month"}
    fixed |= {"time_label": "", "n_basis": "", "basis": "printed", "admissible": ""}
    made = {name: text([value] * len(rows)) for name, value in fixed.items()}
    made |= {"row_id": text([f"c{at}" for at in range(len(rows))]), "time": np.full(len(rows), 6.0)}
    made |= {"arm_id": text([arm for arm, _ in rows]), "percent": text([percent for _, percent in rows])}
    made |= {name: whole([None] * len(rows)) for name in ("events", "n")}
    size = [n if known else None for n, known, _ in arms]
    names = [f"a{at}" for at in range(len(arms))]
    table = {"row_id": names, "study_id": "s", "arm_id": names, "combines": "", "n": whole(size)}
    studies = {"row_id": ["s1"], "study_id": ["s"], "n": whole([total])}
    return pd.DataFrame(made), pd.DataFrame(table), pd.DataFrame(studies)


@given(study())
def test_nothing_is_ever_filled_in_wrongly(case: tuple[list[Arm], bool]):
    arms, known = case
    total = sum(n for n, _, _ in arms) if known else None
    found = fill_jointly(*frames(arms, total))
    truth = [(events, n) for n, _, shares in arms for events, _ in shares]
    for row, (events, n) in zip(found.to_dict("records"), truth, strict=True):
        assert pd.isna(row["n"]) or row["n"] == n
        assert pd.isna(row["events"]) or row["events"] == events
        assert not row["admissible"] or str(events) in row["admissible"].split("|")


@given(study())
def test_the_true_size_is_always_admissible_and_the_only_one_is_the_true_one(case: tuple[list[Arm], bool]):
    arms, known = case
    total = sum(n for n, _, _ in arms) if known else None
    groups = {group.key[1]: group for group in find_groups(*frames(arms, total))}
    for at, (n, printed_n, _) in enumerate(arms):
        group = groups[f"a{at}"]
        assert n in group.sizes
        assert n in group.admissible
        assert group.n in (None, n)
        assert group.n is None or printed_n or known


@given(study())
def test_a_set_that_leaves_patients_out_need_not_add_up(case: tuple[list[Arm], bool]):
    arms, _ = case
    enrolled = sum(n for n, _, _ in arms) + 1
    groups = find_groups(*frames(arms, enrolled, "evaluable"))
    assert all(group.added is None for group in groups)
    assert all(arms[int(str(group.key[1])[1:])][0] in group.admissible for group in groups)


def test_an_unlimited_size_is_never_the_only_one():
    (group,) = find_groups(*frames([(1999, False, [(1, "0.05003")])], None))
    assert group.sizes == (1999,)  # its multiples lie above the search
    assert (group.most, group.n, MOST) == (None, None, 2000)


def three_arms(folder: Folder) -> None:
    folder.add("studies", study_id="beta", label="Study Beta", n=80)
    for arm, percent in (("one", "68.8"), ("two", "74.3"), ("zero", "7.7")):
        folder.add("arms", study_id="beta", arm_id=arm, label=arm, n="")
        folder.count(study_id="beta", arm_id=arm, percent=percent, analysis_set="unstated")


def test_counts_that_percentages_and_a_total_settle_are_filled_in_with_the_rows_used(folder: Folder):
    three_arms(folder)
    found = folder.load().counts
    assert found[["events", "n"]].values.tolist() == [[22, 32], [26, 35], [1, 13]]
    assert set(found["basis"]) == set(found["n_basis"]) == {"derived"}
    assert found["admissible_n"].tolist() == ["32", "35", "13"]
    assert set(found["derived_from"][0].split("|")) == {
        "counts-001",
        "counts-002",
        "counts-003",
        "studies-002",
    }


def test_several_sizes_are_said_and_nothing_is_filled_in(folder: Folder):
    folder.add("arms", arm_id="unsized", label="Unsized", n="")
    folder.count(arm_id="unsized", percent="59.5")
    found = folder.load().counts.iloc[0]
    assert found["admissible_n"] == "37|42|74|79|84|111|…"
    assert (found["events"], found["n"], found["derived_from"]) == (pd.NA, pd.NA, "")


def test_percentages_that_no_size_fits_say_so(folder: Folder):
    folder.count(percent="33.33")
    folder.count(outcome="age", percent="51.7")
    assert folder.load().counts["admissible_n"].tolist() == ["none", "none"]


def test_a_percentage_that_does_not_fit_its_arm_is_not_of_all_its_patients(folder: Folder):
    folder.add("studies", study_id="beta", label="Study Beta", n=155)
    for arm, n, percent in (("one", 104, "57.7"), ("zero", 51, "6.0")):
        folder.add("arms", study_id="beta", arm_id=arm, label=arm, n=n)
        folder.count(study_id="beta", arm_id=arm, percent=percent, analysis_set="unstated")
    found = folder.load().counts
    assert found["n"].tolist() == [pd.NA, 50]  # the only size up to 51 with 6.0%; 57.7% has six up to 104
    assert found["events"].tolist() == [pd.NA, 3]


def doubtful(folder: Folder) -> None:
    folder.add("arms", arm_id="big", label="Big", n=67)
    for outcome, percent in (("response", "65.6"), ("age", "31.3")):
        folder.count(outcome, arm_id="big", percent=percent, n=67, n_basis="elsewhere")


def test_a_printed_size_that_does_not_fit_all_is_doubted_and_kept(folder: Folder):
    doubtful(folder)
    loaded = folder.load()
    found = loaded.counts
    assert found["n"].tolist() == [67, 67]
    assert found["events"].tolist() == [pd.NA, 21]
    assert found["admissible_n"].tolist() == ["32|64", "32|64"]
    (doubt,) = find_doubts(found)
    assert (doubt.n, doubt.sizes, doubt.percents) == (67, (32, 64), ("65.6", "31.3"))
    assert doubt.cut == {"65.6": 44}
    assert any("44 gives it cut off" in one.mend and "fit 32 or 64" in one.mend for one in loaded.warnings)


def test_a_size_is_doubted_without_derived_counts_as_well(folder: Folder):
    doubtful(folder)
    assert len(find_doubts(load(folder.write(), include_derived=False).counts)) == 1


@pytest.mark.parametrize("percents", [("65.7", "31.3"), ("65", "43.8")])
def test_a_size_is_not_doubted_where_it_fits_or_where_none_does(folder: Folder, percents: tuple[str, str]):
    n = 67 if percents[0] == "65.7" else 32
    for outcome, percent in zip(("response", "age"), percents, strict=True):
        folder.count(outcome, percent=percent, n=n, n_basis="elsewhere")
    assert find_doubts(folder.load().counts) == ()


def test_other_times_are_other_groups(folder: Folder):
    folder.count(percent="33.33", time=3, time_unit="month")
    folder.count(percent="51.7", time=6, time_unit="month")
    assert "none" not in folder.load().counts["admissible_n"].tolist()


def test_without_derived_counts_the_percentage_stays(folder: Folder):
    three_arms(folder)
    found = load(folder.write(), include_derived=False).counts
    assert found["events"].isna().all()
    assert found["n"].isna().all()
    assert set(found["basis"]) == {"printed"}
    assert found["admissible_n"].tolist() == ["32", "35", "13"]


def test_a_printed_count_stays_where_only_its_n_was_derived(folder: Folder):
    folder.count(events=5, percent="23.8")
    found = load(folder.write(), include_derived=False).counts.iloc[0]
    assert (found["events"], found["n"], found["basis"]) == (5, pd.NA, "printed")


PERSISTENT = "itp_persistent"


def without_the_counts_of(study: str, target: Path) -> Path:
    """Return a copy of the project's data in which no count of a study is entered, only percentages."""
    folder = Path(shutil.copytree(ROOT / "data", target))
    with (folder / "counts.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    kept = [row for row in rows if row["study_id"] != study or not row["events"]]
    assert len(kept) == len(rows) - 3
    with (folder / "counts.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    return folder


def test_the_inference_agrees_with_the_counts_that_it_did_not_see(tmp_path: Path):
    inferred = load(without_the_counts_of(PERSISTENT, tmp_path / "data")).counts
    inferred = inferred[(inferred["study_id"] == PERSISTENT) & (inferred["derived_from"] != "")]
    inferred = inferred[inferred["origin"] == "seed"]
    every = load(ROOT / "data").counts
    own = every[(every["study_id"] == PERSISTENT) & (every["origin"] == "external")]
    entered = own[(own["derived_from"] == "") & own["events"].notna()]
    assert len(inferred) == len(entered) == 3
    pairs = [frame.set_index("arm_id")[["events", "n"]].sort_index() for frame in (inferred, entered)]
    pd.testing.assert_frame_equal(*pairs)


def test_without_the_size_of_the_study_nothing_is_inferred():
    counts = load(ROOT / "data", include_external=False).counts
    rows = counts[counts["study_id"] == PERSISTENT]
    assert len(rows) >= 3
    assert rows["events"].isna().all()


def test_phase_one_stays_a_percentage():
    counts = load(ROOT / "data").counts
    rows = counts[counts["study_id"] == "itp_phase1"]
    assert len(rows) >= 8
    assert rows["events"].isna().all()
    assert rows["admissible_n"].str.endswith("…").all()


def test_every_count_in_use_is_printed_or_says_what_it_follows_from():
    data = load(ROOT / "data")
    rows = data.counts[data.counts["events"].notna() & data.counts["n"].notna()]
    unsupported = rows[(rows["basis"] == "printed") & (rows["n_basis"] == "derived")]
    assert unsupported.empty
    inferred = rows[rows["derived_from"] != ""]
    assert set(inferred["basis"]) == {"derived"}
    assert all(data.locate(row_id) for row_id in inferred["derived_from"])
