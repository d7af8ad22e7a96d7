"""Every kind of fault, each with its file, physical line, column, value and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.data import load
from evidence.errors import Fault

from .conftest import Folder, faults_in


def only(faults: tuple[Fault, ...]) -> Fault:
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]


def append(path: Path, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(path.read_bytes() + content)


def test_a_folder_with_only_the_fixed_columns_loads(folder: Folder):
    folder.count(events=7, n=32, n_basis="header", percent="21.9")
    assert folder.load().counts["note"].tolist() == [""]


def test_a_folder_with_headers_alone_loads(tmp_path: Path):
    dataset = Folder(tmp_path / "data").load()
    assert all(frame.empty for frame in dataset.tables.values())


def test_a_missing_folder_is_named(tmp_path: Path):
    assert "no such folder" in str(only(faults_in(tmp_path / "nowhere")))


def test_a_missing_table_is_named(folder: Folder):
    (folder.write() / "certainty.csv").unlink()
    assert str(only(faults_in(folder.path))).startswith("data/certainty.csv: the table is missing")


def test_an_unreadable_table_is_named(folder: Folder):
    (folder.write() / "certainty.csv").unlink()
    (folder.path / "certainty.csv").mkdir()
    assert "cannot be read" in only(faults_in(folder.path)).mend


def test_text_that_is_not_utf8_names_line_and_byte(folder: Folder):
    path = folder.write() / "certainty.csv"
    position = len(path.read_bytes())
    append(path, b"caf\xe9,,,,\n")
    fault = only(faults_in(folder.path))
    assert (fault.line, fault.value) == (2, f"byte 0xe9 at position {position + 3}")


def test_a_byte_order_mark_is_tolerated(folder: Folder):
    path = folder.write() / "studies.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(folder.path).studies["study_id"].tolist() == ["alpha"]


def test_windows_line_ends_and_blank_lines_are_tolerated(folder: Folder):
    path = folder.write() / "studies.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert load(folder.path).studies["study_id"].tolist() == ["alpha"]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_a_fault(folder: Folder, content: str):
    (folder.write() / "certainty.csv").write_text(content, encoding="utf-8")
    assert only(faults_in(folder.path)).mend.startswith("the file is empty")


def test_an_unclosed_quotation_mark_names_the_line_where_its_row_begins(folder: Folder):
    append(folder.write() / "certainty.csv", '\nx,y,1,"open\nand on\n')
    fault = only(faults_in(folder.path))
    assert fault.line == 3
    assert "quotation marks" in fault.mend


def test_a_missing_column_and_its_misspelling_are_named_together(folder: Folder):
    path = folder.write() / "counts.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("analysis_set", "analysis_sets"), encoding="utf-8"
    )
    missing, stray = sorted(faults_in(folder.path), key=lambda fault: fault.column)
    assert (missing.line, missing.column, missing.mend) == (
        1,
        "analysis_set",
        "the column is missing; add it to the header",
    )
    assert stray.mend.startswith("no such column; rename it or declare it")
    assert stray.mend.endswith("did you mean 'analysis_set'?")


def test_a_column_that_stands_twice_is_a_fault(folder: Folder):
    path = folder.write() / "certainty.csv"
    path.write_text("question_id,domain,levels,reason,reviewer,reason\n", encoding="utf-8")
    assert only(faults_in(folder.path)).mend.startswith("the column stands twice")


def test_semicolons_instead_of_commas_are_one_fault_on_the_header(folder: Folder):
    path = folder.write() / "certainty.csv"
    path.write_text("question_id;domain;levels;reason;reviewer\n", encoding="utf-8")
    assert faults_in(folder.path)[0].mend == "separate the columns with commas"


def test_a_ragged_row_says_how_many_fields_it_has(folder: Folder):
    append(folder.write() / "certainty.csv", "one,two,three\n")
    fault = only(faults_in(folder.path))
    assert (fault.line, fault.value) == (2, "3 fields")
    assert "the header has 5" in fault.mend


def test_a_name_too_many_in_the_header_is_told_once_and_not_for_every_row(folder: Folder):
    path = folder.write() / "certainty.csv"
    path.write_text("question_id,domain,levels,reason,reviewer,stray\n" + "a,b,1,c,d\n" * 3, encoding="utf-8")
    width, stray = faults_in(folder.path)
    assert (stray.line, stray.column) == (1, "stray")
    assert (width.line, width.value) == (1, "6 names")
    assert width.mend.startswith("each of the 3 rows has 5 fields")


def test_a_ragged_row_does_not_orphan_the_rows_that_refer_to_it(folder: Folder):
    folder.count(events=7)
    append(folder.write() / "studies.csv", "one,two\n")
    assert only(faults_in(folder.path)).file == "data/studies.csv"


def test_lines_are_counted_as_an_editor_counts_them(folder: Folder):
    folder.count(events=7, locator="Table 1,\nrow Response,\nnote a")
    folder.count(events="seven")
    assert only(folder.faults()).line == 5


@pytest.mark.parametrize(
    ("column", "value", "mend"),
    [
        ("events", "seven", "write a whole number"),
        ("events", "7.0", "write a whole number"),
        ("events", "1,000", "write a whole number"),
        ("events", "٧", "write a whole number"),
        ("events", "9" * 30, "write a whole number"),
        ("events", "-1", "must be at least 0"),
        ("n", "99999999", "must be at most 1e+07"),
        ("time", "3 months", "write a number"),
        ("time", "nan", "write a number"),
        ("time", "inf", "write a number"),
        ("interval_level", "0.2", "must be at least 0.5"),
        ("percent", "21.9%", "write it in the form"),
        ("percent", "121.9", "must be at most 100"),
        ("basis", "printd", "allowed are printed, derived, assumed; did you mean 'printed'?"),
        ("basis", "", "give a value"),
        ("analysis_set", "everyone", "allowed are enrolled"),
        ("locator", "", "give a value"),
        ("locator", " Table 1", "remove the blanks around it"),
        ("row_id", "a~b", "write it in the form"),
        ("source_id", "papers", "no such source_id in data/sources.csv"),
        ("outcome_id", "respons", "did you mean 'response'?"),
        ("arm_id", "knew", "no such arm_id of alpha in data/arms.csv"),
        ("subgroup", "severity", "give level as well"),
        ("level", "severe", "give subgroup as well"),
    ],
)
def test_a_wrong_value_is_named_with_its_mend(folder: Folder, column: str, value: str, mend: str):
    folder.count(**{"events": 1, "time_unit": "month", column: value})
    fault = only(folder.faults())
    assert (fault.file, fault.line, fault.column) == ("data/counts.csv", 2, column)
    assert fault.value.strip("'") == value
    assert mend in fault.mend


def test_an_unknown_study_is_one_fault_and_not_two(folder: Folder):
    folder.count(events=1, study_id="alpah")
    fault = only(folder.faults())
    assert (fault.column, fault.value) == ("study_id", "alpah")
    assert fault.mend.endswith("did you mean 'alpha'?")


def test_a_study_without_arms_has_no_arm_to_refer_to(folder: Folder):
    folder.add("studies", study_id="beta", label="Study Beta")
    folder.count(events=1, study_id="beta")
    assert only(folder.faults()).column == "arm_id"


def test_a_study_may_not_be_part_of_one_that_does_not_exist(folder: Folder):
    folder.add("studies", study_id="beta", label="Study Beta", parent_study_id="gamma")
    assert only(folder.faults()).column == "parent_study_id"


def test_more_events_than_patients_is_a_fault(folder: Folder):
    folder.count(events=17, n=15)
    expected = "data/counts.csv:2 events 17: exceeds n 15; correct the row or leave events empty"
    assert str(only(folder.faults())) == expected


def test_a_count_without_events_n_and_percent_is_a_fault(folder: Folder):
    folder.count()
    assert only(folder.faults()).mend == "give at least one of events, n, percent"


def test_an_interval_upside_down_is_a_fault(folder: Folder):
    folder.add("measurements", value="44", low="69", high="13")
    assert only(folder.faults()).mend.startswith("exceeds high 13")


def test_an_open_limit_is_not_compared(folder: Folder):
    folder.add("measurements", value="44", low=">12", high="3")
    assert folder.load().measurements["low"].tolist() == [">12"]


def test_a_time_without_unit_is_a_fault(folder: Folder):
    folder.count(events=1, time=3)
    assert only(folder.faults()).mend == "give time_unit as well"


@pytest.mark.parametrize("character", ["\x00", "\x07", "\t", "\u202e", "\u200b", "\u2066", "\xad"])
def test_invisible_characters_are_refused(folder: Folder, character: str):
    folder.count(events=1, locator=f"Table{character}1")
    fault = only(folder.faults())
    assert (fault.line, fault.column, fault.value) == (2, "locator", f"U+{ord(character):04X}")
    assert character not in str(fault)


def test_a_key_given_twice_names_the_first_line(folder: Folder):
    folder.add("arms", label="Again")
    fault = only(folder.faults())
    assert (fault.line, fault.column, fault.value) == (4, "study_id, arm_id", "alpha, new")
    assert fault.mend.startswith("already on line 2")


def test_a_row_id_given_twice_in_a_table_is_one_fault(folder: Folder):
    folder.count(events=1, row_id="x-c001")
    folder.count(events=2, row_id="x-c001")
    assert only(folder.faults()).column == "row_id"


def test_a_row_id_given_in_two_tables_is_a_fault(folder: Folder):
    folder.count(events=1, row_id="x-001")
    folder.add("tests", p="0.05", row_id="x-001")
    fault = only(folder.faults())
    assert fault.file == "data/tests.csv"
    assert fault.mend.startswith("already used in data/counts.csv:2")


@pytest.mark.parametrize(("table", "column"), [("tests", "arms"), ("claims", "arms"), ("arms", "combines")])
def test_each_arm_of_a_list_must_exist(folder: Folder, table: str, column: str):
    extra = {"arms": {"arm_id": "both"}, "tests": {"p": "0.05"}, "claims": {}}[table]
    folder.add(table, **{column: "new|odl"}, **extra)
    fault = only(folder.faults())
    assert (fault.file, fault.column, fault.value) == (f"data/{table}.csv", column, "odl")
    assert fault.mend.endswith("did you mean 'old'?")


def test_every_fault_is_reported_at_once_by_file_and_line(folder: Folder):
    folder.count(events=17, n=15)
    folder.count(basis="guessed")
    folder.add("tests", p="small", arms="new")
    (folder.write() / "certainty.csv").write_bytes(b"")
    faults = faults_in(folder.path)
    places = [(fault.file, fault.line, fault.column) for fault in faults]
    assert places == [
        ("data/certainty.csv", 0, ""),
        ("data/counts.csv", 2, "events"),
        ("data/counts.csv", 3, "events"),
        ("data/counts.csv", 3, "basis"),
        ("data/tests.csv", 2, "p"),
    ]


def test_a_long_value_is_shortened_in_the_message(folder: Folder):
    folder.count(events=1, time_unit="month " * 50 + "x")
    assert len(only(folder.faults()).value) <= 60


def test_an_undeclared_file_is_a_warning(folder: Folder):
    folder.write()
    (folder.path / "notes.csv").write_text("a\n", encoding="utf-8")
    (warning,) = load(folder.path).warnings
    assert warning.file == "data/notes.csv"
