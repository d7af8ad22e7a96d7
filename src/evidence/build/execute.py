"""Executing notebooks with papermill, several at a time."""

from __future__ import annotations

import atexit
import errno
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.build import CELL_SECONDS
from evidence.build.files import write_draft
from evidence.build.kernels import ADDRESS, surroundings, taken_over
from evidence.build.notebooks import settle, to_text
from evidence.build.pools import cluster_pool, local_pool
from evidence.errors import BuildError, NotebookError
from evidence.project import find_root
from evidence.reads import Made, Noted, parse, tell_before

# What a kernel has already put out is read within this, on a machine that is busy.
OUTPUT_SECONDS = 60
STREAMS = "--IPKernelApp.outstream_class=evidence.build.streams.OrderedStream"
# The disk's refusals concern the whole build and not one notebook.
OF_THE_DISK = frozenset({errno.ENOSPC, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS})
KILLED = 9  # the number of SIGKILL, which not every system knows by name
# The longest message of a failing cell that is passed on.
MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Task:
    """One execution: notebook text in, settled notebook file out, run in ``folder``.

    A cell may take ``seconds``. ``before`` is what an earlier run made that would be the same now.
    """

    name: str
    text: str
    target: Path
    folder: Path
    injected: dict[str, Any]
    seconds: int = CELL_SECONDS
    before: tuple[Made, ...] = ()


@dataclass(frozen=True, slots=True)
class Executed:
    """The text of an executed, settled notebook, and what it read; None where that could not be noted."""

    text: str
    noted: Noted | None


Done = Callable[[Task, Executed], None]


def _nothing(task: Task, executed: Executed) -> None:
    """Take no note of a finished notebook."""


def run_all(tasks: list[Task], *, jobs: int, done: Done = _nothing, cluster: str = "") -> None:
    """Execute every task, write its notebook and call ``done`` as each is finished.

    Args:
        tasks: what to execute.
        jobs: how many at a time, in local processes.
        done: is called with each finished task and what came of it.
        cluster: the address of a Dask cluster to use instead of local processes.

    Raises:
        NotebookError: names every notebook that failed, its cell and the error.
    """

    def written(task: Task, executed: Executed) -> None:
        write_draft(task.target, executed.text)
        done(task, executed)

    if cluster:
        with cluster_pool(cluster) as pool:
            work(pool, run_anywhere, tasks, written)
    else:
        with kernel_environment(), local_pool(min(jobs, len(tasks))) as pool:
            work(pool, run, tasks, written)


def work(pool: Executor, how: Callable[[Task], Executed], tasks: list[Task], done: Done) -> None:
    """Execute every task with an executor, local or not, and call ``done`` as each is finished.

    Raises:
        NotebookError: names every notebook that failed, its cell and the error.
    """
    faults: list[str] = []
    futures = {pool.submit(how, task): task for task in tasks}
    for future in as_completed(futures):
        task = futures[future]
        try:
            executed = future.result()
        except (NotebookError, BrokenExecutor) as error:
            faults.append(f"{task.name}: {error or 'the worker died'}")
            continue
        done(task, executed)
    if faults:
        raise NotebookError("\n".join(sorted(faults)))


@contextmanager
def kernel_environment() -> Iterator[None]:
    """Fix what kernels inherit, and keep them and their files where nothing outlives the run.

    Inside another such environment it changes nothing.
    """
    ahead = taken_over()
    if ahead is None and ADDRESS in os.environ:
        yield
        return
    with ahead or surroundings():
        _load_papermill()
        yield


def run(task: Task) -> Executed:
    """Execute one task through papermill.

    Raises:
        NotebookError: a cell failed; the message has the cell's number and the error.
    """
    from evidence.build.kernel_client import server_is_gone

    try:
        return _execute(task)
    except NotebookError:
        if not server_is_gone():
            raise
        # The kernel was lost with its server; the next one is an ordinary one.
        return _execute(task)


_KEPT = ExitStack()
_ENTERING = threading.Lock()
_entered: list[bool] = []


def run_anywhere(task: Task) -> Executed:
    """Execute one task in a process that others started, with kernels kept for the tasks that follow.

    Raises:
        NotebookError: as ``run``.
    """
    with _ENTERING:
        if not _entered:
            _KEPT.enter_context(kernel_environment())
            atexit.register(_KEPT.close)
            _entered.append(True)
    return run(task)


def _execute(task: Task) -> Executed:
    papermill = _load_papermill()
    from evidence.build.kernel_client import Witness

    witness = Witness()
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        source, raw, notes = (Path(folder, name) for name in ("in.ipynb", "out.ipynb", "reads"))
        source.write_text(task.text, encoding="utf-8")
        tell_before(notes, task.before)
        try:
            notebook = papermill.execute_notebook(
                str(source),
                str(raw),
                task.injected,
                cwd=str(task.folder),
                **_options(folder, _noting(notes, task.folder), task.seconds, witness),
            )
        except papermill.exceptions.PapermillExecutionError as error:
            raise NotebookError(_where(error, task)) from None
        except Exception as error:
            if getattr(error, "errno", None) in OF_THE_DISK:
                raise
            raise NotebookError(_why(error, witness, task)) from None
        return Executed(to_text(settle(notebook)), _noted(notes))


def _noting(notes: Path, folder: Path) -> str:
    """Return the argument that makes a kernel note what its notebook reads before the first cell runs."""
    try:
        root = find_root(folder)
    except BuildError:
        root = folder
    module = "__import__('importlib').import_module('evidence.reads')"
    return f"--IPKernelApp.exec_lines={module}.begin({str(notes)!r}, {str(root)!r})"


def _noted(notes: Path) -> Noted | None:
    return parse(notes.read_text(encoding="utf-8").splitlines()) if notes.is_file() else None


def _load_papermill() -> Any:
    import papermill
    import papermill.exceptions

    import evidence.build.kernel_client  # noqa: F401

    # What goes wrong is raised, and told once.
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return papermill


def _where(error: Any, task: Task) -> str:
    """Return the failing code cell and its error."""
    return f"{_cell(error.exec_count, error.source, task)}: {error.ename}: {_short(str(error.evalue))}"


def _cell(count: int, source: str, task: Task) -> str:
    """Return a code cell's number, counted as in the source, with its first line."""
    number = count - (1 if task.injected and count > 1 else 0)
    lines = [line for line in source.splitlines() if line and not line.startswith("#")]
    return f"cell {number} ({lines[0] if lines else ''})"


def _short(words: str) -> str:
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]} ... ({len(words)} characters)"


def _why(error: Exception, witness: Any, task: Task) -> str:
    """Return what ended a notebook's run from outside its code, and what to do about it."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    from evidence.build.kernel_server import MOST_OUTPUT

    if not isinstance(error, CellTimeoutError | DeadKernelError):
        return f"could not be executed: {type(error).__name__}: {_short(str(error))}"
    where = _cell(witness.number, witness.source, task)
    if witness.flooded:
        return f"{where}: put out more than {MOST_OUTPUT:,} characters; print less"
    if isinstance(error, CellTimeoutError):
        return f"{where}: did not end within {task.seconds} seconds; mend it, or give more with --timeout"
    return f"{where}: the kernel died ({_ending(witness.status)}); mend the cell, or try again"


def _ending(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {'unknown' if status is None else status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"{name}{', perhaps for want of memory' if -status == KILLED else ''}"


def _options(folder: str, noting: str, seconds: int, witness: Any) -> dict[str, Any]:
    from traitlets.config import Config

    from evidence.build.kernel_client import seen_by

    # Sockets in files have no port to race for; each kernel has its own folder. Windows has no such sockets.
    sockets = {"transport": "ipc", "ip": f"{folder}/kernel"} if sys.platform != "win32" else {}
    config = Config({"KernelManager": sockets})
    return {
        "kernel_name": "python3",
        "progress_bar": False,
        "execution_timeout": seconds,
        "iopub_timeout": OUTPUT_SECONDS,
        "on_cell_execute": witness.note,
        "config": config,
        "extra_arguments": [noting, STREAMS],
        "kernel_manager_class": seen_by(witness),
        "shutdown_kernel": "immediate",
        "request_save_on_cell_execute": False,
    }
