"""Networks as tables: what went in, effects against a reference, all pairs, P-scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display.labels import MEASURES, METHODS, ci, joined, lower_first, moment, sourced, titled
from evidence.display.model import Cell, Column, Table
from evidence.display.networks import (
    NETWORK_RATIO,
    SCALE,
    Linked,
    assumed_words,
    baseline_words,
    leaves_out,
    leaving_words,
    link,
    trials,
    weakest,
    with_unlike,
)
from evidence.display.tables.parts import build, nothing
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records, words_of
from evidence.stats import Effect, Network, compare
from evidence.synthesis.connect import Linking
from evidence.synthesis.indirect import Baseline, RatioMeasure, absolute_effects, baseline_risk
from evidence.wording import per_1000, told_difference

DIRECT, INDIRECT = "in a trial", "indirectly"
NO_TIME = "Not stated"
AT_RISK = (
    f"{SCALE} Risks and differences follow from the same odds ratios; their intervals allow for the patients "
    "that the odds ratios and the risk share (Wilson's limits at the effective number of patients)."
)
SCORES = (
    "P-scores lie between 0 and 1 and have the interval of resampled effects. They order treatments by the "
    "means of P values and say neither how much better one is nor how certain that is: no choice should rest "
    "on them."
)
SCORED: tuple[RatioMeasure, ...] = (NETWORK_RATIO, "RR")
Said = Callable[[Row], str]


def network_arms_table(
    data: Tables, parameters: Parameters, *, outcome_ids: Sequence[str], **choice: Unpack[Linking]
) -> Table:
    """Return which results went into a network, and which did not and why."""
    linked = link(data, parameters, outcome_ids, "", choice)
    one = linked.arms.rows["outcome_id"].nunique() < 2
    used, out = linked.rows, _left_out(linked.arms.rows, moment if one else titled)
    patients = sum(int(row["n"]) for row in used)
    groups = [(0, "In the network")] * bool(used) + [(len(used), "Left out")] * bool(out)
    columns = (
        Column("Study", width=2.0),
        Column("Treatment", width=1.6),
        Column("Events/n", "right", 0.9),
        Column("Time" if one else "Result", width=1.0 if one else 1.6),
        Column("Why left out", width=1.7),
    )
    return build(
        data,
        columns,
        [_used_row(row, linked, moment if one else titled) for row in used] + [_out_row(row) for row in out],
        caption=f"{linked.title}: what went into the network ({trials(len(linked.arms.studies))}, "
        f"{patients} patients) and what did not.",
        frame=linked.arms.rows,
        groups=groups,
    )


def _used_row(row: Row, linked: Linked, said: Said) -> tuple[Cell, ...]:
    names = (str(row["study_label"]), linked.name(str(row["treatment"])))
    return *(Cell(name) for name in names), counts_cell([row]), Cell(said(row)), Cell("")


def counts_cell(rows: Sequence[Row]) -> Cell:
    """Return events over patients of arms taken together, with their sources and the weakest mark."""
    text = fmt.count(*(sum(int(row[name]) for row in rows) for name in ("events", "n")))
    origin = "external" if any(row["origin"] == "external" for row in rows) else "seed"
    row_ids = "|".join(str(row["row_id"]) for row in rows)
    return sourced(text, row_ids, basis=weakest(rows), origin=origin)


def _left_out(rows: pd.DataFrame, said: Said) -> list[Row]:
    """Return one row per study, result and reason, the arms joined."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in (row for row in records(rows) if row["reason"]):
        groups.setdefault((str(row["study_label"]), said(row), _why(row)), []).append(row)
    return [
        {
            **dict(zip(("study", "result", "reason"), key, strict=True)),
            "arms": list(dict.fromkeys(str(row["arm_label"]) for row in group)),
            "row_id": "|".join(str(row["row_id"]) for row in group),
        }
        for key, group in groups.items()
    ]


def _why(row: Row) -> str:
    """Return why a result was left out, with the design or the population that was not asked for."""
    reason = str(row["reason"])
    named = next((row[name] for name in ("design", "population") if reason == f"another {name}"), "")
    return ": ".join(filter(None, (reason.capitalize(), words_of(named).lower())))


def _arm_names(names: Sequence[str]) -> str:
    return joined([*names[:1], *map(lower_first, names[1:])])


def _out_row(row: Row) -> tuple[Cell, ...]:
    result = sourced(row["result"] or NO_TIME, row["row_id"])
    return Cell(row["study"]), Cell(_arm_names(row["arms"])), Cell("–"), result, Cell(row["reason"])


class _Solved(NamedTuple):
    """A network under one tau: ratios, and risks at the reference's risk."""

    ratios: Network
    base: Baseline
    risks: pd.DataFrame

    @property
    def effects(self) -> pd.DataFrame:
        """Return ratios and risks of every ordered pair; the difference's limits end in ``_difference``."""
        pair = ["treatment1", "treatment0"]
        merged = self.ratios.effects().merge(self.risks, on=pair, suffixes=("", "_difference"))
        return merged.assign(measure=self.ratios.measure)


def _solve(linked: Linked, tau: float) -> _Solved:
    ratios = linked.result(NETWORK_RATIO, tau)
    base = baseline_risk(linked.arms, linked.reference, level=linked.level)
    return _Solved(ratios, base, absolute_effects(ratios, base))


def network_absolute_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    tau: float = 0.0,
    **choice: Unpack[Linking],
) -> Table:
    """Return each treatment against the reference: odds ratio, risk per 1,000 and difference.

    The last column is the difference that the treatment's own trial measured, where one trial did.
    """
    linked = link(data, parameters, outcome_ids, reference, choice)
    try:
        solved = _solve(linked, tau)
    except StatisticsError as error:
        return nothing(f"{linked.title}: no comparison, {error}.")
    frame = solved.effects[solved.effects["treatment0"] == linked.reference].reset_index(drop=True)
    frame = frame.assign(**_measured(linked, [str(one) for one in frame["treatment1"]], parameters))
    rows = {str(row["treatment1"]): row for row in records(frame)}
    return build(
        data,
        _absolute_columns(solved, parameters),
        [_absolute_row(linked, rows[one], parameters) for one in linked.others],
        caption=f"{linked.title}: each treatment against {linked.inside(linked.reference)}, at a risk of "
        f"{baseline_words(solved.base)}. {_leaving(solved, _against(linked))}",
        note=with_unlike(
            linked,
            f"{assumed_words(tau)}. {AT_RISK} Differences in a treatment's own trial: "
            f"{METHODS[parameters.difference_method]}.",
        ),
        frame=frame,
    )


def _leaving(solved: _Solved, pairs: Collection[tuple[str, str]]) -> str:
    """Return how many odds ratios of pairs of treatments have an interval that leaves out 1."""
    rows = [row for row in records(solved.effects) if (row["treatment1"], row["treatment0"]) in pairs]
    measure = solved.ratios.measure
    clear = sum(leaves_out(measure, row["low"], row["high"]) for row in rows)
    return leaving_words(measure, [clear], len(rows)) if rows else ""


def _against(linked: Linked) -> list[tuple[str, str]]:
    return [(one, linked.reference) for one in linked.others]


def _leaving_each(solved: _Solved, linked: Linked) -> str:
    """Return how many odds ratios leave out 1, against the reference and between the other treatments."""
    told = {
        f"Against {linked.inside(linked.reference)}": _against(linked),
        "against each other": _each_other(linked),
    }
    said = [
        f"{name}, {lower_first(words)}" for name, pairs in told.items() if (words := _leaving(solved, pairs))
    ]
    return " ".join(["; ".join(one.removesuffix(".") for one in said) + ".", ""]) if said else ""


def _absolute_columns(solved: _Solved, parameters: Parameters) -> tuple[Column, ...]:
    interval = ci(parameters)
    return (
        Column("Treatment", width=1.4),
        Column("Events/n", "right", 1.0),
        Column(f"{MEASURES[solved.ratios.measure]} ({interval})", "right", 1.5),
        Column(f"Per 1,000 with treatment ({interval})", "right", 1.4),
        Column(f"Difference per 1,000 ({interval})", "right", 1.7),
        Column("Difference per 1,000 in its own trial", "right", 1.7),
    )


def _absolute_row(linked: Linked, row: Row, parameters: Parameters) -> tuple[Cell, ...]:
    treatment = str(row["treatment1"])
    risk = per_1000(row["risk1"]), per_1000(row["risk1_low"]), per_1000(row["risk1_high"])
    return (
        Cell(linked.name(treatment)),
        counts_cell([arm for arm in linked.rows if arm["treatment"] == treatment]),
        Cell(fmt.ratio(row["estimate"], row["low"], row["high"])),
        Cell(f"{risk[0]} ({risk[1]} to {risk[2]})"),
        Cell(_change(row)),
        _own_difference(linked, treatment, parameters),
    )


def _change(row: Mapping[str, Any]) -> str:
    limits = (row["difference"], row["low_difference"], row["high_difference"])
    return told_difference(limits, unit=False)


def sides_of(linked: Linked, treatment: str, comparator: str) -> list[tuple[Row, Row]]:
    """Return the arms of both treatments in each study that had both, in the order asked for."""
    studies: dict[str, dict[str, Row]] = {}
    for row in linked.rows:
        studies.setdefault(str(row["study_id"]), {})[str(row["treatment"])] = row
    pair = (treatment, comparator)
    return [(arms[treatment], arms[comparator]) for arms in studies.values() if set(pair) <= set(arms)]


def _measured(linked: Linked, treatments: Sequence[str], parameters: Parameters) -> dict[str, list[Any]]:
    """Return, by column, events and patients of treatments, and the difference in the own trial of each."""
    arms = [[arm for arm in linked.rows if arm["treatment"] == one] for one in treatments]
    counts = {name: [sum(int(arm[name]) for arm in of) for of in arms] for name in ("events", "n")}
    own = [_own(sides_of(linked, one, linked.reference), linked, parameters) for one in treatments]
    ends = ("estimate", "low", "high")
    return counts | {f"own_difference_{name}": [getattr(one, name, None) for one in own] for name in ends}


def _own(pairs: Sequence[tuple[Row, Row]], linked: Linked, parameters: Parameters) -> Effect | None:
    """Return the difference that one trial measured, None where there is none or there are several."""
    if len(pairs) != 1:
        return None
    four = [row[name] for row in pairs[0] for name in ("events", "n")]
    return compare(*four, measure="RD", level=linked.level, method=parameters.difference_method)


def _own_difference(linked: Linked, treatment: str, parameters: Parameters) -> Cell:
    pairs = sides_of(linked, treatment, linked.reference)
    made = _own(pairs, linked, parameters)
    if made is None:
        return Cell(f"{len(pairs)} trials" if pairs else "no trial")
    one, none = pairs[0]
    text = told_difference((made.estimate, made.low, made.high), unit=False)
    return sourced(text, f"{one['row_id']}|{none['row_id']}")


def league_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    tau: float = 0.0,
    **choice: Unpack[Linking],
) -> Table:
    """Return all pairs, each once: odds ratio, difference per 1,000 through the same, how compared."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    try:
        solved = _solve(linked, tau)
    except StatisticsError as error:
        return nothing(f"{linked.title}: no league table, {error}.")
    cells = {(row["treatment1"], row["treatment0"]): row for row in records(solved.effects)}
    each = _each_other(linked)
    body = [_pair_row(cells[pair], linked.name(pair[0])) for pair in _against(linked)]
    body += [
        _pair_row(cells[one, none], f"{linked.name(one)} against {linked.inside(none)}") for one, none in each
    ]
    against = f"against {linked.inside(linked.reference)}"
    return build(
        data,
        (
            Column("Treatment", width=2.2),
            Column("Compared", width=1.0),
            Column(f"{MEASURES[solved.ratios.measure]} ({ci(parameters)})", "right", 1.4),
            Column(f"Difference per 1,000 ({ci(parameters)})", "right", 1.9),
        ),
        body,
        caption=f"{linked.title}: all pairs. {_leaving_each(solved, linked)}Differences: at a risk with "
        f"{linked.inside(linked.reference)} of {baseline_words(solved.base)}.",
        note=with_unlike(linked, f"{assumed_words(tau)}. {AT_RISK}", known=True),
        frame=solved.effects,
        groups=[(0, fmt.sentence(against))] + [(len(linked.others), "Against each other")] * bool(each),
    )


def _each_other(linked: Linked) -> list[tuple[str, str]]:
    """Return the pairs of treatments other than the reference, the later against the earlier."""
    return [(one, none) for none, one in combinations(linked.others, 2)]


def _pair_row(pair: Row, name: str) -> tuple[Cell, ...]:
    ratio = fmt.ratio(pair["estimate"], pair["low"], pair["high"])
    return Cell(name), Cell(DIRECT if pair["direct"] else INDIRECT), Cell(ratio), Cell(_change(pair))


def p_scores_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    tau: float = 0.0,
    **choice: Unpack[Linking],
) -> Table:
    """Return the P-score of each treatment by odds and by risk ratios, with intervals and a warning.

    Treatments stand in the order of the data and are not ranked; the caption says whether the two scales
    put the same one first.
    """
    linked = link(data, parameters, outcome_ids, reference, choice)
    try:
        scores = _scores(linked, tau)
    except StatisticsError as error:
        return nothing(f"{linked.title}: no P-scores, {error}.")
    rows = {one: {str(row["treatment"]): row for row in records(frame)} for one, frame in scores.items()}
    return build(
        data,
        (
            Column("Treatment", width=1.4),
            *(Column(f"By {lower_first(MEASURES[one])}s ({ci(parameters)})", "right", 1.4) for one in SCORED),
        ),
        [
            (Cell(linked.name(treatment)), *(_score_cell(rows[one][treatment]) for one in SCORED))
            for treatment in (linked.reference, *linked.others)
        ],
        caption=f"{linked.title}: P-scores, which are no ranking. {_firsts(linked, scores)}",
        note=with_unlike(linked, f"{SCORES} {assumed_words(tau)}.", known=True),
        frame=pd.concat(scores.values(), ignore_index=True),
    )


def _scores(linked: Linked, tau: float) -> dict[RatioMeasure, pd.DataFrame]:
    return {one: linked.result(one, tau).p_scores.frame().assign(measure=one) for one in SCORED}


def _score_cell(row: Row) -> Cell:
    score, low, high = (fmt.number(row[name], 2) for name in ("p_score", "low", "high"))
    return Cell(f"{score} ({fmt.interval(low, high)})")


def _firsts(linked: Linked, scores: Mapping[RatioMeasure, pd.DataFrame]) -> str:
    """Return which treatment has the highest P-score on each scale."""
    highest = {one: max(records(frame), key=lambda row: row["p_score"]) for one, frame in scores.items()}
    first = {one: linked.inside(str(row["treatment"])) for one, row in highest.items()}
    if len(set(first.values())) == 1:
        return f"Both scales give the highest P-score to {next(iter(first.values()))}."
    told = [f"{lower_first(MEASURES[one])}s give it to {name}" for one, name in first.items()]
    return f"The highest P-score depends on the scale: {joined(told)}."
