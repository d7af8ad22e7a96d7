"""Re-executing the committed notebooks in place, at their own defaults."""

from __future__ import annotations

import tempfile
from pathlib import Path

from evidence.build import CELL_SECONDS
from evidence.build.execute import Executed, Task, kernel_environment, run_all
from evidence.build.files import write_whole
from evidence.build.report import Progress, _silent
from evidence.build.stage import chapters_of, read_project


def refresh(root: Path, *, jobs: int, progress: Progress = _silent, timeout: int = CELL_SECONDS) -> list[str]:
    """Execute every notebook of the book at its defaults; return the names of those that changed.

    A notebook is written only if its text differs, and none is written unless all succeeded.
    """
    names = chapters_of(read_project(root))
    finished: list[str] = []

    def done(task: Task, _: Executed) -> None:
        finished.append(task.name)
        progress(task.name, len(finished), len(names))

    with kernel_environment(), tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        tasks = [_task(root, name, Path(folder), timeout) for name in names]
        run_all(tasks, jobs=jobs, done=done)
        fresh = {task.name: task.target.read_text(encoding="utf-8") for task in tasks}
    changed = [name for name, text in fresh.items() if text != (root / name).read_text(encoding="utf-8")]
    for name in changed:
        write_whole(root / name, fresh[name])
    return changed


def _task(root: Path, name: str, folder: Path, timeout: int) -> Task:
    text = (root / name).read_text(encoding="utf-8")
    return Task(name, text, folder / name, (root / name).parent, {}, timeout)
