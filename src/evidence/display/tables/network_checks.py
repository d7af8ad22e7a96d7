"""What stands beside a network: methods for small counts, the same trial's own comparison, other choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display.counting import several
from evidence.display.labels import MEASURES, METHODS, ci, joined, lower_first, sourced, study_label, titled
from evidence.display.model import Cell, Column, Table
from evidence.display.networks import (
    NETWORK_RATIO,
    Linked,
    known_words,
    leaves_out,
    leaving_words,
    link,
    none_of,
    trials,
    versus,
    with_unlike,
)
from evidence.display.tables.network import counts_cell, sides_of
from evidence.display.tables.parts import build, nothing
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records
from evidence.stats import Effect, Network, compare, conditional_logistic
from evidence.stats.compare import EVERY_CELL
from evidence.synthesis.connect import Linking

EXACT_NOTE = (
    "Conditional logistic: no cell is corrected, limits from the profile likelihood. Exact: conditional on "
    "the margins of a single trial; for indirect comparisons there is none. The common effect is assumed "
    "throughout."
)
PAIR_NOTE = (
    "Odds ratio: exact, conditional on the margins; P: Fisher, not adjusted for the number of rows. The rows "
    "count the same patients in different ways, so they are not independent."
)


def network_exact_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Table:
    """Return odds ratios by the normal approximation and by methods that suit small counts, side by side."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    try:
        frame = _checked(linked)
    except StatisticsError as error:
        return nothing(f"{linked.title}: nothing to check, {error}.")
    order, count = [linked.reference, *linked.others], len(linked.others)
    rows = {(row["treatment1"], row["treatment0"]): row for row in records(frame)}
    pairs = [rows[one, none] for j, none in enumerate(order) for one in order[j + 1 :]]
    groups = [(0, f"Against {linked.inside(linked.reference)}"), (count, "Against each other")]
    names = ("Normal approximation", "Conditional logistic", "Exact, within the trial")
    columns = [Column(f"{one} ({ci(parameters)})", "right", 1.5) for one in names]
    return build(
        data,
        (Column("Comparison", width=1.9), *columns),
        [_exact_row(linked, row) for row in pairs],
        caption=f"{linked.title}: odds ratios by the normal approximation and by methods for small counts. "
        f"{_agreeing(pairs)}",
        note=with_unlike(linked, EXACT_NOTE, known=True),
        frame=pd.DataFrame([row | _exact_values(linked, row) for row in pairs]),
        groups=groups if len(pairs) > count else [],
    )  # fmt: skip


def _agreeing(pairs: Sequence[Row]) -> str:
    """Return how many intervals leave out 1 by each of the two methods that every pair has."""
    clear = [
        sum(leaves_out("OR", row[f"low{end}"], row[f"high{end}"]) for row in pairs)
        for end in ("", "_conditional")
    ]
    return leaving_words(
        "OR", clear, len(pairs), ["the normal approximation", "conditional logistic regression"]
    )


def _checked(linked: Linked) -> pd.DataFrame:
    pair = ["treatment1", "treatment0"]
    return linked.result("OR").effects().merge(_conditional(linked), on=pair, suffixes=("", "_conditional"))


def _conditional(linked: Linked) -> pd.DataFrame:
    """Return all pairs by conditional logistic regression, which corrects no cell."""
    columns = (linked.arms.arms[name] for name in ("study_id", "treatment", "events", "n"))
    return conditional_logistic(*columns, reference=linked.reference, level=linked.level).frame()


def _exact_row(linked: Linked, row: Row) -> tuple[Cell, ...]:
    ends = ("estimate", "low", "high")
    return (
        Cell(versus(linked, row)),
        Cell(fmt.ratio(*(row[name] for name in ends))),
        Cell(fmt.ratio(*(row[f"{name}_conditional"] for name in ends))),
        _exact_cell(linked, row),
    )


def _exact_values(linked: Linked, row: Row) -> Row:
    made = _exact_of(linked, row)[1]
    return {f"{name}_exact": getattr(made, name, None) for name in ("estimate", "low", "high")}


def _exact_of(linked: Linked, row: Row) -> tuple[list[tuple[Row, Row]], Effect | None]:
    """Return the arms of a comparison in each trial that had both, and its exact effect where that is one."""
    pairs = sides_of(linked, str(row["treatment1"]), str(row["treatment0"]))
    return pairs, _exact(*pairs[0], linked.level) if len(pairs) == 1 else None


def _exact_cell(linked: Linked, row: Row) -> Cell:
    pairs, made = _exact_of(linked, row)
    if made is None:
        return Cell("–")
    row_ids = "|".join(str(side["row_id"]) for side in pairs[0])
    return sourced(fmt.ratio(made.estimate, made.low, made.high), row_ids)


def _exact(one: Row, none: Row, level: float) -> Effect | None:
    counts = (one["events"], one["n"], none["events"], none["n"])
    try:
        return compare(*counts, measure="OR-exact", level=level)
    except StatisticsError:
        return None


def within_trial_table(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    treatment: str,
    comparator: str,
    **choice: Unpack[Linking],
) -> Table:
    """Return two treatments compared within the trials that had both, one row per outcome and trial.

    Treatments are named as in a network: with the dose where doses stand apart.
    """
    wanted: Linking = {**choice, "treatments": [treatment, comparator]}
    made = [link(data, parameters, [outcome], comparator, wanted) for outcome in outcome_ids]
    pairs = [pair for linked in made for pair in sides_of(linked, treatment, comparator)]
    named = next((linked for linked in made if linked.rows), made[0])
    title = f"{named.name(treatment)} against {named.inside(comparator)}, within the same trial"
    if not pairs:
        return nothing(f"{title}.")
    studies = list(dict.fromkeys(str(one["study_label"]) for one, _ in pairs))
    compared = [_compared(one, none, parameters) for one, none in pairs]
    return build(
        data,
        _within_columns(named.name(treatment), named.name(comparator), ci(parameters)),
        [_within_row(*pair, row, len(studies) > 1) for pair, row in zip(pairs, compared, strict=True)],
        caption=f"{title} ({joined(studies)}): what was measured, with exact intervals. "
        f"{_measured_words(compared)}",
        note=f"Difference: {METHODS[parameters.difference_method]}. {PAIR_NOTE}",
        frame=pd.DataFrame(compared),
    )


def _measured_words(compared: Sequence[Row]) -> str:
    """Return how many of the differences have an interval that leaves out 0."""
    clear = sum(leaves_out("RD", row["low"], row["high"]) for row in compared)
    return leaving_words("RD", [clear], len(compared))


def _within_columns(one: str, none: str, interval: str) -> tuple[Column, ...]:
    return (
        Column("Result", width=2.0),
        Column(one, "right", 1.0),
        Column(none, "right", 1.0),
        Column(f"Difference, percentage points ({interval})", "right", 1.5),
        Column(f"Exact odds ratio ({interval})", "right", 1.4),
        Column("Exact P", "right", 0.7),
    )


def _compared(one: Row, none: Row, parameters: Parameters) -> Row:
    counts = [int(row[name]) for row in (one, none) for name in ("events", "n")]
    level, method = parameters.confidence_level, parameters.difference_method
    made = compare(*counts, measure="RD", level=level, method=method)
    exact = _exact(one, none, level)
    known = {name: one[name] for name in ("study_id", "outcome_id", "time", "time_unit")}
    known |= dict(zip(("e1", "n1", "e0", "n0"), counts, strict=True))
    odds = {f"odds_ratio_{name}": getattr(exact, name, None) for name in ("estimate", "low", "high", "p")}
    return known | {name: getattr(made, name) for name in ("estimate", "low", "high")} | odds


def _within_row(one: Row, none: Row, row: Row, several: bool) -> tuple[Cell, ...]:
    name = f"{one['study_label']}: {titled(one)}" if several else titled(one)
    odds = [row[f"odds_ratio_{part}"] for part in ("estimate", "low", "high")]
    return (
        Cell(name),
        counts_cell([one]),
        counts_cell([none]),
        Cell(fmt.difference(row["estimate"], row["low"], row["high"])),
        Cell(fmt.ratio(*odds)),
        Cell(fmt.p_value(row["odds_ratio_p"])),
    )


class _Set(NamedTuple):
    """A network among others: its name, what it is made of, its result, and that of it without correction.

    ``normal`` has normal limits, which take τ as known; ``corrected`` names the studies with an empty cell,
    without which there is nothing to do without.
    """

    name: str
    linked: Linked
    result: Network
    normal: Network
    corrected: tuple[str, ...]
    uncorrected: pd.DataFrame


class _Shown(NamedTuple):
    """A column: the name of its network, its heading, an effect by treatment, and what it says of τ."""

    name: str
    heading: str
    rows: dict[str, Row]
    tau: str


def network_sets_table(
    data: Tables, parameters: Parameters, *, sets: Mapping[str, Mapping[str, Any]], reference: str = "placebo"
) -> Table:
    """Return the odds ratio of each treatment against the reference in several networks side by side.

    ``sets`` gives each network's name and what it is made of: ``outcome_ids`` and the values of ``Linking``.
    The variation between trials is estimated where it can be, and the limits allow for that as the
    parameters say. A network with a corrected cell has a column beside it in which none is.
    """
    made, refused = _sets(data, parameters, sets, reference)
    measure = MEASURES[NETWORK_RATIO]
    if not made:
        return nothing(" ".join([f"{measure} against {reference}, by the results used.", *refused]))
    reference = made[0].linked.reference
    treatments = dict.fromkeys(one for item in made for one in item.linked.others)
    names = {one: item.linked.name(one) for item in made for one in (*item.linked.others, reference)}
    shown = [one for item in made for one in _shown(item)]
    body = [(Cell(names[one]), *(_set_cell(part.rows.get(one)) for part in shown)) for one in treatments]
    columns = (Column("Treatment", width=1.4), *(Column(part.heading, "right", 2.0) for part in shown))
    return build(
        data,
        columns,
        [*body, (Cell("τ between trials"), *(Cell(part.tau) for part in shown))],
        caption=f"{measure} against {lower_first(names[reference])} ({ci(parameters)}), by the results used. "
        f"{_sets_words(shown)}",
        note=" ".join(
            filter(
                None,
                [
                    *(_made_of(item, data) for item in made),
                    *refused,
                    known_words(*(item.linked for item in made)),
                ],
            )
        ),
        frame=pd.concat([_tidy(item) for item in made], ignore_index=True),
    )


def _sets_words(shown: Sequence[_Shown]) -> str:
    """Return how many intervals against the reference leave out no difference, in each column."""
    told = [f"{part.name}, {_clear(part.rows.values())} of {len(part.rows)}" for part in shown]
    return f"Intervals that leave out {none_of(NETWORK_RATIO)}: {'; '.join(told)}."


def _clear(effects: Iterable[Row]) -> int:
    """Return how many intervals against the reference leave out no difference."""
    return sum(leaves_out(NETWORK_RATIO, row["low"], row["high"]) for row in effects)


def _against(effects: pd.DataFrame, reference: str) -> dict[str, Row]:
    """Return the effects against a reference, by treatment."""
    return {str(row["treatment1"]): row for row in records(effects) if row["treatment0"] == reference}


def _sets(
    data: Tables, parameters: Parameters, sets: Mapping[str, Mapping[str, Any]], reference: str
) -> tuple[list[_Set], list[str]]:
    made: list[_Set] = []
    refused: list[str] = []
    for name, linked in _one_reference(data, parameters, sets, reference).items():
        try:
            made.append(_set(name, linked, parameters))
        except StatisticsError as error:
            refused.append(f"{name}: {error}.")
    return made, refused


def _set(name: str, linked: Linked, parameters: Parameters) -> _Set:
    ci = "Wald" if parameters.pooling_method == "FE" else parameters.interval_method
    made = linked.result(NETWORK_RATIO, None, ci)
    contrasts = linked.arms.contrasts(NETWORK_RATIO)
    corrected = contrasts.loc[contrasts["correction"] == EVERY_CELL, "study"]
    uncorrected = _conditional(linked) if len(corrected) else pd.DataFrame()
    normal = linked.result(NETWORK_RATIO, None)
    return _Set(name, linked, made, normal, tuple(dict.fromkeys(corrected)), uncorrected)


def _one_reference(
    data: Tables, parameters: Parameters, sets: Mapping[str, Mapping[str, Any]], reference: str
) -> dict[str, Linked]:
    """Return the networks, all against one treatment: the usual one if not all hold the parameters'."""
    made = {}
    for name, parts in sets.items():
        choice: Any = {key: value for key, value in parts.items() if key != "outcome_ids"}
        made[name] = link(data, parameters, parts["outcome_ids"], reference, choice)
    if len({one.reference for one in made.values()}) > 1:
        return {name: replace(one, reference=reference) for name, one in made.items()}
    return made


def _tidy(item: _Set) -> pd.DataFrame:
    effects = item.result.effects()
    effects = effects[effects["treatment0"] == item.result.reference]
    taus = {name: value**0.5 for name, value in _tau2s(item.result).items()}
    made = effects.assign(network=item.name, measure=item.result.measure, interval=item.result.ci, **taus)
    if not item.corrected:
        return made
    ends, pair = ["estimate", "low", "high"], ["treatment1", "treatment0"]
    return made.merge(item.uncorrected[[*pair, *ends]], on=pair, suffixes=("", "_uncorrected"))


def _tau2s(result: Network) -> dict[str, float]:
    """Return the variance between trials and its limits, by the name that its root has in the download."""
    return {"tau": result.tau2, "tau_low": result.tau2_low, "tau_high": result.tau2_high}


def _heading(item: _Set) -> str:
    patients = sum(int(row["n"]) for row in item.linked.rows)
    return f"{item.name} ({trials(item.result.k)}, {patients} patients)"


def _shown(item: _Set) -> list[_Shown]:
    """Return a network's column, and beside it that without correction where a cell was corrected."""
    reference = item.linked.reference
    own = _Shown(
        item.name, _heading(item), _against(item.result.effects(), reference), _tau_words(item.result)
    )
    if not item.corrected:
        return [own]
    bare, name = _against(item.uncorrected, reference), f"{item.name}, no cell corrected"
    return [own, _Shown(name, name, bare, "taken as 0")]


def _set_cell(row: Row | None) -> Cell:
    return Cell(fmt.ratio(row["estimate"], row["low"], row["high"]) if row else "–")


def _tau_words(result: Network) -> str:
    if not result.q_df:
        return "not estimable, taken as 0"
    low, middle, high = (value**0.5 for value in (result.tau2_low, result.tau2, result.tau2_high))
    return fmt.ratio(middle, low, high)


def _made_of(item: _Set, data: Tables) -> str:
    rows = {str(row["study_id"]): row for row in reversed(item.linked.rows)}
    told = [
        f"{study_label(data, study)} ({lower_first(titled(rows[study]))})"
        for study in item.linked.arms.studies
    ]
    said = f"{item.name}: {joined(told)}. {_limits_words(item)}{_correction_words(item, data)}".strip()
    return with_unlike(item.linked, said)


def _limits_words(item: _Set) -> str:
    """Return on what limits rest where τ was estimated, and how many normal ones would leave out 1."""
    result, count = item.result, len(item.linked.others)
    if result.ci == "Wald":
        return ""
    floor = ", never narrowed" if result.ci == "HKSJ-adhoc" else ""
    against = _against(item.normal.effects(), result.reference).values()
    return (
        f"Its limits are from t with {several(int(result.df), 'degree')} of freedom "
        f"(Hartung-Knapp-Sidik-Jonkman{floor}), because τ is estimated from so few trials; normal limits, "
        f"which take it as known, would leave out {none_of(NETWORK_RATIO)} in {_clear(against)} of "
        f"{count}. "
    )


def _correction_words(item: _Set, data: Tables) -> str:
    if not item.corrected:
        return ""
    arms = [
        f"{study_label(data, str(row['study_id']))}, {item.linked.inside(str(row['treatment']))} "
        f"{fmt.count(row['events'], row['n'])}"
        for row in item.linked.rows
        if row["study_id"] in item.corrected and row["events"] in (0, row["n"])
    ]
    return (
        f"Half a patient is added to every cell of a trial that has an empty one ({'; '.join(arms)}); the "
        "effects with no cell corrected are of conditional logistic regression with a common effect, limits "
        "from the profile likelihood."
    )
