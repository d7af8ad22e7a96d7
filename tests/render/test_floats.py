"""A drawing that floats takes no line of the text around it along."""

from __future__ import annotations

import re
from pathlib import Path

import pypdf
import pytest
from invented_book import svg

from evidence.render import builtin, press, render
from evidence.render.book import read_book

FILLERS = range(17, 26)  # paragraphs before the drawing: how much of a page is left for what follows it
NOTES = range(8)  # lines below the drawing: it leaves some lines of the next page, or none


def write_project(root: Path) -> list[str]:
    """Write a book of drawings that do not fit where they stand; return the words that its text has."""
    root.mkdir()
    words, names = [], []
    (root / "bars.svg").write_text(svg(504, 600), encoding="utf-8")
    for lines in NOTES:
        for filler in FILLERS:
            name = f"h{lines}f{filler}"
            own = [f"{name}w{number}e" for number in range(120)]
            before = "\n\n".join(f"Filler {number}." for number in range(filler))
            after = "\n\n".join(
                f"{' '.join(own[n : n + 24])}[^{n}]\n\n[^{n}]: Note." for n in range(0, 120, 24)
            )
            note = f" [{'What one must know. ' * 7 * lines}]{{.note}}"
            drawing = f'![Bars.{note}](bars.svg){{#fig-{name} fig-alt="Bars"}}'
            text = f"# {name}\n\n{before}\n\n{drawing}\n\n{after}\n\n## Next\n\nEnd.\n"
            (root / f"{name}.md").write_text(text, encoding="utf-8")
            words += own
            names.append(f"{name}.md")
    settings = f"project: {{type: book}}\nbook: {{title: T, author: A, chapters: [{', '.join(names)}]}}\n"
    (root / "_quarto.yml").write_text(settings, encoding="utf-8")
    return words


@pytest.mark.slow
def test_no_word_around_a_floating_drawing_is_lost_and_the_pdf_is_tagged(tmp_path: Path) -> None:
    words = write_project(tmp_path / "project")
    made = render(tmp_path / "project", tmp_path / "out", formats=("pdf",), renderer="builtin")
    assert made.notes == ()
    reader = pypdf.PdfReader(tmp_path / "out" / "report.pdf")
    found = set(re.findall(r"h\d+f\d+w\d+e", " ".join(page.extract_text() for page in reader.pages)))
    assert sorted(set(words) - found) == []


def test_between_a_floating_drawing_and_where_it_lands_nothing_breaks(book: Path, tmp_path: Path) -> None:
    long = "Words that go on. " * 100
    after = f'\n\nBefore.\n\n![D.](plan.svg){{#fig-d fig-alt="D"}}\n\nShort.\n\n- one\n\n{long}\n\nMore.\n'
    after += '\n![E.](plan.svg){#fig-e fig-alt="E"}\n\nTail.\n\n## Another {#sec-another}\n\nWords.\n'
    notes = book / "notebooks" / "notes.md"
    notes.write_text(notes.read_text(encoding="utf-8") + after, encoding="utf-8")
    description = read_book(book)
    sources = builtin.read_sources(description)
    builtin.stage(sources, tmp_path)
    with press.at_work(description, sources, tmp_path, modes=["typst"]) as runs:
        runs.finish()
        text = runs.typst()
    landed = re.findall(r"floating: true(.*?)(?:#place\.flush\(\)|#evidence-chapter\()", text, re.DOTALL)
    assert len(landed) >= 2
    for between in landed:
        assert not re.search(
            r"#evidence-(prose\[|prose\(whole|callout|answers)|tall: true|turned: true", between
        )
    assert any("piece: true" in between and "Short." in between for between in landed)
    assert any("Tail." in between for between in landed), "a heading follows it"
    assert not any("#evidence-heading(" in between for between in landed)
