"""The workflow, the hooks and the templates: each named command exists, each file has the form that its reader wants."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "report.yml"
TEMPLATE = ROOT / ".github" / "ISSUE_TEMPLATE" / "data-correction.yml"
COLUMNS = ("row", "place", "printed")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def runs():
    return [step["run"] for job in read(WORKFLOW)["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (WORKFLOW, "github-workflows"),
        (TEMPLATE, "github-issue-forms"),
        (ROOT / "CITATION.cff", "citation-file-format"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_file_for_another_program_fits_the_schema_of_its_format(path, schema):
    pytest.importorskip("check_jsonschema", reason="installed by make assure")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_the_workflow_tests_on_three_systems_before_it_publishes():
    jobs = read(WORKFLOW)["jobs"]
    assert {name.split("-")[0] for name in jobs["test"]["strategy"]["matrix"]["os"]} == {
        "ubuntu",
        "macos",
        "windows",
    }
    assert jobs["publish"]["needs"] == "test"
    assert "make test" in runs()


def test_the_workflow_publishes_what_quarto_rendered_with_the_pdf():
    steps = read(WORKFLOW)["jobs"]["publish"]["steps"]
    commands = [step.get("run", step.get("uses", "")) for step in steps]
    quarto = next(place for place, text in enumerate(commands) if "--renderer quarto" in text)
    upload = next(place for place, text in enumerate(commands) if "upload-pages-artifact" in text)
    assert quarto < upload
    assert any("report.pdf" in text for text in commands[quarto:upload])
    assert steps[upload]["with"]["path"] == "_report/default"


def test_nothing_but_publishing_may_write():
    workflow = read(WORKFLOW)
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "permissions" in job] == ["publish"]
    assert not re.search(r"secrets\.|\$\{\{\s*github\.event\.(?!name)", WORKFLOW.read_text(encoding="utf-8"))


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", ".ci/run", "docs/assurance.md")]
    texts = [*runs(), *(path.read_text(encoding="utf-8") for path in documents)]
    named = {name for text in texts for name in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M)}
    assert {"test", "report"} <= named <= targets


def test_every_hook_starts_a_module_that_there_is():
    for hook in read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]:
        program, script, module = hook["entry"].split()[:3]
        assert (program, hook["language"]) == ("sh", "system")
        assert (ROOT / script).is_file()
        own = ROOT / f"{module.replace('.', '/')}.py"
        assert own.is_file() or importlib.util.find_spec(module), hook["id"]


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
@pytest.mark.parametrize("place", ["bin/python", "Scripts/python.exe"])
def test_a_hook_finds_the_environment_of_either_system(tmp_path, place):
    python = tmp_path / ".venv" / place
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\nexit 3\n', encoding="utf-8")
    python.chmod(0o755)
    run = subprocess.run(
        ["sh", ROOT / "tools" / "hook", "ruff", "check", "a b"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (3, "-m ruff check a b\n")
    python.unlink()
    run = subprocess.run(
        ["sh", ROOT / "tools" / "hook", "ruff"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr.count("make report")) == (1, 1)


def test_the_template_for_a_correction_asks_for_row_place_and_print():
    form = read(TEMPLATE)
    needed = [part["id"] for part in form["body"] if part.get("validations", {}).get("required")]
    assert set(COLUMNS) <= set(needed)
    assert {"name", "description", "body"} <= set(form)


@pytest.mark.parametrize(
    "name", ["LICENSE", "LICENSE-DATA.md", "CITATION.cff", "CHANGELOG.md", "CONTRIBUTING.md"]
)
def test_what_a_newcomer_looks_for_is_there(name):
    assert len((ROOT / name).read_text(encoding="utf-8")) > 200


def test_each_way_to_join_in_has_at_most_ten_steps():
    sections = re.split(r"^## ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    for section in sections:
        assert 3 <= len(re.findall(r"^\d+\. ", section, re.M)) <= 10, section.splitlines()[0]


def test_data_are_given_away_under_one_licence():
    for name in ("LICENSE-DATA.md", "data/README.md", "docs/licences.md"):
        assert "CC0 1.0" in (ROOT / name).read_text(encoding="utf-8"), name
