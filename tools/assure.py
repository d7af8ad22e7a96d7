"""All that is claimed of this project, tried at length: ``make assure``; ``python -m tools.assure NAME...`` does some of it.

Each stage leaves what it found in ``_build/assurance``, with a hash of all that it depends on. A stage that has
passed is not run again until something that it depends on has changed, so a run that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tools.lock import ROOT

from tools import mutation, page

RESULTS = ROOT / "_build" / "assurance"
PYTHON = (sys.executable, "-m")
PYTEST = (*PYTHON, "pytest", "-q", "-n", "auto", "--dist", "loadscope", "--no-loadscope-reorder")
# A file of tests that takes long is shared by the processors, not left to one.
SHARED = ("--dist", "worksteal")
COVERED = ("--cov", "--cov-report=")
ENGINE = ("src/**/*", "pyproject.toml", "requirements-core.txt")
PROJECT = (
    "data/**/*",
    "notebooks/*",
    "index.ipynb",
    "_quarto.yml",
    "scenarios/**/*",
    "assets/**/*",
    "benchmarks/*",
)
LONG = "slow and not browser"
WITH_ALL = ("tests/conftest.py", "tests/guard/*")  # what every test depends on
# The tests that have a stage of their own.
APART = ("--ignore=tests/fuzz", "--ignore=tests/faults", "--ignore=tests/browser")
# Long tests that make whole reports or chapters. They are not measured, which would double their time; one branch
# in a hundred is reached by them alone.
WHOLE = (
    "tests/test_add_study.py",
    "tests/test_declared.py",
    "tests/test_report.py",
    "tests/build/test_changed_rows.py",
    "tests/build/test_kernels.py",
)
FUZZ_CASES = "1200"
QUICK = "make-test"  # style, types, the quick tests and the notebooks, as they are run after every change
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the assurance: what is run, what it depends on, and how its figures are read."""

    name: str
    command: tuple[str, ...]
    depends: tuple[str, ...]
    figures: Callable[[Path], Found]
    surroundings: tuple[tuple[str, str], ...] = ()

    def key(self) -> str:
        """Return a hash of the command, what it is told, and every file that the stage depends on."""
        told = [f"{name}={value}" for name, value in self.surroundings]
        digest = hashlib.sha256(" ".join([*self.command, *told]).replace(str(ROOT), "").encode())
        for path in sorted({path for pattern in self.depends for path in ROOT.glob(pattern)}):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def with_pytest(
    name: str, *more: str, depends: Sequence[str] = ("tests/**/*",), **surroundings: str
) -> Stage:
    """Return a stage that runs pytest; its figures are how many tests ran, failed and were skipped."""
    report = f"--junitxml={RESULTS / f'{name}.xml'}"
    own = (
        ("COVERAGE_FILE", str(RESULTS / f"coverage-{name}")),
        ("PYTHONPATH", str(ROOT / "tests" / "guard")),
    )
    command = (*PYTEST, report, *more)
    return Stage(name, command, (*ENGINE, *PROJECT, *depends), counted, (*own, *surroundings.items()))


def counted(folder: Path) -> Found:
    """Return the counts of every test report in a folder's newest stage."""
    newest = max(folder.glob("*.xml"), key=lambda path: path.stat().st_mtime)
    suite = ElementTree.parse(newest).getroot()[0]  # noqa: S314  written by the run that has just ended
    numbers = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    return {**numbers, "passed_tests": numbers["tests"] - sum(list(numbers.values())[1:])}


def with_cells(folder: Path) -> Found:
    """Return the counts of tests, and how many cells of notebooks are among those that passed."""
    path = folder / f"{QUICK}.xml"
    cases = ElementTree.parse(path).iter("testcase")  # noqa: S314  written by the run that has just ended
    cells = [one for one in cases if one.attrib["classname"].endswith(".ipynb")]
    return counted(folder) | {"cells": sum(not len(one) for one in cells)}


def covered(_: Path) -> Found:
    """Return the share of lines and branches that all measured stages together reached."""
    totals = json.loads((RESULTS / "coverage-all.json").read_text(encoding="utf-8"))["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    return {"both": totals["percent_covered"], "lines": lines, "branches": branches}


def own_figures(name: str) -> Callable[[Path], Found]:
    """Return a reader of the figures that a stage writes by itself."""

    def read(folder: Path) -> Found:
        found: Found = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        return found

    return read


def counted_and(name: str) -> Callable[[Path], Found]:
    """Return a reader of the counts of tests and of the figures that the tests write by themselves."""
    return lambda folder: {**counted(folder), name: own_figures(name)(folder)}


def stages() -> tuple[Stage, ...]:
    """Return every stage in order, the quickest to fail first."""
    fuzz = with_pytest(
        "fuzz-at-length",
        *SHARED,
        "tests/fuzz",  # not measured: its lines are those of the other tests
        depends=("tests/fuzz/*", *WITH_ALL),
        EVIDENCE_FUZZ=FUZZ_CASES,
    )
    faults = with_pytest(
        "every-fault",
        *SHARED,
        "-m",
        "slow or not slow",
        "tests/faults",  # not measured: its lines are those of the other tests
        depends=("tests/faults/*", *WITH_ALL),
    )
    quick = Stage(
        QUICK,
        ("make", "-s", "test"),
        (*ENGINE, *PROJECT, "tests/**/*", "tools/*.py", "docs/report/**/*", "Makefile"),
        with_cells,
        (("PYTEST_ADDOPTS", f"--junitxml={RESULTS / f'{QUICK}.xml'}"),),
    )
    return (
        quick,
        with_pytest(
            "tests",
            *COVERED,
            *("-m", "not slow", "--doctest-modules", *APART, "src", "tests"),
            EVIDENCE_EXAMPLES="60",
        ),
        with_pytest(
            "long-tests", *COVERED, "-m", LONG, *APART, *(f"--ignore={path}" for path in WHOLE), "tests"
        ),
        with_pytest("whole-reports", "-m", LONG, *WHOLE),
        Stage(fuzz.name, fuzz.command, fuzz.depends, counted_and("fuzz"), fuzz.surroundings),
        Stage(faults.name, faults.command, faults.depends, counted_and("faults"), faults.surroundings),
        with_pytest(
            "browser",
            *SHARED,
            "tests/browser",
            depends=("tests/browser/*", "docs/report/**/*"),
            EVIDENCE_ALL_PAGES="1",
        ),
        Stage(
            "coverage",
            (*PYTHON, "tools.assure", "--combine"),
            ("src/**/*", "tests/**/*", "pyproject.toml"),
            covered,
        ),
        Stage("mutation", (*PYTHON, "tools.mutation"), mutation.DEPENDS, own_figures("mutants")),
        Stage(
            "dependencies",
            (*PYTHON, "tools.vulnerabilities"),
            ("requirements*.txt",),
            own_figures("vulnerabilities"),
        ),
    )


def measured() -> list[Stage]:
    """Return the stages that note which lines and branches they reach."""
    return [stage for stage in stages() if set(COVERED) <= set(stage.command)]


def outdated() -> list[str]:
    """Return the stages whose measurements are of other files than there are: their lines stand elsewhere now."""
    return [stage.name for stage in measured() if stored(stage).get("key") != stage.key()]


def combine() -> int:
    """Put the measurements of all stages together."""
    if old := outdated():
        print(f"measured before something changed: {', '.join(old)}; run them again")
        return 1
    # A process that was killed may leave half a file, so only what each stage has put together is read.
    parts = [str(RESULTS / f"coverage-{stage.name}") for stage in measured()]
    whole = f"--data-file={RESULTS / 'coverage-all'}"
    run = subprocess.run(
        [*PYTHON, "coverage", "combine", "--keep", "-q", whole, *parts], cwd=ROOT, check=False
    )
    if run.returncode:
        return run.returncode
    out = ["-q", "-o", str(RESULTS / "coverage-all.json")]
    return subprocess.run([*PYTHON, "coverage", "json", whole, *out], cwd=ROOT, check=False).returncode


def stored(stage: Stage) -> Found:
    """Return what a stage left behind; nothing where it has not run."""
    path = RESULTS / f"stage-{stage.name}.json"
    if not path.is_file():
        return {}
    found: Found = json.loads(path.read_text(encoding="utf-8"))
    return found


def carry_out(stage: Stage) -> bool:
    """Run a stage unless it has passed with the same content before; return whether it passed."""
    key, before = stage.key(), stored(stage)
    if before.get("key") == key and before.get("passed"):
        print(f"{stage.name}: passed before, nothing that it depends on has changed", flush=True)
        return True
    print(f"{stage.name} ...", flush=True)
    for stale in RESULTS.glob(f"coverage-{stage.name}*"):
        stale.unlink()
    begun = time.monotonic()
    run = subprocess.run(stage.command, cwd=ROOT, env={**os.environ, **dict(stage.surroundings)}, check=False)
    seconds = time.monotonic() - begun
    passed = run.returncode == 0
    figures = stage.figures(RESULTS) if passed else {}
    command = " ".join(stage.command).replace(str(ROOT) + "/", "").replace(sys.executable, "python")
    if figures.get("asked") is False:
        key = ""  # it could not be done here: ask again next time
    found = {
        "name": stage.name,
        "key": key,
        "passed": passed,
        "seconds": round(seconds, 1),
        "command": command,
    }
    text = json.dumps({**found, "figures": figures}, indent=1) + "\n"
    partial = RESULTS / f".{stage.name}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(RESULTS / f"stage-{stage.name}.json")
    print(f"{stage.name}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
    return passed


def main(names: Sequence[str]) -> int:
    """Run the stages named, or all of them, and renew ``docs/assurance.md``."""
    if list(names) == ["--combine"]:
        return combine()
    known = {stage.name: stage for stage in stages()}
    if unknown := set(names) - set(known):
        print(f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = [name for name in names or known if not carry_out(known[name])]
    page.write({name: stored(stage) for name, stage in known.items()})
    print(f"failed: {', '.join(failed)}" if failed else "docs/assurance.md renewed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
