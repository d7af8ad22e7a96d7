"""How a treatment is named where treatments are compared: its node, with the dose where doses stand apart."""

from __future__ import annotations

from typing import Any

import pandas as pd


def treatment_name(node: str, dose: Any, unit: Any) -> str:
    """Return a node with its dose; a dose with and without "a day" is one treatment.

    >>> treatment_name("drug", 2.5, "mg/day"), treatment_name("placebo", float("nan"), "")
    ('drug 2.5 mg', 'placebo')
    """
    if not node or pd.isna(dose):
        return node
    return f"{node} {dose:g} {str(unit).removesuffix('/day')}".strip()


def treatments_of(arms: pd.DataFrame) -> set[str]:
    """Return every name that arms give a treatment, with its dose and without."""
    columns = (arms[name].tolist() for name in ("node", "dose_value", "dose_unit"))
    rows = [(str(node), dose, unit) for node, dose, unit in zip(*columns, strict=True) if node]
    return {node for node, _, _ in rows} | {treatment_name(*row) for row in rows}
