"""What `make assure` runs again, what it does not, and what its page says."""

import json
import sys
from dataclasses import replace
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))
assure, page, mutation, vulnerabilities = (
    import_module(f"tools.{name}") for name in ("assure", "page", "mutation", "vulnerabilities")
)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A stage that counts its runs and depends on one file."""
    monkeypatch.setattr(assure, "ROOT", tmp_path)
    monkeypatch.setattr(assure, "RESULTS", tmp_path)
    (tmp_path / "source.txt").write_text("one")
    count = "from pathlib import Path; p = Path('runs.txt'); p.write_text(p.read_text() + '+' if p.exists() else '+')"
    made = assure.Stage("one", (sys.executable, "-c", count), ("source.txt",), lambda folder: {"is": 1})
    return made, lambda: len((tmp_path / "runs.txt").read_text())


def test_a_stage_that_passed_is_not_run_again(stage):
    one, runs = stage
    assert assure.carry_out(one)
    assert assure.carry_out(one)
    assert runs() == 1
    assert assure.stored(one)["figures"] == {"is": 1}


def test_a_stage_is_run_again_when_what_it_depends_on_changes(stage, tmp_path):
    one, runs = stage
    assure.carry_out(one)
    (tmp_path / "source.txt").write_text("two")
    assure.carry_out(one)
    assert runs() == 2


def test_a_stage_that_failed_is_run_again_and_leaves_no_figures(stage, tmp_path):
    one, _ = stage
    bad = replace(one, command=(sys.executable, "-c", "raise SystemExit(1)"))
    assert not assure.carry_out(bad)
    assert assure.stored(bad)["figures"] == {}
    assert page.figures({"one": assure.stored(bad)}, "one") == {}
    good = replace(one, command=(*bad.command[:-1], "pass"))
    assert assure.carry_out(good)


def test_a_question_that_nobody_answered_is_asked_again(stage):
    one, runs = stage
    unanswered = replace(one, figures=lambda folder: {"asked": False})
    assure.carry_out(unanswered)
    assure.carry_out(unanswered)
    assert runs() == 2


def test_an_unknown_stage_is_refused_with_the_known_ones(capsys):
    assert assure.main(["nothing"]) == 2
    assert "mutation" in capsys.readouterr().out


def test_every_stage_depends_on_files_that_exist():
    for one in assure.stages():
        assert one.key()
        for pattern in one.depends:
            assert any(ROOT.glob(pattern)), (one.name, pattern)


def test_measurements_of_other_files_are_not_put_together(stage, monkeypatch, capsys):
    one, _ = stage
    measured = replace(one, command=(*one.command, *assure.COVERED))
    monkeypatch.setattr(assure, "stages", lambda: (measured,))
    assert assure.outdated() == ["one"]
    assert assure.combine() == 1
    assert "one; run them again" in capsys.readouterr().out
    assure.carry_out(measured)
    assert assure.outdated() == []


def test_every_command_of_the_page_exists():
    stages = {one.name for one in assure.stages()}
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for _, _, command in page.CLAIMS:
        if command.startswith("make "):
            assert f"\n{command.split()[1]}:" in targets
        elif "tools.assure" in command:
            assert command.split()[-1] in stages
        else:
            assert (ROOT / command.split()[-1]).is_file()


def test_cells_of_notebooks_are_counted_apart_from_tests(tmp_path):
    cases = '<testcase classname="notebooks.audit.ipynb" name="Cell 0"/><testcase classname="index.ipynb" name="Cell 0"><failure/></testcase>'
    counts = 'tests="3" failures="1" errors="0" skipped="0"'
    text = f'<testsuites><testsuite {counts}><testcase classname="tests.a" name="b"/>{cases}</testsuite></testsuites>'
    (tmp_path / "make-test.xml").write_text(text)
    found = assure.with_cells(tmp_path)
    assert (found["passed_tests"], found["cells"]) == (2, 1)


def test_what_was_not_measured_is_said_to_be_so():
    text = page.render({one.name: {} for one in assure.stages()})
    assert text.count(page.NOT_MEASURED) >= len(assure.stages())
    failed = {
        "tests": {"passed": False, "seconds": 1.0, "key": "x", "figures": {"passed_tests": 9, "skipped": 0}}
    }
    assert page.passed_tests("tests")(failed) == page.NOT_MEASURED


FIGURES = {
    "make-test": {"passed_tests": 1250, "cells": 250, "skipped": 3},
    "tests": {"passed_tests": 2000, "skipped": 1},
    "fuzz-at-length": {"fuzz": {"cases": 30, "targets": {"a": {"results": 20, "typed errors": 10}}}},
    "every-fault": {"passed_tests": 7, "skipped": 0, "faults": {"injected": 40, "survived": 39}},
    "coverage": {"both": 96.04, "lines": 97.0, "branches": 93.0},
    "mutation": {"noticed": 90, "counted": 98, "score": 0.9184, "low": 0.85, "high": 0.96, "tried": 100, "possible": 20000,
                 "equivalent": 2, "by_module": {"stats.pool": 8}},
    "dependencies": {"asked": False, "why": "its database could not be reached", "packages": 5},
}  # fmt: skip


def test_the_page_says_what_was_measured():
    stages = {
        one.name: {"passed": True, "seconds": 60.0, "key": "k", "figures": FIGURES.get(one.name, {})}
        for one in assure.stages()
    }
    for name in ("long-tests", "whole-reports", "browser"):
        stages[name]["figures"] = {"passed_tests": 5, "skipped": 0}
    text = page.render(stages)
    for said in (
        "1,000 tests and 250 cells of notebooks passed, 3 skipped, in 1.0 minutes",
        "2,000 passed, 1 skipped",
        "30 cases on 1 targets: 20 results, 10 typed errors, 0 otherwise",
        "40 injected, 39 survived",
        "96.0% of lines and branches",
        "90 of 98 noticed, 91.8%",
        "- stats.pool: 8",
        "not measured: its database could not be reached",
        f"{len(stages):.1f} minutes",
    ):
        assert said in text


def test_a_sample_is_always_the_same_and_holds_every_module():
    names = [
        f"evidence.stats.{module}.x_{n}"
        for module, many in (("a", 300), ("b", 30), ("c", 1))
        for n in range(many)
    ]
    drawn = mutation.sample(names, 33)
    assert drawn == mutation.sample(reversed(names), 33)
    assert {mutation.module(name) for name in drawn} == {"stats.a", "stats.b", "stats.c"}
    assert len(drawn) == len(set(drawn)) == 34


def test_the_score_leaves_out_what_was_not_tried_and_what_changes_nothing(monkeypatch):
    monkeypatch.setattr(mutation, "equivalent", lambda: {"evidence.stats.a.same"})
    monkeypatch.setattr(mutation, "change", lambda name: "- a\n+ b")
    tried = {"evidence.stats.a.killed": 1, "evidence.stats.a.endless": -27, "evidence.stats.a.lives": 0}
    tried |= {"evidence.stats.a.same": 0, "evidence.stats.b.unreached": 33, "evidence.stats.b.later": None}
    found = mutation.summary(tried, 1000)
    assert (found["tried"], found["counted"], found["noticed"], found["equivalent"]) == (5, 4, 2, 1)
    assert found["by_module"] == {"stats.a": 1, "stats.b": 1}
    assert found["low"] < found["score"] == 0.5 < found["high"]


def test_every_equivalent_change_has_its_reason():
    for line in mutation.EQUIVALENT.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            assert len(line.split()) >= 4, line


def test_without_a_database_nothing_is_claimed_about_vulnerabilities(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(vulnerabilities, "PLACE", tmp_path / "vulnerabilities.json")
    done = vulnerabilities.subprocess.CompletedProcess(
        [], 1, "", "requests.exceptions.ConnectionError: Max retries"
    )
    monkeypatch.setattr(vulnerabilities.subprocess, "run", lambda *_, **__: done)
    assert vulnerabilities.main() == 0
    said = capsys.readouterr().out
    assert f"none of the {len(vulnerabilities.read_lock())} locked packages was checked" in said
    assert "its database could not be reached" in said
    assert json.loads((tmp_path / "vulnerabilities.json").read_text())["asked"] is False


@pytest.mark.parametrize(
    ("known", "status", "asked", "words"),
    [
        ((), 0, False, "its database knows none of them"),
        (("safe",), 0, True, "not checked, the database does not know them: odd"),
    ],
)
def test_a_package_that_the_database_does_not_know_is_not_called_safe(
    monkeypatch, tmp_path, capsys, known, status, asked, words
):
    monkeypatch.setattr(vulnerabilities, "PLACE", tmp_path / "vulnerabilities.json")
    answer = [{"name": "odd", "skip_reason": "not found"}]
    answer += [{"name": name, "version": "1", "vulns": []} for name in known]
    done = vulnerabilities.subprocess.CompletedProcess([], 0, json.dumps({"dependencies": answer}), "")
    monkeypatch.setattr(vulnerabilities.subprocess, "run", lambda *_, **__: done)
    assert vulnerabilities.main() == status
    assert words in capsys.readouterr().out
    found = json.loads((tmp_path / "vulnerabilities.json").read_text())
    assert found["asked"] is asked
    stages = {"dependencies": {"passed": True, "figures": found}}
    assert ("1 more could not be checked" in page.vulnerabilities(stages)) is asked


def test_a_vulnerable_package_is_an_error(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(vulnerabilities, "PLACE", tmp_path / "vulnerabilities.json")
    answer = {"dependencies": [{"name": "thing", "version": "1", "vulns": [{"id": "PYSEC-0"}]}]}
    done = vulnerabilities.subprocess.CompletedProcess([], 1, json.dumps(answer), "")
    monkeypatch.setattr(vulnerabilities.subprocess, "run", lambda *_, **__: done)
    assert vulnerabilities.main() == 1
    assert "thing 1: PYSEC-0" in capsys.readouterr().out


def test_no_folder_of_tests_is_passed_over(pytestconfig):
    patterns = pytestconfig.getini("norecursedirs")
    folders = {path.parent for part in ("src", "tests") for path in (ROOT / part).rglob("*.py")}
    named = {folder.name for folder in folders} - {"__pycache__"}
    assert "build" in named
    assert not [name for name in sorted(named) if any(fnmatch(name, pattern) for pattern in patterns)]
