import json

import pypandoc
import pytest

from evidence.display.markdown import escape, table_markdown, table_plain
from evidence.display.model import Cell, Column, Table
from evidence.format import sentence

HOSTILE = [
    "a | b",
    "*bold* _under_ `code`",
    "[link](http://x.y){.z}",
    "<script>alert(1)</script>",
    "@citation and [@two]",
    "$x^2$ ~sub~",
    "{{< include x >}}",
    "back\\slash \"quotes\" 'single'",
    "two\nlines --- and dashes",
    "&lt; #head ![image](x.png)",
    "^[note] : caption",
]


def cells_of(markdown: str) -> list[str]:
    document = json.loads(pypandoc.convert_text(markdown, "json", format="markdown"))
    (table,) = [block for block in document["blocks"] if block["t"] == "Table"]
    (body,) = table["c"][4]
    return [text_of(cell[4]) for row in body[3] for cell in row[1]]


def text_of(node) -> str:
    if isinstance(node, list):
        return "".join(map(text_of, node))
    kind, content = node.get("t"), node.get("c")
    if kind == "Str":
        return content
    if kind in ("Space", "SoftBreak"):
        return " "
    if kind == "Quoted":
        mark = "'" if content[0]["t"] == "SingleQuote" else '"'
        return f"{mark}{text_of(content[1])}{mark}"
    assert kind in ("Plain", "Span"), f"{kind} came out of plain text"
    return text_of(content[1] if kind == "Span" else content)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_out_of_a_cell_as_itself(text):
    rows = ((Cell(text, ("x-c001",)), Cell(text)),)
    table = Table((Column("A"), Column("B")), rows, "Caption")
    shown = [cell.replace("’", "'").replace("‘", "'") for cell in cells_of(table_markdown(table))]
    assert shown == [sentence(" ".join(text.split()))] * 2


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_harmless_in_captions_notes_titles_and_headings(text):
    table = Table(
        (Column(text),),
        ((Cell("1", ("x-c001",)),),),
        text,
        text,
        groups=((0, text),),
        places={"x-c001": text},
    )
    html = pypandoc.convert_text(table_markdown(table), "html", format="markdown")
    assert html.count("<table") == 1
    assert html.count("<caption>") == 1
    for tag in ("<script", "<a ", "<img", "<code", "<em>", "footnote", 'class="citation'):
        assert tag not in html


def test_a_value_carries_its_rows_and_their_places():
    table = Table(
        (Column("A"),), ((Cell("7/32", ("x-c001", "x-c002")),),), "Caption", places={"x-c001": 'Table "1"'}
    )
    html = pypandoc.convert_text(table_markdown(table), "html", format="markdown")
    assert 'title="Table &quot;1&quot; · row x-c001; row x-c002"' in html


def test_widths_are_in_proportion_and_alignment_is_kept():
    table = Table(
        (Column("A", width=3), Column("B", "right"), Column("C", "center")), ((Cell(""),) * 3,), "x"
    )
    rule = table_markdown(table).splitlines()[1].strip("|").split("|")
    assert [part[0] + part[-1] for part in rule] == [":-", "-:", "::"]
    assert len(rule[0]) == pytest.approx(3 * len(rule[1]), abs=4)


def test_the_signs_that_are_used_are_explained_and_no_others():
    table = Table((Column("A"),), ((Cell("1", mark="derived"),),), "Caption", "Note.")
    assert table.full_note == "Note. † count that follows from printed figures."
    assert ">Note. †\N{NO-BREAK SPACE}count" in table_markdown(table)


def test_a_cell_shows_every_sign_that_belongs_to_it():
    table = Table((Column("A"),), ((Cell("1", mark="external+derived"),),), "Caption")
    assert table.rows[0][0].shown == "1†§"
    assert table.full_note.startswith("† count that follows")
    assert "; § from outside" in table.full_note


def test_a_group_heading_stands_above_its_row():
    table = Table((Column("A"), Column("B")), ((Cell("1"), Cell("2")),) * 2, "x", groups=((1, "Group"),))
    lines = table_markdown(table).splitlines()
    assert lines[3] == "| **Group** |  |"


def test_plain_text_is_aligned():
    rows = ((Cell("long word"), Cell("1")), (Cell("x"), Cell("22")))
    lines = table_plain(Table((Column("A"), Column("B", "right")), rows, "Caption", "Note.")).splitlines()
    assert lines[2:4] == ["Long word   1", "x          22"]
    assert lines[-2:] == ["Caption", "Note."]


def test_escaping_leaves_ordinary_prose_readable():
    assert escape("21.9% (11.0 to 38.8), +4.1; P = 0.005") == "21.9% (11.0 to 38.8), +4.1; P = 0.005"
