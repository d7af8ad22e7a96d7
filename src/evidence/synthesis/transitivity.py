"""What an indirect comparison assumes: in which respects the studies of a network were alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.format import in_sentence
from evidence.questions.definitions import RESCUE, criterion_words
from evidence.results import Tables, days, plain, records
from evidence.synthesis.connect import Connected
from evidence.wording import sign_of

DAYS_PER_WEEK = 7
ALONE = "One study"


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one study in one respect: in words, its data rows, and the sign of how it is known."""

    text: str
    rows: tuple[str, ...] = ()
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Respect:
    """One respect in which studies must be alike: what is told of each, and whether they are.

    ``judgement`` starts with ``Alike``, ``Differs``, ``Not stated``, ``Observed`` or ``One study``.
    """

    name: str
    told: Mapping[str, Told]
    judgement: str


def respects(data: Tables, connected: Connected, *, reference: str) -> tuple[Respect, ...]:
    """Compare the studies of a network in all that an indirect comparison takes to be alike.

    Args:
        data: the tidy tables.
        connected: the studies and their arms.
        reference: the treatment whose risk is set side by side.

    Returns:
        Population, allocation, what counts, rescue treatment, time, characteristics at baseline, and the risk
        with the reference, which is observed and not judged.
    """
    groups = {str(study): group for study, group in connected.arms.groupby("study_id", sort=False)}
    tellers: dict[str, Callable[[Tables, pd.DataFrame], Told]] = {
        "Population": _population,
        "Randomised": _randomised,
        "Threshold that counts": _counts,
        "Rescue treatment": _rescue,
        "Time of the count": _time,
        "Patients at the start": _baseline,
    }
    found = []
    for name, tell in tellers.items():
        told = {study: tell(data, group) for study, group in groups.items()}
        judged = judgement([one.text for one in told.values()]) if len(told) > 1 else ALONE
        found.append(Respect(name, told, judged))
    risk = {study: _risk(group, reference) for study, group in groups.items()}
    label = connected.labels.get(reference, reference)
    return (*found, Respect(f"Response with {in_sentence(label)}", risk, _range(connected, reference)))


DIFFER_IN = {
    "Population": "population",
    "Randomised": "allocation",
    "Threshold that counts": "threshold of the outcome",
    "Rescue treatment": "rule for rescue treatment",
    "Time of the count": "time of the count",
}


def unlike_words(data: Tables, connected: Connected, *, reference: str) -> str:
    """Return in what the studies of a network differ and what is not known of all, nothing of one study."""
    if len(connected.studies) < 2:
        return ""
    made = [one for one in respects(data, connected, reference=reference) if one.name in DIFFER_IN]
    differ = [DIFFER_IN[one.name] for one in made if one.judgement.startswith("Differs")]
    silent = [DIFFER_IN[one.name] for one in made if one.judgement.startswith("Not stated")]
    told = [
        f"Taken together across trials that differ in {', '.join(differ)}." if differ else "",
        f"Not stated for every trial: {', '.join(silent)}." if silent else "",
    ]
    return " ".join(filter(None, told))


def judgement(texts: list[str]) -> str:
    """Return whether texts say the same, say different things, or are missing.

    >>> judgement(["a", "a"]), judgement(["a", "b"]), judgement(["a", ""]), judgement(["a", "b", ""])
    ('Alike', 'Differs', 'Not stated in 1 of 2', 'Differs; not stated in 1 of 3')
    """
    known = {text for text in texts if text}
    absent = sum(not text for text in texts)
    missing = f"not stated in {absent} of {len(texts)}"
    if len(known) > 1:
        return f"Differs; {missing}" if absent else "Differs"
    return missing.capitalize() if absent else "Alike"


def _first(group: pd.DataFrame, name: str) -> str:
    value = group[name].iloc[0]
    return "" if fmt.missing(value) else str(value)


def _population(data: Tables, group: pd.DataFrame) -> Told:
    return Told(plain(_first(group, "population")))


def _randomised(data: Tables, group: pd.DataFrame) -> Told:
    return Told({"yes": "Yes", "no": "No"}.get(_first(group, "randomised"), ""))


def _time(data: Tables, group: pd.DataFrame) -> Told:
    day = days(group["time"].iloc[0], _first(group, "time_unit"))
    if day == float("inf"):
        return Told("")
    time, unit = group["time"].iloc[0], _first(group, "time_unit")
    weeks = day / DAYS_PER_WEEK
    if unit in ("month", "year"):
        return Told(f"{unit.capitalize()} {time:g}")
    return Told(f"Week {weeks:g}" if weeks == int(weeks) else f"Day {day:g}")


def _criteria(data: Tables, group: pd.DataFrame) -> list[dict[str, Any]]:
    frame = data.definitions
    if "study_id" not in frame:
        return []
    own = (frame["study_id"] == _first(group, "study_id")) & (
        frame["outcome_id"] == _first(group, "outcome_id")
    )
    return records(frame[own])


def _told(rows: list[dict[str, Any]]) -> Told:
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(criterion_words(row), []).append(str(row["row_id"]))
    return Told("; ".join(texts), tuple(row_id for ids in texts.values() for row_id in ids))


def _counts(data: Tables, group: pd.DataFrame) -> Told:
    return _told([row for row in _criteria(data, group) if RESCUE not in str(row["criterion"])])


def _rescue(data: Tables, group: pd.DataFrame) -> Told:
    return _told([row for row in _criteria(data, group) if RESCUE in str(row["criterion"])])


def _baseline(data: Tables, group: pd.DataFrame) -> Told:
    ids = set(data.outcomes.loc[data.outcomes["domain"] == "baseline", "outcome_id"])
    found: set[str] = set()
    for frame in (data.counts, data.measurements):
        own = (frame["study_id"] == _first(group, "study_id")) & frame["outcome_id"].isin(ids)
        found |= {str(one) for one in frame.loc[own, "outcome_id"]}
    labels = dict(zip(data.outcomes["outcome_id"], data.outcomes["label"], strict=True))
    return Told("; ".join(str(labels[one]) for one in sorted(found)))


def _risk(group: pd.DataFrame, reference: str) -> Told:
    arms = records(group[group["treatment"] == reference])
    if not arms:
        return Told("")
    share = fmt.percent(int(arms[0]["events"]) / int(arms[0]["n"]))
    row = arms[0]
    counted, rows = fmt.count(row["events"], row["n"]), tuple(str(row["row_id"]).split("|"))
    return Told(f"{counted} ({share})", rows, sign_of([str(row["basis"])], [str(row["origin"])]))


def _range(connected: Connected, reference: str) -> str:
    arms = connected.arms[connected.arms["treatment"] == reference]
    if len(arms) < 2:
        return ALONE
    shares = [int(row["events"]) / int(row["n"]) for row in records(arms)]
    return f"Observed: {fmt.percent(min(shares))} to {fmt.percent(max(shares))}"
