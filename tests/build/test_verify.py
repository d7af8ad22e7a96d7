"""Reports held against their own record."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.build.files import sha256
from evidence.build.verify import Difference, read_record, verify_files
from evidence.cli import main
from evidence.errors import BuildError, EvidenceError
from evidence.parameters import Parameters

from ..conftest import write_project


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def record(recorded: dict[str, str], **more: object) -> dict[str, object]:
    named = {"name": "default", "title": "Default", "reason": ""}
    return {
        "scenario": named, "parameters": Parameters().values(), "renderer": {"name": "builtin", "version": "1"},
        "formats": ["html"], "files": recorded, **more,
    }  # fmt: skip


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return a report of three files with its record."""
    folder = tmp_path / "report"
    for name in ("index.html", "notebooks/a.html", "tables/a.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"of {name}")
    files = {
        path.relative_to(folder).as_posix(): sha256(path) for path in folder.rglob("*") if path.is_file()
    }
    (folder / "provenance.json").write_text(json.dumps(record(files)))
    return folder


def found(folder: Path) -> list[str]:
    return [str(one) for one in verify_files(folder).differences]


def test_a_report_that_is_as_recorded_passes_without_a_project(report, monkeypatch, capsys):
    monkeypatch.chdir(report)
    assert run("verify", str(report), "--files-only") == 0
    assert capsys.readouterr().out == "3 files: all as recorded\n"


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_changed_byte_is_found_and_its_file_named(report, capsys, place):
    path = report / "notebooks" / "a.html"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    assert run("verify", str(report), "--files-only") == 1
    assert capsys.readouterr().out == "changed: notebooks/a.html\n3 files: 1 differences; as recorded\n"


def test_missing_and_extra_files_are_named(report):
    (report / "index.html").unlink()
    (report / "tables" / "b.csv").write_text("b")
    (report / "tables" / "provenance.json").write_text("only the one at the top is the record")
    assert found(report) == ["missing: index.html", "extra: tables/b.csv", "extra: tables/provenance.json"]


HOSTILE = [
    "../index.html",
    "/etc/passwd",
    "a/../../b",
    "C:\\x",
    "C:x",
    "\\\\server\\x",
    "a\\..\\b",
    "a//b",
    "./a",
    "",
    "a\0b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_lead_out_of_the_report_are_refused(report, capsys, name):
    (report / "provenance.json").write_text(json.dumps(record({name: "0" * 64})))
    for more in ([], ["--files-only"]):
        assert run("verify", str(report), *more) == 2
        assert "is no file of a report with its SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "nul",
        "{}",
        '{"files": []}',
        '{"files": {"a": 1}}',
        '{"files": {"a": "x"}}',
        "[" * 100_000,
    ],
)
def test_a_record_that_is_none_is_refused(report, capsys, content):
    (report / "provenance.json").write_text(content)
    assert run("verify", str(report), "--files-only") == 2
    assert "get the report again from where it was published" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        {"renderer": {"name": "rm -rf"}}, {"renderer": {"name": ["quarto"]}}, {"formats": [["html"]]}, {"formats": "html"},
        {"scenario": {"name": "../../x"}}, {"scenario": "x"}, {"parameters": {"no_such": 1}}, {"parameters": None},
        {"parameters": {"confidence_level": 95}}, {"parameters": {"confidence_level": {"a": 1}}},
    ],
)  # fmt: skip
def test_a_record_of_something_else_is_refused_before_anything_is_made(report, more):
    (report / "provenance.json").write_text(json.dumps(record({}, **more)))
    with pytest.raises(EvidenceError):
        read_record(report)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
KEYS = ["scenario", "parameters", "renderer", "formats", "files", "source_date_epoch"]


@given(key=st.sampled_from(KEYS), value=JSON | st.dictionaries(st.text(max_size=9), JSON, max_size=3))
def test_any_record_is_read_or_refused(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("report")
    (folder / "provenance.json").write_text(json.dumps(record({}, **{key: value})))
    with contextlib.suppress(EvidenceError):
        read_record(folder)


def test_a_folder_without_a_report_is_refused(tmp_path, capsys):
    assert run("verify", str(tmp_path)) == 2
    assert "give the folder of a report that was built" in capsys.readouterr().err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a report made with other parameters and for a date."""
    root = write_project(tmp_path_factory.mktemp("made") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        asked = ["-p", "confidence_level", "0.9", "--renderer", "builtin", "--jobs", "1"]
        assert run("report", *asked) == 0
    return root


@pytest.mark.slow
def test_a_report_with_other_parameters_and_a_date_is_made_again_with_the_same_bytes(
    made, monkeypatch, capsys
):
    monkeypatch.chdir(made)
    capsys.readouterr()
    before = {
        path: path.stat().st_mtime_ns
        for path in made.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }
    assert run("verify", "--jobs", "1") == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith("files: all as recorded and as made again")
    assert "not as then" not in said.out
    assert before == {
        path: path.stat().st_mtime_ns
        for path in made.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


@pytest.mark.slow
def test_what_is_other_than_it_was_is_said_before_the_files_that_differ(made, tmp_path, monkeypatch, capsys):
    root = shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(root)
    path = root / "data" / "counts.csv"
    path.write_text(path.read_text().replace(",30,50,", ",31,50,").replace("60.0", "62.0"))
    report = root / "_report" / "default"
    (report / "index.html").write_text((report / "index.html").read_text() + " ")
    content = json.loads((report / "provenance.json").read_text())
    content["packages"]["numpy"], content["python"] = "0.1", "2.7"
    (report / "provenance.json").write_text(json.dumps(content))
    capsys.readouterr()
    assert run("verify", str(report), "--jobs", "1") == 1
    lines = capsys.readouterr().out.splitlines()
    first = [line for line in lines if line.startswith("not as then: ")]
    assert lines[: len(first)] == first
    assert [line.split()[3] for line in first] == ["data", "package", "Python:"]
    assert "changed: index.html" in lines
    assert "differs when made again: index.html" in lines
    assert "differs when made again: audit.csv" in lines


def test_a_difference_reads_as_a_line():
    assert str(Difference("a.csv", "not made again")) == "not made again: a.csv"
    with pytest.raises(BuildError):
        verify_files(Path("no such folder"))
