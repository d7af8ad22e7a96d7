"""A PDF that was kept is taken only where all that it is made from is as it was; style sheets are never kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.render import builtin
from evidence.render.book import Book, read_book

SETTINGS = """\
project: {type: book, resources: [extra]}
book: {title: T, author: A, chapters: [index.md]}
format:
  html: {css: style.css}
  typst: {font-paths: [fonts]}
"""
REMARK = "the PDF is not PDF/UA-1: an invented remark"


class Shop:
    """A project with its press; Typst is replaced by a count of its calls."""

    def __init__(self, root: Path) -> None:
        self.project, self.folder, self.store = root / "project", root / "press", root / "store"
        self.compiled = 0
        (self.project / "fonts").mkdir(parents=True)
        (self.project / "fonts" / "face.ttf").write_bytes(b"letters")
        (self.project / "_quarto.yml").write_text(SETTINGS)
        (self.project / "index.md").write_text("# One\n")
        (self.folder / "notebooks").mkdir(parents=True)
        (self.folder / builtin.PAPER).write_text("text")
        (self.folder / "notebooks" / "drawing.svg").write_text("<svg/>")

    def compile(self, book: Book, folder: Path, target: Path) -> tuple[str, ...]:
        """Write a PDF that no other call has written."""
        self.compiled += 1
        target.write_bytes(b"%%PDF\n%d\n\x00" % self.compiled)
        return (REMARK,)

    def pdf(self, *, store: bool = True) -> tuple[bytes, tuple[str, ...]]:
        """Return what is printed, and the remarks."""
        book = read_book(self.project)
        notes = builtin.make_pdf(book, self.folder, self.store if store else None)
        return (self.folder / f"{book.output_file}.pdf").read_bytes(), notes

    def print_anew(self) -> tuple[bytes, tuple[str, ...]]:
        """Print in a folder without the last PDF, as each render does."""
        for path in self.folder.glob("*.pdf"):
            path.unlink()
        return self.pdf()


@pytest.fixture(name="shop")
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path)
    monkeypatch.setattr(builtin, "compile_pdf", shop.compile)
    monkeypatch.setattr(builtin, "_fallback_font_folders", list)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return shop


def test_an_unchanged_book_is_printed_once_and_its_remarks_are_said_again(shop: Shop) -> None:
    first = shop.pdf()
    assert first[1] == (REMARK,)
    assert shop.print_anew() == first
    assert shop.compiled == 1


def test_without_a_store_every_call_prints(shop: Shop) -> None:
    assert shop.pdf(store=False) != shop.pdf(store=False)
    assert not shop.store.exists()


def _write(path: str, text: str) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        target = shop.folder.parent / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    return change


CHANGES = {
    "the text": _write(f"press/{builtin.PAPER}", "other"),
    "a drawing": _write("press/notebooks/drawing.svg", "<svg></svg>"),
    "one more drawing": _write("press/notebooks/other.svg", "<svg/>"),
    "the book's title": _write("project/_quarto.yml", SETTINGS.replace("title: T", "title: Tea")),
    "a font": _write("project/fonts/face.ttf", "letterz"),
    "one more font": _write("project/fonts/bold.ttf", "letters"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_what_the_pdf_is_made_from_prints_it_anew(shop: Shop, what: str) -> None:
    first = shop.pdf()
    CHANGES[what](shop)
    assert shop.print_anew() != first
    assert shop.compiled == 2


def test_another_date_or_another_typst_prints_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.pdf()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    shop.print_anew()
    assert shop.compiled == 2
    monkeypatch.setattr(builtin, "version", lambda _: "0.0.1")
    shop.print_anew()
    assert shop.compiled == 3


def test_another_template_prints_anew(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.pdf()
    template = tmp_path / "resources" / builtin.PAPER_TEMPLATE
    template.parent.mkdir()
    template.write_text("// another look")
    monkeypatch.setattr(builtin, "resource_folder", lambda: template.parent)
    shop.print_anew()
    assert shop.compiled == 2


def test_what_is_staged_for_pandoc_alone_does_not_print_anew(shop: Shop) -> None:
    first = shop.pdf()
    _write(f"press/{builtin.SOURCES}/index.md.md", "# Two")(shop)
    assert shop.print_anew() == first
    assert shop.compiled == 1


@pytest.mark.parametrize("damage", [lambda kept: kept[:-1], lambda kept: kept + b"x", lambda kept: b""])
def test_a_damaged_pdf_is_printed_anew_and_kept_again(shop: Shop, damage: Callable[[bytes], bytes]) -> None:
    shop.pdf()
    (kept,) = (shop.store / "pdf").iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    second = shop.print_anew()
    assert shop.compiled == 2
    assert shop.print_anew() == second
    assert shop.compiled == 2


def test_a_changed_style_sheet_font_or_file_of_the_project_is_the_one_that_is_published(
    shop: Shop, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "index.html").write_text("<main><h1>One</h1></main>")
    asked = {"style.css": 'a {} b {src: url("face.woff2")}', "face.woff2": "1", "extra/data.csv": "x"}
    for text in ("", " again"):
        for path, content in asked.items():
            _write(f"project/{path}", content + text)(shop)
        builtin.copy_assets(read_book(shop.project), work, ["extra/data.csv"])
        assert {path: (work / path).read_text() for path in asked} == {
            path: content + text for path, content in asked.items()
        }
