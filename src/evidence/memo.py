"""Results of pure computations, kept in this process and, while a report is built, on disk for its kernels.

Nothing is kept on disk unless the environment names a folder (``FOLDER``); building names one below
``_build/.cache`` whose name stands for the engine and the environment (``build.remembering``). A result is
found by the content of everything that it was computed from. A file that is damaged, or cannot be read or
written, is as good as none: then the result is computed. These files are as much a part of the project as its
notebooks: whoever can write them can run code in it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from evidence.reads import Read, held, note_again

FOLDER = "EVIDENCE_MEMO"
OFF = "off"
ENDING = ".kept"
SIZE = hashlib.sha256().digest_size

Value = TypeVar("Value")
Given = ParamSpec("Given")


def kept(name: str, key: Callable[[], Iterable[object]], make: Callable[[], Value]) -> Value:
    """Return what ``make`` makes, from the disk where an earlier call under the same key has left it there.

    Args:
        name: of the computation.
        key: gives the plain values that the result depends on, asked for only where something is kept.
        make: computes the result, and reads nothing that is noted (``evidence.reads``).
    """
    folder = _folder()
    if folder is None:
        return make()
    named = hashlib.sha256("\0".join([name, *map(repr, key())]).encode()).hexdigest()
    place = folder / f"{name}-{named}{ENDING}"
    found: list[Value] = _read(place)
    if not found:
        found = [make()]
        _write(place, found)
    return found[0]


def put(name: str, value: object) -> str:
    """Leave a value on the disk, where anything is kept, and return what it is called there."""
    content = pickle.dumps(value, protocol=5)
    called = f"{name}-{hashlib.sha256(content).hexdigest()}"
    if (folder := _folder()) is not None:
        _write(folder / f"{called}{ENDING}", [value])
    return called


def get(called: str) -> list[Any]:
    """Return what ``put`` left, alone in a list, by what it was called; nothing where it is not kept."""
    folder = _folder()
    return [] if folder is None else _read(folder / f"{called}{ENDING}")


def keeps() -> bool:
    """Return whether results are kept on disk."""
    return _folder() is not None


def _folder() -> Path | None:
    folder = os.environ.get(FOLDER, OFF)
    return None if folder in ("", OFF) else Path(folder)


def recalled(
    most: int, key: Callable[Given, Iterable[object]]
) -> Callable[[Callable[Given, Value]], Callable[Given, Value]]:
    """Return a decorator for a pure function of hashable arguments, asked the same again and again.

    What the function reads is noted each time as if it were computed again. The last ``most`` results stay in
    this process, found by the arguments themselves; on disk they are found by what ``key`` says of them.
    """

    def decorate(function: Callable[Given, Value]) -> Callable[Given, Value]:
        noted = _with_reads(function)

        def found(*arguments: Given.args, **named: Given.kwargs) -> tuple[Value, tuple[Read, ...]]:
            return kept(
                function.__name__, lambda: key(*arguments, **named), lambda: noted(*arguments, **named)
            )

        return wraps(function)(_last(most, found))

    return decorate


def repeated(most: int) -> Callable[[Callable[Given, Value]], Callable[Given, Value]]:
    """Return a decorator as ``recalled`` does, for what is kept in this process and not on disk."""
    return lambda function: wraps(function)(_last(most, _with_reads(function)))


def _with_reads(function: Callable[Given, Value]) -> Callable[Given, tuple[Value, tuple[Read, ...]]]:
    """Return a function that gives beside the result what it was computed from."""

    def computed(*arguments: Given.args, **named: Given.kwargs) -> tuple[Value, tuple[Read, ...]]:
        with held() as notes:
            return function(*arguments, **named), tuple(notes)

    return computed


def _last(most: int, find: Callable[Given, tuple[Value, tuple[Read, ...]]]) -> Callable[Given, Value]:
    """Return a function that keeps the last results, and notes each time what they were computed from."""
    known: OrderedDict[Hashable, tuple[Value, tuple[Read, ...]]] = OrderedDict()

    def again(*arguments: Given.args, **named: Given.kwargs) -> Value:
        asked = (arguments, tuple(named.items()))
        found = known.get(asked) or find(*arguments, **named)
        known[asked] = found
        known.move_to_end(asked)
        while len(known) > most:
            known.popitem(last=False)
        note_again(found[1])
        return found[0]

    return again


def _read(place: Path) -> list[Value]:
    """Return the one kept result, or nothing."""
    try:
        content = place.read_bytes()
        if hashlib.sha256(content[SIZE:]).digest() != content[:SIZE]:
            return []
        found: list[Value] = pickle.loads(content[SIZE:])  # noqa: S301
    except Exception:  # whatever a file of another time may hold
        return []
    with suppress(OSError):
        os.utime(place)  # what is used stays longest
    return found


def _write(place: Path, found: list[Value]) -> None:
    """Write a result in one step; two that write the same at once write the same bytes."""
    part = ""
    try:
        content = pickle.dumps(found, protocol=5)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(part).replace(place)
    except (OSError, pickle.PicklingError, TypeError, AttributeError, RecursionError):
        if part:
            Path(part).unlink(missing_ok=True)
