"""How long building takes, beside papermill on the same notebooks: ``python benchmarks/build.py [--runs N]``.

Prints a table: smallest, middle and largest value of each case, its goal, and whether the middle one meets it.
Every case works on a copy of this project in a temporary folder. ``--case NAME`` measures some cases only.
Cold means that nothing is left of any build: neither notebooks nor pages nor the results that kernels of one
build share on disk (``evidence.memo``). A changed row and a sweep find what the builds before them in the same
case have left. papermill's kernels share nothing.

A changed row is one in which a word is added to its note (where a table has none, to its reason), and each is
built on what the build before it left. Seven rows are drawn, without putting any back and with a fixed seed,
from all rows with a study of all tables: a long table is drawn more often, and no row is chosen by hand.
Besides these, on a line of its own, stands the dearest choice: a row of the study with the most rows in
``counts``. A word in the note and a new figure make the same notebooks run, since of a row all is read; but
after a new figure fewer of the kept results of tests and models can be found again.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
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
VARIED = "noninferiority_margin"
STUDIES = (10, 100, 1000)
DRAWN, SEED = 7, 6  # rows that are changed, one after the other
WORDS = ("note", "reason")  # columns of a table for words of our own
LINEAR = 1.1  # a power of growth up to here is linear: times of one machine scatter by a tenth
Seconds = list[float]

# Runs in a process of its own: all notebooks of the report through our engine, with the time inside cells.
OURS = """
import json, os, sys, time
from collections import defaultdict
from pathlib import Path
begin = time.perf_counter()
from evidence.build import execute, report, stage
from evidence.build.cache import FOLDER, Cache
from evidence.build.remembering import remembering
from evidence.data import dataset
from evidence.scenarios import read_scenario
root = Path.cwd()
settle = execute.settle
def timed(notebook):
    spent = sum(cell.metadata.get("papermill", {}).get("duration") or 0 for cell in notebook.cells)
    with open(root / "cells", "a") as file:
        file.write(f"{os.getpid()} {spent}\\n")
    return settle(notebook)
execute.settle = timed
request = report.Request(root, read_scenario("default", root))
base = Cache.of(root, root / "data").base
with remembering(root / FOLDER / "memo", base), execute.kernel_environment():
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
from evidence.build import report, stage
from evidence.data import dataset
from evidence.scenarios import read_scenario
root = Path.cwd()
request = report.Request(root, read_scenario("default", root))
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
import json, math, time
from evidence.audit import audit
from evidence.data import load
from evidence.stats import pool, pool_proportions
def pooled(more):
    # With a few patients more each time: the engine keeps what it was asked before.
    events, sizes = pairs[0], [n + more for n in pairs[1]]
    effects = [math.log((e + 0.5) / (n - e + 0.5)) for e, n in zip(events, sizes)]
    variances = [1 / (e + 0.5) + 1 / (n - e + 0.5) for e, n in zip(events, sizes)]
    pool_proportions(events, sizes)
    return [pool(effects, variances, tau2=one) for one in ("DL", "REML", "PM")]
def timed(work):
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found
seconds, data = timed(lambda: load("grown"))
known = data.counts[data.counts["events"].notna() & data.counts["n"].notna() & (data.counts["n"] > 0)]
first = known.drop_duplicates("study_id")
pairs = [int(one) for one in first["events"]], [int(one) for one in first["n"]]
pooled(0)
times = 20
spent = timed(lambda: [pooled(place) for place in range(1, times + 1)])[0] / times
print(json.dumps([len(data.studies), seconds, timed(lambda: audit(data))[0], spent]))
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
    """Return this environment with this engine and compiled modules, and without results of other runs."""
    without = ("EVIDENCE_MEMO", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return kept | {"PYTHONPATH": str(ROOT / "src")}


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
    """Remove all that was built, with the results that kernels of an earlier build kept."""
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


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a table, by its line in the file, and the study that it is of."""

    table: str
    line: int
    study: str


def places(root: Path) -> list[Place]:
    """Return every row with a study, of every table that has a column for words."""
    found = []
    for path in sorted((root / "data").glob("*.csv")):
        for number, row in enumerate(_dicts(path)):
            if row.get("study_id") and any(name in row for name in WORDS):
                found.append(Place(path.stem, number, row["study_id"]))
    return found


def dearest(rows: list[Place]) -> Place:
    """Return the first row of the study that has the most rows in counts."""
    counts = [one for one in rows if one.table == "counts"]
    study = Counter(one.study for one in counts).most_common(1)[0][0]
    return next(one for one in counts if one.study == study)


def change(root: Path, place: Place) -> None:
    """Add a word to the note of a row, as a correction would."""
    path = root / "data" / f"{place.table}.csv"
    rows = _dicts(path)
    name = next(name for name in WORDS if name in rows[place.line])
    rows[place.line][name] = f"{rows[place.line][name]} corrected".strip()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _dicts(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


def used_by_two(root: Path) -> tuple[str, ...]:
    """Leave the declaration of the parameter that is varied to two notebooks, and return their names.

    Only declared parameters reach a notebook: the others keep its default.
    """
    chosen = ("cit_safety.ipynb", "synthesis_cit.ipynb")  # chapters of middling cost
    for path in (root / "index.ipynb", *(root / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if "parameters" in cell["metadata"].get("tags", []) and path.name not in chosen:
                lines = "".join(cell["source"]).splitlines(keepends=True)
                cell["source"] = [line for line in lines if not line.startswith(f"{VARIED} =")]
        path.write_text(json.dumps(notebook), encoding="utf-8")
    return chosen


def sweep(scenarios: int) -> tuple[float, str]:
    """Return the time of a sweep of many scenarios, from nothing, and what was varied."""
    with copied() as root:
        names = used_by_two(root)
        values = [round((place + 1) / 10, 1) for place in range(scenarios)]
        (root / "many.yml").write_text(f"grid:\n  {VARIED}: {values}\n")
        told = f"{VARIED}, declared by {' and '.join(Path(name).stem for name in names)}"
        return evidence(root, "sweep", "many.yml"), told


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


def line(case: str, values: Seconds, unit: str = "s", goal: float | None = None) -> None:
    """Print a row of the table; a goal is an upper limit of the median."""
    middle = statistics.median(values)
    cells = [
        f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in (min(values), middle, max(values))
    ]
    verdict = "" if goal is None else "met" if middle <= goal else "NOT MET"
    wanted = "" if goal is None else f"{goal:,.3g}" if goal < 1000 else f"{goal:,.0f}"
    print(f"| {case} | {unit} | {' | '.join(cells)} | {wanted} | {verdict} |", flush=True)


def against(case: str, ours: Seconds, theirs: Seconds, goal: float | None = None) -> None:
    """Print how ours compares: each of our values as a part of the median of theirs."""
    line(case, [value / statistics.median(theirs) for value in ours], "ratio", goal)


@lru_cache(maxsize=1)
def engine(root: Path, runs: int) -> list[tuple[float, float]]:
    """Return our cold runs of all notebooks; measured once for the cases that compare with them."""
    return [ours(root, CORES) for _ in range(runs)]


def cold(root: Path, runs: int) -> None:
    """Measure papermill once: minutes long, over so many notebooks it scatters less than ours."""
    serial, parallel = [papermill(root, 1)], [papermill(root, CORES)]
    own = engine(root, runs)
    overheads = [[wall - cells for wall, cells in one] for one in (serial, parallel, own)]
    line("papermill notebook by notebook: wall", [wall for wall, _ in serial])
    line("papermill notebook by notebook: overhead", overheads[0])
    line(f"papermill in {CORES} processes: wall", [wall for wall, _ in parallel])
    line(f"papermill in {CORES} processes: overhead", overheads[1])
    line("ours, all notebooks cold: wall", [wall for wall, _ in own])
    line("ours, all notebooks cold: overhead", overheads[2])
    against("overhead, ours against papermill notebook by notebook", overheads[2], overheads[0], 1 / 6)
    against(f"overhead, ours against papermill in {CORES} processes", overheads[2], overheads[1], 1 / 2.5)
    ours_wall, theirs_wall = ([wall for wall, _ in one] for one in (own, serial))
    against("wall, ours against papermill notebook by notebook", ours_wall, theirs_wall, 1 / 4)


def again(root: Path, runs: int) -> None:
    """Measure in turns of a cold build, one with nothing changed, and some with a changed row.

    A changed row is compared with the cold build of its own turn: a computer that grows slower between two
    turns does not move the ratio.
    """
    whole, same, shares = [], [], []
    rows = places(root)
    one, drawn = dearest(rows), random.Random(SEED).sample(rows, DRAWN)
    for turn in range(runs):
        clean(root)
        whole.append(evidence(root, "report", *BUILTIN))
        same.append(evidence(root, "report", *BUILTIN))
        shares += [changed(root, place) / whole[-1] for place in drawn[turn::runs]]
    dear = changed(root, one) / whole[-1]
    line("whole report cold, HTML and PDF included", whole)
    line("nothing changed, HTML and PDF included", same, goal=0.5)
    case = f"one row changed, {DRAWN} drawn evenly from all {len(rows):,} with a study, against cold"
    line(case, shares, "ratio", 0.25)
    case = f"the dearest row changed, of counts of {one.study}, the study with most of them, against cold"
    line(case, [dear], "ratio")


def changed(root: Path, place: Place) -> float:
    """Return how long a report takes after a row was changed, and print it."""
    change(root, place)
    spent = evidence(root, "report", *BUILTIN)
    line(f"a row of {place.table} of {place.study} changed, HTML and PDF included", [spent])
    return spent


def many(root: Path, runs: int, scenarios: int = SCENARIOS) -> None:
    """Measure the sweep once: it is long, and its notebooks are many repetitions of the same."""
    spent, varied = sweep(scenarios)
    line(f"sweep of {scenarios} scenarios of {varied}", [spent])
    builds = [scenarios * wall for wall, _ in engine(root, runs)]
    case = f"the sweep, against {scenarios} cold runs of all notebooks (one, times {scenarios})"
    against(case, [spent], builds, 1 / 20)


def pages(root: Path, runs: int) -> None:
    clean(root)
    evidence(root, "report", *BUILTIN)
    made = [float(python(root, "-c", RENDER)) for _ in range(runs)]
    line("HTML and PDF with the built-in renderer", made, goal=3)


def peak(root: Path, runs: int) -> None:
    line("peak memory of a whole build, all processes", [memory(root) for _ in range(runs)], "MiB", 1000)


def growth(root: Path, runs: int) -> None:
    before: dict[str, tuple[int, float]] = {}
    for studies in STUDIES:
        grow(root, studies)
        found = [json.loads(python(root, "-c", GROWTH)) for _ in range(runs if studies < max(STUDIES) else 1)]
        for place, name in enumerate(("load", "audit", "pool"), 1):
            values = [one[place] for one in found]
            line(f"{name}, {found[0][0]:,} studies", values)
            _exponent(name, before, found[0][0], statistics.median(values))


def _exponent(name: str, before: dict[str, tuple[int, float]], studies: int, spent: float) -> None:
    """Print by which power of the number of studies the time grew since the last size; 1 is linear."""
    if name in before:
        fewer, less = before[name]
        power = math.log(spent / less) / math.log(studies / fewer)
        line(f"{name}, power of growth from {fewer:,} to {studies:,} studies", [power], "power", LINEAR)
    before[name] = studies, spent


CASES: dict[str, Callable[..., None]] = {
    "cold": cold,
    "again": again,
    "many": many,
    "pages": pages,
    "memory": peak,
    "growth": growth,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scenarios", type=int, default=SCENARIOS, help="of the sweep; fewer for a trial")
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    asked = parser.parse_args()
    version = f"Python {platform.python_version()} on {platform.system()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {CORES} cores, {version}, {asked.runs} runs of each case\n")
    print("| case | unit | min | median | max | goal: at most | verdict |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    with copied() as root:
        for name in asked.case:
            more = {"scenarios": asked.scenarios} if name == "many" else {}
            CASES[name](root, asked.runs, **more)


if __name__ == "__main__":
    main()
