"""A printed test done again, from whatever a document may print: a finding with its reason, or a typed error."""

from __future__ import annotations

import inspect
import math
import sys
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from outcome import ROOT, infinities, nans, outcome
from strategies import tables
from values import calls

from evidence.audit import recompute as again
from evidence.audit.recompute import Figures, Recomputed
from evidence.data.frame import make_frame
from evidence.data.read import Sheet
from evidence.data.schema import read_schema

MODULE = sys.modules["evidence.audit.recompute"]  # the package gives its name to the function
FUNCTIONS = sorted(
    name
    for name, one in inspect.getmembers(MODULE, inspect.isfunction)
    if one.__module__ == MODULE.__name__ and not name.startswith("_")
)
RESOURCES = {resource.name: resource for resource in read_schema(ROOT / "data").resources}
COLUMNS = {(table, column.name): column for table, one in RESOURCES.items() for column in one.columns}
REQUIRED = {"row_id": "r", "source_id": "d", "locator": "Table 1", "study_id": "s", "analysis_set": "randomised",
            "outcome_id": "o", "basis": "printed", "label": "L", "role": "active", "statistic": "mean", "arm_id": "a"}  # fmt: skip

printed = st.one_of(
    st.sampled_from(["", "", "0", "-0", "0.0", "1", ".041", "NS", "<0.001", ">0.99", "~3", "−0.5", "≥ 2", "1e-5", "1e400", "1e-400",
                     "not reached", "not estimable", "9" * 40, "0." + "0" * 400 + "1", "0.05000"]),
    st.integers(-20, 400).map(str),
    st.decimals(-50, 50, places=2).map(str),
    st.decimals(0, 1, places=3).map(str),
)  # fmt: skip
tame = st.decimals(-50, 50, places=2).map(str), st.decimals("0.1", 20, places=1).map(str)
patients = st.integers(2, 80).map(str)
size = st.one_of(st.sampled_from(["", "0", "1", "10000000"]), patients)
words = st.sampled_from(["", "Fisher's exact", "χ²", "ANOVA", "Welch t", "Wald", "log-rank", "YATES (?"])
measures = st.sampled_from(["", "OR", " odds ratio", "RR", "RD", "HR", "mean difference"])


@dataclass(frozen=True, slots=True)
class Printed:
    """The tables of an invented document, and one of its tests."""

    test: dict[str, Any]
    counts: pd.DataFrame
    measurements: pd.DataFrame
    arms: pd.DataFrame

    @property
    def figures(self) -> Figures:
        """Return the rows of the result as the audit hands them on."""
        sizes = dict(zip(self.arms["arm_id"], self.arms["n"], strict=True))
        return Figures(list(self.counts.itertuples()), list(self.measurements.itertuples()), sizes)


def sheet(table: str, rows: list[dict[str, str]]) -> pd.DataFrame:
    """Return rows as the frame that the engine makes of them; what they do not say is empty."""
    names = [column.name for column in RESOURCES[table].columns]
    filled = [{**dict.fromkeys(names, ""), **REQUIRED, **row} for row in rows]
    columns = {name: tuple(row[name] for row in filled) for name in names}
    return make_frame(Sheet(RESOURCES[table], "", (), columns, complete=True, faults=()))


@st.composite
def documents(draw: Any) -> Printed:
    arms = draw(st.sampled_from(["ab", "ab", "ab", "abc", "abcd"]))
    same = draw(st.sampled_from([True] * 7 + [False]))
    whole = draw(st.sampled_from([True, True, True, False]))
    kind = draw(st.sampled_from(["counts", "classes", "means", "both"]))
    common = {"subgroup": "", "level": "", "time": draw(st.sampled_from(["", "3"]))}
    counts = _counts(draw, arms, common, kind, whole)
    means = _means(draw, arms, common, whole) if kind in ("means", "both") else []
    sizes = [{"arm_id": arm, "n": draw(size)} for arm in arms]
    elsewhere = {} if same else {"time": "6", "subgroup": draw(st.sampled_from(["", "sex"]))}
    row = {name: draw(_declared("tests", name)) for name in ("p", "statistic", "effect", "low", "high")}
    row |= {
        "arms": draw(st.sampled_from(["|".join(arms)] * 12 + ["a", "a|x", "a|a", "b|a"])),
        **common,
        **elsewhere,
    }
    row |= {
        "test_label": draw(words),
        "effect_label": draw(measures),
        "adjusted": draw(st.sampled_from(["", "", "no", "age"])),
    }
    row["interval_level"] = draw(st.sampled_from(["", "95", "0.9", "50", "99.999", "99.99999999999999"]))
    test = sheet("tests", [row]).to_dict("records")[0]
    return Printed(test, sheet("counts", counts), sheet("measurements", means), sheet("arms", sizes))  # fmt: skip


def _counts(draw: Any, arms: str, common: dict[str, str], kind: str, whole: bool) -> list[dict[str, str]]:
    if kind == "means":
        return []
    classes = ["x", "y", "z"][: draw(st.integers(1, 3))] if kind == "classes" else [""]
    rows = [{**common, "arm_id": arm, "category": one} for arm in arms for one in classes]
    for row in rows:
        n = draw(patients if whole else size)
        some = st.one_of(st.integers(0, int(n or 9)).map(str), st.sampled_from(["0", n or "9"]))
        row |= {"n": n, "events": draw(some if whole else st.one_of(some, st.just("")))}
    return rows if whole else rows[: draw(st.integers(0, len(rows)))]


def _means(draw: Any, arms: str, common: dict[str, str], whole: bool) -> list[dict[str, str]]:
    any_figure = _declared("measurements", "value"), _declared("measurements", "spread")
    value, spread = tame if whole else any_figure
    label = draw(st.sampled_from(["sd", "se", "unstated"]))
    return [
        {**common, "arm_id": arm, "spread_label": label, "n": draw(patients if whole else size),
         "statistic": draw(st.sampled_from(["mean"] * 9 + ["median"])),
         "value": draw(value), "spread": draw(spread)}
        for arm in arms
    ]  # fmt: skip


def _declared(table: str, name: str) -> Any:
    """Return figures that the declaration of the tables lets pass."""
    return printed.filter(lambda value: not COLUMNS[table, name].mend(value))


def sound(found: Recomputed) -> None:
    assert found.agrees in ("yes", "no", "")
    assert bool(found.reason) == (found.agrees != "yes"), found
    assert bool(found.differs) == (found.agrees == "no"), found
    assert infinities((found.statistic, found.p, found.candidates)) == set(), found
    for one in found.candidates:
        assert one.method
        assert nans(one) <= {"statistic", "df", "statistic_range"}
        assert 0 <= one.p <= 1 + 1e-9
        assert one.p_range[0] <= one.p <= one.p_range[1]
    assert found.candidates or math.isnan(found.p)
    assert sum(map(math.isnan, (found.effect, found.low, found.high))) in (0, 3)


def the_document(run: Any) -> Any:
    return settings(settings.get_profile("fuzz"))(given(documents())(run))


@the_document
def recompute(printed: Printed) -> None:
    sound(outcome("audit.recompute", lambda: again(printed.test, printed)))


@the_document
def recompute_from(printed: Printed) -> None:
    found = outcome("audit.recompute_from", lambda: MODULE.recompute_from(printed.test, printed.figures))
    sound(found)


@the_document
def counted_table(printed: Printed) -> None:
    arms = printed.test["arms"].split("|")
    counted = outcome(
        "audit.counted_table", lambda: MODULE.counted_table(printed.test, arms, printed.figures)
    )
    rows, table = counted
    assert table is None or (rows and len(table) == len(arms))


@settings(settings.get_profile("fuzz"))
@example(([[[0, 0], [1, 2]]], {}))
@given(calls(tables()))
def freeman_halton_statistic(arguments: tuple[list[Any], dict[str, Any]]) -> None:
    statistic = outcome(
        "audit.freeman_halton_statistic", lambda: MODULE.freeman_halton_statistic(*arguments[0])
    )
    assert statistic is None or math.isfinite(statistic)


RUNS = {
    run.__name__: run for run in (recompute, recompute_from, counted_table, freeman_halton_statistic)
}  # fmt: skip


def test_every_public_function_that_does_a_test_again_is_fuzzed():
    assert sorted(RUNS) == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_printed_test_is_done_again_or_refused(name: str):
    RUNS[name]()
