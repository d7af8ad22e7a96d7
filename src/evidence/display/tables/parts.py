"""What several tables share: putting a table together, printed tests beside recomputed ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any, NamedTuple

import pandas as pd

from evidence import format as fmt
from evidence.audit import Recomputed, recompute
from evidence.audit.recompute import MEDIANS, SURVIVAL, WITHIN
from evidence.display.documents import places
from evidence.display.labels import ended, mark_of, sourced
from evidence.display.model import Cell, Column, Table, kinds, together
from evidence.reads import unnoted
from evidence.results import SMALL_EXPECTED, Tables, assumed_size, days, records, smallest_expected

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
    ("LSD", "LSD"),
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

PRINTED_OF_TEST = ("statistic", "p", "effect", "low", "high")
RECOMPUTED_OF_TEST = ("statistic", "df", "p", "effect", "low", "high", "method", "agrees", "reason")
OF_RESULT = ("study_id", "outcome_id", "subgroup", "level", "time", "time_unit")
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

    @property
    def values(self) -> dict[str, Any]:
        """Return what was printed, as printed, and what was recomputed, unrounded, by name."""
        printed = {f"printed_{name}": self.test[name] for name in PRINTED_OF_TEST}
        again = {f"recomputed_{name}": getattr(self.again, name) for name in RECOMPUTED_OF_TEST}
        return {"test_row_id": self.test["row_id"], **printed, **again}


def with_tests(
    data: Tables,
    frame: pd.DataFrame,
    between: Callable[[Mapping[str, Any]], Sequence[str]],
    *,
    prefix: str = "",
) -> pd.DataFrame:
    """Return results with the printed test of each between arms, and its recomputation, as further columns.

    Args:
        data: the tidy tables.
        frame: results, each with study, outcome, subgroup, level and time.
        between: the arms whose test belongs to a result.
        prefix: what the names of the new columns begin with.
    """
    made: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = [(*(row.get(name) for name in OF_RESULT), *between(row)) for row in records(frame)]
    keys = [tuple("" if fmt.missing(part) else part for part in key) for key in keys]
    for key, row in zip(keys, records(frame), strict=True):
        if key not in made:
            found = tested(data, find_test(data, row, between(row)))
            made[key] = {f"{prefix}{name}": value for name, value in found.values.items()} if found else {}
    if not any(made.values()):
        return frame
    return frame.join(pd.DataFrame([made[key] for key in keys], index=frame.index))


def with_pair_tests(effects: pd.DataFrame, within: Sequence[str]) -> pd.DataFrame:
    """Return effects with the P of their counts, the test's name (``test``) and P adjusted by Holm.

    Pearson's chi-square, or Fisher's exact test where an expected count is below 5. Effects that agree in
    ``within`` are one family of tests.
    """
    from evidence.stats import holm

    found = [pair_test(row) for row in records(effects)]
    made = effects.assign(p=[p for p, _ in found], test=[name for _, name in found], p_holm=math.nan)
    made = with_shares(made)
    for _, group in made[made["p"].notna()].groupby(list(within), sort=False, dropna=False):
        made.loc[group.index, "p_holm"] = holm(group["p"].tolist())
    return made


def with_shares(effects: pd.DataFrame) -> pd.DataFrame:
    """Return effects with the share of both arms that had the event: ``share1``, ``share0``."""
    shares = {
        f"share{arm}": effects[f"e{arm}"].astype(float)
        / effects[f"n{arm}"].astype(float).replace(0, math.nan)
        for arm in ("1", "0")
    }
    return effects.assign(**shares)


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
    """Return a table that knows where its values were read; one that says so where there are none.

    A column in which no row says anything is left out.
    """
    if not body:
        return nothing(caption)
    columns, body = without_empty(columns, body)
    rows = with_unprinted_sizes(data, body)
    told = f"{caption} {differing_words(rows)}" if "recomputed" in caption else caption
    return Table(columns, rows, told.strip(), note, frame, tuple(groups), places(data, rows))


def without_empty(
    columns: Sequence[Column], body: Sequence[Sequence[Cell]]
) -> tuple[tuple[Column, ...], Body]:
    """Return columns and rows without the columns in which no row says anything.

    >>> columns, body = without_empty([Column("Time"), Column("Value")], [(Cell(""), Cell("9 to 27"))])
    >>> [column.header for column in columns], [len(row) for row in body]
    (['Value'], [1])
    """
    said = [any(cell.text for cell in cells) for cells in zip(*body, strict=True)]
    return tuple(compress(columns, said)), [tuple(compress(row, said)) for row in body]


def with_unprinted_sizes(data: Tables, body: Sequence[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Return cells with the reason where they rest on a number of patients that is assumed."""
    reasons = _unprinted_sizes(data, {name for row in body for cell in row for name in cell.rows})
    return tuple(tuple(_with_size(cell, reasons) for cell in row) for row in body)


def _with_size(cell: Cell, reasons: Mapping[str, str]) -> Cell:
    """Return a cell with the reasons for what is assumed in it; one that does not say so is left alone."""
    if "assumed" not in kinds(cell.mark):
        return cell
    return replace(cell, why=tuple(dict.fromkeys(reasons[name] for name in cell.rows if name in reasons)))


def _unprinted_sizes(data: Tables, shown: Collection[str]) -> dict[str, str]:
    """Return shown counts whose number of patients is assumed, with the reason."""
    with unnoted():  # whoever shows a row has read it
        frame = data.counts
    if not {"n_basis", "note"} <= set(frame.columns):
        return {}
    counts = frame[frame["row_id"].isin(shown) & frame["n"].notna() & frame["events"].notna()]
    return {str(row["row_id"]): ended(why) for row in records(counts) if (why := assumed_size(row))}


def differing_words(rows: Sequence[Sequence[Cell]]) -> str:
    """Return how many recomputed values differ from the printed ones, as a sentence.

    >>> differing_words([[Cell("0.04"), Cell("0.05", mark="differs")]])
    '1 recomputed value differs from the printed one.'
    """
    found = sum("differs" in kinds(cell.mark) for row in rows for cell in row)
    if found == 1:
        return "1 recomputed value differs from the printed one."
    if not found:
        return "No recomputed value differs from the printed one."
    return f"{found} recomputed values differ from the printed ones."


def clear_words(effects: pd.DataFrame) -> str:
    """Return how many comparisons of how many studies there are, or if the interval of the only one has 0."""
    shown = effects[effects["measure"].eq("RD") & effects["low"].notna()] if len(effects) else effects
    if shown.empty:
        return ""
    if len(shown) == 1:
        clear = bool((shown["low"].gt(0) | shown["high"].lt(0)).all())
        return f"The interval of the difference {'leaves out' if clear else 'includes'} 0."
    parts = shown["part_of"] if "part_of" in shown else pd.Series("", shown.index)
    studies = parts.where(parts.ne(""), shown["study_id"]).nunique()
    within = "within one study" if studies == 1 else f"in the patients of {studies} studies"
    return f"{len(shown)} comparisons {within}."


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
