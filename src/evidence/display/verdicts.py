"""What the answers on one disease come to, in a few words that follow their intervals and their certainty."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evidence.display.labels import joined, lower_first, pretty
from evidence.display.tables.answered import split_asked
from evidence.questions import Answer
from evidence.synthesis.certainty import VERY_LOW, Certainty
from evidence.wording import Allocation

Made = tuple[Answer, Certainty | None]
Rated = tuple[Answer, Certainty]
OPEN = "Not yet settled"
NONE = "Nothing was compared"
SPLIT = "Better in one respect, worse in another"
WORDS: dict[tuple[str, int], str] = {
    ("treatment", 4): "Helps",
    ("treatment", 3): "Probably helps",
    ("treatment", 2): "May help",
    ("comparator", 4): "Does worse",
    ("comparator", 3): "Probably does worse",
    ("comparator", 2): "May do worse",
}
STUDIES: dict[Allocation, tuple[str, str]] = {
    "randomised": ("a randomised trial", "{} randomised trials"),
    "not stated": ("a study not known to be randomised", "{} studies not known to be randomised"),
    "not randomised": ("a study that was not randomised", "{} studies that were not randomised"),
}
TIME = re.compile(r" (?:at|within|after) (?:(?:day|week|month) \d+|\d+ (?:day|week|month|year)s?)$")


def verdict_words(made: Sequence[Made]) -> str:
    """Return in a few words what answers come to: whom they favour and how surely, or that they do not yet.

    Only an interval that leaves out no difference favours anybody, and what is of very low certainty settles
    nothing; of several answers the least certain gives the word.
    """
    told = _rated(made)
    if not told:
        return NONE
    clear = _clear(told)
    favoured = {one.verdict.favours for one, _ in clear}
    if not clear:
        return OPEN
    if len(favoured) > 1:
        return SPLIT
    word = WORDS[favoured.pop(), min(sure.level for _, sure in clear)]
    return word if len(clear) == len(told) else f"{word} in part"


def bottom_line(made: Sequence[Made]) -> str:
    """Return what some answers on one disease come to, as sentences without numbers and times.

    First the verdict, with what was more and what less frequent where it is settled, then the studies behind.
    The verdict is that of the least certain of them; what is uncertain is told as such.
    """
    told = _rated(made)
    if not told:
        return f"{NONE}."
    clauses = f": {'; '.join(_clauses(told))}" if _clear(told) else ""
    return f"{verdict_words(made)}{clauses}. Below: {studies_words([one for one, _ in told])}."


def studies_words(answers: Sequence[Answer]) -> str:
    """Return how the patients of the studies behind answers came to their treatments, with their names."""
    groups: dict[Allocation, dict[str, None]] = {}
    for one in answers:
        names = groups.setdefault(one.allocation, {})
        names |= dict.fromkeys(study.label for study in one.finding.studies)
    known = [(STUDIES[name], groups[name]) for name in STUDIES if name in groups]
    told = [
        f"{(one if len(names) == 1 else several).format(len(names))} ({'; '.join(names)})"
        for (one, several), names in known
    ]
    return joined(told)


def _rated(made: Sequence[Made]) -> list[Rated]:
    return [(one, sure) for one, sure in made if sure and one.difference is not None]


def _clear(told: Sequence[Rated]) -> list[Rated]:
    return [(one, sure) for one, sure in told if sure.level > VERY_LOW and one.verdict.favours != "neither"]


def _clauses(told: Sequence[Rated]) -> list[str]:
    clear = _clear(told)
    ways = {way: [one for one, _ in clear if one.verdict.direction == way] for way in ("more", "fewer")}
    some = [f"{way} patients with {_named(answers)}" for way, answers in ways.items() if answers]
    rest = [pair[0] for pair in told if pair not in clear]
    return [*some, *([f"not settled for {_named(rest)}"] if rest else [])]


def _named(answers: Sequence[Answer]) -> str:
    """Return what was asked, without its time."""
    return joined([lower_first(pretty(TIME.sub("", split_asked(one.title)[0]))) for one in answers])
