import io
import subprocess
import sys

import pandas as pd
import pytest

from evidence.display import Cell, Column, Prose, Table, rates_figure, rates_table, representation, show

TABLE = Table((Column("A"),), ((Cell("1"),),), "Caption *x*", "Note.", pd.DataFrame({"a": [1 / 3]}))


def test_a_table_is_markdown_and_plain_text_and_no_html():
    bundle, metadata = representation(TABLE)
    assert set(bundle) == {"text/markdown", "text/plain"}
    assert metadata["evidence"]["kind"] == "table"
    assert metadata["evidence"]["csv"] == "a\n0.3333333333\n"
    assert metadata["evidence"]["caption"] == r"Caption \*x\*"


def test_a_figure_is_svg_with_caption_and_alt_in_its_metadata(data, parameters):
    bundle, metadata = representation(
        rates_figure(data, parameters, study_id="pilot", outcome_ids=["complete_response"])
    )
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<?xml")
    assert "<text" not in bundle["image/svg+xml"], (
        "letters are outlines, so that every machine shows the same"
    )
    assert "21.9%" in metadata["evidence"]["alt"]
    assert metadata["evidence"]["csv"].startswith("row_id,")


def test_prose_is_markdown():
    bundle, metadata = representation(Prose("One **sentence**."))
    assert bundle["text/markdown"] == bundle["text/plain"] == "One **sentence**."
    assert metadata["evidence"]["kind"] == "prose"


def test_the_same_figure_is_the_same_bytes(data, parameters):
    made = [
        representation(rates_figure(data, parameters, study_id="pilot", outcome_ids=["complete_response"]))
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert "<dc:date>" not in made[0][0]["image/svg+xml"]


def test_the_csv_reads_back_as_the_values_in_the_cells(data, parameters):
    table = rates_table(data, parameters, study_id="pilot", outcome_ids=["complete_response"])
    csv = pd.read_csv(io.StringIO(representation(table)[1]["evidence"]["csv"]))
    shown = [f"{100 * value:.1f}%" for value in csv["estimate"]]
    assert [row[-1].text.split(" ")[0] for row in table.rows] == shown
    counts = [f"{events}/{n}" for events, n in zip(csv["events"], csv["n"], strict=True)]
    assert [row[1].text for row in table.rows] == counts
    assert [row[1].rows[0] for row in table.rows] == list(csv["row_id"])


def test_show_publishes_to_the_running_notebook(monkeypatch: pytest.MonkeyPatch):
    import IPython.display

    calls: list[tuple[object, dict[str, object]]] = []
    monkeypatch.setattr(IPython.display, "display", lambda item, **options: calls.append((item, options)))
    show(TABLE)
    ((bundle, options),) = calls
    assert set(bundle) == {"text/markdown", "text/plain"}
    assert options["raw"] is True
    assert options["metadata"]["evidence"]["kind"] == "table"


def test_importing_the_display_brings_no_plotting_library():
    code = "import sys, evidence.display as d; d.Table; print('matplotlib' in sys.modules, 'seaborn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
