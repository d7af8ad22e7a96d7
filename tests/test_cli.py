import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.build.files import digest_of
from evidence.cli import main

from .conftest import write_project

CHAPTERS = ["index.html", "notebooks/study_trial_a.html"]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("built") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert run("report", "--renderer", "builtin", "--jobs", "1") == 0
    return root


@pytest.fixture
def built(built_once: Path, project: Path) -> Path:
    """Return the report of a project that was built once, copied for each test."""
    shutil.copytree(built_once, project, dirs_exist_ok=True)
    return project / "_report" / "default"


def test_report_makes_pages_pdf_and_provenance(built: Path):
    assert [name for name in CHAPTERS if not (built / name).is_file()] == []
    assert (built / "report.pdf").read_bytes().startswith(b"%PDF-")
    made = json.loads((built / "provenance.json").read_text())
    assert made["parameters"]["confidence_level"] == 0.95
    assert made["changed_parameters"] == {}
    assert set(CHAPTERS) | {"report.pdf", "audit.csv"} <= set(made["files"])


@pytest.mark.slow
def test_a_parameter_reaches_every_notebook_that_declares_it(built: Path):
    before = [(built / name).read_text() for name in CHAPTERS]
    assert run("report", "--renderer", "builtin", "--to", "html", "-p", "confidence_level", "0.90") == 0
    after = [(built / name).read_text() for name in CHAPTERS]
    assert "95% CI" in before[0]
    assert "95% CI" not in after[0]
    assert "90% CI" in after[0]
    assert "trial_a 0.9" in after[1]
    assert json.loads((built / "provenance.json").read_text())["changed_parameters"] == {
        "confidence_level": 0.9
    }


def fails(project: Path, *arguments: str) -> int:
    """Run a report that must fail, and check that the earlier report and the folders are as they were."""
    before = digest_of(project / "_report")
    renderer = [] if "--renderer" in arguments else ["--renderer", "builtin"]
    status = run("report", *renderer, "--jobs", "1", *arguments)
    assert digest_of(project / "_report") == before
    assert sorted(path.name for path in (project / "_report").iterdir()) == ["default"]
    assert (
        not (project / "_build" / "default").exists()
        or not (project / "_build" / "default" / "report").exists()
    )
    return status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "confidence_levl", "0.9"], "did you mean confidence_level?"),
        (["-p", "confidence_level", "95"], "more than 0.5, less than 1"),
        (["-p", "confidence_level", "0.9", "-p", "confidence_level", "0.8"], "given more than once"),
        (["--scenario", "defualt"], "did you mean default?"),
        (["-p", "data_dir", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_give_one_clear_message_and_status_2(built, project, capsys, arguments, message):
    capsys.readouterr()
    assert fails(project, *arguments) == 2
    assert message in capsys.readouterr().err


def test_faults_in_the_data_are_all_listed_with_status_2(built, project, capsys):
    path = project / "data" / "counts.csv"
    path.write_text(path.read_text().replace(",30,50,", ",60,50,").replace(",20,50,", ",many,50,"))
    capsys.readouterr()
    assert fails(project) == 2
    message = capsys.readouterr().err
    assert "data/counts.csv:2" in message
    assert "data/counts.csv:3" in message
    assert "Traceback" not in message


def test_a_failing_cell_is_named_with_its_notebook_and_status_1(built, project, capsys):
    path = project / "notebooks" / "study.ipynb"
    path.write_text(
        path.read_text().replace("print(study_id", "raise ValueError('no such thing')\\nprint(study_id")
    )
    capsys.readouterr()
    assert fails(project) == 1
    message = capsys.readouterr().err
    assert "notebooks/study_trial_a.ipynb: cell 3 (raise ValueError('no such thing')): ValueError" in message
    assert "Traceback" not in message


def test_an_unresolved_reference_fails_the_build(built, project, capsys):
    path = project / "index.ipynb"
    path.write_text(path.read_text().replace("# Summary", "# Summary\\n\\nSee @tbl-missing."))
    capsys.readouterr()
    assert fails(project) == 2
    assert "tbl-missing" in capsys.readouterr().err


def test_asking_for_quarto_where_it_is_not_fails_before_any_work(built, project, capsys, monkeypatch):
    monkeypatch.setattr("evidence.render.quarto.find", lambda: None)
    capsys.readouterr()
    assert fails(project, "--renderer", "quarto") == 2
    message = capsys.readouterr().err
    assert "no working quarto program" in message
    assert "Notebooks" not in message


def test_check_counts_tables_and_rows(project, capsys):
    assert run("check") == 0
    assert "no fault" in capsys.readouterr().out


def test_audit_lists_findings_and_filters_them(project, capsys):
    assert run("audit", "--format", "json", "--verdict", "consistent") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {item["verdict"] for item in listed} == {"consistent"}
    assert run("audit", "--format", "csv") == 0
    assert capsys.readouterr().out.startswith("finding_id,study_id,row_id,source_id,locator,check,")
    assert run("audit", "--study", "trial_a") == 0
    assert "trial_a" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "known"), [("study", "trial_a"), ("check", "classes_add_up"), ("verdict", "rounding")]
)
def test_an_audit_of_something_that_there_is_not_names_what_there_is(project, capsys, option, known):
    assert run("audit", f"--{option}", "no_such") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"--{option} no_such: there is none; give one of " in said.err
    assert known in said.err


def test_params_lists_name_default_choices_and_meaning(capsys):
    assert run("params", "--json") == 0
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert listed["missing_data"]["allowed"] == "observed | failure | success"
    assert all(item["meaning"] for item in listed.values())


def test_params_names_the_notebooks_that_use_a_parameter(project, capsys):
    assert run("params", "--json") == 0
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert listed["study_id"]["notebooks"] == ["notebooks/study.ipynb"]
    assert listed["rounding"] | {"meaning": ""} == {
        "name": "rounding", "type": "int", "default": 1, "allowed": "whole number from 0 to 3",
        "meaning": "", "notebooks": [],
    }  # fmt: skip


def test_diff_lists_numbers_and_ends_with_0_1_or_2(built, capsys):
    assert run("diff", "default", str(built)) == 0
    other = shutil.copytree(built, built.with_name("other"))
    page = other / "index.html"
    page.write_text(page.read_text().replace("95% CI", "90% CI"))
    capsys.readouterr()
    assert run("diff", "default", "other", "--format", "json") == 1
    assert {(one["kind"], one["before"], one["after"]) for one in json.loads(capsys.readouterr().out)} == {
        ("text", "95%", "90%")
    }
    assert run("diff", "default", "other") == 1
    assert "differences" in capsys.readouterr().out
    assert run("diff", "default", "nowhere") == 2


@pytest.mark.slow
def test_refresh_writes_only_notebooks_that_change(project, capsys):
    assert run("refresh", "--jobs", "1") == 0
    assert "changed: index.ipynb" in capsys.readouterr().out
    stamps = {path: path.stat().st_mtime_ns for path in project.rglob("*.ipynb")}
    assert run("refresh", "--jobs", "1") == 0
    assert "nothing changed" in capsys.readouterr().out
    assert stamps == {path: path.stat().st_mtime_ns for path in project.rglob("*.ipynb")}


def test_outside_a_project_the_message_says_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("report") == 2
    assert "run this inside the project folder" in capsys.readouterr().err


COMMANDS = ["report", "check", "params", "audit", "ledger", "sweep", "diff", "refresh", "verify"]


def test_help_names_every_command_and_every_exit_status(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert re.findall(r"^    (\w+) ", said, re.M) == COMMANDS
    assert re.findall(r"^  (\d+) ", said, re.M) == ["0", "1", "2", "130", "141"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_refuses_what_it_does_not_know(capsys, command):
    assert run(command, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: evidence {command} ")
    assert run(command, "--no-such-option") == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: evidence ")
    assert "error: " in said


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["report", "--jobs", "0"], ["report", "--jobs", "two"], ["report", "--timeout", "0"], ["report", "--timeout", "-1"],
     ["report", "--to", "docx"], ["report", "-p", "alpha"], ["report", "--renderer", "word"], ["sweep"], ["diff", "a"], ["ledger"],
     ["sweep", "x.yml", "--timeout", "1.5"], ["refresh", "--jobs", "\u0663"], ["verify", "a", "b"], ["report", "--scen", "default"]],
)  # fmt: skip
def test_wrong_usage_ends_with_status_2_and_says_what_is_wrong(capsys, arguments):
    assert run(*arguments) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["check", "nowhere"], ["audit", "nowhere"], ["diff", "nowhere", "here"], ["sweep", "nowhere.yml"], ["verify", "nowhere"],
     ["verify", "nowhere", "--files-only"], ["ledger", "--sources", "nowhere"], ["report", "--scenario", "no/such.yml"]],
)  # fmt: skip
def test_what_is_not_there_is_named_in_one_line_with_status_2(project, capsys, arguments):
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search("nowhere|ledger.csv|no/such", said)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(28, "No space left on device", "x"),
            "x: No space left on device; free some space and run it again.",
        ),
        (
            PermissionError(13, "Permission denied", "x"),
            "x: Permission denied; allow writing there, or work on a copy elsewhere",
        ),
        (
            OSError("File too large (os error 27)"),
            "raise the limit on the size of files (ulimit -f) and run it again.",
        ),
        (OSError("odd"), "odd; mend it and run it again."),
    ],
)
def test_what_the_disk_refuses_is_told_with_its_mend_and_status_2(
    project, capsys, monkeypatch, error, message
):
    def refused(root: Path) -> None:
        raise error

    monkeypatch.setattr("evidence.build.report.read_project", refused)
    assert run("report", "--renderer", "builtin", "--jobs", "1") == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.endswith("The previous report is as it was.\n")


def test_a_reader_that_stops_reading_is_no_error_worth_words(project):
    command = [sys.executable, "-m", "evidence", "audit", "--format", "csv"]
    listing = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert listing.stdout
    assert listing.stderr
    listing.stdout.close()
    said = listing.stderr.read()
    listing.stderr.close()
    assert (listing.wait(), said) == (141, b"")


def test_publishing_replaces_a_report_and_nothing_else(built, project, capsys):
    for name in ("new", "new", "notebooks", "index.ipynb"):
        before = digest_of(project / "notebooks")
        status = run("report", "--renderer", "builtin", "--jobs", "1", "--publish", name)
        assert status == (0 if name == "new" else 2), capsys.readouterr().err
        assert digest_of(project / "notebooks") == before
    assert digest_of(project / "new") == digest_of(built)
    assert "holds something other than a report" in capsys.readouterr().err
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_params_as_json_are_those_of_the_report_with_the_notebooks_that_use_them(project, capsys):
    assert run("params", "--json") == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["confidence_level"]["default"] == 0.95
    assert listed["confidence_level"]["notebooks"] == ["index.ipynb", "notebooks/study.ipynb"]
    assert listed["theme"]["notebooks"] == []


def test_check_tells_what_is_odd_without_refusing_it(project, capsys):
    counts = project / "data" / "counts.csv"
    counts.write_text(counts.read_text(encoding="utf-8").replace("60.0", "61.0"), encoding="utf-8")
    assert run("check") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("warning: data/counts.csv:2 percent 61.0: 30/50 is 60.0")
    assert said[-1].endswith("no fault, 1 warnings")


def test_a_ledger_that_accounts_for_no_document_is_complete(project, capsys):
    (project / "texts").mkdir()
    assert run("ledger", "--sources", "texts", "--write", "ledger.csv") == 0
    assert capsys.readouterr().out == "0 documents: 0 figures in rows, 0 with a reason\n"
    written, kept = (path.read_bytes() for path in (project / "ledger.csv", project / "data" / "ledger.csv"))
    assert written == kept


def test_a_figure_of_a_document_that_the_ledger_lacks_is_a_fault(project, capsys):
    (project / "texts").mkdir()
    (project / "texts" / "doc.md").write_text("Of 50 patients 30 were cured.\n", encoding="utf-8")
    text = project / "data" / "sources.csv"
    header, row = text.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | {"file": "doc.md"}
    text.write_text(f"{header}\n{','.join(cells.values())}\n", encoding="utf-8")
    assert run("ledger", "--sources", "texts") == 2
    said = capsys.readouterr().err
    assert (
        "doc:1 50: not in ledger.csv (Of 50 patients 30 were cured.); enter it with a row or a reason" in said
    )
    assert "sources.csv sha256 doc: the text is not the one that was read" in said
