"""Frequentist network meta-analysis: every treatment against every other, from all the evidence at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from evidence.errors import StatisticsError
from evidence.stats._checks import (
    LARGEST,
    Floats,
    chosen,
    confidence,
    natural_each,
    normal_quantile,
    number,
    whole,
)
from evidence.stats.network_data import RATIOS, Evidence, NetworkMeasure, read_evidence
from evidence.stats.network_fit import (
    Model,
    QTest,
    Spectrum,
    coefficients,
    consistency_model,
    dersimonian_laird,
    interaction_model,
    q_profile,
    q_test,
    reference_shares,
    restricted_likelihood,
    spectrum,
)
from evidence.stats.network_ranking import SEED, Better, PScores, p_scores
from evidence.stats.pool import INTERVALS, RESIDUAL, IntervalMethod

NetworkTau2 = Literal["REML", "DL", "FE"]

# What to assume of the between-study standard deviation of log ratios where it cannot be estimated: none, and
# values near the middle and the upper end of those found in meta-analyses (Turner and others, International
# Journal of Epidemiology 2012;41:818-827).
ASSUMED_TAU = (0.0, 0.25, 0.5)

NOTHING_LEFT = (
    "every comparison rests on the fewest studies that connect it: heterogeneity and inconsistency cannot be "
    "estimated, and the common effect (tau 0) is shown; show tau2 = 0.25**2 and 0.5**2 beside it"
)
LOOPS_ONLY = (
    "no two studies compare the same treatments: heterogeneity and inconsistency cannot be told apart; show "
    "the common effect and assumed values of tau2 (0, 0.25**2, 0.5**2)"
)
ASSUMED = "tau2 is assumed, not estimated"
INCONSISTENT = (
    "designs disagree more than chance allows (P for inconsistency below 0.05): do not rely on direct and "
    "indirect evidence together"
)
SIGNIFICANT = 0.05
LEFT_OUT = "studies without information are left out: {}"


@dataclass(frozen=True, slots=True)
class Network:
    """All pairwise effects of a network, on the analysis scale (log for ratios).

    ``estimate``, ``se``, ``low``, ``high`` and ``p`` are square: the effect of the row's treatment against
    the column's, in the order of ``treatments``, the reference first; ``covariance`` is that of the effects
    against the reference. ``tau2`` is the between-study variance of every contrast, with its Q-profile
    interval; ``i2`` is ``(Q - df) / Q`` in percent. ``q`` is the total, split into heterogeneity within
    designs (sets of treatments compared in a study) and inconsistency between them; all three weigh without
    tau2. ``q_inconsistency`` tests the same inconsistency with the tau2 found within designs
    (design-by-treatment interaction). What cannot be estimated is NaN, and ``warnings`` says so.
    ``direct`` counts the studies that compare each pair. ``reference_shares`` (treatments by ``studies``)
    says how far each effect falls when the reference arm of a study rises by 1. ``ci`` is the kind of
    interval, with ``df`` degrees of freedom (NaN for normal limits) and all variances times ``factor``.
    """

    measure: str
    reference: str
    treatments: tuple[str, ...]
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    covariance: Floats
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    q: float
    q_df: int
    q_p: float
    q_within: float
    q_within_df: int
    q_within_p: float
    q_between: float
    q_between_df: int
    q_between_p: float
    q_inconsistency: float
    q_inconsistency_p: float
    tau2_within: float
    p_scores: PScores
    direct: Floats
    designs: tuple[tuple[str, ...], ...]
    studies: tuple[str, ...]
    left_out: tuple[str, ...]
    k: int
    method: str
    level: float
    warnings: tuple[str, ...]
    reference_shares: Floats
    ci: str
    df: float
    factor: float

    def effects(self, *, scale: Literal["natural", "analysis"] = "natural") -> pd.DataFrame:
        """Return one row per ordered pair: ``treatment1, treatment0, estimate, low, high, se, p, direct``.

        ``se`` stays on the analysis scale; ``direct`` counts the studies that compare the two.
        """
        back = _back(self.measure, scale)
        rows = [
            (one, none, *(float(back(part[i, j])) for part in (self.estimate, self.low, self.high)),
             float(self.se[i, j]), float(self.p[i, j]), int(self.direct[i, j]))
            for i, one in enumerate(self.treatments) for j, none in enumerate(self.treatments) if i != j
        ]  # fmt: skip
        columns = ["treatment1", "treatment0", "estimate", "low", "high", "se", "p", "direct"]
        return pd.DataFrame(rows, columns=columns)

    def league(self, *, digits: int = 2, scale: Literal["natural", "analysis"] = "natural") -> pd.DataFrame:
        """Return the league table: each cell the row's treatment against the column's, with its interval."""
        back = _back(self.measure, scale)
        values = [back(part) for part in (self.estimate, self.low, self.high)]

        def cell(i: int, j: int) -> str:
            middle, low, high = (f"{part[i, j]:.{digits}f}" for part in values)
            return "" if i == j else f"{middle} ({low} to {high})"

        places = range(len(self.treatments))
        cells = [[cell(i, j) for j in places] for i in places]
        return pd.DataFrame(cells, index=list(self.treatments), columns=list(self.treatments))


def network(
    contrasts: pd.DataFrame,
    *,
    measure: NetworkMeasure,
    reference: str,
    tau2: NetworkTau2 | float = "REML",
    level: float = 0.95,
    better: Better = "larger",
    seed: int = SEED,
    ci: IntervalMethod = "Wald",
) -> Network:
    """Estimate all pairwise effects of a connected network of studies.

    Args:
        contrasts: one row per contrast with ``study``, ``treatment1``, ``treatment0``, the effect ``y`` of
            treatment1 against treatment0 on the analysis scale and its variance ``v`` (or ``se``); or,
            instead, the counts ``e1, n1, e0, n0`` (for RR, OR, RD). ``study_id``, ``arm1`` and ``arm0`` are
            read likewise, and so are netmeta's names. A study of more than two arms gives all its contrasts;
            their variances carry its covariances. A row without ``y`` and ``v`` is left out and named.
        measure: RR, OR, HR, IRR, ROM (logs), RD, MD or SMD.
        reference: the treatment that the first column of results is against.
        tau2: ``REML``, ``DL`` (moments), ``FE`` (common effect), or a number to assume. Where it cannot be
            estimated the common effect is given with a warning; show assumed values (``ASSUMED_TAU``
            squared) beside it.
        level: level of the intervals.
        better: which effects the P-scores call good.
        seed: of the draws behind the P-scores' intervals.
        ci: ``Wald`` (normal, tau2 taken as known), ``HKSJ`` (variances times the generalised Q at tau2 over
            its degrees of freedom, and t with as many) or ``HKSJ-adhoc`` (that factor at least 1). Where tau2
            is not estimated from the data the intervals are Wald whatever was asked.

    Returns:
        Effects, league table, P-scores, heterogeneity and inconsistency.

    Raises:
        StatisticsError: for unusable rows, unknown choices, or a disconnected network, with its components.

    Sources: Ruecker, Research Synthesis Methods 2012;3:312-324 (equal to generalised least squares, which is
    used here); Jackson, White and Riley, Statistics in Medicine 2012;31:3805-3820 (moments); Higgins and
    others, Research Synthesis Methods 2012;3:98-110 (inconsistency); Krahn, Binder and Koenig, BMC Medical
    Research Methodology 2013;13:35 (Q within and between designs); Jackson and Riley, Statistics in Medicine
    2014;33:541-554 (the factor of Hartung and Knapp where several effects are estimated together).

    One study of b against a and one of c against b, log odds ratios:

    >>> import pandas as pd
    >>> rows = [("s1", "b", "a", 0.5, 0.04), ("s2", "c", "b", 0.3, 0.05)]
    >>> frame = pd.DataFrame(rows, columns=["study", "treatment1", "treatment0", "y", "v"])
    >>> network(frame, measure="OR", reference="a").league().loc["c", "a"]
    '2.23 (1.24 to 4.01)'
    """
    evidence = read_evidence(contrasts, measure)
    chosen(reference, evidence.treatments, "reference")
    chosen(better, ("larger", "smaller"), "better")
    chosen(ci, INTERVALS, "ci")
    seed = whole(seed, "seed")
    level = confidence(level)
    fit = _fit(evidence, reference, tau2, level)
    reach = _reach(fit, ci, level)
    treatments = (reference, *(node for node in evidence.treatments if node != reference))
    effects, spread = coefficients(fit.model, fit.tau2)
    centre, covariance = _with_reference(effects, reach.factor * spread)
    shares = np.vstack([np.zeros(evidence.k), reference_shares(fit.model, fit.tau2)])
    estimate = centre[:, np.newaxis] - centre
    variance = np.diag(covariance)
    se = np.sqrt(np.maximum(variance[:, np.newaxis] + variance - 2 * covariance, 0.0))
    return Network(
        measure, reference, treatments, estimate, se, estimate - reach.quantile * se,
        estimate + reach.quantile * se, _p_values(estimate, se, reach.df), covariance,
        fit.tau2, *fit.interval, fit.i2,
        fit.total.statistic, fit.total.df, fit.total.p, fit.within.statistic, fit.within.df, fit.within.p,
        fit.between.statistic, fit.between.df, fit.between.p, fit.interaction.statistic,
        fit.interaction.p, fit.tau2_within,
        p_scores(treatments, centre, covariance, better, level, seed), _direct(evidence, treatments),
        _designs(evidence), tuple(study.name for study in evidence.studies), evidence.left_out,
        evidence.k, fit.method, level, _warnings(evidence, fit, tau2), shares, reach.ci, reach.df,
        reach.factor,
    )  # fmt: skip


class _Fit(NamedTuple):
    model: Model
    parts: Spectrum
    tau2: float
    method: str
    interval: tuple[float, float]
    i2: float
    total: QTest
    within: QTest
    between: QTest
    interaction: QTest
    tau2_within: float


def _fit(evidence: Evidence, reference: str, tau2: str | float, level: float) -> _Fit:
    model, own = consistency_model(evidence, reference), interaction_model(evidence)
    parts, own_parts = spectrum(model), spectrum(own)
    total = q_test(parts.q(), len(parts.squares))
    within = q_test(own_parts.q(), len(own_parts.squares))
    df = total.df - within.df
    between = q_test(total.statistic - within.statistic, df)
    tau2_within = dersimonian_laird(own_parts) if within.df else np.nan
    spread = tau2_within if within.df else 0.0
    interaction = q_test(parts.q(spread) - own_parts.q(spread), df)
    i2 = 100 * max(total.statistic - total.df, 0.0) / total.statistic if total.statistic else 0.0
    value, method = estimated_tau2(parts, tau2)
    return _Fit(
        model, parts, value, method, q_profile(parts, level), i2 if total.df else np.nan,
        total, within, between, interaction, tau2_within,
    )  # fmt: skip


class _Reach(NamedTuple):
    """How an interval is made: its kind, the factor of the variances, the quantile and its df."""

    ci: str
    factor: float
    quantile: float
    df: float


def _reach(fit: _Fit, ci: str, level: float) -> _Reach:
    df = fit.total.df
    if ci == "Wald" or fit.method not in ("REML", "DL"):
        return _Reach("Wald", 1.0, normal_quantile(level), np.nan)
    residual = fit.parts.q(fit.tau2)
    if residual <= RESIDUAL and ci == "HKSJ":
        raise StatisticsError("the studies agree to the last digit: an HKSJ interval has no width; use Wald")
    factor = residual / df
    quantile = -float(special.stdtrit(df, (1 - level) / 2))
    return _Reach(ci, max(factor, 1.0) if ci == "HKSJ-adhoc" else factor, quantile, float(df))


def estimated_tau2(parts: Spectrum, tau2: str | float) -> tuple[float, str]:
    """Return the between-study variance asked for, and how it came about."""
    if isinstance(tau2, str):
        chosen(tau2, ("REML", "DL", "FE"), "tau2")
        if tau2 == "FE" or not len(parts.squares):
            return 0.0, "FE"
        return (restricted_likelihood if tau2 == "REML" else dersimonian_laird)(parts), tau2
    assumed = number(tau2, "tau2")
    if not 0 <= assumed <= LARGEST:
        raise StatisticsError(f"tau2 is {assumed}: give a variance of at least 0, or REML, DL or FE")
    return assumed, "assumed"


def _with_reference(effects: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    whole = np.zeros((len(effects) + 1, len(effects) + 1))
    whole[1:, 1:] = covariance
    return np.concatenate([[0.0], effects]), whole


def _p_values(estimate: Floats, se: Floats, df: float) -> Floats:
    statistic = -np.abs(estimate) / np.where(se > 0, se, 1.0)
    tail = special.ndtr(statistic) if np.isnan(df) else special.stdtr(df, statistic)
    p = np.asarray(2 * tail, dtype=np.float64)
    np.fill_diagonal(p, np.nan)
    return p


def _direct(evidence: Evidence, treatments: tuple[str, ...]) -> Floats:
    table = np.zeros((len(treatments), len(treatments)))
    for study in evidence.studies:
        places = [treatments.index(node) for node in study.treatments]
        table[np.ix_(places, places)] += 1 - np.eye(len(places))
    return table


def _designs(evidence: Evidence) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({tuple(sorted(study.treatments)) for study in evidence.studies}))


def _back(measure: str, scale: str) -> Callable[[Floats], Floats]:
    """Return what takes an effect from the analysis scale to the one asked for."""
    chosen(scale, ("natural", "analysis"), "scale")
    return natural_each if scale == "natural" and measure in RATIOS else np.asarray


def _warnings(evidence: Evidence, fit: _Fit, tau2: str | float) -> tuple[str, ...]:
    said = {
        NOTHING_LEFT: fit.total.df == 0 and tau2 in ("REML", "DL"),
        LOOPS_ONLY: fit.total.df > 0 and fit.within.df == 0,
        ASSUMED: fit.method == "assumed",
        INCONSISTENT: fit.interaction.p < SIGNIFICANT,
        LEFT_OUT.format(", ".join(evidence.left_out)): bool(evidence.left_out),
    }
    return tuple(text for text, holds in said.items() if holds)
