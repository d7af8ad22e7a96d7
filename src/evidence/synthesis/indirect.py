"""Comparisons that no study made: absolute effects in a network, and direct against indirect evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from evidence.errors import StatisticsError
from evidence.format import in_sentence
from evidence.parameters import Parameters
from evidence.results import Tables, records
from evidence.stats import (
    ASSUMED_TAU,
    Contrast,
    Network,
    PooledProportion,
    bucher,
    compare,
    pool,
    pool_proportions,
)
from evidence.stats.compare import EVERY_CELL
from evidence.stats.network_risks import NetworkRisks, ReferenceRisk, common_risk, network_risks
from evidence.synthesis.connect import (
    NO_COUNT,
    Connected,
    CountMeasure,
    Linking,
    Window,
    connect,
    treatment_label,
)
from evidence.wording import Allocation, allocation_of

Floats = NDArray[np.float64]
RatioMeasure = Literal["RR", "OR"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The risk with the reference treatment, between 0 and 1, and where it comes from.

    Where the studies' risks differ no more than by chance it is that of all their patients, otherwise that in
    the median study (binomial-normal model). ``risk`` carries what it shares with the network's effects.
    """

    treatment: str
    risk: ReferenceRisk
    events: int
    n: int
    k: int
    method: str

    @property
    def estimate(self) -> float:
        """Return the risk."""
        return self.risk.estimate

    @property
    def low(self) -> float:
        """Return its lower limit."""
        return self.risk.low

    @property
    def high(self) -> float:
        """Return its upper limit."""
        return self.risk.high


def baseline_risk(connected: Connected, treatment: str, *, level: float = 0.95) -> Baseline:
    """Return the risk in the arms of one treatment.

    Raises:
        StatisticsError: no arm has the treatment.
    """
    arms = connected.arms[connected.arms["treatment"] == treatment]
    if arms.empty:
        raise StatisticsError(f"no arm has {treatment}: there is no risk to start from")
    events, n = (arms[name].to_numpy(dtype=np.float64) for name in ("events", "n"))
    studies = [str(one) for one in arms["study_id"]]
    pooled = pool_proportions(list(arms["events"]), list(arms["n"]), level=level)
    corrected = _corrected(connected)
    if pooled.tau2 > 0:
        halves = np.array([0.5 * (name in corrected) for name in studies])
        with np.errstate(divide="ignore"):  # a study without any event takes no part in the network
            own = 1 / (events + halves) + 1 / (n - events + halves)
        risk, method = _median_risk(pooled, n, own, studies), pooled.method
    else:
        risk, method = common_risk(events, n, studies, corrected=corrected, level=level), "wilson"
    return Baseline(treatment, risk, pooled.events, pooled.n, pooled.k, method)


def _corrected(connected: Connected) -> set[str]:
    """Return the studies whose odds ratios are of counts with half a patient added to every cell."""
    contrasts = connected.contrasts("OR")
    return set(map(str, contrasts.loc[contrasts["correction"] == EVERY_CELL, "study"]))


def _median_risk(pooled: PooledProportion, n: Floats, own: Floats, studies: list[str]) -> ReferenceRisk:
    """Return the risk in the median study, each study's share in its logit as in an inverse-variance mean.

    ``own`` is the variance of each reference arm's logit in the network. Together the arms share no more with
    the logit than it has.
    """
    low, middle, high = special.logit([pooled.low, pooled.estimate, pooled.high])
    within = 1 / (n * pooled.estimate * (1 - pooled.estimate))
    weights = 1 / (within + pooled.tau2)
    se = float(high - low) / (2 * float(special.ndtri((1 + pooled.level) / 2)))
    common = weights * within / weights.sum()
    most = float(np.sqrt((common**2 / own).sum()))
    if most > se:
        common *= se / most
    shared = dict(zip(studies, common.tolist(), strict=True))
    return ReferenceRisk(pooled.estimate, pooled.low, pooled.high, float(middle), se**2, shared)


def absolute_effects(result: Network, baseline: Baseline) -> pd.DataFrame:
    """Return the risks and their differences that odds ratios give at a baseline risk.

    Args:
        result: a network of odds ratios.
        baseline: the risk with its reference.

    Returns:
        One row per ordered pair: ``treatment1, treatment0, risk1, risk1_low, risk1_high, difference, low,
        high``, with the limits of ``network_risks``, which allow for the patients that effects and risk
        share.

    Raises:
        StatisticsError: the network is of another measure, or has another reference.
    """
    if result.measure != "OR" or result.reference != baseline.treatment:
        raise StatisticsError(
            f"absolute effects need odds ratios against {baseline.treatment}, not "
            f"{result.measure} against {result.reference}"
        )
    made = network_risks(result, baseline.risk)
    places = range(len(result.treatments))
    rows = [_pair(result, made, i, j) for i in places for j in places if i != j]
    return pd.DataFrame(rows)


def _pair(result: Network, made: NetworkRisks, i: int, j: int) -> dict[str, object]:
    return {
        "treatment1": result.treatments[i],
        "treatment0": result.treatments[j],
        "risk1": float(made.risk[i]),
        "risk1_low": float(made.risk_low[i]),
        "risk1_high": float(made.risk_high[i]),
        "difference": float(made.difference[i, j]),
        "low": float(made.low[i, j]),
        "high": float(made.high[i, j]),
    }


def effects_by_tau(
    connected: Connected,
    *,
    measure: CountMeasure,
    reference: str,
    taus: Sequence[float] = ASSUMED_TAU,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return all pairwise effects under each assumed between-study standard deviation.

    Returns:
        The columns of ``Network.effects`` after ``tau``, on the natural scale.

    Raises:
        StatisticsError: as ``Connected.network``.
    """
    made = [
        connected.network(measure, reference=reference, tau=tau, level=level).effects().assign(tau=tau)
        for tau in taus
    ]
    return pd.concat(made, ignore_index=True)


@dataclass(frozen=True, slots=True)
class Edge:
    """One comparison of two treatments from the studies that made it, pooled on the log scale.

    ``arms`` has one row per study and side, ``allocation`` says how patients came to their treatments in all
    of them.
    """

    treatment: str
    comparator: str
    arms: pd.DataFrame
    effect: Contrast
    k: int
    method: str
    allocation: Allocation


@dataclass(frozen=True, slots=True)
class Loop:
    """A comparison made directly and through a third treatment, of one outcome in one window of time.

    ``edges`` are treatment against comparator, treatment against the third and comparator against the third,
    each None where no study made it. ``indirect`` and ``difference`` (direct minus indirect, log scale) are
    None where they cannot be had, and ``reason`` says why.
    """

    outcome_id: str
    outcome_label: str
    window: Window | None
    measure: RatioMeasure
    edges: tuple[Edge | None, Edge | None, Edge | None]
    indirect: Contrast | None
    difference: Contrast | None
    reason: str
    labels: dict[str, str]


def close_loop(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_id: str,
    treatment: str,
    comparator: str,
    through: str,
    measure: RatioMeasure = "RR",
    **choice: Unpack[Linking],
) -> Loop:
    """Set the direct comparison of two treatments against the indirect one through a third.

    Args:
        data: the tidy tables.
        parameters: level, methods of pooling, and what is done about missing and derived counts.
        outcome_id: the outcome.
        treatment: the first of the two, as arms name it.
        comparator: the second.
        through: the third, with which both were compared in other studies.
        measure: ``RR`` or ``OR``.
        **choice: which studies and when; see ``Linking``. Doses stand together unless said otherwise.

    Returns:
        The three comparisons, the indirect one (Bucher and others 1997) and the difference. A study of all
        three treatments counts for the direct comparison alone.
    """
    names = (treatment, comparator, through)
    wanted: Linking = {"doses": "together", **choice, "treatments": names}
    found = connect(data, parameters, outcome_ids=[outcome_id], **wanted)
    direct = _edge(found.arms, treatment, comparator, measure, parameters)
    used = set(direct.arms["study_id"]) if direct else set()
    others = found.arms[~found.arms["study_id"].isin(used)]
    one, two = (_edge(others, name, through, measure, parameters) for name in names[:2])
    level = parameters.confidence_level
    indirect = bucher(one.effect, two.effect, level=level) if one and two else None
    difference = bucher(direct.effect, indirect, level=level) if direct and indirect else None
    labels = {name: found.labels.get(name) or treatment_label(name, []) for name in names}
    reason = _lacking(
        {(treatment, comparator): direct, (treatment, through): one, (comparator, through): two},
        labels,
        found,
    )
    named = data.outcomes.loc[data.outcomes["outcome_id"] == outcome_id, "label"]
    return Loop(
        outcome_id, str(named.iloc[0]) if len(named) else outcome_id, choice.get("window"), measure,
        (direct, one, two), indirect, difference, reason, labels,
    )  # fmt: skip


def _lacking(edges: dict[tuple[str, str], Edge | None], labels: dict[str, str], found: Connected) -> str:
    missing = [
        f"{in_sentence(labels[one])} against {in_sentence(labels[none])}{_uncounted(one, none, found)}"
        for (one, none), edge in edges.items()
        if edge is None
    ]
    return f"no study with counts of {'; nor of '.join(missing)}" if missing else ""


def _uncounted(one: str, none: str, found: Connected) -> str:
    """Return which studies of two treatments print a percentage of one without a count that fits."""
    names = []
    groups = found.rows.groupby("study_label", sort=False) if len(found.rows) else ()
    for study, rows in groups:
        own = rows[rows["treatment"].isin([one, none])]
        without = own["percent"].astype(bool) & (own["reason"] == NO_COUNT)
        if own["treatment"].nunique() == 2 and without.any():
            names.append(str(study))
    return f" ({'; '.join(names)}: a printed percentage gives no count)" if names else ""


def _edge(
    arms: pd.DataFrame, treatment: str, comparator: str, measure: RatioMeasure, parameters: Parameters
) -> Edge | None:
    sides = arms[arms["treatment"].isin([treatment, comparator])]
    both = sides.groupby("study_id", sort=False)["treatment"].transform("nunique") == 2
    sides = sides[both.astype(bool)]
    if sides.empty:
        return None
    pairs = [
        _study_effect(group, treatment, measure, parameters)
        for _, group in sides.groupby("study_id", sort=False)
    ]
    y, v = zip(*pairs, strict=True)
    return Edge(
        treatment,
        comparator,
        sides,
        *_pooled(y, v, parameters),
        allocation_of(set(sides["randomised"].fillna(""))),
    )


def _study_effect(
    group: pd.DataFrame, treatment: str, measure: RatioMeasure, parameters: Parameters
) -> tuple[float, float]:
    one, none = sorted(records(group), key=lambda row: row["treatment"] != treatment)
    level = parameters.confidence_level
    made = compare(one["events"], one["n"], none["events"], none["n"], measure=measure, level=level)
    width = 2 * float(special.ndtri((1 + level) / 2))
    return math.log(made.estimate), (math.log(made.high / made.low) / width) ** 2


def _pooled(y: Sequence[float], v: Sequence[float], parameters: Parameters) -> tuple[Contrast, int, str]:
    ci = "Wald" if parameters.pooling_method == "FE" else parameters.interval_method
    made = pool(y, v, tau2=parameters.pooling_method, ci=ci, level=parameters.confidence_level)
    contrast = Contrast(made.estimate, made.se, made.low, made.high, made.p, made.level)
    return contrast, made.k, "one study" if made.k == 1 else f"{made.method}, {made.ci}"
