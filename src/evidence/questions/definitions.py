"""What counted as the outcome in a study, as its documents print it, and whether studies defined it alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence import format as fmt
from evidence.results import Tables, plain, records

RESCUE = "rescue"  # a criterion with this word in its name is the rule for rescue treatment
OPERATORS = {"increase>=": "rise of at least", "ratio>=": "at least", ">=": "≥", "<=": "≤"}
SAME_UNIT = {"/mm^3": ("10^9/L", 0.001), "/uL": ("10^9/L", 0.001), "/µL": ("10^9/L", 0.001)}
"""Units that say the same in other words: the unit to compare in, and what to multiply by."""
POWER = re.compile(r"^10\^(-?\d+)")
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
NOT_PRINTED = "Definition not printed"

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Definition:
    """The criteria of an outcome in one study, each in words with what it is compared by.

    Without criteria the definition was not printed. ``any_of`` says that one of the criteria is enough;
    ``rescue`` are those on rescue treatment.
    """

    criteria: tuple[tuple[str, Key], ...] = ()
    rescue: tuple[tuple[str, Key], ...] = ()
    any_of: bool = False

    @property
    def compared(self) -> tuple[frozenset[Key], bool]:
        """Return what two definitions of the same outcome have in common where they are alike."""
        return frozenset(key for _, key in self.criteria), self.any_of and len(self.criteria) > 1

    @property
    def rules(self) -> frozenset[Key]:
        """Return the rules for rescue treatment that are compared."""
        return frozenset(key for _, key in self.rescue)

    @property
    def words(self) -> str:
        """Return the criteria other than rescue in words."""
        return (" or " if self.any_of else " and ").join(words for words, _ in self.criteria)

    @property
    def rescue_words(self) -> str:
        """Return the rule for rescue treatment in words, nothing where none was printed."""
        return " and ".join(words for words, _ in self.rescue)


def definitions_of(data: Tables, outcome_id: str) -> dict[str, Definition]:
    """Return how each study defined an outcome, by study; a study that printed nothing is not in it."""
    frame = data.definitions
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in records(frame[frame["outcome_id"] == outcome_id]) if "study_id" in frame else []:
        found.setdefault(str(row["study_id"]), []).append(row)
    return {study: definition_of(rows) for study, rows in found.items() if study}


def definition_of(rows: Sequence[Mapping[str, Any]]) -> Definition:
    """Return the definition that rows of ``definitions.csv`` make; a criterion printed twice counts once."""
    told = {_key(row): criterion_words(row) for row in rows}
    parts: dict[bool, list[tuple[str, Key]]] = {True: [], False: []}
    for key, words in told.items():
        parts[RESCUE in key[0]].append((words, key))
    return Definition(tuple(parts[False]), tuple(parts[True]), any(row["join"] == "any" for row in rows))


def _key(row: Mapping[str, Any]) -> Key:
    """Return what a criterion is compared by: the same threshold in another unit is the same."""
    unit, factor = SAME_UNIT.get(str(row["unit"]), (str(row["unit"]), 1.0))
    known = not fmt.missing(row["threshold"])
    threshold = f"{float(row['threshold']) * factor:.6g}" if known else ""
    return str(row["criterion"]), str(row["operator"]), threshold, unit


def criterion_words(row: Mapping[str, Any]) -> str:
    """Return one criterion in words: ``Cell count ≥50 × 10⁹/L``."""
    operator = str(row["operator"])
    name = plain(str(row["criterion"]))
    if operator == "absent":
        return f"None allowed ({name.lower()})"
    unit = POWER.sub(lambda found: f"× 10{found[1].translate(RAISED)}", str(row["unit"]))
    amount = f"{fmt.general(row['threshold'])} {unit}".strip()
    sign = OPERATORS.get(operator, operator)
    return f"{name} {sign}{' ' if sign[-1:].isalpha() else ''}{amount}".strip()


def definition_differences(told: Mapping[str, Definition]) -> tuple[str, str]:
    """Return in what printed definitions of one outcome differ, and which studies printed none.

    Args:
        told: the definition of each study, by the study's name.

    Returns:
        Two texts, each empty where there is nothing to say. That a document is silent is no difference, but
        it is told; so is a rule for rescue treatment that only some print.
    """
    defined = {name: one.words for name, one in told.items() if one.criteria}
    rules = {name: one.rescue_words for name, one in told.items() if one.rescue}
    parts = {
        "definitions": defined if len({one.compared for one in told.values() if one.criteria}) > 1 else {},
        "rules for rescue treatment": rules if len({told[name].rules for name in rules}) > 1 else {},
    }
    differing = "; ".join(f"{name} ({_each(texts)})" for name, texts in parts.items() if texts)
    return differing, " ".join(filter(None, (_silent(told, defined), _some_rules(told, rules))))


def _silent(told: Mapping[str, Definition], defined: Mapping[str, str]) -> str:
    absent = [name for name in told if name not in defined]
    if not defined:
        return f"{NOT_PRINTED} by any study."
    return f"{NOT_PRINTED}: {', '.join(absent)}." if absent else ""


def _some_rules(told: Mapping[str, Definition], rules: Mapping[str, str]) -> str:
    return f"Rule for rescue treatment printed only by {_each(rules)}." if 0 < len(rules) < len(told) else ""


def _each(told: Mapping[str, str]) -> str:
    """Return texts with the names that they are true of, each text once."""
    found: dict[str, list[str]] = {}
    for name, text in told.items():
        if text:
            found.setdefault(text, []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in found.items())
