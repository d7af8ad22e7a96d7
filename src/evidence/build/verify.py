"""Whether a report is what its record says, and whether making it again gives the same bytes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from evidence.build.kernels import run_folder
from evidence.build.provenance import NAME, hashes
from evidence.build.report import Progress, Request, _silent, build_report
from evidence.errors import BuildError
from evidence.parameters import Parameters
from evidence.scenarios import NAME as SCENARIO_NAME
from evidence.scenarios import Scenario

Present = Literal["changed", "missing", "extra"]
Again = Literal["differs when made again", "not made again", "new when made again"]
State = Present | Again

HASH = re.compile(r"[0-9a-f]{64}")
EPOCH = "SOURCE_DATE_EPOCH"
RENDERERS = ("quarto", "builtin")
FORMATS = ("html", "pdf")
# What decides a report, in the order of saying it: the part of the record, and how it is called.
SURROUNDINGS = {
    "data": "data",
    "notebooks": "notebook",
    "project": "file",
    "code": "engine",
    "parameters": "parameter",
    "packages": "package",
    "python": "Python",
    "platform": "platform",
    "commit": "commit",
}
# Names written out of one kind of difference; the others are counted.
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as it is recorded, and in which way."""

    file: str
    state: State

    def __str__(self) -> str:
        """Return the difference as one line."""
        return f"{self.state}: {self.file}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a report found.

    ``surroundings`` says in words what is other than when the report was made; nothing in it is an error.
    """

    files: int
    differences: tuple[Difference, ...]
    surroundings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What a report's ``provenance.json`` holds, checked as something that a stranger may have written."""

    scenario: Scenario
    renderer: Literal["quarto", "builtin"]
    formats: tuple[Literal["html", "pdf"], ...]
    files: Mapping[str, str]
    content: Mapping[str, Any]

    @property
    def epoch(self) -> str:
        """Return the ``SOURCE_DATE_EPOCH`` that the report was made with; empty without one."""
        return str(self.content.get("source_date_epoch") or "")


def verify_files(folder: Path) -> Verdict:
    """Compare the files of a report with the hashes in its record; nothing is made and no project is needed.

    Raises:
        BuildError: there is no record, or it is not one of a report.
    """
    files = _files(_content(folder))
    return Verdict(len(files), tuple(_present(files, hashes(folder))))


def verify(folder: Path, root: Path, *, jobs: int, timeout: int, progress: Progress = _silent) -> Verdict:
    """Make a report again in a temporary folder and compare every file, both as it is and as it is made.

    Args:
        folder: the report.
        root: the project to make it from.
        jobs: how many notebooks run at a time.
        timeout: how many seconds a cell may take.
        progress: is told of every finished step.

    Raises:
        BuildError: there is no record, or it is not one of a report.
        ParameterError: the record has parameters that this project does not know.
        EvidenceError: the report cannot be made here.
    """
    record = read_record(folder)
    found = list(_present(record.files, hashes(folder)))
    with _dated(record.epoch), run_folder() as place:
        how = (record.renderer, record.formats, jobs, True)
        request = Request(root, record.scenario, *how, timeout=timeout, elsewhere=place)
        fresh = build_report(request, progress)
        made = json.loads((fresh / NAME).read_text(encoding="utf-8"))
        found += _again(record.files, hashes(fresh))
    return Verdict(len(record.files), tuple(found), tuple(_surroundings(record.content, made)))


def read_record(folder: Path) -> Record:
    """Read the record of a report.

    Raises:
        BuildError: there is none, or it is not one of a report.
        ParameterError: it has parameters that this project does not know.
    """
    content = _content(folder)
    files, named = _files(content), _part(content, "scenario")
    renderer = _part(content, "renderer").get("name")
    formats = content.get("formats") or [kind for kind in FORMATS if any(one.endswith(kind) for one in files)]
    name, known = str(named.get("name")), isinstance(formats, list) and all(one in FORMATS for one in formats)
    if renderer not in RENDERERS or not known or not SCENARIO_NAME.fullmatch(name):
        raise _refused(folder / NAME, "its scenario, renderer or formats are none that there are")
    parameters = Parameters.parse(_part(content, "parameters"))
    scenario = Scenario(name, str(named.get("title")), str(named.get("reason")), parameters)
    return Record(scenario, renderer, tuple(formats), files, content)


def _content(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}; give the folder of a report that was built") from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, "it is not readable as JSON") from error
    if not isinstance(content, dict):
        raise _refused(path, "it holds no names and values")
    return content


def _part(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = content.get(name)
    if not isinstance(part, dict):
        raise _refused(Path(NAME), f"it has no {name}")
    return part


def _files(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the recorded hashes, refusing names that lead out of the report's folder."""
    files = _part(content, "files")
    for name, value in files.items():
        if not _is_inside(name) or not isinstance(value, str) or not HASH.fullmatch(value):
            raise _refused(Path(NAME), f"{name!r} is no file of a report with its SHA-256")
    return files


def _is_inside(name: str) -> bool:
    """Return whether a name stays below the folder that it is read in, on every system."""
    parts = PurePosixPath(name).parts
    plain = name == "/".join(parts) and ".." not in parts and "\\" not in name and "\0" not in name
    return bool(parts) and plain and not PureWindowsPath(name).anchor


def _refused(path: Path, why: str) -> BuildError:
    return BuildError(f"{path}: {why}; get the report again from where it was published")


def _present(files: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*files, *found}):
        if name not in found:
            yield Difference(name, "missing")
        elif name not in files:
            yield Difference(name, "extra")
        elif files[name] != found[name]:
            yield Difference(name, "changed")


_AGAIN: dict[State, Again] = {
    "changed": "differs when made again",
    "missing": "not made again",
    "extra": "new when made again",
}


def _again(files: Mapping[str, str], made: Mapping[str, str]) -> list[Difference]:
    return [Difference(one.file, _AGAIN[one.state]) for one in _present(files, made)]


def _surroundings(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Say what else is not as it was when the report was made: it explains files that differ."""
    for part, word in SURROUNDINGS.items():
        old, new = before.get(part), now.get(part)
        if part == "data" and isinstance(old, dict) and isinstance(new, dict):
            old, new = old.get("files"), new.get("files")
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _named(word, old, new)
        elif old != new and part in before:
            yield f"{word}: {old or 'none'} then, {new or 'none'} now"


def _named(word: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    for name in names[:SHOWN]:
        old, new = (str(one.get(name, "none"))[:12] for one in (before, now))
        yield f"{word} {name}: {old} then, {new} now"
    if len(names) > SHOWN:
        yield f"{word}: {len(names) - SHOWN} more differ"


@contextmanager
def _dated(epoch: str) -> Iterator[None]:
    """Make the report for the date that it was made for; without one, for none."""
    before = os.environ.pop(EPOCH, None)
    os.environ.update({EPOCH: epoch} if epoch else {})
    try:
        yield
    finally:
        os.environ.pop(EPOCH, None)
        os.environ.update({} if before is None else {EPOCH: before})
