"""At which threshold an outcome counts a patient, as the definitions of the data say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evidence.errors import ParameterError
from evidence.reads import note_rows, unnoted

if TYPE_CHECKING:
    from evidence.data.dataset import Dataset

LEVELS = (">=", ">", "≥")
BESIDE = ("absent", "present")  # what must be there or not, beside the quantity that is measured
DOMAIN, TYPE = "efficacy", "binary"
RESULTS = ("counts", "tests")
Key = tuple[str, str]


class Level(NamedTuple):
    """The level of a quantity from which a patient counts as a responder."""

    quantity: str
    threshold: float


def at_threshold(data: Dataset, threshold: float) -> Dataset:
    """Return the dataset less the counts and tests of responses that another threshold defines.

    A response has a threshold where all its criteria are about one quantity and are all needed, and one of
    them is a level of it: "at least 30", also "at least 30 and twice the start". A response defined by
    several quantities, by any of several criteria or not at all has none, and stays; so does one about a
    quantity that nobody holds against this threshold. What one study does not define is defined as the other
    studies of its indication define it, if they agree.

    Raises:
        ParameterError: no response of the data has this threshold; those that they have are named.
    """
    with unnoted():
        rules = _of_responses(data)
        meant = {level.quantity for level in rules.values() if level and level.threshold == threshold}
        if not meant:
            known = ", ".join(f"{one:g}" for one in sorted({one.threshold for one in rules.values() if one}))
            raise ParameterError(
                f"outcome_threshold '{threshold:g}': no response of the data has it; give one of {known}"
            )
        gone = {
            key
            for key, level in response_levels(data).items()
            if level.quantity in meant and level.threshold != threshold
        }
        kept: dict[str, Any] = {name: _without(getattr(data, name), gone) for name in RESULTS}
        made = replace(data, **kept, _found={})
    note_rows(data.path, "definitions")
    return made


def response_levels(data: Dataset) -> dict[Key, Level]:
    """Return the level that defines each response, by study and outcome; responses without one are absent."""
    rules, indications = _of_responses(data), _column(data.studies, "study_id", "indication")
    shared = _shared(rules, indications)
    pairs = data.counts[["study_id", "outcome_id"]].drop_duplicates()
    keys = zip(pairs["study_id"].tolist(), pairs["outcome_id"].tolist(), strict=True)
    made = {key: rules.get(key, shared.get((indications.get(key[0], ""), key[1]))) for key in keys}
    return {key: level for key, level in made.items() if level}


def _of_responses(data: Dataset) -> dict[Key, Level | None]:
    """Return the rules of responses, which are binary and say how well a treatment works."""
    binary = data.outcomes["domain"].eq(DOMAIN) & data.outcomes["type"].eq(TYPE)
    responses = set(data.outcomes.loc[binary, "outcome_id"])
    return {key: level for key, level in _rules(data.definitions).items() if key[1] in responses}


def _rules(definitions: pd.DataFrame) -> dict[Key, Level | None]:
    """Return the level by study and outcome of whatever is defined; None where it has none, or several."""
    named = definitions["study_id"]
    frame = definitions.assign(study_id=named.where(named.ne(""), definitions["source_id"]))
    found: dict[Key, Level | None] = {}
    for key, rows in frame.groupby(["study_id", "outcome_id"], sort=False):
        study, outcome = map(str, key)
        groups = rows.groupby(["source_id", "group"], sort=False)
        levels = {_level(group) for _, group in groups}
        found[study, outcome] = levels.pop() if len(levels) == 1 else None
    return found


def _level(rows: pd.DataFrame) -> Level | None:
    """Return the level that one rule asks of its one quantity, printed once or more; None for other rules."""
    measured = rows[~rows["operator"].isin(BESIDE)].drop_duplicates(["criterion", "operator", "threshold"])
    levels = measured.loc[measured["operator"].isin(LEVELS), "threshold"].dropna().unique()
    any_suffices = len(measured) > 1 and not measured["join"].eq("all").all()
    if measured["criterion"].nunique() != 1 or any_suffices or len(levels) != 1:
        return None
    return Level(str(measured["criterion"].iloc[0]), float(levels[0]))


def _shared(rules: Mapping[Key, Level | None], indications: Mapping[str, str]) -> dict[Key, Level]:
    """Return, by indication and outcome, the level on which all studies that define it agree."""
    said: dict[Key, set[Level | None]] = {}
    for (study, outcome), level in rules.items():
        said.setdefault((indications.get(study, ""), outcome), set()).add(level)
    return {key: level for key, levels in said.items() if len(levels) == 1 for level in levels if level}


def _column(frame: pd.DataFrame, key: str, value: str) -> dict[str, str]:
    return dict(zip(frame[key].tolist(), frame[value].tolist(), strict=True))


def _without(frame: pd.DataFrame, gone: set[Key]) -> pd.DataFrame:
    keys = zip(frame["study_id"].tolist(), frame["outcome_id"].tolist(), strict=True)
    return frame[[key not in gone for key in keys]]
