"""Counts in sentences: one, several, none and all are each said as a person would say them."""

from __future__ import annotations

from collections.abc import Sequence

PLURALS = {"study": "studies", "synthesis": "syntheses", "analysis": "analyses", "series": "series"}
UNSAID = "not stated"


def several(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> several(1, "cause"), several(2, "study"), several(4, "published synthesis")
    ('1 cause', '2 studies', '4 published syntheses')
    """
    before, space, last = noun.rpartition(" ")
    plural = before + space + PLURALS.get(last, f"{last}s")
    return f"{count:,} {noun if count == 1 else plural}"


def out_of(count: int, of: int, noun: str) -> str:
    """Return how many of several there are, where all and the only one have words of their own.

    >>> out_of(19, 20, "comparison"), out_of(20, 20, "comparison"), out_of(1, 1, "comparison")
    ('19 of 20 comparisons', 'all 20 comparisons', 'the one comparison')
    """
    if count == of:
        return f"the one {noun}" if of == 1 else f"all {several(of, noun)}"
    return f"{count:,} of {several(of, noun)}"


def share_words(count: int, of: int, what: str) -> str:
    """Return how many of several are something, where none, one and all have words of their own.

    >>> share_words(0, 2, "randomised"), share_words(1, 11, "randomised"), share_words(3, 3, "randomised")
    ('none is randomised', '1 is randomised', 'all are randomised')
    >>> share_words(0, 1, "randomised")
    'it is not randomised'
    """
    if of == 1:
        return f"it is {'' if count else 'not '}{what}"
    who = "none" if not count else "all" if count == of else str(count)
    return f"{who} {'is' if count < 2 and who != 'all' else 'are'} {what}"


def kinds_words(values: Sequence[str]) -> str:
    """Return how many kinds of something there are where it is stated throughout, else where it is stated.

    >>> kinds_words(["week 6", "week 8", "week 8"]), kinds_words(["week 8", "week 8"])
    ('2 kinds', 'the same in all')
    >>> kinds_words(["solid tumours", "not stated"])
    'stated in 1 of 2'
    """
    said = [one if one.lower() != UNSAID else "" for one in values]
    if not all(said):
        return stated_words(said)
    return "the same in all" if len(set(said)) == 1 else f"{len(set(said))} kinds"


def stated_words(values: Sequence[str]) -> str:
    """Return in how many of several results something is stated.

    >>> stated_words(["a", ""]), stated_words(["", ""]), stated_words(["a", "b"])
    ('stated in 1 of 2', 'stated in none', 'stated in all')
    """
    known = sum(map(bool, values))
    if known in (0, len(values)):
        return f"stated in {'all' if known else 'none'}"
    return f"stated in {known} of {len(values)}"
