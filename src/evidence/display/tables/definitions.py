"""Definitions of response side by side, and what each of their thresholds counts in the same patients."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from evidence import format as fmt
from evidence.data.values import by_value
from evidence.display.documents import document_name, document_origin, place_within
from evidence.display.labels import (
    ci,
    lower_first,
    moment,
    outcome_labels,
    pretty,
    rate_note,
    sourced,
    study_label,
)
from evidence.display.model import Cell, Column, Table
from evidence.display.tables.parts import Body, build, grouped, nothing
from evidence.parameters import Parameters
from evidence.results import Tables, days, rates, records

ILLUSTRATIVE = "(illustrative)"
RESPONSE = "respon"  # response, responders, responded
NOT_PRINTED = "criteria not printed"
PHRASES = {
    "increase>=": "rise of at least {}",
    "increase>": "rise of more than {}",
    "decrease>=": "fall of at least {}",
    "decrease>": "fall of more than {}",
    "ratio>=": "at least {}",
    "ratio>": "more than {}",
}
JOINS = {"all": "all of: ", "any": "any of: "}
AT = ["study_id", "arm_id", "analysis_set", "time", "time_unit", "n"]
Row = dict[str, Any]


def definitions_side_by_side_table(
    data: Tables,
    parameters: Parameters,
    *,
    domains: Sequence[str] = ("efficacy",),
    caption: str = "What counts as a response, or as another efficacy outcome, study by study.",
) -> Table:
    """Return what counts as each outcome, study by study, in words, with the documents that print it.

    Criteria of one group are joined as the document joins them (all of, any of). Under an outcome that is
    called a response, the studies that report it without criteria are named too.

    Args:
        data: the tidy tables.
        parameters: not used; every builder takes them.
        domains: the domains of the outcomes to list.
        caption: what the listed outcomes are.
    """
    names, rules = outcome_labels(data), rules_of(data, domains)
    silent = _silent(data, rules, domains)
    order = [
        str(one) for one in data.outcomes["outcome_id"] if one in {*silent, *(r["outcome_id"] for r in rules)}
    ]
    body: Body = []
    headings = []
    for outcome in order:
        rows = [_rule_row(data, rule) for rule in rules if rule["outcome_id"] == outcome]
        rows += [_silent_row(data, silent[outcome])] if outcome in silent else []
        body += rows
        headings += [names[outcome]] * len(rows)
    return build(
        data,
        (Column("Study", width=1.6), Column("Counts when", width=2.6), Column("Printed in", width=2.2)),
        body,
        caption=f"{caption} {_rules_words(rules, silent)}".strip(),
        frame=_tidy_rules(data, rules),
        groups=grouped(headings),
    )


def _tidy_rules(data: Tables, rules: Sequence[Row]) -> pd.DataFrame:
    """Return rules with the label of their study, and where each is printed."""
    named = [
        {
            **{name: value for name, value in rule.items() if name != "rows"},
            "study_label": study_label(data, str(rule["study_id"])),
            "printed_in": _printed_in(data, rule["rows"]),
            "row_id": "|".join(str(row["row_id"]) for row in rule["rows"]),
        }
        for rule in rules
    ]
    return pd.DataFrame(named)


def _rules_words(rules: Sequence[Row], silent: Mapping[str, Sequence[str]]) -> str:
    """Return how many rules there are, and how many studies print none for what they report."""
    quiet = {study for studies in silent.values() for study in studies}
    told = f"{len(rules)} rule{'s' * (len(rules) != 1)}"
    return f"{told}; {len(quiet)} studies report a response without its rule." if quiet else f"{told}."


def rules_of(data: Tables, domains: Sequence[str]) -> list[Row]:
    """Return one entry per outcome, study and distinct rule, with all rows and documents that print it."""
    chosen = data.outcomes.loc[data.outcomes["domain"].isin(list(domains)), "outcome_id"]
    rows = records(data.definitions[data.definitions["outcome_id"].isin(set(chosen))])
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = (row["outcome_id"], study_of(row), row["source_id"], row["locator"], row["group"])
        groups.setdefault(tuple(map(str, key)), []).append(row)
    found: dict[tuple[str, ...], Row] = {}
    for (outcome, study, _, place, _), criteria in groups.items():
        words = rule_words(criteria, capitals_of(data, outcome))
        drawn_up = "illustration" if ILLUSTRATIVE in place.lower() else "study"
        entry = {"outcome_id": outcome, "study_id": study, "of": drawn_up, "rule": words, "rows": []}
        found.setdefault((outcome, study, drawn_up, words), entry)["rows"] += criteria
    order = {one: at for at, one in enumerate(data.studies["study_id"])}
    return sorted(found.values(), key=lambda rule: order.get(rule["study_id"], len(order)))


def study_of(definition: Mapping[str, Any]) -> str:
    """Return the study that a definition belongs to: the one it names, else the document's own."""
    named = definition.get("study_id")
    return str(definition["source_id"] if fmt.missing(named) else named)


def rule_words(criteria: Sequence[Mapping[str, Any]], capitals: Mapping[str, str] | None = None) -> str:
    """Return the criteria of one group in words; a criterion named just before is not named again.

    >>> count = {"criterion": "cell_count", "join": "any", "unit": "10^9/L"}
    >>> rise = count | {"operator": "increase>=", "threshold": 50.0}
    >>> rule_words([count | {"operator": ">=", "threshold": 100.0}, rise])
    'any of: cell count ≥100 × 10⁹/L; rise of at least 50 × 10⁹/L'
    """
    parts, last = [], ""
    for one in criteria:
        name = str(one["criterion"])
        parts.append(_criterion(one, named=name != last))
        last = name
    words = "; ".join(dict.fromkeys(parts))
    return _spelled(
        (JOINS.get(str(criteria[0]["join"]), "") if len(set(parts)) > 1 else "") + words, capitals
    )


def _criterion(row: Mapping[str, Any], *, named: bool) -> str:
    name, operator = str(row["criterion"]).replace("_", " "), str(row["operator"])
    if operator in ("absent", "present"):
        return f"no {name}" if operator == "absent" else name
    ratio = operator.startswith("ratio") and fmt.missing(row["unit"])
    amount = _amount(row["threshold"], "times baseline" if ratio else row["unit"])
    if operator in PHRASES:
        words = PHRASES[operator].format(amount)
        return f"{name}: {words}" if named else words
    if operator in ("=", "is"):
        return f"{name}: {amount}" if named else amount
    return f"{name if named else ''} {pretty(operator)}{amount}".strip()


def _amount(threshold: Any, unit: Any) -> str:
    number = "" if fmt.missing(threshold) else f"{float(threshold):,.10g}"
    name = "" if fmt.missing(unit) else pretty(str(unit))
    if name == "percent":
        return f"{number}%"
    if name.isalpha() and name.islower() and len(name) > 2 and threshold != 1:
        name += "s"
    joint = {"1": " × ", "/": ""}.get(name[:1], " ")
    return f"{number}{joint}{name}".strip()


def capitals_of(data: Tables, outcome_id: str) -> dict[str, str]:
    """Return the abbreviations that the data write in capitals, by their small letters."""
    rows = data.outcomes[data.outcomes["outcome_id"] == outcome_id]
    texts = [*rows["label"], *rows["definition"], *data.studies["indication"].unique()]
    words = {word for text in texts for word in re.findall(r"\b[A-Z]{2,}\b", str(text))}
    return {word.lower(): word for word in words}


def _spelled(text: str, capitals: Mapping[str, str] | None) -> str:
    for small, capital in (capitals or {}).items():
        text = re.sub(rf"\b{small}\b", capital, text)
    return text


def _silent(data: Tables, rules: Sequence[Row], domains: Sequence[str]) -> dict[str, list[str]]:
    """Return, by outcome that is called a response, the studies that report it without printing criteria."""
    defined = {(rule["outcome_id"], rule["study_id"]) for rule in rules if rule["of"] == "study"}
    wanted = {
        str(row["outcome_id"])
        for row in records(data.outcomes)
        if row["domain"] in domains and row["type"] == "binary" and _response(row)
    }
    found: dict[str, list[str]] = {}
    for pair in _reported(data, sorted(wanted)):
        if pair not in defined and pair[1] not in found.setdefault(pair[0], []):
            found[pair[0]].append(pair[1])
    return {outcome: studies for outcome, studies in found.items() if studies}


@by_value
def _reported(data: Tables, outcomes: Sequence[str]) -> list[tuple[str, str]]:
    """Return which study reports which of some outcomes, in the order of the data."""
    counts = data.counts[data.counts["outcome_id"].isin(outcomes)]
    pairs = zip(counts["outcome_id"].tolist(), counts["study_id"].tolist(), strict=True)
    return list(dict.fromkeys((str(outcome), str(study)) for outcome, study in pairs))


def _response(outcome: Mapping[str, Any]) -> bool:
    return any(RESPONSE in str(outcome[name]).lower() for name in ("outcome_id", "label"))


def _rule_row(data: Tables, rule: Row) -> tuple[Cell, ...]:
    rows: list[Row] = rule["rows"]
    origins = {document_origin(data, str(row["source_id"])) for row in rows}
    origin = "external" if origins == {"external"} else ""
    ids = "|".join(str(row["row_id"]) for row in rows)
    study = study_label(data, str(rule["study_id"]))
    owner = f"Illustrative protocol printed beside {study}" if rule["of"] == "illustration" else study
    return Cell(owner), sourced(str(rule["rule"]), ids, origin=origin), Cell(_printed_in(data, rows))


def _printed_in(data: Tables, rows: Iterable[Row]) -> str:
    found: dict[str, list[str]] = {}
    for row in rows:
        name = document_name(data, str(row["source_id"]))
        found.setdefault(name, []).append(place_within(str(row["locator"])))
    told = {name: "; ".join(filter(None, dict.fromkeys(at))) for name, at in found.items()}
    return ". ".join(f"{name}: {at}" if at else name for name, at in told.items())


def _silent_row(data: Tables, studies: Sequence[str]) -> tuple[Cell, ...]:
    return Cell("; ".join(study_label(data, one) for one in studies)), Cell(NOT_PRINTED), Cell("")


def threshold_rates(data: Tables, parameters: Parameters) -> pd.DataFrame:
    """Return the rates of all outcomes that one study counts by different criteria in the same patients.

    These are the rates of outcomes with a threshold in the study's own definitions, where the same arm has
    at least two of them at the same time out of the same patients. The columns are those of ``rates`` and
    ``rule``; the most frequent outcome of each group stands first.
    """
    rules = {
        (row["outcome_id"], row["study_id"]): row["rule"]
        for row in rules_of(data, ("efficacy",))
        if row["of"] == "study" and any(not fmt.missing(one["threshold"]) for one in row["rows"])
    }
    ids = [str(one) for one in data.outcomes["outcome_id"] if one in {outcome for outcome, _ in rules}]
    frame = rates(data, parameters, outcome_ids=ids, subgroup="")
    keys = list(zip(frame["outcome_id"], frame["study_id"], strict=True))
    frame = frame.assign(rule=[rules.get(key, "") for key in keys])
    frame = frame[(frame["rule"] != "") & frame["events"].notna() & frame["n"].notna()]
    groups = [group for _, group in frame.groupby(AT, sort=False, dropna=False) if len(group) > 1]
    if not groups:
        return frame.iloc[0:0]
    return pd.concat([group.sort_values("events", ascending=False, kind="stable") for group in groups])


def threshold_heading(row: Mapping[str, Any]) -> str:
    """Return which patients a group of thresholds is counted in: study, arm, and when."""
    when = "" if pd.isna(row["time"]) else moment({**row, "time_label": ""})
    return ", ".join(filter(None, (str(row["study_label"]), lower_first(str(row["arm_label"])), when)))


def thresholds_table(data: Tables, parameters: Parameters) -> Table:
    """Return how many of the same patients respond by each of the criteria that one study reports."""
    frame = threshold_rates(data, parameters)
    caption = "The same patients counted by different criteria of response."
    if frame.empty:
        return nothing(caption)
    rows = in_order(data, frame)
    headings = [threshold_heading(row) for row in rows]
    first = dict(reversed(list(zip(headings, rows, strict=True))))
    body = [_threshold_row(row, first[at]) for row, at in zip(rows, headings, strict=True)]
    return build(
        data,
        (
            Column("Counts when", width=3.0),
            Column("When", width=1.3),
            Column("Responders", "right", 1.2),
            Column(f"Rate ({ci(parameters)})", "right", 1.9),
            Column("Fewer than by the first", "right", 1.3),
        ),
        body,
        caption=f"{caption} {gap_words(frame)}",
        note=f"No comparison between studies: the patients differ. {rate_note(parameters, frame)}",
        frame=pd.DataFrame([row | _fewer(row, first[at]) for row, at in zip(rows, headings, strict=True)]),
        groups=grouped(headings),
    )


SAME_PATIENTS = ["study_id", "arm_id", "time", "time_unit", "n"]


def gap_words(frame: pd.DataFrame) -> str:
    """Return what the easiest and the hardest criterion count in those patients where they differ most."""
    counts = (
        f"“{row['rule']}” counts {fmt.x_of_n(row['events'], row['n'])} ({fmt.percent(row['estimate'])})"
        for row in widest_gap(frame)
    )
    return f"In the same patients ({threshold_heading(widest_gap(frame)[0])}) {', '.join(counts)}."


def widest_gap(frame: pd.DataFrame) -> tuple[Row, Row]:
    """Return the rates by the easiest and the hardest criterion in those patients where they differ most."""
    groups = [group for _, group in frame.groupby(SAME_PATIENTS, sort=False, dropna=False)]
    widest = max(groups, key=lambda group: group["estimate"].max() - group["estimate"].min())
    rows = sorted(records(widest), key=lambda row: -row["estimate"])
    return rows[0], rows[-1]


def in_order(data: Tables, frame: pd.DataFrame) -> list[Row]:
    """Return rates in the order of studies, arms and times, the most frequent outcome of each group first."""
    studies = {one: place for place, one in enumerate(data.studies["study_id"])}
    pairs = zip(data.arms["study_id"], data.arms["arm_id"], strict=True)
    arms = {one: place for place, one in enumerate(pairs)}

    def place(row: Mapping[str, Any]) -> tuple[int, int, float, int]:
        arm = arms[row["study_id"], row["arm_id"]]
        return studies[row["study_id"]], arm, days(row["time"], row["time_unit"]), -int(row["events"])

    return sorted(records(frame), key=place)


def _fewer(row: Mapping[str, Any], first: Mapping[str, Any]) -> Row:
    """Return how many fewer patients respond than by the first criterion, and in percentage points."""
    fewer = int(first["events"]) - int(row["events"])
    return {"fewer": fewer, "fewer_points": fewer / int(row["n"]) * 100}


def _threshold_row(row: Mapping[str, Any], first: Mapping[str, Any]) -> tuple[Cell, ...]:
    less = _fewer(row, first)
    fewer, share = less["fewer"], fmt.number(less["fewer_points"], 1)
    return (
        Cell(str(row["rule"])),
        Cell(moment(row)),
        sourced(
            fmt.count(row["events"], row["n"]), row["row_id"], basis=str(row["basis"]), origin=row["origin"]
        ),
        Cell(fmt.risk(row["estimate"], row["low"], row["high"])),
        Cell(f"{fewer} ({share} points)" if fewer else ""),
    )
