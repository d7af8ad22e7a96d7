"""A fault of each kind goes in; its file, line, column, value and mend come out, all at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.data import load
from evidence.data.expectations import CHECKS
from evidence.errors import DataError

from .conftest import Folder, faults_in

KEEP = "check the row, keep it if it is printed so"
Change = Callable[[Folder], object]


def arm(folder: Folder, arm_id: str, **values: str | int) -> None:
    folder.add("arms", arm_id=arm_id, label=arm_id, **values)


def combined(folder: Folder) -> None:
    arm(folder, "one", combines="two", n="")
    arm(folder, "two", combines="three", n="")
    arm(folder, "three", combines="one", n="")


def parts(folder: Folder) -> None:
    folder.add("studies", study_id="beta", label="B", parent_study_id="gamma")
    folder.add("studies", study_id="gamma", label="C", parent_study_id="beta")


# What is wrong, and every message that it gives.
FAULTS: list[tuple[Change, list[str]]] = [
    (
        lambda f: arm(f, "both", combines="both|new"),
        ["data/arms.csv:4 combines both|new: names itself; it cannot be the sum of itself"],
    ),
    (
        combined,
        [
            f"data/arms.csv:{line} combines {value}: goes round in a circle ({way}); "
            "a row cannot be the sum of one that names it"
            for line, value, way in (
                (4, "two", "one to two to three to one"),
                (5, "three", "two to three to one to two"),
                (6, "one", "three to one to two to three"),
            )
        ],
    ),
    (
        lambda f: arm(f, "both", combines="new|new"),
        ["data/arms.csv:4 combines new: stands twice in the list; name each arm once"],
    ),
    (
        lambda f: f.add("tests", p="0.05", arms="new|new"),
        ["data/tests.csv:2 arms new: stands twice in the list; name each arm once"],
    ),
    (
        lambda f: f.add("studies", study_id="beta", label="B", parent_study_id="beta"),
        ["data/studies.csv:3 parent_study_id beta: names itself; it cannot be a part of itself"],
    ),
    (
        parts,
        [
            "data/studies.csv:3 parent_study_id gamma: goes round in a circle (beta to gamma to beta); "
            "a row cannot be a part of one that names it",
            "data/studies.csv:4 parent_study_id beta: goes round in a circle (gamma to beta to gamma); "
            "a row cannot be a part of one that names it",
        ],
    ),
    (
        lambda f: f.add("outcomes", outcome_id="sub", parent_id="sub"),
        ["data/outcomes.csv:5 parent_id sub: names itself; it cannot be a part of itself"],
    ),
    (
        lambda f: f.add("studies", study_id="Alpha", label="A"),
        [
            "data/studies.csv:3 study_id Alpha: differs from alpha on line 2 in capitals alone; "
            "give it a name of its own"
        ],
    ),
    (
        lambda f: f.add("tests", p="0.05", from_time=6, time=3, time_unit="month"),
        ["data/tests.csv:2 from_time 6: is later than time 3; from_time is the earlier of the two"],
    ),
    (
        lambda f: f.add("measurements", value="4", interval_level="1"),
        [
            "data/measurements.csv:2 interval_level 1: give a fraction below 1, such as 0.95, "
            "or the same in percent"
        ],
    ),
    (
        lambda f: f.add("measurements", value="4", interval_level="100"),
        [
            "data/measurements.csv:2 interval_level 100: give a fraction below 1, such as 0.95, "
            "or the same in percent"
        ],
    ),
    (
        lambda f: f.add("measurements", value="4", interval_level="1.5"),
        [
            "data/measurements.csv:2 interval_level 1.5: give a fraction below 1, such as 0.95, "
            "or the same in percent"
        ],
    ),
    (
        lambda f: f.count(events=1, time=-1, time_unit="month"),
        ["data/counts.csv:2 time -1: must be at least 0"],
    ),
    (
        lambda f: f.count(events=1, time=1, time_unit="moon"),
        ["data/counts.csv:2 time_unit moon: allowed are hour, day, week, month, year, cycle; did you mean 'month'?"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "messages"), FAULTS, ids=[one[1][0][5:60] for one in FAULTS])
def test_a_row_that_cannot_be_right_is_a_fault(folder: Folder, change: Change, messages: list[str]):
    change(folder)
    assert [str(fault) for fault in folder.faults()] == messages


@pytest.mark.parametrize("study", ["../beta", "a/b", "a b", "b" * 81, "..\\b", "é"])
def test_a_study_that_no_page_can_be_called_by_is_a_fault_whatever_is_declared(folder: Folder, study: str):
    folder.add("studies", study_id=study, label="B")
    package = folder.write() / "datapackage.json"
    declared = json.loads(package.read_text(encoding="utf-8"))
    tables = {one["name"]: one["schema"]["fields"] for one in declared["resources"]}
    field = next(one for one in tables["studies"] if one["name"] == "study_id")
    del field["constraints"]["pattern"]
    package.write_text(json.dumps(declared), encoding="utf-8")
    (fault,) = faults_in(folder.path)
    assert (fault.file, fault.line, fault.column) == ("data/studies.csv", 3, "study_id")
    assert "names the study's page" in fault.mend


def twice(folder: Folder) -> None:
    folder.count(events=7, time_label="end")
    folder.count(events=7, time_label="end", note="again")


SLIPS: list[tuple[Change, list[str]]] = [
    (
        lambda f: f.add("measurements", value="44", low="50", high="60"),
        [f"data/measurements.csv:2 value 44: lies outside its interval 50 to 60; {KEEP}"],
    ),
    (
        lambda f: f.add("tests", effect="−1.2", low="-1.0", high="0.3"),
        [f"data/tests.csv:2 effect −1.2: lies outside its interval -1.0 to 0.3; {KEEP}"],
    ),
    (
        lambda f: arm(f, "both", combines="new|old", n=130),
        [f"data/arms.csv:4 n 130: new|old have 128 together; {KEEP}"],
    ),
    (
        lambda f: f.rows["studies"][0].update(n="100"),
        [f"data/studies.csv:2 n 100: its arms have 128 together; {KEEP}"],
    ),
    (
        lambda f: f.count(events=7, subgroup="severty", level="severe"),
        [
            "data/counts.csv:2 subgroup severty: no such outcome_id in data/outcomes.csv; define it there; "
            "did you mean 'severity'?"
        ],
    ),
    (
        twice,
        [
            "data/counts.csv:3 row_id counts-002: says the same as line 2; remove it, "
            "or name the other place in locator"
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "messages"), SLIPS, ids=[one[1][0][5:60] for one in SLIPS])
def test_a_row_that_is_mostly_a_slip_is_a_warning_and_loads(
    folder: Folder, change: Change, messages: list[str]
):
    change(folder)
    assert [str(warning) for warning in folder.load().warnings] == messages


def test_every_check_on_slips_is_tried_here():
    assert len(CHECKS) == 5


def test_a_question_that_nothing_can_answer_is_a_warning_with_the_nearest_name(folder: Folder):
    folder.rows["arms"][0].update(node="newdrug")
    folder.count(events=7)
    folder.add(
        "questions", question_id="q", title="Q", treatment="newdrugg", outcome_id="response",
        population="first", designs="cohort", analysis_set="treated|safety",
    )  # fmt: skip
    found = [str(warning) for warning in folder.load().warnings]
    assert found == [
        "data/questions.csv:2 analysis_set safety: matches no analysis_set in data/counts.csv",
        "data/questions.csv:2 designs cohort: matches no design in data/studies.csv",
        "data/questions.csv:2 population first: matches no population in data/studies.csv",
        "data/questions.csv:2 treatment newdrugg: matches no node in data/arms.csv; did you mean 'newdrug'?",
    ]


def test_a_citation_key_must_stand_in_the_bibliography_of_the_project(folder: Folder):
    folder.write()
    (folder.path.parent / "_quarto.yml").write_text("bibliography: refs.bib\n", encoding="utf-8")
    bibliography = folder.path.parent / "refs.bib"
    bibliography.write_text("@article{paper2021,\n title = {x}}\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load(folder.path)
    assert str(refused.value) == (
        "data/sources.csv:2 citekey paper2020: no such key in refs.bib; add the entry there; "
        "did you mean 'paper2021'?"
    )
    bibliography.write_text("@article{ paper2020 ,\n title = {x}}\n", encoding="utf-8")
    assert load(folder.path).warnings == ()


def test_an_unknown_citation_stands_among_the_faults_of_its_file(folder: Folder):
    folder.add("studies", study_id="two words", label="B")
    folder.write()
    (folder.path.parent / "_quarto.yml").write_text("bibliography: refs.bib\n", encoding="utf-8")
    (folder.path.parent / "refs.bib").write_text("", encoding="utf-8")
    found = [(one.file, one.column) for one in faults_in(folder.path)]
    assert found == [("data/sources.csv", "citekey"), ("data/studies.csv", "study_id")]


@pytest.mark.parametrize(
    "settings", ["[", "- 1", "bibliography: missing.bib", "bibliography: {a: 1}", "x: 1"]
)
def test_a_project_without_a_readable_bibliography_gives_no_warning(folder: Folder, settings: str):
    folder.write()
    (folder.path.parent / "_quarto.yml").write_text(settings, encoding="utf-8")
    assert load(folder.path).warnings == ()


# Encodings and line ends.


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_one_fault_that_says_so(folder: Folder, encoding: str):
    path = folder.write() / "studies.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    (fault,) = [one for one in faults_in(folder.path) if one.file == "data/studies.csv"]
    assert fault.mend == "not UTF-8 but UTF-16 or no text; save the file as UTF-8"


def test_every_line_that_is_not_utf_8_is_named(folder: Folder):
    path = folder.write() / "certainty.csv"
    path.write_bytes(path.read_bytes() + b"caf\xe9,,,,\nfine,,,,\nna\xefve,,,,\n")
    found = [(one.line, one.value[:9]) for one in faults_in(folder.path)]
    assert found == [(2, "byte 0xe9"), (4, "byte 0xef")]


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_rows_may_end_as_any_system_ends_them_and_keep_their_numbers(folder: Folder, end: bytes):
    folder.count(events=7, locator="Table 1,\nrow 1")
    folder.count(events="seven")
    path = folder.write() / "counts.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    assert [fault.line for fault in faults_in(folder.path)] == [4]


def test_columns_may_stand_in_any_order(folder: Folder):
    folder.count(events=7, n=32, n_basis="header", percent="21.9")
    path = folder.write() / "counts.csv"
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(",".join(reversed(row)) for row in rows) + "\n", encoding="utf-8")
    assert load(folder.path).counts["events"].tolist() == [7]


def test_a_field_beyond_all_size_is_a_fault_on_its_line(folder: Folder):
    path = folder.write() / "certainty.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n" + "x" * 200_000 + ",,,,\n", encoding="utf-8")
    (fault,) = faults_in(folder.path)
    assert (fault.line, "field larger than" in fault.mend) == (3, True)


def test_faults_before_a_broken_quotation_are_named_with_it(folder: Folder):
    folder.count(events="seven")
    path = folder.write() / "counts.csv"
    path.write_text(path.read_text(encoding="utf-8") + '"open\n', encoding="utf-8")
    assert [(one.line, one.column) for one in faults_in(folder.path)] == [(2, "events"), (3, "")]


def test_twenty_faults_of_twenty_kinds_are_told_at_once(folder: Folder):
    folder.add("studies", study_id="beta", label="", parent_study_id="beta", origin="sead")
    arm(folder, "both", combines="both", n="-3")
    folder.add("outcomes", outcome_id="bad id", label="Bad")
    folder.count(events=17, n=15)
    folder.count(events="x", row_id="counts-001")
    folder.count("respons", events=1, percent="200")
    folder.count(events=1, arm_id="nobody", time=3)
    folder.count()
    folder.count(events=1, locator="a\u200bb", subgroup="severity")
    folder.add("measurements", value="4", low="9", high="1", interval_level="1", time_unit="moon")
    folder.add("tests", p="small", arms="new|new", from_time=6, time=3, time_unit="month")
    folder.add("claims", study_id="nowhere")
    path = folder.write()
    (path / "certainty.csv").write_bytes(b"")
    (path / "protocols.csv").write_bytes(b"\xff\xfea\x00")
    (path / "definitions.csv").unlink()
    (path / "questions.csv").write_text("question_id;title\n", encoding="utf-8")
    nodes = path / "pathway_nodes.csv"
    nodes.write_text(nodes.read_text(encoding="utf-8") + "one,two\n", encoding="utf-8")
    mends = "\n".join(str(fault) for fault in faults_in(path))
    for told in (
        "studies.csv:3 label: give a value",
        "studies.csv:3 parent_study_id beta: names itself",
        "studies.csv:3 origin sead: allowed are",
        "arms.csv:4 combines both: names itself",
        "arms.csv:4 n -3: must be at least 0",
        "outcomes.csv:5 outcome_id bad id: write it in the form",
        "counts.csv:2 events 17: exceeds n 15",
        "counts.csv:3 events x: write a whole number",
        "counts.csv:3 row_id counts-001: already on line 2",
        "counts.csv:4 outcome_id respons: no such outcome_id",
        "counts.csv:4 percent 200: must be at most 100",
        "counts.csv:5 arm_id nobody: no such arm_id of alpha",
        "counts.csv:5 time 3",
        "counts.csv:6 events: give at least one of",
        "counts.csv:7 locator U+200B",
        "counts.csv:7 subgroup severity: give level as well",
        "measurements.csv:2 low 9: exceeds high 1",
        "measurements.csv:2 interval_level 1: give a fraction below 1",
        "measurements.csv:2 time_unit moon: allowed are",
        "tests.csv:2 p small: write it in the form",
        "tests.csv:2 arms new: stands twice",
        "tests.csv:2 from_time 6: is later than time 3",
        "claims.csv:2 study_id nowhere: no such study_id",
        "certainty.csv: the file is empty",
        "protocols.csv: not UTF-8 but UTF-16",
        "definitions.csv: the table is missing",
        "questions.csv:1 question_id;title: separate the columns with commas",
        "pathway_nodes.csv:2 2 fields: the header has",
    ):
        assert f"data/{told}" in mends, told


def test_the_command_leaves_with_2_and_names_every_fault(folder: Folder, capsys: pytest.CaptureFixture[str]):
    from evidence.cli import main

    folder.count(events=17, n=15)
    folder.count(events="x")
    path: Path = folder.write()
    with pytest.raises(SystemExit) as left:
        main(["check", str(path)])
    told = capsys.readouterr().err.splitlines()
    assert (left.value.code, len(told)) == (2, 2)
