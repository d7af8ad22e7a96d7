"""Whatever stands in a table, its declaration, a scenario, a parameter or a notebook: a result or a typed error."""

from __future__ import annotations

import ast
import base64
import csv
import functools
import io
import json
import shutil
import string
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from outcome import CASES, ROOT, outcome
from papermill.translators import PythonTranslator
from values import EVIL

from evidence.build.grid import read_grid
from evidence.data import load
from evidence.data.export import harmless, literal
from evidence.data.read import read_sheet
from evidence.data.schema import read_schema
from evidence.errors import UNSEEN, ParameterError
from evidence.parameters import PARAMETERS, Parameters
from evidence.render import render
from evidence.render.book import Book, Chapter
from evidence.render.notebook import read_source
from evidence.scenarios import NAME, read_scenario

DEAR = max(CASES // 10, 5)
profile = settings.get_profile("fuzz")
words = st.text(max_size=20)
cell = st.one_of(
    words, words, st.sampled_from(["", "7", "-1", "1e9", "NaN", "printed", "a|b", "x\ny", '"', "\r", "\0", "=1+1", "9" * 400, " x ", "α", "<5"])
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which every table has its header alone."""
    made = tmp_path_factory.mktemp("fuzz") / "data"
    made.mkdir()
    shutil.copyfile(ROOT / "data" / "datapackage.json", made / "datapackage.json")
    for resource in read_schema(made).resources:
        names = [column.name for column in resource.columns]
        (made / resource.path).write_text(",".join(names) + "\n", encoding="utf-8")
    return made


PACKAGE = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {resource.name: resource for resource in read_schema(ROOT / "data").resources}


@st.composite
def files(draw: Any) -> tuple[str, bytes]:
    """Return the name of a table and what stands in its file."""
    name = draw(st.sampled_from(["counts", "arms", "tests", "certainty", "questions"]))
    return name, draw(sheets([column.name for column in RESOURCES[name].columns]))


@st.composite
def sheets(draw: Any, names: list[str]) -> bytes:
    """A file with about the right columns, in any encoding and with any line ends, or just bytes."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=200))
    header = draw(
        st.sampled_from([names, names, names[:-1], [*names, "stray"], [*names, names[0]], names[::-1]])
    )
    rows = draw(st.lists(st.lists(cell, min_size=len(header) - 1, max_size=len(header) + 1), max_size=4))
    out = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    csv.writer(
        out, lineterminator=end, quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    ).writerows([header, *rows])
    text = out.getvalue().replace('"', draw(st.sampled_from(['"', '"', "", "'"])))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])), "replace")


def test_a_table_is_read_or_its_faults_are_named(folder: Path):
    @settings(profile)
    @given(files())
    @example(("counts", "row_id\u3164,\u2800,\ufffd\n".encode()))
    @example(("counts", b"a\0b,\x1b[31m,\xe2\x80\xae\n"))
    def run(case: tuple[str, bytes]) -> None:
        resource = RESOURCES[case[0]]
        path = folder / resource.path
        before = path.read_bytes()
        path.write_bytes(case[1])
        try:
            sheet = outcome("data.read_sheet", lambda: read_sheet(folder, resource))
            read = outcome("data.load", lambda: load(folder))
        finally:
            path.write_bytes(before)
        assert read is None or not sheet.faults
        for fault in sheet.faults:
            assert not UNSEEN.search(str(fault).replace("\n", ""))

    run()


def mutate(draw: Any, value: Any, depth: int = 0) -> Any:
    """Return a JSON value with one place in it changed."""
    other = st.sampled_from(
        [None, 1, "x", [], {}, True, -1.5, "..", "../x", "(", ["a"], {"a": 1}, "counts", "string"]
    )
    if depth > 7 or not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 6)) == 0:
        return draw(other)
    key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    made = value.copy()
    if draw(st.integers(0, 5)) == 0:
        del made[key]
    else:
        made[key] = mutate(draw, value[key], depth + 1)
    return made


@st.composite
def declarations(draw: Any) -> Any:
    return mutate(draw, PACKAGE)


def with_first(**changes: Any) -> dict[str, Any]:
    """Return the declaration with its first table changed."""
    return {**PACKAGE, "resources": [{**PACKAGE["resources"][0], **changes}, *PACKAGE["resources"][1:]]}


def test_a_declaration_of_tables_is_read_or_refused(folder: Path):
    path = folder / "datapackage.json"
    before = path.read_bytes()

    @settings(profile)
    @given(declarations())
    @example(with_first(name=None))
    @example(with_first(name=[]))
    @example(with_first(name="counts", schema={"fields": [{"name": "a"}], "primaryKey": ["a", None]}))
    @example({**PACKAGE, "uniqueOverTables": [1]})
    def run(package: Any) -> None:
        path.write_text(json.dumps(package), encoding="utf-8")
        outcome("data.read_schema", lambda: load(folder))

    try:
        run()
    finally:
        path.write_bytes(before)


plain = st.recursive(
    st.one_of(words, st.integers(), st.floats(), st.booleans(), st.none(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
names = st.one_of(st.sampled_from([spec.name for spec in PARAMETERS]), words)
given_values = st.dictionaries(names, plain, max_size=4)
TRICKS = (
    "a: &x [1]\nb: *x\n", "!!python/object/apply:os.system ['true']\n", "parameters: {alpha: 0.1, alpha: 0.2}\n",
    "[" * 5000, "- " * 3000 + "x", "parameters: {1: 2}\n", "a: !!binary aGk=\n", "\ufeffparameters: {}\n", "---\n---\n",
    "parameters:\n  data_dir: \"a\\0b\"\n", "title: \"\\u202e\"\nparameters: {}\n", "? [a]\n: b\n", "x" * 200_000, "\x00", f"parameters: {{confidence_level: 0x{'f' * 6000}}}\n", f"parameters: {{rounding: {'9' * 6000}}}\n", "\t- a: b",
)  # fmt: skip


def test_a_scenario_or_a_grid_is_read_or_refused(tmp_path: Path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "default.yml").write_text("parameters: {}\n", encoding="utf-8")
    path = tmp_path / "mine.yml"

    @settings(profile)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(["scenario", "grid", "text", "trick", "bytes"]))
        if kind == "scenario":
            content = {
                "title": data.draw(plain),
                "reason": data.draw(words),
                "parameters": data.draw(given_values),
            }
            path.write_text(
                yaml.dump(content, allow_unicode=data.draw(st.booleans())), encoding="utf-8", errors="replace"
            )
        elif kind == "grid":
            axes = st.dictionaries(names, st.lists(plain, max_size=3), max_size=12)
            path.write_text(yaml.dump({"grid": data.draw(axes)}), encoding="utf-8", errors="replace")
        elif kind == "bytes":
            path.write_bytes(data.draw(st.binary(max_size=100)))
        else:
            text = data.draw(st.sampled_from(TRICKS)) if kind == "trick" else data.draw(st.text(max_size=200))
            path.write_text(text, encoding="utf-8", errors="replace")
        read = outcome("scenarios.read_scenario", lambda: read_scenario(str(path), tmp_path))
        assert read is None or all(
            spec.faults(read.parameters.values()[spec.name]) == [] for spec in PARAMETERS
        )
        outcome("build.read_grid", lambda: read_grid(path, tmp_path))

    run()


def test_a_name_of_a_scenario_leads_nowhere_but_to_its_folder(tmp_path: Path):
    (tmp_path / "scenarios").mkdir()
    outside = (
        "../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "x\0y",
        "..",
        ".",
        "",
        "~",
        "a" * 300,
        "con",
        "NUL",
        "a.b",
        "a b",
        "é",
    )

    @settings(profile)
    @given(st.one_of(st.sampled_from(outside), st.text(string.printable, max_size=30)))
    def run(name: str) -> None:
        read = outcome("scenarios.name", lambda: read_scenario(name, tmp_path))
        assert read is None or NAME.fullmatch(read.name)

    run()


def test_a_parameter_given_on_the_command_line_is_read_or_refused():
    @settings(profile)
    @given(st.dictionaries(names, st.one_of(words, plain, st.sampled_from(EVIL)), max_size=3))
    @example({"proportion_method": np.array([1.0, 2.0])})
    @example({"confidence_level": 10**400, "rounding": 10**5000, "outcome_threshold": 10**400})
    def run(values: dict[str, Any]) -> None:
        outcome("parameters.parse", lambda: Parameters.parse(values))

    run()


HOSTILE = (
    '"',
    "'",
    "\\",
    "\n",
    "\r",
    "\u2028",
    "\x85",
    '"""',
    "{x}",
    "%s",
    "#",
    "\\N{DASH}",
    "x\\",
    "\ud800",
    "\0",
    "'); import os  #",
)


@settings(profile)
@given(st.one_of(st.sampled_from(HOSTILE), st.text(), st.lists(st.sampled_from(HOSTILE)).map("".join)))
def test_a_text_injected_into_a_notebook_stays_a_text(text: str):
    code = PythonTranslator.codify({"data_dir": text})
    outcome("papermill.codify", lambda: code)
    tree = ast.parse(code)
    assert [type(node) for node in tree.body] == [ast.Assign]
    assert ast.literal_eval(tree.body[0].value) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", [one for one in HOSTILE if not one.isprintable()])
def test_a_text_that_cannot_be_printed_is_no_parameter(text: str):
    with pytest.raises(ParameterError, match="data_dir"):
        Parameters.parse({"data_dir": f"data{text}"})


@settings(profile)
@given(st.one_of(st.text(), st.text("'=+-@1.a|! \t\r", max_size=8)))
def test_a_text_in_a_download_can_always_be_taken_back(text: str):
    outcome("data.harmless", lambda: harmless(text))
    assert literal(harmless(text)) == text


BOOK = """\
project: {type: book}
lang: en-GB
book: {title: Fuzz, author: Nobody, output-file: report, chapters: [index.ipynb]}
format: {html: {}, typst: {}}
"""
markup = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(
        ["```", "~~~", "::: {.x}", ":::", "# ", "|a|", "|--|", "<b", ">", "[", "](", ")", "{", "}", "$", "$$", "`", "\n", "\n\n", " ",
         "@fig-a", "[^1]", "{{< var x >}}", "{{< include x >}}", "{=html}", "---", "<!--", "\\", "*", "_", "#| label: x", "x: y", "- ", "1. ", "\t"]
    ), max_size=14).map("".join),
)  # fmt: skip
junk = st.sampled_from([None, 3, [], {}, "x", ["a", "b"], [1], {"a": 1}, True])
output = st.one_of(
    st.fixed_dictionaries({"output_type": st.just("stream"), "text": st.one_of(markup, st.lists(markup, max_size=3), junk)}),
    st.fixed_dictionaries({"output_type": st.sampled_from(["display_data", "execute_result"]), "metadata": st.one_of(junk, st.just({"evidence": {"csv": "a\n1\n"}})), "data": st.one_of(junk, st.dictionaries(st.sampled_from(["text/markdown", "text/plain", "image/png", "image/svg+xml", "text/html"]), st.one_of(markup, st.binary(max_size=9).map(lambda b: base64.b64encode(b).decode()), junk), max_size=2))}),
    st.fixed_dictionaries({"output_type": st.just("error"), "ename": markup}),
    junk,
)  # fmt: skip
LABELS = (
    "fig-a",
    "tbl-a",
    "tbl-../x",
    "../../x",
    "/x",
    "tbl-a/b",
    "tbl-\\x",
    "fig-a\0",
    "..",
    "3",
    "[a]",
    "{a: 1}",
    "'fig- a'",
    "fig-a.b",
)
drawn = st.just(
    {
        "output_type": "display_data",
        "data": {"image/svg+xml": "<svg/>"},
        "metadata": {"evidence": {"csv": "a\n1\n"}},
    }
)
labelled = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "outputs": st.lists(drawn, max_size=2),
        "source": st.one_of(st.just("1"), st.sampled_from(LABELS).map("#| label: {}\n1".format)),
        "metadata": st.one_of(st.just({}), st.sampled_from(LABELS).map(lambda one: {"label": one})),
    }
)
shown = st.dictionaries(st.sampled_from(["text/markdown", "text/plain"]), markup, min_size=1).map(
    lambda data: {"output_type": "display_data", "data": data}
)
whole_cell = st.one_of(
    labelled,
    st.fixed_dictionaries({"cell_type": st.just("markdown"), "source": markup}),
    st.fixed_dictionaries(
        {"cell_type": st.just("code"), "source": st.just("1"), "outputs": st.lists(shown, max_size=2)}
    ),
)
notebook_cell = st.one_of(
    labelled,
    st.fixed_dictionaries({"cell_type": st.sampled_from(["markdown", "markdown", "raw", "code", "other"]), "source": st.one_of(markup, st.lists(markup, max_size=3), junk), "metadata": st.one_of(junk, st.just({"fig-cap": "A *cap*"})), "outputs": st.one_of(st.lists(output, max_size=3), junk)}),
    junk,
)  # fmt: skip


def test_a_notebook_becomes_text_or_faults(tmp_path: Path):
    book = Book(tmp_path, "Fuzz", (Chapter("index.ipynb"),))

    @settings(profile)
    @given(st.one_of(st.fixed_dictionaries({"cells": st.lists(notebook_cell, max_size=4)}), plain))
    def run(content: Any) -> None:
        (tmp_path / "index.ipynb").write_text(
            json.dumps(content, default=str), encoding="utf-8", errors="replace"
        )
        source = outcome("render.read_source", lambda: read_source(book, book.chapters[0]))
        assert all(str(fault) for fault in source.faults)
        for place in (*source.media, *source.downloads):
            assert len(parts := PurePosixPath(place).parts) == 2, place
            assert not {"..", "/"} & set(parts), place
            assert "\\" not in place, place
            assert "\0" not in place, place

    run()


def test_pandoc_takes_whatever_a_notebook_becomes(tmp_path: Path):
    title = {"cell_type": "markdown", "source": "# Fuzz {.unnumbered}"}
    (tmp_path / "_quarto.yml").write_text(BOOK, encoding="utf-8")

    @settings(profile, max_examples=DEAR)
    @given(st.lists(whole_cell, min_size=1, max_size=6))
    def run(cells: list[dict[str, Any]]) -> None:
        (tmp_path / "index.ipynb").write_text(json.dumps({"cells": [title, *cells]}), encoding="utf-8")
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        pages = functools.partial(render, tmp_path, tmp_path / "out", formats=("html",), renderer="builtin")
        outcome("render.pandoc", pages)

    run()
