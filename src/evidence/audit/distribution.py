"""The distribution that a printed test statistic has, as label and data tell it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from evidence.audit.material import Material, Test, moment, part
from evidence.audit.reported import Reported

Span = tuple[float, float]
RANKS = ("kruskal", "mann", "wilcoxon", "rank")


class Distribution(NamedTuple):
    """The distribution of a test statistic; ``df_error`` is 0 where it has none."""

    name: str
    df: float
    df_error: float

    def p(self, statistic: float) -> float:
        """Return the P value of a statistic: upper tail, two-sided for t and z."""
        size = abs(statistic)
        if self.name == "F":
            return float(special.fdtrc(self.df, self.df_error, max(statistic, 0.0)))
        if self.name == "t":
            return float(2 * special.stdtr(self.df, -size))
        return float(
            2 * special.ndtr(-size) if self.name == "z" else special.chdtrc(self.df, max(statistic, 0.0))
        )

    def span(self, text: str) -> Span:
        """Return the P values that a printed statistic allows."""
        ends = [self.p(end) for end in Reported(text).bounds]
        return min(ends), max(ends)

    def __str__(self) -> str:
        """Return the name with its degrees of freedom."""
        shown = f"{self.df:g} and {self.df_error:g}" if self.df_error else f"{self.df:g}"
        return self.name if self.name == "z" else f"{self.name} on {shown} df"


def distribution(test: Test, m: Material) -> Distribution | None:
    """Return the distribution of a printed statistic; None where label and data do not settle it."""
    label = test.statistic_label.lower()
    kind = _kind(label, _centres(test, m), test.test_label.lower())
    df = _df(test, m, kind)
    if not kind or (df is None and kind != "z"):
        return None
    if kind != "F":
        return Distribution(kind, df or 0.0, 0.0)
    error = _second_df(test) or error_df(test, m)
    return Distribution(kind, df or 0.0, error) if error else None


def _kind(label: str, centres: set[str], name: str) -> str:
    """Return F, t, z or chi-square; of two letters in one label the one that the data call for."""
    chi = any(word in label for word in ("χ", "chi", "x2")) or _letter(label, "h")
    if _letter(label, "f") and not (chi and centres != {"mean"}) and not any(word in name for word in RANKS):
        return "F"
    if chi:
        return "chi-square"
    return next((one for one in ("t", "z") if _letter(label, one)), "")


def _letter(label: str, letter: str) -> bool:
    return letter in label.replace("/", " ").replace("value", " ").split()


def _centres(test: Test, m: Material) -> set[str]:
    rows = m.measures_of.get(part(test), ())
    return {row.statistic for row in rows if moment(row)[0] == moment(test)[0] and row.arm_id in test.arm_ids}


def _df(test: Test, m: Material, kind: str) -> float | None:
    if test.df:
        return Reported(test.df).value
    table = m.table(test) if kind == "chi-square" else None
    if table is not None:
        rows, columns = (np.array(table).any(axis=axis).sum() for axis in (1, 0))
        return float((rows - 1) * (columns - 1)) or None
    if kind == "t":
        return error_df(test, m)
    return float(len(test.arm_ids) - 1) if len(test.arm_ids) > 1 and _centres(test, m) else None


def _second_df(test: Test) -> float:
    second = test.df.replace(";", ",").partition(",")[2].strip()
    return Reported(second).value if second else 0.0


def error_df(test: Test, m: Material) -> float:
    """Return the patients of the arms less the number of arms, 0 where an arm's size is not printed."""
    sizes = [_size(test, arm, m) for arm in test.arm_ids]
    return 0.0 if None in sizes else float(sum(size or 0 for size in sizes) - len(sizes))


def _size(test: Test, arm: str, m: Material) -> int | None:
    rows = [row for row in m.measures_of.get(part(test), ()) if row.arm_id == arm and row.time == test.time]
    own = next((row.n for row in rows if row.n is not None), None)
    return own if own is not None else m.arms[test.study_id, arm].n
