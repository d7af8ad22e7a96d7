"""Tables of plain cells are written without Pandoc's help, and to the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.render import builtin, press
from evidence.render.book import read_book

# Each cell is one way in which a text can be more than it seems, or only seem so.
CELLS = (
    "12/40", "30.0% (18.1 to 45.4)†", "+5.1 (\u22123.0 to +9.9)", "-3", "- 3", "(none)", "= 4", "/ 5", "1. first",
    "2) second", "3.", "31.3%", "\\<0.001", "a \\*b\\* \\_c\\_ \\[d\\] \\#1", "1 \\| 2", "x \\& y", "it's", "'quoted'",
    "patients' values", "1990--2000", "a -- b", "5–7", "wait...", "…", "cf. Smith, e.g. Jones. Dr. No. 5 p. 3",
    "Ends here. Starts there.", "“said”", "a\u00a0b", "H\\~2\\~O \\^x\\^ \\$5\\$", "http://a.example/b//c", "a \\@b",
    "\\`code\\`", "\\{.c\\}", "≥50 × 10⁹/L", "naïve \u2014 été", "it’s", "[linked](https://a.example)", "`code`", "*stressed*",
    "**strong**", "**+ strong**", "a **part**", "$x^2$", "H~2~O", "&lt;", "\\--", "\"said\"", "", "100,000/mm³",
    '<span class="v" title="row-1 · Table 1; row-2 · P&#x27;s &lt;a&gt; &quot;b&quot; &amp; c">4/9, 44.4%</span>',
    '<span class="v" title="row-3">- 7 it\'s e.g. b</span>', '<span class="v" title="row-4">**x**</span>',
    '<span class="other" title="row-5">z</span>', '<span class="v" title="row-6">see</span> (@sec-one)',
    "a long text that says more than forty letters can, in words", "12.5% (1.0 to 99.9), of 1,234",
)  # fmt: skip


def tables() -> str:
    """Return pipe tables: groups, gaps, all cells in turn, odd rows, and what only looks like a table."""
    rule = "|:----------------------------|--------------:|:-----:|"
    rows = [f"| {cell} | {cell} | x |" for cell in CELLS]
    each = [
        f"| What | How {number} | So |\n{rule}\n| **Group {number}** |  |  |\n{row}\n| a | {number} | b |\n\n: Case {number}."
        for number, row in enumerate(rows)
    ]
    plain = [row for cell, row in zip(CELLS, rows, strict=True) if "@" not in cell and "`" not in cell]
    whole = "\n".join(
        ["| What |  | So |", rule, *plain, "| **Last group** |  |  |", "| **None in it** |  |  |"]
    )
    odd = f"| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 |\n\n{rule}\n\n| no | table |\n| at | all |"
    code = "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```"
    first = "|  | b |\n|--:|:-:|\n|  | 2 |\n| x | 3 |"
    return "\n\n".join([whole, *each, odd, code, first, "> | a |\n> |---|\n> | 1 |"])


def made(project: Path, work: Path, mode: str) -> str:
    book = read_book(project)
    sources = builtin.read_sources(book)
    builtin.stage(sources, work)
    with press.at_work(book, sources, work, modes=[mode]) as runs:
        assert runs.finish().faults == ()
        return runs.typst() if mode == "typst" else (work / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["html", "typst"])
def test_every_kind_of_cell_is_written_as_pandoc_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "_quarto.yml").write_text(
        "project: {type: book}\nbook: {title: T, author: A, chapters: [index.md]}\n"
    )
    (project / "index.md").write_text(f"# One {{#sec-one}}\n\n## Two\n\n{tables()}\n", encoding="utf-8")
    fast = made(project, tmp_path / "fast", mode)
    told = builtin._manifest
    monkeypatch.setattr(builtin, "_manifest", lambda *given, **how: told(*given, **how) | {"by_pandoc": True})
    slow = made(project, tmp_path / "slow", mode)
    assert fast == slow
    assert "Group 3" in fast
