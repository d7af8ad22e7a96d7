"""What an answer's events mostly were is told where fewer of them are no proof of less harm, and only there."""

import pytest

import evidence
from evidence.questions import events_of, parts_of
from evidence.synthesis.certainty import certainty

from .invented import dataset, emptied, study

P = evidence.Parameters()
QUESTION = "cured_6m"
KIND = {"outcome_id": "fall", "label": "Serious fall", "domain": "safety", "type": "binary"}
HELD, REST = (15, 168, 16, 85), (3, 168, 0, 85)  # of 16 and 17 events
ALL = (16, 168, 17, 85)


def asked(folder, whole=ALL, kinds=(HELD,), *, better="lower", role="placebo"):
    """Return the answer about a harm whose kinds were counted, and its parts."""
    tables = emptied()
    study(tables, "trial_0", whole)
    tables["outcomes"][0] |= {"better": better, "domain": "safety", "label": "Serious harm"}
    tables["arms"][1]["role"] = role
    for place, four in enumerate(kinds):
        name = f"{KIND['outcome_id']}_{place}"
        tables["outcomes"].append(KIND | {"outcome_id": name, "better": better, "parent_id": "cured"})
        for count, (events, n) in zip(tables["counts"][:2], (four[:2], four[2:]), strict=True):
            tables["counts"].append(count | {"outcome_id": name, "events": str(events), "n": str(n)})
    data = dataset(folder, tables)
    one = evidence.answer(QUESTION, data, P)
    return one, parts_of(one, data, P), data


def test_a_harm_that_is_mostly_the_disease_is_called_so_wherever_its_certainty_is_shown(tmp_path):
    one, parts, data = asked(tmp_path, kinds=(REST, HELD))
    assert parts.held
    assert [events_of(part, side) for part in parts.all for side in ("treatment", "comparator")] == [
        15, 16, 3, 0,
    ]  # fmt: skip
    caveats = certainty(one, data, P).caveats
    assert parts.caveat in caveats
    assert parts.caveat.startswith("mostly serious fall: the disease held back")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"role": "active"}, "the other drug may have caused them"),
        ({"better": "higher"}, "more of it is better"),
        ({"kinds": ((8, 168, 16, 85),)}, "half of the events with the treatment are not enough"),
        ({"kinds": ((15, 168, 8, 85),)}, "less than half without it"),
        ({"kinds": ()}, "no kind was counted"),
    ],
)
def test_nothing_is_said_of_what_events_were_where_it_does_not_follow(tmp_path, changes, why):
    one, parts, data = asked(tmp_path, **changes)
    assert parts is None, why
    assert not any("mostly" in caveat for caveat in certainty(one, data, P).caveats)


@pytest.mark.parametrize(
    ("whole", "kind", "held"),
    [
        (ALL, HELD, True),
        ((16, 168, 9, 85), (15, 168, 8, 85), False),  # the direction of the whole is not clear
        ((40, 500, 100, 500), (39, 500, 51, 500), False),  # most of what is fewer is of other kinds
    ],
)
def test_the_disease_was_held_back_only_where_fewer_events_are_fewer_of_its_kind(tmp_path, whole, kind, held):
    one, parts, _ = asked(tmp_path, whole, (kind,))
    assert parts.held is held
    assert ("held back" in parts.caveat) is held
    assert held or "as without the treatment" in parts.caveat
    assert (one.verdict.direction == "fewer") or not held
