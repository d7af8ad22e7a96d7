"""Many scenarios at once: what they share runs once, and what has finished is never done again."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.build import CELL_SECONDS, inputs
from evidence.build.cache import FOLDER, Cache
from evidence.build.curves import write_curves
from evidence.build.execute import Executed, Task, kernel_environment, run, run_anywhere, work
from evidence.build.files import restore, swap, write_json, write_whole
from evidence.build.grid import Grid
from evidence.build.locks import alone
from evidence.build.pools import cluster_pool, local_pool
from evidence.build.remembering import remembering
from evidence.build.report import Request, build_report, task_of
from evidence.build.stage import plan, read_project, source_text
from evidence.build.unchanged import is_unchanged
from evidence.data import Dataset, dataset
from evidence.errors import BuildError, NotebookError
from evidence.parameters import Parameters
from evidence.project import resolve
from evidence.scenarios import Scenario

# How often what failed is tried again before it is named as failed.
ATTEMPTS = 2
# What decides which rows a dataset holds.
OF_DATA = (
    "data_dir", "include_external", "include_derived", "primary_only", "excluded_studies", "subgroups",
    "outcome_threshold",
)  # fmt: skip
# What no answer depends on: scenarios that differ in these alone have the same answers.
NOT_OF_ANSWERS = ("alpha", "noninferiority_margin", "reference_treatment", "theme")
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
    timeout: int = CELL_SECONDS
    render: bool = False

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
    a sweep that was stopped goes on where it was. Where pages are asked for too, each scenario's report
    follows in a folder of its own; one that stands there and would be the same is left as it is.

    Raises:
        DataError: the data has faults.
        NotebookError: names every notebook that failed, its cell and the error.
        RenderError: the pages cannot be made.
        BuildError: the cluster does not answer.
    """
    folders = {resolve(one.parameters.data_dir) for one in sweep.grid.scenarios}
    if len(folders) > 1:
        raise BuildError("the scenarios of a sweep read one data folder; give each folder a sweep of its own")
    with alone(sweep.root, sweep.target.name, lambda message: progress(message, 0, 1)):
        restore(sweep.target)
        _run(sweep, folders.pop(), progress)
    for request in _reports(sweep) if sweep.render else ():
        if not _stands(request):
            build_report(request, progress)
    return sweep.target


def _reports(sweep: Sweep) -> Iterator[Request]:
    for scenario in sweep.grid.scenarios:
        yield Request(sweep.root, scenario, jobs=sweep.jobs, cluster=sweep.cluster, timeout=sweep.timeout)


def _stands(request: Request) -> bool:
    """Return whether the report is there already and would be the same."""
    state = request.before()
    return is_unchanged(
        request.root, request.scenario, renderer=request.renderer, formats=request.formats, state=state
    )


def _run(sweep: Sweep, data: Path, progress: Progress) -> None:
    todo = _Work(cache := Cache.of(sweep.root, data))
    shared = remembering(sweep.root / FOLDER / "memo", cache.base)
    with nullcontext() if sweep.cluster else kernel_environment(), shared:
        for task in _tasks(sweep):
            todo.add(task)
        _execute(sweep, todo, progress)
        answers = _answers(sweep, todo.cache, progress)
    _publish(sweep, answers, progress)


def _publish(sweep: Sweep, answers: dict[str, list[Row]], progress: Progress) -> None:
    """Write the table and the curves, and only then put them in the place of the last ones."""
    progress("Figures", 0, 1)
    fresh = sweep.root / "_build" / sweep.target.name
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _write(sweep, answers, fresh)
        scenarios = sweep.grid.scenarios
        write_curves(scenarios, sweep.grid.varied, answers, _data_of(scenarios[0]), fresh)
        swap(fresh, sweep.target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    progress("Figures", 1, 1)


def _tasks(sweep: Sweep) -> Iterator[Task]:
    project, texts = read_project(sweep.root), {}
    for scenario in sweep.grid.scenarios:
        data = _data_of(scenario)
        request = Request(sweep.root, scenario, timeout=sweep.timeout)
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
        todo.cache.keep(todo.keys[id(task)], task, executed)
        progress(task.name, finished, total)

    attempts = ATTEMPTS
    while waiting := todo.waiting():
        if not attempts:
            raise BuildError("the data changed while the sweep was at work; run it again")
        attempts -= 1
        try:
            with sweep.pool() as pool:
                work(pool, sweep.how, waiting, done)
        except NotebookError:
            if not attempts:
                raise


def _answers(sweep: Sweep, cache: Cache, progress: Progress) -> dict[str, list[Row]]:
    """Return the answers by scenario, from the store or computed by the same workers."""
    alike: dict[Path, list[Scenario]] = {}
    for scenario in sweep.grid.scenarios:
        asked = {k: v for k, v in scenario.parameters.values().items() if k not in NOT_OF_ANSWERS}
        key = inputs.total([cache.base, cache.digest, asked])
        alike.setdefault(sweep.root / FOLDER / "answers" / f"{key}.json", []).append(scenario)
    waiting = {some[0].name: place for place, some in alike.items() if not place.is_file()}
    progress("Answers", len(alike) - len(waiting), len(alike))
    for name, rows in _computed(sweep, [one for one in sweep.grid.scenarios if one.name in waiting]):
        write_json(waiting.pop(name), rows)
        progress(name, len(alike) - len(waiting), len(alike))
    found = {place: json.loads(place.read_text(encoding="utf-8")) for place in alike}
    return {one.name: found[place] for place, some in alike.items() for one in some}


def _computed(sweep: Sweep, scenarios: list[Scenario]) -> Iterator[tuple[str, list[Row]]]:
    if not scenarios:
        return
    with sweep.pool() as pool:
        asked = {pool.submit(answers_of, str(sweep.root), one.parameters.values()): one for one in scenarios}
        for future in as_completed(asked):
            try:
                yield asked[future].name, future.result()
            except BrokenExecutor:
                raise BuildError("a worker died while it computed answers; run the sweep again") from None


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


def _write(sweep: Sweep, answers: dict[str, list[Row]], folder: Path) -> None:
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
    write_whole(folder / "answers.csv", text.getvalue())
