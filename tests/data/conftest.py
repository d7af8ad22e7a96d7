"""A small data folder of generic studies, written row by row."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evidence.data import Dataset, load
from evidence.errors import DataError, Fault

PACKAGE = Path(__file__).parents[2] / "data" / "datapackage.json"


def fields_of(table: str, package: Path = PACKAGE) -> list[dict[str, Any]]:
    resources = json.loads(package.read_text(encoding="utf-8"))["resources"]
    return next(one["schema"]["fields"] for one in resources if one["name"] == table)


def tables() -> list[str]:
    return [one["name"] for one in json.loads(PACKAGE.read_text(encoding="utf-8"))["resources"]]


@dataclass
class Folder:
    """Rows by table; ``write`` puts them down with the fixed columns and whichever others a row names."""

    path: Path
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def add(self, table: str, **values: str | int | float) -> str:
        rows = self.rows.setdefault(table, [])
        row = {name: str(value) for name, value in (DEFAULTS.get(table, {}) | values).items()}
        names = [one["name"] for one in fields_of(table)]
        if "row_id" in names:
            row = {"row_id": f"{table}-{len(rows) + 1:03}", "source_id": "paper", "locator": "Table 1"} | row
        rows.append(row)
        return row.get("row_id", "")

    def count(self, outcome: str = "response", **values: str | int | float) -> str:
        return self.add("counts", **({"outcome_id": outcome} | values))

    def header(self, table: str) -> list[str]:
        named = {name for row in self.rows.get(table, []) for name in row}
        fixed = [one["name"] for one in fields_of(table) if "default" not in one or one["name"] in named]
        return fixed + sorted(named - set(fixed))

    def write(self) -> Path:
        self.path.mkdir(exist_ok=True)
        (self.path / "datapackage.json").write_bytes(PACKAGE.read_bytes())
        for table in tables():
            with (self.path / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, self.header(table), restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows.get(table, []))
        return self.path

    def load(self) -> Dataset:
        return load(self.write())

    def faults(self) -> tuple[Fault, ...]:
        return faults_in(self.write())


DEFAULTS: dict[str, dict[str, str | int | float]] = {
    "sources": {"source_id": "paper", "citekey": "paper2020", "title": "A paper", "tier": "primary"},
    "studies": {"study_id": "alpha", "label": "Study Alpha", "origin": "seed"},
    "arms": {"study_id": "alpha", "arm_id": "new", "label": "New drug", "n": 32},
    "outcomes": {"label": "Outcome", "domain": "efficacy", "type": "binary"},
    "counts": {"study_id": "alpha", "arm_id": "new", "analysis_set": "treated", "basis": "printed"},
    "measurements": {
        "study_id": "alpha",
        "arm_id": "new",
        "outcome_id": "age",
        "analysis_set": "treated",
        "statistic": "median",
        "basis": "printed",
    },
    "tests": {"study_id": "alpha", "outcome_id": "response", "analysis_set": "treated", "arms": "new|old"},
    "claims": {"study_id": "alpha", "kind": "rate", "paraphrase": "It works"},
}


def faults_in(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value.faults


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """One paper on one study of two arms, three outcomes and no result yet."""
    made = Folder(tmp_path / "data")
    made.add("sources")
    made.add("studies")
    made.add("arms")
    made.add("arms", arm_id="old", label="Old drug", n=96)
    made.add("outcomes", outcome_id="response", label="Response")
    made.add("outcomes", outcome_id="age", domain="baseline", type="continuous")
    made.add("outcomes", outcome_id="severity", domain="baseline", type="categorical")
    return made
