"""Executing notebooks with papermill, several at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any

from evidence.build.files import write_whole
from evidence.build.kernels import PRELOADED, can_fork, kernel_server, run_folder
from evidence.build.notebooks import settle, to_text
from evidence.errors import NotebookError

# A chapter takes seconds; a cell that needs five minutes hangs.
CELL_SECONDS = 300
# What a kernel could take from its surroundings and put into a report.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@dataclass(frozen=True, slots=True)
class Task:
    """One execution: notebook text in, settled notebook file out, run in ``folder``."""

    name: str
    text: str
    target: Path
    folder: Path
    injected: dict[str, Any]


def run_all(tasks: list[Task], *, jobs: int, done: Callable[[str], None] = lambda name: None) -> None:
    """Execute every task, ``jobs`` at a time, and call ``done`` with the name of each that finished.

    Raises:
        NotebookError: names every notebook that failed, its cell and the error.
    """
    faults: list[str] = []
    with _kernel_environment(), _workers(min(jobs, len(tasks))) as pool:
        futures = {pool.submit(run, task): task.name for task in tasks}
        for future in as_completed(futures):
            try:
                future.result()
                done(futures[future])
            except (NotebookError, BrokenProcessPool) as error:
                faults.append(f"{futures[future]}: {error or 'the worker died'}")
    if faults:
        raise NotebookError("\n".join(sorted(faults)))


@contextmanager
def _workers(number: int) -> Iterator[ProcessPoolExecutor]:
    """Provide worker processes; when the run is interrupted they end at once, not after their task."""
    pool = ProcessPoolExecutor(max(1, number), mp_context=_context(), initializer=_follow_parent)
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        raise
    finally:
        pool.shutdown()


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when the parent ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _context() -> Any:
    # A forked worker has papermill imported already; Windows and macOS can only start afresh.
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@contextmanager
def _kernel_environment() -> Iterator[None]:
    """Fix what kernels inherit, and keep them and their files where nothing outlives the run."""
    before = dict(os.environ)
    with run_folder() as folder:
        os.environ.update(ENVIRONMENT, JUPYTER_RUNTIME_DIR=str(folder), TMPDIR=str(folder))
        try:
            with kernel_server(folder, PRELOADED if can_fork() else ()):
                _load_papermill()
                yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def run(task: Task) -> None:
    """Execute one task through papermill; the target appears only when all cells succeeded.

    Raises:
        NotebookError: a cell failed; the message has the cell's number and the error.
    """
    from evidence.build.kernel_client import server_is_gone

    try:
        notebook = _execute(task)
    except NotebookError:
        if not server_is_gone():
            raise
        # The kernel was lost with its server; the next one is an ordinary one.
        notebook = _execute(task)
    write_whole(task.target, to_text(settle(notebook)))


def _execute(task: Task) -> Any:
    papermill = _load_papermill()
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        source, raw = Path(folder, "in.ipynb"), Path(folder, "out.ipynb")
        source.write_text(task.text, encoding="utf-8")
        try:
            return papermill.execute_notebook(
                str(source),
                str(raw),
                task.injected,
                cwd=str(task.folder),
                **_options(folder),
            )
        except papermill.exceptions.PapermillExecutionError as error:
            raise NotebookError(_where(error, task)) from None
        except Exception as error:
            raise NotebookError(f"could not be executed: {type(error).__name__}: {error}") from None


def _load_papermill() -> Any:
    import papermill
    import papermill.exceptions

    import evidence.build.kernel_client  # noqa: F401

    # What goes wrong is raised, and told once.
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return papermill


def _where(error: Any, task: Task) -> str:
    """Return the failing code cell, counted as in the source, with its first line and the error."""
    number = error.exec_count - (1 if task.injected and error.exec_count > 1 else 0)
    lines = [line for line in str(error.source).splitlines() if line and not line.startswith("#")]
    return f"cell {number} ({lines[0] if lines else ''}): {error.ename}: {error.evalue}"


def _options(folder: str) -> dict[str, Any]:
    from traitlets.config import Config

    from evidence.build.kernel_client import Manager

    # Sockets in files have no port to race for; each kernel has its own folder. Windows has no such sockets.
    sockets = {"transport": "ipc", "ip": f"{folder}/kernel"} if sys.platform != "win32" else {}
    config = Config({"KernelManager": sockets})
    return {
        "kernel_name": "python3",
        "progress_bar": False,
        "execution_timeout": CELL_SECONDS,
        "config": config,
        "kernel_manager_class": Manager,
        "shutdown_kernel": "immediate",
        "request_save_on_cell_execute": False,
    }
