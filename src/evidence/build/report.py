"""The main job: data, notebooks, pages, provenance, and only then the new report in the old one's place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evidence.audit import audit
from evidence.build import CELL_SECONDS, inputs
from evidence.build.bundle import write_bundle
from evidence.build.cache import FOLDER, Cache
from evidence.build.execute import Task, kernel_environment, run_all
from evidence.build.explain import Reason, reads_of
from evidence.build.files import digest_of, restore, sha256, swap, write_json, write_whole
from evidence.build.gaps import close_gaps
from evidence.build.incremental import Execute, Record, carry_out, decide
from evidence.build.links import link_notebooks
from evidence.build.locks import alone
from evidence.build.outputs import write_outputs
from evidence.build.provenance import NAME, origin, provenance
from evidence.build.remembering import remembering
from evidence.build.stage import Job, plan, read_project, source_text, write_stage
from evidence.build.unchanged import State, made_from, read_state, state_file
from evidence.data import Dataset, dataset
from evidence.data.export import as_csv
from evidence.errors import BuildError
from evidence.parameters import Parameters
from evidence.project import check_epoch, resolve
from evidence.reads import listed
from evidence.render import Rendered, program_for, render
from evidence.scenarios import Scenario

Progress = Callable[[str, int, int], None]
Explain = Callable[[Reason], None]


def _silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def _unasked(reason: Reason) -> None:
    """Explain nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: where, under which parameters, rendered how.

    A cell of a notebook may take ``timeout`` seconds. With a folder ``elsewhere`` the report is made there,
    and the project's own is left alone.
    """

    root: Path
    scenario: Scenario
    renderer: Literal["auto", "quarto", "builtin"] = "auto"
    formats: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    force: bool = False
    cluster: str = ""
    timeout: int = CELL_SECONDS
    elsewhere: Path | None = None

    @property
    def stage(self) -> Path:
        """The project folder that the renderer reads."""
        return (self.elsewhere or self.root) / "_build" / self.scenario.name / "project"

    @property
    def target(self) -> Path:
        """Where the finished report stands."""
        return (self.elsewhere or self.root) / "_report" / self.scenario.name

    @property
    def name(self) -> str:
        """What no two runs build at once."""
        return f"{self.scenario.name}.{os.getpid()}" if self.elsewhere else self.scenario.name

    def made_from(self) -> str:
        """Return one hash over everything that the report is asked to be and made from."""
        return made_from(self.root, self.scenario, self.renderer, self.formats)

    def files(self) -> dict[str, str]:
        """Return the hash of every file of the project that the report is made from."""
        return inputs.project_files(self.root, resolve(self.scenario.parameters.data_dir))

    def before(self) -> State:
        """Return the state that the last finished build left; a build elsewhere begins anew."""
        return {} if self.elsewhere else read_state(self.root, self.scenario.name)


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
        OSError: the disk is full, refuses writing, or lost a folder.
    """
    program_for(request.renderer)
    check_epoch()
    with alone(request.root, request.name, lambda message: progress(message, 0, 1)):
        restore(request.target)
        return _build(request, progress, explain)


def _build(request: Request, progress: Progress, explain: Explain) -> Path:
    asked, before = request.made_from(), request.files()
    cache = Cache.of(request.root, resolve(request.scenario.parameters.data_dir))
    with _scratch(request.stage.parent), _memo(request, cache):
        # The kernel server loads its modules while the data are read.
        with nullcontext() if request.cluster else kernel_environment():
            data = dataset(request.scenario.parameters)
            project = read_project(request.root)
            jobs = plan(request.root, project, data, request.scenario.parameters)
            write_stage(request.stage, request.root, project, data)
            tasks = [task_of(request, job, source_text(job, request.root, data)) for job in jobs]
            state = _execute(request, cache, tasks, progress, explain)
        state |= _finish(request, data, tasks, state["notebooks"], before, progress)
    if not request.elsewhere:
        _remember(request, asked, state)
    return request.target


def _memo(request: Request, cache: Cache) -> AbstractContextManager[None]:
    """Return what lets kernels share results; not where everything is to be computed anew."""
    anew = request.force or request.elsewhere
    return nullcontext() if anew else remembering(request.root / FOLDER / "memo", cache.base)


def _execute(
    request: Request, cache: Cache, tasks: list[Task], progress: Progress, explain: Explain
) -> State:
    """Bring every notebook up to date and return what the next build must know of them."""
    finished: list[str] = []

    def done(name: str) -> None:
        finished.append(name)
        progress(name, len(finished), len(tasks))

    progress("Notebooks", 0, len(tasks))
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


def _audited(data: Dataset, parameters: Parameters) -> str:
    found = audit(data, alpha=parameters.alpha, margin=parameters.noninferiority_margin)
    return as_csv(found)


def _finish(
    request: Request,
    data: Dataset,
    tasks: list[Task],
    records: dict[str, Record],
    before: Mapping[str, str],
    progress: Progress,
) -> State:
    fresh = request.stage.with_name("report")
    shutil.rmtree(fresh, ignore_errors=True)
    progress("Pages", 0, 1)
    # What is neither page nor PDF passes the time in which other programs make these.
    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(_beside_pages, request, data, tasks, records, fresh)
        rendered, printed = pages(request, fresh)
    source, files = others.result()
    made = provenance(request.scenario, rendered, fresh, source, formats=request.formats)
    write_json(fresh / NAME, made)
    _require([*rendered.files, *files], fresh, request, before)
    swap(fresh, request.target)
    progress("Pages", 1, 1)
    return {"pages": printed, "report": digest_of(request.target)}


def _beside_pages(
    request: Request, data: Dataset, tasks: list[Task], records: dict[str, Record], fresh: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Write what of a report is no page, and return what it is made from and the files of its outputs."""
    write_whole(fresh / "audit.csv", _audited(data, request.scenario.parameters))
    files = write_outputs([task.target for task in tasks], fresh)
    reads = {read for record in records.values() for read in reads_of(record)}
    how = ("quarto" if program_for(request.renderer) else "builtin", request.formats)
    write_bundle(request.root, request.scenario, data.path, sorted(reads, key=str), how=how, report=fresh)
    return origin(request.root, request.scenario.parameters.values(), data), files


def _require(files: list[Path], fresh: Path, request: Request, before: Mapping[str, str]) -> None:
    """Refuse to publish a report that lost a part, or whose record names other sources than it was made from.

    Raises:
        BuildError: names what is missing or changed.
    """
    now = request.files()
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    missing = sorted(os.path.relpath(path, fresh) for path in files if not path.is_file())
    if odd := missing or changed:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        raise BuildError(f"{odd[0]}{more} changed while the report was made; run it again")


def _remember(request: Request, asked: str, state: State) -> None:
    """Keep the state for the next build, unless something changed while this one was at work."""
    if request.made_from() != asked:
        return
    records = list(state["notebooks"].values())
    known = all("reads" in record for record in records)
    found = {read: value for record in records for read, value in reads_of(record).items()}
    extra = {read: value for read, value in found.items() if read[0] in ("file", "list")}
    place = state_file(request.root, request.scenario.name)
    write_json(place, {**state, "made_from": asked if known else "", "extra": listed(extra)})


def pages(request: Request, fresh: Path) -> tuple[Rendered, State]:
    """Make the pages in ``fresh``, or take those of the last report where they would be the same."""
    asked = [request.renderer, sorted(request.formats), inputs.printer(request.renderer)]
    made_by = {name: value for name, value in inputs.engine().items() if name.startswith("render/")}
    key = inputs.total([digest_of(request.stage), made_by, inputs.environment(request.root), asked])
    before = request.before().get("pages", {})
    if before.get("key") != key or not _is_whole(request.target, before["files"]):
        store = request.root / FOLDER / "pages"
        made = render(request.stage, fresh, formats=request.formats, renderer=request.renderer, store=store)
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
    """Begin with an empty scratch folder, and leave nothing half-made in it when the build fails."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def task_of(request: Request, job: Job, text: str) -> Task:
    """Return the execution of a job: where it runs, what is injected, and where its notebook goes."""
    folder = (request.root / job.source).parent
    injected = {**job.injected, **_absolute(job, request)}
    return Task(job.target, text, request.stage / job.target, folder, injected, request.timeout)


def _absolute(job: Job, request: Request) -> dict[str, str]:
    """Return a data folder given below the working folder as the notebook, elsewhere, must be told it."""
    given = job.injected.get("data_dir")
    if given is None:
        return {}
    found = resolve(given)
    inside = found.is_relative_to(request.root)
    return {"data_dir": found.relative_to(request.root).as_posix() if inside else str(found)}
