"""What a dataset holds as one hash, so that results computed from equal data can be found again."""

from __future__ import annotations

import hashlib
import marshal
from collections import OrderedDict
from functools import lru_cache
from typing import Any

import pandas as pd

from evidence.data.dataset import OWN, TABLES, Dataset

# Of this version, equal values have equal bytes, wherever they came from; none is shared or interned.
PLAIN = 2
MOST = 64  # tables whose hashes stay in this process; a table of a dataset is never changed in place
_known: OrderedDict[int, tuple[pd.DataFrame, str]] = OrderedDict()
_parts: OrderedDict[int, tuple[pd.DataFrame, dict[str, str]]] = OrderedDict()
# Datasets as they were loaded in this process, to tell what of another one is still as it was loaded.
MOST_WHOLE = 8
_whole: OrderedDict[tuple[object, ...], Dataset] = OrderedDict()


def content_of(data: Dataset) -> str:
    """Return a hash of every table, row by row, and of how far the dataset was narrowed.

    It does not depend on ``digest`` and ``warnings``: whoever uses it must not either.
    """
    total = hashlib.sha256()
    own = {name: object.__getattribute__(data, name) for name in (*TABLES, *OWN)}
    narrowed = [None if own[name] is None else sorted(own[name]) for name in ("_scope", "_outcomes")]
    total.update(repr((str(own["path"]), own["_taken"], narrowed)).encode())
    for name, frame in ({one: own[one] for one in TABLES} | dict(own["extra"])).items():
        total.update(f"\0{name}\0{_of_frame(frame)}".encode())
    return total.hexdigest()


def _of_frame(frame: pd.DataFrame) -> str:
    """Return a hash of a table, kept for all datasets that share the table."""
    if id(frame) in _known:
        return _known[id(frame)][1]
    total = hashlib.sha256(f"{frame.shape}".encode())
    total.update(_plain(frame.index))
    for column, values in frame.items():
        total.update(f"\0{column}\0{values.dtype}\0".encode())
        total.update(_plain(values))
    _known[id(frame)] = frame, total.hexdigest()
    while len(_known) > MOST:
        _known.popitem(last=False)
    return total.hexdigest()


@lru_cache(maxsize=16)
def as_loaded(data: Dataset) -> dict[str, str]:
    """Return, by study, a hash of its rows, for those studies that a dataset holds as they were loaded.

    Nothing where this process did not load the dataset from its folder, as it stood then, and still know it.
    """
    whole = loaded_as(data)
    if whole is None:
        return {}
    own, before = contents_by_study(data), contents_by_study(whole)
    return {study: found for study, found in own.items() if before.get(study) == found}


def loaded_as(data: Dataset) -> Dataset | None:
    """Return the dataset that one was made from, as this process loaded it; None where it did not."""
    return _whole.get(_loaded_from(data))


def remembered(data: Dataset) -> Dataset:
    """Return a dataset that was just loaded, and remember it for ``loaded_as``."""
    _whole[_loaded_from(data)] = data
    _whole.move_to_end(_loaded_from(data))
    while len(_whole) > MOST_WHOLE:
        _whole.popitem(last=False)
    return data


def _loaded_from(data: Dataset) -> tuple[object, ...]:
    return tuple(object.__getattribute__(data, name) for name in ("path", "digest", "_taken"))


def contents_by_study(data: Dataset) -> dict[str, str]:
    """Return for each study a hash of its rows in every table, and of all rows that belong to no study."""
    own = {name: object.__getattribute__(data, name) for name in TABLES}
    shared, rows = hashlib.sha256(), dict[str, Any]()
    for name, frame in (own | dict(object.__getattribute__(data, "extra"))).items():
        for study, found in _by_study(frame).items():
            total = rows.setdefault(study, hashlib.sha256()) if study else shared
            total.update(f"\0{name}\0{found}".encode())
    rest = shared.digest()
    for total in rows.values():
        total.update(rest)
    return {study: total.hexdigest() for study, total in rows.items()}


def _by_study(frame: pd.DataFrame) -> dict[str, str]:
    """Return a hash of each study's rows, and under no name of those of none."""
    if "study_id" not in frame:
        return {"": _of_frame(frame)}
    if id(frame) not in _parts:
        head = repr([(name, str(values.dtype)) for name, values in frame.items()])
        groups: dict[str, list[tuple[Any, ...]]] = {}
        columns = (values.to_numpy(dtype=object).tolist() for _, values in frame.items())
        for study, row in zip(frame["study_id"].tolist(), zip(*columns, strict=True), strict=True):
            groups.setdefault(str(study), []).append(tuple(None if one is pd.NA else one for one in row))
        found = {
            study: hashlib.sha256(head.encode() + marshal.dumps(rows, PLAIN)).hexdigest()
            for study, rows in groups.items()
        }
        _parts[id(frame)] = frame, found
        while len(_parts) > MOST:
            _parts.popitem(last=False)
    return _parts[id(frame)][1]


def _plain(values: pd.Series | pd.Index) -> bytes:
    if isinstance(values, pd.RangeIndex):
        return repr((values.start, values.stop, values.step)).encode()
    found: list[Any] = values.to_numpy(dtype=object).tolist()
    try:
        return marshal.dumps(found, PLAIN)
    except ValueError:
        return marshal.dumps([None if one is pd.NA else one for one in found], PLAIN)
