"""What a dataset holds as one hash, so that results computed from equal data can be found again."""

from __future__ import annotations

import hashlib
import marshal
from collections import OrderedDict
from typing import Any

import pandas as pd

from evidence.data.dataset import OWN, TABLES, Dataset

# Of this version, equal values have equal bytes, wherever they came from; none is shared or interned.
PLAIN = 2
MOST = 64  # tables whose hashes stay in this process; a table of a dataset is never changed in place
_known: OrderedDict[int, tuple[pd.DataFrame, str]] = OrderedDict()


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


def _plain(values: pd.Series | pd.Index) -> bytes:
    if isinstance(values, pd.RangeIndex):
        return repr((values.start, values.stop, values.step)).encode()
    found: list[Any] = values.to_numpy(dtype=object).tolist()
    try:
        return marshal.dumps(found, PLAIN)
    except ValueError:
        return marshal.dumps([None if one is pd.NA else one for one in found], PLAIN)
