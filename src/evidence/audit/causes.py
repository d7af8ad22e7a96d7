"""Which findings have one root cause: one figure in error can fail many checks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from evidence.audit.finding import Check, Family, Finding

OF_TESTS: tuple[Family, ...] = ("tests from data", "P values", "effects", "implied n")
OF_COUNTS: tuple[Family, ...] = ("percentages", "sums", "denominators")
SHARING: dict[Family, Family] = {
    **dict.fromkeys(OF_TESTS, "tests from data"),
    **dict.fromkeys(OF_COUNTS, "percentages"),
}
IMPLIED: Family = "implied n"


class Found(NamedTuple):
    """A finding with the check that made it and the studies it is of."""

    check: Check
    finding: Finding
    study: str

    @property
    def kind(self) -> str:
        """Return whether the figures do not fit, or a conclusion is open; empty for all else."""
        if self.finding.verdict in ("inconsistent", "rounding"):
            return "odd"
        open_ = self.finding.verdict == "not_checkable" and self.finding.consequence == "conclusion"
        return "open" if open_ else ""


def causes(found: Sequence[Found]) -> list[str]:
    """Return the cause of every finding, empty for findings that question nothing.

    Findings share a cause where they are first of all about the same row and look at it from the same side
    (tests, counts, or the family of the check); where their check says so; and where one of them finds that
    other patients were counted than is said, and the other rests on the same rows. A cause is called by the
    smallest id of its findings, so it does not depend on the order of rows.
    """
    parents: dict[Hashable, Hashable] = {}
    doubtful = [one for one in found if one.kind]
    keys = [_keys(one) for one in doubtful]
    for own in (*keys, *_implied(doubtful, keys)):
        for key in own[1:]:
            parents[_root(parents, own[0])] = _root(parents, key)
    names: dict[Hashable, str] = {}
    for one, own in zip(doubtful, keys, strict=True):
        root, name = _root(parents, own[0]), one.finding.identity(one.check.name)
        names[root] = min(names.get(root, name), name)
    called = (names[_root(parents, own[0])] for own in keys)
    return [next(called) if one.kind else "" for one in found]


def _root(parents: dict[Hashable, Hashable], key: Hashable) -> Hashable:
    while parents.setdefault(key, key) != key:
        key = parents[key]
    return key


def _keys(one: Found) -> list[Hashable]:
    side = SHARING.get(one.check.family, one.check.family)
    keys: list[Hashable] = [(one.kind, side, one.finding.rows[:1] or one.finding.about)]
    if one.finding.cause:
        keys.append((one.kind, one.check.name, one.study, one.finding.cause))
    return keys


def _implied(doubtful: Sequence[Found], keys: Sequence[list[Hashable]]) -> Iterator[list[Hashable]]:
    """Return the keys of every test, with those of the findings on its patients that share a row with it."""
    pairs = [(one, own[0]) for one, own in zip(doubtful, keys, strict=True) if one.check.family in OF_TESTS]
    by_row: dict[Hashable, Hashable] = {}
    for one, key in pairs:
        if one.check.family == IMPLIED:
            for row in one.finding.rows:
                yield [key, by_row.setdefault((one.kind, row), key)]
    for one, key in pairs:
        yield [key, *(by_row[one.kind, row] for row in one.finding.rows if (one.kind, row) in by_row)]
