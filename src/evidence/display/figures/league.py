"""Effects of a network drawn: against the reference and of each treatment against each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Unpack

import pandas as pd

from evidence import format as fmt
from evidence.display.figures.draw import Interval, Panel, effect_scale, nothing, numbers
from evidence.display.figures.effects import axis_words, drawn
from evidence.display.figures.treatments import plain
from evidence.display.labels import MEASURES, interval_words, lower_first
from evidence.display.model import Figure
from evidence.display.networks import (
    NETWORK_RATIO,
    Linked,
    known_words,
    leaves_out,
    leaving_words,
    link,
    versus,
)
from evidence.errors import StatisticsError
from evidence.parameters import Parameters
from evidence.results import Row, Tables, records
from evidence.stats import ASSUMED_TAU
from evidence.synthesis.connect import Linking
from evidence.synthesis.indirect import absolute_effects, baseline_risk, effects_by_tau
from evidence.wording import per_1000

VARY = "τ is how much the true effect is taken to vary between trials."
Stack = tuple[str, Sequence[Row]]  # a comparison in words, and its effect under each assumption


def network_effects_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    taus: Sequence[float] = ASSUMED_TAU,
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the odds ratio of each treatment against the reference, once for every assumed tau."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: each treatment against {linked.inside(linked.reference)}."
    try:
        frame = _by_tau(linked, taus)
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    frame = frame[frame["treatment0"] == linked.reference]
    stacks = [(linked.name(one), records(frame[frame["treatment1"] == one])) for one in linked.others]
    sides = _sides(linked, linked.inside(linked.reference), "the treatment")
    told = f"{title} {{}} {VARY} {known_words(linked)}".strip()
    return _drawn(told, stacks, [_tau_word(tau) for tau in taus], sides, frame, parameters)


def _by_tau(linked: Linked, taus: Sequence[float]) -> pd.DataFrame:
    """Return the odds ratio of every pair, once for every assumed tau."""
    made = effects_by_tau(
        linked.arms, measure=NETWORK_RATIO, reference=linked.reference, taus=taus, level=linked.level
    )
    return made.assign(measure=NETWORK_RATIO)


def league_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    taus: Sequence[float] = ASSUMED_TAU,
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the odds ratios between all treatments but the reference, once for every assumed tau."""
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: the treatments against each other."
    try:
        frame = _by_tau(linked, taus)
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    stacks = _pair_stacks(linked, frame)
    if not stacks:
        return nothing(title)
    names = [_tau_word(tau) for tau in taus]
    sides, shown = _sides(linked, "second named", "first named"), _of_pairs(linked, frame)
    told = f"{title} {{}} {VARY} {known_words(linked)}".strip()
    return _drawn(told, stacks, names, sides, shown, parameters)


def scales_figure(
    data: Tables,
    parameters: Parameters,
    *,
    outcome_ids: Sequence[str],
    reference: str = "placebo",
    **choice: Unpack[Linking],
) -> Figure:
    """Draw the difference in risk between treatments under two assumptions of what carries over.

    Either the odds ratio against the reference is the same in the other trial's patients, and is applied to
    the reference's risk, or the difference against the reference is. tau is taken as 0.
    """
    linked = link(data, parameters, outcome_ids, reference, choice)
    title = f"{linked.title}: difference in risk between the treatments, by what is taken to carry over."
    try:
        frame, base = _two_scales(linked)
    except StatisticsError as error:
        return nothing(f"{title} Nothing to compare: {error}.")
    stacks = _pair_stacks(linked, frame)
    if not stacks:
        return nothing(title)
    at = f"{per_1000(base.estimate)} per 1,000 with {linked.inside(linked.reference)}"
    names = ["odds ratio carried over", "difference carried over"]
    sides, shown = _sides(linked, "second named", "first named"), _of_pairs(linked, frame)
    how = f"Odds ratios are turned into differences at {at}; differences carried over have Wald’s intervals."
    told = f"{title} {{}} {how} {known_words(linked)}".strip()
    return _drawn(told, stacks, names, sides, shown, parameters)


def _apart(stacks: Sequence[Stack], names: Sequence[str]) -> str:
    """Return how many of the intervals drawn leave out no difference, by what is assumed."""
    measure = _measure(stacks)
    clear = [
        sum(leaves_out(measure, float(row["low"]), float(row["high"])) for row in rows)
        for rows in zip(*(rows for _, rows in stacks), strict=True)
    ]
    return leaving_words(measure, clear, len(stacks), names)


def _measure(stacks: Sequence[Stack]) -> str:
    return str(stacks[0][1][0]["measure"])


def _two_scales(linked: Linked) -> tuple[pd.DataFrame, Any]:
    base = baseline_risk(linked.arms, linked.reference, level=linked.level)
    carried = absolute_effects(linked.result("OR"), base).rename(columns={"difference": "estimate"})
    direct = linked.result("RD").effects()
    names = ["treatment1", "treatment0", "estimate", "low", "high"]
    carried = carried[names].merge(direct[["treatment1", "treatment0", "direct"]], on=names[:2])
    both = [carried.assign(carries_over="odds ratio"), direct.assign(carries_over="difference")]
    frame = pd.concat(both, ignore_index=True)[[*names, "direct", "carries_over"]]
    return frame.assign(measure="RD", reference_risk=base.estimate), base


def _tau_word(tau: float) -> str:
    return "effects alike (τ 0)" if tau == 0 else f"effects that vary (τ {tau:g})"


def _sides(linked: Linked, left: str, right: str) -> tuple[str, str]:
    if linked.better == "lower":
        left, right = right, left
        return f"better with {left}", f"better with {right}"
    word = "better" if linked.better == "higher" else "more often"
    return f"{word} with {left}", f"{word} with {right}"


def _pairs(linked: Linked) -> list[tuple[str, str]]:
    """Return every pair of treatments but the reference, the later one first."""
    return [(one, none) for none, one in combinations(linked.others, 2)]


def _of_pairs(linked: Linked, frame: pd.DataFrame) -> pd.DataFrame:
    wanted = set(_pairs(linked))
    kept = [(row["treatment1"], row["treatment0"]) in wanted for row in records(frame)]
    return frame[pd.Series(kept, index=frame.index, dtype=bool)]


def _pair_stacks(linked: Linked, frame: pd.DataFrame) -> list[Stack]:
    stacks: list[Stack] = []
    for one, none in _pairs(linked):
        part = frame[(frame["treatment1"] == one) & (frame["treatment0"] == none)]
        row = records(part)[0]
        label = f"{versus(linked, row)}{' (within a trial)' if row['direct'] else ''}"
        stacks.append((label, records(part)))
    return stacks


def _drawn(
    title: str,
    stacks: Sequence[Stack],
    names: Sequence[str],
    sides: tuple[str, str],
    frame: pd.DataFrame,
    parameters: Parameters,
) -> Figure:
    """Return the comparisons drawn, a row for each assumption; the title has a place for what they show."""
    rows: list[Interval] = []
    for label, shown in stacks:
        rows += [Interval(label), *(_row(*one) for one in enumerate(zip(names, shown, strict=True)))]
    values = [end for row in rows for end in (row.low, row.high, row.estimate)]
    measure = _measure(stacks)
    panel = Panel(rows, effect_scale(measure, values, axis_words(measure)), sides)
    told = title.replace("{}", _apart(stacks, names))
    caption = f"{told} Lines: {interval_words(parameters)}s."
    return drawn(panel, caption, _alt(rows, measure), frame)


def _row(place: int, named: tuple[str, Row]) -> Interval:
    name, row = named
    text = fmt.effect(str(row["measure"]), row["estimate"], row["low"], row["high"])
    return Interval(fmt.sentence(name), **numbers(row), text=text, style=plain(place))


def _alt(rows: Sequence[Interval], measure: str) -> str:
    told = ""
    for row in rows:
        told += f". {row.label}: " if row.heading else f"{lower_first(row.label)} {row.text}; "
    told = told.replace("; . ", ". ").removesuffix("; ")
    return f"Forest plot of the {lower_first(MEASURES[measure])}{told}."
