"""Executed notebooks kept by what they were made from, for every scenario of a project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.build import inputs
from evidence.build.execute import Executed, Task
from evidence.build.files import digest_of, write_json, write_whole
from evidence.build.notebooks import code_of, parse_notebook, to_text, with_outputs
from evidence.reads import Fingerprints, Made, Read, listed, unlisted

FOLDER = "_build/.cache"
# Runs of one notebook under one set of parameters that differ in what the data held; the newest are kept.
KEPT = 32


@lru_cache(maxsize=1024)
def _code(text: str) -> str:
    return inputs.total(code_of(parse_notebook(text)))


@dataclass(frozen=True, slots=True)
class Run:
    """One execution: what it read with each thing's fingerprint, and the name of its text in the store.

    ``made`` are its calls that made what it shows, ``outside`` what it read otherwise (``reads.Noted``);
    ``source`` is the hash of the notebook's text before it ran.
    """

    reads: Mapping[Read, str]
    text: str
    made: tuple[Made, ...] = ()
    outside: frozenset[Read] = frozenset()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Cache:
    """The store below ``_build/.cache``: runs by their key, texts by their hash.

    A key is the hash of all that is known before a notebook runs: its code cells, the parameters injected,
    the engine and the environment. What it reads is known afterwards, so that a key has several runs; one of
    them stands for the present where everything that it read has the fingerprint of then.
    """

    root: Path
    data: Path
    engine: Mapping[str, str]
    environment: Mapping[str, str]
    fingerprints: Fingerprints
    digest: str
    base: str

    @classmethod
    def of(cls, root: Path, data: Path) -> Cache:
        """Return the store of a project, with the engine, the environment and the data as they are now."""
        engine, environment = inputs.of_notebooks(inputs.engine()), inputs.environment(root)
        base = inputs.total([engine, environment])
        return cls(root, data, engine, environment, Fingerprints(root), digest_of(data), base)

    def key(self, task: Task) -> str:
        """Return the key of a task."""
        folder = task.folder.relative_to(self.root).as_posix()
        return inputs.total([_code(task.text), task.injected, folder, self.base])

    def find(self, key: str) -> Run | None:
        """Return the run that executing again would repeat, or None."""
        return next((run for run in self._runs(key) if self._holds(run)), None)

    def changed(self, reads: Mapping[Read, str]) -> list[Read]:
        """Return what of some reads is not as it was."""
        return [read for read, before in reads.items() if self.fingerprints.of(read) != before]

    def keep(self, key: str, task: Task, executed: Executed) -> Run | None:
        """Keep an execution and return it; not where its reads are unknown or the data changed meanwhile."""
        noted = executed.noted
        if noted is None or digest_of(self.data) != self.digest:
            return None
        own = self.fingerprints.relative
        run = Run(
            {own(read): self.fingerprints.of(own(read)) for read in noted.reads},
            inputs.total(executed.text),
            tuple(replace(made, reads=tuple(map(own, made.reads))) for made in noted.made),
            frozenset(map(own, noted.outside)),
            inputs.total(task.text),
        )
        write_whole(self._text(run.text), executed.text)
        runs = [run, *(old for old in self._runs(key) if old.reads != run.reads)][:KEPT]
        write_json(self._place(key), [_as_json(run) for run in runs])
        return run

    def made_before(self, key: str) -> tuple[Made, ...]:
        """Return what earlier runs made that running again would make once more, the newest of each call.

        What a notebook's own lines read must be as it was: only then does it make the same calls.
        """
        found: dict[str, Made] = {}
        for run in self._runs(key):
            changed = set(self.changed(run.reads))
            if not changed & run.outside:
                found = {made.call: made for made in run.made if changed.isdisjoint(made.reads)} | found
        return tuple(found.values())

    def text(self, run: Run, task: Task) -> str:
        """Return what executing a task would give, from a run of the same code."""
        kept = self._text(run.text).read_text(encoding="utf-8")
        if run.source == inputs.total(task.text):
            return kept
        return to_text(with_outputs(parse_notebook(task.text), parse_notebook(kept)))

    def _holds(self, run: Run) -> bool:
        same = all(self.fingerprints.of(read) == before for read, before in run.reads.items())
        return same and self._text(run.text).is_file()

    def _runs(self, key: str) -> list[Run]:
        try:
            kept = json.loads(self._place(key).read_text(encoding="utf-8"))
            return [_from_json(run) for run in kept]
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return []

    def _place(self, key: str) -> Path:
        return self.root / FOLDER / "runs" / key[:2] / f"{key}.json"

    def _text(self, name: str) -> Path:
        return self.root / FOLDER / "texts" / name[:2] / f"{name}.ipynb"


def _as_json(run: Run) -> dict[str, Any]:
    places = {read: place for place, read in enumerate(run.reads)}
    made = [[one.call, one.kept, [places[read] for read in one.reads]] for one in run.made]
    outside = sorted(places[read] for read in run.outside)
    return {
        "reads": listed(run.reads),
        "text": run.text,
        "made": made,
        "outside": outside,
        "source": run.source,
    }


def _from_json(kept: Mapping[str, Any]) -> Run:
    reads = unlisted(kept["reads"])
    of = list(reads)
    made = tuple(
        Made(call, name, tuple(of[place] for place in places)) for call, name, places in kept["made"]
    )
    return Run(reads, kept["text"], made, frozenset(of[place] for place in kept["outside"]), kept["source"])
