"""The PDF's pages are filled, and what belongs together stays on one page."""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest
import typst
from invented_book import svg
from printed import misprints, runs_of

from evidence.render import render

LENGTHS = range(28, 46)  # rows of a table: how its end falls on a page
OVER = range(30, 62)  # some of these end with one row too many for their page
FONTS = Path(__file__).parents[2] / "assets" / "fonts"  # those of the report: widths are known of its letters
LOOK = f"format: {{typst: {{mainfont: IBM Plex Sans, font-paths: ['{FONTS}']}}}}\n"
WORDS = "Words that anybody can read and that say what is to be known here. "


def pages_of(root: Path, chapters: dict[str, str], files: dict[str, str] | None = None) -> list[str]:
    """Return the text of each page of a book, without title page and contents."""
    root.mkdir()
    for name, text in chapters.items():
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    for name, text in (files or {}).items():
        (root / name).write_text(text, encoding="utf-8")
    listed = ", ".join(f"{name}.md" for name in chapters)
    settings = f"project: {{type: book}}\nbook: {{title: T, author: A, chapters: [{listed}]}}\n{LOOK}"
    (root / "_quarto.yml").write_text(settings, encoding="utf-8")
    made = render(root, root / "out", formats=("pdf",), renderer="builtin")
    assert made.notes == ()
    pages = [page.extract_text() for page in pypdf.PdfReader(root / "out" / "report.pdf").pages]
    return pages[next(number for number, page in enumerate(pages) if "Here." in page) :]


def rows(name: str, count: int) -> str:
    """Return a table with a note below."""
    body = "\n".join(f"| Row {name} {number} | {number} |" for number in range(count))
    return f"| What | How many |\n|:--|--:|\n{body}\n\n: Rows. [Note {name} ends.]{{.note}} {{#tbl-{name}}}\n"


@pytest.mark.slow
def test_the_note_of_a_table_never_goes_over_the_page_without_a_row(tmp_path: Path) -> None:
    chapters = {"index": "# Begins\n\nHere.\n"} | {f"t{n}": f"# T{n}\n\n{rows(f't{n}', n)}" for n in LENGTHS}
    pages = pages_of(tmp_path / "book", chapters)
    found = 0
    for number in LENGTHS:
        for page in pages:
            if f"Note t{number} ends." in page:
                found += 1
                assert f"Row t{number} {number - 1}" in page
    assert found == len(LENGTHS)


@pytest.mark.slow
def test_no_last_row_of_a_table_goes_over_the_page_alone(tmp_path: Path) -> None:
    chapters = {"index": "# Begins\n\nHere.\n"} | {f"t{n}": f"# T{n}\n\n{rows(f't{n}', n)}" for n in OVER}
    for n in OVER:
        grouped = rows(f"g{n}", n).replace(
            f"| Row g{n} {n - 1} |", f"| **Group {n}** | |\n| Row g{n} {n - 1} |"
        )
        chapters[f"g{n}"] = f"# G{n}\n\n{grouped}"
    pages = [" ".join(page.split()) for page in pages_of(tmp_path / "book", chapters)]
    for name in (f"{kind}{n}" for kind in "tg" for n in OVER):
        last = int(name[1:]) - 1
        (page,) = (page for page in pages if f"Row {name} {last} " in page)
        assert page.index(f"Row {name} {last - 1} ") < page.index(f"Row {name} {last} ")
        assert f"Note {name} ends." in page
        assert page.count(f"Group {name[1:]}") == (name[0] == "g")


@pytest.mark.slow
def test_a_short_chapter_of_prose_alone_is_set_on_one_page(tmp_path: Path) -> None:
    section = f"## Section\n\n{WORDS * 9}\n\n"
    sheet = f"# Sheet\n\nFirst of it. {WORDS * 3}\n\n{section * 4}\n\nLast of it.\n"
    pages = pages_of(
        tmp_path / "book", {"index": "# Begins\n\nHere.\n", "sheet": sheet, "next": "# Next\n\nEnd.\n"}
    )
    assert [number for number, page in enumerate(pages) if "First of it." in page] == [1]
    assert [number for number, page in enumerate(pages) if "Last of it." in page] == [1]


def test_a_chapter_follows_on_the_page_only_where_the_one_before_it_ended_high(tmp_path: Path) -> None:
    chapters = {
        "index": "# Begins\n\nHere.\n",
        "next": "# Next\n\nSecond.\n",
        "low": f"# Low\n\n{WORDS * 50}\n\n- Third.\n",
    }
    pages = pages_of(tmp_path / "book", {**chapters, "end": f"# End\n\n{rows('end', 3)}\nFourth.\n"})
    assert "Here." in pages[0]
    assert "Second." in pages[0]
    assert "Third." in pages[1]
    assert "Fourth." in pages[2]


def interval(count: int, marks: str) -> str:
    """Return a difference with an interval that crosses 0, as long as they come."""
    return f"{count} more ({count + 101} fewer to {count + 149} more){marks}"


def crowded(name: str, columns: int, marks: str) -> str:
    """Return a table of many columns: long rows, differences, ratios, and words."""
    head = "| Question |" + "".join(f" Difference, per 1,000 ({n}) | Ratio |" for n in range(columns))
    ratios = ("0.60 to 1.99", "4.64 to 125.8", "1.34 to 1,059.6")
    body = "\n".join(
        f"| {WORDS[: 20 + 14 * n]} |"
        + "".join(f" {interval(51 * n, marks)} | 1.10 ({ratios[n % 3]}){marks} |" for _ in range(columns))
        for n in range(6)
    )
    return f"{head}\n|:--|{'--:|:--|' * columns}\n{body}\n\n: Crowded. {{#tbl-{name}}}\n"


@pytest.mark.slow
@pytest.mark.parametrize("marks", ["", "§", "†§¶"])
def test_no_figure_of_a_crowded_table_is_printed_over_another_or_in_the_margin(
    tmp_path: Path, marks: str
) -> None:
    tables = "\n".join(f"## {n} columns\n\n{crowded(f'c{n}', n, marks)}" for n in range(1, 5))
    pages_of(tmp_path / "book", {"index": f"# Begins\n\nHere.\n\n{tables}"})
    pages = pypdf.PdfReader(tmp_path / "book" / "out" / "report.pdf").pages
    assert [found for page in pages for found in misprints(page)] == []
    printed = " ".join(run.text for page in pages for run in runs_of(page))
    assert "1.10 (0.60 to 1.99)" + marks in printed


def test_a_run_over_another_and_one_in_the_margin_are_found(tmp_path: Path) -> None:
    text = "#set page(margin: 16mm)\n#place(dx: 20pt)[Second]\nFirst one\n#place(dx: 170mm)[Beyond the edge]"
    (tmp_path / "page.typ").write_text(text, encoding="utf-8")
    typst.compile(tmp_path / "page.typ", output=tmp_path / "page.pdf")
    found = misprints(pypdf.PdfReader(tmp_path / "page.pdf").pages[0])
    assert sorted(found) == ["First one under Second", "in the margin: Beyond the edge"]


@pytest.mark.slow
@pytest.mark.parametrize("height", range(430, 600, 24))
def test_a_drawing_is_made_smaller_where_that_keeps_it_with_the_prose_before_it(
    tmp_path: Path, height: int
) -> None:
    drawing = '![Bars.](bars.svg){#fig-bars fig-alt="Bars"}'
    root = tmp_path / "book"
    table = rows("after", 40)
    text = f"# Begins\n\nHere. {WORDS * 9}\n\n{drawing}\n\n{table}"
    pages = pages_of(root, {"index": text}, {"bars.svg": svg(504, height)})
    assert "Figure 1" in pages[0]


def test_a_figure_that_goes_on_in_another_drawing_says_its_number_there(tmp_path: Path) -> None:
    one, two = (f'![](bars.svg){{fig-alt="Bars {part}"}}' for part in "ab")
    both = f"::: {{#fig-bars}}\n{one}\n\n{two}\n\nBars.\n:::\n"
    alone = f"::: {{#fig-alone}}\n{one}\n\nAlone.\n:::\n"
    pages = pages_of(
        tmp_path / "book", {"index": f"# Begins\n\nHere.\n\n{both}\n{alone}"}, {"bars.svg": svg(504, 420)}
    )
    assert "Figure 1.1" in pages[0]
    assert sum(page.count("continued") for page in pages) == 1
    (further,) = (page for page in pages if "continued" in page)
    assert "Figure 1.1, continued" in further
    assert further is not pages[0]
