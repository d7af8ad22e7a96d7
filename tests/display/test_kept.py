"""What is shown again as it was made before, and when it is made anew."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from evidence import display as make
from evidence import memo, reads
from evidence.display.kept import again
from evidence.display.model import Cell, Column, Figure, Prose, Table
from evidence.display.publish import outputs
from evidence.display.shown import published
from evidence.reads import Made

READ = ("file", "data/counts.csv")


class Runs:
    """Runs of one notebook: what the last one noted, and what of that the next is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, 0

    def begin(self, before: tuple[Made, ...] = ()) -> None:
        self.number += 1
        reads.tell_before(self.folder / f"notes-{self.number}", before)
        reads.begin(str(self.folder / f"notes-{self.number}"), str(self.folder))

    @property
    def noted(self) -> reads.Noted:
        return reads.parse((self.folder / f"notes-{self.number}").read_text().splitlines())


@pytest.fixture
def runs(tmp_path: Path, monkeypatch) -> Runs:
    monkeypatch.setenv(memo.FOLDER, str(tmp_path / "memo"))
    monkeypatch.setattr(reads.sys, "addaudithook", lambda hook: None)
    monkeypatch.setattr(reads._NOTES, "handle", None)
    found = Runs(tmp_path)
    found.begin()
    return found


class Builder:
    """A builder of one thing, which counts how often it worked."""

    def __init__(self, item: Callable[[], object]) -> None:
        self.item, self.worked = item, 0

    def __call__(self, *_: object, **__: object) -> object:
        self.worked += 1
        reads.note_again([READ])
        return self.item()

    @property
    def kept(self) -> Callable[..., object]:
        return again("builder", lambda: self)


def table() -> Table:
    data = pd.DataFrame({"a": [1.5]})
    return Table((Column("A"),), ((Cell("1.5", ("row-1",)),),), "A caption", data=data)


def prose() -> Prose:
    return Prose("Some *words*.")


def figure() -> Figure:
    from matplotlib.figure import Figure as Canvas

    return Figure(Canvas(), "A caption", "In words", pd.DataFrame({"a": [1.5]}), narrow=(Canvas(),))


@pytest.mark.parametrize("item", [table, prose, figure])
def test_a_later_run_shows_what_was_made_before_and_makes_nothing(runs, item):
    builder = Builder(item)
    first = published(builder.kept())
    assert first == outputs(item())
    runs.begin(runs.noted.made)
    assert published(builder.kept()) == first
    assert builder.worked == 1
    assert runs.noted.reads == (READ,)
    assert runs.noted.outside == frozenset()
    assert [made.call for made in runs.noted.made] == ["1 builder"]


def test_without_word_of_an_earlier_run_everything_is_made(runs):
    builder = Builder(table)
    builder.kept()
    runs.begin()
    builder.kept()
    assert builder.worked == 2


def test_what_was_lost_or_damaged_is_made_again(runs, tmp_path):
    builder = Builder(table)
    first = published(builder.kept())
    (kept,) = (tmp_path / "memo").glob("shown-*")
    for spoil in (kept.unlink, lambda: kept.write_bytes(b"x" * 100)):
        spoil()
        runs.begin(runs.noted.made)
        assert published(builder.kept()) == first
    assert builder.worked == 3


@pytest.mark.parametrize("again_first", [False, True])
def test_whoever_asks_more_of_it_gets_the_item_and_depends_on_what_it_read(runs, again_first):
    builder = Builder(table)
    builder.kept()
    if again_first:
        runs.begin(runs.noted.made)
        shown = builder.kept()
    else:
        runs.begin()
        shown = builder.kept()
    assert runs.noted.outside == frozenset()
    assert shown.caption == "A caption"
    assert runs.noted.outside == {READ}


def test_a_copy_with_a_change_is_shown_with_it(runs):
    shown = Builder(table).kept()
    changed = dataclasses.replace(shown, caption="Another")
    assert type(changed) is Table
    assert published(changed) is None
    assert changed.caption == "Another"
    assert changed.rows == table().rows


def test_what_is_made_of_another_item_has_read_what_that_did(runs):
    inner = Builder(prose)

    def joined(*given: Prose) -> Prose:
        return Prose(" ".join(one.text for one in given if isinstance(one, Prose)))

    shown = again("joined", lambda: joined)(inner.kept())
    assert published(shown) == outputs(prose())
    assert [made.reads for made in runs.noted.made] == [(READ,), (READ,)]
    assert runs.noted.outside == frozenset()


def test_a_list_is_kept_and_one_that_is_made_anew_ends_what_is_known(runs):
    several, one = Builder(lambda: [table(), table()]), Builder(prose)
    first = [published(item) for item in several.kept()]
    one.kept()
    known = runs.noted.made
    runs.begin(known)
    assert [published(item) for item in several.kept()] == first
    one.kept()
    assert (several.worked, one.worked) == (1, 1)
    runs.begin(known[1:])
    several.kept()
    one.kept()
    assert (several.worked, one.worked) == (2, 2)


def test_what_is_nothing_to_show_is_given_as_it_is_and_read_by_the_notebook(runs):
    builder = Builder(lambda: {"a": 1})
    assert builder.kept() == {"a": 1}
    assert not runs.noted.made
    assert runs.noted.outside == {READ}


def test_what_was_warned_of_is_made_again_and_warned_of_again(runs):
    def warned() -> Table:
        warnings.warn("few patients", RuntimeWarning, stacklevel=1)
        return table()

    builder = Builder(warned)
    with pytest.warns(RuntimeWarning, match="few patients"):
        builder.kept()
    assert not runs.noted.made
    assert runs.noted.outside == frozenset()


def test_what_cannot_be_made_fails_each_time(runs):
    def broken() -> Table:
        raise ValueError("no such study")

    builder = Builder(broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such study"):
            builder.kept()
    assert runs.noted.outside == {READ}


def test_outside_of_a_build_builders_are_themselves(monkeypatch):
    monkeypatch.setenv(memo.FOLDER, memo.OFF)
    assert make.forest_figure.__name__ == "forest_figure"
