"""Studies pooled by the methods of the report, for whatever shows a pooled result."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.errors import StatisticsError
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import Study
from evidence.stats import PooledComparison, pool_comparisons


def pooled(
    studies: Sequence[Study], parameters: Parameters, *, measure: EffectMeasure
) -> PooledComparison | None:
    """Return the comparisons of some studies pooled by the parameters; None where no study informs it.

    Args:
        studies: each with its counts.
        parameters: estimator, interval, level, and the method of a difference.
        measure: the effect.
    """
    try:
        return pool_comparisons(
            [study.four for study in studies],
            measure=measure,
            tau2=parameters.pooling_method,
            ci=parameters.interval_method,
            level=parameters.confidence_level,
            method=parameters.difference_method if measure == "RD" else None,
        )
    except StatisticsError:
        return None
