"""Tidy frames of rates and contrasts under parameters: the numbers behind every table and figure."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from evidence import format as fmt
from evidence.errors import StatisticsError
from evidence.parameters import EffectMeasure, Parameters
from evidence.stats import TestResult, compare, proportion

Pairs = Literal["reference", "all"] | Sequence[tuple[str, str]]
Row = dict[str, Any]

# fmt: off
RATES = [
    "row_id", "study_id", "study_label", "arm_id", "arm_label", "outcome_id", "outcome_label",
    "category", "subgroup", "level", "analysis_set", "time", "time_unit", "time_label", "events", "n",
    "percent", "estimate", "low", "high", "method", "basis", "origin", "policy", "evaluated", "enrolled",
]
CONTRASTS = [
    "row_id", "study_id", "outcome_id", "outcome_label", "category", "subgroup", "level",
    "analysis_set", "time", "time_unit", "time_label", "arm1", "arm1_label", "arm0", "arm0_label", "e1",
    "n1", "e0", "n0", "measure", "estimate", "low", "high", "p", "method", "correction", "basis",
    "basis1", "basis0", "origin",
]
OMNIBUS = [
    "row_id", "study_id", "outcome_id", "outcome_label", "category", "subgroup", "level",
    "analysis_set", "time", "time_unit", "time_label", "k", "statistic", "df", "p", "method", "p_exact",
    "exact_method", "p_trend",
]
# fmt: on

SETTING = ["study_id", "outcome_id", "category", "subgroup", "level", "analysis_set", "time", "time_unit",
           "time_label"]  # fmt: skip
STRATA = [name for name in SETTING if name not in ("subgroup", "level")]
STRENGTH = ("assumed", "derived", "printed")
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
REFERENCE_ROLES = ("placebo", "control", "active")
COUNTED_IN_PART = ("evaluable",)  # sets that say that patients of the arm have no value
WHOLE_ARM = ("", "unstated", "enrolled", "randomised")  # sets that name nobody who is left out
SMALL_EXPECTED = 5.0  # Cochran's rule: below it Pearson's P is not trusted and the exact test speaks


class Tables(Protocol):
    """What is read of a dataset: its tidy tables as DataFrames."""

    @property
    def sources(self) -> pd.DataFrame:
        """Documents: kind, tier, year and reference of each."""
        ...

    @property
    def studies(self) -> pd.DataFrame:
        """Studies, finished or registered: disease, design, size, comparator, status."""
        ...

    @property
    def arms(self) -> pd.DataFrame:
        """Arms of the studies: components, dose, size, role, and node in networks."""
        ...

    @property
    def outcomes(self) -> pd.DataFrame:
        """Outcomes: label, domain, type, which direction is better, what they are part of."""
        ...

    @property
    def counts(self) -> pd.DataFrame:
        """Events out of patients, or a percentage alone, by arm, outcome, time and subgroup."""
        ...

    @property
    def measurements(self) -> pd.DataFrame:
        """Means, medians, ranges and other values by arm, outcome and time, with their spread."""
        ...

    @property
    def tests(self) -> pd.DataFrame:
        """Published tests and effects with their statistic, P value and interval."""
        ...

    @property
    def claims(self) -> pd.DataFrame:
        """Sentences of the documents that a number can contradict or that carry one."""
        ...

    @property
    def definitions(self) -> pd.DataFrame:
        """Criteria that define an outcome, one a row."""
        ...

    @property
    def protocols(self) -> pd.DataFrame:
        """Elements of regimens and designs, with value and unit."""
        ...


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether an effect differs between the levels of a subgroup: the test, by name."""

    statistic: float
    df: int
    p: float
    method: str


def rates(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str | None = None,
    outcome_ids: Sequence[str] | None = None,
    arm_ids: Sequence[str] | None = None,
    subgroup: str | None = None,
) -> pd.DataFrame:
    """Return one row per counted result with its proportion and interval.

    Args:
        data: the tidy tables; only rows of ``counts`` that count (``counted``) enter.
        parameters: level and method of the intervals, and what is done about missing values.
        study_id: one study; all of them by default.
        outcome_ids: the outcomes, in this order; all of them, in the order of the table, by default.
        arm_ids: the arms; all of them by default.
        subgroup: ``""`` for whole studies only, a subgroup's name for its levels only, None for both.

    Returns:
        The columns ``RATES``. ``events`` and ``n`` are those used; ``policy`` is ``observed``, or
        ``failure``/``success`` where ``enrolled - evaluated`` patients without a value were counted as such:
        in evaluable sets, and where fewer patients than the whole arm has were counted for a response (an
        outcome of which more is better) in a set that names nobody who is left out. Of relapse, bleeding and
        other harms a smaller number may be all who were at risk, so those are left as they are.
        ``basis`` is ``assumed`` where the number of patients that is used is (``assumed_size``).
        Where only a percentage is known, ``estimate`` is that percentage and the interval is empty.
    """
    chosen = _counted(data, study_id, outcome_ids, arm_ids, subgroup)
    sizes = _sizes(data, parts=bool((chosen["subgroup"] != "").any()))
    responses = set(data.outcomes.loc[data.outcomes["better"] == "higher", "outcome_id"])
    rows = [_rate(row, sizes, responses, parameters) for row in records(chosen)]
    frame = pd.DataFrame(_in_order(_labelled(rows, data), data, outcome_ids), columns=RATES)
    kinds = dict.fromkeys(LABELS, "str") | dict.fromkeys(("events", "n", "evaluated", "enrolled"), "Int64")
    return frame.astype(kinds)


def contrasts(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str | None = None,
    outcome_ids: Sequence[str] | None = None,
    measure: EffectMeasure | None = None,
    reference: str | None = None,
    pairs: Pairs = "reference",
    subgroup: str | None = "",
) -> pd.DataFrame:
    """Return the effect of one arm against another for every counted result that both have.

    Args:
        data: the tidy tables.
        parameters: level, methods and the measure shown first.
        study_id: one study; all of them by default.
        outcome_ids: the outcomes; all of them by default.
        measure: ``RR``, ``OR`` or ``RD``; the parameters' ``effect_measure`` by default.
        reference: arm 0 of every pair; by default the placebo, control or active arm that stands first.
        pairs: every arm against the reference, all pairs in the order of the arms, or named pairs
            (arm 1, arm 0). Except among all pairs, an arm that combines others stands for them where none of
            them has the result.
        subgroup: as in ``rates``; whole studies only by default.

    Returns:
        The columns ``CONTRASTS``; ``basis`` is the weaker of ``basis1`` and ``basis0``. An effect that the
        counts cannot define is NaN and ``method`` says why. ``p_holm`` adjusts P over the pairs of a result;
        ``number_needed`` is the text of the number needed to treat, for risk differences.
    """
    table = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    known = table[table["events"].notna() & table["n"].notna()]
    known = known[_separate(known, data)] if pairs == "all" else known
    sums = _sums(data)
    rows: list[Row] = []
    for _, group in known.groupby(SETTING, sort=False, dropna=False):
        arms = _apart(records(group), sums)
        couples = _couples(arms, pairs, reference or reference_arm(data, str(arms[0]["study_id"])))
        rows += _adjusted(
            _contrast(*couple, parameters, measure) for couple in couples if not _overlap(*couple, sums)
        )
    return _contrast_frame(rows, data)


def level_contrasts(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str,
    measure: EffectMeasure | None = None,
) -> pd.DataFrame:
    """Return all pairwise effects between the levels of a subgroup within one arm, as ``contrasts`` does.

    The levels stand where ``contrasts`` has arms.
    """
    table = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    known = table[table["events"].notna() & table["n"].notna()]
    rows: list[Row] = []
    for _, group in known.groupby([*STRATA, "arm_id"], sort=False, dropna=False):
        levels = [_as_arm(row, data) for row in records(group)]
        rows += _adjusted(_contrast(*couple, parameters, measure) for couple in combinations(levels, 2))
    return _contrast_frame(rows, data)


def omnibus(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return one test per result over all arms of a study: whether the proportions differ at all.

    Pearson's chi-square with the exact test beside it; ``method`` and ``p`` are the exact ones where an
    expected count is below 5. The columns are ``OMNIBUS``.
    """
    table = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup="")
    known = table[table["events"].notna() & table["n"].notna() & _separate(table, data)]
    groups = known.groupby(SETTING, sort=False, dropna=False)
    tested = [_omnibus(records(group), ordered=False) for _, group in groups if len(group) > 1]
    return pd.DataFrame(tested, columns=OMNIBUS)


def level_omnibus(
    data: Tables,
    parameters: Parameters,
    *,
    study_id: str,
    outcome_ids: Sequence[str],
    subgroup: str,
) -> pd.DataFrame:
    """Return one test per result over the levels of a subgroup within one arm, with a trend if ordered.

    Levels are ordered where the outcome that defines them is of type ``ordinal``.
    """
    table = rates(data, parameters, study_id=study_id, outcome_ids=outcome_ids, subgroup=subgroup)
    known = table[table["events"].notna() & table["n"].notna()]
    kinds = dict(zip(data.outcomes["outcome_id"], data.outcomes["type"], strict=True))
    ordered = kinds.get(subgroup) == "ordinal"
    groups = known.groupby([*STRATA, "arm_id"], sort=False, dropna=False)
    tested = [_omnibus(records(group), ordered=ordered) for _, group in groups if len(group) > 1]
    return pd.DataFrame(tested, columns=OMNIBUS)


def interaction(effects: pd.DataFrame, *, level: float) -> Interaction | None:
    """Test whether the effects of the levels of one subgroup at one time differ.

    Odds ratios: Breslow-Day with Tarone's correction. Risk ratios and risk differences: Q between the levels,
    each weighted by its Wald variance (Borenstein and others 2009, chapter 19).

    Args:
        effects: rows of ``contrasts`` of one result and one pair of arms, one per level.
        level: confidence level of the parameters; the test does not depend on it.

    Returns:
        The test, or None where fewer than two levels can be compared.
    """
    rows = [row for row in records(effects) if not pd.isna(row["estimate"])]
    if len(rows) < 2:
        return None
    return _breslow_day(rows) if rows[0]["measure"] == "OR" else _between(rows, level)


def reference_arm(data: Tables, study_id: str) -> str:
    """Return the arm that others are compared with: placebo, else control, else active, else the first."""
    arms = separate_arms(data, study_id)
    for role in REFERENCE_ROLES:
        found = arms.loc[arms["role"] == role, "arm_id"]
        if len(found):
            return str(found.iloc[0])
    return str(arms["arm_id"].iloc[0]) if len(arms) else ""


def separate_arms(data: Tables, study_id: str) -> pd.DataFrame:
    """Return the arms of a study that share no patient: those that combine others are left out."""
    arms = data.arms[data.arms["study_id"] == study_id]
    return arms[arms["combines"].fillna("") == ""]


def study_arms(data: Tables, study_id: str) -> pd.DataFrame:
    """Return the arms to show for a study: the separate ones, or all where there are none."""
    separate = separate_arms(data, study_id)
    return separate if len(separate) else data.arms[data.arms["study_id"] == study_id]


def records(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame as dictionaries; a missing whole number is None."""
    names = [str(name) for name in frame.columns]
    columns = [_values(column) for _, column in frame.items()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pd.Series) -> list[Any]:
    """Return a column as plain values, many times as fast as ``to_dict`` of a frame."""
    kind = column.dtype
    if isinstance(kind, pd.StringDtype):
        return list(column.to_numpy().tolist())
    found = column.tolist()
    if isinstance(kind, np.dtype) and kind.kind in "fiub":
        return found
    return [None if value is pd.NA else value for value in found]


def once(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the rows marked ``counted``, or the first row of each key where no such mark is kept."""
    if "counted" in frame:
        return frame[frame["counted"].astype(bool)]
    return frame.drop_duplicates(subset=list(key), keep="first")


def days(time: Any, unit: str) -> float:
    """Return a time in days, so that weeks and months sort together; no time comes last."""
    return math.inf if pd.isna(time) else float(time) * DAYS.get(str(unit), 1.0)


COUNT_KEY = [*SETTING, "arm_id"]
LABELS = ("study_label", "arm_label", "outcome_label")


def counts_of(
    data: Tables, outcome_ids: Iterable[str] | None = None, study_id: str | None = None
) -> pd.DataFrame:
    """Return the counts of some outcomes in one study, or of all where none are named; no others are read."""
    named = {"outcome_id": None if outcome_ids is None else list(outcome_ids), "study_id": study_id}
    wanted = {column: values for column, values in named.items() if values is not None}
    return rows_where(data, "counts", **wanted) if wanted else data.counts


def rows_where(data: Tables, table: str, **equals: Any) -> pd.DataFrame:
    """Return the rows of a table whose columns have the given values, as ``Dataset.select`` does."""
    select = getattr(data, "select", None)
    if select is not None:
        return pd.DataFrame(select(table, **equals))
    frame: pd.DataFrame = getattr(data, table)
    for column, value in equals.items():
        frame = frame[frame[column].isin([value] if isinstance(value, str) else list(value))]
    return frame


def _counted(
    data: Tables,
    study_id: str | None,
    outcome_ids: Sequence[str] | None,
    arm_ids: Sequence[str] | None,
    subgroup: str | None,
) -> pd.DataFrame:
    frame = counts_of(data, outcome_ids, study_id)
    wanted = {"arm_id": arm_ids, "subgroup": None if subgroup is None else [subgroup]}
    kept = pd.Series(data=True, index=frame.index, dtype=bool)
    for column, values in wanted.items():
        if values is not None:
            kept &= frame[column].isin(list(values))
    if "counted" in frame:
        frame = frame[kept & frame["counted"].astype(bool)]
    else:
        frame = once(frame[kept], COUNT_KEY)
    again = undated_again(frame)
    return frame[~again] if again.any() else frame


SAME_PERCENT = [*(name for name in COUNT_KEY if not name.startswith("time")), "percent"]


def undated_again(counts: pd.DataFrame) -> pd.Series:
    """Return which counts print, without its time, a percentage that another row has with its time.

    Both are one result: same study, arm, outcome, class, part, set of patients and percentage. Two rows that
    name different numbers of events or patients are two results.
    """
    undated = counts["time"].isna() & counts["time_label"].eq("") & counts["percent"].fillna("").ne("")
    if not undated.any():
        return undated
    dated: dict[tuple[Any, ...], list[Row]] = {}
    for row in records(counts[counts["time"].notna()]):
        dated.setdefault(tuple(row[name] for name in SAME_PERCENT), []).append(row)
    again = {
        place
        for place, row in zip(counts.index[undated], records(counts[undated]), strict=True)
        if any(_no_other(row, one) for one in dated.get(tuple(row[name] for name in SAME_PERCENT), []))
    }
    return pd.Series([place in again for place in counts.index], counts.index, dtype=bool)


def _no_other(one: Row, other: Row) -> bool:
    pairs = [(one[name], other[name]) for name in ("events", "n")]
    return all(pd.isna(first) or pd.isna(second) or first == second for first, second in pairs)


def _sizes(data: Tables, *, parts: bool) -> dict[tuple[str, str, str, str], int]:
    """Return the patients enrolled by study, arm, subgroup and level; by level only where it is asked for."""
    whole = {
        (row["study_id"], row["arm_id"], "", ""): int(row["n"])
        for row in records(data.arms[["study_id", "arm_id", "n"]])
        if not pd.isna(row["n"]) and row["n"] != ""
    }
    return whole | _part_sizes(data) if parts else whole


def _part_sizes(data: Tables) -> dict[tuple[str, str, str, str], int]:
    base = data.counts[
        (data.counts["category"] != "") & (data.counts["subgroup"] == "") & data.counts["events"].notna()
    ]
    return {
        (row["study_id"], row["arm_id"], row["outcome_id"], row["category"]): int(row["events"])
        for row in reversed(records(base))
        if days(row["time"], row["time_unit"]) <= 0 or pd.isna(row["time"])
    }


def _rate(
    row: Row,
    sizes: Mapping[tuple[str, str, str, str], int],
    responses: Container[str],
    parameters: Parameters,
) -> Row:
    enrolled = sizes.get((row["study_id"], row["arm_id"], row["subgroup"], row["level"]))
    partly = row["analysis_set"] in COUNTED_IN_PART or (
        row["analysis_set"] in WHOLE_ARM and not row["subgroup"] and row["outcome_id"] in responses
    )
    events, n, policy = _under_policy(row, enrolled if partly else None, parameters)
    made = {**row, "events": events, "n": n, "evaluated": row["n"], "enrolled": enrolled, "policy": policy}
    made["basis"] = basis_of(row) if n == row["n"] or fmt.missing(n) else row["basis"]
    return made | _estimate(events, n, str(row["percent"]), parameters)


def basis_of(row: Mapping[str, Any]) -> str:
    """Return how a result is known; a percentage without a count is printed, whatever its count would be."""
    if fmt.missing(row["events"]) or fmt.missing(row["n"]):
        return "printed" if row["basis"] == "derived" else str(row["basis"])
    return "assumed" if assumed_size(row) else str(row["basis"])


GROUP_SIZE = "The number of patients is not printed beside the count; that of the group was taken."


def assumed_size(row: Mapping[str, Any]) -> str:
    """Return why the number of patients of a count is taken to be that, if it is not printed beside it.

    A number that has no place in a document was inferred, and its note says from what. To a printed count
    that stands alone belongs the number that the group has elsewhere in the document.

    >>> row = {"events": 107, "n": 167, "n_basis": "", "basis": "printed", "note": "107 + 60 = 167"}
    >>> assumed_size(row), assumed_size({**row, "n_basis": "header"}), assumed_size({**row, "events": ""})
    ('107 + 60 = 167', '', '')
    """
    if any(fmt.missing(row[name]) or row[name] == "" for name in ("events", "n")):
        return ""
    if row.get("n_basis") == "elsewhere":
        return GROUP_SIZE if row["basis"] == "printed" else ""
    return str(row.get("note") or "") if row.get("n_basis") == "" else ""


def _under_policy(row: Row, enrolled: int | None, parameters: Parameters) -> tuple[Any, Any, str]:
    events, n = row["events"], row["n"]
    known: bool = not (pd.isna(events) or pd.isna(n)) and enrolled is not None
    if parameters.missing_data == "observed" or not known:
        return events, n, "observed"
    absent = int(enrolled or 0) - int(n)
    if absent <= 0:
        return events, n, "observed"
    added = absent if parameters.missing_data == "success" else 0
    return int(events) + added, enrolled, parameters.missing_data


def _estimate(events: Any, n: Any, percent: str, parameters: Parameters) -> Row:
    if pd.isna(events) or pd.isna(n) or n == 0:
        return {"estimate": _share(percent), "low": math.nan, "high": math.nan, "method": ""}
    one = proportion(
        int(events), int(n), level=parameters.confidence_level, method=parameters.proportion_method
    )
    made = {"estimate": one.estimate, "low": one.low, "high": one.high}
    return made | {"method": parameters.proportion_method}


def _share(percent: str) -> float:
    try:
        return float(percent) / 100
    except ValueError:
        return math.nan


def _labelled(rows: Iterable[Row], data: Tables) -> list[Row]:
    """Return rows with the labels of their study, arm and outcome; one that is not known has none."""
    studies = _first_labels(data.studies, "study_id")
    arms = _first_labels(data.arms, "study_id", "arm_id")
    outcomes = _first_labels(data.outcomes, "outcome_id")
    return [
        {
            **row,
            "study_label": studies.get((row["study_id"],), math.nan),
            "arm_label": arms.get((row["study_id"], row["arm_id"]), math.nan),
            "outcome_label": outcomes.get((row["outcome_id"],), math.nan),
        }
        for row in rows
    ]


def _first_labels(frame: pd.DataFrame, *key: str) -> dict[tuple[Any, ...], Any]:
    keys = list(zip(*(frame[name].tolist() for name in key), strict=True))
    return dict(reversed(list(zip(keys, frame["label"].tolist(), strict=True))))


def _in_order(rows: list[Row], data: Tables, outcome_ids: Sequence[str] | None) -> list[Row]:
    """Return rows by study, outcome, class, time, part and arm; what no table has comes last."""
    studies, outcomes = _places(data.studies["study_id"]), _places(outcome_ids or data.outcomes["outcome_id"])
    classes, subgroups, levels = (
        _places(row[name] for row in rows) for name in ("category", "subgroup", "level")
    )
    arms = _places(zip(data.arms["study_id"], data.arms["arm_id"], strict=True))
    return sorted(
        rows,
        key=lambda row: (
            studies.get(row["study_id"], math.inf), outcomes.get(row["outcome_id"], math.inf),
            classes[row["category"]], days(row["time"], row["time_unit"]), subgroups[row["subgroup"]],
            levels[row["level"]], arms.get((row["study_id"], row["arm_id"]), math.inf),
        ),
    )  # fmt: skip


def _places(values: Iterable[Any]) -> dict[Any, int]:
    return {value: place for place, value in enumerate(dict.fromkeys(values))}


def _integers(frame: pd.DataFrame, names: str) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(names.split(), "Int64"))


def _separate(table: pd.DataFrame, data: Tables) -> pd.Series:
    combined = data.arms[data.arms["combines"].fillna("") != ""]
    pairs = set(zip(combined["study_id"], combined["arm_id"], strict=True))
    kept = [pair not in pairs for pair in zip(table["study_id"], table["arm_id"], strict=True)]
    return pd.Series(kept, index=table.index, dtype=bool)


def _sums(data: Tables) -> dict[tuple[str, str], frozenset[str]]:
    """Return the arms that each combined arm holds, by study and arm."""
    rows = zip(*(data.arms[name] for name in ("study_id", "arm_id", "combines")), strict=True)
    return {(study, arm): frozenset(str(parts).split("|")) for study, arm, parts in rows if parts}


def _apart(arms: list[Row], sums: Mapping[tuple[str, str], frozenset[str]]) -> list[Row]:
    """Return the arms of one result without those that combine others of them, or hold what is counted."""
    own = {str(arm["arm_id"]) for arm in arms}
    return [arm for arm in arms if not own & sums.get((arm["study_id"], arm["arm_id"]), frozenset())]


def _overlap(one: Row, none: Row, sums: Mapping[tuple[str, str], frozenset[str]]) -> bool:
    """Return whether two arms share patients, as combined arms may."""
    parts = [sums.get((arm["study_id"], arm["arm_id"]), {arm["arm_id"]}) for arm in (one, none)]
    return bool(set(parts[0]) & set(parts[1]))


def _couples(arms: list[Row], pairs: Pairs, reference: str) -> list[tuple[Row, Row]]:
    if pairs == "all":
        return list(combinations(arms, 2))
    if not isinstance(pairs, str):
        by_id = {arm["arm_id"]: arm for arm in arms}
        return [(by_id[one], by_id[none]) for one, none in pairs if one in by_id and none in by_id]
    zero = next((arm for arm in arms if arm["arm_id"] == reference), None)
    return [(arm, zero) for arm in arms if arm is not zero] if zero else []


def _contrast(one: Row, none: Row, parameters: Parameters, measure: EffectMeasure | None) -> Row:
    shown = measure or parameters.effect_measure
    setting = {name: one[name] for name in [*SETTING, "outcome_label"]}
    arms = _arm(one, "1") | _arm(none, "0")
    known = {"row_id": f"{one['row_id']}|{none['row_id']}", "basis": _weakest(one["basis"], none["basis"])}
    known["origin"] = "external" if "external" in (one["origin"], none["origin"]) else one["origin"]
    return setting | arms | known | {"measure": shown} | _effect(arms, parameters, shown)


def _arm(row: Row, place: str) -> Row:
    names = {"arm": "arm_id", "e": "events", "n": "n", "basis": "basis"}
    made = {f"{name}{place}": row[key] for name, key in names.items()}
    return made | {f"arm{place}_label": row["arm_label"]}


def _effect(arms: Row, parameters: Parameters, measure: str) -> Row:
    method = parameters.difference_method if measure == "RD" else None
    counts = [int(arms[name]) for name in ("e1", "n1", "e0", "n0")]
    try:
        made = compare(*counts, measure=measure, level=parameters.confidence_level, method=method)  # type: ignore[arg-type]
    except StatisticsError as error:
        empty = dict.fromkeys(("estimate", "low", "high", "p"), math.nan)
        return empty | {"method": str(error), "correction": ""}
    return {name: getattr(made, name) for name in ("estimate", "low", "high", "p", "method", "correction")}


def _contrast_frame(rows: list[Row], data: Tables) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*CONTRASTS, "p_holm"])
    return _integers(_with_numbers_needed(frame, data), "e1 n1 e0 n0")


def _with_numbers_needed(frame: pd.DataFrame, data: Tables) -> pd.DataFrame:
    better = dict(zip(data.outcomes["outcome_id"], data.outcomes["better"], strict=True))
    texts = [_needed(row, str(better.get(row["outcome_id"], ""))) for row in records(frame)]
    return frame.assign(number_needed=pd.Series(texts, index=frame.index, dtype=object))


def _needed(row: Row, better: str) -> str:
    from evidence.stats import Effect, number_needed

    if row["measure"] != "RD" or better not in ("higher", "lower") or pd.isna(row["estimate"]):
        return ""
    numbers = [row[name] for name in ("estimate", "low", "high", "p", "measure", "method", "correction")]
    counts = [int(row[name]) for name in ("e1", "n1", "e0", "n0")]
    effect = Effect(*numbers, math.nan, *counts, "")
    return number_needed(effect, better="lower" if better == "lower" else "higher").text


def _weakest(*bases: str) -> str:
    return min(bases, key=lambda basis: STRENGTH.index(basis) if basis in STRENGTH else 0)


def _adjusted(made: Iterable[Row]) -> list[Row]:
    from evidence.stats import holm

    rows = list(made)
    known = [row for row in rows if not pd.isna(row["p"])]
    adjusted: list[float] = holm([row["p"] for row in known]).tolist() if known else []
    for row, p in zip(known, adjusted, strict=True):
        row["p_holm"] = p
    return rows


def _as_arm(row: Row, data: Tables) -> Row:
    label = level_label(data, row)
    return {**row, "arm_id": row["level"], "arm_label": label, "level": ""}


def class_labels(data: Tables, row: Mapping[str, Any]) -> list[str]:
    """Return how the class of a row and the level that it is counted in are written, where it has them."""
    parts = [category_label(data, str(row["category"]), str(row["outcome_id"]))] if row["category"] else []
    return parts + ([level_label(data, row)] if row["level"] else [])


def level_label(data: Tables, row: Mapping[str, Any]) -> str:
    """Return how the level of a row is written: the classes of the outcome that its subgroup is."""
    return category_label(data, str(row["level"]), str(row["subgroup"]))


def category_label(data: Tables, category: str, outcome_id: str) -> str:
    """Return how a class of an outcome is written: as the data label it, else its name in plain words.

    The same name may be a class of several outcomes, and each may write it in its own way.
    """
    frame = counts_of(data, [outcome_id])
    if "category_label" in frame:
        rows = frame[frame["category"] == category]
        header = rows["n_basis"] == "header"  # a table's row heads read better than its running text
        labels = pd.concat([rows[header], rows[~header]])["category_label"]
        found = [str(label) for label in labels if not pd.isna(label) and label != ""]
        if found:
            return fmt.sentence(found[0])
    return plain(category)


def plain(name: str) -> str:
    """Return an identifier as words, the first with a capital unless it has capitals of its own.

    >>> plain("very_severe"), plain("rhEPO_dose")
    ('Very severe', 'rhEPO dose')
    """
    return fmt.sentence(name.replace("_", " ").strip())


def words_of(code: Any) -> str:
    """Return a code of a design, a population or a kind of document in words.

    >>> words_of("network_meta_analysis"), words_of("non_severe")
    ('Network meta-analysis', 'Non-severe')
    """
    return re.sub(r"\b([Nn]on|[Mm]eta) ", r"\1-", plain(str(code or "")))


def _omnibus(rows: list[Row], *, ordered: bool) -> Row:
    from evidence.stats import chi_square

    table = [[int(row["events"]), int(row["n"]) - int(row["events"])] for row in rows]
    setting = {name: rows[0][name] for name in [*SETTING, "outcome_label"]}
    made = setting | {"row_id": "|".join(str(row["row_id"]) for row in rows), "k": len(rows)}
    if not all(map(sum, zip(*table, strict=True))) or not all(map(sum, table)):
        return made | {"method": "not estimable: no events, or only events, in every arm"}
    pearson, (p_exact, exact) = chi_square(table), _exact(table)
    small = smallest_expected(table) < SMALL_EXPECTED
    chosen = {"p": p_exact, "method": exact} if small else {"p": pearson.p, "method": "Pearson chi-square"}
    made |= {"statistic": pearson.statistic, "df": pearson.df, "p_exact": p_exact, "exact_method": exact}
    return made | chosen | {"p_trend": _trend(rows) if ordered and len(rows) > 2 else math.nan}


def smallest_expected(table: Sequence[Sequence[int]]) -> float:
    """Return the smallest count expected under independence."""
    total = sum(map(sum, table))
    margins = [sum(column) for column in zip(*table, strict=True)]
    return float(min(sum(row) * margin / total for row in table for margin in margins))


def _exact(table: list[list[int]]) -> tuple[float, str]:
    from evidence.stats import fisher_exact, fisher_freeman_halton

    if len(table) == 2 and len(table[0]) == 2:
        return float(fisher_exact(table).p), "Fisher exact"
    return float(fisher_freeman_halton(table).p), "Fisher-Freeman-Halton"


def _trend(rows: list[Row]) -> float:
    from evidence.stats import cochran_armitage

    return float(cochran_armitage([int(row["events"]) for row in rows], [int(row["n"]) for row in rows]).p)


def _breslow_day(rows: list[Row]) -> Interaction | None:
    from evidence.stats import tarone

    strata = [[[row["e1"], row["n1"] - row["e1"]], [row["e0"], row["n0"] - row["e0"]]] for row in rows]
    try:
        test = tarone(strata)
    except StatisticsError:
        return None
    return _as_interaction(test, "Breslow-Day test with Tarone's adjustment")


def _between(rows: list[Row], level: float) -> Interaction:
    from evidence.stats import heterogeneity

    effects, variances = zip(*(_on_analysis_scale(row, level) for row in rows), strict=True)
    test = heterogeneity(effects, variances)
    return _as_interaction(test, "Q test between subgroups")


def _as_interaction(test: TestResult, method: str) -> Interaction:
    return Interaction(float(test.statistic or 0), int(test.df or 0), test.p, method)


def _on_analysis_scale(row: Row, level: float) -> tuple[float, float]:
    """Return the effect (log risk ratio, or risk difference) and its Wald variance."""
    from scipy.stats import norm

    counts = [int(row[name]) for name in ("e1", "n1", "e0", "n0")]
    ratio = row["measure"] != "RD"
    made = compare(*counts, measure=row["measure"], level=level, method=None if ratio else "wald")
    low, high = (math.log(made.low), math.log(made.high)) if ratio else (made.low, made.high)
    value = math.log(made.estimate) if ratio else made.estimate
    return value, float(((high - low) / (2 * norm.ppf((1 + level) / 2))) ** 2)
