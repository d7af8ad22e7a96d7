"""Running only the notebooks whose outputs can have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from evidence.build import inputs
from evidence.build.cache import Cache, Run
from evidence.build.execute import Executed, Task
from evidence.build.explain import Reason, differences, reads_of
from evidence.build.files import write_draft
from evidence.build.notebooks import code_of, declared_values, parse_notebook
from evidence.reads import listed

Record = dict[str, Any]
Execute = Callable[[list[Task], Callable[[Task, Executed], None]], None]


@dataclass(slots=True)
class Step:
    """One notebook of a build: its task, the key of its runs, the run that stands for it, and why."""

    task: Task
    key: str
    run: Run | None
    reason: Reason
    record: Record = field(default_factory=dict)


def decide(cache: Cache, tasks: list[Task], before: Mapping[str, Any], *, force: bool = False) -> list[Step]:
    """Return for every task whether it must run and why, against the state of the last build."""
    shared = {"engine": dict(cache.engine), "environment": dict(cache.environment)}
    earlier = {name: before.get(name, {}) for name in shared}
    steps = []
    for task in tasks:
        key, record = cache.key(task), _record(task)
        run = None if force else cache.find(key)
        old = before.get("notebooks", {}).get(task.name)
        changes = _changes(cache, old, {**record, **shared}, earlier)
        why = "asked for" if force else _why(run is not None, changes)
        steps.append(Step(task, key, run, Reason(task.name, run is None, why), record))
    return steps


def _record(task: Task) -> Record:
    notebook = parse_notebook(task.text)
    parameters = {**declared_values(notebook), **task.injected}
    return {"code": [inputs.total(cell) for cell in code_of(notebook)], "parameters": parameters}


def _changes(
    cache: Cache, old: Record | None, now: Mapping[str, Any], earlier: Mapping[str, Any]
) -> list[str] | None:
    """Return what changed since the last build in words; None where it did not have the notebook."""
    if old is None:
        return None
    return differences({**old, **earlier}, now, cache.changed(reads_of(old)))


def _why(kept: bool, changes: list[str] | None) -> str:
    if kept:
        return f"as in an earlier build ({'; '.join(changes)})" if changes else "nothing that it uses changed"
    return "it has not run before" if changes is None else "; ".join(changes) or "its outputs are not kept"


def carry_out(
    steps: list[Step], cache: Cache, execute: Execute, finished: Callable[[str], None]
) -> dict[str, Record]:
    """Put every executed notebook in its place, from the cache or by running it; return the records by name.

    What has finished is kept even where another notebook fails or the run is interrupted.

    Raises:
        NotebookError: names every notebook that failed.
    """
    for step in steps:
        if step.run is None:
            step.task = replace(step.task, before=cache.made_before(step.key))
    by_task = {id(step.task): step for step in steps}

    def done(task: Task, executed: Executed) -> None:
        step = by_task[id(task)]
        step.run = cache.keep(step.key, task, executed)
        finished(task.name)

    for step in steps:
        if step.run:
            write_draft(step.task.target, cache.text(step.run, step.task))
            finished(step.task.name)
    if waiting := [step.task for step in steps if step.run is None]:
        execute(waiting, done)
    return {step.task.name: step.record | _reads(step.run) for step in steps}


def _reads(run: Run | None) -> Record:
    return {"reads": listed(run.reads)} if run else {}
