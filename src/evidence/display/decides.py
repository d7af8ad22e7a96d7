"""Where only one of the two intervals, of difference and ratio, includes no difference, and which decides."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.display.labels import lower_first, pretty
from evidence.questions import Answer, Estimate
from evidence.stats import Effect


def decides_words(answers: Sequence[Answer], under: Sequence[str] = ()) -> str:
    """Return in which answers only one of the two intervals includes no difference, and which decides.

    Args:
        answers: what to look through.
        under: what each of them was answered under, told behind its title.
    """
    conditions = [f"{condition}: " if condition else "" for condition in under or [""] * len(answers)]
    found = [
        f"{lower_first(pretty(one.title))} ({condition}{words})"
        for one, condition in zip(answers, conditions, strict=True)
        if (words := disagreement(one))
    ]
    if not found:
        return ""
    where = "Where only one of the two intervals, of difference and ratio, includes no difference"
    return f"{where}, the absolute difference decides: {'; '.join(found)}."


def disagreement(one: Answer) -> str:
    """Return which of the two intervals includes no difference where only one does; nothing elsewhere.

    Of two studies side by side each has its own two intervals, and one study is enough.
    """
    pooled = one.finding.pooled
    side_by_side = one.finding.side_by_side and pooled is not None
    ratios = pooled.effects if side_by_side and pooled else (one.effect,)
    differences = one.finding.each if side_by_side else (one.difference,)
    found = [
        _includes(each, 0.0)
        for each, ratio in zip(differences, ratios, strict=True)
        if each and ratio and _includes(each, 0.0) != _includes(ratio, 1.0)
    ]
    if not found:
        return ""
    if found[0]:
        return "the difference includes 0, the ratio leaves out 1"
    return "the difference leaves out 0, the ratio includes 1"


def _includes(effect: Estimate | Effect, none: float) -> bool:
    return effect.low <= none <= effect.high
