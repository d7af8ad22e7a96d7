"""Typed frames: a validated sheet as a DataFrame, each column of its declared type."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.data.read import Sheet
from evidence.data.schema import Column


def make_frame(sheet: Sheet) -> pd.DataFrame:
    """Return a sheet without faults as a frame in declared column order.

    Text is ``str`` ("" where missing), whole numbers ``Int64`` (NA), other numbers ``float64`` (NaN),
    yes and no stay text in the first spelling declared for each.
    """
    return pd.DataFrame(
        {column.name: typed(column, sheet.columns[column.name]) for column in sheet.resource.columns},
        copy=False,
    )


def typed(column: Column, values: tuple[str, ...]) -> pd.api.extensions.ExtensionArray | np.ndarray:
    """Return the text of one column as an array of the declared type."""
    if column.type == "integer":
        return whole([int(value) if value else None for value in values])
    if column.type == "number":
        numbers = np.array([float(value) if value else np.nan for value in values], dtype="float64")
        return np.where(numbers > 1, numbers / 100, numbers) if column.percent_above_one else numbers
    if column.type == "boolean":
        return text([_yes_or_no(column, value) for value in values])
    return text(values)


def whole(values: list[int | None]) -> pd.arrays.IntegerArray:
    """Return whole numbers as a nullable array.

    >>> whole([7, None]).tolist()
    [7, <NA>]
    """
    missing = np.array([value is None for value in values], dtype=bool)
    return pd.arrays.IntegerArray(np.array([value or 0 for value in values], dtype="int64"), missing)


def optional(column: pd.Series) -> list[int | None]:
    """Return a column of whole numbers as a list, None where missing.

    >>> optional(pd.Series([7, None], dtype="Int64"))
    [7, None]
    """
    return [None if value is pd.NA else int(value) for value in column.tolist()]


def text(values: list[str] | tuple[str, ...]) -> pd.api.extensions.ExtensionArray:
    """Return text as a string array."""
    return pd.array(np.array(values, dtype=object), dtype="str")


def _yes_or_no(column: Column, value: str) -> str:
    if not value:
        return ""
    return column.true[0] if value in column.true else column.false[0]
