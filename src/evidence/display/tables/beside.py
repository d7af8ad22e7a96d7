"""What stands beside an answer: its graver events, the groups before treatment, a published effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evidence import format as fmt
from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.display.labels import lower_first, mark_of, pretty, sourced
from evidence.display.model import Cell, together
from evidence.display.tables.answered import counts_mark, difference_words, rows_of
from evidence.display.tables.pairwise import printed_effect
from evidence.parameters import Parameters
from evidence.questions import Answer, answer, question_row
from evidence.results import rates, records
from evidence.stats import absolute_effect
from evidence.wording import Limits, per_1000, size_text, told_difference

SAME = ("treatment", "treatment_dose", "comparator", "comparator_dose", "population", "indication")
WINDOW = ("time_low", "time_high", "time_unit")
NAMES = {"OR": "Odds ratio", "RR": "Risk ratio"}
ENDS = ("estimate", "low", "high")
Row = Mapping[str, Any]


def graver_of(one: Answer, data: Dataset, parameters: Parameters) -> list[Answer]:
    """Return the answers to the questions about a part of this one's harms in the same comparison."""
    if one.better != "lower":
        return []
    asked = question_row(one.question_id, data)
    parts = set(data.outcomes.loc[data.outcomes["parent_id"] == asked["outcome_id"], "outcome_id"])
    same = [
        row
        for row in records(data.questions)
        if row["outcome_id"] in parts and all(str(row[name]) == str(asked[name]) for name in (*SAME, *WINDOW))
    ]
    made = [answer(str(row["question_id"]), data, parameters) for row in same]
    return [part for part in made if part.difference is not None and part.studies == one.studies]


def graver_words(one: Answer, part: Answer) -> str:
    """Return a part of a difference beside the whole of it, with its counts."""
    assert one.difference is not None  # noqa: S101 - the caller has looked
    arms = [arm for study in part.finding.studies for arm in (study.treatment, study.comparator) if arm]
    counts = " and ".join(f"{arm.words} with {fmt.in_sentence(arm.label)}" for arm in arms)
    return f"{difference_words(part)}, of {size_text(one.difference.estimate)} in all: {counts}"


def baseline_of(one: Answer, data: Dataset, parameters: Parameters) -> list[Row]:
    """Return how many in either group had the same before treatment, treatment first; nothing if not told."""
    outcome = str(question_row(one.question_id, data)["outcome_id"])
    parents = data.outcomes.loc[data.outcomes["outcome_id"] == outcome, "parent_id"].tolist()
    before = data.outcomes["domain"].eq("baseline") & data.outcomes["parent_id"].isin(
        [outcome, *filter(None, parents)]
    )
    names = [str(name) for name in data.outcomes.loc[before, "outcome_id"]]
    if not names or len(one.studies) != 1:
        return []
    frame = rates(data.about(names), parameters, study_id=one.studies[0], outcome_ids=names, subgroup="")
    found = {str(row["arm_id"]): row for row in records(frame[frame["events"].notna()])}
    used = sorted(records(one.included), key=lambda row: row["side"] != "treatment")
    rows: list[Row] = [found[str(row["arm_id"])] for row in used if str(row["arm_id"]) in found]
    return rows if len(rows) == len(used) == 2 else []


def baseline_words(rows: Sequence[Row]) -> str:
    """Return the shares before treatment as a sentence without its end."""
    each = [
        f"{fmt.x_of_n(row['events'], row['n'])} ({fmt.percent(row['estimate'])}) with "
        f"{fmt.in_sentence(str(row['arm_label']))}"
        for row in rows
    ]
    return f"{pretty(rows[0]['outcome_label'])}: {' and '.join(each)}. The answer does not allow for it"


def adjusted_of(one: Answer, data: Dataset) -> list[Row]:
    """Return the adjusted ratios that the one study behind an answer prints, with what each would mean.

    ``difference`` is what the ratio makes of the measured risk without the treatment, taken as it is.
    """
    if len(one.finding.studies) != 1 or one.control is None:
        return []
    study, outcome = one.finding.studies[0], str(question_row(one.question_id, data)["outcome_id"])
    sides = {str(row["side"]): str(row["arm_id"]) for row in records(one.included)}
    arms = f"{sides['treatment']}|{sides['comparator']}"
    known = [
        row for row in _adjusted(data, study.study_id, outcome, arms) if str(row["effect_label"]) in NAMES
    ]
    return [{**row, "difference": _at_risk(row, one.control.estimate)} for row in known]


@by_value
def _adjusted(data: Dataset, study_id: str, outcome_id: str, arms: str) -> list[Row]:
    """Return the adjusted effects with an interval that a study prints of two arms."""
    tests = data.select("tests", study_id=study_id, outcome_id=outcome_id, arms=arms, adjusted="yes")
    return list(records(tests[tests["counted"] & tests["low"].ne("")]))


def _at_risk(test: Row, risk: float) -> Limits:
    ratio = (float(test["effect"]), float(test["low"]), float(test["high"]))
    made = absolute_effect(ratio, (risk, risk, risk), measure="OR" if test["effect_label"] == "OR" else "RR")
    return made.difference, made.low, made.high


def adjusted_words(one: Answer, test: Row) -> str:
    """Return a printed adjusted ratio and what it would mean per 1,000, beside the crude answer."""
    assert one.control is not None  # noqa: S101 - the caller has looked
    name = NAMES[str(test["effect_label"])]
    told = told_difference(test["difference"], unit=False)
    return (
        f"{name} {printed_effect(test)}: at {per_1000(one.control.estimate)} per 1,000 without the "
        f"treatment, {told}; the counts alone are not adjusted"
    )


def beside_rows(one: Answer, data: Dataset, parameters: Parameters) -> list[tuple[Cell, ...]]:
    """Return the rows of a summary of findings that stand below the difference."""
    lines = [
        (
            f"Of these, {lower_first(pretty(part.outcome))}",
            Cell(graver_words(one, part), rows_of(part), counts_mark(part)),
        )
        for part in graver_of(one, data, parameters)
        if one.difference is not None
    ]
    before = baseline_of(one, data, parameters)
    if before:
        mark = together(*(mark_of(str(row["basis"]), str(row["origin"])) for row in before))
        ids = tuple(str(row["row_id"]) for row in before)
        lines.append(("Before treatment", Cell(f"{baseline_words(before)}.", ids, mark)))
    lines += [
        (
            "As published, adjusted",
            sourced(f"{adjusted_words(one, test)}.", test["row_id"], origin=str(test.get("origin", ""))),
        )
        for test in adjusted_of(one, data)
    ]
    return [(Cell(name), cell) for name, cell in lines]


def beside_values(one: Answer, data: Dataset, parameters: Parameters) -> dict[str, Any]:
    """Return what stands beside an answer as unformatted values of its row in the tidy table."""
    values: dict[str, Any] = {}
    for side, row in zip(("treatment", "control"), baseline_of(one, data, parameters), strict=False):
        values |= {f"baseline_{side}_{name}": row[name] for name in ("events", "n")}
        values[f"baseline_{side}_share"] = row["estimate"]
    for test in adjusted_of(one, data)[:1]:
        values |= {
            f"adjusted_{end}": test[of] for end, of in zip(ENDS, ("effect", "low", "high"), strict=True)
        }
        values |= {
            f"adjusted_difference_{end}": value for end, value in zip(ENDS, test["difference"], strict=True)
        }
    return values
