"""The main job: data, notebooks, pages, provenance, and only then the new report in the old one's place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evidence.audit import audit
from evidence.build import inputs
from evidence.build.cache import Cache
from evidence.build.execute import Task, kernel_environment, run_all
from evidence.build.explain import Reason, reads_of
from evidence.build.files import digest_of, sha256, swap, write_json, write_whole
from evidence.build.gaps import close_gaps
from evidence.build.incremental import Execute, carry_out, decide
from evidence.build.links import link_notebooks
from evidence.build.outputs import write_outputs
from evidence.build.provenance import NAME, provenance
from evidence.build.scenarios import Scenario
from evidence.build.stage import Job, plan, read_project, source_text, write_stage
from evidence.build.unchanged import State, made_from, read_state, state_file
from evidence.data import Dataset, dataset
from evidence.project import resolve
from evidence.reads import listed
from evidence.render import Rendered, program_for, render

Progress = Callable[[str, int, int], None]
Explain = Callable[[Reason], None]


def _silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def _unasked(reason: Reason) -> None:
    """Explain nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: where, under which parameters, rendered how."""

    root: Path
    scenario: Scenario
    renderer: Literal["auto", "quarto", "builtin"] = "auto"
    formats: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    force: bool = False
    cluster: str = ""

    @property
    def stage(self) -> Path:
        """The project folder that the renderer reads."""
        return self.root / "_build" / self.scenario.name / "project"

    @property
    def target(self) -> Path:
        """Where the finished report stands."""
        return self.root / "_report" / self.scenario.name

    def made_from(self) -> str:
        """Return one hash over everything that the report is asked to be and made from."""
        return made_from(self.root, self.scenario, self.renderer, self.formats)

    def before(self) -> State:
        """Return the state that the last finished build left."""
        return read_state(self.root, self.scenario.name)


def build_report(request: Request, progress: Progress = _silent, explain: Explain = _unasked) -> Path:
    """Build one report and return its folder; on any error the previous report stays as it was.

    Only notebooks run whose outputs can have changed since an earlier build, and pages are made only where
    the notebooks, the renderer or what it was asked for differ from the last build.

    Args:
        request: what is asked for.
        progress: is told of every finished step.
        explain: is told of every notebook, before it runs, whether it does and why.

    Raises:
        DataError: the data has faults.
        NotebookError: a notebook failed.
        RenderError: the pages cannot be made.
    """
    program_for(request.renderer)
    origin = request.made_from()
    with _scratch(request.stage.parent):
        # The kernel server loads its modules while the data are read.
        with nullcontext() if request.cluster else kernel_environment():
            data = dataset(request.scenario.parameters)
            project = read_project(request.root)
            jobs = plan(request.root, project, data, request.scenario.parameters)
            write_stage(request.stage, request.root, project, data)
            tasks = [task_of(request, job, source_text(job, request.root, data)) for job in jobs]
            state = _execute(request, tasks, progress, explain)
        state |= _finish(request, data, tasks, progress)
    _remember(request, origin, state)
    return request.target


def _execute(request: Request, tasks: list[Task], progress: Progress, explain: Explain) -> State:
    """Bring every notebook up to date and return what the next build must know of them."""
    finished: list[str] = []

    def done(name: str) -> None:
        finished.append(name)
        progress(name, len(finished), len(tasks))

    progress("Notebooks", 0, len(tasks))
    cache = Cache.of(request.root, resolve(request.scenario.parameters.data_dir))
    steps = decide(cache, tasks, request.before(), force=request.force)
    for step in steps:
        explain(step.reason)
    records = carry_out(steps, cache, _how(request), done)
    close_gaps([task.target for task in tasks if task.injected.get("study_id")])
    link_notebooks([task.target for task in tasks])
    return {
        "notebooks": records,
        "engine": dict(cache.engine),
        "environment": dict(cache.environment),
    }


def _how(request: Request) -> Execute:
    return lambda tasks, done: run_all(tasks, jobs=request.jobs, cluster=request.cluster, done=done)


def _audited(data: Dataset, alpha: float) -> str:
    return audit(data, alpha=alpha).to_csv(index=False, lineterminator="\n")


def _finish(request: Request, data: Dataset, tasks: list[Task], progress: Progress) -> State:
    fresh = request.stage.with_name("report")
    shutil.rmtree(fresh, ignore_errors=True)
    progress("Pages", 0, 1)
    # The audit passes the time in which other programs make the pages.
    with ThreadPoolExecutor(1) as beside:
        findings = beside.submit(_audited, data, request.scenario.parameters.alpha)
        rendered, printed = pages(request, fresh)
    write_outputs([task.target for task in tasks], fresh)
    write_whole(fresh / "audit.csv", findings.result())
    write_json(fresh / NAME, provenance(request.root, request.scenario, data, rendered, fresh))
    swap(fresh, request.target)
    progress("Pages", 1, 1)
    return {"pages": printed, "report": digest_of(request.target)}


def _remember(request: Request, origin: str, state: State) -> None:
    """Keep the state for the next build, unless something changed while this one was at work."""
    if request.made_from() != origin:
        return
    records = list(state["notebooks"].values())
    known = all("reads" in record for record in records)
    found = {read: value for record in records for read, value in reads_of(record).items()}
    extra = {read: value for read, value in found.items() if read[0] in ("file", "list")}
    place = state_file(request.root, request.scenario.name)
    write_json(place, {**state, "made_from": origin if known else "", "extra": listed(extra)})


def pages(request: Request, fresh: Path) -> tuple[Rendered, State]:
    """Make the pages in ``fresh``, or take those of the last report where they would be the same."""
    asked = [request.renderer, sorted(request.formats), inputs.printer(request.renderer)]
    made_by = {name: value for name, value in inputs.engine().items() if name.startswith("render/")}
    key = inputs.total([digest_of(request.stage), made_by, inputs.environment(request.root), asked])
    before = request.before().get("pages", {})
    if before.get("key") != key or not _is_whole(request.target, before["files"]):
        made = render(request.stage, fresh, formats=request.formats, renderer=request.renderer)
        files = {path.relative_to(fresh.resolve()).as_posix(): sha256(path) for path in made.files}
        return made, {"key": key, "files": files, "renderer": made.renderer, "version": made.version}
    for name in before["files"]:
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(request.target / name, fresh / name)
    return Rendered(before["renderer"], before["version"], tuple(fresh / n for n in before["files"])), before


def _is_whole(folder: Path, files: dict[str, str]) -> bool:
    return all((folder / name).is_file() and sha256(folder / name) == value for name, value in files.items())


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Leave nothing half-made in the scratch folder when the build fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def task_of(request: Request, job: Job, text: str) -> Task:
    """Return the execution of a job: where it runs, what is injected, and where its notebook goes."""
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
