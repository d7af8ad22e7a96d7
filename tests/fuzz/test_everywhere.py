"""Every value that no statistic can use, in every place of an ordinary call: a result or a typed error."""

from __future__ import annotations

import pytest
from ordinary import ORDINARY, disturbed
from outcome import LENGTH
from strategies import TARGETS
from test_stats import FUNCTIONS, check

DEPTH = 3 if LENGTH else 0  # a table of a stratum is that deep; the short run has whole arguments only


def test_every_public_statistic_has_an_ordinary_call():
    assert sorted(ORDINARY) == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_anything_in_any_place_gives_a_result_or_a_typed_error(name: str):
    for call in ORDINARY[name]:
        for given in (call, *disturbed(call, DEPTH)):
            check(name, TARGETS[name], given, tally="everywhere")
