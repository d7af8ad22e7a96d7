"""Why a notebook runs or does not: what differs from the last build, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.reads import Read, unlisted

SHOWN = 4  # names written out of one kind of change; the others are counted


@dataclass(frozen=True, slots=True)
class Reason:
    """Whether one notebook runs, and why."""

    notebook: str
    runs: bool
    why: str

    def __str__(self) -> str:
        """Return the reason as one line."""
        return f"{'runs' if self.runs else 'kept'}  {self.notebook}: {self.why}"


def differences(before: Mapping[str, Any], now: Mapping[str, Any], changed: Sequence[Read]) -> list[str]:
    """Return in words what differs between two records of a notebook, and the reads that changed.

    A record has ``code`` (a hash by cell), ``parameters``, ``engine`` and ``environment`` (hash or version by
    name).
    """
    words = _code(before["code"], now["code"])
    words += _named("parameter", before["parameters"], now["parameters"], values=True)
    words += _named("engine", before["engine"], now["engine"])
    words += _named("environment", before["environment"], now["environment"], values=True)
    return words + _reads(changed)


def reads_of(record: Mapping[str, Any]) -> dict[Read, str]:
    """Return what a record's notebook read."""
    return unlisted(record.get("reads", []))


def _code(before: Sequence[str], now: Sequence[str]) -> list[str]:
    if len(before) != len(now):
        return [f"code: {len(now)} cells instead of {len(before)}"]
    cells = [str(place) for place, pair in enumerate(zip(before, now, strict=True), 1) if pair[0] != pair[1]]
    return [f"code cell {_some(cells)}"] if cells else []


def _named(
    kind: str, before: Mapping[str, Any], now: Mapping[str, Any], *, values: bool = False
) -> list[str]:
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if not names:
        return []
    said = [_from_to(name, before.get(name), now.get(name)) if values else name for name in names]
    return [f"{kind} {_some(said)}"]


def _from_to(name: str, before: Any, now: Any) -> str:
    return f"{name} {'absent' if before is None else before} -> {'absent' if now is None else now}"


def _reads(changed: Sequence[Read]) -> list[str]:
    tables: dict[str, list[str]] = {}
    for read in changed:
        if read[0] == "rows":
            tables.setdefault(f"{read[1]}/{read[2]}", []).append(_study(read[3]))
        elif read[0] == "counts":
            tables.setdefault(f"{read[1]}/counts", []).append(_outcome(*read[2:4]))
    words = [f"{table} ({_some(studies)})" for table, studies in tables.items()]
    words += [f"{read[1]}/{read[2]} ({_chosen(read[3])})" for read in changed if read[0] == "where"]
    words += [f"columns of {read[1]}/{read[2]}" for read in changed if read[0] == "columns"]
    words += [f"{read[1]}: {_asked(*read[2::2])}" for read in changed if read[0] == "value"]
    words += [f"studies by {read[2]}" for read in changed if read[0] == "match"]
    return words + [f"{read[0]} {read[1]}" for read in changed if read[0] in ("file", "list")]


def _asked(function: str, arguments: str) -> str:
    """Return a question of a dataset in words: what is asked, and of what it is asked, where that is text.

    >>> _asked("evidence.display.marks:doubts_about", '[["trial_a", 0.05, 0.0], {}]')
    'doubts about trial_a'
    """
    given, named = json.loads(arguments)
    texts = [one for one in (*given, *named.values()) if isinstance(one, str)]
    return " ".join([function.rpartition(":")[2].strip("_").replace("_", " "), *texts])


def _chosen(conditions: str) -> str:
    """Return what rows were chosen by.

    >>> _chosen('{"kind": ["superior", "comparable"], "study_id": ["trial_a"]}')
    'kind superior, comparable; study_id trial_a'
    """
    return "; ".join(f"{name} {_some(values)}" for name, values in json.loads(conditions).items())


def _study(study: str | None) -> str:
    return "whole table" if study is None else study or "rows of no study"


def _outcome(outcome: str, study: str | None) -> str:
    return outcome if study is None else f"{outcome} of {study}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
