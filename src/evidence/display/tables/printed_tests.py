"""The printed tests of one study beside what came of doing each again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.audit import audit, recompute
from evidence.audit.implied_n import Implied
from evidence.audit.recompute import ADJUSTED, MEDIANS, NOTHING, PERCENT_ONLY, SURVIVAL, WITHIN
from evidence.audit.reported import Reported
from evidence.data import Dataset
from evidence.display.counting import several
from evidence.display.documents import document_name
from evidence.display.labels import (
    METHODS,
    joined,
    lower_first,
    moment,
    outcome_labels,
    sourced,
    study_label,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.implied import LSD, as_lsd, implied_words, marked, with_implied
from evidence.display.tables.pairwise import printed_effect
from evidence.display.tables.parts import Tested, build, grouped
from evidence.parameters import Parameters
from evidence.results import Tables, class_labels, days, records
from evidence.stats import compare

DIFFERENCES = ("newcombe", "miettinen-nurminen", "wald")
NOT_DONE: Mapping[str, str] = {
    WITHIN: "needs patient data",
    MEDIANS: "needs patient data",
    SURVIVAL: "needs patient data",
    NOTHING: "counts or means not printed",
    PERCENT_ONLY: "counts not printed",
    ADJUSTED: "effect is adjusted",
}
PARTS: Mapping[str, str] = {"p": "P", "low": "interval", "high": "interval"}
TURNED = "the other way round"
OPEN = "undecided"
OPEN_WORDS = "not what the counts give and may be adjusted (not stated): no sign of error"
OF_TESTS = ("test_recomputes", "effect_recomputes")
NOTE = "Each line: one printing of a test, also where a result is printed twice."
AGAIN = (
    "Recomputed: by the test named first, the one of those possible that fits what is printed best; the "
    "audit names all that were tried."
)
NO_INTERVAL = "interval not reproduced"
PATIENTS = (
    "Needs patient data: medians, times to an event and changes within an arm cannot be tested without."
)


def study_tests_table(data: Tables, parameters: Parameters, *, study_id: str) -> Table:
    """Return every printed test of a study beside its recomputation, with what differs or is missing.

    Where the printed figures fit other patients than the headers' and only those, these are taken.
    """
    tests = _in_order(data, records(data.tests[data.tests["study_id"] == study_id]))
    names, labels = outcome_labels(data), _arm_names(data, study_id)
    undecided = _undecided(data, parameters, study_id)
    data, implied = with_implied(data, study_id)
    implied = _every_printing(tests, implied)
    pairs = [found for test in tests if (found := as_lsd(Tested(test, recompute(test, data)), implied))]
    pairs = [_as_audited(pair, undecided) for pair in pairs]
    rows = [_test_row(data, pair, labels) for pair in pairs]
    partly = sum(said.text.endswith(NO_INTERVAL) for *_, said in rows)
    tried = AGAIN if any(again.text for _, _, again, _ in rows) else ""
    used = data.measurements[data.measurements["row_id"].isin(_used(pairs))]
    needing = PATIENTS if any("patient" in NOT_DONE.get(pair.again.reason, "") for pair in pairs) else ""
    return build(
        data,
        (
            Column("Compared", width=1.8),
            Column("Printed", width=1.6),
            Column("Recomputed", width=2.4),
            Column("Agreement", width=1.4),
        ),
        [(compared, printed, marked(again, implied), said) for compared, printed, again, said in rows],
        caption=f"{study_label(data, study_id)}: {_tests_words(pairs)}"
        f"{f' Of {partly} the interval is not reproduced.' if partly else ''}",
        note=" ".join(filter(None, (NOTE, tried, needing, implied_words(data, used, implied)))),
        frame=pd.DataFrame([_tidy_test(pair) for pair in pairs]),
        groups=grouped([_test_heading(data, test, names) for test in tests]),
    )


def _undecided(data: Tables, parameters: Parameters, study_id: str) -> set[str]:
    """Return the tests that the audit can neither fault nor bear out: their effects may be adjusted."""
    if not isinstance(data, Dataset):
        return set()
    found = audit(data.only([study_id]), alpha=parameters.alpha, margin=parameters.noninferiority_margin)
    found = found[found["check"].isin(OF_TESTS)]
    rows = {verdict: set(same["row_id"].str.partition("|")[0]) for verdict, same in found.groupby("verdict")}
    return rows.get("not_checkable", set()) - rows.get("inconsistent", set())


def _as_audited(pair: Tested, undecided: set[str]) -> Tested:
    """Return a test whose difference the audit leaves open as one that decides nothing."""
    if pair.again.agrees != "no" or pair.test["row_id"] not in undecided:
        return pair
    return pair._replace(again=replace(pair.again, agrees="", reason=OPEN))


def _every_printing(tests: Sequence[Mapping[str, Any]], implied: Implied) -> Implied:
    """Return the P of least significant differences also for other printings of the same P."""

    def said(test: Mapping[str, Any]) -> tuple[Any, ...]:
        arms = frozenset(str(test["arms"]).split("|"))
        return arms, *(str(test[name]) for name in ("outcome_id", "subgroup", "level", "time", "p"))

    known = {said(test): implied.p[test["row_id"]] for test in tests if test["row_id"] in implied.p}
    return replace(implied, p={test["row_id"]: known[said(test)] for test in tests if said(test) in known})


def _used(pairs: Sequence[Tested]) -> set[str]:
    return {row for pair in pairs for row in pair.again.row_ids}


def _arm_names(data: Tables, study_id: str) -> dict[str, str]:
    return {row["arm_id"]: row["label"] for row in records(data.arms[data.arms["study_id"] == study_id])}


def _tests_words(pairs: Sequence[Tested]) -> str:
    """Return how many printed tests there are, and what came of doing them again."""
    done = [pair.again.agrees == "yes" for pair in pairs if pair.again.agrees in ("yes", "no")]
    undecided = sum(pair.again.reason == OPEN for pair in pairs)
    return f"{several(len(pairs), 'printed test')}; {again_words(done, len(pairs), undecided=undecided)}."


def again_words(done: Sequence[bool], total: int, *, undecided: int = 0) -> str:
    """Return what came of doing printed tests again, from whether each that could be done agrees.

    ``undecided`` were done again, too, and may be adjusted: what differs decides nothing.

    >>> again_words([], 5), again_words([True], 1), again_words([False], 3)
    ('none could be done again', 'done again, it agrees', '1 could be done again, and it does not agree')
    >>> again_words([True, True], 2), again_words([True, False, True], 4)
    ('done again, all agree', '3 could be done again: 2 agree, 1 does not')
    >>> again_words([True], 3, undecided=2)
    'done again: 1 agrees, 2 are not what the counts give and may be adjusted (not stated): no sign of error'
    """
    if undecided:
        return _with_undecided(done, total, undecided)
    if not done:
        return "it could not be done again" if total == 1 else "none could be done again"
    yes, no = sum(done), len(done) - sum(done)
    if yes and no:
        came = f": {yes} agree{'s' * (yes == 1)}, {no} do{'es' * (no == 1)} not"
    elif len(done) == 1:
        came = f", {'and ' * (total > 1)}it {'agrees' if yes else 'does not agree'}"
    else:
        came = f", {'and ' * (total > len(done))}{'all' if yes else 'none'} agree"
    return f"done again{came}" if total == len(done) else f"{len(done)} could be done again{came}"


def _with_undecided(done: Sequence[bool], total: int, undecided: int) -> str:
    """Return what came of doing tests again where some may be of adjusted effects."""
    yes, no, tried = sum(done), len(done) - sum(done), len(done) + undecided
    could = "done again" if tried == total else f"{tried} could be done again"
    if tried == 1:
        return f"{could}, {'and ' * (total > 1)}it is {OPEN_WORDS}"
    told = [f"{yes} agree{'s' * (yes == 1)}"] * bool(yes) + [f"{no} do{'es' * (no == 1)} not"] * bool(no)
    told += [f"{undecided} {'is' if undecided == 1 else 'are'} {OPEN_WORDS}"]
    return f"{could}: {', '.join(told)}"


def _in_order(data: Tables, tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = {str(one): place for place, one in enumerate(data.outcomes["outcome_id"])}

    def place(test: Mapping[str, Any]) -> tuple[int, float, str]:
        return (
            places.get(test["outcome_id"], len(places)),
            days(test["time"], test["time_unit"]),
            test["level"],
        )

    return sorted(tests, key=place)


def _test_heading(data: Tables, test: Mapping[str, Any], names: Mapping[str, str]) -> str:
    parts = [names.get(test["outcome_id"], str(test["outcome_id"])), lower_first(moment(test))]
    parts += class_labels(data, test)
    quoted = test["cites"] and test["source_id"] != test["study_id"]
    parts += [f"as quoted by {document_name(data, str(test['source_id']))}"] if quoted else []
    return ", ".join(part for part in parts if part)


def _test_row(data: Tables, pair: Tested, labels: Mapping[str, str]) -> tuple[Cell, Cell, Cell, Cell]:
    arms = [str(labels.get(arm, arm)) for arm in str(pair.test["arms"]).split("|")]
    joint = " against ".join([*arms[:1], *map(lower_first, arms[1:])])
    words = f"Within {lower_first(arms[0])}" if len(arms) == 1 else joint
    shown = words if len(arms) < 3 else f"All {len(arms)} arms"
    printed = sourced(_printed_words(pair.test), pair.test["row_id"], origin=pair.origin)
    mark = "differs" if pair.again.agrees == "no" else ""
    again = sourced(_recomputed_words(pair), "|".join(pair.again.row_ids), origin=pair.origin, mark=mark)
    return Cell(shown), printed, again, Cell(_agreement(data, pair))


def _agreement(data: Tables, pair: Tested) -> str:
    """Return whether a printed test is reproduced, and what of it is not."""
    again = pair.again
    if again.reason == OPEN:
        return "Not decidable: not the crude effect; adjustment not stated"
    if not again.agrees:
        return f"Not done: {NOT_DONE.get(again.reason, again.reason)}"
    if again.agrees == "no":
        parts = joined(list(dict.fromkeys(PARTS.get(one, one) for one in again.differs)))
        return f"Differs: {parts}{f' printed {TURNED}' if TURNED in again.reason else ''}"
    if not pair.test["effect"] or not fmt.missing(again.effect):
        return "Agrees"
    if "percentage points" not in str(pair.test["effect_label"]) or not pair.test["low"]:
        return "Agrees in P; effect not recomputed"
    found = [METHODS[name] for name in DIFFERENCES if _gives(data, pair, name)]
    return f"Agrees; interval by {joined(found)}" if found else f"Agrees in P; {NO_INTERVAL}"


def _gives(data: Tables, pair: Tested, method: str) -> bool:
    """Return whether a method gives the printed difference and limits, in percentage points."""
    used = data.counts[data.counts["row_id"].isin(pair.again.row_ids)]
    rows = {str(row["arm_id"]): row for row in records(used)}
    arms = str(pair.test["arms"]).split("|")
    if len(arms) != 2 or not set(arms) <= set(rows):
        return False
    four = [rows[arm][name] for arm in arms for name in ("events", "n")]
    level = float(pair.test["interval_level"]) if not fmt.missing(pair.test["interval_level"]) else 0.95
    made = compare(*four, measure="RD", method=method, level=level)
    values = {"effect": made.estimate, "low": made.low, "high": made.high}
    return all(Reported(str(pair.test[name])).allows(100 * value) for name, value in values.items())


def _printed_words(test: Mapping[str, Any]) -> str:
    sign = str(test["statistic_label"]) or "statistic"
    found = f"{sign} {fmt.printed(test['statistic'])}" if test["statistic"] else ""
    p = fmt.printed(test["p"]) if test["p"] else ""
    shown = f"P {'= ' if p[:1].isdigit() else ''}{p}" if p else ""
    effect = f"{test['effect_label']} {printed_effect(test)}" if test["effect"] else ""
    return "; ".join(filter(None, (", ".join(filter(None, (found, shown))), effect)))


def _recomputed_words(pair: Tested) -> str:
    """Return a test done again: its name, its statistic and P, then the effect with its interval."""
    again = pair.again
    if not again.agrees and again.reason != OPEN:
        return ""
    name, aside = short_name(again.method)
    statistic = "" if fmt.missing(again.statistic) else f" {fmt.number(again.statistic, 3)}"
    test = f"{name}{statistic}, {fmt.p_words(again.p)}{f' ({aside})' if aside else ''}"
    if fmt.missing(again.effect):
        return test
    limits = fmt.interval(fmt.number(again.low, 3), fmt.number(again.high, 3))
    return f"{test}; {pair.test['effect_label']} {fmt.number(again.effect, 3)} ({limits})"


def short_name(method: str) -> tuple[str, str]:
    """Return the name of a test as it stands before its statistic, and what is said of it besides.

    >>> short_name("Wald chi-square, ± read as standard errors"), short_name("Student t test")
    (('Wald χ²', '± read as standard errors'), ('Student t', ''))
    """
    if method == LSD:
        return "LSD t", "after one-way ANOVA"
    name, _, aside = method.partition(", ")
    for long, short in ((" test", ""), ("chi-square", "χ²"), ("N-1", "N−1"), ("one-way ANOVA", "ANOVA F")):
        name = name.replace(long, short)
    return name, aside


def _tidy_test(pair: Tested) -> dict[str, Any]:
    names = ("outcome_id", "category", "level", "time", "arms", "statistic", "p", "effect", "low", "high")
    printed = {f"printed_{name}": pair.test[name] for name in names}
    printed = {"row_id": pair.test["row_id"], "when": moment(pair.test)} | printed
    fields = ("statistic", "df", "p", "effect", "low", "high", "method", "agrees", "reason")
    again = {name: getattr(pair.again, name) for name in fields}
    return printed | again | ({"agrees": OPEN} if pair.again.reason == OPEN else {})
