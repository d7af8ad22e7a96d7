"""Whatever a public statistic is given, it returns a result without silent NaN, or raises a typed error."""

from __future__ import annotations

import inspect
import math
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from outcome import CASES, infinities, nans, outcome
from strategies import TARGETS, Target

from evidence import stats

FUNCTIONS = sorted(name for name in stats.__all__ if inspect.isfunction(getattr(stats, name)))
# Found by longer runs, and tried first in every run since.
FOUND: dict[str, list[tuple[list[Any], dict[str, Any]]]] = {
    "chi_square_p": [([0.0, 5e-324], {}), ([5e-324, 5e-324], {})],
    "compare": [
        ([0, 1, 0, 10**15], {"measure": "RD", "method": "miettinen-nurminen"}),
        ([10**5000, 3, 1, 3], {}),
    ],
    "network": [
        (
            [
                pd.DataFrame(
                    {"study": ["s"], "treatment1": ["a"], "treatment0": ["b"], "y": [0.0], "v": [1.0]}
                )
            ],
            {"reference": "a", "measure": "RR", "level": Fraction(1, 3)},
        )
    ],
    "tarone": [([[[[0, 10**6], [10**6, 0]], [[1, 0], [10**12, 1]], [[1, 1], [1, 0]]]], {})],
    "mantel_haenszel": [([[[[0, 10**15], [1, 10**15]], [[1, 0], [10**15, 1]]]], {})],
    "pool_comparisons": [([[(0, 1, 1, 1), (0, 1, 1, 1)]], {"level": 1 - 1e-9})],
}
LEVELS = ("level", "alpha")
TABLES = ("frame", "effects", "league")  # what a result makes of itself must not fail either
SLACK = 1e-9  # rounding of limits that touch their estimate


def test_every_public_statistic_is_fuzzed():
    assert sorted(TARGETS) == FUNCTIONS


def in_order(result: Any) -> bool:
    """Return whether an estimate lies within its limits, and a P value between 0 and 1."""
    if isinstance(result, tuple):
        return all(map(in_order, result))
    if not is_dataclass(result):
        return True
    held = {one.name: getattr(result, one.name) for one in fields(result)}
    scalars = {
        name: value for name, value in held.items() if isinstance(value, float) and not math.isnan(value)
    }
    p = scalars.get("p", 0.5)
    low, middle, high = (scalars.get(name, math.nan) for name in ("low", "estimate", "high"))
    slack = SLACK * max(1.0, abs(middle)) if math.isfinite(middle) else 0.0
    nested = all(in_order(value) for value in held.values() if is_dataclass(value))
    return 0 <= p <= 1 + SLACK and not (low > middle + slack or high < middle - slack) and nested


def check(name: str, case: Target, given_: tuple[list[Any], dict[str, Any]], tally: str = "stats") -> None:
    positional, named = given_
    result = outcome(f"{tally}.{name}", lambda: getattr(stats, name)(*positional, **named))
    if result is None:
        return
    assert {type(getattr(result, one)) for one in LEVELS if hasattr(result, one)} <= {float}
    for table in TABLES:
        if callable(made := getattr(result, table, None)):
            made()
    assert nans(result) <= case.nan, f"silent NaN in {nans(result) - case.nan}"
    assert infinities(result) <= case.inf, f"infinite {infinities(result) - case.inf}"
    if name != "number_needed":
        assert in_order(result), "the estimate is outside its limits, or P outside 0 to 1"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_statistic_gives_a_result_or_a_typed_error(name: str):
    case = TARGETS[name]

    @settings(settings.get_profile("fuzz"), max_examples=max(CASES // 10, 5) if case.dear else CASES)
    @given(case.calls)
    def run(arguments: tuple[list[Any], dict[str, Any]]) -> None:
        check(name, case, arguments)

    for arguments in FOUND.get(name, ()):
        run = example(arguments)(run)
    run()
