"""The main job: data, notebooks, pages, provenance, and only then the new report in the old one's place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evidence.audit import audit
from evidence.build.execute import Task, run_all
from evidence.build.files import swap, write_json, write_whole
from evidence.build.outputs import write_outputs
from evidence.build.provenance import NAME, provenance
from evidence.build.scenarios import Scenario
from evidence.build.stage import Job, plan, read_project, source_text, write_stage
from evidence.data import Dataset, dataset
from evidence.project import resolve
from evidence.render import program_for, render

Progress = Callable[[str, int, int], None]


def _silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: where, under which parameters, rendered how."""

    root: Path
    scenario: Scenario
    renderer: Literal["auto", "quarto", "builtin"] = "auto"
    formats: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)

    @property
    def stage(self) -> Path:
        """The project folder that the renderer reads."""
        return self.root / "_build" / self.scenario.name / "project"

    @property
    def target(self) -> Path:
        """Where the finished report stands."""
        return self.root / "_report" / self.scenario.name


def build_report(request: Request, progress: Progress = _silent) -> Path:
    """Build one report and return its folder; on any error the previous report stays as it was.

    Raises:
        DataError: the data has faults.
        NotebookError: a notebook failed.
        RenderError: the pages cannot be made.
    """
    program_for(request.renderer)
    data = dataset(request.scenario.parameters)
    project = read_project(request.root)
    jobs = plan(request.root, project, data, request.scenario.parameters)
    with _scratch(request.stage.parent):
        write_stage(request.stage, request.root, project, data)
        tasks = [_task(request, job, source_text(job, request.root, data)) for job in jobs]
        _execute(tasks, request.jobs, progress)
        _finish(request, data, tasks, progress)
    return request.target


def _finish(request: Request, data: Dataset, tasks: list[Task], progress: Progress) -> None:
    fresh = request.stage.with_name("report")
    shutil.rmtree(fresh, ignore_errors=True)
    progress("Pages", 0, 1)
    rendered = render(request.stage, fresh, formats=request.formats, renderer=request.renderer)
    write_outputs([task.target for task in tasks], fresh)
    findings = audit(data).to_csv(index=False, lineterminator="\n")
    write_whole(fresh / "audit.csv", findings)
    write_json(fresh / NAME, provenance(request.root, request.scenario, data, rendered, fresh))
    swap(fresh, request.target)
    progress("Pages", 1, 1)


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Leave nothing half-made in the scratch folder when the build fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _task(request: Request, job: Job, text: str) -> Task:
    folder = (request.root / job.source).parent
    injected = {**job.injected, **_absolute(job, request)}
    return Task(job.target, text, request.stage / job.target, folder, injected)


def _absolute(job: Job, request: Request) -> dict[str, str]:
    """Return a data folder given below the working folder as the notebook, elsewhere, must be told it."""
    given = job.injected.get("data_dir")
    if given is None:
        return {}
    found = resolve(given)
    inside = found.is_relative_to(request.root)
    return {"data_dir": found.relative_to(request.root).as_posix() if inside else str(found)}


def _execute(tasks: list[Task], jobs: int, progress: Progress) -> None:
    finished: list[str] = []

    def done(name: str) -> None:
        finished.append(name)
        progress(name, len(finished), len(tasks))

    progress("Notebooks", 0, len(tasks))
    run_all(tasks, jobs=jobs, done=done)
