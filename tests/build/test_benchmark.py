"""The benchmark of building: which rows it changes, and that it changes nothing else."""

import importlib.util
import random
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import evidence
from evidence.data.folder import digest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_building", ROOT / "benchmarks" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_rows_are_drawn_from_every_table_with_studies(bench: ModuleType):
    found = bench.places(ROOT)
    tables = {path.stem: pd.read_csv(path, dtype=str) for path in (ROOT / "data").glob("*.csv")}
    wanted = {
        name: int(frame["study_id"].notna().sum())
        for name, frame in tables.items()
        if "study_id" in frame and set(bench.WORDS) & set(frame)
    }
    assert {name: sum(one.table == name for one in found) for name in wanted} == wanted
    assert len(found) == sum(wanted.values())
    drawn = random.Random(bench.SEED).sample(found, bench.DRAWN)
    assert len(set(drawn)) == bench.DRAWN


def test_a_changed_row_differs_in_its_words_alone(bench: ModuleType, tmp_path: Path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    for place in random.Random(1).sample(bench.places(ROOT), 5):
        path = tmp_path / "data" / f"{place.table}.csv"
        before = bench._dicts(path)
        bench.change(tmp_path, place)
        after = bench._dicts(path)
        assert [number for number, row in enumerate(after) if row != before[number]] == [place.line]
        row, was = after[place.line], before[place.line]
        (name,) = (name for name in row if row[name] != was[name])
        assert name in bench.WORDS
        assert row[name].endswith("corrected")
    assert evidence.load(tmp_path / "data").digest != digest(ROOT / "data")  # sound still, and another
