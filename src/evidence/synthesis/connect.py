"""From the tidy tables to the arms of a network: what goes in, what stays out, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

import pandas as pd

from evidence.data.treatments import treatment_name
from evidence.errors import StatisticsError
from evidence.parameters import IntervalMethod, Parameters
from evidence.results import Tables, days, plain, rates, records
from evidence.stats import Network, arm_contrasts, network
from evidence.stats.network_data import linked

Row = dict[str, Any]
Window = tuple[float, float, str]
Doses = Literal["apart", "together"]
CountMeasure = Literal["RR", "OR", "RD"]

HALF_A_DAY = 0.5  # a window in months takes a time in days that rounds into it
NO_COUNT = "no count of patients"
NO_RESULTS = "no study compares two treatments in the results asked for"
# fmt: off
ARMS = [
    "study_id", "study_label", "treatment", "events", "n", "row_id", "outcome_id", "outcome_label", "time",
    "time_unit", "time_label", "design", "randomised", "population", "basis", "origin",
]
STUDY = ["study_id", "indication", "population", "design", "randomised", "parent_study_id"]
ARM = ["study_id", "arm_id", "node", "dose_value", "dose_unit", "combines", "role"]
# fmt: on
WEAKEST = ("assumed", "derived", "printed")


class Linking(TypedDict, total=False):
    """What a network is made of; a value that is not given asks nothing.

    ``indication``, ``designs``, ``populations`` choose studies, ``except_designs`` and
    ``except_populations`` leave some out; ``treatments`` are the only ones to use; ``window`` is the earliest
    and latest time with their unit; ``doses`` of a treatment stand ``apart`` (the default) or ``together``.
    """

    indication: str
    designs: Sequence[str]
    populations: Sequence[str]
    except_designs: Sequence[str]
    except_populations: Sequence[str]
    treatments: Sequence[str]
    window: Window | None
    doses: Doses


@dataclass(frozen=True, slots=True)
class Connected:
    """The arms of a network, and every result that was looked at.

    ``arms`` has one row per study and treatment (``ARMS``), ``rows`` every candidate with its ``reason``,
    empty where it went in; ``labels`` names the treatments.
    """

    arms: pd.DataFrame
    rows: pd.DataFrame
    labels: Mapping[str, str]

    @property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of treatments that studies link, largest first."""
        groups = self.arms.groupby("study_id", sort=False)
        return linked([[str(one) for one in group["treatment"]] for _, group in groups])

    @property
    def studies(self) -> tuple[str, ...]:
        """Return the studies that went in."""
        return tuple(dict.fromkeys(str(one) for one in self.arms["study_id"]))

    def contrasts(self, measure: CountMeasure) -> pd.DataFrame:
        """Return all contrasts within the studies, as ``evidence.stats.arm_contrasts``.

        Raises:
            StatisticsError: no study compares two treatments.
        """
        if self.arms.empty:
            raise StatisticsError(NO_RESULTS)
        columns = (self.arms[name] for name in ("study_id", "treatment", "events", "n"))
        return arm_contrasts(*columns, measure=measure)

    def network(
        self,
        measure: CountMeasure,
        *,
        reference: str,
        tau: float | None = None,
        level: float = 0.95,
        better: str = "",
        ci: IntervalMethod = "Wald",
    ) -> Network:
        """Return the network's effects.

        Args:
            measure: RR, OR or RD.
            reference: the treatment that the others are set against.
            tau: a between-study standard deviation to assume; None estimates it where it can be.
            level: of the intervals.
            better: ``lower`` where fewer events are good.
            ci: how intervals are made where tau is estimated; see ``evidence.stats.network``.

        Raises:
            StatisticsError: nothing to compare, an unknown reference, or a disconnected network, its
                components named.
        """
        contrasts = self.contrasts(measure)
        self._refuse_disconnected()
        tau2: Any = "REML" if tau is None else tau**2
        good: Any = "smaller" if better == "lower" else "larger"
        return network(
            contrasts, measure=measure, reference=reference, tau2=tau2, level=level, better=good, ci=ci
        )

    def _refuse_disconnected(self) -> None:
        parts = self.components
        if len(parts) > 1:
            named = "; ".join("{" + ", ".join(self.labels[one] for one in part) + "}" for part in parts)
            raise StatisticsError(
                f"the network is disconnected, no study links its {len(parts)} components {named}: "
                "analyse each by itself"
            )


def connect(
    data: Tables, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Linking]
) -> Connected:
    """Choose the arms of a network from the data.

    Args:
        data: the tidy tables; of every result only the row that counts enters.
        parameters: what is done about missing values and derived counts.
        outcome_ids: the outcomes that count as the same, the preferred first. A study enters with one of
            them, at one time: the latest in the window at which two or more of its treatments were counted.
        **choice: which studies, treatments, times and doses; see ``Linking``.

    Returns:
        The arms that went in and every result with the reason why it stayed out. Arms that are sums of others
        stay out, arms of one treatment in a study are added up, and of studies that share patients the parent
        enters, or the first part where the parent has no such result.
    """
    rows = [
        row | {"reason": _reason(row, choice)} for row in _candidates(data, parameters, outcome_ids, choice)
    ]
    rows = _share_patients_once(_one_result_each(rows, list(outcome_ids)))
    labels = _labels([row for row in rows if row["treatment"]])
    columns = list(rows[0]) if rows else [*ARMS, "reason"]
    return Connected(
        _arms([row for row in rows if not row["reason"]]), pd.DataFrame(rows, columns=columns), labels
    )


def _candidates(
    data: Tables, parameters: Parameters, outcome_ids: Sequence[str], choice: Linking
) -> list[Row]:
    frame = rates(data, parameters, outcome_ids=outcome_ids, subgroup="")
    joined = frame.merge(data.arms[ARM], on=["study_id", "arm_id"], how="left")
    joined = joined.merge(data.studies[STUDY], on="study_id", how="left")
    wanted = choice.get("indication")
    rows = [row for row in records(joined) if not row["category"]]
    rows = [row for row in rows if wanted is None or row["indication"] == wanted]
    return [row | {"treatment": _treatment(row, choice.get("doses", "apart"))} for row in rows]


def _treatment(row: Row, doses: Doses) -> str:
    node = str(row["node"]) if _filled(row["node"]) else ""
    return node if doses == "together" else treatment_name(node, row["dose_value"], row["dose_unit"])


def _reason(row: Row, choice: Linking) -> str:
    tests = {
        "another design": _wanted(row["design"], choice.get("designs"), choice.get("except_designs")),
        "another population": _wanted(
            row["population"], choice.get("populations"), choice.get("except_populations")
        ),
        "outside the window of time": _inside(row, choice.get("window")),
        "the sum of other arms": not _filled(row["combines"]),
        "another treatment": bool(row["treatment"])
        and _wanted(row["treatment"], choice.get("treatments"), None),
        NO_COUNT: pd.notna(row["events"]) and pd.notna(row["n"]),
    }
    return next((reason for reason, holds in tests.items() if not holds), "")


def _wanted(value: Any, only: Sequence[str] | None, but: Sequence[str] | None) -> bool:
    return (only is None or value in only) and value not in (but or ())


def _filled(value: Any) -> bool:
    return bool(value) and not pd.isna(value)


def _inside(row: Row, window: Window | None) -> bool:
    if window is None:
        return True
    first, last, unit = window
    day = days(row["time"], row["time_unit"])
    return days(first, unit) - HALF_A_DAY <= day <= days(last, unit) + HALF_A_DAY


def _setting(row: Row, outcome_ids: list[str]) -> tuple[Any, ...]:
    """Return what a study's result is of, the one to prefer being the largest."""
    day = days(row["time"], row["time_unit"])
    return (
        -outcome_ids.index(row["outcome_id"]),
        day if math.isfinite(day) else -1.0,
        str(row["analysis_set"]),
    )


def _one_result_each(rows: list[Row], outcome_ids: list[str]) -> list[Row]:
    """Leave each study one outcome at one time, counted for at least two treatments."""
    treated: dict[str, dict[tuple[Any, ...], set[str]]] = {}
    for row in (row for row in rows if not row["reason"]):
        settings = treated.setdefault(row["study_id"], {})
        settings.setdefault(_setting(row, outcome_ids), set()).add(row["treatment"])
    best = {
        study: max((one for one, treatments in settings.items() if len(treatments) > 1), default=None)
        for study, settings in treated.items()
    }

    def judged(row: Row) -> str:
        if row["reason"] or best[row["study_id"]] == _setting(row, outcome_ids):
            return str(row["reason"])
        alone = best[row["study_id"]] is None
        return "no other treatment to compare with" if alone else "another result of the same study went in"

    return [row | {"reason": judged(row)} for row in rows]


def _share_patients_once(rows: list[Row]) -> list[Row]:
    chosen: dict[str, str] = {}
    for row in sorted(
        (row for row in rows if not row["reason"]), key=lambda row: _filled(row["parent_study_id"])
    ):
        chosen.setdefault(row["parent_study_id"] or row["study_id"], row["study_id"])
    kept, shared = set(chosen.values()), {"reason": "shares patients with a study that went in"}
    return [row | shared if not row["reason"] and row["study_id"] not in kept else row for row in rows]


def _arms(rows: list[Row]) -> pd.DataFrame:
    """Return one row per study and treatment, arms of one treatment added up."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["study_id"], row["treatment"]), []).append(row)
    frame = pd.DataFrame([_sum(group) for group in groups.values()], columns=ARMS)
    return frame.astype({"events": "Int64", "n": "Int64"})


def _sum(group: list[Row]) -> Row:
    added = {name: sum(int(row[name]) for row in group) for name in ("events", "n")}
    weakest = min((str(row["basis"]) for row in group), key=WEAKEST.index)
    origin = "external" if any(row["origin"] == "external" for row in group) else str(group[0]["origin"])
    known = {"row_id": "|".join(str(row["row_id"]) for row in group), "basis": weakest, "origin": origin}
    return {name: group[0][name] for name in ARMS} | added | known


def _labels(rows: list[Row]) -> dict[str, str]:
    said: dict[str, list[Row]] = {}
    for row in rows:
        said.setdefault(row["treatment"], []).append(row)
    return {treatment: treatment_label(treatment, [str(row["arm_label"]) for row in group])
            for treatment, group in said.items()}  # fmt: skip


def treatment_label(treatment: str, labels: Sequence[str]) -> str:
    """Return how a treatment is written: as an arm's label says it, else its id in words.

    >>> treatment_label("drug+old", ["Drug + old", "Both"]), treatment_label("drug 5 mg", ["High", "Low"])
    ('Drug + old', 'Drug 5 mg')
    """
    bare = re.sub(r"\s", "", treatment.lower())
    exact = [label for label in labels if re.sub(r"\s", "", label.lower()) == bare]
    if exact or len(set(labels)) == 1:
        return (exact or list(labels))[0]
    return plain(treatment.replace("+", " + "))
