"""Many scenarios at once: what they share runs once, and what has finished is never done again."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.build import inputs
from evidence.build.cache import FOLDER, Cache
from evidence.build.curves import write_curves
from evidence.build.execute import Executed, Task, kernel_environment, run, run_anywhere, work
from evidence.build.files import write_json, write_whole
from evidence.build.grid import Grid
from evidence.build.pools import cluster_pool, local_pool
from evidence.build.report import Request, task_of
from evidence.build.scenarios import Scenario
from evidence.build.stage import plan, read_project, source_text
from evidence.data import Dataset, dataset
from evidence.errors import BuildError, NotebookError
from evidence.parameters import Parameters
from evidence.project import resolve

# How often what failed is tried again before it is named as failed.
ATTEMPTS = 2
# What decides which rows a dataset holds.
OF_DATA = ("data_dir", "include_external", "include_derived", "primary_only", "excluded_studies", "subgroups")
RESULTS = ("question_id", "studies", "estimate", "low", "high", "direction", "sentence")
Row = dict[str, Any]
Progress = Callable[[str, int, int], None]
Asked = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is asked for: a grid, where, and how it is worked off."""

    root: Path
    grid: Grid
    jobs: int = 1
    cluster: str = ""

    @property
    def target(self) -> Path:
        """Where the finished table stands."""
        return self.root / "_report" / f"sweep-{self.grid.name}"

    @property
    def how(self) -> Callable[[Task], Executed]:
        """Return how a worker executes a notebook: one of another machine brings its own kernels."""
        return run_anywhere if self.cluster else run

    def pool(self) -> AbstractContextManager[Executor]:
        """Return the workers: those of the cluster, else local processes."""
        return cluster_pool(self.cluster) if self.cluster else local_pool(self.jobs)


@dataclass(slots=True)
class _Work:
    """The distinct executions of a sweep by key, each with one of its tasks, and those that wait."""

    cache: Cache
    tasks: dict[str, Task] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)

    def add(self, task: Task) -> None:
        key = self.cache.key(task)
        self.tasks.setdefault(key, task)
        self.keys[id(self.tasks[key])] = key

    def waiting(self) -> list[Task]:
        return [task for key, task in self.tasks.items() if self.cache.find(key) is None]


def run_sweep(sweep: Sweep, progress: Progress) -> Path:
    """Execute every notebook of every scenario once; write the answers as one table and as curves.

    Executed notebooks stay in the cache, so that a report of one of the scenarios needs only its pages, and
    a sweep that was stopped goes on where it was.

    Raises:
        DataError: the data has faults.
        NotebookError: names every notebook that failed, its cell and the error.
        BuildError: the cluster does not answer.
    """
    folders = {resolve(one.parameters.data_dir) for one in sweep.grid.scenarios}
    if len(folders) > 1:
        raise BuildError("the scenarios of a sweep read one data folder; give each folder a sweep of its own")
    todo = _Work(Cache.of(sweep.root, folders.pop()))
    with nullcontext() if sweep.cluster else kernel_environment():
        for task in _tasks(sweep):
            todo.add(task)
        _execute(sweep, todo, progress)
        answers = _answers(sweep, todo.cache, progress)
    _write(sweep, answers)
    scenarios = sweep.grid.scenarios
    progress("Figures", 0, 1)
    write_curves(scenarios, sweep.grid.varied, answers, _data_of(scenarios[0]), sweep.target)
    progress("Figures", 1, 1)
    return sweep.target


def _tasks(sweep: Sweep) -> Iterator[Task]:
    project, texts = read_project(sweep.root), {}
    for scenario in sweep.grid.scenarios:
        data = _data_of(scenario)
        request = Request(sweep.root, scenario)
        for job in plan(sweep.root, project, data, scenario.parameters):
            if job.target not in texts:
                texts[job.target] = source_text(job, sweep.root, data)
            yield task_of(request, job, texts[job.target])


def _data_of(scenario: Scenario) -> Dataset:
    return _dataset(tuple(scenario.parameters.values()[name] for name in OF_DATA))


@lru_cache(maxsize=8)
def _dataset(values: tuple[Any, ...]) -> Dataset:
    return dataset(Parameters(**dict(zip(OF_DATA, values, strict=True))))


def _execute(sweep: Sweep, todo: _Work, progress: Progress) -> None:
    """Execute what the cache does not hold, some attempts long; what finished is kept in any case."""
    total, finished = len(todo.tasks), len(todo.tasks) - len(todo.waiting())
    progress("Notebooks", finished, total)

    def done(task: Task, executed: Executed) -> None:
        nonlocal finished
        finished += 1
        todo.cache.keep(todo.keys[id(task)], executed)
        progress(task.name, finished, total)

    attempts = ATTEMPTS
    while waiting := todo.waiting():
        attempts -= 1
        try:
            with sweep.pool() as pool:
                work(pool, sweep.how, waiting, done)
        except NotebookError:
            if not attempts:
                raise


def _answers(sweep: Sweep, cache: Cache, progress: Progress) -> dict[str, list[Row]]:
    """Return the answers by scenario, from the store or computed by the same workers."""
    found: dict[str, list[Row]] = {}
    waiting: dict[str, Path] = {}
    for scenario in sweep.grid.scenarios:
        key = inputs.total([cache.base, cache.digest, scenario.parameters.values()])
        place = sweep.root / FOLDER / "answers" / f"{key}.json"
        if place.is_file():
            found[scenario.name] = json.loads(place.read_text(encoding="utf-8"))
        else:
            waiting[scenario.name] = place
    progress("Answers", len(found), len(sweep.grid.scenarios))
    for name, rows in _computed(sweep, [one for one in sweep.grid.scenarios if one.name in waiting]):
        write_json(waiting[name], rows)
        found[name] = rows
        progress(name, len(found), len(sweep.grid.scenarios))
    return found


def _computed(sweep: Sweep, scenarios: list[Scenario]) -> Iterator[tuple[str, list[Row]]]:
    if not scenarios:
        return
    with sweep.pool() as pool:
        asked = {pool.submit(answers_of, str(sweep.root), one.parameters.values()): one for one in scenarios}
        for future in as_completed(asked):
            yield asked[future].name, future.result()


def answers_of(root: str, values: dict[str, Any]) -> list[Row]:
    """Return the answer to every question under some parameters, as plain values by column name.

    It runs in a worker, which knows of the project only where it is.
    """
    from evidence.questions import answer

    parameters = Parameters(**{**values, "data_dir": str(Path(root, values["data_dir"]))})
    data = _dataset(tuple(parameters.values()[name] for name in OF_DATA))
    questions = data.questions.sort_values("order")["question_id"]
    return [_row(answer(question, data, parameters)) for question in questions]


def _row(found: Any) -> Row:
    shown = found.difference or found.treatment
    numbers = {name: getattr(shown, name) if shown else math.nan for name in ("estimate", "low", "high")}
    return {
        "question_id": found.question_id,
        "studies": "|".join(found.studies),
        **{name: None if math.isnan(value) else value for name, value in numbers.items()},
        "direction": found.verdict.direction,
        "sentence": found.sentence,
    }


def _write(sweep: Sweep, answers: dict[str, list[Row]]) -> None:
    """Write ``answers.csv``: a row per scenario and question, with the parameters that vary."""
    varied = sweep.grid.varied
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", *varied, *RESULTS])
    for scenario in sweep.grid.scenarios:
        values = scenario.parameters.values()
        for row in answers[scenario.name]:
            cells = ["" if row[name] is None else row[name] for name in RESULTS]
            writer.writerow([scenario.name, *(values[name] for name in varied), *cells])
    write_whole(sweep.target / "answers.csv", text.getvalue())
