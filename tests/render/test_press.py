"""What is made from kept pieces has the bytes of what is made anew, and only what changed goes through Pandoc."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.errors import RenderError
from evidence.render import builtin, press
from evidence.render.book import read_book
from evidence.render.builtin import Outcome

CHAPTERS = ("index.md", "a.md", "b.md", "c.md")
SETTINGS = """\
project: {type: book}
book: {title: T, author: A, chapters: [index.md, a.md, b.md, c.md]}
bibliography: references.bib
csl: style.csl
"""
STYLE = """\
<?xml version="1.0" encoding="utf-8"?>
<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0">
<info><title>Numbers</title><id>numbers</id><updated>2026-01-01T00:00:00+00:00</updated></info>
<citation><sort/><layout prefix="[" suffix="]" delimiter=", "><text variable="citation-number"/></layout></citation>
<bibliography><layout><text variable="citation-number" suffix=". "/><text variable="title"/></layout></bibliography>
</style>
"""
TABLE = "| One | Two |\n|:--|--:|\n| 1 | 2 |\n\n: What is {name}. {{#tbl-{name}}}\n"


def write_project(root: Path) -> Path:
    root.mkdir()
    (root / "_quarto.yml").write_text(SETTINGS)
    (root / "style.csl").write_text(STYLE)
    entries = "\n".join(
        f"@book{{{name}, title = {{On {name}}}, year = {{2020}}}}" for name in ("x", "y", "z")
    )
    (root / "references.bib").write_text(entries)
    (root / "index.md").write_text("# Index {.unnumbered}\n\nSee @tbl-b and [c](c.md#end), [@x].\n")
    (root / "a.md").write_text(f"# A {{#sec-a}}\n\n## Part\n\nAs [@x] says.\n\n{TABLE.format(name='a')}")
    (root / "b.md").write_text(f"# B\n\n{TABLE.format(name='b')}\n\nAs [@y] says.\n")
    (root / "c.md").write_text(
        "# C\n\nAfter @sec-a.[^n]\n\n[^n]: A note with [@z].\n\n## The end {#end}\n\nEnd.\n"
    )
    return root


def made(project: Path, work: Path, store: Path | None = None) -> tuple[dict[str, str], Outcome]:
    """Return the pages and the Typst text of a project, and what the press found."""
    shutil.rmtree(work, ignore_errors=True)
    book = read_book(project)
    sources = builtin.read_sources(book)
    builtin.stage(sources, work)
    with press.at_work(book, sources, work, modes=("typst", "html"), pdf=True, store=store) as runs:
        found = runs.finish()
        assert found.faults == ()
        pages = {path.name: path.read_text(encoding="utf-8") for path in work.rglob("*.html")}
        return {"typst": runs.typst(), **pages}, found


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def replace(name: str, before: str, after: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        text = (project / name).read_text(encoding="utf-8")
        assert before in text
        (project / name).write_text(text.replace(before, after, 1), encoding="utf-8")

    return change


def remove_chapter(project: Path) -> None:
    replace("_quarto.yml", ", c.md]", "]")(project)
    replace("index.md", " and [c](c.md#end)", "")(project)
    (project / "c.md").unlink()


CHANGES = {
    "nothing": (lambda project: None, set()),
    "the words of a chapter": (replace("c.md", "End.", "Really."), {"c.md"}),
    "a number that another chapter refers to": (
        replace("b.md", "# B\n", "# B\n\n| n |\n|---|\n| 0 |\n\n: First. {#tbl-first}\n"),
        {"b.md", "index.md"},
    ),
    "the chapter number that another refers to": (
        replace("a.md", "# A {#sec-a}", "# A {#sec-a .unnumbered}"),
        {"a.md", "b.md", "c.md", "index.md"},
    ),
    "the order of the citations": (
        replace("index.md", "[@x].", "[@z], [@x]."),
        {"index.md", "a.md", "b.md", "c.md"},
    ),
    "a citation after all others": (replace("c.md", "End.", "End [@y]."), {"c.md"}),
    "what is cited": (replace("references.bib", "On y", "About y"), {"b.md"}),
    "the place that a link leads to": (
        replace("c.md", "## The end {#end}", "## The end {#end}\n\n## More"),
        {"c.md"},
    ),
    "the style of citations": (replace("style.csl", 'suffix="]"', 'suffix=")"'), set(CHAPTERS)),
    "a title": (replace("b.md", "# B", "# Bees"), {"b.md"}),
    "the book's title": (replace("_quarto.yml", "title: T", "title: Tea"), set()),
    "a chapter that is no more": (remove_chapter, {"index.md"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_changed_is_read_again_and_the_bytes_are_those_of_a_clean_render(
    project: Path, tmp_path: Path, what: str
) -> None:
    change, read = CHANGES[what]
    before, first = made(project, tmp_path / "work", tmp_path / "store")
    assert set(first.read) == set(CHAPTERS)
    change(project)
    after, found = made(project, tmp_path / "work", tmp_path / "store")
    clean, _ = made(project, tmp_path / "work")
    assert after == clean
    assert set(found.read) == read
    assert len(found.read) == len(read)
    assert (before == after) == (what == "nothing")


def test_a_damaged_entry_is_made_anew(project: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    clean, _ = made(project, tmp_path / "work", store)
    entries = sorted(path for path in store.rglob("*") if path.is_file())
    assert {path.suffix for path in entries} == {".html", ".page", ".scan", ".typst"}
    for damage in (
        lambda content: content[:-3],
        lambda content: content[:60] + b"?" + content[61:],
        lambda _: b"",
    ):
        for path in entries:
            path.write_bytes(damage(path.read_bytes()))
        again, found = made(project, tmp_path / "work", store)
        assert again == clean
        assert sorted(found.read) == sorted(CHAPTERS)
    assert made(project, tmp_path / "work", store)[1].read == ()


def test_one_lost_piece_costs_one_chapter(project: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    clean, _ = made(project, tmp_path / "work", store)
    for path in sorted(store.rglob("*.typst"))[:1]:
        path.unlink()
    again, found = made(project, tmp_path / "work", store)
    assert again == clean
    assert len(found.read) == 1


def test_a_changed_filter_or_template_makes_everything_anew(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(project, tmp_path / "work", tmp_path / "store")
    resources = tmp_path / "resources"
    shutil.copytree(builtin.resource_folder(), resources)
    filters = (resources / "html.lua").read_text(encoding="utf-8")
    (resources / "html.lua").write_text(filters.replace("'Item'", "'Thing'"), encoding="utf-8")
    monkeypatch.setattr(builtin, "resource_folder", lambda: resources)
    after, found = made(project, tmp_path / "work", tmp_path / "store")
    assert set(found.read) == set(CHAPTERS)
    assert after == made(project, tmp_path / "work")[0]


def test_a_reference_to_a_label_that_is_gone_is_a_fault_of_a_chapter_that_did_not_change(
    project: Path, tmp_path: Path
) -> None:
    made(project, tmp_path / "work", tmp_path / "store")
    replace("a.md", " {#sec-a}", "")(project)
    with pytest.raises(AssertionError, match="there is no such label"):
        made(project, tmp_path / "work", tmp_path / "store")


@pytest.mark.slow
@pytest.mark.parametrize(
    "count", [pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(4, marks=pytest.mark.slow)]
)
def test_as_many_runs_as_one_likes_make_the_same(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(press, "_count", lambda sources: 1)
    alone, _ = made(book, tmp_path / "work")
    monkeypatch.setattr(press, "_count", lambda sources: count)
    together, found = made(book, tmp_path / "work", tmp_path / "store")
    assert together == alone
    assert len(found.read) == len(set(found.read)) == 5
    again, found = made(book, tmp_path / "work", tmp_path / "store")
    assert again == alone
    assert found.read == ()


def test_a_run_that_fails_ends_the_others_and_says_why(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "_count", lambda sources: 2)
    tell = builtin.write_manifest

    def broken(*given: object, name: str, how: dict[str, object]) -> Path:
        return tell(
            *given, name=name, how={**how, **({"reader": "no-such-reader"} if name == "run-2" else {})}
        )

    monkeypatch.setattr(builtin, "write_manifest", broken)
    with pytest.raises(RenderError, match="Pandoc failed with status"):
        made(book, tmp_path / "work")


def test_shares_hold_every_chapter_once_and_are_about_equal() -> None:
    from evidence.render.book import Chapter
    from evidence.render.notebook import Source

    sources = [Source(Chapter(f"{n}.md"), text="x" * size) for n, size in enumerate((90, 10, 40, 50, 10, 30))]
    dealt = press.shares(sources, 2)
    assert sorted(position for share in dealt for position in share) == [1, 2, 3, 4, 5, 6]
    assert [sum(len(sources[one - 1].text) for one in share) for share in dealt] == [120, 110]


def test_a_big_store_loses_what_the_last_render_did_not_use(project: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    made(project, tmp_path / "work", store)
    replace("c.md", "End.", "Really.")(project)
    _, found = made(project, tmp_path / "work", store)
    press.prune(store, found.used, kept=10**6)
    before = {path.name for path in store.rglob("*.*")}
    press.prune(store, found.used, kept=0)
    left = {path.name for path in store.rglob("*.*")}
    assert left == set(found.used) < before
    assert made(project, tmp_path / "work", store)[1].read == ()


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system sets no priorities")
def test_runs_that_give_way_stand_behind_this_process_and_one_that_is_over_is_no_fault(tmp_path):
    with (
        subprocess.Popen(["sleep", "60"], text=True) as working,
        subprocess.Popen(["true"], text=True) as over,
    ):
        over.wait()
        book = read_book(write_project(tmp_path / "book"))
        press.Press(book, tmp_path, [press.Run("over", over), press.Run("working", working)]).give_way()
        behind = os.getpriority(os.PRIO_PROCESS, working.pid) - os.getpriority(os.PRIO_PROCESS, 0)
        working.kill()
    assert behind == min(press.BEHIND, 19 - os.getpriority(os.PRIO_PROCESS, 0))
