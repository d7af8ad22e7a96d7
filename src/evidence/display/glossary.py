"""Signs and words of the report: what every mark means, and what the outcomes asked about mean."""

from __future__ import annotations

import pandas as pd

from evidence.data import Dataset
from evidence.display.labels import outcome_labels, sourced, study_label
from evidence.display.model import DOUBT, DOUBTED, LEGEND, SIGNS, Cell, Column, Table
from evidence.display.tables.definitions import rules_of
from evidence.display.tables.parts import build, grouped
from evidence.parameters import Parameters
from evidence.questions import answer
from evidence.results import Row
from evidence.synthesis.bias import SIGNS as LIGHTS
from evidence.synthesis.certainty import HIGH, WORDS

DASH = "–"
FOLLOWING = "A sign at a risk or a count holds for the differences and ratios made from it."
NOTHING_SAID = "nothing is printed, or nothing applies"
STUDY = "study"
NOT_PRINTED = "not printed by a study behind the answers"


def signs_table(parameters: Parameters) -> Table:
    """Return every sign of tables and figures with its meaning, in the order in which they are met.

    Args:
        parameters: not used; every builder takes them.
    """
    parts = (
        ("Beside a number", [(SIGNS[kind], LEGEND[kind]) for kind in SIGNS] + [(DOUBT, DOUBTED)]),
        ("In place of a number", [(DASH, NOTHING_SAID)]),
        ("Certainty", [("●" * n + "○" * (HIGH - n), WORDS[n]) for n in sorted(WORDS, reverse=True)]),
        ("Risk of bias", _lights()),
    )
    body = [(Cell(sign), Cell(words[:1].upper() + words[1:])) for _, some in parts for sign, words in some]
    headings = [name for name, some in parts for _ in some]
    frame = pd.DataFrame(
        [{"where": name, "sign": sign, "meaning": words} for name, some in parts for sign, words in some]
    )
    columns = (Column("Sign", width=1.0), Column("Meaning", width=4.0))
    return Table(columns, tuple(body), "Signs, and what they mean.", FOLLOWING, frame, grouped(headings))


def _lights() -> list[tuple[str, str]]:
    """Return the signs of judgements; tools that share a sign have different words for it."""
    found: dict[str, list[str]] = {}
    for word, sign in LIGHTS.items():
        found.setdefault(sign, []).append(word)
    return [(sign, " or ".join(words)) for sign, words in found.items()]


def outcome_words_table(data: Dataset, parameters: Parameters) -> Table:
    """Return what each outcome that a question asks about means, in each study that answers, as it prints it.

    A definition of another study is not taken for theirs: where none of them prints one, the line says so.

    Args:
        data: the dataset.
        parameters: those of the answers.
    """
    asked = list(dict.fromkeys(data.questions.sort_values("order")["outcome_id"]))
    domains = sorted(set(data.outcomes.loc[data.outcomes["outcome_id"].isin(asked), "domain"]))
    behind = _studies_behind(data, parameters)
    rules = [
        one
        for one in rules_of(data, domains)
        if one["of"] == STUDY and one["study_id"] in behind.get(str(one["outcome_id"]), ())
    ]
    known = {one["outcome_id"] for one in rules}
    rules += [
        {"outcome_id": one, "study_id": "", "of": STUDY, "rule": NOT_PRINTED, "rows": []}
        for one in asked
        if behind.get(one) and one not in known
    ]
    rules.sort(key=lambda one: asked.index(one["outcome_id"]))
    names = outcome_labels(data)
    body = [_rule_row(data, one) for one in rules]
    return build(
        data,
        (Column("Study", width=1.4), Column("Counts when", width=3.0)),
        body,
        caption="What the outcomes of the answers mean, in each study behind them that prints it.",
        frame=pd.DataFrame(rules).drop(columns="rows", errors="ignore"),
        groups=grouped([names[str(one["outcome_id"])] for one in rules]),
    )


def _studies_behind(data: Dataset, parameters: Parameters) -> dict[str, set[str]]:
    """Return the studies that answer the questions on each outcome."""
    found: dict[str, set[str]] = {}
    for question, outcome in zip(data.questions["question_id"], data.questions["outcome_id"], strict=True):
        found.setdefault(str(outcome), set()).update(answer(str(question), data, parameters).studies)
    return found


def _rule_row(data: Dataset, rule: Row) -> tuple[Cell, Cell]:
    study = str(rule["study_id"])
    rows = "|".join(str(row["row_id"]) for row in rule["rows"])
    return Cell(study_label(data, study) if study else DASH), sourced(str(rule["rule"]), rows)
