"""Rows of this project changed one after the other: the report built change by change is the one built anew."""

import csv
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.build.files import sha256
from evidence.data import load
from evidence.errors import DataError

ROOT = Path(__file__).parents[2]
NEITHER_SOURCE_NOR_DATA = shutil.ignore_patterns(".*", "_build", "_report", "docs", "tests", "__pycache__")
SEED = 8
# Not arms: of those every notebook shows some, and one that ran again hides that it should have run before.
CHANGED = ("counts", "protocols", "risk_of_bias", "claims", "tests", "definitions", "measurements")
# Figures and words that a correction may concern; those of a row that are not empty are drawn from.
FIGURES = ("events", "percent", "value", "statistic", "p", "effect", "low", "high", "threshold", "dose_value")
WORDS = ("locator", "reason", "paraphrase", "note", "criterion", "category_label")
FEW = 20  # notebooks: a change that runs more than these spares little

Table = list[dict[str, str]]


def build(root: Path, *asked: str) -> int:
    """Build the report with the engine of the copy and return how many notebooks ran."""
    command = [sys.executable, "-m", "evidence", "report", "--renderer", "builtin", "--explain", *asked]
    paths = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return sum(line.startswith("runs") for line in done.stdout.splitlines())


def change(root: Path, table: str, draw: random.Random) -> str:
    """Change one cell of a drawn row of a study, drawn again where the data refuse it; say what was changed."""
    path = root / "data" / f"{table}.csv"
    before = path.read_text(encoding="utf-8")
    while True:
        rows: Table = list(csv.DictReader(before.splitlines(keepends=True)))
        row = draw.choice([one for one in rows if one["study_id"]])
        name = draw.choice([one for one in (*FIGURES, *WORDS) if _may_change(one, row.get(one, ""))])
        row[name] = _other(row[name]) if name in FIGURES else f"{row[name]} indeed"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        try:
            load(root / "data")
        except DataError:
            path.write_text(before, encoding="utf-8")
            continue
        return f"{table} {row['study_id']} {name} {row[name]}"


def _may_change(name: str, said: str) -> bool:
    """Return whether a cell says anything, and a figure is one: a limit may be printed as not reached."""
    return any(map(str.isdigit, said)) if name in FIGURES else bool(said)


def _other(figure: str) -> str:
    """Return a figure with another last digit."""
    last = next(place for place in reversed(range(len(figure))) if figure[place].isdigit())
    return f"{figure[:last]}{(int(figure[last]) + 1) % 10}{figure[last + 1 :]}"


def files(root: Path) -> dict[str, str]:
    report = root / "_report" / "default"
    return {str(path.relative_to(report)): sha256(path) for path in report.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_a_report_built_change_by_change_is_the_one_built_anew(tmp_path: Path):
    root = tmp_path / "project"
    shutil.copytree(ROOT, root, ignore=NEITHER_SOURCE_NOR_DATA)
    every = build(root, "--to", "html")
    draw, ran = random.Random(SEED), dict[str, int]()
    for table in CHANGED:
        said = change(root, table, draw)
        formats = ("html", "pdf") if table == CHANGED[-1] else ("html",)
        ran[said] = build(root, "--to", *formats)
    assert min(ran.values()) > 0, ran
    assert sorted(ran.values())[len(ran) // 2] < FEW < every, ran
    grown = files(root)
    for made in ("_build", "_report"):
        shutil.rmtree(root / made)
    assert build(root, "--to", "html", "pdf", "--force") == every
    anew = files(root)
    assert len(grown) > every
    assert [name for name in sorted({*grown, *anew}) if grown.get(name) != anew.get(name)] == [], ran
