"""What a notebook reads, noted while it runs, and the fingerprint of each thing noted.

A read is a tuple of its kind and what it names:

- ``("rows", folder, table, study)``: the rows of one study in one table as they stand in its file; every row
  where ``study`` is None. Rows without a study are the study "".
- ``("counts", folder, outcome, study, evidence)``: the counts of one outcome in one study, in every study
  where that is None, as they are loaded with all that is derived, from the evidence that the options of
  ``data.load`` let in.
- ``("match", folder, column, values)``: which studies have one of ``values`` in a column of ``studies``.
- ``("columns", folder, table, names)``: some columns of all rows of a table as they stand in its file.
- ``("value", folder, function, evidence, arguments)``: what a function of the loaded dataset (its module and
  name) says for arguments, which are written as JSON; not the rows that it reads (``data.values``).
- ``("where", folder, table, conditions)``: the rows of a table, as they stand in its file, that have some
  values in some columns, which are written as JSON.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.errors import EvidenceError

PACKAGE = "datapackage.json"  # declares the tables of a data folder
Read = tuple[Any, ...]
Evidence = tuple[bool, bool, bool]
ABSENT = "absent"
OUTSIDE, MADE = "outside", "made"  # lines of the notes that are no reads
BEFORE = ".before"  # ends the name of what stands beside the notes
# What derived figures of these tables take from other tables of the same study, and from tables as a whole.
DERIVED_FROM = ("arms", "studies")
SHARED = ("sources", "outcomes")
# Results of building, and what every kernel loads, are no data of a notebook.
PASSED_OVER = frozenset({"_build", "_report", "_book", ".venv", ".git", "src", ".ipynb_checkpoints"})


@dataclass(frozen=True, slots=True)
class Made:
    """One call of a notebook that made what is shown: which call, what it made, and what it was made from.

    ``kept`` is the name under which ``memo`` holds what was made.
    """

    call: str
    kept: str
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """What a notebook read, what it made, and what its own lines read outside of what made something.

    Given the same code, and the same content of what was read ``outside``, a notebook makes the same calls.
    """

    reads: tuple[Read, ...] = ()
    made: tuple[Made, ...] = ()
    outside: frozenset[Read] = frozenset()


class _Notes:
    """The reads of this process, each written once as a line of JSON; nothing before ``begin``."""

    def __init__(self) -> None:
        self.handle: int | None = None
        self.root = ""
        self.quiet = 0
        self.places: dict[Read, int] = {}
        self.outside: set[int] = set()
        self.held: list[dict[Read, None]] = []
        self.making = False
        self.calls = 0
        self.before: dict[str, Made] = {}

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
            return
        if read not in self.places:
            self.places[read] = len(self.places)
            self.write(read)
        if not self.making and self.places[read] not in self.outside:
            self.outside.add(self.places[read])
            self.write([OUTSIDE, self.places[read]])

    def write(self, line: Sequence[Any]) -> None:
        """Write a line of the notes."""
        if self.handle is not None:
            os.write(self.handle, json.dumps(line).encode() + b"\n")


_NOTES = _Notes()


def begin(target: str, root: str) -> None:
    """Note from now on what this process reads of the project ``root``, in the file ``target``.

    Beside it may stand what an earlier run of the same notebook made (``tell_before``).
    """
    if _NOTES.handle is None:
        sys.addaudithook(_hear)
    _NOTES.handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _NOTES.root = os.path.realpath(root) + os.sep
    _NOTES.places.clear()
    _NOTES.outside.clear()
    _NOTES.calls = 0
    _NOTES.before = _made_before(Path(target + BEFORE))


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


@contextmanager
def making() -> Iterator[dict[Read, None]]:
    """Collect what making something reads; unless that fails it is no reading of the notebook's own lines."""
    with ExitStack() as own:
        found = own.enter_context(held())
        yield found
        _NOTES.making = True
        try:
            own.close()
        finally:
            _NOTES.making = False


def next_call(name: str) -> str:
    """Return the name of a call that the running notebook makes: its number, and what is called."""
    _NOTES.calls += 1
    return f"{_NOTES.calls} {name}"


def may_keep() -> bool:
    """Return whether what the caller makes is noted, by itself and not as a part of something else."""
    return _NOTES.handle is not None and not _NOTES.quiet and not _NOTES.held


def made_before(call: str) -> Made | None:
    """Return what a call of this name made in an earlier run, if it would make the same now."""
    return _NOTES.before.get(call)


def goes_astray() -> None:
    """Say that from now on the notebook may make other calls than it did before."""
    _NOTES.before = {}


def note_made(call: str, kept: str, reads: Iterable[Read]) -> None:
    """Note what a call made and what that was made from."""
    _NOTES.making = True
    try:
        note_again(reads := tuple(reads))
    finally:
        _NOTES.making = False
    _NOTES.write([MADE, call, kept, [_NOTES.places[read] for read in reads]])


def tell_before(target: Path, before: Iterable[Made]) -> None:
    """Leave beside the notes to come what an earlier run made that would be the same now."""
    told = [[made.call, made.kept, made.reads] for made in before]
    target.with_name(target.name + BEFORE).write_text(json.dumps(told), encoding="utf-8")


def _made_before(path: Path) -> dict[str, Made]:
    if not path.is_file():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    return {call: Made(call, kept, tuple(map(_as_read, reads))) for call, kept, reads in told}


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


def note_where(folder: Path, table: str, conditions: Mapping[str, Collection[str]]) -> None:
    """Note that the rows of a table were used that have some values in columns, as they stand in its file."""
    named = {column: sorted(values) for column, values in sorted(conditions.items())}
    _NOTES.add(("where", str(folder), table, json.dumps(named)))
    for name in SHARED:
        _NOTES.add(("rows", str(folder), name, None))


def note_value(folder: Path, function: str, evidence: Evidence, arguments: str) -> None:
    """Note that it was used what a function says of the dataset, and not what that follows from."""
    _NOTES.add(("value", str(folder), function, evidence, arguments))


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


def parse(lines: Iterable[str]) -> Noted:
    """Return what a notebook noted.

    Raises:
        ValueError: a line is no note.
    """
    reads: list[Read] = []
    made: list[Made] = []
    outside: set[Read] = set()
    for kind, *parts in map(json.loads, lines):
        if kind == OUTSIDE:
            outside.add(reads[parts[0]])
        elif kind == MADE:
            call, kept, places = parts
            made.append(Made(call, kept, tuple(reads[place] for place in places)))
        else:
            reads.append(_as_read([kind, *parts]))
    return Noted(tuple(reads), tuple(made), frozenset(outside))


# Both are set by ``evidence.data``, which alone knows how counts are loaded and datasets asked.
_COUNTED: list[Callable[[Path, Evidence], Mapping[tuple[str, str | None], str]]] = []


def counted_by(hashes: Callable[[Path, Evidence], Mapping[tuple[str, str | None], str]]) -> None:
    """Say how the counts of a folder, as they are loaded, are hashed by outcome and study."""
    _COUNTED[:] = [hashes]


Valued = Callable[[str, str], str]
_VALUED: list[Callable[[Path, Evidence], Valued]] = []


def valued_by(hashes: Callable[[Path, Evidence], Valued]) -> None:
    """Say how what a function says of a folder is hashed, by its name and its arguments."""
    _VALUED[:] = [hashes]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The present content of whatever can be read, hashed when first asked for; ``ABSENT`` where it is gone.

    Paths below ``root`` are written relative to it, so that a copied project keeps its results.
    """

    root: Path
    _found: dict[Read, str] = field(default_factory=dict)
    _tables: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _loaded: dict[tuple[str, Evidence], Mapping[tuple[str, str | None], str]] = field(default_factory=dict)
    _sheets: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    _asked: dict[tuple[str, Evidence], Valued] = field(default_factory=dict)

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

    def _value(self, folder: str, function: str, evidence: Evidence, arguments: str) -> str:
        key = (folder, evidence)
        if key not in self._asked:
            self._asked[key] = _VALUED[0](self.root / folder, evidence)
        return self._asked[key](function, arguments)

    def _match(self, folder: str, column: str, values: tuple[str, ...]) -> str:
        header, *rows = self._sheet(folder, "studies")
        wanted, study = header.index(column), header.index("study_id")
        return hashed(sorted(row[study] for row in rows if row[wanted] in values))

    def _columns(self, folder: str, table: str, names: tuple[str, ...]) -> str:
        header, *rows = self._sheet(folder, table)
        places = [header.index(name) for name in names]
        return hashed([[row[place] for place in places] for row in rows])

    def _where(self, folder: str, table: str, conditions: str) -> str:
        header, *rows = self._sheet(folder, table)
        wanted = [(header.index(name), set(values)) for name, values in json.loads(conditions).items()]
        return hashed([header, *(row for row in rows if all(row[place] in some for place, some in wanted))])

    def _sheet(self, folder: str, table: str) -> list[list[str]]:
        if (folder, table) not in self._sheets:
            self._sheets[folder, table] = self._parsed(folder, table)
        return self._sheets[folder, table]

    def _parsed(self, folder: str, table: str) -> list[list[str]]:
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
    "value": Fingerprints._value,
    "match": Fingerprints._match,
    "where": Fingerprints._where,
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
