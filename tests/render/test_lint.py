"""What is wrong, or outside the subset, is named with file and cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from invented_book import code, markdown, raw, shown, write_notebook

from evidence.errors import RenderError
from evidence.render import lint, render
from evidence.render.book import read_book
from evidence.render.notebook import read_source

CHAPTER = "notebooks/notes.ipynb"


@pytest.fixture(name="faults_of")
def _faults_of(book: Path):
    settings = book / "_quarto.yml"
    settings.write_text(settings.read_text().replace("notebooks/notes.md", CHAPTER))

    def faults_of(*cells: dict[str, object]) -> list[str]:
        write_notebook(book / CHAPTER, markdown("# Notes {#sec-methods}"), *cells)
        return [str(fault) for fault in lint(book)]

    return faults_of


def test_a_sound_book_has_no_faults(book: Path) -> None:
    assert lint(book) == []


@pytest.mark.parametrize(("text", "value"), [
    ("See @fig-nowhere.", "@fig-nowhere"),
    ("See [@tbl-nowhere; @tbl-yield].", "@tbl-nowhere"),
    ("As @nobody1900 said.", "@nobody1900"),
    ("## Again {#sec-pears}", "#sec-pears"),
    ("![Caption.](gone.svg){#fig-gone}", "gone.svg"),
    ("![](plan.svg)", "plan.svg"),
    ("![Far.](https://example.org/a.png)", "https://example.org/a.png"),
    ("[there](pears.ipynb#nowhere)", "pears.ipynb#nowhere"),
    ("[there](gone.ipynb)", "gone.ipynb"),
    ("[there](#nowhere)", "#nowhere"),
    ("{{< video a.mp4 >}}", "{{< video a.mp4 >}}"),
    ("{{< var season.none >}}", "{{< var season.none >}}"),
    ("{{< meta none >}}", "{{< meta none >}}"),
    ("{{< include gone.md >}}", "{{< include gone.md >}}"),
    ("::: {.panel-tabset}\n## A\n:::", ".panel-tabset"),
    ("::: {layout-ncol=2}\na\n:::", "layout-ncol"),
    ("::: {.callout-danger}\na\n:::", ".callout-danger"),
    ("A <b>bold</b> word.", "<b>"),
    ("A \\newpage break.", "\\newpage"),
    ("```{mermaid}\nA --> B\n```", "```{mermaid}"),
    ("# Second", "# Second"),
    ("#### Too deep", "#### Too deep"),
    ("![](plan.svg){#fig-bare fig-alt=\"a plan\"}", "#fig-bare"),
    ("See [@grower2021; @fig-yield].", "@grower2021"),
    ("$\\nosuchcommand{x}$", "nosuchcommand"),
])  # fmt: skip
def test_markdown_fault_names_file_and_cell(faults_of, text: str, value: str) -> None:
    found = faults_of(markdown("Sound."), markdown(text))
    assert any(fault.startswith(f"{CHAPTER} cell 3 ") and value in fault for fault in found), found


@pytest.mark.parametrize(("cell", "value"), [
    (code("#| label: tbl-yield\nshow()", shown(markdown="| a |\n|---|\n| 1 |\n\n: Twice.\n")), "#tbl-yield"),
    (code("#| label: fig-empty\nshow()"), "fig-empty"),
    (code("#| column: margin\nshow()"), "#| column"),
    (code("#| label: [\nshow()"), "#|"),
    (code("x", {"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}), "KeyError"),
    (raw("\\section{x}"), "raw cell"),
])  # fmt: skip
def test_cell_fault_names_file_and_cell(faults_of, cell: dict[str, object], value: str) -> None:
    found = faults_of(cell)
    assert any(fault.startswith(f"{CHAPTER} cell 2 ") and value in fault for fault in found), found


def test_all_faults_come_at_once_and_in_order(faults_of) -> None:
    found = faults_of(markdown("@fig-a and @nobody"), markdown("{{< video a >}} and @tbl-b"))
    assert [fault.split(":")[0] for fault in found] == [
        f"{CHAPTER} cell 2 @fig-a", f"{CHAPTER} cell 2 @nobody",
        f"{CHAPTER} cell 3 {{{{< video a >}}}}", f"{CHAPTER} cell 3 @tbl-b",
    ]  # fmt: skip


def test_yaml_title_and_heading_together_are_a_fault(book: Path) -> None:
    write_notebook(
        book / "notebooks" / "pears.ipynb", raw("---\ntitle: One\n---"), markdown("# Two {#sec-pears}")
    )
    assert any("# Two" in str(fault) for fault in lint(book))


def test_missing_files_of_the_project_are_faults(book: Path) -> None:
    (book / "references.bib").unlink()
    (book / "notebooks" / "appendix.ipynb").unlink()
    found = [str(fault) for fault in lint(book)]
    assert "_quarto.yml bibliography references.bib: there is no such file" in found
    assert any(fault.startswith("notebooks/appendix.ipynb: cannot be read") for fault in found)


OUTPUT = {"output_type": "display_data", "data": {}, "metadata": {}}


@pytest.mark.parametrize(("cells", "why"), [
    ({"one": "cell"}, "it has no list of cells"),
    (["words"], "cell 1 is not made"),
    ([markdown("# A"), {"cell_type": "markdown", "source": 7}], "cell 2 is not made"),
    ([markdown("# A"), code("x") | {"metadata": ["x"]}], "cell 2 is not made"),
    ([markdown("# A"), code("x") | {"outputs": {"output_type": "stream"}}], "cell 2 is not made"),
    ([code("x") | {"outputs": ["printed"]}], "cell 1 is not made"),
    ([code("x", OUTPUT | {"text": 1})], "cell 1 is not made"),
    ([code("x", OUTPUT | {"data": ["text/plain"]})], "cell 1 is not made"),
    ([code("x", OUTPUT | {"metadata": "wide"})], "cell 1 is not made"),
    ([code("x", OUTPUT | {"metadata": {"evidence": "table"}})], "cell 1 is not made"),
    ([code("x", OUTPUT | {"data": {"text/markdown": {"a": "b"}}})], "cell 1 is not made"),
])  # fmt: skip
def test_what_is_not_made_as_a_notebook_is_named_with_its_place(book: Path, cells, why: str) -> None:
    (book / "notebooks" / "pears.ipynb").write_text(json.dumps({"cells": cells}))
    (chapter,) = (one for one in read_book(book).chapters if one.path.endswith("pears.ipynb"))
    (fault,) = read_source(read_book(book), chapter).faults
    assert str(fault).startswith(f"notebooks/pears.ipynb: cannot be read as a notebook ({why}")


def test_of_a_chapter_that_cannot_be_read_that_alone_is_told(faults_of, book: Path) -> None:
    assert faults_of() == []
    (book / CHAPTER).write_text("{}")
    (fault,) = (str(fault) for fault in lint(book) if str(fault).startswith(CHAPTER))
    assert fault == f"{CHAPTER}: cannot be read as a notebook (it has no list of cells)"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("book: {chapters: [index.ipynb]}", "title"),
        ("book: [", "YAML"),
        ("book: {title: T, chapters: [{part: a.qmd, chapters: [index.ipynb]}]}", "a.qmd"),
        ("book: {title: T, chapters: [index.docx]}", "index.docx"),
    ],
)
def test_a_wrong_quarto_yml_is_one_clear_error(book: Path, tmp_path: Path, settings: str, says: str) -> None:
    (book / "_quarto.yml").write_text(settings)
    with pytest.raises(RenderError, match=says):
        render(book, tmp_path / "out", renderer="builtin")
    assert not (tmp_path / "out").exists()
