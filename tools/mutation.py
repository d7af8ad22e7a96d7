"""Change the statistics and the audit in small ways, one at a time, and see whether a test notices.

mutmut makes the changes and runs the tests that reach each; a sample drawn by a fixed seed is tried, in proportion to
the size of each module. ``python -m tools.mutation [NUMBER]`` writes ``mutants.json`` with the score, its interval and
every change that no test noticed. ``tests/equivalent-mutants.txt`` lists those that change no result, with the reason.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from tools.lock import ROOT

from evidence.stats import proportion

WORK = ROOT / "_build" / "mutation"
PLACE = ROOT / "_build" / "assurance" / "mutants.json"
EQUIVALENT = ROOT / "tests" / "equivalent-mutants.txt"
PARTS = (
    "src",
    "tests",
    "tools",
    "data",
    "assets",
    "benchmarks",
    "notebooks",
    "scenarios",
    "index.ipynb",
    "_quarto.yml",
    "pyproject.toml",
)
DEPENDS = (
    "src/evidence/stats/*.py",
    "src/evidence/audit/*.py",
    "tests/stats/*",
    "tests/audit/*",
    "tests/synthesis/*",
    "tests/*.txt",
    "pyproject.toml",
)
SEED = 2026
SAMPLE = 400
PATIENCE = 40 * 60
# mutmut's codes: the tests failed, or broke off; they passed; none reaches the place; they did not end.
KILLED, SURVIVED, UNREACHED, ENDLESS = {1, 3}, {0}, {5, 33}, {-24, 24, 36, 152, 255}


def copy_project() -> None:
    """Copy what mutmut needs to a folder of its own, and keep the changes that it has already made."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        source, target = ROOT / name, WORK / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, target)


def mutmut(names: Iterable[str]) -> int:
    """Run mutmut on the changes named; without a fitting name it only makes them."""
    command = [sys.executable, "-m", "mutmut", "run", *names]
    run = subprocess.run(
        command, cwd=WORK, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False
    )
    (PLACE.parent / "mutation.log").write_bytes(run.stdout)
    return run.returncode


def outcomes() -> dict[str, int | None]:
    """Return the state of every change by its name; None is one that was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((WORK / "mutants").rglob("*.meta")):
        found.update(json.loads(path.read_text(encoding="utf-8")).get("exit_code_by_key", {}))
    return found


def module(name: str) -> str:
    """Return the module that a change is in.

    >>> module("evidence.stats.pool.x_pool__mutmut_1")
    'stats.pool'
    """
    return ".".join(name.split(".")[1:3])


def sample(names: Iterable[str], size: int = SAMPLE) -> list[str]:
    """Return a random part of the changes: at least one of each module, otherwise in proportion to its size."""
    by_module = defaultdict(list)
    for name in sorted(names):
        by_module[module(name)].append(name)
    total = sum(map(len, by_module.values()))
    chosen: list[str] = []
    for _, inside in sorted(by_module.items()):
        share = max(1, round(size * len(inside) / total))
        chosen += random.Random(SEED).sample(inside, min(share, len(inside)))  # noqa: S311  a sample, not a secret
    return chosen


def equivalent() -> set[str]:
    """Return the changes that are known to change no result."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def change(name: str) -> str:
    """Return the difference that one change makes to the source."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], cwd=WORK, capture_output=True, text=True, check=False
    )
    return "\n".join(
        line for line in shown.stdout.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    )


def summary(tried: dict[str, int | None], total: int) -> dict[str, Any]:
    """Return the score of a sample: noticed among those that change anything, with a 95% interval."""
    done = {name: code for name, code in tried.items() if code is not None}
    same = {name for name in equivalent() if done.get(name) in SURVIVED | UNREACHED}
    noticed = [name for name, code in done.items() if code in KILLED | ENDLESS]
    unnoticed = sorted(set(done) - set(noticed) - same)
    counted = len(noticed) + len(unnoticed)
    score = proportion(len(noticed), counted)
    modules = Counter(map(module, unnoticed))
    return {
        "possible": total, "sampled": len(tried), "tried": len(done), "equivalent": len(same), "noticed": len(noticed),
        "counted": counted, "score": score.estimate, "low": score.low, "high": score.high, "by_module": dict(modules),
        "unnoticed": {name: change(name) for name in unnoticed},
    }  # fmt: skip


def main(size: int = SAMPLE) -> int:
    """Make the changes, try the sample, and write what came of it."""
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    copy_project()
    mutmut(["none.*"])
    names = outcomes()
    if not names:
        print("mutmut made no change; see _build/assurance/mutation.log")
        return 1
    chosen = sample(names, size)
    mutmut(chosen)
    after = outcomes()
    found = summary({name: after[name] for name in chosen}, len(names))
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(
        f"{found['noticed']} of {found['counted']} changes noticed: {found['score']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
    )
    return int(not found["tried"])


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
