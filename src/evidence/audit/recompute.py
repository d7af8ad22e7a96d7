"""Recompute a printed test from the counts, or the means and spreads, it was made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

import pandas as pd

from evidence.audit.reported import Reported
from evidence.errors import StatisticsError
from evidence.memo import kept
from evidence.stats import (
    TestResult,
    anova_from_summary,
    chi_square,
    chi_square_p,
    compare,
    fisher_exact,
    fisher_freeman_halton,
    mean_difference,
    sd_from_se,
)
from evidence.stats.tables import exact_counts, without_empty

Agrees = Literal["yes", "no", ""]
Matrix = list[list[int]]

WORK = 500_000  # steps of an exact test: a quarter of a second; beyond it, simulation
MOST_NAMED = 4  # methods named where none reproduces what is printed

ADJUSTED = "the effect is adjusted for other variables: the counts alone do not give it"
WITHIN = "a test within one arm needs the individual patients' values before and after"
MEDIANS = "medians cannot be tested without the individual patients' values"
PERCENT_ONLY = "only percentages are printed, no counts"
NOTHING = "the counts or means it was made from are not printed"
SURVIVAL = "a test of times to an event needs the individual patients' times"
MEASURES: Mapping[str, Literal["RR", "OR", "RD"]] = {
    "or": "OR", "odds ratio": "OR", "rr": "RR", "risk ratio": "RR", "relative risk": "RR",
    "rd": "RD", "risk difference": "RD",
}  # fmt: skip
METHOD_WORDS = (
    ("yates", "Yates"), ("continuity", "Yates"), ("freeman", "Fisher"), ("fisher", "Fisher"),
    ("exact", "Fisher"),
    ("chi", "Pearson"), ("pearson", "Pearson"), ("anova", "variance"), ("welch", "Welch"), ("wald", "Wald"),
)  # fmt: skip


class Tables(Protocol):
    """The tables that a test can have been made from."""

    @property
    def counts(self) -> pd.DataFrame:
        """Events out of patients, a row per printed figure."""

    @property
    def measurements(self) -> pd.DataFrame:
        """Means, medians and other values, a row per printed figure."""

    @property
    def arms(self) -> pd.DataFrame:
        """The arms of all studies."""


class Figures(NamedTuple):
    """The rows of one result as plain objects with the columns as fields, and the patients per arm."""

    counts: Sequence[Any]
    measurements: Sequence[Any]
    sizes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way the test may have been done: its result, with the range that rounded inputs allow."""

    method: str
    statistic: float
    df: float
    p: float
    statistic_range: tuple[float, float]
    p_range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A printed test done again.

    ``agrees`` is ``yes`` where every printed figure could have been printed from the recomputed one, ``no``
    where one of them could not, empty where nothing can be recomputed. ``reason`` says what differs or what
    is missing; ``differs`` names the printed figures that differ (statistic, p, effect, low, high).
    ``candidates`` holds every method tried, the natural one first; the fields hold the one that reproduces
    what is printed, else the natural one. ``row_ids`` are the data rows used.
    """

    statistic: float
    df: float
    p: float
    method: str
    agrees: Agrees
    reason: str
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    candidates: tuple[Candidate, ...] = ()
    differs: tuple[str, ...] = ()
    row_ids: tuple[str, ...] = ()


class Summary(NamedTuple):
    """Mean, spread and patients of one arm, the first two as printed."""

    mean: Reported
    spread: Reported
    n: int


class Effect(NamedTuple):
    """An effect with its interval, each with the range that rounded inputs allow."""

    values: tuple[float, float, float]
    ranges: tuple[tuple[float, float], ...]


def recompute(test: Mapping[str, Any], data: Tables) -> Recomputed:
    """Do a printed test again.

    Counts are tested by Pearson's chi-square, its N-1 and Yates' forms (2 x 2) and exactly; means by analysis
    of variance or Student's and Welch's t, and by Wald's chi-square with the printed spreads read as standard
    errors. A test that is named is tried first. Odds ratios and differences of means are computed with their
    intervals (Woolf; Student).

    Args:
        test: one row of ``tests``; its figures are text as printed.
        data: the tidy tables.

    Returns:
        What was found; it never raises for what is not printed.
    """
    return recompute_from(test, _figures(test, data))


def _figures(test: Mapping[str, Any], data: Tables) -> Figures:
    arms = data.arms[data.arms["study_id"] == test["study_id"]]
    sizes = dict(zip(arms["arm_id"].tolist(), arms["n"].tolist(), strict=True))
    return Figures(_of_result(data.counts, test), _of_result(data.measurements, test), sizes)


def _of_result(frame: pd.DataFrame, test: Mapping[str, Any]) -> list[Any]:
    same = frame["study_id"].eq(test["study_id"]) & frame["outcome_id"].eq(test["outcome_id"])
    return list(frame[same].itertuples())


def recompute_from(test: Mapping[str, Any], figures: Figures) -> Recomputed:
    """Do a printed test again from the rows of its own result.

    Args:
        test: one row of ``tests``; its figures are text as printed.
        figures: the rows of its study and outcome, of all times, arms and parts.

    Returns:
        What was found; it never raises for what is not printed.
    """
    arms = [arm for arm in str(test.get("arms", "")).split("|") if arm]
    if len(arms) < 2:
        return _not(WITHIN if len(arms) == 1 else NOTHING)
    try:
        made = _from_counts(test, arms, figures) or _from_means(test, arms, figures)
    except StatisticsError as error:
        return _not(str(error))
    if made and _text(test.get("effect")) and _text(test.get("adjusted")).lower() not in ("", "no", "false"):
        return replace(made, agrees="", reason=ADJUSTED, differs=())
    return made or _not(_missing(test, arms, figures))


def _not(reason: str) -> Recomputed:
    return Recomputed(math.nan, math.nan, math.nan, "", "", reason)


def _missing(test: Mapping[str, Any], arms: Sequence[str], figures: Figures) -> str:
    if _same_result(figures.measurements, test, arms):
        return MEDIANS
    if "time_to" in str(test["outcome_id"]) or "survival" in str(test["outcome_id"]):
        return SURVIVAL
    return PERCENT_ONLY if _same_result(figures.counts, test, arms) else NOTHING


def _same_result(rows: Sequence[Any], test: Mapping[str, Any], arms: Sequence[str]) -> list[Any]:
    """Return the rows of a test's own part, time, class and arms; those that count once, if any does."""
    part, time = [_text(test.get(name)) for name in ("subgroup", "level")], _number(test.get("time"))
    category = _text(test.get("category"))
    found = [
        row
        for row in rows
        if row.arm_id in arms
        and [row.subgroup, row.level] == part
        and _number(row.time) == time
        and (not category or getattr(row, "category", category) == category)
    ]
    return [row for row in found if getattr(row, "counted", True)] or found


def _number(value: Any) -> float | None:
    return None if _empty(value) else float(value)


def _empty(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or value != value


def _text(value: Any) -> str:
    return "" if _empty(value) else str(value)


# counts


def _from_counts(test: Mapping[str, Any], arms: Sequence[str], figures: Figures) -> Recomputed | None:
    rows, table = counted_table(test, arms, figures)
    if table is None:
        return None
    candidates = _by_name(_table_candidates(table), _text(test.get("test_label")))
    effect = _ratio(test, table) if len(table) == len(table[0]) == 2 else None
    return replace(_judged(test, candidates, effect), row_ids=tuple(row.row_id for row in rows))


def counted_table(
    test: Mapping[str, Any], arms: Sequence[str], figures: Figures
) -> tuple[list[Any], Matrix | None]:
    """Return the rows a test on counts was made from, and their table; None where a cell is not known.

    Args:
        test: one row of ``tests``.
        arms: the arms compared; they are the table's rows.
        figures: the rows of the test's study and outcome.
    """
    known = [row for row in _same_result(figures.counts, test, arms) if not _empty(row.events)]
    cells: dict[tuple[str, str], Any] = {}
    for row in known:
        cells.setdefault((row.arm_id, row.category), row)
    return list(cells.values()), _table(cells, arms)


def _table(cells: Mapping[tuple[str, str], Any], arms: Sequence[str]) -> Matrix | None:
    """Return arms by categories, or arms by event and no event; None where a cell is not known."""
    categories = list(dict.fromkeys(category for _, category in cells))
    if not categories or any((arm, name) not in cells for arm in arms for name in categories):
        return None
    table = [[int(cells[arm, name].events) for name in categories] for arm in arms]
    if len(categories) > 1:
        return _filled(table)
    sizes = [cells[arm, categories[0]].n for arm in arms]
    if any(_empty(size) for size in sizes):
        return None
    return [[row[0], int(size) - row[0]] for row, size in zip(table, sizes, strict=True)]


def _filled(table: Matrix) -> Matrix:
    kept = [any(column) for column in zip(*table, strict=True)]
    return [[cell for cell, keep in zip(row, kept, strict=True) if keep] for row in table]


def _table_candidates(table: Matrix) -> list[Candidate]:
    return list(_tried(tuple(tuple(row) for row in table)))


@lru_cache(maxsize=1024)  # the same table is tested wherever its result is printed
def _tried(cells: tuple[tuple[int, ...], ...]) -> tuple[Candidate, ...]:
    table = [list(row) for row in cells]
    two_by_two = len(table) == len(table[0]) == 2
    made = [chi_square(table)]
    if two_by_two:
        made += [chi_square(table, correction="n-1"), chi_square(table, correction="yates")]
        return tuple(_exact(test) for test in (*made, fisher_exact(table)))
    halton = fisher_freeman_halton(table, work=WORK)
    return (*map(_exact, made), _exact(replace(halton, statistic=freeman_halton_statistic(table))))


def _exact(test: TestResult) -> Candidate:
    statistic = math.nan if test.statistic is None else float(test.statistic)
    df = math.nan if test.df is None else float(test.df)
    error = 3 * test.p_se
    span = _probabilities(test.p - error, test.p + error)
    return Candidate(test.method, statistic, df, test.p, (statistic, statistic), span)


def _probabilities(low: float, high: float) -> tuple[float, float]:
    """Return a range of probabilities as far as they are ones."""
    return max(low, 0.0), min(high, 1.0)


def freeman_halton_statistic(table: Matrix) -> float:
    """Return the statistic that statistics packages print beside the Fisher-Freeman-Halton test.

    ``-2 log(gamma * P(table))``, with the probability of the table given its margins and a constant gamma
    that gives the statistic the chi-square distribution (Mehta and Patel, JASA 1983;78:427-434). Rows and
    columns without counts are left out.

    Raises:
        StatisticsError: the table holds no counts, or all of them are in one row or column.
    """
    table = without_empty(exact_counts(table)).astype(int).tolist()
    rows, columns = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
    if min(len(rows), len(columns)) < 2:
        raise StatisticsError("all counts are in one row or one column: there is nothing to compare")
    n, r, c = sum(rows), len(rows), len(columns)
    log_p = sum(math.lgamma(size + 1) for size in (*rows, *columns)) - math.lgamma(n + 1)
    log_p -= sum(math.lgamma(cell + 1) for row in table for cell in row)
    log_gamma = (r - 1) * (c - 1) / 2 * math.log(2 * math.pi) - (r * c - 1) / 2 * math.log(n)
    log_gamma += (c - 1) / 2 * sum(map(math.log, rows)) + (r - 1) / 2 * sum(map(math.log, columns))
    return -2 * (log_gamma + log_p)


def _ratio(test: Mapping[str, Any], table: Matrix) -> Effect | None:
    measure = MEASURES.get(_text(test.get("effect_label")).strip().lower())
    if measure is None:
        return None
    (e1, f1), (e0, f0) = table
    made = compare(e1, e1 + f1, e0, e0 + f0, measure=measure, level=_level(test))
    values = (made.estimate, made.low, made.high)
    return Effect(values, tuple((value, value) for value in values))


def _level(test: Mapping[str, Any]) -> float:
    level = test.get("interval_level")
    if _empty(level):
        return 0.95
    return float(str(level)) / (100 if float(str(level)) > 1 else 1)


# means


def _from_means(test: Mapping[str, Any], arms: Sequence[str], figures: Figures) -> Recomputed | None:
    rows: dict[str, Any] = {}
    for row in _same_result(figures.measurements, test, arms):
        if row.statistic == "mean" and _text(row.spread):
            rows.setdefault(row.arm_id, row)
    summaries = _summaries(rows, arms, figures.sizes) if set(rows) == set(arms) else None
    if summaries is None:
        return None
    tried = _mean_candidates(tuple(summaries), {row.spread_label for row in rows.values()} == {"se"})
    candidates = _by_name(list(tried), _text(test.get("test_label")))
    effect = _difference(test, summaries) if len(arms) == 2 and _text(test.get("effect")) else None
    used = tuple(row.row_id for row in rows.values())
    return _with_assumption(replace(_judged(test, candidates, effect), row_ids=used), summaries)


def _with_assumption(made: Recomputed, summaries: Sequence[Summary]) -> Recomputed:
    if made.agrees != "no":
        return made
    sizes = ", ".join(str(group.n) for group in summaries)
    return replace(made, reason=f"{made.reason}; taken that all patients were analysed ({sizes})")


def _summaries(
    rows: Mapping[str, Any], arms: Sequence[str], patients: Mapping[str, Any]
) -> list[Summary] | None:
    sizes = [patients.get(arm) if _empty(rows[arm].n) else rows[arm].n for arm in arms]
    if any(_empty(size) for size in sizes):
        return None
    figures = [(Reported(str(rows[arm].value)), Reported(str(rows[arm].spread))) for arm in arms]
    return [Summary(*figure, int(str(size))) for figure, size in zip(figures, sizes, strict=True)]


@lru_cache(maxsize=1024)  # the same means are tested wherever their test is printed
def _mean_candidates(groups: tuple[Summary, ...], standard_errors: bool) -> tuple[Candidate, ...]:
    return kept("means", lambda: (groups, standard_errors), lambda: _compared(groups, standard_errors))


def _compared(groups: tuple[Summary, ...], standard_errors: bool) -> tuple[Candidate, ...]:
    two = len(groups) == 2
    compared = [_student, _welch] if two else [_anova]
    plain = [_propagated(test, groups) for test in compared]
    as_errors = [_propagated(_from_errors(test), groups) for test in compared]
    wald = _propagated(_wald, groups)
    return (*as_errors, wald) if standard_errors else (*plain, wald, *as_errors)


Values = list[tuple[float, float, int]]


def _anova(groups: Values) -> TestResult:
    means, spreads, sizes = zip(*groups, strict=True)
    return anova_from_summary(means, spreads, sizes)


def _student(groups: Values) -> TestResult:
    return _t(groups, "student", "Student t test")


def _welch(groups: Values) -> TestResult:
    return _t(groups, "welch", "Welch t test")


def _t(groups: Values, method: Literal["student", "welch"], name: str) -> TestResult:
    made = mean_difference(*groups[0], *groups[1], method=method)
    return TestResult(made.estimate / made.se, made.df, made.p, name)


def _wald(groups: Values) -> TestResult:
    """Test equal means with the spreads as standard errors: the squared deviations in units of error."""
    weights = [1 / error**2 for _, error, _ in groups]
    centre = sum(weight * mean for weight, (mean, _, _) in zip(weights, groups, strict=True)) / sum(weights)
    statistic = sum(w * (mean - centre) ** 2 for w, (mean, _, _) in zip(weights, groups, strict=True))
    df = len(groups) - 1
    return TestResult(
        statistic, df, chi_square_p(statistic, df), "Wald chi-square, ± read as standard errors"
    )


def _from_errors(test: Callable[[Values], TestResult]) -> Callable[[Values], TestResult]:
    def read_as_errors(groups: Values) -> TestResult:
        made = test([(mean, sd_from_se(error, n), n) for mean, error, n in groups])
        return replace(made, method=f"{made.method}, ± read as standard errors")

    return read_as_errors


def _propagated(test: Callable[[Values], TestResult], groups: Sequence[Summary]) -> Candidate:
    """Do the test on the printed figures, and find how far their rounding can move its result."""
    made, moved = test(_values(groups)), [test(values) for values in _moved(groups)]
    statistic, p = float(made.statistic or 0), made.p
    statistics = _span(statistic, [float(one.statistic or 0) for one in moved])
    span = _probabilities(*_span(p, [one.p for one in moved]))
    return Candidate(made.method, statistic, float(made.df or 0), p, statistics, span)


def _span(value: float, moved: Sequence[float]) -> tuple[float, float]:
    reach = sum(max(abs(one - value) for one in moved[i : i + 2]) for i in range(0, len(moved), 2))
    return value - reach, value + reach


def _values(groups: Sequence[Summary]) -> Values:
    return [(group.mean.value, group.spread.value, group.n) for group in groups]


def _moved(groups: Sequence[Summary]) -> list[Values]:
    """Return the groups with one figure at a time moved to either end of what was printed."""
    made = []
    for place, group in enumerate(groups):
        mean, spread, n = group.mean, group.spread, group.n
        ends = [(limit, spread.value, n) for limit in mean.bounds]
        ends += [(mean.value, max(limit, spread.half_unit / 10), n) for limit in spread.bounds]
        for end in ends:
            values = _values(groups)
            values[place] = end
            made.append(values)
    return made


def _difference(test: Mapping[str, Any], groups: Sequence[Summary]) -> Effect:
    def difference(values: Values) -> tuple[float, float, float]:
        made = mean_difference(*values[0], *values[1], level=_level(test))
        return made.estimate, made.low, made.high

    values, moved = difference(_values(groups)), [difference(one) for one in _moved(groups)]
    ranges = tuple(_span(values[i], [one[i] for one in moved]) for i in range(3))
    return Effect(values, ranges)


# judgement


def _by_name(candidates: list[Candidate], test_label: str) -> list[Candidate]:
    label = test_label.lower()
    word = next((method for text, method in METHOD_WORDS if text in label), "")
    return sorted(candidates, key=lambda one: bool(word) and word.lower() not in one.method.lower())


def _judged(test: Mapping[str, Any], candidates: Sequence[Candidate], effect: Effect | None) -> Recomputed:
    printed_p, printed_statistic = _text(test.get("p")), _text(test.get("statistic"))

    def fits(one: Candidate) -> tuple[bool, bool]:
        return _allows(printed_p, one.p_range), _allows(printed_statistic, one.statistic_range)

    best = next((one for one in candidates if all(fits(one))), None)
    best = best or next((one for one in candidates if printed_p and fits(one)[0]), candidates[0])
    faults = _faults(test, best, candidates, fits(best)) | _effect_faults(test, effect)
    values = effect.values if effect else (math.nan,) * 3
    agrees: Agrees = "no" if faults else "yes"
    made = (best.statistic, best.df, best.p, best.method, agrees, "; ".join(dict.fromkeys(faults.values())))
    return Recomputed(*made, *values, candidates=tuple(candidates), differs=tuple(faults))


def _allows(printed: str, span: tuple[float, float]) -> bool:
    if not printed:
        return True
    return math.isnan(span[0]) or Reported(printed).allows(*span)


def _faults(
    test: Mapping[str, Any], best: Candidate, candidates: Sequence[Candidate], fits: tuple[bool, bool]
) -> dict[str, str]:
    faults = {}
    if not fits[0]:
        tried = ", ".join(f"{_p(one.p)} ({one.method})" for one in candidates[:MOST_NAMED])
        faults["p"] = f"P printed {test['p']}, recomputed {tried}"
    if not fits[1]:
        faults["statistic"] = (
            f"statistic printed {test['statistic']}, recomputed {best.statistic:.3f} ({best.method})"
        )
    return faults


def _inverted(test: Mapping[str, Any], effect: Effect) -> bool:
    printed = [_text(test.get(name)) for name in ("effect", "low", "high")]
    if _text(test.get("effect_label")).strip().lower() not in MEASURES or not all(effect.values):
        return False
    ends = (1 / effect.values[0], 1 / effect.values[2], 1 / effect.values[1])
    return all(_allows(text, (value, value)) for text, value in zip(printed, ends, strict=True))


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _effect_faults(test: Mapping[str, Any], effect: Effect | None) -> dict[str, str]:
    if effect is None:
        return {}
    names = (("effect", "effect"), ("low", "lower limit"), ("high", "upper limit"))
    faults = {
        name: f"{words} printed {test[name]}, recomputed {value:.3f}"
        for (name, words), value, span in zip(names, effect.values, effect.ranges, strict=True)
        if not _allows(_text(test.get(name)), span)
    }
    if faults and _inverted(test, effect):
        words = f"effect printed the other way round: {test['effect']} is 1/{effect.values[0]:.3f}"
        return dict.fromkeys(("effect", "low", "high"), words)
    return faults
