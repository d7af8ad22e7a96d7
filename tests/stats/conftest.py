"""Reads the pinned results of the second implementation; runs nothing."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(__file__).parents[1] / "reference"


class Pinned:
    @staticmethod
    def rows(name: str) -> list[dict[str, str]]:
        with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(line for line in lines if not line.startswith("#")))

    @staticmethod
    def tree(name: str) -> dict[str, Any]:
        return json.loads((REFERENCE / name).read_text(encoding="utf-8"))

    @staticmethod
    def number(text: str) -> float:
        return float(text) if text else math.nan

    @staticmethod
    def deviation(ours: float, theirs: float, floor: float) -> float:
        """Relative deviation, absolute below ``floor``; both infinite or both NaN is none."""
        if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
            return 0.0
        gap = abs(ours - theirs) / max(abs(theirs), floor)
        return math.inf if math.isnan(gap) else gap


@pytest.fixture(scope="session")
def pinned() -> Pinned:
    return Pinned()
