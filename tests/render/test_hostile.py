"""Text from the data is text wherever a reader meets it: in pages, on paper, in downloads and in notebooks."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from hostile import HOSTILE, MARK, hostile_tables
from invented_book import code, markdown, write_notebook

import evidence.display as display
from evidence.build.outputs import write_outputs
from evidence.data import Dataset, load
from evidence.data.export import FORMULA, harmless, literal
from evidence.display.markdown import escape
from evidence.display.model import Cell, Column, Prose, Table
from evidence.errors import UNSEEN, BuildError, EvidenceError
from evidence.parameters import Parameters
from evidence.questions import answer
from evidence.render import render
from evidence.render.book import Book, Chapter
from evidence.render.notebook import read_source

SETTINGS = """\
project: {type: book}
lang: en-GB
book: {title: Hostile, author: Nobody, output-file: report, chapters: [index.ipynb]}
format: {html: {}, typst: {}}
"""
CSV = {"evidence": {"kind": "table", "csv": "a\n1\n"}}
LEAST = 60  # items that an invented study of two arms is enough for


def arguments(data: Dataset, parameters: Parameters) -> dict[str, Any]:
    outcomes = data.outcomes["outcome_id"].tolist()
    questions = data.questions["question_id"].tolist()
    return {
        "data": data, "parameters": parameters, "study_id": "trial_a", "outcome_ids": outcomes,
        "outcome_id": outcomes[0], "question_id": questions[0], "question_ids": questions, "kind": "number",
        "tool": data.risk_of_bias["tool"].tolist()[0], "diagram": "way", "caption": HOSTILE[0], "subgroup": "sex",
        "what": HOSTILE[1], "treated": HOSTILE[2], "criterion": data.definitions["criterion"].tolist()[0],
        "unit": "months", "said": HOSTILE[3], "locator": data.counts["locator"].tolist()[0],
        "answers": [answer(one, data, parameters) for one in questions], "outcomes": outcomes,
        "treatment": "drug", "comparator": "placebo", "kinds": ("rate",),
    }  # fmt: skip


def built(data: Dataset) -> Iterator[tuple[str, Any]]:
    """Yield what every builder makes of the data; those that need what the data lack are passed over."""
    from matplotlib import pyplot

    known = arguments(data, Parameters())
    for name in display.__all__:
        make = getattr(display, name)
        if not inspect.isfunction(make) or name in ("show", "representation", "find_study"):
            continue
        needed = [
            one.name
            for one in inspect.signature(make).parameters.values()
            if one.default is inspect.Parameter.empty
            and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        ]
        if not set(needed) <= set(known):
            continue
        try:
            made = make(**{one: known[one] for one in needed})
        except (EvidenceError, KeyError):
            continue
        for item in made if isinstance(made, list) else [made]:
            yield name, item
        pyplot.close("all")


def probes() -> Iterator[tuple[str, Any]]:
    """Yield every hostile text as heading, cell, source, caption and note of a table, and as a sentence."""
    for text in HOSTILE:
        cells = (Cell(text, rows=(text,)), Cell(text, code=True), Cell("1", rows=("r",)))
        columns = tuple(Column(one) for one in (text, "Code", "One"))
        frame = pd.DataFrame({"text": [text], text: [1]})
        yield "probe", Table(columns, (cells,), text, text, frame, ((0, text),), {"r": text}, {"r": text})
        yield "probe", Prose(f"{escape(text)}\n\n- {escape(text)}\n\nSo {escape(text)}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("hostile") / "data"
    hostile_tables(folder)
    return load(folder)


@pytest.fixture(scope="module")
def items(data: Dataset) -> list[tuple[str, Any]]:
    return [*built(data), *probes()]


@pytest.fixture(scope="module")
def report(items: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(Path(__file__).parents[2] / "assets" / "fonts", root / "assets" / "fonts")
    (root / "_quarto.yml").write_text(SETTINGS, encoding="utf-8")
    cells = []
    for number, (_, item) in enumerate(items):
        bundle, metadata = display.representation(item)
        kind = metadata["evidence"]["kind"]
        label = {"table": f"tbl-{number}", "figure": f"fig-{number}"}.get(kind, "")
        output = {"output_type": "display_data", "data": bundle, "metadata": metadata}
        said = metadata["evidence"]
        told = {"fig_cap": said["caption"], "fig_alt": said["alt"]} if kind == "figure" else {}
        cells.append(code(f"#| label: {label}\nshow()" if label else "show()", output, **told))
    write_notebook(root / "index.ipynb", markdown("# Hostile {.unnumbered}"), *cells)
    render(root, root / "out", renderer="builtin")
    return root


class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes that run, and text."""

    RUN = re.compile(r"^on|^(srcdoc|formaction)$")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, text: str) -> None:
        if not self.inside:
            self.text.append(text)


@pytest.mark.slow
def test_enough_of_the_builders_are_tried(items: list[tuple[str, Any]]):
    assert len({name for name, _ in items}) >= LEAST


@pytest.mark.slow
def test_no_element_handler_or_address_of_a_page_comes_from_the_data(report: Path):
    page = Page()
    page.feed((report / "out" / "index.html").read_text(encoding="utf-8"))
    for tag, attributes in page.elements:
        assert not [name for name in attributes if Page.RUN.match(name)], (tag, attributes)
        assert tag not in ("iframe", "object", "embed", "base", "marquee"), tag
        assert MARK not in tag
        for name in ("href", "src", "id", "class", "style", "data-cites", "action"):
            assert MARK not in attributes.get(name, ""), (tag, name, attributes[name])
    scripts = [attributes.get("src", "") for tag, attributes in page.elements if tag == "script"]
    assert all(not source or source.startswith("assets/") for source in scripts)


@pytest.mark.slow
def test_every_hostile_text_can_be_read_on_the_page(report: Path):
    page = Page()
    page.feed((report / "out" / "index.html").read_text(encoding="utf-8"))
    shown = " ".join("".join(page.text).split())
    for text in HOSTILE:
        plain = " ".join(text.split()).split(MARK)[0].strip()
        assert typographic(plain) in typographic(shown), text


def typographic(text: str) -> str:
    """Return text without what typesetting changes: quotes, dashes, dots, blanks."""
    return re.sub(r"[\s'\"‘’“”–—.…-]+", "", text)


@pytest.mark.slow
def test_hostile_texts_stand_in_the_pdf_as_they_are(report: Path):
    from pypdf import PdfReader

    read = PdfReader(report / "out" / "report.pdf")
    shown = typographic("".join(page.extract_text() for page in read.pages))
    for text in HOSTILE:
        plain = typographic(text.split(MARK)[0])
        assert plain.encode("ascii", "ignore") in shown.encode("ascii", "ignore"), text
    assert "/JavaScript" not in str(read.trailer["/Root"])
    for page in read.pages:
        for note in page.get("/Annots") or ():
            action = note.get_object().get("/A", {})
            assert "URI" not in action or MARK not in str(action["/URI"])


@pytest.mark.slow
def test_downloads_hold_no_formula_and_give_every_text_back(report: Path, data: Dataset):
    content = json.loads((report / "index.ipynb").read_text(encoding="utf-8"))
    for number, cell in enumerate(content["cells"]):
        cell["id"] = f"cell-{number}"
    (report / "named.ipynb").write_text(json.dumps(content), encoding="utf-8")
    written = write_outputs([report / "named.ipynb"], report / "download")
    texts = set()
    for path in (one for one in written if one.suffix == ".csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            assert not [cell for cell in row if cell[:1] in "=@" and len(cell) > 1]
            texts |= {literal(cell) for cell in row}
    labels = set(data.outcomes["label"]) | set(data.arms["label"])
    assert labels & texts, "no label of the data reached a download"
    assert [one for one in labels & texts if FORMULA.match(one)]


@pytest.mark.slow
def test_notebooks_publish_no_html_and_no_unseen_character(items: list[tuple[str, Any]]):
    for name, item in items:
        bundle, _ = display.representation(item)
        assert "text/html" not in bundle
        assert not UNSEEN.search(bundle.get("text/markdown", "").replace("\ufffd", "")), name
        drawing = bundle.get("image/svg+xml", "")
        assert not re.search(r"<script|<foreignObject|<a\b|\son\w+=", drawing), name


LABELS = ["tbl-../x", "../../x", "/x", "tbl-a/b", "tbl-\\x", "3", "[a]", "-x"]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("place", ["source", "metadata"])
def test_a_label_that_is_no_plain_name_is_a_fault_of_its_cell(tmp_path: Path, label: str, place: str):
    output = {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}, "metadata": CSV}
    cell = code(f"#| label: {label}\n1" if place == "source" else "1", output)
    cell["metadata"] = {"label": label} if place == "metadata" else {}
    write_notebook(tmp_path / "index.ipynb", markdown("# One"), cell)
    chapter = Chapter("index.ipynb")
    source = read_source(Book(tmp_path, "Labels", (chapter,)), chapter)
    assert [fault.column for fault in source.faults] == ["cell 2"]
    assert "label" in str(source.faults[0])
    assert source.faults[0].file == "index.ipynb"
    assert not source.downloads
    assert all(".." not in name and name.count("/") == 1 for name in source.media)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_that_is_no_plain_name_writes_no_file(tmp_path: Path, label: str):
    output = {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": CSV}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"#| label: {label}\n1")])
    notebook.cells[0].outputs = [nbformat.from_dict(output)]
    nbformat.write(notebook, tmp_path / "made.ipynb")
    with pytest.raises(BuildError, match=r"made\.ipynb: cell 1 label"):
        write_outputs([tmp_path / "made.ipynb"], tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["made.ipynb"]


@pytest.mark.parametrize("text", ["\u202eabc", "a\u200bb", "a\x00b", "\x1b[31mred", "\U000e0041", "a\u2066b"])
def test_a_character_that_cannot_be_seen_is_shown_as_unknown(text: str):
    assert not UNSEEN.search(escape(text).replace("\ufffd", ""))


@pytest.mark.parametrize(
    "text", [*HOSTILE, "'=1", "''=1", "=1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-1+1*cmd|x!A0", "\t=1"]
)
def test_a_text_made_harmless_to_spreadsheets_can_be_taken_back(text: str):
    assert literal(harmless(text)) == text


@pytest.mark.parametrize(
    "text", ["-0.5", "+3.2%", "-0.21 (-2.3 to 1.9)", "=", "-", "+ drug", "- list", "a=1", "'tis"]
)
def test_numbers_intervals_and_plain_words_are_left_alone_in_downloads(text: str):
    assert harmless(text) == text
