"""One, none and all have words of their own; nobody writes that 0 of 6 or 6 of 6 are something."""

import re

import pytest

from evidence.display.counting import kinds_words, out_of, several, share_words, stated_words
from evidence.display.tables.flips import flipped_words
from evidence.display.tables.influence import _told
from evidence.display.tables.printed_tests import again_words

NOBODY = re.compile(r"\b0 of \d|\b(\d+) of \1\b|\ball 1\b|\b1 (?!is|has|does|agrees)\w+s\b|\b0 \w+")


@pytest.mark.parametrize("total", range(1, 5))
@pytest.mark.parametrize("part", range(5))
def test_no_count_is_told_as_none_or_all_of_so_many(part, total):
    part = min(part, total)
    said = [
        out_of(part or total, total, "comparison"),
        share_words(part, total, "known to be randomised"),
        stated_words(["x"] * part + [""] * (total - part)),
        kinds_words(["x"] * part + ["not stated"] * (total - part)),
        again_words([True] * part, total),
        again_words([False] * part, total),
        _told([["a", "b"]] * part + [["a"]] * (total - part)),
        flipped_words([LINE | {"explorer": "99% level"}] * part + [LINE] * (total - part)),
    ]
    assert not [one for one in said if NOBODY.search(one)], said


LINE = {"explorer": "–", "combined": "–", "scenario": "not asked"}


@pytest.mark.parametrize(
    ("done", "total", "told"),
    [
        ([True, False], 2, "done again: 1 agrees, 1 does not"),
        ([True, True, False], 9, "3 could be done again: 2 agree, 1 does not"),
        ([True, True], 5, "2 could be done again, and all agree"),
        ([False], 1, "done again, it does not agree"),
        ([], 1, "it could not be done again"),
    ],
)
def test_printed_tests_done_again_are_counted_in_words(done, total, told):
    assert again_words(done, total) == told


def test_nouns_have_their_plural():
    assert [several(n, "synthesis") for n in (1, 2)] == ["1 synthesis", "2 syntheses"]
    assert several(1200, "check") == "1,200 checks"
