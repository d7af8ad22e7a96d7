"""What is noted of a dataset, and when a noted thing counts as changed."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

from evidence import reads
from evidence.data import Dataset, load
from evidence.reads import ABSENT, Fingerprints, parse

from .conftest import TABLES, write_tables

SECOND = {"study_id": "trial_b", "label": "Trial B"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tables = {**TABLES, "studies": [*TABLES["studies"], TABLES["studies"][0] | SECOND]}
    for name in ("arms", "counts"):
        tables[name] = [*TABLES[name], *(row | {"study_id": "trial_b"} for row in TABLES[name])]
    write_tables(tmp_path / "data", tables)
    (tmp_path / "_quarto.yml").write_text("")
    return tmp_path


@pytest.fixture
def noted(root: Path, monkeypatch):
    """Note this process's reads as a kernel does, and return a function that gives those since last asked."""
    monkeypatch.setattr(reads.sys, "addaudithook", lambda hook: None)
    notes = root / "notes"
    reads.begin(str(notes), str(root))
    place = [0]

    def since() -> set[tuple]:
        found = parse(notes.read_text().splitlines()).reads[place[0] :]
        place[0] += len(found)
        return {read[:1] + read[2:] for read in found}

    yield since
    monkeypatch.setattr(reads._NOTES, "handle", None)


@pytest.fixture
def data(root: Path, noted) -> Dataset:
    found = load(root / "data")
    assert noted() == {("file",)}
    return found


SHARED = {("rows", "sources", None), ("rows", "outcomes", None)}


def of(study: str | None, *tables: str) -> set[tuple]:
    studies = (study,) if study is None else (study, "")
    return {("rows", table, one) for table in (*tables, "arms", "studies") for one in studies} | SHARED


def test_a_table_taken_is_a_table_read(data, noted):
    assert len(data.counts) == 4
    assert noted() == of(None, "counts")
    assert len(data.tests) == 0
    assert noted() == {("rows", "tests", None)}


def test_rows_selected_by_study_are_those_of_the_study(data, noted):
    assert len(data.select("counts", study_id="trial_a")) == 2
    assert noted() == of("trial_a", "counts")
    assert len(data.select("counts", arm_id="drug")) == 2
    assert noted() == of(None, "counts") - SHARED


def test_a_narrowed_dataset_reads_only_its_studies(data, noted):
    part = data.only(data.family("trial_b"))
    assert noted() == of("trial_b", "studies") | {("match", "parent_study_id", ("trial_b",))}
    assert part.counts.index.tolist() == [0, 1]
    assert noted() == {read for read in of("trial_b", "counts") if read[1] == "counts"}
    assert not part.measurements.shape[0]
    assert {read[2] for read in noted()} == {"trial_b", ""}


def test_studies_chosen_by_what_they_are_depend_on_the_choice_alone(data, noted):
    part = data.where(indication="SAA", population=["adults"])
    assert noted() == {("match", "indication", ("SAA",)), ("match", "population", ("adults",))}
    assert len(part.counts) == 4
    assert ("rows", "counts", None) not in noted()
    data.where(randomised="yes")
    assert ("rows", "studies", None) in noted()


def test_labels_and_places_are_read_by_study(data, noted):
    assert data.label("studies", "trial_b") == "Trial B"
    assert noted() == of("trial_b", "studies")
    data.locate("doc-c001")
    assert {read for read in noted() if read[1] == "counts"} == {
        ("rows", "counts", "trial_a"),
        ("rows", "counts", ""),
    }


def test_a_dataset_about_outcomes_reads_the_counts_of_these_alone(data, noted):
    about = data.about(["cured"])
    assert noted() == set()
    assert len(about.counts) == 4
    assert noted() == {("counts", "cured", None, (True, True, False))}
    assert len(about.only(["trial_a"]).counts) == 2
    assert ("counts", "cured", "trial_a", (True, True, False)) in noted()
    assert data.about(["relapsed"]).counts.empty


def test_counts_of_an_outcome_change_with_what_they_are_derived_from(root):
    asked = [
        ("counts", "data", "cured", study, (True, True, False)) for study in (None, "trial_a", "trial_b")
    ]
    before = [Fingerprints(root).of(read) for read in asked]
    assert ABSENT not in before
    path = root / "data" / "counts.csv"
    text = path.read_text()
    path.write_text(text.replace("trial_b,", "trial_b ,", 1))
    assert [Fingerprints(root).of(read) for read in asked] == [ABSENT] * 3
    path.write_text(changed_last_note(text))
    after = [Fingerprints(root).of(read) for read in asked]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, False]
    assert Fingerprints(root).of(("counts", "data", "relapsed", None, (True, True, False))) == ABSENT


def changed_last_note(text: str) -> str:
    """Return a table with another place of reading in its last row, which is of the second trial."""
    rows = list(csv.DictReader(io.StringIO(text)))
    rows[-1]["locator"] += ", corrected"
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_what_depends_on_all_tables_reads_all_of_them(data, noted):
    assert data.digest
    assert {("rows", name, None) for name in ("counts", "claims", "pathway_edges")} <= noted()


def test_a_copy_is_no_reading_but_what_is_taken_of_it_is(data, noted):
    from dataclasses import replace

    copy = replace(data, warnings=())
    assert noted() == set()
    assert len(copy.claims) == 0
    assert ("rows", "claims", None) in noted()


def fingerprint(root: Path, *read: object) -> str:
    return Fingerprints(root).of(tuple(read))


def test_a_fingerprint_changes_with_its_rows_alone(root):
    before = {
        study: fingerprint(root, "rows", "data", "counts", study)
        for study in (None, "trial_a", "trial_b", "x")
    }
    path = root / "data" / "counts.csv"
    path.write_text(path.read_text().replace("trial_b,drug", "trial_b,placebo", 1))
    after = {study: fingerprint(root, "rows", "data", "counts", study) for study in before}
    assert [study for study in before if before[study] != after[study]] == [None, "trial_b"]
    assert before["x"] == ABSENT


def test_another_column_changes_every_fingerprint_of_its_table(root):
    before = fingerprint(root, "rows", "data", "counts", "trial_a")
    path = root / "data" / "counts.csv"
    path.write_text(
        "\n".join(f"{line},{'more' if not n else ''}" for n, line in enumerate(path.read_text().splitlines()))
    )
    assert fingerprint(root, "rows", "data", "counts", "trial_a") != before


def test_a_choice_changes_when_other_studies_fit_it(root):
    read = ("match", "data", "indication", ("SAA",))
    before = fingerprint(root, *read)
    path = root / "data" / "studies.csv"
    path.write_text(path.read_text().replace("Trial B", "Trial Bee"))
    assert fingerprint(root, *read) == before
    path.write_text(path.read_text().replace("Trial Bee,SAA", "Trial Bee,ITP"))
    assert fingerprint(root, *read) != before


def test_files_and_folders_have_fingerprints_and_a_lost_one_is_absent(root):
    (root / "a.txt").write_text("1")
    before = fingerprint(root, "file", "a.txt"), fingerprint(root, "list", ".")
    (root / "b.txt").write_text("1")
    assert fingerprint(root, "file", "a.txt") == before[0]
    assert fingerprint(root, "list", ".") != before[1]
    (root / "a.txt").unlink()
    assert fingerprint(root, "file", "a.txt") == ABSENT


def test_reads_survive_being_written_down():
    found = {("rows", "data", "counts", None): "x", ("match", "data", "a", ("b", "c")): "y"}
    assert reads.unlisted(json.loads(json.dumps(reads.listed(found)))) == found


def test_columns_alone_are_read_where_the_figures_beside_them_do_not_matter(root, noted):
    names = ("study_id", "node")
    reads.note_columns(root / "data", "arms", names)
    assert noted() == {("columns", "arms", names)}
    read = ("columns", "data", "arms", names)
    before = Fingerprints(root).of(read)
    assert before != ABSENT
    header, *rows = csv.reader((root / "data" / "arms.csv").read_text().splitlines())

    def fingerprint_with(column: str, value: str) -> str:
        place = header.index(column)
        changed = [[*row[:place], value, *row[place + 1 :]] for row in rows]
        with (root / "data" / "arms.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([header, *changed])
        return Fingerprints(root).of(read)

    assert fingerprint_with("label", "Another") == before
    assert fingerprint_with("node", "another") != before
    assert Fingerprints(root).of(("columns", "data", "arms", ("no_such",))) == ABSENT


ALL = (True, True, False)
DOUBTS = "evidence.display.marks:doubts_about"


def doubts_of(study: str) -> tuple:
    return ("value", DOUBTS, ALL, json.dumps([[study, 0.05, 0.0], {}]))


def rewrite(root: Path, table: str, change) -> None:
    """Write a table anew with each of its rows as a function returns it."""
    path = root / "data" / f"{table}.csv"
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(dict(row)) for row in rows)


def changed_in(study: str, **columns: str):
    return lambda row: row | (columns if row["study_id"] == study and row["arm_id"] == "drug" else {})


def test_doubts_are_read_as_what_they_are_and_not_as_what_they_follow_from(data, noted):
    from evidence.display.marks import doubts

    for _ in range(2):
        assert doubts(data, ["trial_a"], alpha=0.05) == {}
        assert noted() <= {doubts_of("trial_a")}
    doubts(data.without(["trial_a"]), ["trial_b"], alpha=0.05)
    assert noted() == {doubts_of("trial_b")}


def test_doubts_about_a_study_that_is_not_as_it_was_loaded_are_read_by_its_rows(data, noted):
    from evidence.display.marks import doubts

    doubts(data.about([]), ["trial_a"], alpha=0.05)
    found = noted()
    assert doubts_of("trial_a") not in found
    assert ("rows", "arms", "trial_a") in found


def test_doubts_change_with_a_mark_and_with_nothing_else(root):
    def now() -> list[str]:
        return [
            Fingerprints(root).of((one[0], "data", *one[1:]))
            for one in map(doubts_of, ("trial_a", "trial_b"))
        ]

    before = now()
    assert ABSENT not in before
    rewrite(root, "counts", changed_in("trial_a", note="Corrected.", locator="Table 9"))
    rewrite(root, "counts", changed_in("trial_b", events="31", percent="62.0"))
    assert now() == before
    rewrite(root, "counts", changed_in("trial_b", percent="70.0"))
    marked = now()
    assert [old == new for old, new in zip(before, marked, strict=True)] == [True, False]
    rewrite(root, "counts", changed_in("trial_b", percent="71.0"))  # the same mark for another reason
    assert now()[1] not in (before[1], marked[1])
    rewrite(root, "counts", changed_in("trial_b", percent="62.0"))
    assert now() == before
    assert Fingerprints(root).of(("value", "data", *doubts_of("no_such")[1:])) not in (ABSENT, *before)


def test_a_value_that_cannot_be_asked_for_changes_with_whatever_changes(root):
    read = ("value", "data", "evidence.display.marks:no_such_function", ALL, "[[], {}]")
    before = fingerprint(root, *read)
    assert fingerprint(root, *read) == before != ABSENT
    rewrite(root, "counts", changed_in("trial_a", note="Corrected."))
    assert fingerprint(root, *read) != before


def test_values_of_a_narrowed_dataset_are_read_by_what_they_follow_from(data, noted):
    from evidence.display.trials import with_result

    name = "evidence.display.trials:with_result"
    assert with_result(data) == {"trial_a", "trial_b"}
    assert noted() == {("value", name, ALL, "[[], {}]")}
    assert with_result(data.only(["trial_b"])) == {"trial_b"}
    found = noted()
    assert ("rows", "counts", "trial_b") in found
    assert not [read for read in found if read[0] == "value"]


@pytest.mark.parametrize("other", [{1.5: ["b"]}, {1.5: ("a", None)}, {1.5: {"a"}}, "a", 1, 1.0, [1.5, "a"]])
def test_values_are_the_same_only_where_they_are_equal(other):
    from evidence.data.values import _plain

    value = {1.5: ["a"]}
    assert reads.hashed(_plain(value)) == reads.hashed(_plain({1.5: ["a"]}))
    assert reads.hashed(_plain(value)) != reads.hashed(_plain(other))
    with pytest.raises(TypeError):
        _plain([object()])


def claimed(root: Path, *kinds: tuple[str, str]) -> None:
    tables = {
        **TABLES,
        "claims": [
            {"row_id": f"doc-x{len(study)}{kind}", "study_id": study, "kind": kind, "paraphrase": "So it is."}
            for study, kind in kinds
        ],
    }
    write_tables(root / "data", {**tables, "studies": [*TABLES["studies"], TABLES["studies"][0] | SECOND]})


def test_rows_chosen_by_what_their_file_says_are_read_alone(root, noted):
    claimed(root, ("trial_a", "superior"), ("trial_b", "comparable"), ("", "other"))
    data = load(root / "data")
    noted()
    assert len(data.select("claims", kind=["superior", "other"])) == 2
    asked = ("where", "claims", json.dumps({"kind": ["other", "superior"]}))
    assert noted() - SHARED == {asked}
    assert len(data.only(["trial_b"]).select("claims", kind="comparable")) == 1
    part = ("where", "claims", json.dumps({"kind": ["comparable"], "study_id": ["", "trial_b"]}))
    assert noted() - SHARED == {part}
    reads_ = [(one[0], "data", *one[1:]) for one in (asked, part)]
    before = [fingerprint(root, *one) for one in reads_]

    def same() -> list[bool]:
        return [fingerprint(root, *one) == old for one, old in zip(reads_, before, strict=True)]

    rewrite(root, "claims", lambda row: row | ({"note": "x"} if row["kind"] == "comparable" else {}))
    assert same() == [True, False]
    rewrite(root, "claims", lambda row: row | {"note": "x", "kind": "superior"})
    assert same() == [False, False]


def test_counts_selected_by_outcome_are_those_of_the_outcome(data, noted):
    assert len(data.select("counts", outcome_id=["cured"], study_id="trial_a")) == 2
    assert noted() == {("counts", "cured", "trial_a", ALL)}
    assert len(data.select("counts", outcome_id="cured")) == 4
    assert noted() == {("counts", "cured", None, ALL)}


def the_notes(root: Path) -> reads.Noted:
    return parse((root / "notes").read_text().splitlines())


ONE, OTHER = ("file", "one"), ("file", "other")


def test_what_makes_something_reads_for_it_and_not_for_the_notebook(root, noted):
    call = reads.next_call("table")
    with reads.making() as found:
        reads.note_again([ONE])
    reads.note_made(call, "kept", found)
    reads.note_again([OTHER])
    said = the_notes(root)
    assert said.reads == (ONE, OTHER)
    assert said.made == (reads.Made("1 table", "kept", (ONE,)),)
    assert said.outside == {OTHER}


def test_what_the_notebook_reads_too_is_its_own(root, noted):
    with reads.making():
        reads.note_again([ONE])
    assert not the_notes(root).outside
    reads.note_again([ONE])
    assert the_notes(root).outside == {ONE}


def test_what_fails_to_be_made_has_read_for_the_notebook(root, noted):
    def make() -> None:
        with reads.making():
            reads.note_again([ONE])
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        make()
    assert the_notes(root).outside == {ONE}
    with reads.making():
        reads.note_again([OTHER])
    assert the_notes(root).outside == {ONE}


def test_a_notebook_knows_what_it_made_before_until_it_goes_astray(root, noted):
    made = reads.Made("1 table", "kept", (ONE, ("rows", "data", "counts", None)))
    reads.tell_before(root / "later", [made])
    reads.begin(str(root / "later"), str(root))
    assert reads.made_before("1 table") == made
    assert reads.made_before("2 table") is None
    reads.goes_astray()
    assert reads.made_before("1 table") is None


def test_calls_are_counted_from_the_beginning_of_each_notebook(root, noted):
    assert [reads.next_call("table"), reads.next_call("table")] == ["1 table", "2 table"]
    reads.begin(str(root / "later"), str(root))
    assert reads.next_call("figure") == "1 figure"


@pytest.mark.parametrize(
    ("event", "arguments", "kind"),
    [
        ("open", ("data/counts.csv", "r", 0), "file"),
        ("open", ("data/counts.csv", "r+", 0), "file"),
        ("open", (b"data/counts.csv", None, os.O_RDONLY), "file"),
        ("open", (Path("data/counts.csv"), None, os.O_RDWR), "file"),
        ("os.listdir", ("data",), "list"),
        ("os.scandir", ("data",), "list"),
    ],
)
def test_whatever_way_a_file_or_folder_of_the_project_is_read_it_is_heard(
    root, noted, monkeypatch, event, arguments, kind
):
    monkeypatch.chdir(root)
    reads._hear(event, arguments)
    assert the_notes(root).reads == ((kind, str(root / os.fsdecode(arguments[0]))),)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("open", ("data/counts.csv", "w", 0)),
        ("open", ("data/counts.csv", None, os.O_WRONLY | os.O_CREAT)),
        ("open", (3, "r", 0)),
        ("open", ("/elsewhere/counts.csv", "r", 0)),
        ("open", ("_build/notes", "r", 0)),
        ("os.listdir", (".venv",)),
        ("os.listdir", (None,)),
        ("os.rename", ("data/counts.csv", "data/other.csv", -1, -1)),
    ],
)
def test_what_is_written_or_is_no_source_of_the_project_is_passed_over(
    root, noted, monkeypatch, event, arguments
):
    monkeypatch.chdir(root)
    reads._hear(event, arguments)
    assert the_notes(root).reads == ()


def test_what_a_dataset_reads_for_itself_is_not_heard(root, noted):
    with reads.unnoted():
        reads._hear("open", (str(root / "data" / "counts.csv"), "r", 0))
        reads._hear("os.listdir", (str(root / "data"),))
    assert noted() == set()


def test_a_compiled_module_is_read_as_its_source(root, noted):
    compiled = root / "lib" / "__pycache__" / "drug.cpython-311.pyc"
    reads._hear("open", (str(compiled), "r", 0))
    assert the_notes(root).reads == (("file", str(root / "lib" / "drug.py")),)
