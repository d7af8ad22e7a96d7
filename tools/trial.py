"""Try changes of the source: each in a process of its own, by the tests that reach it, the fastest first.

The tests are collected once. A first process runs all of them and notes which lines each reaches and how long it
takes. For every change a process is forked off that has run no test yet, so nothing is left over in any cache; the
function's code is exchanged there, and the first test that fails ends it. No file is changed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from tools.lock import ROOT

SOURCE = ROOT / "src"
CHANGED = ("evidence/stats", "evidence/audit")
UNREACHED = 33
# Seconds of processor time that one test may take under a change, beyond ten times its own: shared fixtures come on top.
GRACE = 20
MEMORY = 8 << 30


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one function: its name, what it is in, the new text, and the lines that a test must reach."""

    name: str
    module: str
    owner: str
    function: str
    before: str
    after: str
    file: str
    lines: frozenset[int]


def exchange(change: Change) -> None:
    """Put the changed code into the function, wherever it is known already."""
    module = importlib.import_module(change.module)
    place = vars(module)[change.owner] if change.owner else module
    found = vars(place)[change.function]
    function = getattr(found, "__func__", found)
    text = "from __future__ import annotations\n" + change.after
    names = dict(vars(module))
    exec(compile(text, change.file, "exec"), names)  # noqa: S102  the project's own source
    made = getattr(names[change.function], "__func__", names[change.function])
    function.__code__ = made.__code__
    function.__defaults__, function.__kwdefaults__ = made.__defaults__, made.__kwdefaults__


def forget() -> None:
    """Empty the caches of the parts that are changed, so that every test reaches what it needs."""
    for name, module in list(sys.modules.items()):
        if name.startswith(tuple(part.replace("/", ".") for part in CHANGED)):
            for one in list(vars(module).values()):
                if callable(clear := getattr(one, "cache_clear", None)):
                    clear()


def passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test; return whether nothing about it failed."""
    return not any(report.failed for report in runtestprotocol(item, nextitem=following, log=False))


class Reach:
    """Which lines each test reaches, also through the fixtures that it shares with others, and its time."""

    def __init__(self, folder: Path) -> None:
        import coverage

        files = [f"{SOURCE / part}/*" for part in CHANGED]
        self.coverage = coverage.Coverage(
            data_file=folder / "reach", include=files, config_file=False, branch=False
        )
        self.context = [""]

    def within(self, name: str) -> None:
        """Count what follows under a name."""
        self.context.append(name)
        self.coverage.switch_context(name)

    def leave(self) -> None:
        """Count what follows under the name before."""
        self.context.pop()
        self.coverage.switch_context(self.context[-1])

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Count what a shared fixture reaches under its own name."""
        if fixturedef.scope == "function":
            return (yield)
        self.within(f"{fixturedef.argname} of {fixturedef.baseid}")
        try:
            return (yield)
        finally:
            self.leave()

    def measure(self, items: Sequence[pytest.Item]) -> dict[str, Any]:
        """Run every test; return the lines of each, its seconds, and which failed."""
        seconds, failed = {}, []
        self.coverage.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            forget()
            self.within(item.nodeid)
            begun = time.process_time()
            if not passes(item, following):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.process_time() - begun
            self.leave()
        self.coverage.stop()
        return {"lines": self.lines(items), "seconds": seconds, "failed": failed}

    def lines(self, items: Sequence[pytest.Item]) -> dict[str, list[str]]:
        """Return the tests that reach each line, by ``file:line``."""
        users = defaultdict(set)
        for item in items:
            for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # type: ignore[attr-defined]
                for one in definitions:
                    users[f"{name} of {one.baseid}"].add(item.nodeid)
        data = self.coverage.get_data()
        found = {}
        for file in data.measured_files():
            for line, contexts in data.contexts_by_lineno(file).items():
                reaching = {test for context in contexts for test in users.get(context, {context}) if test}
                found[f"{file}:{line}"] = sorted(reaching)
        return found


class Trial:
    """The loop over the changes, in the place of pytest's loop over the tests."""

    def __init__(self, changes: Sequence[Change], until: float) -> None:
        self.changes, self.until = changes, until
        self.codes: dict[str, int] = {}
        self.failed: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Let generated cases be the same ones each time, neither remembered nor made smaller."""
        from hypothesis import HealthCheck, Phase, settings

        plain: dict[str, Any] = {"database": None, "derandomize": True, "deadline": None}
        plain |= {"phases": (Phase.explicit, Phase.generate), "suppress_health_check": list(HealthCheck)}
        settings.register_profile("trial", settings.get_profile("default"), **plain)
        settings.load_profile("trial")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what reaches what, then try every change."""
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        with tempfile.TemporaryDirectory() as folder:
            running = {
                forked(learning(session, items, Path(folder) / str(number))): str(number)
                for number, items in enumerate(shares(session.items, os.cpu_count() or 1))
            }
            while running:
                wait(running, {})
            notes = sorted(Path(folder).glob("*/reach.json"))
            found = together([json.loads(note.read_text(encoding="utf-8")) for note in notes])
        self.failed = found["failed"]
        self.try_all({item.nodeid: item for item in session.items}, found)
        return True

    def try_all(self, items: dict[str, pytest.Item], found: dict[str, Any]) -> None:
        """Try every change, as many at once as there are processors."""
        running: dict[int, str] = {}
        for change in self.changes:
            tests = chosen(change, found)
            if not tests:
                self.codes[change.name] = UNREACHED
                continue
            while len(running) >= (os.cpu_count() or 1):
                wait(running, self.codes)
            if time.monotonic() > self.until:
                break
            timed = [(items[test], found["seconds"][test]) for test in tests]
            running[forked(one(change, timed))] = change.name
        while running:
            wait(running, self.codes)


def shares(items: Sequence[pytest.Item], number: int) -> list[list[pytest.Item]]:
    """Return the tests in so many parts of about equal size, each file whole."""
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    parts: list[list[pytest.Item]] = [[] for _ in range(number)]
    for same in sorted(files.values(), key=len, reverse=True):
        min(parts, key=len).extend(same)
    return [part for part in parts if part]


def learning(session: pytest.Session, items: Sequence[pytest.Item], folder: Path) -> Callable[[], int]:
    """Return what runs tests once and notes what they reach."""

    def run() -> int:
        folder.mkdir()
        reach = Reach(folder)
        session.config.pluginmanager.register(reach)
        (folder / "reach.json").write_text(json.dumps(reach.measure(items)), encoding="utf-8")
        return 0

    return run


def together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what several processes learnt as if one had."""
    lines: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        for place, tests in part["lines"].items():
            lines[place] += tests
    seconds = {test: used for part in parts for test, used in part["seconds"].items()}
    return {"lines": lines, "seconds": seconds, "failed": [test for part in parts for test in part["failed"]]}


def one(change: Change, timed: Sequence[tuple[pytest.Item, float]]) -> Callable[[], int]:
    """Return what tries one change: 1 where a test fails, 0 where none does; a test without end is killed."""

    def run() -> int:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        exchange(change)
        following = [item for item, _ in timed[1:]]
        for (item, seconds), after in zip(timed, [*following, None], strict=True):
            signal.setitimer(signal.ITIMER_PROF, GRACE + 10 * seconds)
            signal.alarm(int(10 * (GRACE + 10 * seconds)))
            if not passes(item, after):
                return 1
        return 0

    return run


def chosen(change: Change, found: dict[str, Any]) -> list[str]:
    """Return the tests that reach a change, the quickest file first and the quickest test of each."""
    reaching = {test for line in change.lines for test in found["lines"].get(f"{change.file}:{line}", ())}
    reaching -= set(found["failed"])
    seconds = found["seconds"]
    files: dict[str, float] = defaultdict(float)
    for test in reaching:
        files[test.partition("::")[0]] += seconds[test]
    return sorted(
        reaching, key=lambda test: (files[test.partition("::")[0]], test.partition("::")[0], seconds[test])
    )


def forked(work: Callable[[], int]) -> int:
    """Do something in a process of its own; return the process."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        code = work()
    finally:
        os._exit(code)


def wait(running: dict[int, str], codes: dict[str, int]) -> None:
    """Wait until one process ends, and note how."""
    process, status = os.wait()
    if name := running.pop(process, None):
        codes[name] = os.waitstatus_to_exitcode(status)


def attempt(changes: Sequence[Change], tests: Iterable[str], until: float) -> dict[str, int]:
    """Try changes by tests; return how each came out, without those that there was no time for."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    trial = Trial(changes, until)
    paths = [str(ROOT / test) for test in tests]
    options = [
        "-m",
        "not slow",
        "-q",
        "--doctest-modules",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
    ]
    pytest.main([f"--rootdir={ROOT}", *options, *paths], plugins=[trial])
    for name in trial.failed:
        print(f"fails without any change: {name}")
    return trial.codes
