"""Results that kernels share on disk: found again only where nothing that they depend on changed."""

import os
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

import evidence
from evidence import memo, reads
from evidence.audit import audit
from evidence.audit.material import Material
from evidence.audit.run import CHECKS, OF_MARGIN
from evidence.build.remembering import remembering
from evidence.data.content import content_of
from evidence.stats import conditional_logistic, fisher_freeman_halton

from .conftest import TABLES, write_project, write_tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(memo.FOLDER, str(tmp_path / "memo"))
    return tmp_path / "memo"


def made(value: object, calls: list[object]) -> object:
    calls.append(value)
    return value


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{memo.ENDING}"))


def test_a_result_is_computed_once_for_each_key(folder: Path):
    calls: list[object] = []
    for key in ("one", "one", "two"):
        assert memo.kept("sum", lambda key=key: [key], lambda key=key: made(key, calls)) == key
    assert calls == ["one", "two"]


@pytest.mark.parametrize("off", ["", memo.OFF])
def test_nothing_is_kept_where_it_is_off(folder: Path, monkeypatch, off: str):
    monkeypatch.setenv(memo.FOLDER, off)
    calls: list[object] = []
    for _ in range(2):
        memo.kept("sum", lambda: pytest.fail("no key is needed"), lambda: made(1, calls))
    assert len(calls) == 2
    assert not folder.exists()


@pytest.mark.parametrize("spoilt", [b"", b"short", b"\0" * 400, None])
def test_a_damaged_file_is_computed_again_and_mended(folder: Path, spoilt: bytes | None):
    calls: list[object] = []
    memo.kept("sum", lambda: ["one"], lambda: made([1, 2, 3], calls))
    (place,) = files(folder)
    good = place.read_bytes()
    place.write_bytes(good[:-1] if spoilt is None else spoilt)
    assert memo.kept("sum", lambda: ["one"], lambda: made([1, 2, 3], calls)) == [1, 2, 3]
    assert len(calls) == 2
    assert place.read_bytes() == good


def test_what_cannot_be_written_is_returned_all_the_same(folder: Path):
    folder.write_text("in the way")
    assert memo.kept("sum", lambda: ["one"], lambda: 3) == 3
    folder.unlink()
    unwritable = memo.kept("sum", lambda: ["two"], lambda: lambda: 4)  # no function can be pickled
    assert unwritable() == 4
    assert not files(folder)


def _write_some(number: int) -> int:
    return sum(memo.kept("sum", lambda key=key: [key], lambda key=key: key) for key in range(20))


def test_many_writers_at_once_leave_whole_files_and_no_other(folder: Path):
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        assert set(pool.map(_write_some, range(8))) == {sum(range(20))}
    assert len(list(folder.iterdir())) == len(files(folder)) == 20
    for place in files(folder):
        assert pickle.loads(place.read_bytes()[memo.SIZE :])[0] in range(20)


def test_another_engine_finds_nothing_and_clears_away(tmp_path: Path, monkeypatch):
    monkeypatch.delenv(memo.FOLDER, raising=False)
    calls: list[object] = []
    for base in ("a" * 64, "b" * 64, "b" * 64):
        with remembering(tmp_path / "memo", base):
            memo.kept("sum", lambda: ["one"], lambda base=base: made(base[0], calls))
    assert calls == ["a", "b"]
    assert [path.name for path in (tmp_path / "memo").iterdir()] == ["b" * 16]
    assert memo.FOLDER not in os.environ


def test_the_oldest_results_go_where_there_are_too_many(tmp_path: Path, monkeypatch):
    monkeypatch.delenv(memo.FOLDER, raising=False)
    monkeypatch.setattr("evidence.build.remembering.MOST", 2500)
    with remembering(tmp_path / "memo", "a" * 64):
        for key in ("one", "two", "three"):
            memo.kept("sum", lambda key=key: [key], lambda: "x" * 1000)
        for age, place in enumerate(sorted(files(tmp_path / "memo" / ("a" * 16)))):
            os.utime(place, (age, age))
        oldest = sorted(files(tmp_path / "memo" / ("a" * 16)))[0]
    left = files(tmp_path / "memo" / ("a" * 16))
    assert len(left) == 2
    assert oldest not in left


def test_what_was_read_is_noted_again_with_a_result_that_was_kept(folder: Path):
    calls: list[object] = []

    @memo.recalled(4, lambda table: [table])
    def look(table: str) -> int:
        made(table, calls)
        reads.note_rows(Path("data"), table, ["trial_a"])
        return 1

    def noted() -> set[reads.Read]:
        with reads.held() as found:
            look("counts")
        return set(found)

    with reads.unnoted():  # who computed it first had no need to note it
        look("counts")
    first = noted()
    assert ("rows", "data", "counts", "trial_a") in first
    # The same function, as another process would have it.
    other = memo.recalled(4, lambda table: [table])(look.__wrapped__)
    with reads.held() as found:
        other("counts")
    assert set(found) == first
    assert calls == ["counts"]


def test_what_is_repeated_in_a_process_is_noted_each_time_and_kept_on_no_disk(folder: Path):
    calls: list[object] = []

    @memo.repeated(1)
    def look(table: str) -> None:
        made(table, calls)
        reads.note_rows(Path("data"), table, ["trial_a"])

    for _ in range(2):
        with reads.held() as found:
            look("counts")
        assert ("rows", "data", "counts", "trial_a") in found
    assert calls == ["counts"]
    look("tests")
    look("counts")  # of one result the last alone stays
    assert calls == ["counts", "tests", "counts"]
    assert not files(folder)


def test_what_a_quiet_caller_keeps_reading_stays_unnoted_for_it():
    with reads.held() as found, reads.unnoted(), reads.held():
        reads.note_match(Path("data"), "design", ["rct"])
    assert not found


def test_a_long_calculation_is_made_once_for_the_same_counts_and_again_for_others(folder: Path, monkeypatch):
    table, other = [[1, 2, 1], [3, 3, 6]], [[1, 2, 1], [3, 3, 7]]
    arms = (["one", "one", "two", "two"], ["b", "a", "b", "a"], [3, 1, 2, 1], [4, 4, 5, 5])
    exact, fitted = fisher_freeman_halton(table), conditional_logistic(*arms, reference="a").frame()
    monkeypatch.setattr("evidence.stats.exact._tested", lambda *_: pytest.fail("it was known"))
    monkeypatch.setattr("evidence.stats.conditional._fitted", lambda *_: pytest.fail("it was known"))
    assert fisher_freeman_halton(table) == exact
    pd.testing.assert_frame_equal(conditional_logistic(*arms, reference="a").frame(), fitted)
    for asked in (
        lambda: fisher_freeman_halton(other),
        lambda: fisher_freeman_halton(table, work=10),
        lambda: conditional_logistic(*arms, reference="b"),
        lambda: conditional_logistic(*arms, reference="a", level=0.9),
    ):
        with pytest.raises(pytest.fail.Exception, match="it was known"):
            asked()


def test_loading_and_auditing_find_equal_data_and_no_other(tmp_path: Path, folder: Path):
    root = write_project(tmp_path / "project")
    write_tables(root / "data", TABLES)
    fresh = evidence.load(root / "data")
    again = evidence.load(root / "data")
    assert len(files(folder)) == 1
    assert content_of(again) == content_of(fresh)
    pd.testing.assert_frame_equal(again.counts, fresh.counts)
    pd.testing.assert_frame_equal(audit(again), audit(fresh))
    kept = files(folder)
    audit(fresh, margin=10.0)
    assert len(files(folder)) == len(kept) + 1  # but what no margin can matter to is as it was
    audit(fresh, alpha=0.01)
    assert len(files(folder)) == len(kept) + 3

    path = root / "data" / "counts.csv"
    path.write_text(path.read_text().replace("60.0", "62.0", 1))
    changed = evidence.load(root / "data")
    assert content_of(changed) != content_of(fresh)
    assert "62.0" in set(changed.counts["percent"])


@pytest.mark.parametrize("part", ["counts", "studies", "arms", "sources"])
def test_the_content_of_data_is_that_of_every_table(tmp_path: Path, part: str):
    root = write_project(tmp_path / "project")
    write_tables(root / "data", TABLES)
    data = evidence.load(root / "data")
    frame = getattr(data, part)
    name = next(name for name in reversed(frame.columns) if frame[name].dtype == "str")
    other = replace(data, **{part: frame.assign(**{name: frame[name] + "x"})})
    assert content_of(other) != content_of(data)
    assert content_of(replace(data, **{part: frame.copy()})) == content_of(data)


def test_a_table_that_is_gone_leaves_its_hash_to_no_other(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("evidence.data.content.MOST", 2)
    root = write_project(tmp_path / "project")
    write_tables(root / "data", TABLES)
    data = evidence.load(root / "data")
    found = {
        content_of(replace(data, counts=data.counts.iloc[:rows].copy())) for rows in range(len(data.counts))
    }
    assert len(found) == len(data.counts)


class WithoutMargin(Material):
    """What is to be checked, where nothing may ask which margin was chosen."""

    def __getattribute__(self, name: str) -> object:
        assert name != "margin", "a check outside the claims asked for the margin"
        return super().__getattribute__(name)


def test_only_the_checks_of_claims_ask_for_the_chosen_margin():
    data = evidence.load("data")
    asked = {check.name for check in CHECKS if check.family != OF_MARGIN}
    assert len(asked) > 40
    material = WithoutMargin(data)
    for check in CHECKS:
        if check.name in asked:
            list(check.run(material))
    claims = [check for check in CHECKS if check.name not in asked]
    with pytest.raises(AssertionError, match="asked for the margin"):
        _ = [list(check.run(material)) for check in claims]


def test_a_copied_project_shares_no_result_with_its_original(tmp_path: Path, folder: Path):
    root = write_project(tmp_path / "project")
    write_tables(root / "data", TABLES)
    evidence.load(root / "data")
    shutil.copytree(root, tmp_path / "copy")
    assert evidence.load(tmp_path / "copy" / "data").path == (tmp_path / "copy" / "data").resolve()
    assert len(files(folder)) == 2
