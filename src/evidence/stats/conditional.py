"""Conditional logistic regression of treatments, stratified by study: odds ratios of sparse counts.

Given a study's events in total, those of its arms follow a product of binomials conditioned on their sum
(Fisher's noncentral hypergeometric distribution): study effects drop out, no cell is corrected.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from evidence.errors import StatisticsError
from evidence.memo import kept
from evidence.stats._checks import Floats, chosen, confidence, counts, named, same_length
from evidence.stats.network_data import linked
from evidence.stats.tables import EXACT_UP_TO

SETTLED = (
    1e-10  # gain in likelihood below which a step is the last: what it leaves is of the order of its square
)
STEPS = 200
MOST_EVENTS = 10**5  # of a study: the convolution of its arms takes time by their square
BISECTIONS = 12  # halves a range of about 80 to 0.02, far closer than needed
NEGLIGIBLE = -90.0  # log of the share of a binomial's largest probability below which it is left out
FAR = 25.0  # log odds ratio beyond which nothing changes any more: the estimate is infinite
INFINITE = 15.0  # a log odds ratio that large (3 million) is on its way to infinity


@dataclass(frozen=True, slots=True)
class ConditionalEffects:
    """Common odds ratios between all treatments, natural scale, the row's against the column's.

    ``low`` and ``high`` are profile-likelihood limits and ``p`` is the likelihood-ratio test; an
    estimate can be 0 or infinite, and then so is one limit, or NaN where the data say nothing of it.
    ``se`` is that of the log odds ratio (NaN where that is infinite). ``k`` counts the studies with
    information.
    """

    reference: str
    treatments: tuple[str, ...]
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    log_likelihood: float
    k: int
    left_out: tuple[str, ...]
    level: float
    method: str

    def frame(self) -> pd.DataFrame:
        """Return one row per ordered pair: ``treatment1, treatment0, estimate, low, high, se, p``."""
        rows = [
            (
                one,
                none,
                *(float(part[i, j]) for part in (self.estimate, self.low, self.high, self.se, self.p)),
            )
            for i, one in enumerate(self.treatments)
            for j, none in enumerate(self.treatments)
            if i != j
        ]
        names = ["treatment1", "treatment0", "estimate", "low", "high", "se", "p"]
        return pd.DataFrame(rows, columns=names)


def conditional_logistic(
    study: Iterable[Hashable],
    treatment: Iterable[Hashable],
    events: Iterable[Any],
    n: Iterable[Any],
    *,
    reference: str,
    level: float = 0.95,
) -> ConditionalEffects:
    """Estimate common odds ratios between treatments, conditional on each study's events.

    Args:
        study: the study of each arm; studies of any number of arms.
        treatment: its treatment.
        events: its events.
        n: its patients.
        reference: the treatment listed first in the result.
        level: confidence level between 0 and 1.

    Returns:
        The conditional maximum-likelihood estimates; the likelihood is exact however small the cells, while
        the profile-likelihood intervals and P values take the deviance as chi-square.

    Raises:
        StatisticsError: for unusable counts, or treatments that no informative study connects.

    Source: Breslow and Day, Statistical Methods in Cancer Research I, IARC 1980, section 7.2.

    For one study the estimate is Fisher's; R's ``fisher.test`` gives 6.4083 for 3/4 against 1/4.

    >>> result = conditional_logistic(["s", "s"], ["b", "a"], [3, 1], [4, 4], reference="a")
    >>> round(float(result.estimate[1, 0]), 4)
    6.4083
    """
    strata, nodes, left_out = _strata(study, treatment, events, n)
    chosen(reference, nodes, "reference")
    order = (reference, *(node for node in nodes if node != reference))
    level = confidence(level)
    deviance = float(special.chdtri(1, 1 - level))
    logs, value = kept(
        "conditional", lambda: (strata, order, deviance), lambda: _fitted(strata, order, deviance)
    )
    estimate, low, high = (np.exp(part) for part in logs[:3])
    return ConditionalEffects(
        reference, order, estimate, logs.se, low, high, logs.p, value, len(strata), left_out, level,
        "conditional logistic",
    )  # fmt: skip


def _fitted(strata: Sequence[Sequence[_Arm]], order: Sequence[str], deviance: float) -> tuple[_Logs, float]:
    """Return the log odds ratios of all pairs, and the log likelihood where it is largest."""
    problem = _problem(tuple(_stratum(arms, order) for arms in strata), len(order))
    best = _maximum(problem, np.zeros(len(order)), (0,))
    return _pairs(problem, best, deviance), best.value


class _Arm(NamedTuple):
    treatment: str
    events: int
    n: int


class _Stratum(NamedTuple):
    """A study's arms as places among the treatments, and the log binomial coefficients up to its events."""

    places: tuple[int, ...]
    events: tuple[int, ...]
    n: tuple[int, ...]
    log_choose: tuple[Floats, ...]


class _Problem(NamedTuple):
    """All studies, and their arms' places and patients side by side, short rows filled with empty arms."""

    strata: tuple[_Stratum, ...]
    size: int
    places: NDArray[np.intp]
    n: Floats
    events: Floats


class _State(NamedTuple):
    """Log odds against a base, log likelihood, gradient and information."""

    beta: Floats
    value: float
    gradient: Floats
    information: Floats


class _Logs(NamedTuple):
    estimate: Floats
    low: Floats
    high: Floats
    se: Floats
    p: Floats


def _strata(*columns: Iterable[Any]) -> tuple[list[list[_Arm]], tuple[str, ...], tuple[str, ...]]:
    """Return the arms of each informative study, their treatments, and the treatments in none of them."""
    arms: dict[str, list[_Arm]] = {}
    for place, label, happened, total in zip(*same_length(*columns), strict=True):
        name, node = named(place), named(label)
        arms.setdefault(name, []).append(_Arm(node, *counts(happened, total, f"events of {name}, {node}")))
    strata = [members for members in arms.values() if _informative(members)]
    groups = linked(tuple(arm.treatment for arm in members) for members in strata)
    if len(groups) != 1:
        parts = "; ".join("{" + ", ".join(group) + "}" for group in groups) or "none"
        raise StatisticsError(
            f"studies with events and non-events do not connect the treatments; their components: {parts}"
        )
    everyone = {arm.treatment for members in arms.values() for arm in members}
    _refuse_huge(strata)
    return strata, groups[0], tuple(sorted(everyone - set(groups[0])))


def _refuse_huge(strata: Iterable[Sequence[_Arm]]) -> None:
    """Refuse studies whose log binomial coefficients have too few digits, or too many terms."""
    for arms in strata:
        patients, events = (sum(one) for one in zip(*((arm.n, arm.events) for arm in arms), strict=True))
        if patients > EXACT_UP_TO or events > MOST_EVENTS:
            raise StatisticsError(
                f"a study has {events:,} events in {patients:,} patients: the exact likelihood is not made "
                "for so many; use mantel_haenszel or network"
            )


def _informative(arms: Sequence[_Arm]) -> bool:
    happened = sum(arm.events for arm in arms)
    return len(arms) > 1 and 0 < happened < sum(arm.n for arm in arms)


def _stratum(arms: Sequence[_Arm], order: Sequence[str]) -> _Stratum:
    most = sum(arm.events for arm in arms)
    logs = tuple(_log_choose(arm.n, min(arm.n, most)) for arm in arms)
    places = tuple(order.index(arm.treatment) for arm in arms)
    return _Stratum(places, tuple(arm.events for arm in arms), tuple(arm.n for arm in arms), logs)


def _problem(strata: tuple[_Stratum, ...], size: int) -> _Problem:
    shape = len(strata), max(len(stratum.n) for stratum in strata)
    places, n = np.zeros(shape, dtype=np.intp), np.zeros(shape)
    for row, stratum in enumerate(strata):
        places[row, : len(stratum.n)], n[row, : len(stratum.n)] = stratum.places, stratum.n
    return _Problem(strata, size, places, n, np.array([float(sum(stratum.events)) for stratum in strata]))


def _log_choose(n: int, most: int) -> Floats:
    x = np.arange(most + 1.0)
    return np.asarray(
        special.gammaln(n + 1.0) - special.gammaln(x + 1) - special.gammaln(n - x + 1), dtype=np.float64
    )


def _evaluate(problem: _Problem, beta: Floats) -> _State:
    value, gradient = 0.0, np.zeros(problem.size)
    information = np.zeros((problem.size, problem.size))
    for stratum, shift in zip(problem.strata, _shifts(problem, beta), strict=True):
        logits = beta[list(stratum.places)] + shift
        log_probability, mean, covariance = _conditioned(stratum, logits)
        value += log_probability
        np.add.at(gradient, list(stratum.places), np.array(stratum.events) - mean)
        np.add.at(information, np.ix_(stratum.places, stratum.places), covariance)
    return _State(beta, value, gradient, information)


def _shifts(problem: _Problem, beta: Floats) -> Floats:
    """Return, by bisection, what to add to each study's log odds for about as many events as observed.

    A common shift changes nothing that is conditional on the sum; this one keeps probabilities from
    underflowing.
    """
    own = beta[problem.places]
    high = np.full(len(own), float(np.abs(own).max()) + 40)
    low = -high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        many = (problem.n * special.expit(own + middle[:, np.newaxis])).sum(axis=1) > problem.events
        low, high = np.where(many, low, middle), np.where(many, middle, high)
    return np.asarray((low + high) / 2, dtype=np.float64)


def _conditioned(stratum: _Stratum, logits: Floats) -> tuple[float, Floats, Floats]:
    """Return the log probability of the events given their sum, and the arms' conditional moments."""
    most = sum(stratum.events)
    arms = list(zip(stratum.log_choose, logits, stratum.n, strict=True))
    logs = [choose + np.arange(len(choose)) * x - n * np.logaddexp(0, x) for choose, x, n in arms]
    starts = [int(np.argmax(log > log.max() + NEGLIGIBLE)) for log in logs]
    masses = [
        np.exp(log[start:][log[start:] > log.max() + NEGLIGIBLE])
        for log, start in zip(logs, starts, strict=True)
    ]
    index, first = (
        most - sum(starts),
        [_times(mass, start) for mass, start in zip(masses, starts, strict=True)],
    )
    total = _at(masses, index)
    mean, product = np.zeros(len(masses)), np.zeros((len(masses), len(masses)))
    for i, (mass, start) in enumerate(zip(first, starts, strict=True)):
        mean[i] = _at(_with(masses, {i: mass}), index)
        product[i, i] = _at(_with(masses, {i: _times(mass, start)}), index)
        for j in range(i):
            product[i, j] = product[j, i] = _at(_with(masses, {i: mass, j: first[j]}), index)
    observed = sum(float(log[events]) for log, events in zip(logs, stratum.events, strict=True))
    mean, product = mean / total, product / total
    return observed - float(np.log(total)), mean, product - np.outer(mean, mean)


def _times(mass: Floats, start: int) -> Floats:
    return np.asarray(mass * np.arange(start, start + len(mass)), dtype=np.float64)


def _with(masses: list[Floats], replaced: dict[int, Floats]) -> list[Floats]:
    return [replaced.get(place, mass) for place, mass in enumerate(masses)]


def _at(masses: list[Floats], index: int) -> float:
    """Return the convolution of all masses at one index."""
    *before, last = masses
    so_far = reduce(np.convolve, before)
    low, high = max(0, index - len(last) + 1), min(index, len(so_far) - 1)
    return float(so_far[low : high + 1] @ last[index - high : index - low + 1][::-1])


def _maximum(problem: _Problem, start: Floats, fixed: tuple[int, ...]) -> _State:
    """Maximise the likelihood by damped Newton steps over the coordinates that are not fixed."""
    free = [place for place in range(problem.size) if place not in fixed]
    state, gain = _evaluate(problem, start), np.inf
    for _ in range(STEPS if free else 0):
        slope = state.gradient[free]
        step = np.linalg.lstsq(state.information[np.ix_(free, free)], slope, rcond=None)[0]
        gain, following = float(slope @ step), _climbed(problem, state, free, np.clip(step, -2.0, 2.0))
        state = following or state
        if gain < SETTLED or following is None:
            break
    return state


def _climbed(problem: _Problem, state: _State, free: list[int], step: Floats) -> _State | None:
    """Return the first point along a step that is no less likely, halving it; None where rounding ends."""
    for halving in range(40):
        beta = state.beta.copy()
        beta[free] += step / 2**halving
        following = _evaluate(problem, beta)
        if following.value >= state.value and (beta != state.beta).any():
            return following
    return None


def _pairs(problem: _Problem, best: _State, deviance: float) -> _Logs:
    size = (problem.size, problem.size)
    logs = _Logs(
        np.zeros(size), np.zeros(size), np.zeros(size), _standard_errors(best), np.full(size, np.nan)
    )
    for i, j in combinations(range(problem.size), 2):
        pair = j, i
        low, high = (_limit(problem, best, pair, side, deviance) for side in (-1.0, 1.0))
        middle = _finite_or_not(float(best.beta[j] - best.beta[i]), low, high)
        logs.estimate[pair], logs.estimate[i, j] = middle, -middle
        logs.low[pair], logs.high[pair], logs.low[i, j], logs.high[i, j] = low, high, -high, -low
        logs.p[pair] = logs.p[i, j] = special.chdtrc(1, _deviance(problem, best, pair, 0.0))
        if not np.isfinite(middle):
            logs.se[pair] = logs.se[i, j] = np.nan
    return logs


def _finite_or_not(value: float, low: float, high: float) -> float:
    """Return a log odds ratio, infinite where it runs away and NaN where nothing bounds it."""
    if np.isinf(low) and np.isinf(high):
        return np.nan
    return value if abs(value) < INFINITE else float(np.copysign(np.inf, value))


def _standard_errors(best: _State) -> Floats:
    covariance = np.zeros_like(best.information)
    covariance[1:, 1:] = np.linalg.pinv(best.information[1:, 1:], rcond=0.0, hermitian=True)
    variance = np.diag(covariance)
    return np.sqrt(np.maximum(variance[:, np.newaxis] + variance - 2 * covariance, 0.0))


def _deviance(problem: _Problem, best: _State, pair: tuple[int, int], difference: float) -> float:
    """Return twice the log likelihood lost where a log odds ratio is held at ``difference``."""
    start = best.beta - best.beta[pair[1]]
    start[pair[0]] = difference
    return max(0.0, 2 * (best.value - _maximum(problem, start, pair).value))


def _limit(problem: _Problem, best: _State, pair: tuple[int, int], side: float, deviance: float) -> float:
    """Return where the profile likelihood has lost ``deviance``, infinite where it never does."""
    near = float(np.clip(best.beta[pair[0]] - best.beta[pair[1]], -FAR, FAR))
    reach, far = 0.5, near
    while _deviance(problem, best, pair, far) < deviance:
        if far * side >= FAR:
            return side * np.inf
        near, far, reach = far, float(np.clip(far + side * reach, -FAR, FAR)), reach * 2
    return float(
        optimize.brentq(lambda x: _deviance(problem, best, pair, x) - deviance, near, far, xtol=1e-9)
    )
