"""The scenarios and what they change: why each exists, and every question's answer under all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from evidence import format as fmt
from evidence.display.answers import DIRECTIONS
from evidence.display.counting import several
from evidence.display.decides import decides_words
from evidence.display.documents import places
from evidence.display.labels import METHODS, joined, lower_first, pretty
from evidence.display.markdown import escape
from evidence.display.marks import with_doubts
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.answered import difference_words, effect_words, risk_cell, rows_of
from evidence.display.tables.parts import empty_cells, grouped, nothing, with_unprinted_sizes
from evidence.parameters import Parameters
from evidence.questions import answer
from evidence.scenarios import Scenario
from evidence.synthesis.scenarios import OWN, Compared, Comparison, Result
from evidence.wording import per_1000

NONE = "nothing"
PARAMETER_WORDS = {
    "missing_data": "patients without a value",
    "proportion_method": "interval of a rate",
    "difference_method": "interval of a difference",
    "include_external": "figures from outside the documents",
    "include_derived": "counts recovered from percentages",
    "primary_only": "primary sources only",
}
COUNTED_AS = {"observed": "left out", "failure": "counted as failures", "success": "counted as successes"}
DIRECTED = ("more", "fewer")
FEW = 2  # questions that a sentence can name


def scenarios_prose(compared: Comparison) -> Prose:
    """Return the scenarios, a bullet each: title, reason, and the parameters that are not at default."""
    return Prose("\n".join(_bullet(one, compared.own) for one in _report_first(compared)))


def _report_first(compared: Comparison) -> list[Scenario]:
    return [compared.own, *(one for one in compared.scenarios if one is not compared.own)]


def _bullet(one: Scenario, own: Scenario) -> str:
    changed = one.parameters.changed()
    told = escape(
        "; ".join(f"{words_of_parameter(name)} = {_shown(value)}" for name, value in changed.items())
    )
    here = " (the parameters of this report)" if one is own and one.name != OWN else ""
    return f"- **{escape(one.title)}**{here}. {escape(one.reason)} Changed: {told or NONE}."


def words_of_parameter(name: str) -> str:
    """Return a parameter's name in words.

    >>> words_of_parameter("missing_data"), words_of_parameter("confidence_level")
    ('patients without a value', 'confidence level')
    """
    return PARAMETER_WORDS.get(name, name.replace("_", " "))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return COUNTED_AS.get(str(value)) or METHODS.get(str(value), str(value))


def scenarios_table(compared: Comparison) -> Table:
    """Return every question under all scenarios: risks, difference, ratio, conclusion.

    Scenarios that lead to the same numbers share a row; that of the report stands first.
    """
    lines = [(one, result) for one in compared.questions for result in one.results]
    if not lines:
        return nothing("No questions are asked of the data.")
    rows = tuple(_row(result, compared) for _, result in lines)
    table = Table(
        (
            Column("Scenarios", width=2.3),
            Column("With treatment, per 1,000", "right", 1.2),
            Column("With comparator, per 1,000", "right", 1.2),
            Column("Difference per 1,000", "right", 1.7),
            Column(_ratio(compared), "right", 1.2),
            Column("Conclusion", width=1.1),
        ),
        rows,
        f"{asked_words(compared)} in numbers.",
        _note(compared),
        compared.frame(),
        grouped([pretty(one.title) for one, _ in lines]),
        _places(result for _, result in lines),
    )
    return replace(table, doubts=_doubts(table, [result for _, result in lines], compared), headed=False)


def _row(result: Result, compared: Comparison) -> tuple[Cell, ...]:
    one, names = result.answer, Cell(scenario_names(result.scenarios, compared))
    if not result.found:
        return names, *empty_cells(4), Cell("No data")
    said = DIRECTIONS[one.verdict.direction]
    cells = (
        names,
        risk_cell(one, "treatment"),
        risk_cell(one, "comparator"),
        Cell(difference_words(one).replace(" per 1,000", ""), rows_of(one) if one.control else ()),
        Cell(effect_words(one), rows_of(one) if one.control else ()),
        Cell(f"Changed: {said.lower()}" if result.changed else said),
    )
    return with_unprinted_sizes(result.data, [cells])[0]


def scenario_names(scenarios: Sequence[Scenario], compared: Comparison) -> str:
    """Return the titles of scenarios; where most are meant, those that are not."""
    every, absent = _but(scenarios, compared)
    if every:
        return f"All but {joined(absent)}" if absent else "All"
    return "; ".join(one.title for one in scenarios)


def _but(scenarios: Sequence[Scenario], compared: Comparison) -> tuple[bool, list[str]]:
    """Return whether scenarios are named by those that are not among them, and the titles of these."""
    every = _report_first(compared)
    absent = [one.title for one in every if one not in scenarios]
    return not absent or (len(absent) < len(scenarios) and len(every) > 3), absent


def _in_scenarios(scenarios: Sequence[Scenario], compared: Comparison) -> str:
    """Return in which scenarios something holds, as part of a sentence."""
    every, absent = _but(scenarios, compared)
    titles = [f"“{title}”" for title in (absent if every else [one.title for one in scenarios])]
    if every:
        where = f"in every scenario but {joined(titles)}" if titles else "in every scenario"
    else:
        where = f"in the scenario{'s' * (len(titles) > 1)} {joined(titles)}"
    return f"{where}{_other_levels(scenarios, compared)}"


def _places(results: Iterable[Result]) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in results:
        one = result.answer
        found |= places(result.data, ((risk_cell(one, "treatment"), risk_cell(one, "comparator")),))
    return found


def _doubts(table: Table, results: Sequence[Result], compared: Comparison) -> dict[str, str]:
    """Return why data rows of a table do not fit other printed figures, each result by its own data."""
    found: dict[str, str] = {}
    for row, result in zip(table.rows, results, strict=True):
        found |= with_doubts(replace(table, rows=(row,)), result.data, compared.own.parameters).doubts
    return found


def asked_words(compared: Comparison) -> str:
    """Return how many questions were asked under how many scenarios."""
    asked = several(len(compared.questions), "question")
    return f"{asked} under {several(len(compared.scenarios), 'scenario')}"


def stability_words(compared: Comparison) -> str:
    """Return what the scenarios do to the answers that say more or fewer; if none does, what was asked."""
    return next(iter(changed_sentences(compared)), f"{asked_words(compared)}.")


def changed_sentences(compared: Comparison) -> list[str]:
    """Return what the scenarios do to the answers, by what there was to change in each.

    Only an answer that says more or fewer can become uncertain. One that was uncertain can say more or fewer,
    and one without a comparison can only move.
    """
    told = [_of_those(DIRECTED, "more or fewer", compared)]
    told += [_of_those(("small",), "little difference", compared)]
    told += [_uncertain_before(compared), _only_described(compared), _unanswered(compared)]
    return list(filter(None, told))


def _of_those(directions: Sequence[str], what: str, compared: Comparison) -> str:
    some = _said(compared, *directions)
    if not some:
        return ""
    lost = [one for one in some if not one.stable]
    named = f" {_changes(lost, compared)}" if lost else ""
    if len(some) == 1:
        return f"The one answer that says {what} {_turn(lost) if lost else 'does not change'}{named}."
    count = "all" if len(lost) == len(some) else len(lost) or "none"
    told = f"Of {several(len(some), 'answer')} that say {what}, {count} {_turn(lost)}{named}."
    return f"{told}{_by_level_alone(lost, compared)}"


def _turn(lost: Sequence[Compared]) -> str:
    """Return what becomes of answers that change, as a verb for as many of them."""
    turned = {result.answer.verdict.direction for one in lost for result in one.results if result.changed}
    verb, into = ("become", " uncertain") if turned == {"uncertain"} else ("change", "")
    return f"{verb}{'' if len(lost) > 1 else 's'}{into}"


def _by_level_alone(lost: Sequence[Compared], compared: Comparison) -> str:
    """Return that the level of the intervals alone changes these answers; empty where it does not."""
    pairs = [(one, result) for one in lost for result in one.results if result.changed]
    scenarios = [scenario for _, result in pairs for scenario in result.scenarios]
    levels = list(dict.fromkeys(scenario.parameters.confidence_level for scenario in scenarios))
    if len(levels) != 1 or levels[0] == compared.own.parameters.confidence_level:
        return ""
    alone = replace(compared.own.parameters, confidence_level=levels[0])
    if not all(_only_level(one, result, alone) for one, result in pairs):
        return ""
    behind = "this answer" if len(lost) == 1 else "these answers"
    return f" The {fmt.level(levels[0])} intervals alone do that: no count behind {behind} changes."


def _only_level(one: Compared, result: Result, alone: Parameters) -> bool:
    """Return whether another level alone gives the same verdict on the same counts."""
    counts = [[study.four for study in found.finding.studies] for found in (one.own.answer, result.answer)]
    same = answer(one.own.answer.question_id, one.own.data, alone).verdict == result.answer.verdict
    return counts[0] == counts[1] and same


def _uncertain_before(compared: Comparison) -> str:
    some = _said(compared, "uncertain")
    gained = _changes([one for one in some if not one.stable], compared)
    were = "was" if len(some) == 1 else "were"
    told = f"{len(some)} {were} uncertain before"
    return f"{told}{f'; another conclusion {gained}' if gained else ''}." if some else ""


def _only_described(compared: Comparison) -> str:
    some = _said(compared, "described")
    moved = [_moving(one, result, compared) for one in some for result in one.moved]
    leaving = sum(bool(one.moved) for one in some)
    leaves = "the rate of 1 leaves its" if leaving == 1 else f"the rates of {leaving} leave their"
    changes = _changes([one for one in some if not one.stable], compared)
    told = f"{len(some)} {'has' if len(some) == 1 else 'have'} no comparison" if some else ""
    told += f"; one is found {changes}" if changes else ""
    told += f"; {leaves} interval: {'; '.join(moved)}" if moved else ""
    return f"{told}." if told else ""


def _unanswered(compared: Comparison) -> str:
    some = _said(compared, "nothing")
    return f"{len(some)} {'has' if len(some) == 1 else 'have'} no data in this report." if some else ""


def _said(compared: Comparison, *directions: str) -> list[Compared]:
    return [one for one in compared.questions if one.own.answer.verdict.direction in directions]


def _changes(some: Sequence[Compared], compared: Comparison) -> str:
    """Return the questions whose conclusion changes, those that change under the same scenarios together.

    Many are counted and not named: the table names them.
    """
    found: dict[str, list[str]] = {}
    for one in some:
        names = [scenario for result in one.results if result.changed for scenario in result.scenarios]
        found.setdefault(_in_scenarios(names, compared), []).append(lower_first(pretty(one.title)))
    return "; ".join(f"{where}{_named(titles, len(some))}" for where, titles in found.items())


def _named(titles: Sequence[str], of: int) -> str:
    """Return the questions that change, by title if they are few, else how many of those that do."""
    if len(titles) <= FEW:
        return f": {'; '.join(titles)}"
    return "" if len(titles) == of else f" ({len(titles)})"


def _moving(one: Compared, result: Result, compared: Comparison) -> str:
    """Return a question whose risk moves, with the report's risk, its limits, and the other one."""
    own, other = one.own.answer.treatment, result.answer.treatment
    assert own is not None and other is not None  # noqa: S101, PT018 - only risks move
    before = f"{per_1000(own.estimate)} ({per_1000(own.low)} to {per_1000(own.high)})"
    after = f"{per_1000(other.estimate)} per 1,000 {_in_scenarios(result.scenarios, compared)}"
    return f"{lower_first(pretty(one.title))}, from {before} to {after}"


def _conditions(scenarios: Sequence[Scenario], compared: Comparison) -> str:
    """Return the titles of scenarios, with the level of their intervals where it is not the report's own."""
    return f"{scenario_names(scenarios, compared)}{_other_levels(scenarios, compared)}"


def _other_levels(scenarios: Sequence[Scenario], compared: Comparison) -> str:
    """Return the levels that are neither the report's own nor in a title, in brackets; empty if all are."""
    own = compared.own.parameters.confidence_level
    levels = list(
        dict.fromkeys(
            fmt.level(one.parameters.confidence_level)
            for one in scenarios
            if one.parameters.confidence_level != own
            and fmt.level(one.parameters.confidence_level) not in one.title
        )
    )
    return f" ({joined(levels)} intervals)" if levels else ""


def _measure(one: Scenario) -> str:
    return "Odds ratio" if one.parameters.effect_measure == "OR" else "Risk ratio"


def _ratio(compared: Comparison) -> str:
    measures = {_measure(one) for one in compared.scenarios}
    return measures.pop() if len(measures) == 1 else "Ratio"


def _by_scenario(compared: Comparison, tell: Callable[[Scenario], str]) -> str:
    """Return what holds in most scenarios, and in which of them something else does."""
    found: dict[str, list[str]] = {}
    for one in _report_first(compared):
        found.setdefault(tell(one), []).append(one.title)
    usual = max(found, key=lambda told: len(found[told]))
    others = [f"{told} in {joined(names)}" for told, names in found.items() if told != usual]
    return ", ".join([usual, *others])


def _note(compared: Comparison) -> str:
    limits = _by_scenario(compared, lambda one: f"{fmt.level(one.parameters.confidence_level)} CI")
    ratios = f" Ratio: {_by_scenario(compared, _measure).lower()}." if _ratio(compared) == "Ratio" else ""
    cells = (
        f"In {compared.without_data} of {several(compared.cells, 'pair')} of a question and a scenario "
        f"other than this report there are no data, and in {compared.identical} no number changes. "
        if compared.cells
        else ""
    )
    results = [result for one in compared.questions for result in one.results]
    decides = decides_words(
        [one.answer for one in results], [_conditions(one.scenarios, compared) for one in results]
    )
    told = (
        f"In brackets: {limits}.{ratios} {cells}Conclusion: what the interval of the difference allows to be "
        "said; changed: another one than in this report. No data: the scenario leaves out what the answer "
        "rests on, which is a gap and no other answer."
    )
    return " ".join(filter(None, (told, decides)))
