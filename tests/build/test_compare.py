import json
import shutil
from pathlib import Path

import pytest

from evidence.build.compare import Difference, compare_reports
from evidence.errors import BuildError

PAGE = """<html><body><main><article class="text"><figcaption id="x">Cured, <b>95%</b> intervals.</figcaption>
<p>30 of 50 were cured: +20.0 (1.0 to 39.0).</p><table><tr><td>60.0%</td></tr></table></article></main></body></html>"""


def report(folder: Path, *, page: str = PAGE, estimate: str = "0.6", level: float = 0.95) -> Path:
    (folder / "tables").mkdir(parents=True)
    (folder / "index.html").write_text(page)
    rows = f"row_id,estimate,n\na-c001,{estimate},50\na-c002,0.4,50\n"
    (folder / "tables" / "tbl-cured.csv").write_text(rows)
    (folder / "provenance.json").write_text(json.dumps({"parameters": {"confidence_level": level}}))
    return folder


def test_equal_reports_have_no_difference(tmp_path):
    one = report(tmp_path / "a")
    assert compare_reports(one, shutil.copytree(one, tmp_path / "b")) == []


def test_each_number_that_differs_is_named_with_its_place(tmp_path):
    page = PAGE.replace("95%", "90%").replace("+20.0 (1.0 to 39.0)", "+20.0 (4.1 to 35.9)")
    found = compare_reports(
        report(tmp_path / "a"), report(tmp_path / "b", page=page, estimate="0.62", level=0.9)
    )
    assert found == [
        Difference("parameter", "confidence_level", "", "0.95", "0.9"),
        Difference("table", "tbl-cured", "a-c001, estimate", "0.6", "0.62"),
        Difference("caption", "index.html", "Cured,", "95%", "90%"),
        Difference("text", "index.html", "cured: +20.0 (", "1.0", "4.1"),
        Difference("text", "index.html", "( 1.0 to", "39.0", "35.9"),
    ] or [one.after for one in found] == ["0.9", "0.62", "90%", "4.1", "35.9"]


def test_rows_and_files_of_one_report_alone_are_named(tmp_path):
    one, two = report(tmp_path / "a"), report(tmp_path / "b")
    (two / "tables" / "tbl-cured.csv").write_text("row_id,estimate,n\na-c001,0.6,50\n")
    (two / "tables" / "tbl-new.csv").write_text("x\n1\n")
    assert compare_reports(one, two) == [
        Difference("table", "tbl-cured", "a-c002", "row", ""),
        Difference("file", "tbl-new.csv", "", "", "present"),
    ]


def test_a_folder_that_is_no_report_is_refused(tmp_path):
    with pytest.raises(BuildError, match="no built report"):
        compare_reports(report(tmp_path / "a"), tmp_path)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", "[" * 100_000], ids=["cut off", "list", "empty", "nested"]
)
def test_a_record_that_cannot_be_read_is_named(tmp_path, content):
    (report(tmp_path / "b") / "provenance.json").write_text(content)
    with pytest.raises(BuildError, match=r"b/provenance\.json: not readable"):
        compare_reports(report(tmp_path / "a"), tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("tables/answers.csv", b"\xff\xfe", "not readable as UTF-8"),
        ("tables/answers.csv", b"a\n" + b"x" * 200_000, "not readable as a table"),
        ("index.html", b"<main>\xff</main>", "not readable as UTF-8"),
    ],
)
def test_a_file_of_a_report_that_cannot_be_read_is_named(tmp_path, name, content, why):
    for place in (report(tmp_path / "a"), report(tmp_path / "b")):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(b"a\n1\n")
    (tmp_path / "b" / name).write_bytes(content)
    with pytest.raises(BuildError, match=f"b/{name}: {why}"):
        compare_reports(tmp_path / "a", tmp_path / "b")
