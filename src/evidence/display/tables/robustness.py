"""How easily an answer would change: by a few patients, an unseen cause, lost patients, many comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data import Dataset
from evidence.display.counting import several
from evidence.display.labels import ci, pretty
from evidence.display.model import Cell, Column, Table
from evidence.display.synthesis import asked_questions
from evidence.display.tables.answered import difference_words, rows_of, split_title
from evidence.display.tables.parts import build, grouped, short_method, with_pair_tests
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.questions import Answer, answer, extremes
from evidence.results import Row, records
from evidence.stats import compare, e_value, fragility
from evidence.wording import told_difference

NOTE = (
    "Only answers whose interval leaves out no difference, each from one study. Events added or removed: "
    "how many patients of the group where the event is rarer would have to have it (the fragility index of "
    "Walsh and others), or of the other group not to have it, until P of Fisher’s exact test reaches "
    "{alpha}; 0: it does so as it is. E-value, of "
    "the risk ratio and in brackets of its limit: how many times as frequent in one group, and as risky, an "
    "unmeasured cause must be to explain it alone; not given where chance allocated the patients. Missing "
    "values: all missing patients of one group with the event and none of the other’s, both ways; "
    "missing is who was allocated and not counted, whatever the outcome, while the analyses above fill in "
    "responses alone. "
    "Comparisons: those that this report asks of the same patients; other outcomes of the study are not "
    "among them. P is from the counts, by Pearson’s test where no other is named; after the arrow it is "
    "adjusted by Holm for all these comparisons, and “holds” says that it is still below {alpha}."
)
USUAL = "Pearson"  # the test that no cell needs to name


def robustness_table(data: Dataset, parameters: Parameters) -> Table:
    """Return for every difference that leaves out none how little would have to be otherwise to undo it.

    Fragility, E-values where patients were not randomised, the two ends that missing values allow, and P
    among all comparisons of the same patients (families of one study, adjusted by Holm).
    """
    answers = [answer(str(one["question_id"]), data, parameters) for one in asked_questions(data)]
    known = {row["question_id"]: row for row in records(_tests(answers))}
    shown = [one for one in answers if one.question_id in known and _leaves_out_none(one)]
    rows = [known[one.question_id] | _values(one, data, parameters) for one in shown]
    return build(
        data,
        (
            Column("Question", width=2.0),
            Column(f"Difference per 1,000 ({ci(parameters)})", width=2.6),
            Column("Events that would undo it", width=1.3),
            Column("E-value (limit)", width=1.2),
            Column("Missing values", width=1.7),
            Column("P → P by Holm among all comparisons of the same patients", width=1.9),
        ),
        [_cells(one, row, parameters) for one, row in zip(shown, rows, strict=True)],
        caption=_caption(rows, parameters),
        note=NOTE.format(alpha=fmt.general(parameters.alpha)),
        frame=pd.DataFrame(rows),
        groups=[pair for pair in grouped([split_title(one.title)[0] for one in shown]) if pair[1]],
    )


def _leaves_out_none(one: Answer) -> bool:
    return one.difference is not None and not one.difference.low <= 0 <= one.difference.high


def _tests(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return the comparisons of single studies with P, and P adjusted among those of the same patients."""
    rows = [
        {"question_id": one.question_id, "study_id": study.study_id, "family": study.family}
        | dict(zip(("e1", "n1", "e0", "n0"), study.four, strict=True))
        for one in answers
        for study in one.finding.studies
        if len(one.finding.each) == 1
    ]
    if not rows:
        return pd.DataFrame()
    made = with_pair_tests(pd.DataFrame(rows), ["family"])
    return made.assign(comparisons=made.groupby("family")["p"].transform("count"))


def _values(one: Answer, data: Dataset, parameters: Parameters) -> Row:
    study = one.finding.studies[0]
    values: Row = _fragility(study.four, parameters.alpha) | {"allocation": study.allocation}
    values |= _named("difference", one.difference) | _e_values(study.four, parameters)
    ends = extremes(one, data, parameters)
    values |= {"missing": ends.missing if ends else None}
    return values | _named("lowest", ends and ends.lowest) | _named("highest", ends and ends.highest)


def _named(name: str, effect: Any) -> Row:
    return {f"{name}_{end}": getattr(effect, end, None) for end in ("estimate", "low", "high")}


def _fragility(four: tuple[int, int, int, int], alpha: float) -> Row:
    """Return the fragility; of groups too large to go through nothing."""
    try:
        made = fragility(*four, alpha=alpha)
    except StatisticsError:
        return dict.fromkeys(("fragility_index", "fragility_other", "fragility_fewest"))
    told = {"fragility_index": made.index, "fragility_other": made.other}
    return told | {"fragility_fewest": made.fewest}


def _e_values(four: tuple[int, int, int, int], parameters: Parameters) -> Row:
    try:
        ratio = compare(*four, measure="RR", level=parameters.confidence_level)
        made = e_value(ratio.estimate, ratio.low, ratio.high)
    except StatisticsError:
        return {"e_value": None, "e_value_limit": None}
    return {"e_value": made.estimate, "e_value_limit": made.limit}


def _cells(one: Answer, row: Row, parameters: Parameters) -> tuple[Cell, ...]:
    return (
        Cell(pretty(split_title(one.title)[1])),
        Cell(difference_words(one, unit=False), rows_of(one)),
        Cell(_fragility_words(row)),
        Cell(_e_words(row)),
        Cell(_missing_words(row)),
        Cell(_p_words(row, parameters)),
    )


def _fragility_words(row: Row) -> str:
    if not row["fragility_fewest"]:
        return "–" if row["fragility_fewest"] is None else "0"
    ends = {"added": row["fragility_index"], "removed": row["fragility_other"]}
    return " or ".join(f"{count} {how}" for how, count in ends.items() if count is not None)


def _e_words(row: Row) -> str:
    """Return the E-values where patients were not randomised, with a condition where nothing says it."""
    if row["allocation"] == "randomised":
        return "randomised"
    if row["e_value"] is None:
        return fmt.NOT_ESTIMABLE
    told = f"{fmt.ratio_number(row['e_value'])} ({fmt.ratio_number(row['e_value_limit'])})"
    return told if row["allocation"] == "not randomised" else f"{told}, if not randomised"


def _missing_words(row: Row) -> str:
    if row["missing"] is None:
        return "numbers allocated not known"
    if not row["missing"]:
        return "none missing"
    ends = [
        told_difference(tuple(row[f"{name}_{end}"] for end in ("estimate", "low", "high")), unit=False)
        for name in ("lowest", "highest")
    ]
    return f"{row['missing']} missing: {ends[0]} to {ends[1]}"


def _p_words(row: Row, parameters: Parameters) -> str:
    method = short_method(row["test"])
    tested = fmt.p_value(row["p"]) + ("" if method == USUAL else f" ({method})")
    if row["comparisons"] < 2:
        return f"{tested}, the only one"
    held = "holds" if row["p_holm"] < parameters.alpha else "does not hold"
    return f"{tested} → {fmt.p_value(row['p_holm'])} among {row['comparisons']}, {held}"


def _caption(rows: Sequence[Row], parameters: Parameters) -> str:
    """Return how many answers one patient, other comparisons and missing values undo; the least E-value."""
    if not rows:
        return "How easily an answer would change: no interval of one study leaves out no difference."
    one = sum(row["fragility_fewest"] in (0, 1) for row in rows)
    lost = sum(row["comparisons"] > 1 and row["p_holm"] >= parameters.alpha for row in rows)
    gone = sum(bool(row["missing"]) and row["lowest_low"] <= 0 <= row["highest_high"] for row in rows)
    limits = [row["e_value_limit"] for row in rows if row["allocation"] == "not randomised"]
    least = min((limit for limit in limits if limit is not None), default=None)
    told = [
        f"one patient with another outcome would undo {one or 'none'}",
        f"{lost or 'none'} would be lost among the comparisons of the same patients",
        f"missing values could undo {gone or 'none'}",
        f"the least E-value of a limit, without randomisation, is {fmt.ratio_number(least)}" if least else "",
    ]
    return f"How easily {several(len(rows), 'answer')} would change: {'; '.join(filter(None, told))}."
