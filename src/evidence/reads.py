"""What a notebook reads, noted while it runs, and the fingerprint of each thing noted.

A read is a tuple of its kind and what it names:

- ``("rows", folder, table, study)``: the rows of one study in one table as they stand in its file; every row
  where ``study`` is None. Rows without a study are the study "".
- ``("counts", folder, outcome, study, evidence)``: the counts of one outcome in one study, in every study
  where that is None, as they are loaded with all that is derived, from the evidence that the options of
  ``data.load`` let in.
- ``("match", folder, column, values)``: which studies have one of ``values`` in a column of ``studies``.
- ``("columns", folder, table, names)``: some columns of all rows of a table as they stand in its file.
- ``("file", path)`` and ``("list", path)``: the bytes of a file, the names in a folder.

Rows of files stand for rows of frames because nothing that loading derives crosses a study: recovered
counts take a row and the size of its arm (``data.recover``), sizes from several percentages those of one arm
and the size of its study (``data.joint``), complements the levels of one arm (``data.complement``), and
precedence compares printings of one result, whose key begins with its study (``data.precedence``). What rows
take from elsewhere is noted with them: tier and origin from ``sources``, the domain of an outcome from
``outcomes``, sizes from ``arms`` and ``studies``.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.errors import EvidenceError

PACKAGE = "datapackage.json"  # declares the tables of a data folder
Read = tuple[Any, ...]
Evidence = tuple[bool, bool, bool]
ABSENT = "absent"
# What derived figures of these tables take from other tables of the same study, and from tables as a whole.
DERIVED_FROM = ("arms", "studies")
SHARED = ("sources", "outcomes")
# Results of building, and what every kernel loads, are no data of a notebook.
PASSED_OVER = frozenset({"_build", "_report", "_book", ".venv", ".git", "src", ".ipynb_checkpoints"})


class _Notes:
    """The reads of this process, each written once as a line of JSON; nothing before ``begin``."""

    def __init__(self) -> None:
        self.handle: int | None = None
        self.root = ""
        self.quiet = 0
        self.seen: set[Read] = set()
        self.held: list[dict[Read, None]] = []

    @property
    def listens(self) -> bool:
        """Return whether a read would be noted."""
        return not self.quiet and (bool(self.held) or self.handle is not None)

    def add(self, read: Read) -> None:
        """Note one read, where anybody listens."""
        if not self.listens:
            return
        if self.held:
            self.held[-1][read] = None
        elif self.handle is not None and read not in self.seen:
            self.seen.add(read)
            os.write(self.handle, json.dumps(read).encode() + b"\n")


_NOTES = _Notes()


def begin(target: str, root: str) -> None:
    """Note from now on what this process reads of the project ``root``, in the file ``target``."""
    if _NOTES.handle is None:
        sys.addaudithook(_hear)
    _NOTES.handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _NOTES.root = os.path.realpath(root) + os.sep
    _NOTES.seen.clear()


@contextmanager
def unnoted() -> Iterator[None]:
    """Let the code inside read without a note; it notes itself what its caller gets to see."""
    _NOTES.quiet += 1
    try:
        yield
    finally:
        _NOTES.quiet -= 1


@contextmanager
def held() -> Iterator[dict[Read, None]]:
    """Collect what the code inside reads, whether or not it is noted here; it is noted at the end.

    Whoever keeps a result keeps this with it, for ``note_again`` wherever the result is used.
    """
    quiet, _NOTES.quiet = _NOTES.quiet, 0
    found: dict[Read, None] = {}
    _NOTES.held.append(found)
    try:
        yield found
    finally:
        _NOTES.held.pop()
        _NOTES.quiet = quiet
        note_again(found)


def note_again(reads: Iterable[Read]) -> None:
    """Note what a result that was kept had been computed from."""
    for read in reads:
        _NOTES.add(read)


def note_file(path: Path) -> None:
    """Note that the content of a file was used."""
    _NOTES.add(("file", os.path.realpath(path)))


def note_rows(folder: Path, table: str, studies: Collection[str] | None = None) -> None:
    """Note that rows of some studies were used, or the whole table, with all that they were derived from."""
    if not _NOTES.listens:
        return
    for name in dict.fromkeys((table, *DERIVED_FROM)):
        for study in (None,) if studies is None else studies:
            _NOTES.add(("rows", str(folder), name, study))
    for name in SHARED:
        _NOTES.add(("rows", str(folder), name, None))


def note_outcomes(
    folder: Path, outcomes: Collection[str], evidence: Evidence, studies: Collection[str] | None
) -> None:
    """Note that the counts of some outcomes in some studies were used, or in every study."""
    for outcome in sorted(outcomes):
        for study in (None,) if studies is None else sorted(studies):
            _NOTES.add(("counts", str(folder), outcome, study, evidence))


def note_match(folder: Path, column: str, values: Collection[str]) -> None:
    """Note that it was used which studies have one of some values in a column."""
    _NOTES.add(("match", str(folder), column, tuple(sorted(values))))


def note_columns(folder: Path, table: str, columns: Sequence[str]) -> None:
    """Note that some columns of a whole table were used, as they stand in its file."""
    _NOTES.add(("columns", str(folder), table, tuple(columns)))


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each file below the root that is opened for reading, and each folder that is listed."""
    if event == "open" and _NOTES.handle is not None and not _NOTES.quiet:
        _note_path("file", arguments[0], reading=_is_reading(*arguments[1:3]))
    elif event in ("os.scandir", "os.listdir") and not _NOTES.quiet:
        _note_path("list", arguments[0], reading=True)


def _is_reading(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "r" in mode or "+" in mode
    return not isinstance(flags, int) or flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY


def _note_path(kind: str, given: Any, *, reading: bool) -> None:
    if not reading or not isinstance(given, str | bytes | os.PathLike):
        return
    path = os.path.realpath(os.fsdecode(given))
    if not path.startswith(_NOTES.root):
        return
    parts = path.removeprefix(_NOTES.root).split(os.sep)
    if parts[0] in PASSED_OVER:
        return
    _NOTES.add((kind, importlib.util.source_from_cache(path) if "__pycache__" in parts[-2:-1] else path))


def parse(line: str) -> Read:
    """Return one read as it was noted.

    Raises:
        ValueError: the line is no note.
    """
    return _as_read(json.loads(line))


# Set by ``evidence.data``, which alone knows how counts are loaded.
_COUNTED: list[Callable[[Path, Evidence], Mapping[tuple[str, str | None], str]]] = []


def counted_by(hashes: Callable[[Path, Evidence], Mapping[tuple[str, str | None], str]]) -> None:
    """Say how the counts of a folder, as they are loaded, are hashed by outcome and study."""
    _COUNTED[:] = [hashes]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The present content of whatever can be read, hashed when first asked for; ``ABSENT`` where it is gone.

    Paths below ``root`` are written relative to it, so that a copied project keeps its results.
    """

    root: Path
    _found: dict[Read, str] = field(default_factory=dict)
    _tables: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _loaded: dict[tuple[str, Evidence], Mapping[tuple[str, str | None], str]] = field(default_factory=dict)

    def of(self, read: Read) -> str:
        """Return the fingerprint of one read."""
        if read not in self._found:
            try:
                self._found[read] = KINDS[read[0]](self, *read[1:])
            except (OSError, KeyError, ValueError, csv.Error, EvidenceError):
                self._found[read] = ABSENT
        return self._found[read]

    def relative(self, read: Read) -> Read:
        """Return a read with its path relative to the root, where it is below it."""
        path = Path(str(read[1]))
        inside = path.is_absolute() and path.is_relative_to(self.root)
        return (read[0], path.relative_to(self.root).as_posix(), *read[2:]) if inside else read

    def _rows(self, folder: str, table: str, study: str | None) -> str:
        key = (folder, table)
        if key not in self._tables:
            self._tables[key] = _hashes(self._sheet(folder, table))
        return self._tables[key].get("*" if study is None else f"={study}", ABSENT)

    def _counts(self, folder: str, outcome: str, study: str | None, evidence: Evidence) -> str:
        key = (folder, evidence)
        if key not in self._loaded:
            self._loaded[key] = _COUNTED[0](self.root / folder, evidence)
        return self._loaded[key].get((outcome, study), ABSENT)

    def _match(self, folder: str, column: str, values: tuple[str, ...]) -> str:
        header, *rows = self._sheet(folder, "studies")
        wanted, study = header.index(column), header.index("study_id")
        return hashed(sorted(row[study] for row in rows if row[wanted] in values))

    def _columns(self, folder: str, table: str, names: tuple[str, ...]) -> str:
        header, *rows = self._sheet(folder, table)
        places = [header.index(name) for name in names]
        return hashed([[row[place] for place in places] for row in rows])

    def _sheet(self, folder: str, table: str) -> list[list[str]]:
        place = self.root / folder
        package = json.loads((place / PACKAGE).read_bytes())
        path = next(item["path"] for item in package["resources"] if item["name"] == table)
        text = (place / path).read_bytes().decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline="")) if row]

    def _file(self, path: str) -> str:
        return hashlib.sha256((self.root / path).read_bytes()).hexdigest()

    def _list(self, path: str) -> str:
        return hashed(
            sorted(name for name in os.listdir(self.root / path) if not name.startswith((".", "_")))
        )


KINDS: dict[str, Any] = {
    "rows": Fingerprints._rows,
    "counts": Fingerprints._counts,
    "match": Fingerprints._match,
    "columns": Fingerprints._columns,
    "file": Fingerprints._file,
    "list": Fingerprints._list,
}


def _hashes(sheet: list[list[str]]) -> dict[str, str]:
    """Return the hash of a table as a whole (``*``) and of each study's rows under its header (``=id``)."""
    header, *rows = sheet
    found = {"*": hashed(sheet)}
    if "study_id" in header:
        place = header.index("study_id")
        groups: dict[str, list[list[str]]] = {}
        for row in rows:
            groups.setdefault(row[place], []).append(row)
        found |= {f"={study}": hashed([header, *group]) for study, group in groups.items()}
    return found


def hashed(value: Any) -> str:
    """Return one hash over nested lists and texts."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def listed(reads: Mapping[Read, str]) -> list[Any]:
    """Return reads with their fingerprints as JSON holds them."""
    return [[list(read), value] for read, value in reads.items()]


def unlisted(found: Iterable[Any]) -> dict[Read, str]:
    """Return reads with their fingerprints out of JSON."""
    return {_as_read(read): value for read, value in found}


def _as_read(parts: Iterable[Any]) -> Read:
    return tuple(tuple(part) if isinstance(part, list) else part for part in parts)
