"""Values that a notebook depends on instead of all the rows that they are computed from.

Such a value follows from the tables of a dataset and from plain arguments alone. Where it is asked of a
dataset as it was loaded, the question is noted (``evidence.reads``) and not what answering it reads: whether
it has the same answer now is then found by asking again, of the data as they are.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache, update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
import pandas as pd

from evidence.data.content import content_of, loaded_as
from evidence.data.dataset import Dataset
from evidence.data.fingerprints import loaded
from evidence.memo import kept, repeated
from evidence.parameters import Parameters
from evidence.reads import Evidence, hashed, note_value, unnoted, valued_by

Given = ParamSpec("Given")
Value = TypeVar("Value")
Asked = Callable[Concatenate[Any, Given], Value]
PARAMETERS = "parameters"
_functions: dict[str, Callable[..., Any]] = {}


def by_value(function: Asked[Given, Value]) -> Asked[Given, Value]:
    """Return a function of a dataset of whose answer is noted what it is, and not what it was computed from.

    The answer is made of texts, numbers, lists, sets, mappings and dataclasses, depends on neither ``digest``
    nor ``warnings``, and is not changed by whoever gets it. The arguments are plain, or parameters.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    _functions[name] = function

    def told(data: Any, *given: Given.args, **named: Given.kwargs) -> Value:
        if not isinstance(data, Dataset) or not _is_whole(data):
            return function(data, *given, **named)
        found: Value = _told(data, name, json.dumps([[_written(one) for one in given], _each(named)]))
        return found

    return cast(Asked[Given, Value], update_wrapper(told, function))


@lru_cache(maxsize=16)
def _is_whole(data: Dataset) -> bool:
    whole = loaded_as(data)
    return whole is data or (whole is not None and content_of(whole) == content_of(data))


@repeated(256)
def _told(data: Dataset, name: str, asked: str) -> Any:
    path, taken = (object.__getattribute__(data, one) for one in ("path", "_taken"))
    with unnoted():
        found = kept("value", lambda: (content_of(data), name, asked), lambda: _asked(data, name, asked))
    note_value(path, name, taken, asked)
    return found


def _asked(data: Dataset, name: str, asked: str) -> Any:
    given, named = json.loads(asked)
    return _functions[name](data, *map(_read, given), **{key: _read(one) for key, one in named.items()})


def _each(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _written(one) for name, one in named.items()}


def _written(one: Any) -> Any:
    return {PARAMETERS: one.changed()} if isinstance(one, Parameters) else one


def _read(one: Any) -> Any:
    return Parameters(**one[PARAMETERS]) if isinstance(one, dict) else one


def hashes_of_values(folder: Path, evidence: Evidence) -> Callable[[str, str], str]:
    """Return what hashes the answers that a folder gives now, by the name of a function and its arguments.

    Raises:
        DataError: as ``load``.
    """
    data = loaded(folder, evidence)

    def told(name: str, asked: str) -> str:
        try:
            importlib.import_module(name.partition(":")[0])
            return hashed(_plain(_told(data, name, asked)))
        except Exception:  # nothing is known of the answer, which may then be another with any other data
            return hashed(content_of(data))

    return told


def _plain(value: Any) -> Any:
    """Return a value as nested lists and texts; equal ones are equal values.

    Raises:
        TypeError: it holds something else.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_plain(getattr(value, one.name)) for one in fields(value))]
    if isinstance(value, dict):
        return ["dict", *([_plain(key), _plain(one)] for key, one in value.items())]
    if isinstance(value, set | frozenset):
        return ["set", *sorted(map(str, value))]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or value is pd.NA or isinstance(value, str | int | float | np.generic):
        return repr(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


valued_by(hashes_of_values)
