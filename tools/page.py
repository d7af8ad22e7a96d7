"""``docs/assurance.md``: every figure that is claimed of this project's trustworthiness, with the command that gives it.

``python -m tools.page`` writes it from what ``make assure`` left in ``_build/assurance``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from typing import Any

from tools.lock import ROOT, read_lock

PAGE = ROOT / "docs" / "assurance.md"
RESULTS = ROOT / "_build" / "assurance"
ACCURACY = ROOT / "benchmarks" / "accuracy.csv"
NOT_MEASURED = "not measured"
Stages = dict[str, dict[str, Any]]


def figures(stages: Stages, name: str) -> dict[str, Any]:
    """Return the figures of a stage that has passed; nothing otherwise."""
    found = stages.get(name, {})
    return dict(found.get("figures", {})) if found.get("passed") else {}


def passed_tests(name: str) -> Callable[[Stages], str]:
    """Return a writer of how many tests of a stage passed and were skipped."""

    def write(stages: Stages) -> str:
        found = figures(stages, name)
        if not found:
            return NOT_MEASURED
        skipped = f", {found['skipped']} skipped" if found["skipped"] else ""
        return f"{found['passed_tests']:,} passed{skipped}"

    return write


def quick(stages: Stages) -> str:
    """Say how many tests and cells of notebooks passed, and how long that took."""
    found, time = figures(stages, "make-test"), time_of("make-test")(stages)
    if not found:
        return NOT_MEASURED
    cells = found["cells"]
    tests = f"{found['passed_tests'] - cells:,} tests and {cells:,} cells of notebooks passed"
    return f"{tests}, {found['skipped']} skipped, in {time}"


def fuzz(stages: Stages) -> str:
    """Say how many cases were tried against how many targets, and what they ended in."""
    found = figures(stages, "fuzz-at-length").get("fuzz")
    if not found:
        return NOT_MEASURED
    targets = found["targets"].values()
    results, errors = (sum(counts.get(name, 0) for counts in targets) for name in ("results", "typed errors"))
    other = found["cases"] - results - errors
    return f"{found['cases']:,} cases on {len(targets)} targets: {results:,} results, {errors:,} typed errors, {other} otherwise"


def faults(stages: Stages) -> str:
    """Say how many faults were injected, and how many were survived."""
    found = figures(stages, "every-fault").get("faults")
    return f"{found['injected']} injected, {found['survived']} survived" if found else NOT_MEASURED


def coverage(stages: Stages) -> str:
    """Say which share of lines and branches the tests reach."""
    found = figures(stages, "coverage")
    if not found:
        return NOT_MEASURED
    return f"{found['both']:.1f}% of lines and branches ({found['lines']:.1f}% of lines, {found['branches']:.1f}% of branches)"


def mutants(stages: Stages) -> str:
    """Say how many small changes of the source were noticed by a test, with the interval of the share."""
    found = figures(stages, "mutation")
    if not found:
        return NOT_MEASURED
    interval = f"95% interval {100 * found['low']:.1f}% to {100 * found['high']:.1f}%"
    drawn = f"a sample of {found['tried']} of {found['possible']:,} possible changes"
    return (
        f"{found['noticed']} of {found['counted']} noticed, {100 * found['score']:.1f}% ({interval}); {drawn}, "
        f"{found['equivalent']} of them without effect on any result"
    )


def vulnerabilities(stages: Stages) -> str:
    """Say how many locked packages are known to be vulnerable, or that nobody could be asked."""
    found = figures(stages, "dependencies")
    if not found:
        return NOT_MEASURED
    if not found["asked"]:
        return f"{NOT_MEASURED}: {found['why']}"
    unknown = len(found.get("unknown", []))
    left = f"; {unknown} more could not be checked" if unknown else ""
    return f"{len(found['vulnerable'])} among {found['packages'] - unknown} packages{left}"


def locked(_: Stages) -> str:
    """Say how many pins the lock has, and how many of them have hashes."""
    pins = read_lock()
    return f"{len(pins)} pins, {sum(bool(pin.hashes) for pin in pins)} with hashes"


def accuracy(_: Stages) -> str:
    """Say how many numbers were compared with a second implementation, and the largest deviation."""
    with ACCURACY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    worst = max(rows, key=lambda row: float(row["largest"]))
    return f"{sum(int(row['cases']) for row in rows):,} numbers; largest deviation {worst['largest']} ({worst['what']})"


def time_of(*names: str) -> Callable[[Stages], str]:
    """Return a writer of how long stages took together."""

    def write(stages: Stages) -> str:
        found = [stages.get(name, {}) for name in names or tuple(stages)]
        if not found or not all(one.get("passed") for one in found):
            return NOT_MEASURED
        return f"{sum(one['seconds'] for one in found) / 60:.1f} minutes"

    return write


# What is claimed, how the figure is read, and the command that produces it.
CLAIMS: tuple[tuple[str, Callable[[Stages], str], str], ...] = (
    ("After every change: style, types, quick tests, and notebooks that still give what is stored", quick, "make test"),
    ("The same tests with more cases, hostile input among them", passed_tests("tests"), "python -m tools.assure tests"),
    ("Tests that take long", passed_tests("long-tests"), "python -m tools.assure long-tests"),
    ("Tests that make whole reports", passed_tests("whole-reports"), "python -m tools.assure whole-reports"),
    ("Fuzz cases", fuzz, "python -m tools.assure fuzz-at-length"),
    ("Faults", faults, "python -m tools.assure every-fault"),
    ("Tests of faults, and of clean builds that must give the same bytes", passed_tests("every-fault"), "python -m tools.assure every-fault"),
    ("Tests of every page in the browser", passed_tests("browser"), "python -m tools.assure browser"),
    ("Accuracy against a second implementation", accuracy, "python benchmarks/accuracy.py"),
    ("Coverage of src/evidence", coverage, "python -m tools.assure coverage"),
    ("Small changes of the statistics and the audit that a test notices", mutants, "python -m tools.assure mutation"),
    ("Locked packages", locked, "make lock"),
    ("Known vulnerabilities", vulnerabilities, "make audit-deps"),
    ("Time of all stages", time_of(), "make assure"),
)  # fmt: skip


def render(stages: Stages) -> str:
    """Return the page."""
    lines = [
        "# Assurance",
        "",
        "What is claimed, the figure that was found, and the command that finds it again. Written by `make assure` "
        "(`python -m tools.page`) from the results of its stages; nothing here is typed.",
        "",
        "| claim | found | command |",
        "| --- | --- | --- |",
        *(f"| {claim} | {read(stages)} | `{command}` |" for claim, read, command in CLAIMS),
        "",
        "## Stages",
        "",
        "| stage | passed | time | content |",
        "| --- | --- | --- | --- |",
        *(stage_line(name, found) for name, found in stages.items()),
        "",
        "Content is a hash of everything that the stage depends on; a stage runs again only when it has changed. Times "
        "are of the computer that ran it.",
        "",
        *unnoticed(stages),
        "## What stands elsewhere",
        "",
        "- Licences of all dependencies: [licences.md](licences.md), `python -m tools.licences`.",
        "- Columns and allowed values of the data: [data-dictionary.md](data-dictionary.md), `python -m tools.dictionary`.",
        "- Power and quietness of the audit, speed of the build, coverage of intervals: `benchmarks/`.",
        "- Accuracy, calculation by calculation: the chapter *How exact the calculations are*.",
        "",
        "## What was not done",
        "",
        "- The workflow in `.github/workflows` was checked against the schema of its format and has not been run.",
        "- Real Quarto is exercised only by tests that are skipped where it is not installed.",
    ]
    return "\n".join(lines) + "\n"


def stage_line(name: str, found: dict[str, Any]) -> str:
    """Return one stage with its time and the hash of what it depends on."""
    if not found:
        return f"| {name} | {NOT_MEASURED} |  |  |"
    said = "yes" if found["passed"] else "no"
    return f"| {name} | {said} | {found['seconds']:.0f} s | {found['key']} |"


def unnoticed(stages: Stages) -> list[str]:
    """Return the changes of the sample that no test noticed, by module."""
    by_module = figures(stages, "mutation").get("by_module", {})
    if not by_module:
        return []
    lines = [f"- {name}: {number}" for name, number in sorted(by_module.items(), key=lambda pair: -pair[1])]
    return ["## Changes of the sample that no test noticed", "", *lines, ""]


def write(stages: Stages) -> None:
    """Write the page."""
    PAGE.write_text(render(stages), encoding="utf-8", newline="\n")


def main() -> int:
    """Write the page from what the stages left behind."""
    from tools.assure import stages, stored

    write({stage.name: stored(stage) for stage in stages()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
