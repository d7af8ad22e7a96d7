"""What several tables share: putting a table together, printed tests beside recomputed ones."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from evidence import format as fmt
from evidence.audit import Recomputed, recompute
from evidence.audit.recompute import MEDIANS, SURVIVAL, WITHIN
from evidence.display.labels import mark_of, places, sourced
from evidence.display.model import Cell, Column, Table, together
from evidence.results import SMALL_EXPECTED, Tables, days, records, smallest_expected

NOTHING = "No rows in the data."
NEEDS_PATIENTS = "needs patient data"
NO_COUNTS = "not recomputable"
SHORT_METHODS = (
    ("Freeman", "exact"),
    ("Fisher", "exact"),
    ("Yates", "Yates"),
    ("N-1", "N−1 χ²"),
    ("Pearson", "Pearson"),
    ("Wald", "Wald, ± as SE"),
    ("ANOVA", "ANOVA"),
    ("Welch", "Welch"),
    ("Student", "t test"),
)
TEST_NOTE = (
    "Recomputed P: from the printed figures, by the test named in brackets (exact: Fisher, or Freeman and "
    "Halton); where several tests are possible, by the one that gives the printed P."
)
PAIR_NOTE = (
    "P: Pearson’s chi-square test, or Fisher’s exact test (exact) where an expected count is below 5; a "
    "document’s own P may come from another test."
)

Body = list[tuple[Cell, ...]]


class Tested(NamedTuple):
    """A printed test and what came out of doing it again."""

    test: Mapping[str, Any]
    again: Recomputed

    @property
    def printed(self) -> Cell:
        """Return the printed P value."""
        return sourced(fmt.printed(self.test["p"]), self.test["row_id"], origin=self.origin)

    @property
    def origin(self) -> str:
        """Return where the printed test comes from: ``seed``, ``external`` or nothing."""
        return str(self.test.get("origin", ""))

    @property
    def recomputed(self) -> Cell:
        """Return the recomputed P value with the method, marked where the printed one differs."""
        if not self.again.agrees:
            patients = self.again.reason in (MEDIANS, SURVIVAL, WITHIN)
            return Cell(NEEDS_PATIENTS if patients else NO_COUNTS)
        text = f"{fmt.p_value(self.again.p)} ({short_method(self.again.method)})"
        mark = together("differs" if "p" in self.again.differs else "", mark_of("", self.origin))
        return Cell(text, self.again.row_ids, mark)


def with_pair_tests(effects: pd.DataFrame, within: Sequence[str]) -> pd.DataFrame:
    """Return effects with the P of their counts, the test's name (``test``) and P adjusted by Holm.

    Pearson's chi-square, or Fisher's exact test where an expected count is below 5. Effects that agree in
    ``within`` are one family of tests.
    """
    from evidence.stats import holm

    found = [pair_test(row) for row in records(effects)]
    made = effects.assign(p=[p for p, _ in found], test=[name for _, name in found], p_holm=math.nan)
    for _, group in made[made["p"].notna()].groupby(list(within), sort=False, dropna=False):
        made.loc[group.index, "p_holm"] = holm(group["p"].tolist())
    return made


def pair_test(row: Mapping[str, Any]) -> tuple[float, str]:
    """Return P and the name of the test of two arms' counts; not a number where nothing can be tested.

    >>> pair_test({"e1": 2, "n1": 10, "e0": 8, "n0": 10})[1]
    'Pearson chi-square'
    >>> pair_test({"e1": 0, "n1": 4, "e0": 3, "n0": 4})[1]
    'Fisher exact'
    """
    from evidence.stats import chi_square, fisher_exact

    table = [[int(row[f"e{arm}"]), int(row[f"n{arm}"]) - int(row[f"e{arm}"])] for arm in ("1", "0")]
    if not all(map(sum, zip(*table, strict=True))) or not all(map(sum, table)):
        return math.nan, ""
    if smallest_expected(table) < SMALL_EXPECTED:
        return float(fisher_exact(table).p), "Fisher exact"
    return float(chi_square(table).p), "Pearson chi-square"


def short_method(name: str) -> str:
    """Return a test's name as short as a cell needs it."""
    return next((short for word, short in SHORT_METHODS if word in name), name)


def build(
    data: Tables,
    columns: Sequence[Column],
    body: Sequence[Sequence[Cell]],
    *,
    caption: str,
    note: str = "",
    frame: pd.DataFrame,
    groups: Sequence[tuple[int, str]] = (),
) -> Table:
    """Return a table that knows where its values were read; one that says so where there are none."""
    if not body:
        return nothing(caption)
    rows = tuple(tuple(row) for row in body)
    return Table(tuple(columns), rows, caption, note, frame, tuple(groups), places(data, rows))


def nothing(caption: str) -> Table:
    """Return the table shown where the data hold nothing for it."""
    return Table((Column("Result"),), ((Cell(NOTHING),),), caption)


def tested(data: Tables, test: Mapping[str, Any] | None) -> Tested | None:
    """Return a printed test with its recomputation, or None where none is printed."""
    return None if test is None else Tested(test, recompute(test, data))


def find_test(
    data: Tables, result: Mapping[str, Any], arms: Collection[str], *, ordered: bool = False
) -> Mapping[str, Any] | None:
    """Return the most exact printing of the test of a result between arms, or None.

    ``result`` names study, outcome, subgroup, level and time; with ``ordered``, the arms must stand in the
    same order, as they must for an effect.
    """
    rows = [row for row in records(data.tests) if _same(row, result) and _between(row, arms, ordered)]
    return min(rows, key=_vagueness) if rows else None


def _same(test: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    names = ("study_id", "outcome_id", "subgroup", "level")
    same = all(str(test[name]) == str(result.get(name, "")) for name in names)
    return same and days(test["time"], "") == days(result.get("time"), "")


def _between(test: Mapping[str, Any], arms: Collection[str], ordered: bool) -> bool:
    named = str(test["arms"]).split("|")
    return named == list(arms) if ordered else set(named) == set(arms)


def _vagueness(test: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    return str(test["p"])[:1] in ("<", ">", ""), not str(test["effect"]), not str(test["statistic"])


def grouped(keys: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Return a heading for every row whose key differs from that of the row above.

    >>> grouped(["a", "a", "b"])
    ((0, 'a'), (2, 'b'))
    """
    return tuple((i, key) for i, key in enumerate(keys) if i == 0 or keys[i - 1] != key)


def empty_cells(count: int) -> tuple[Cell, ...]:
    """Return cells with nothing in them."""
    return (Cell(""),) * count
