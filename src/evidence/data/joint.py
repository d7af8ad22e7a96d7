"""How many patients a group can have had, from all the percentages that share their number."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.data.recover import recover_events
from evidence.errors import StatisticsError

MOST = 2000  # patients; larger groups than this print their number


def joint_sizes(percents: Sequence[str], most: int = MOST) -> tuple[int, ...]:
    """Return every number of patients up to ``most`` of whom all printed percentages can be.

    A number n fits where each percentage has at least one whole count out of n that rounds to it, as
    ``recover_events`` says, in exact arithmetic. With a number all its multiples fit, so that the answer is
    unique only where ``most`` is known. Source: Brown and Heathers (2017), the GRIM test,
    doi:10.1177/1948550616673876.

    Args:
        percents: plain figures as printed, without sign; each may have its own decimals.
        most: the largest number of patients to consider.

    Raises:
        StatisticsError: ``percents`` is empty, or one of them is no plain figure.

    >>> joint_sizes(["59.5", "32.4", "21.6", "16.2", "13.5"], 100)
    (37, 74)
    """
    if not percents:
        raise StatisticsError("no percentage given; every number of patients fits")
    fitting = tuple(range(1, most + 1))
    for percent in dict.fromkeys(percents):
        recover_events(percent, 1)
        fitting = tuple(n for n in fitting if recover_events(percent, n))
    return fitting


def sizes_adding_up(sizes: Sequence[Sequence[int]], total: int) -> tuple[tuple[int, ...], ...]:
    """Return, for every group, those of its possible sizes that can add up to a total with the others'.

    >>> sizes_adding_up([(16, 32, 48), (35, 70), (13, 26)], 80)
    ((32,), (35,), (13,))
    """
    kept = []
    for place, own in enumerate(sizes):
        others = {0}
        for other in (*sizes[:place], *sizes[place + 1 :]):
            others = {so_far + n for so_far in others for n in other if so_far + n <= total}
        kept.append(tuple(n for n in own if total - n in others))
    return tuple(kept)
