"""What one group of studies says: risks, the relative effect and the difference at the control risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy.special import ndtri

from evidence.data import Dataset
from evidence.errors import ParameterError, StatisticsError
from evidence.parameters import Parameters
from evidence.questions.selection import Row, is_empty
from evidence.questions.studies import Study, differences_between
from evidence.stats import (
    AbsoluteEffect,
    PooledComparison,
    PooledProportion,
    Proportion,
    absolute_effect,
    compare,
    mantel_haenszel,
    pool_comparisons,
    pool_proportions,
    proportion,
)
from evidence.wording import Allocation, Verdict, verdict_of

RatioMeasure = Literal["RR", "OR"]
NAMED = "named in the question"
OWN = "the comparator arms of the included studies"
SIDE_BY_SIDE = "secondary: two studies stand side by side"


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect of treatment against comparator, of one study or pooled over several."""

    measure: str
    estimate: float
    low: float
    high: float
    p: float
    method: str

    @property
    def limits(self) -> tuple[float, float, float]:
        """Return the estimate with its lower and upper limit."""
        return self.estimate, self.low, self.high


@dataclass(frozen=True, slots=True)
class ControlRisk:
    """The risk without treatment that absolute effects start from, and where it comes from."""

    risk: Proportion
    source: str
    correlation: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What studies of one allocation say together.

    ``each`` holds every study's own difference in risk. With two studies (``side_by_side``) those are the
    result; ``effect`` and ``difference`` are then secondary. ``pooled`` has the relative effect with
    heterogeneity, Wald's limits and what became of empty cells.
    """

    allocation: Allocation
    studies: tuple[Study, ...]
    treatment: Proportion | None
    control: Proportion | None
    control_source: str
    effect: Estimate | None
    difference: Estimate | None
    pooled: PooledComparison | None
    each: tuple[Estimate, ...]

    @property
    def side_by_side(self) -> bool:
        """Return whether two studies stand side by side, any summary of them being secondary."""
        return len(self.each) == 2

    @property
    def taken_together(self) -> str:
        """Return in what the studies differ that are taken together, nothing where there is one study."""
        return differences_between(self.studies) if len(self.studies) > 1 else ""

    @property
    def measured(self) -> bool:
        """Return whether both risks were measured in one study."""
        return len(self.studies) == 1 and (self.control is None or self.control_source == OWN)


def find(
    studies: Sequence[Study],
    question: Row,
    rows: Sequence[Row],
    data: Dataset,
    parameters: Parameters,
    *,
    allocation: Allocation,
) -> Finding:
    """Return what a group of studies says to a question under the parameters.

    One study: its own risks and its own difference. More: the control risk that the question names, or that
    of the median study's comparator arm, and what the pooled ratio makes of it.
    """
    level, method = parameters.confidence_level, parameters.proportion_method
    treated = _risk([study.treatment.counts for study in studies], level, method)
    if any(study.comparator is None for study in studies) or not studies:
        return Finding(allocation, tuple(studies), treated, None, "", None, None, None, ())
    fours = [study.four for study in studies]
    pooled = _pooled(fours, relative(parameters), parameters)
    control = control_risk(studies, question, rows, data, parameters, pooled)
    each = tuple(measured_difference(four, parameters) for four in fours)
    difference = _difference(fours, pooled, control, each, parameters)
    if not (len(each) == 1 and control.source == OWN) and treated is not None:
        treated = _treated(treated, difference, control, pooled)
    return Finding(
        allocation, tuple(studies), treated, control.risk, control.source, _estimate(pooled), difference,
        pooled, each,
    )  # fmt: skip


def relative(parameters: Parameters) -> RatioMeasure:
    """Return the ratio that pooling uses: the parameters' measure, or the risk ratio for a difference."""
    return "OR" if parameters.effect_measure == "OR" else "RR"


def measured_difference(four: tuple[int, int, int, int], parameters: Parameters) -> Estimate:
    """Return one study's own difference in risk."""
    made = compare(
        *four, measure="RD", method=parameters.difference_method, level=parameters.confidence_level
    )
    return Estimate("RD", made.estimate, made.low, made.high, made.p, made.method)


def finding_verdict(finding: Finding, *, better: str, important: float) -> Verdict:
    """Return what may be said: of two studies only what both say, otherwise what the interval allows."""
    if finding.difference is None:
        return Verdict("described" if finding.treatment else "nothing", "neither")
    shown = finding.each if finding.side_by_side else (finding.difference,)
    said = {verdict_of(one.low, one.high, better=better, important=important) for one in shown}
    return said.pop() if len(said) == 1 else Verdict("uncertain", "neither")


def _risk(counts: Sequence[tuple[int, int]], level: float, method: str) -> Proportion | None:
    """Return the risk on one side: of one study directly, of several as that of the median study."""
    if not counts:
        return None
    if len(counts) == 1:
        return proportion(*counts[0], level=level, method=method)  # type: ignore[arg-type]
    found = median_risk(counts, level)
    return Proportion(
        found.estimate, found.low, found.high, found.events, found.n, level, f"{found.method}, {found.centre}"
    )


def median_risk(counts: Sequence[tuple[int, int]], level: float) -> PooledProportion:
    """Return the proportion of the median study; by logits where the binomial-normal model has no answer."""
    events, n = [one[0] for one in counts], [one[1] for one in counts]
    try:
        return pool_proportions(events, n, level=level)
    except StatisticsError:
        return pool_proportions(events, n, level=level, method="logit")


def _pooled(
    fours: Sequence[tuple[int, int, int, int]], measure: RatioMeasure, parameters: Parameters
) -> PooledComparison | None:
    try:
        return pool_comparisons(
            fours,
            measure=measure,
            tau2=parameters.pooling_method,
            ci=parameters.interval_method,
            level=parameters.confidence_level,
        )
    except StatisticsError:  # no study informs a ratio: the difference alone speaks
        return None


def _estimate(pooled: PooledComparison | None) -> Estimate | None:
    if pooled is None:
        return None
    method = f"{pooled.method}; {SIDE_BY_SIDE}" if pooled.secondary else pooled.method
    return Estimate(pooled.measure, pooled.estimate, pooled.low, pooled.high, pooled.p, method)


def control_risk(
    studies: Sequence[Study],
    question: Row,
    rows: Sequence[Row],
    data: Dataset,
    parameters: Parameters,
    pooled: PooledComparison | None,
) -> ControlRisk:
    """Return the control risk that the question names: a number, a study's arm, or the comparator arms."""
    named = question["control_risk"]
    own = [study.comparator.counts for study in studies if study.comparator]
    events, n = (sum(part) for part in zip(*own, strict=True))
    level = parameters.confidence_level
    if is_empty(named):
        risk = _risk(own, level, parameters.proportion_method)
        assert risk is not None  # noqa: S101 - every study here has a comparator
        return ControlRisk(risk, OWN, _correlation(own, risk, pooled, level))
    if "/" in str(named):
        found = _arm_risk(str(named), rows, parameters)
        return ControlRisk(replace(found, events=events, n=n), f"{named}, {NAMED}")
    value = float(named)
    return ControlRisk(Proportion(value, value, value, events, n, level, NAMED), NAMED)


def _arm_risk(reference: str, rows: Sequence[Row], parameters: Parameters) -> Proportion:
    """Return the risk in a study's arm, ``study_id/arm_id``, at the latest time that has a count."""
    study, arm = reference.split("/", 1)
    known = [
        row
        for row in rows
        if (row["study_id"], row["arm_id"]) == (study, arm) and row["reason"] != "outside the window of time"
    ]
    counted = [row for row in known if not is_empty(row["events"]) and not is_empty(row["n"])]
    if not counted:
        raise ParameterError(f"control_risk {reference!r}: no count of the outcome in that arm in the window")
    row, level = counted[-1], parameters.confidence_level
    return proportion(int(row["events"]), int(row["n"]), level=level, method=parameters.proportion_method)


def _correlation(
    own: Sequence[tuple[int, int]], risk: Proportion, pooled: PooledComparison | None, level: float
) -> float:
    """Return how the control risk and the ratio hang together: they share the comparator arms.

    The logarithm (OR: logit) of a study's control risk enters its own log ratio with the opposite sign, so
    the covariance is minus the sum of weight in the ratio x weight in the control risk x variance.
    """
    if pooled is None or not 0 < risk.low <= risk.high < 1:
        return 0.0
    logits = [(e + 0.5, n - e + 0.5) for e, n in own]
    precision = [1 / (1 / e + 1 / rest) for e, rest in logits]
    share = [one / sum(precision) for one in precision]
    variance = [1 / e - 1 / (e + rest) if pooled.measure == "RR" else 1 / e + 1 / rest for e, rest in logits]
    covariance = -sum(
        weight / 100 * part * one for weight, part, one in zip(pooled.weights, share, variance, strict=True)
    )
    wide = 2 * float(ndtri((1 + level) / 2))
    ratio = math.log(pooled.wald_high / pooled.wald_low) / wide
    spread = _spread(risk, pooled.measure) / wide
    return max(-0.999, min(0.0, covariance / (ratio * spread)))


def _spread(risk: Proportion, measure: str) -> float:
    low, high = (
        (math.log(end) if measure == "RR" else math.log(end / (1 - end))) for end in (risk.low, risk.high)
    )
    return high - low


def _difference(
    fours: Sequence[tuple[int, int, int, int]],
    pooled: PooledComparison | None,
    control: ControlRisk,
    each: Sequence[Estimate],
    parameters: Parameters,
) -> Estimate:
    """Return the difference in risk: measured in one study, else from the ratio and the control risk."""
    if len(each) == 1 and control.source == OWN:
        return each[0]
    if pooled is None:
        return _common_difference(fours, parameters)
    found = at_control_risk(pooled, control)
    method = f"{found.method}; {SIDE_BY_SIDE}" if pooled.secondary else found.method
    return replace(found, method=method)


def at_control_risk(pooled: PooledComparison, control: ControlRisk) -> Estimate:
    """Return the difference in risk that a ratio makes of a control risk, with both uncertainties."""
    made = _at_risk(pooled, control)
    return Estimate("RD", made.difference, made.low, made.high, pooled.p, made.method)


def _at_risk(pooled: PooledComparison, control: ControlRisk) -> AbsoluteEffect:
    measure: RatioMeasure = "OR" if pooled.measure == "OR" else "RR"
    return absolute_effect(
        (pooled.estimate, pooled.low, pooled.high),
        (control.risk.estimate, control.risk.low, control.risk.high),
        measure=measure,
        correlation=control.correlation,
    )


def _common_difference(fours: Sequence[tuple[int, int, int, int]], parameters: Parameters) -> Estimate:
    tables = [[[e1, n1 - e1], [e0, n0 - e0]] for e1, n1, e0, n0 in fours]
    made = mantel_haenszel(tables, measure="RD", level=parameters.confidence_level)
    return Estimate("RD", made.estimate, made.low, made.high, made.p, "Mantel-Haenszel")


def _treated(
    measured: Proportion, difference: Estimate, control: ControlRisk, pooled: PooledComparison | None
) -> Proportion:
    """Return the risk with treatment that goes with the control risk and the difference."""
    if pooled is None:
        middle = min(1.0, max(0.0, control.risk.estimate + difference.estimate))
        return replace(measured, estimate=middle, method=difference.method)
    made = _at_risk(pooled, control)
    return replace(
        measured, estimate=made.treated, low=made.treated_low, high=made.treated_high, method=made.method
    )
