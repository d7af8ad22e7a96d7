"""Change the statistics and the audit in small ways, one at a time, and see whether a test notices.

mutmut makes the changes; ``tools.trial`` runs the tests that reach each, in a process of its own. A sample drawn by a
fixed seed is tried, in proportion to the size of each module. ``python -m tools.mutation [NUMBER [SEED [MODULE]]]``
writes ``mutants.json`` with the score, its interval and every change that no test noticed; MODULE, such as
``stats.pool``, keeps to the modules whose name begins so. ``tests/equivalent-mutants.txt`` lists the changes that
change no result, with the reason.
"""

from __future__ import annotations

import ast
import difflib
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.lock import ROOT
from tools.trial import CHANGED, SOURCE, Change, attempt

from evidence.stats import proportion

PLACE = ROOT / "_build" / "assurance" / "mutants.json"
EQUIVALENT = ROOT / "tests" / "equivalent-mutants.txt"
# The tests that are tried: those of the parts changed, and those of what is computed from them directly.
TESTS = ("src/evidence/stats", "src/evidence/audit", "tests/stats", "tests/audit", "tests/synthesis")
DEPENDS = (
    "src/evidence/stats/*.py",
    "src/evidence/audit/*.py",
    *(f"{name}/*" for name in TESTS if name.startswith("tests/")),
    "tests/*.txt",
    "tools/mutation.py",
    "tools/trial.py",
    "pyproject.toml",
)
# A new one after tests were written for the survivors of a sample: the score is that of changes not seen before.
SEED = 2029
SAMPLE = 400
# No change is begun later than this, in seconds.
PATIENCE = 7 * 60
# The tests failed; they passed; none reaches the place; they did not end in time.
KILLED, SURVIVED, UNREACHED, ENDLESS = {1}, {0}, {33}, {-27, -14, -9}


def sources() -> dict[str, Path]:
    """Return every module that is changed, by its dotted name."""
    paths = sorted(path for part in CHANGED for path in (SOURCE / part).rglob("*.py"))
    names = (".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths)
    return {name.removesuffix(".__init__"): path for name, path in zip(names, paths, strict=True)}


def makers() -> tuple[Any, Any, Any]:
    """Return what reads the source and makes the changes; only `make assure` installs it."""
    names = ("libcst", "mutmut.mutation.file_mutation", "mutmut.mutation.trampoline_templates")
    syntax, making, naming = map(import_module, names)
    return syntax, making, naming


@cache
def possible(module: str) -> tuple[tuple[str, str, str, Any, Any], ...]:
    """Return every change of a module, not yet written out: name, class, function, the function, the change."""
    libcst, making, naming = makers()
    path = sources()[module]
    tree, mutations, *_ = making.create_mutations(str(path), path.read_text(encoding="utf-8"))
    grouped = making.group_by_top_level_node(mutations)
    found = []
    for statement in tree.body:
        inside = statement.body.body if isinstance(statement, libcst.ClassDef) else [statement]
        owner = statement.name.value if isinstance(statement, libcst.ClassDef) else ""
        for function in inside:
            if isinstance(function, libcst.FunctionDef):
                stem = naming.mangle_function_name(name=function.name.value, class_name=owner or None)
                for number, one in enumerate(grouped.get(function, ()), start=1):
                    name = f"{module}.{stem}__mutmut_{number}"
                    found.append((name, owner, function.name.value, function, one))
    return tuple(found)


@cache
def statements(path: Path) -> tuple[dict[tuple[str, str], int], list[tuple[int, int, int]]]:
    """Return the first line of every function, and the first line, end of the head and end of every statement."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {}
    for node in tree.body:
        owner = node.name if isinstance(node, ast.ClassDef) else ""
        for part in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(part, ast.FunctionDef):
                functions[owner, part.name] = min(
                    [part.lineno, *(mark.lineno for mark in part.decorator_list)]
                )
    spans = []
    for one in ast.walk(tree):
        if isinstance(one, ast.stmt):
            body, last = getattr(one, "body", None), one.end_lineno or one.lineno
            spans.append((one.lineno, max(one.lineno, body[0].lineno - 1) if body else last, last))
    return functions, spans


def reached_by(path: Path, line: int) -> frozenset[int]:
    """Return the lines of the statement that a line is in; of a function's head, those of its whole body."""
    _, spans = statements(path)
    heads = [span for span in spans if span[0] <= line <= span[1]]
    if not heads:
        return frozenset({line})
    first, head, last = max(heads)
    is_function = (path.read_text(encoding="utf-8").splitlines()[first - 1]).lstrip().startswith("def ")
    return frozenset(range(first + 1, last + 1) if is_function else range(first, head + 1))


def written(name: str) -> Change:
    """Return one change with its text before and after."""
    libcst, making, _ = makers()
    module = name.rpartition(".")[0]
    owner, function, node, one = next(rest for key, *rest in possible(module) if key == name)
    plain = node.with_changes(leading_lines=[])
    mutated = making.deep_replace(plain, one.original_node, one.mutated_node)
    before, after = (libcst.Module([]).code_for_node(part) for part in (plain, mutated))
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    offset = next((n for n, (old, new) in enumerate(pairs) if old != new), 0)
    path = sources()[module]
    line = statements(path)[0][owner, function] + offset
    return Change(name, module, owner, function, before, after, str(path), reached_by(path, line))


def module(name: str) -> str:
    """Return the module that a change is in.

    >>> module("evidence.stats.pool.x_pool__mutmut_1")
    'stats.pool'
    """
    return ".".join(name.split(".")[1:3])


def sample(names: Iterable[str], size: int = SAMPLE, seed: int = SEED) -> list[str]:
    """Return a random part of the changes: at least one of each module, otherwise in proportion to its size."""
    by_module = defaultdict(list)
    for name in sorted(names):
        by_module[module(name)].append(name)
    total = sum(map(len, by_module.values()))
    chosen: list[str] = []
    for _, inside in sorted(by_module.items()):
        share = max(1, round(size * len(inside) / total))
        chosen += random.Random(seed).sample(inside, min(share, len(inside)))  # noqa: S311  a sample, not a secret
    return chosen


def equivalent() -> set[str]:
    """Return the changes that are known to change no result."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def change(name: str) -> str:
    """Return the difference that one change makes to the source."""
    one = written(name)
    return "\n".join(differing(one.before.splitlines(), one.after.splitlines()))


def differing(before: list[str], after: list[str]) -> Iterator[str]:
    """Yield the lines that differ, marked."""
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if line[:1] in "+-" and line[:3] not in {"+++", "---"}:
            yield line


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
        "unreached": sum(code in UNREACHED for code in done.values()),
        "unnoticed": {name: change(name) for name in unnoticed},
    }  # fmt: skip


def main(size: int = SAMPLE, seed: int = SEED, part: str = "") -> int:
    """Make the changes, try the sample, and write what came of it."""
    begun = time.monotonic()
    names = [one[0] for source in sources() for one in possible(source)]
    kept = [name for name in names if module(name).startswith(part)]
    chosen = sample(kept, size, seed)
    # In any order, so that those that patience leaves out are a random part as well.
    random.Random(seed).shuffle(chosen)  # noqa: S311  an order, not a secret
    print(
        f"{len(names)} changes possible, {len(chosen)} chosen in {time.monotonic() - begun:.0f} s", flush=True
    )
    codes = attempt([written(name) for name in chosen], TESTS, begun + PATIENCE)
    if not codes:
        print("no change was tried: the tests did not run")
        return 1
    found = summary({name: codes.get(name) for name in chosen}, len(names))
    found |= {"seed": seed, "seconds": round(time.monotonic() - begun, 1)}
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    score = f"{found['score']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
    print(f"{found['noticed']} of {found['counted']} changes noticed: {score}, in {found['seconds']:.0f} s")
    return int(not found["tried"])


if __name__ == "__main__":
    number, seed, part = [*sys.argv[1:], "", "", ""][:3]
    sys.exit(main(int(number or SAMPLE), int(seed or SEED), part))
