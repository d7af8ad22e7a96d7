"""The Quarto program, where it is; its finding and its failing, everywhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from evidence.errors import RenderError
from evidence.render import quarto, render

needs_quarto = pytest.mark.skipif(
    quarto.find() is None,
    reason="no working quarto program; only real Quarto can prove that real Quarto works",
)


def put_program(folder: Path, body: str) -> None:
    path = folder / "quarto"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(name="programs")
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of programs that comes before everything else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr("sys.executable", str(folder / "python"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize(("body", "version"), [
    ("echo 1.9.38", "1.9.38"), ("echo 1.10.0", "1.10.0"), ("echo 1.8.0", None), ("exit 1", None), ("true", None),
])  # fmt: skip
def test_only_a_program_that_answers_and_is_new_enough_counts(
    programs: Path, body: str, version: str | None
) -> None:
    put_program(programs, body)
    found = quarto.find()
    assert (found.version if found else None) == version


def test_auto_takes_the_builtin_renderer_where_quarto_is_absent(
    programs: Path, book: Path, tmp_path: Path
) -> None:
    assert not list(programs.iterdir())
    assert render(book, tmp_path / "out", formats=("html",)).renderer == "builtin"


def test_quarto_asked_for_but_absent_is_an_error(programs: Path, book: Path, tmp_path: Path) -> None:
    assert not list(programs.iterdir())
    with pytest.raises(RenderError, match="quarto-cli"):
        render(book, tmp_path / "out", renderer="quarto")


ANSWER = 'if [ "$1" = --version ]; then echo 1.9.38; exit; fi'


def test_what_the_program_made_is_moved_to_the_output(programs: Path, book: Path, tmp_path: Path) -> None:
    put_program(
        programs,
        f'{ANSWER}; mkdir -p _book/notebooks; echo "$@" > _book/index.html; echo p > _book/report.pdf',
    )
    rendered = render(book, tmp_path / "out", renderer="quarto")
    assert (rendered.renderer, rendered.version) == ("quarto", "1.9.38")
    assert {path.name for path in rendered.files} == {"index.html", "report.pdf"}
    assert (tmp_path / "out" / "index.html").read_text() == "render\n"
    assert not (book / "_book").exists()


def test_one_format_is_asked_for_by_name(programs: Path, book: Path, tmp_path: Path) -> None:
    put_program(programs, f'{ANSWER}; mkdir _book; echo "$@" > _book/report.pdf')
    render(book, tmp_path / "out", formats=("pdf",), renderer="quarto")
    assert (tmp_path / "out" / "report.pdf").read_text() == "render --to typst\n"


def test_a_failing_program_is_one_error_with_its_last_words(
    programs: Path, book: Path, tmp_path: Path
) -> None:
    put_program(programs, f"{ANSWER}; echo 'ERROR: no such thing' >&2; exit 1")
    with pytest.raises(RenderError, match="no such thing"):
        render(book, tmp_path / "out", renderer="quarto")
    assert not (tmp_path / "out").exists()


@needs_quarto
@pytest.mark.quarto
def test_quarto_makes_pages_and_one_pdf(book: Path, tmp_path: Path) -> None:
    rendered = render(book, tmp_path / "out", renderer="quarto")
    assert rendered.renderer == "quarto"
    assert (tmp_path / "out" / "index.html").is_file()
    assert [path.name for path in rendered.files if path.suffix == ".pdf"] == ["report.pdf"]
    text = (tmp_path / "out" / "notebooks" / "apples.html").read_text(encoding="utf-8")
    assert "Red Queen" in text
    assert "38.7%" in text
