"""How studies, arms, outcomes and times are named in tables, figures and captions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data.content import loaded_as
from evidence.data.dataset import Dataset
from evidence.data.values import by_value
from evidence.display.model import Cell, Mark, legend_of, together
from evidence.parameters import Parameters
from evidence.results import Tables, records
from evidence.wording import kinds_of

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
METHODS = {
    "wilson": "Wilson",
    "clopper-pearson": "Clopper-Pearson",
    "agresti-coull": "Agresti-Coull",
    "jeffreys": "Jeffreys",
    "newcombe": "Newcombe",
    "miettinen-nurminen": "Miettinen-Nurminen",
    "wald": "Wald",
    "katz": "Katz",
    "woolf": "Woolf",
}
MEASURES = {"RR": "Risk ratio", "OR": "Odds ratio", "RD": "Risk difference"}
POLICIES = {
    "observed": "Patients without a value are left out.",
    "failure": "Patients without a value are counted as failures.",
    "success": "Patients without a value are counted as successes.",
}
READ_FROM = (
    "studies", "arms", "counts", "measurements", "tests", "claims", "definitions", "protocols",
    "risk_of_bias",
)  # fmt: skip


def pretty(text: Any) -> str:
    """Return text from the data with powers, signs and comparison signs as they are printed.

    >>> pretty(">=100 x 10^9/L")
    '≥100 × 10⁹/L'
    """
    shown = re.sub(r"\^(-?\d+)", lambda found: found.group(1).translate(SUPERSCRIPTS), str(text))
    shown = re.sub(r"(?<=\d) ?x ?(?=10[⁰¹²³⁴⁵⁶⁷⁸⁹])", " × ", shown)
    return shown.replace(">=", "≥").replace("<=", "≤")


def unit(name: Any) -> str:
    """Return a unit as it follows a number.

    >>> unit("10^9/L"), unit("year")
    ('×10⁹/L', 'years')
    """
    text = pretty("" if fmt.missing(name) else name)
    if text.startswith("10"):
        return f"×{text}"
    return f"{text}s" if text in ("day", "week", "month", "year") else text


def moment(row: Mapping[str, Any]) -> str:
    """Return when something was measured: the printed label, else time and unit, else nothing.

    >>> moment({"time": 3.0, "time_unit": "month", "time_label": ""})
    '3 months'
    >>> [moment({"time_label": label}) for label in ("6 wk-6 mo", ">12 wk", "3-4 months", "study")]
    ['6 weeks to 6 months', '>12 weeks', '3–4 months', 'During the study']
    """
    label = "" if fmt.missing(row.get("time_label")) else str(row["time_label"])
    if label:
        return fmt.sentence(_moment_words(label))
    if fmt.missing(row.get("time")):
        return ""
    if row["time"] == 0:
        return "Baseline"
    return f"{fmt.general(row['time'])} {row['time_unit']}{'' if row['time'] == 1 else 's'}"


def _moment_words(label: str) -> str:
    """Return the printed label of a time with its units written out."""
    if label == "study":
        return "during the study"
    whole = re.sub(r"(?<=\d )(wk|mo)\b", lambda found: {"wk": "weeks", "mo": "months"}[found[0]], label)
    return re.sub(r"(?<=\d)-(?=\d)", "–", re.sub(r"(?<=s)-(?=\d)", " to ", whole))


def titled(row: Mapping[str, Any]) -> str:
    """Return the outcome of a result with its time: ``Complete response, 3 months``."""
    when = moment(row)
    when = when[:1].lower() + when[1:] if when[:1].isalpha() else when
    return ", ".join(filter(None, (pretty(row["outcome_label"]), when)))


def joined(names: Sequence[str], word: str = "and") -> str:
    """Return names as a phrase.

    >>> joined(["a", "b", "c"]), joined(["a", "b"], "or")
    ('a, b and c', 'a or b')
    """
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))


def ended(text: str) -> str:
    """Return a sentence with its full stop.

    >>> ended("It is so"), ended("It is so.")
    ('It is so.', 'It is so.')
    """
    return text if not text or text[-1] in ".!?" else f"{text}."


def lower_first(text: str) -> str:
    """Return a label as it stands inside a sentence; abbreviations keep their capitals.

    >>> lower_first("Complete response"), lower_first("AbC, levels"), lower_first("ABC alone")
    ('complete response', 'AbC, levels', 'ABC alone')
    """
    return fmt.in_sentence(text)


def spelled(data: Tables, component: str) -> str:
    """Return the id of a drug as the data write it: with the capitals and hyphens of their own texts.

    What stands first in a text may owe its capital to that; what is nowhere written as a whole is spelled as
    its parts are, and stays as it is where they are not written either. All studies of the folder have a say.
    """
    whole = loaded_as(data) if isinstance(data, Dataset) else None
    known = {} if whole is None else _spellings(whole)
    return known.get(component) or _spelled(component, _words(data))


@by_value
def _spellings(data: Tables) -> dict[str, str]:
    """Return how the drugs of all arms are spelled, by their ids."""
    words = _words(data)
    drugs = {drug for row in data.arms["components"] for drug in str(row).split("+")}
    return {drug: _spelled(drug, words) for drug in sorted(drugs) if drug}


def _spelled(component: str, words: Mapping[str, Sequence[str]]) -> str:
    whole = _spelling(component, words)
    parts = [_spelling(part, words) or part for part in component.split("-")]
    return whole or "-".join(parts).replace("/", " or ")


def _words(data: Tables) -> dict[str, list[str]]:
    """Return every word of the texts, by its letters; not those that are capitalised as a name is."""
    texts = [
        *data.arms["label"],
        *data.protocols["item"],
        *data.protocols["value"],
        *data.claims["paraphrase"],
    ]
    found: dict[str, list[str]] = {}
    for word in (word for text in texts for word in re.findall(r"[\w-]+", str(text))):
        if not word.istitle():
            found.setdefault(_letters(word), []).append(word)
    return found


def _spelling(name: str, words: Mapping[str, Sequence[str]]) -> str:
    """Return how a name is mostly written; nothing where it is not."""
    found = words.get(_letters(name), ())
    return max(dict.fromkeys(found), key=found.count, default="")


def _letters(word: str) -> str:
    return word.replace("-", "").casefold()


def study_label(data: Tables, study_id: str) -> str:
    """Return the label of a study, or its id where it has none."""
    found = data.studies.loc[data.studies["study_id"] == study_id, "label"]
    return str(found.iloc[0]) if len(found) and str(found.iloc[0]) else study_id


def arm_labels(data: Tables, study_id: str) -> dict[str, str]:
    """Return the labels of a study's arms by id."""
    arms = data.arms[data.arms["study_id"] == study_id]
    return dict(zip(arms["arm_id"], arms["label"], strict=True))


def outcome_labels(data: Tables) -> dict[str, str]:
    """Return the labels of all outcomes by id, as they are printed."""
    return {row["outcome_id"]: pretty(row["label"]) for row in records(data.outcomes)}


def interval_words(parameters: Parameters) -> str:
    """Return the name of the intervals: ``95% confidence interval``."""
    return f"{fmt.level(parameters.confidence_level)} confidence interval"


def ci(parameters: Parameters) -> str:
    """Return the short name of the intervals for a column heading: ``95% CI``."""
    return f"{fmt.level(parameters.confidence_level)} CI"


def rate_note(parameters: Parameters, frame: pd.DataFrame | None = None) -> str:
    """Return how rates and their intervals were made, with the policy where it changed something."""
    method = METHODS[parameters.proportion_method]
    made = f"Intervals of rates: {fmt.level(parameters.confidence_level)} confidence, {method}."
    changed = frame is not None and bool((frame["policy"] != "observed").any())
    return f"{made} {POLICIES[parameters.missing_data]}" if changed else made


def effect_note(frame: pd.DataFrame, parameters: Parameters) -> str:
    """Return which methods gave the effects and their intervals, and what was added to the counts."""
    shown = frame[frame["estimate"].notna()]
    used = dict.fromkeys(zip(shown["measure"], shown["method"], strict=True))
    parts = [f"{MEASURES.get(measure, measure).lower()} {METHODS.get(name, name)}" for measure, name in used]
    added = [text for text in dict.fromkeys(shown["correction"]) if text not in ("", "none")]
    text = f"Intervals of effects: {fmt.level(parameters.confidence_level)} confidence, {joined(parts)}."
    return " ".join([text if parts else "", *(f"Where a count is empty: {part}." for part in added)]).strip()


def sourced(text: str, row_id: Any, *, basis: str = "", origin: str = "", mark: Mark = "") -> Cell:
    """Return a cell that names its data rows and carries their marks besides its own."""
    rows = tuple(filter(None, str(row_id).split("|"))) if not fmt.missing(row_id) else ()
    return Cell(text, rows, together(mark, mark_of(basis, origin)) if text else "")


def corrected(row: Mapping[str, Any]) -> Mark:
    """Return the mark of an effect that something had to be added to its counts for, or nothing.

    >>> corrected({"correction": "0.5 added to every cell"}), corrected({"correction": "none"})
    ('corrected', '')
    """
    return "corrected" if str(row.get("correction") or "none").startswith("0.5") else ""


def mark_of(basis: str, origin: str = "") -> Mark:
    """Return the mark of a value by how it is known and where its study comes from.

    >>> mark_of("derived", "external")
    'derived+external'
    """
    return "+".join(kinds_of([basis], [origin]))


def marked(text: str, basis: str, origin: str = "") -> str:
    """Return text for a figure with the signs of how its count is known; empty text stays empty."""
    return Cell(text, mark=mark_of(basis, origin)).shown if text else ""


def mark_legend(bases: Iterable[str], origins: Iterable[str] = ()) -> str:
    """Return the meaning of the signs that values of these bases and origins carry, or nothing."""
    return legend_of([*map(mark_of, bases), *(mark_of("", origin) for origin in origins)])
