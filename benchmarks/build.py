"""How long building takes, beside papermill on the same notebooks: ``python benchmarks/build.py [--runs N]``.

Every case works on a copy of this project in a temporary folder. ``--case NAME`` measures some cases only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "_quarto.yml",
    "_variables.yml",
    "index.ipynb",
    "notebooks",
    "data",
    "scenarios",
    "assets",
    "requirements-core.txt",
)
CORES = os.cpu_count() or 1
BUILTIN = ("--renderer", "builtin")
SCENARIOS = 100
STUDIES = (10, 100, 1000)
Seconds = list[float]

# Runs in a process of its own: all notebooks of the report through our engine, with the time inside cells.
OURS = """
import json, os, sys, time
from collections import defaultdict
from pathlib import Path
begin = time.perf_counter()
from evidence.build import execute, report, scenarios, stage
from evidence.data import dataset
root = Path.cwd()
settle = execute.settle
def timed(notebook):
    spent = sum(cell.metadata.get("papermill", {}).get("duration") or 0 for cell in notebook.cells)
    with open(root / "cells", "a") as file:
        file.write(f"{os.getpid()} {spent}\\n")
    return settle(notebook)
execute.settle = timed
request = report.Request(root, scenarios.read_scenario("default", root))
with execute.kernel_environment():
    data = dataset(request.scenario.parameters)
    jobs = stage.plan(root, stage.read_project(root), data, request.scenario.parameters)
    tasks = [report.task_of(request, job, stage.source_text(job, root, data)) for job in jobs]
    execute.run_all(tasks, jobs=int(sys.argv[1]))
spent = defaultdict(float)
for line in open(root / "cells"):
    spent[line.split()[0]] += float(line.split()[1])
print(json.dumps([time.perf_counter() - begin, max(spent.values())]))
"""
# Writes what papermill needs: the sources of all notebooks and their parameters.
SOURCES = """
import json
from pathlib import Path
from evidence.build import report, scenarios, stage
from evidence.data import dataset
root = Path.cwd()
request = report.Request(root, scenarios.read_scenario("default", root))
data = dataset(request.scenario.parameters)
made = []
for place, job in enumerate(stage.plan(root, stage.read_project(root), data, request.scenario.parameters)):
    source = root / "sources" / f"{place:03d}.ipynb"
    source.parent.mkdir(exist_ok=True)
    source.write_text(stage.source_text(job, root, data))
    made.append([str(source), str((root / job.source).parent), job.injected])
print(json.dumps(made))
"""
RENDER = """
import time
from pathlib import Path
from evidence.render import render
begin = time.perf_counter()
render(Path("_build/default/project"), Path("rendered"), renderer="builtin")
print(time.perf_counter() - begin)
"""
GROWTH = """
import json, time
from evidence.audit import audit
from evidence.data import load
from evidence.stats import pool_proportions
def timed(work):
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found
seconds, data = timed(lambda: load("grown"))
known = data.counts[data.counts["events"].notna() & data.counts["n"].notna() & (data.counts["n"] > 0)]
first = known.drop_duplicates("study_id")
pairs = [int(one) for one in first["events"]], [int(one) for one in first["n"]]
print(json.dumps([len(data.studies), seconds, timed(lambda: audit(data))[0], timed(lambda: pool_proportions(*pairs))[0]]))
"""


@contextmanager
def copied() -> Iterator[Path]:
    """Provide a copy of the project without anything built."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder, "project")
        root.mkdir()
        for part in (ROOT / name for name in PARTS):
            if part.is_dir():
                shutil.copytree(part, root / part.name)
            elif part.is_file():
                shutil.copyfile(part, root / part.name)
        yield root


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}


def python(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment(), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)[:200]}\n{done.stderr[-2000:]}")
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def evidence(root: Path, *arguments: str) -> float:
    return seconds(lambda: python(root, "-m", "evidence", *arguments))


def clean(root: Path) -> None:
    for name in ("_build", "_report"):
        shutil.rmtree(root / name, ignore_errors=True)


def papermill(root: Path, processes: int) -> tuple[float, float]:
    """Return the wall time and the longest worker's time inside cells of papermill's own command."""
    sources = json.loads(python(root, "-c", SOURCES))
    inside: dict[int, float] = {}

    def one(place: int) -> None:
        source, folder, injected = sources[place]
        target = str(root / "sources" / f"out-{place}.ipynb")
        given = [part for name, value in injected.items() for part in ("-p", name, str(value))]
        python(
            root,
            "-m",
            "papermill",
            source,
            target,
            "--cwd",
            folder,
            "--log-level",
            "ERROR",
            "--no-progress-bar",
            *given,
        )
        cells = json.loads(Path(target).read_text())["cells"]
        spent = sum(cell["metadata"].get("papermill", {}).get("duration") or 0 for cell in cells)
        worker = threading.get_ident()
        inside[worker] = inside.get(worker, 0) + spent

    with ThreadPoolExecutor(processes) as pool:
        wall = seconds(lambda: list(pool.map(one, range(len(sources)))))
    return wall, max(inside.values())


def ours(root: Path, jobs: int) -> tuple[float, float]:
    """Return the wall time, the start of Python included, and the longest worker's time inside cells."""
    clean(root)
    (root / "cells").unlink(missing_ok=True)
    said: list[str] = []
    wall = seconds(lambda: said.append(python(root, "-c", OURS, str(jobs))))
    return wall, json.loads(said[0])[1]


def change_a_row(root: Path, number: int) -> None:
    """Change the note of one row of one study, as a correction would."""
    path = root / "data" / "counts.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index("note")] = f"corrected {number}"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def memory(root: Path) -> float:
    """Return the largest proportional memory of the processes of one build, in MiB."""
    clean(root)
    command = [sys.executable, "-m", "evidence", "report", *BUILTIN]
    run = subprocess.Popen(
        command, cwd=root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0.0
    while run.poll() is None:
        peak = max(peak, sum(map(_share, _family(run.pid))))
        time.sleep(0.1)
    return peak / 1024


def _family(pid: int) -> list[int]:
    try:
        children = [
            int(one)
            for path in Path(f"/proc/{pid}/task").glob("*/children")
            for one in path.read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(child))]


def _share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def fewest_notebooks(root: Path) -> tuple[str, int, list[float]]:
    """Return the parameter of a continuous range that the fewest notebooks use, their number, and values."""
    listed = json.loads(python(root, "-m", "evidence", "params", "--json"))
    ranges = [one for one in listed if one["type"] == "float" and one["notebooks"]]
    one = min(ranges, key=lambda spec: len(spec["notebooks"]))
    low, high = {"alpha": (0.0, 0.5), "confidence_level": (0.5, 1.0)}.get(one["name"], (0.0, 1.0))
    values = [round(low + (high - low) * (place + 1) / (SCENARIOS + 2), 6) for place in range(SCENARIOS)]
    return one["name"], len(one["notebooks"]), values


def sweep(root: Path) -> tuple[float, str]:
    """Return the time of a sweep of 100 scenarios, from nothing, and what was varied."""
    clean(root)
    name, number, values = fewest_notebooks(root)
    (root / "many.yml").write_text(f"grid:\n  {name}: {values}\n")
    return evidence(root, "sweep", "many.yml"), f"{name}, declared by {number} notebooks"


def grow(root: Path, studies: int) -> None:
    """Write ``grown``: the data with as many studies, copies under names of their own."""
    target = root / "grown"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    shutil.copyfile(root / "data" / "datapackage.json", target / "datapackage.json")
    with (root / "data" / "studies.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["study_id"] for row in csv.DictReader(file)]
    for path in (root / "data").glob("*.csv"):
        _multiply(path, target / path.name, ids, studies)


def _multiply(source: Path, target: Path, ids: list[str], studies: int) -> None:
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
        names = list(rows[0]) if rows else source.read_text(encoding="utf-8").strip().split(",")
    made = [row for row in rows if not row.get("study_id")] if source.name != "ledger.csv" else []
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row.get("study_id") or "", []).append(row)
    for number in range(studies):
        copy, study = divmod(number, len(ids))
        for row in groups.get(ids[study], []):
            made.append({name: _renamed(name, value, copy, ids) for name, value in row.items()})
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


def _renamed(name: str, value: str, copy: int, ids: list[str]) -> str:
    if name == "parent_study_id":
        return ""
    return f"{value}.{copy}" if copy and value and name in ("study_id", "row_id") else value


def line(case: str, values: Seconds, unit: str = "s", goal: str = "") -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{case:<66} {low:9.2f} {middle:9.2f} {high:9.2f} {unit:<4} {goal}", flush=True)


def against(case: str, ours: Seconds, theirs: Seconds, goal: str) -> None:
    """Print how the medians compare: ours as a part of theirs."""
    print(
        f"{case:<66} {statistics.median(ours) / statistics.median(theirs):29.3f} {'':<4} {goal}", flush=True
    )


def cold(root: Path, runs: int) -> None:
    serial = [papermill(root, 1) for _ in range(runs)]
    parallel = [papermill(root, CORES) for _ in range(runs)]
    engine = [ours(root, CORES) for _ in range(runs)]
    overheads = [[wall - cells for wall, cells in one] for one in (serial, parallel, engine)]
    line("papermill notebook by notebook, wall", [wall for wall, _ in serial])
    line("papermill notebook by notebook, overhead", overheads[0])
    line(f"papermill in {CORES} processes, wall", [wall for wall, _ in parallel])
    line(f"papermill in {CORES} processes, overhead", overheads[1])
    line("ours, all notebooks cold, wall", [wall for wall, _ in engine])
    line("ours, all notebooks cold, overhead", overheads[2])
    against("overhead, ours / papermill one by one", overheads[2], overheads[0], "at most 0.167")
    against(f"overhead, ours / papermill in {CORES} processes", overheads[2], overheads[1], "at most 0.4")
    walls = [[wall for wall, _ in one] for one in (engine, serial)]
    against("wall, ours / papermill one by one", *walls, "at most 0.25")


def again(root: Path, runs: int) -> None:
    whole, same, row = [], [], []
    for number in range(runs):
        clean(root)
        whole.append(evidence(root, "report", *BUILTIN))
        same.append(evidence(root, "report", *BUILTIN))
        change_a_row(root, number)
        row.append(evidence(root, "report", *BUILTIN))
    line("whole report cold, HTML and PDF", whole)
    line("nothing changed, HTML and PDF included", same, goal="under 0.5")
    line("one row of one study changed, HTML and PDF", row)
    against("one row changed / cold", row, whole, "at most 0.25")


def many(root: Path, runs: int) -> None:
    engine = [ours(root, CORES)[0] for _ in range(runs)]
    found = [sweep(root) for _ in range(runs)]
    line(f"sweep of {SCENARIOS} scenarios ({found[0][1]})", [spent for spent, _ in found])
    ratio = SCENARIOS * statistics.median(engine) / statistics.median([spent for spent, _ in found])
    print(
        f"{f'{SCENARIOS} cold runs of all notebooks (one, times {SCENARIOS}) / sweep':<66} {ratio:29.1f} {'':<4} at least 20"
    )


def pages(root: Path, runs: int) -> None:
    clean(root)
    evidence(root, "report", *BUILTIN)
    line(
        "HTML and PDF with the built-in renderer",
        [float(python(root, "-c", RENDER)) for _ in range(runs)],
        goal="under 3",
    )


def peak(root: Path, runs: int) -> None:
    line("peak memory of a whole build", [memory(root) for _ in range(runs)], "MiB", "under 1,000")


def growth(root: Path, runs: int) -> None:
    for studies in STUDIES:
        grow(root, studies)
        found = [json.loads(python(root, "-c", GROWTH)) for _ in range(runs)]
        for place, name in enumerate(("load", "audit", "pool proportions"), 1):
            line(f"{found[0][0]} studies: {name}", [one[place] for one in found])


CASES = {"cold": cold, "again": again, "many": many, "pages": pages, "memory": peak, "growth": growth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    asked = parser.parse_args()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {CORES} cores, Python {platform.python_version()}, {platform.system()}; {asked.runs} runs"
    )
    print(f"{'case':<66} {'min':>9} {'median':>9} {'max':>9}      goal")
    with copied() as root:
        for name in asked.case:
            CASES[name](root, asked.runs)


if __name__ == "__main__":
    main()
