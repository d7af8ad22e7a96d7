"""A project with a good report, a fault, and what must be true afterwards."""

import ast
import importlib
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evidence.build import inputs
from evidence.build.files import sha256, write_json
from evidence.build.locks import held

from ..conftest import write_project

HERE = Path(__file__).parent
SUMMARY = HERE.parents[1] / "_build" / "assurance"
REPORT = ["report", "--renderer", "builtin", "--jobs", "1", "--explain"]
CHANGED = ["-p", "confidence_level", "0.90"]
# What the project's two notebooks are called in the messages of a build.
NOTEBOOKS = 2
# Limits, signals and lists of processes are Linux's own.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]
PATIENCE = 240

Tree = dict[str, str]
# What measures the coverage of a process: those that are to be killed leave unreadable measurements.
MEASURING = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
# Kernels of small notebooks need no more than this; what is not loaded beforehand they would load themselves.
FEW = ("ipykernel.kernelapp", "ipykernel.ipkernel", "pandas", "evidence")


def tree(folder: Path) -> Tree:
    """Return the hash of every file below a folder by its name."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stages(module: str, start: str) -> list[str]:
    """Return every function of the package that one function of a module calls, itself or through others there.

    They are found in the source, so that a new stage is a new test.
    """
    home = importlib.import_module(f"evidence.build.{module}")
    bodies = {
        node.name: node
        for node in ast.parse(inspect.getsource(home)).body
        if isinstance(node, ast.FunctionDef)
    }
    found, waiting = [], [start]
    while waiting:
        for name in _called(bodies[waiting.pop(0)]):
            made = getattr(home, name, None)
            if inspect.isfunction(made) and made.__module__.startswith("evidence.") and name not in found:
                found.append(name)
                waiting += [name] if name in bodies else []
    return [f"{module}:{name}" for name in found]


def _called(body: ast.AST) -> Iterator[str]:
    """Yield the names that are called, and those handed to who calls them, as to a thread."""
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    for call in calls:
        yield from (one.id for one in (call.func, *call.args) if isinstance(one, ast.Name))


@dataclass
class Forked:
    """A command in a process that was forked off a warm one; it is dealt with as one that was started."""

    place: Path
    args: list[str]
    pid: int = 0
    returncode: int | None = None

    def __post_init__(self) -> None:
        self.pid = self._told("pid", time.monotonic() + PATIENCE)

    def _told(self, what: str, until: float) -> int:
        while not (self.place / what).exists():
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(self.args, PATIENCE)
            time.sleep(0.005)
        return int((self.place / what).read_text())

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.returncode = self._told("status", 0)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float = PATIENCE) -> tuple[str, str]:
        self.returncode = self._told("status", time.monotonic() + timeout)
        out, err = ((self.place / name).read_text() for name in ("out", "err"))
        return out, err


@cache
def warm() -> subprocess.Popen[str]:
    """Return the process that others are forked off; it ends with its input, that is with the tests."""
    plain = {name: value for name, value in os.environ.items() if name not in MEASURING}
    command = [sys.executable, str(HERE / "warm.py")]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, env=plain, start_new_session=True)


@dataclass
class World:
    """A copy of a project, and a place of its own for everything temporary."""

    root: Path
    place: Path
    said: Path
    started: list[Any] = field(default_factory=list)

    @property
    def report(self) -> Path:
        return self.root / "_report"

    def start(self, arguments: list[str], fault: dict[str, Any] | None = None, **environment: str) -> Any:
        """Start a command with a fault, in a fork of a process that has loaded the engine."""
        place = Path(tempfile.mkdtemp(dir=self.said))
        surroundings = {**os.environ, "TMPDIR": str(self.place), **environment}
        asked = {
            "place": str(place), "folder": str(self.root), "arguments": arguments,
            "fault": {"preloaded": FEW, **(fault or {})},
            "environment": {name: value for name, value in surroundings.items() if name not in MEASURING},
        }  # fmt: skip
        pipe = warm().stdin
        assert pipe
        pipe.write(json.dumps(asked) + "\n")
        pipe.flush()
        self.started.append(Forked(place, arguments))
        return self.started[-1]

    def start_fresh(self, arguments: list[str], fault: dict[str, Any] | None = None) -> Any:
        """Start a command with a fault in a process that has loaded nothing, and measure what it reaches."""
        command = [sys.executable, str(HERE / "inject.py"), json.dumps(fault or {}), *arguments]
        made = subprocess.Popen(
            command, cwd=self.root, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(self.place)},
        )  # fmt: skip
        self.started.append(made)
        return made

    def run(
        self,
        arguments: list[str],
        fault: dict[str, Any] | None = None,
        *,
        fresh: bool = False,
        **environment: str,
    ) -> tuple[int, str, str]:
        made = self.start_fresh(arguments, fault) if fresh else self.start(arguments, fault, **environment)
        out, err = made.communicate(timeout=PATIENCE)
        return made.returncode, out, err

    def runs_kept(self) -> int:
        return len(list((self.root / "_build" / ".cache" / "runs").rglob("*.json")))

    def processes(self) -> list[int]:
        """Return what still runs of all that was started here.

        Whatever was started has the place in its environment; forks of the warm process, which have its
        environment, are in the session of one that was started.
        """
        mark, sessions, found = f"TMPDIR={self.place}", {one.pid for one in self.started}, []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (path / "stat").read_text().rpartition(")")[2].split()[:4]
                of_session = int(session) in sessions and state != "Z"
                if of_session or mark in (path / "environ").read_text(errors="replace"):
                    found.append(int(path.name))
            except OSError:
                continue
        return found

    def left_over(self) -> list[str]:
        """Return files that no finished run leaves: unfinished ones, old folders, locks, temporary folders."""
        odd = [path for path in self.root.rglob(".*") if path.suffix in (".part", ".old", ".new", ".lock")]
        odd += [
            *self.root.rglob(".render-*"),
            *self.root.glob("_build/.locks/*"),
            *self.root.glob("_build/*/report"),
        ]
        return sorted(str(path) for path in (*odd, *self.place.iterdir()))

    def is_quiet(self, seconds: float = 20) -> bool:
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.processes() == []

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid in self.processes():
            # It may have ended by itself since it was found.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def world_of(source: Path, folder: Path) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="f-", dir="/tmp") as place:
        said = Path(tempfile.mkdtemp(dir=folder))
        world = World(Path(shutil.copytree(source, folder / "project")), Path(place), said)
        try:
            yield world
        finally:
            world.end()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a finished report and a finished sweep."""
    root = write_project(tmp_path_factory.mktemp("good") / "project")
    (root / "levels.yml").write_text("grid: {confidence_level: [0.8, 0.95]}\n")
    with world_of(root, tmp_path_factory.mktemp("world")) as world:
        for command in (REPORT, ["sweep", "levels.yml", "--jobs", "1"]):
            status, _, said = world.run(command, fresh=True)
            assert status == 0, said
        (world.root / "levels.yml").write_text("grid: {confidence_level: [0.9, 0.99]}\n")
        shutil.copytree(world.root, root, dirs_exist_ok=True)
    return root


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    """Return the files that a clean run makes of what the tests ask for, by command, in a folder that had none."""
    found = {}
    for name, command in {
        "report": [*REPORT, *CHANGED],
        "sweep": ["sweep", "levels.yml", "--jobs", "1"],
    }.items():
        root = write_project(tmp_path_factory.mktemp("clean") / "project")
        (root / "levels.yml").write_text("grid: {confidence_level: [0.9, 0.99]}\n")
        with world_of(root, tmp_path_factory.mktemp("world")) as world:
            status, _, said = world.run(command, fresh=True)
            assert status == 0, said
            found[name] = tree(world.report)
    return found


@pytest.fixture
def world(good: Path, tmp_path: Path) -> Iterator[World]:
    with world_of(good, tmp_path) as made:
        yield made


@pytest.fixture
def survives(world: World, expected: dict[str, Tree]) -> Callable[..., None]:
    """Return the check after a fault: the last report is whole, nothing is left, and the next run mends all."""
    before = {"report": tree(world.report / "default"), "sweep": tree(world.report / "sweep-levels")}
    kept = world.runs_kept()

    def check(what: str = "report", *, mend: Callable[[], object] = lambda: None) -> None:
        name = {"report": "default", "sweep": "sweep-levels"}[what]
        clean = {path.removeprefix(f"{name}/"): value for path, value in expected[what].items()}
        assert tree(world.report / name) in (before[what], clean), "the last report is whole"
        assert world.is_quiet(), "no process is left"
        mend()
        new = world.runs_kept() - kept
        command = [*REPORT, *CHANGED] if what == "report" else ["sweep", "levels.yml", "--jobs", "1"]
        status, said, why = world.run(command)
        assert status == 0, why
        if what == "report":
            assert said.count("runs  ") <= NOTEBOOKS - new, "what had finished is not run again"
        assert tree(world.report / name) == clean, "the bytes of a clean run"
        assert world.is_quiet()
        assert world.left_over() == []

    return check


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(kind): injects a fault of a kind and is counted")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep of every test that injects a fault whether it was survived, under the engine that it was tried on."""
    report = (yield).get_result()  # type: ignore[misc]
    mark = item.get_closest_marker("fault")
    if mark and report.when == "call" and not report.skipped:
        kept = {"test": item.nodeid, "kind": mark.args[0], "survived": report.passed, "engine": _engine()}
        write_json(SUMMARY / "faults" / f"{inputs.total(item.nodeid)[:16]}.json", kept)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Sum up what is kept of the present engine in ``faults.json``."""
    if warm.cache_info().currsize:
        warm().communicate()
    if not (SUMMARY / "faults").is_dir():
        return
    with held(SUMMARY / ".faults.lock", "another summary"):
        kept = [json.loads(path.read_text()) for path in sorted((SUMMARY / "faults").glob("*.json"))]
        counted = [one for one in kept if one["engine"] == _engine()]
        kinds = sorted({one["kind"] for one in counted})
        by_kind = {kind: _sum([one for one in counted if one["kind"] == kind]) for kind in kinds}
        lost = sorted(one["test"] for one in counted if not one["survived"])
        write_json(SUMMARY / "faults.json", {**_sum(counted), "kinds": by_kind, "not_survived": lost})


def _sum(kept: list[dict[str, Any]]) -> dict[str, int]:
    return {"injected": len(kept), "survived": sum(one["survived"] for one in kept)}


def _engine() -> str:
    return inputs.total([inputs.engine(), {path.name: sha256(path) for path in sorted(HERE.glob("*.py"))}])


@pytest.fixture(scope="session")
def writes(good: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many files and folders of the project a build opens for writing, makes or moves."""
    with world_of(good, tmp_path_factory.mktemp("world")) as world:
        count = tmp_path_factory.mktemp("count") / "writes"
        fault = {"at": 1, "root": str(world.root), "do": f"count {count}"}
        status, _, said = world.run([*REPORT, *CHANGED], fault)
        assert status == 0, said
        return len(count.read_text())
