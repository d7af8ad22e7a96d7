"""What becomes of a pooled result without one of its studies, and as studies were added by year."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtri

from evidence.errors import StatisticsError
from evidence.parameters import EffectMeasure, Parameters
from evidence.questions import Study
from evidence.stats import Effect, SmallStudyTest, egger
from evidence.synthesis.forest import names_of
from evidence.synthesis.pooled import pooled

Kind = Literal["all", "without", "until"]


@dataclass(frozen=True, slots=True)
class Step:
    """Some of the studies taken together: all, all ``without`` the named one, or those ``until`` a year.

    The effect is on the natural scale, NaN where the counts say nothing of the measure.
    """

    kind: Kind
    name: str
    k: int
    estimate: float
    low: float
    high: float


def influence(
    studies: Sequence[Study], parameters: Parameters, *, measure: EffectMeasure
) -> tuple[Step, ...]:
    """Return the summary of all studies, then without each of them, then by year of publication.

    Args:
        studies: comparisons that may be pooled; of one study only its own result is returned.
        parameters: level, pooling and interval methods.
        measure: RR, OR or RD.

    Returns:
        ``all`` first; with two or more studies ``without`` each; with two or more years ``until`` each. A
        study whose year is not known comes in with the last of them.
    """
    steps = [_step("all", "", studies, parameters, measure)]
    if len(studies) < 2:
        return tuple(steps)
    for place, name in enumerate(names_of(studies)):
        rest = [*studies[:place], *studies[place + 1 :]]
        steps.append(_step("without", name, rest, parameters, measure))
    years = sorted({study.year for study in studies if study.year})
    for year in years if len(years) > 1 else []:
        until = [study for study in studies if (study.year or years[-1]) <= year]
        steps.append(_step("until", year, until, parameters, measure))
    return tuple(steps)


def _step(
    kind: Kind, name: str, studies: Sequence[Study], parameters: Parameters, measure: EffectMeasure
) -> Step:
    made = pooled(studies, parameters, measure=measure)
    if made is None:
        return Step(kind, name, len(studies), math.nan, math.nan, math.nan)
    return Step(kind, name, len(studies), made.estimate, made.low, made.high)


def small_studies(
    studies: Sequence[Study], parameters: Parameters, *, measure: EffectMeasure
) -> SmallStudyTest | str:
    """Return Egger's test of the studies, or in words why it is not made."""
    made = pooled(studies, parameters, measure=measure)
    known = [effect for effect in made.effects if effect] if made else []
    pairs = [_on_analysis_scale(effect, parameters.confidence_level) for effect in known]
    try:
        return egger([y for y, _ in pairs], [v for _, v in pairs])
    except StatisticsError as error:
        return str(error)


def _on_analysis_scale(effect: Effect, level: float) -> tuple[float, float]:
    ends = (effect.estimate, effect.low, effect.high)
    y, low, high = ends if effect.measure == "RD" else tuple(math.log(end) for end in ends)
    return y, ((high - low) / (2 * float(ndtri((1 + level) / 2)))) ** 2
