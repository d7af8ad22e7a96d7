"""The evidence of a network: contrasts between treatments, with their covariance inside each study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from evidence.errors import StatisticsError
from evidence.stats._checks import COMPLEX, Floats, chosen, counts, named, same_length
from evidence.stats.compare import EVERY_CELL, NO_CORRECTION, VARIANCE_ONLY
from evidence.stats.pool import one_data_set

NetworkMeasure = Literal["RR", "OR", "HR", "IRR", "ROM", "RD", "MD", "SMD"]

RATIOS = ("RR", "OR", "HR", "IRR", "ROM")
MEASURES = (*RATIOS, "RD", "MD", "SMD")
COUNT_MEASURES = ("RR", "OR", "RD")
COLUMNS = ["study", "treatment1", "treatment0", "e1", "n1", "e0", "n0", "y", "v", "correction"]

# Names under which other tables and programs keep the same columns; the last row is netmeta's.
ALIASES = {
    "study_id": "study", "arm1": "treatment1", "arm0": "treatment0",
    "studlab": "study", "treat1": "treatment1", "treat2": "treatment0", "TE": "y", "seTE": "se",
}  # fmt: skip

# Effects rounded to two decimals disagree around a triangle of one study by a few hundredths of their
# standard error; a wrong sign or a swapped arm disagrees by far more.
MISMATCH = 0.1
NOT_DEFINITE = 1e-10  # smallest eigenvalue, relative to the largest, that rounding cannot have made


@dataclass(frozen=True, slots=True)
class Study:
    """The effects of a study's treatments against its first one, and their covariance matrix."""

    name: str
    treatments: tuple[str, ...]
    effects: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """The studies of a connected network; ``left_out`` names those without information."""

    treatments: tuple[str, ...]
    studies: tuple[Study, ...]
    left_out: tuple[str, ...]

    @property
    def k(self) -> int:
        """Return the number of studies."""
        return len(self.studies)


def arm_contrasts(
    study: Iterable[Hashable],
    treatment: Iterable[Hashable],
    events: Iterable[Any],
    n: Iterable[Any],
    *,
    measure: Literal["RR", "OR", "RD"],
) -> pd.DataFrame:
    """Turn arms with events into all contrasts within each study, ready for ``network``.

    Args:
        study: the study of each arm.
        treatment: its treatment; once per study.
        events: its events.
        n: its patients.
        measure: ``RR`` and ``OR`` give log ratios, ``RD`` differences.

    Returns:
        One row per pair of arms: ``study, treatment1, treatment0, e1, n1, e0, n0, y, v, correction``, ``y``
        the effect of ``treatment1`` against ``treatment0`` (the arm listed first) and ``v`` its variance.
        Half an event is added to every cell of a study, in all its arms, where an odds ratio has an empty
        cell or a risk ratio an arm without events (or two arms of only events); for RD in the variance alone
        where two arms do not vary. ``correction`` says so. A study without any event (for OR also without any
        non-event) says nothing about a ratio: its ``y`` and ``v`` are missing and ``correction`` gives the
        reason.

    Raises:
        StatisticsError: for unusable counts, a treatment twice in a study, or a study of one arm.

    >>> arm_contrasts(["s", "s"], ["placebo", "drug"], [0, 4], [20, 20], measure="OR").loc[0, "correction"]
    '0.5 added to every cell'
    """
    chosen(measure, COUNT_MEASURES, "measure")
    columns = same_length(study, treatment, events, n)
    arms: dict[str, list[_Arm]] = {}
    for place, label, happened, total in zip(*columns, strict=True):
        name, node = named(place), named(label)
        arms.setdefault(name, []).append(_Arm(node, *counts(happened, total, f"events of {name}, {node}")))
    rows = [row for name, members in arms.items() for row in _study_contrasts(name, members, measure)]
    return pd.DataFrame(rows, columns=COLUMNS)


@dataclass(frozen=True, slots=True)
class _Arm:
    treatment: str
    events: int
    n: int


def _study_contrasts(name: str, arms: Sequence[_Arm], measure: str) -> list[tuple[Any, ...]]:
    _refuse_repeats(name, [arm.treatment for arm in arms])
    if len(arms) < 2:
        raise StatisticsError(f"study {name} has one arm, {arms[0].treatment}: a contrast needs two")
    reason = _silence(arms, measure)
    correction = reason or _correction(arms, measure)
    values = {arm.treatment: _arm_value(arm, measure, correction) for arm in arms}
    rows = []
    for base, other in combinations(arms, 2):
        (y1, v1), (y0, v0) = values[other.treatment], values[base.treatment]
        effect = (np.nan, np.nan) if reason else (y1 - y0, v1 + v0)
        arm_counts = (other.events, other.n, base.events, base.n)
        rows.append((name, other.treatment, base.treatment, *arm_counts, *effect, correction))
    return rows


def _refuse_repeats(name: str, treatments: Sequence[str]) -> None:
    twice = [treatment for treatment, times in Counter(treatments).items() if times > 1]
    if twice:
        raise StatisticsError(f"study {name} has {', '.join(twice)} more than once: merge the arms")


def _silence(arms: Sequence[_Arm], measure: str) -> str:
    if measure != "RD" and not any(arm.events for arm in arms):
        return "left out: no events in any arm"
    if measure == "OR" and all(arm.events == arm.n for arm in arms):
        return "left out: only events in every arm"
    return ""


def _correction(arms: Sequence[_Arm], measure: str) -> str:
    empty, full = [arm.events == 0 for arm in arms], [arm.events == arm.n for arm in arms]
    if measure == "RD":
        return VARIANCE_ONLY if sum(empty) + sum(full) > 1 else NO_CORRECTION
    needed = any(empty) or (any(full) if measure == "OR" else sum(full) > 1)
    return EVERY_CELL if needed else NO_CORRECTION


def _arm_value(arm: _Arm, measure: str, correction: str) -> tuple[float, float]:
    """Return an arm's log risk, log odds or risk, and its variance."""
    add = 0.5 if correction in (EVERY_CELL, VARIANCE_ONLY) else 0.0
    a, b = arm.events + add, arm.n - arm.events + add
    if measure == "RD":
        return arm.events / arm.n, a * b / (a + b) ** 3
    if not (a and (b or measure == "RR")):
        return np.nan, np.nan
    if measure == "RR":
        return float(np.log(a / (a + b))), b / (a * (a + b))
    return float(np.log(a / b)), 1 / a + 1 / b


def read_evidence(contrasts: pd.DataFrame, measure: str) -> Evidence:
    """Return the studies behind contrasts: effects on the analysis scale, or counts; see ``network``."""
    chosen(measure, MEASURES, "measure")
    frame = _with_effects(_canonical(contrasts), measure)
    missing = frame["y"].isna() & frame["v"].isna()
    _refuse_half_missing(frame[~missing])
    kept = frame[~missing]
    studies = tuple(_study(str(name), group) for name, group in kept.groupby("study", sort=False))
    if not studies:
        raise StatisticsError("no contrast has an effect and a variance: there is nothing to connect")
    treatments = tuple(sorted({node for study in studies for node in study.treatments}))
    _refuse_disconnected(studies)
    left_out = tuple(dict.fromkeys(frame.loc[missing, "study"]))
    return Evidence(treatments, studies, tuple(name for name in left_out if name not in set(kept["study"])))


def _canonical(contrasts: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(contrasts, pd.DataFrame):
        raise StatisticsError("contrasts is no table: give a data frame with one row per contrast")
    frame = pd.DataFrame(contrasts)
    renamed = {old: new for old, new in ALIASES.items() if old in frame and new not in frame}
    frame = frame.rename(columns=renamed)
    lacking = [name for name in ("study", "treatment1", "treatment0") if name not in frame]
    if lacking:
        raise StatisticsError(f"contrasts lack the columns {', '.join(lacking)}: they have {list(frame)}")
    if frame[["study", "treatment1", "treatment0"]].isna().to_numpy().any():
        raise StatisticsError("a contrast lacks its study or a treatment: name them")
    names = {name: _names(frame[name]) for name in ("study", "treatment1", "treatment0")}
    return frame.assign(**names).reset_index(drop=True)


def _names(column: pd.Series[Any]) -> pd.Series[str]:
    try:
        return column.astype(str)
    except ValueError as error:  # Python writes no whole number of more than 4,300 digits
        raise StatisticsError(f"{column.name} holds a value that is no name: correct it") from error


def _with_effects(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    if "y" in frame and "se" in frame and "v" not in frame:
        frame = frame.assign(v=_numbers(frame["se"]) ** 2)
    if "y" in frame and "v" in frame:
        return frame.assign(y=_numbers(frame["y"]), v=_numbers(frame["v"]))
    if not {"e1", "n1", "e0", "n0"} <= set(frame):
        raise StatisticsError("contrasts need y and v (or se), or the counts e1, n1, e0, n0")
    return _from_counts(frame, measure)


def _numbers(column: pd.Series[Any]) -> pd.Series[float]:
    if any(isinstance(one, COMPLEX) for one in column):
        raise StatisticsError(f"{column.name} holds a value that is no number: correct it")
    try:
        return column.astype("float64")
    except (TypeError, ValueError, OverflowError) as error:
        raise StatisticsError(f"{column.name} holds a value that is no number: correct it") from error


def _from_counts(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    arms: dict[tuple[str, str], tuple[Any, Any]] = {}
    for row in frame.itertuples():
        for node, cell in ((row.treatment0, (row.e0, row.n0)), (row.treatment1, (row.e1, row.n1))):
            known = arms.setdefault((str(row.study), str(node)), cell)
            if known != cell:
                raise StatisticsError(f"study {row.study} has {known} and {cell} for {node}: correct one")
    columns = zip(*((*arm, *cell) for arm, cell in arms.items()), strict=True)
    return arm_contrasts(*columns, measure=measure)  # type: ignore[arg-type]


def _refuse_half_missing(frame: pd.DataFrame) -> None:
    for row in frame.itertuples():
        numbers = np.array([row.y, row.v], dtype=np.float64)
        if not np.isfinite(numbers).all() or numbers[1] <= 0:
            pair = f"{row.treatment1} against {row.treatment0}"
            raise StatisticsError(f"study {row.study}, {pair}: y is {row.y} and v {row.v}; v must be above 0")
    if len(frame):
        one_data_set(frame["y"], frame["v"])


def _study(name: str, rows: pd.DataFrame) -> Study:
    """Return a study's effects and covariance from all its pairwise contrasts.

    The variances of all differences determine the covariances: ``cov(i-b, j-b) = (V_ib + V_jb - V_ij) / 2``.
    Weighting by the inverse is the reduction of weights of Ruecker (2012), without the pseudo-inverse.
    """
    nodes = tuple(dict.fromkeys([*rows["treatment0"], *rows["treatment1"]]))
    y, v = _pairwise(name, nodes, rows)
    effects = y.mean(axis=1)  # the potentials that fit the pairwise effects best
    if (np.abs(y - (effects[:, np.newaxis] - effects)) > MISMATCH * np.sqrt(v)).any():
        raise StatisticsError(f"study {name}: its effects do not add up around its {len(nodes)} arms")
    covariance = (v[1:, :1] + v[:1, 1:] - v[1:, 1:]) / 2
    eigenvalues = np.linalg.eigvalsh(covariance)
    if eigenvalues[0] <= NOT_DEFINITE * eigenvalues[-1]:
        raise StatisticsError(f"study {name}: the variances of its contrasts fit no {len(nodes)} arms")
    return Study(name, nodes, effects[1:] - effects[0], covariance)


def _pairwise(name: str, nodes: tuple[str, ...], rows: pd.DataFrame) -> tuple[Floats, Floats]:
    place = {node: index for index, node in enumerate(nodes)}
    y, v = np.zeros((len(nodes), len(nodes))), np.zeros((len(nodes), len(nodes)))
    for row in rows.itertuples():
        one, none = place[str(row.treatment1)], place[str(row.treatment0)]
        if one == none or v[one, none]:
            raise StatisticsError(
                f"study {name} compares {row.treatment1} with {row.treatment0} twice or with itself"
            )
        y[one, none], y[none, one] = float(str(row.y)), -float(str(row.y))
        v[one, none] = v[none, one] = float(str(row.v))
    wanted = len(nodes) * (len(nodes) - 1) // 2
    if len(rows) != wanted:
        raise StatisticsError(
            f"study {name} has {len(nodes)} treatments and {len(rows)} contrasts: give all {wanted}, whose "
            "variances carry the covariance, or counts"
        )
    return y, v


def components(studies: Iterable[Study]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of treatments that studies link, largest first."""
    return linked(study.treatments for study in studies)


def linked(sets: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the groups into which overlapping sets of names join, largest first."""
    groups: list[set[str]] = []
    for names in sets:
        joined = set(names).union(*(group for group in groups if group & set(names)))
        groups = [group for group in groups if not group & joined] + [joined]
    return tuple(sorted((tuple(sorted(group)) for group in groups), key=lambda group: (-len(group), group)))


def _refuse_disconnected(studies: tuple[Study, ...]) -> None:
    parts = components(studies)
    if len(parts) > 1:
        named = "; ".join("{" + ", ".join(part) + "}" for part in parts)
        raise StatisticsError(
            f"the network is disconnected, no study links its {len(parts)} components {named}: "
            "analyse each by itself"
        )
