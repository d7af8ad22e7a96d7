"""Every calculation that the second implementation also makes, held to its tolerance; the published table is these results."""

import csv
import importlib.util
import sys
from pathlib import Path

import pytest

import evidence.stats

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("accuracy", ROOT / "benchmarks" / "accuracy.py")
accuracy = importlib.util.module_from_spec(SPEC)
sys.modules["accuracy"] = accuracy
SPEC.loader.exec_module(accuracy)

SLOW = {"conditional_logistic"}
LIBM = 100  # another system's mathematics library moves a deviation of 1e-14 by this much at most


def published():
    with accuracy.CSV.open(encoding="utf-8", newline="") as file:
        return {row["what"]: row for row in csv.DictReader(file)}


CASES = [
    pytest.param(one, marks=[pytest.mark.slow] if one.function in SLOW else [], id=one.what)
    for one in accuracy.COMPARISONS
]


@pytest.mark.parametrize("comparison", CASES)
def test_results_are_those_of_the_second_implementation_and_the_published_table_says_how_nearly(comparison):
    pairs = list(comparison.pairs())
    worst = max(pairs, key=lambda pair: pair.deviation)
    assert worst.deviation < comparison.tolerance, worst
    assert len(pairs) >= comparison.fewest, "the pinned cases have become fewer"
    assert all(pair.floor > 0 for pair in pairs)
    said = published()[comparison.what]
    now = accuracy.result(comparison, pairs)
    same = ("function", "oracle", "version", "cases", "tolerance", "file")
    assert {name: said[name] for name in same} == {name: now[name] for name in same}
    largest = float(said["largest"])
    assert largest < comparison.tolerance
    assert largest >= worst.deviation / LIBM, "run python benchmarks/accuracy.py"


def test_the_published_table_has_a_row_for_every_comparison_and_no_other():
    assert list(published()) == [one.what for one in accuracy.COMPARISONS]


def test_every_named_function_is_public():
    named = {name for one in accuracy.COMPARISONS for name in one.function.split(", ")}
    assert named <= set(evidence.stats.__all__)


def test_a_wrong_number_is_seen():
    assert accuracy.Pair("one", 1.0 + 1e-6, 1.0, 1e-8).deviation == pytest.approx(1e-6)
    assert accuracy.Pair("none", float("nan"), 1.0, 1e-8).deviation == float("inf")
    assert accuracy.Pair("both", float("nan"), float("nan"), 1e-8).deviation == 0
    assert accuracy.Pair("small", 2e-12, 1e-12, 1e-8).deviation == pytest.approx(1e-4)
