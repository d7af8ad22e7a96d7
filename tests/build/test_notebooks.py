import nbformat
import pytest
from nbformat import v4

from evidence.build.notebooks import declared_values, read_notebook, settle, specialise, to_text
from evidence.errors import BuildError


def notebook(*cells):
    made = v4.new_notebook(cells=list(cells))
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return made


def test_declared_values_come_from_the_tagged_cell_alone():
    tagged = v4.new_code_cell('alpha = 0.05\nname = "x"', metadata={"tags": ["parameters"]})
    made = notebook(v4.new_code_cell("other = 1"), tagged)
    assert declared_values(made) == {"alpha": 0.05, "name": "x"}


def test_a_notebook_declares_plain_values_and_may_declare_none():
    assert declared_values(notebook(v4.new_code_cell("alpha = 0.05"))) == {}
    tagged = v4.new_code_cell('"""Words."""\nalpha: float = 1\nbeta = 2', metadata={"tags": ["parameters"]})
    assert declared_values(notebook(tagged)) == {"beta": 2}


def test_settle_lifts_caption_and_alt_text_of_a_figure_to_its_cell():
    said = {"kind": "figure", "caption": "A caption.", "alt": "Alt 1.", "csv": "a\n1\n"}
    output = v4.new_output("display_data", {"text/plain": "x"}, metadata={"evidence": said})
    made = settle(notebook(v4.new_code_cell("show(x)", outputs=[output])))
    assert made.cells[0].metadata == {"fig-cap": "A caption.", "fig-alt": "Alt 1."}


def test_settle_leaves_no_trace_of_when_and_where():
    made = notebook(v4.new_code_cell("1", metadata={"papermill": {"duration": 1.0}, "execution": {"a": "b"}}))
    made.metadata.update(
        papermill={"start_time": "now"}, language_info={"name": "python", "version": "3.11.7"}
    )
    text = to_text(settle(made))
    assert "papermill" not in text
    assert "3.11.7" not in text
    assert 'execution"' not in text


def test_settle_puts_together_what_was_printed_in_pieces():
    def said(name, text):
        return v4.new_output("stream", name=name, text=text)

    shown = v4.new_output("display_data", {"text/plain": "x"})
    pieces = [said("stdout", "a\n"), said("stdout", "b\n"), said("stderr", "c"), said("stdout", "d"), shown]
    again = [said("stdout", "e"), said("stdout", "f\n"), said("stdout", "g")]
    found = settle(notebook(v4.new_code_cell("1", outputs=[*pieces, *again]))).cells[0]["outputs"]
    assert [one.get("text", one["output_type"]) for one in found] == [
        "a\nb\n",
        "c",
        "d",
        "display_data",
        "ef\ng",
    ]
    assert [one.get("name") for one in found] == ["stdout", "stderr", "stdout", None, "stdout"]


def test_specialise_makes_title_labels_and_references_the_subjects_own():
    made = notebook(
        v4.new_markdown_cell("# One study {#sec-study}\n\nSee @tbl-results and @tbl-elsewhere."),
        v4.new_code_cell("#| label: tbl-results\nshow(t)"),
    )
    specialise(made, "trial_a", "Trial A")
    assert (
        made.cells[0].source
        == "# Trial A {#sec-study-trial_a}\n\nSee @tbl-results-trial_a and @tbl-elsewhere."
    )
    assert made.cells[1].source == "#| label: tbl-results-trial_a\nshow(t)"


def test_text_of_a_notebook_reads_back_the_same(tmp_path):
    made = notebook(v4.new_markdown_cell("# Hello"))
    (tmp_path / "a.ipynb").write_text(to_text(made), encoding="utf-8")
    assert to_text(nbformat.read(tmp_path / "a.ipynb", as_version=4)) == to_text(made)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"cells": 1}', "\x00", pytest.param("[" * 100_000, id="nested")]
)
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BuildError, match=r"broken\.ipynb"):
        read_notebook(path)
