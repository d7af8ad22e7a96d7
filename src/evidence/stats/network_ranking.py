"""P-scores: how surely each treatment beats the others, with intervals that show how little that says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from evidence.stats._checks import Floats

Better = Literal["larger", "smaller"]

DRAWS = 10_000  # percentiles of a P-score then move by about 0.005 from seed to seed
SEED = 20150731

RANKING = (
    "P-scores order treatments by the means of P values; they say neither how much better a treatment is nor "
    "how certain the evidence: read the effects and the P-scores' intervals, and do not choose by rank"
)


@dataclass(frozen=True, slots=True)
class PScores:
    """The P-score of each treatment between 0 and 1, with the interval of its resampled values.

    ``better`` says which effects are good; ``warning`` says what the scores do not.
    """

    treatments: tuple[str, ...]
    scores: Floats
    low: Floats
    high: Floats
    better: str
    level: float
    draws: int
    seed: int
    warning: str

    def frame(self) -> pd.DataFrame:
        """Return ``treatment, p_score, low, high``, best first."""
        columns = {"treatment": self.treatments, "p_score": self.scores, "low": self.low, "high": self.high}
        ordered = pd.DataFrame(columns).sort_values("p_score", ascending=False, kind="stable")
        return ordered.reset_index(drop=True)


def p_scores(
    treatments: tuple[str, ...], centre: Floats, covariance: Floats, better: str, level: float, seed: int
) -> PScores:
    """Return the P-scores of effects against the reference, the first treatment.

    Source: Ruecker and Schwarzer, BMC Medical Research Methodology 2015;15:58. The interval holds the
    P-scores of effects drawn from the multivariate normal around the estimates, the reference's effect
    being 0.
    """
    sign = 1.0 if better == "larger" else -1.0
    variance = np.diag(covariance)
    se = np.sqrt(variance[:, np.newaxis] + variance - 2 * covariance)
    np.fill_diagonal(se, 1.0)
    drawn = np.zeros((DRAWS, len(treatments)))
    drawn[:, 1:] = np.random.default_rng(seed).multivariate_normal(
        centre[1:], covariance[1:, 1:], size=DRAWS, method="cholesky"
    )
    scores, resampled = _scores(sign * centre[np.newaxis], se)[0], _scores(sign * drawn, se)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return PScores(treatments, scores, low, high, better, level, DRAWS, seed, RANKING)


def _scores(effects: Floats, se: Floats) -> Floats:
    """Return one row of P-scores per row of effects."""
    sums = np.zeros_like(effects)
    for place in range(effects.shape[1]):
        wins = special.ndtr((effects[:, [place]] - effects) / se[place])
        sums[:, place] = wins.sum(axis=1) - 0.5
    return np.asarray(sums / (effects.shape[1] - 1), dtype=np.float64)
