"""The archive that a report is made again from."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from evidence.build.bundle import FOLDER, PLACE, SETTINGS, archive, sources, write_bundle
from evidence.build.notebooks import bare
from evidence.build.provenance import hashes
from evidence.parameters import Parameters
from evidence.scenarios import Scenario, read_scenario

ROOT = Path(__file__).parents[2]
MOST = 10_000_000
HOW = ("builtin", ("html", "pdf"))


def names(content: bytes) -> list[str]:
    return [name.removeprefix(f"{FOLDER}/") for name in zipfile.ZipFile(io.BytesIO(content)).namelist()]


def test_equal_files_give_equal_bytes_in_whatever_order_they_come():
    assert archive({"b": b"2", "a": b"1"}) == archive({"a": b"1", "b": b"2"})
    whole = zipfile.ZipFile(io.BytesIO(archive({"a": b"1"})))
    assert {(one.date_time, one.external_attr >> 16, one.compress_type) for one in whole.infolist()} == {
        ((1980, 1, 1, 0, 0, 0), 0o644, zipfile.ZIP_STORED)
    }


def test_the_archive_of_this_project_is_small_and_holds_what_make_needs():
    files = sources(ROOT, ROOT / "data", [("file", "benchmarks/audit_power.csv"), ("list", "benchmarks")])
    assert sum(map(len, files.values())) < MOST
    needed = [
        "Makefile",
        "requirements-core.txt",
        "requirements.txt",
        "pyproject.toml",
        "README.md",
        "_quarto.yml",
    ]
    needed += [
        "index.ipynb",
        "data/counts.csv",
        "data/datapackage.json",
        "src/evidence/cli.py",
        "scenarios/default.yml",
    ]
    needed += ["assets/references.bib", "benchmarks/audit_power.csv", "benchmarks/build.py"]
    assert [name for name in needed if name not in files] == []
    odd = [
        name
        for name in files
        if "__pycache__" in name or "/." in name or name.startswith((".", "/", "_build"))
    ]
    assert odd == []


def test_notebooks_are_taken_without_their_outputs():
    text = (ROOT / "index.ipynb").read_text(encoding="utf-8")
    assert bare(bare(text)) == bare(text)
    cells = json.loads(bare(text))["cells"]
    assert {
        (str(cell["outputs"]), cell["execution_count"]) for cell in cells if cell["cell_type"] == "code"
    } == {("[]", None)}


def test_reads_outside_the_project_are_left_out(project, tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    reads = [
        ("file", "../secret.txt"),
        ("file", str(tmp_path / "secret.txt")),
        ("list", ".."),
        ("list", "."),
        ("file", "gone"),
    ]
    assert [
        name for name in sources(project, project / "data", reads) if "secret" in name or name.startswith(".")
    ] == []


def test_a_scenario_that_was_asked_for_otherwise_is_written_as_it_was_asked(project, tmp_path):
    asked = Scenario("default", "Default", "none", Parameters.parse({"alpha": 0.01}))
    content = write_bundle(project, asked, project / "data", [], how=HOW, report=tmp_path / "r").read_bytes()
    whole = zipfile.ZipFile(io.BytesIO(content))
    said = yaml.safe_load(whole.read(f"{FOLDER}/scenarios/default.yml"))
    assert said == {"title": "Default", "reason": "none", "parameters": {"alpha": 0.01}}
    plain = read_scenario("default", project)
    content = write_bundle(project, plain, project / "data", [], how=HOW, report=tmp_path / "s").read_bytes()
    own = (project / "scenarios" / "default.yml").read_bytes()
    assert zipfile.ZipFile(io.BytesIO(content)).read(f"{FOLDER}/scenarios/default.yml") == own


def test_tables_from_elsewhere_are_called_data(project, tmp_path):
    away = tmp_path / "away"
    (project / "data").rename(away)
    asked = Scenario("x", "X", "", Parameters.parse({"data_dir": str(away)}))
    content = write_bundle(project, asked, away, [], how=HOW, report=tmp_path / "r").read_bytes()
    assert "data/counts.csv" in names(content)
    assert b"-p data_dir data" in zipfile.ZipFile(io.BytesIO(content)).read(f"{FOLDER}/{SETTINGS}")


@pytest.mark.slow
def test_the_unpacked_archive_makes_the_report_that_it_came_with(project, tmp_path):
    """The engine is the archive's own, and so are notebooks, tables and parameters; nothing else is there."""
    command = [
        sys.executable,
        "-m",
        "evidence",
        "report",
        "-p",
        "alpha",
        "0.01",
        "--renderer",
        "builtin",
        "--jobs",
        "1",
    ]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    first = project / "_report" / "default"
    zipfile.ZipFile(first / PLACE).extractall(tmp_path / "away")
    root = tmp_path / "away" / FOLDER
    settings = (root / SETTINGS).read_text().split("REPORT = ")[1].split()
    guard = os.environ.get("PYTHONPATH", "")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(root / "src"), guard]),
        "EVIDENCE_COLD_KERNELS": "1",
    }
    again = [sys.executable, "-m", "evidence", "report", *settings]
    subprocess.run(again, cwd=root, check=True, capture_output=True, env=environment)
    assert hashes(root / "_report" / "default") == hashes(first)
    made = [
        json.loads((folder / "provenance.json").read_text())
        for folder in (first, root / "_report" / "default")
    ]
    assert made[0] == made[1]
