"""How many patients a group can have had, from all the percentages that share their number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

import pandas as pd

from evidence.data.frame import optional, text, whole
from evidence.data.precedence import result_keys
from evidence.data.recover import FIGURE, NONE_FITS, cut_events, recover_events
from evidence.errors import StatisticsError

Key = tuple[Hashable, ...]
Name = TypeVar("Name", bound=Hashable)

MOST = 2000  # patients; larger groups than this print their number
SHOWN = 6  # sizes written out in a row of counts; the others are only said to exist
SHARED = ("study_id", "arm_id", "subgroup", "level", "analysis_set")  # and the time: one number of patients
WHOLE_ARM = ("", "unstated", "enrolled", "randomised", "treated")  # sets that name nobody who is left out
DERIVED = "derived"


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


@dataclass(frozen=True, slots=True)
class Group:
    """Percentages of one arm, part, analysis set and time, none of which is printed with its n.

    ``places`` are their rows in the table of counts. ``sizes`` are the numbers of patients up to ``most``
    that fit all of them; ``most`` is the printed size of the arm, else of the study, else None. ``added``
    are those sizes that make the arms add up to the study's printed size; None where that says nothing.
    ``used`` are the rows that these follow from.
    """

    key: Key
    places: tuple[int, ...]
    percents: tuple[str, ...]
    most: int | None
    sizes: tuple[int, ...]
    used: tuple[str, ...]
    added: tuple[int, ...] | None = None

    @property
    def admissible(self) -> tuple[int, ...]:
        """Return the sizes that everything printed leaves possible."""
        return self.sizes if self.added is None else self.added

    @property
    def n(self) -> int | None:
        """Return the only possible size, or None; without a printed limit no size is the only one."""
        return self.admissible[0] if len(self.admissible) == 1 and self.most is not None else None

    @property
    def words(self) -> str:
        """Return the possible sizes joined by ``|``, the first of them where they are many, or ``none``."""
        return _listed(self.admissible)


def _listed(sizes: Sequence[int]) -> str:
    more = ["…"] if len(sizes) > SHOWN else []
    return "|".join([*map(str, sizes[:SHOWN]), *more]) or NONE_FITS


@dataclass(frozen=True, slots=True)
class _Size:
    """A printed number of patients and the row that prints it."""

    n: int
    row_id: str


@dataclass(frozen=True, slots=True)
class _Printed:
    """Printed sizes of arms and studies, and the arms of each study that share no patient."""

    arms: dict[Key, _Size]
    studies: dict[Hashable, _Size]
    separate: dict[Hashable, list[Hashable]]

    def limit(self, key: Key) -> _Size | None:
        """Return the size of the arm of a group, else of its study, where it is printed."""
        return self.arms.get(key[:2]) or self.studies.get(key[0])


@dataclass(frozen=True, slots=True)
class Doubt:
    """Percentages of one group whose printed number of patients admits no whole count for one of them.

    ``places`` are their rows in the table of counts, ``n`` is the printed number and ``sizes`` are the
    smaller ones out of which each of them has a count.
    """

    places: tuple[int, ...]
    percents: tuple[str, ...]
    n: int
    sizes: tuple[int, ...]

    @property
    def cut(self) -> dict[str, int]:
        """Return, by percentage that no count rounds to, the only count that gives it with digits cut off."""
        odd = [percent for percent in self.percents if not recover_events(percent, self.n)]
        found = {percent: cut_events(percent, self.n) for percent in odd}
        return {percent: fits[0] for percent, fits in found.items() if len(fits) == 1}

    @property
    def words(self) -> str:
        """Return which numbers of patients would fit, rounded, and which counts with digits cut off."""
        rounded = fit_words([str(size) for size in self.sizes])
        told = [f"{events} of {self.n} gives {percent}%" for percent, events in self.cut.items()]
        return f"{rounded}; {' and '.join(told)} if digits were cut off" if told else rounded


def fit_words(sizes: Sequence[str]) -> str:
    """Return which numbers of patients fit all percentages of a group."""
    return f"all fit {' or '.join(sizes)} if rounded"


def find_doubts(counts: pd.DataFrame) -> tuple[Doubt, ...]:
    """Return the groups whose printed n does not fit all their percentages, though smaller ones would.

    Rows with a percentage and a printed n, without a printed count, of one arm, part, analysis set and time
    share that n. Where one of them has no fitting count, some patients may not have been counted, and then a
    count that is the only one to fit another percentage need not be right either. Where no smaller size fits
    them all, a misprint or another way of rounding explains it as well, and the n is not doubted.
    """
    keys = result_keys(counts, SHARED)
    found: dict[Key, list[int]] = {}
    for place, n in _of_printed_n(counts):
        found.setdefault((*keys[place], n), []).append(place)
    texts = counts["percent"].tolist()
    made = (_doubt(places, [texts[place] for place in places], key[-1]) for key, places in found.items())
    return tuple(one for one in made if one is not None)


def _of_printed_n(counts: pd.DataFrame) -> list[tuple[int, int]]:
    """Return the places of percentages with a printed n and no printed count, and that n."""
    columns = (counts[name].tolist() for name in ("percent", "basis", "n_basis"))
    rows = zip(*columns, optional(counts["events"]), optional(counts["n"]), strict=True)
    return [
        (place, n)
        for place, (percent, basis, n_basis, events, n) in enumerate(rows)
        if n and n_basis != DERIVED and FIGURE.fullmatch(percent) and (events is None or basis == DERIVED)
    ]


def _doubt(places: list[int], percents: list[str], n: Hashable) -> Doubt | None:
    size = int(str(n))
    if all(recover_events(percent, size) for percent in percents):
        return None
    sizes = joint_sizes(percents, size)
    return Doubt(tuple(places), tuple(dict.fromkeys(percents)), size, sizes) if sizes else None


def fill_jointly(counts: pd.DataFrame, arms: pd.DataFrame, studies: pd.DataFrame) -> pd.DataFrame:
    """Return the counts with the sizes that percentages and printed totals settle, and what follows.

    Adds ``admissible_n``: the possible sizes of the group where its n is not printed, or where the printed n
    is doubtful (``find_doubts``), and ``derived_from``: the rows that a size was inferred from. Where only
    one size is possible it becomes ``n`` (``n_basis`` derived), and where only one count of it rounds to the
    percentage, that becomes ``events`` (``basis`` derived); ``admissible`` has the counts where they are
    several. A printed n stays, doubtful or not.
    """
    filled = {name: list(counts[name].tolist()) for name in ("n_basis", "basis", "admissible")}
    numbers = {name: optional(counts[name]) for name in ("events", "n")}
    words, origins, percents = [""] * len(counts), [""] * len(counts), counts["percent"].tolist()
    for group in find_groups(counts, arms, studies):
        for place in group.places:
            words[place] = group.words
            if group.n is not None:
                origins[place] = "|".join(group.used)
                numbers["n"][place], filled["n_basis"][place] = group.n, DERIVED
                _fill(place, recover_events(percents[place], group.n), numbers["events"], filled)
    for doubt in find_doubts(counts):
        for place in doubt.places:
            words[place] = _listed(doubt.sizes)
    made = {name: text(values) for name, values in filled.items()}
    made |= {name: whole(values) for name, values in numbers.items()}
    return counts.assign(**made, admissible_n=text(words), derived_from=text(origins))


def _fill(place: int, fits: tuple[int, ...], events: list[int | None], filled: dict[str, list[str]]) -> None:
    """Write the count of one row where it is the only one, else the counts that it can be."""
    if len(fits) > 1:
        filled["admissible"][place] = "|".join(map(str, fits))
        return
    events[place] = fits[0]
    if filled["basis"][place] == "printed":
        filled["basis"][place] = DERIVED


def find_groups(counts: pd.DataFrame, arms: pd.DataFrame, studies: pd.DataFrame) -> tuple[Group, ...]:
    """Return the groups of percentages without a printed n, each with the sizes that it can have.

    Percentages of one study, arm, part (subgroup and level), analysis set and time share their number of
    patients; those without a time share theirs with each other only. A group is no larger than its arm,
    or else its study, where that is printed. Whole arms, in sets that name nobody who is left out, add up to
    their study where it has at least two separate arms, each of printed size or grouped here. A percentage
    of an arm of printed size need not be of all its patients.
    """
    printed = _printed(arms, studies)
    keys = result_keys(counts, SHARED)
    found: dict[Key, list[int]] = {}
    for place in _open(counts):
        found.setdefault(keys[place], []).append(place)
    texts = counts["percent"].tolist(), counts["row_id"].tolist()
    groups = {key: _group(key, at, texts, printed.limit(key)) for key, at in found.items()}
    return tuple(_added_up(group, groups, printed) for group in groups.values())


def _open(counts: pd.DataFrame) -> list[int]:
    """Return the places of the percentages whose n is not printed, whether or not it was filled in since."""
    plain = [bool(FIGURE.fullmatch(percent)) for percent in counts["percent"].tolist()]
    unknown = (counts["events"].isna() & counts["n"].isna()).tolist()
    before = (counts["derived_from"] != "").tolist() if "derived_from" in counts else [False] * len(counts)
    return [place for place in range(len(counts)) if plain[place] and (unknown[place] or before[place])]


def _group(key: Key, places: list[int], texts: tuple[list[str], list[str]], limit: _Size | None) -> Group:
    percents, row_ids = texts
    first = {percents[place]: row_ids[place] for place in reversed(places)}
    distinct = tuple(dict.fromkeys(percents[place] for place in places))
    used = [first[percent] for percent in distinct] + ([limit.row_id] if limit else [])
    most = limit.n if limit else None
    fitting = joint_sizes(distinct, MOST if most is None else most)
    return Group(key, tuple(places), distinct, most, fitting, tuple(used))


def _added_up(group: Group, groups: dict[Key, Group], printed: _Printed) -> Group:
    """Return a group with the sizes that add up to its study's, where all the arms of that are known of."""
    study, own, subgroup, _, analysis_set, _ = group.key
    total, names = printed.studies.get(study), printed.separate.get(study, [])
    if total is None or (study, own) in printed.arms or own not in names or len(names) < 2:
        return group
    if subgroup or analysis_set not in WHOLE_ARM:
        return group
    parts = [_part(groups.get((study, arm, *group.key[2:])), printed.arms.get((study, arm))) for arm in names]
    if not all(sizes for sizes, _ in parts):
        return group
    added = sizes_adding_up([sizes for sizes, _ in parts], total.n)[names.index(own)]
    used = (*group.used, *chain.from_iterable(rows for _, rows in parts), total.row_id)
    return replace(group, added=added, used=tuple(dict.fromkeys(used)))


def _part(group: Group | None, printed: _Size | None) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the sizes that an arm can have and the rows that say so; its printed size before any other."""
    if printed is not None:
        return (printed.n,), (printed.row_id,)
    return (group.sizes, group.used) if group else ((), ())


def _printed(arms: pd.DataFrame, studies: pd.DataFrame) -> _Printed:
    names = list(zip(arms["study_id"].tolist(), arms["arm_id"].tolist(), strict=True))
    separate: dict[Hashable, list[Hashable]] = {}
    for (study, arm), combined in zip(names, arms["combines"].tolist(), strict=True):
        separate.setdefault(study, []).extend([] if combined else [arm])
    return _Printed(_sizes(names, arms), _sizes(studies["study_id"].tolist(), studies), separate)


def _sizes(names: Sequence[Name], frame: pd.DataFrame) -> dict[Name, _Size]:
    rows = zip(names, optional(frame["n"]), frame["row_id"].tolist(), strict=True)
    return {name: _Size(n, row_id) for name, n, row_id in rows if n is not None}
