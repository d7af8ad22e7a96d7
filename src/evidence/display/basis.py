"""What the answers rest on, and what the drug is licensed for: boxes of the first page, from the data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evidence import format as fmt
from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.display.across import SYNTHESES
from evidence.display.counting import several
from evidence.display.documents import document_name, quantity
from evidence.display.labels import joined, lower_first, marked, pretty, study_label
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.tables.answered import split_title
from evidence.display.traced import counted, numbers_traced, traced
from evidence.display.trials import UNDER_WAY
from evidence.format import missing
from evidence.questions import Answer
from evidence.results import basis_of, records, words_of
from evidence.synthesis.reading import report_read, vendor_only

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
INTERESTS = ("funding", "support", "competing interests")
LABEL = "product_label"
FED = re.compile(r"\bfed against fasted\b")
LABEL_DOSES = ("start", "maximum")
SCHEDULE = re.compile(r"\b(?:dose|daily)\b")
Row = Mapping[str, Any]


def basis_prose(data: Dataset, *, asked: str, then: str = "") -> Prose:
    """Return what was asked and what the answers rest on: documents supplied, their sellers', and others.

    Args:
        data: the dataset.
        asked: the question that the report asks, as a sentence.
        then: how the sentence on what follows begins.
    """
    seeds = records(data.sources[data.sources["origin"] == "seed"])
    others = int(data.sources["origin"].eq("external").sum())
    keys = "; ".join(f"@{one['citekey']}" for one in seeds if one["citekey"])
    sellers = sum(one["tier"] == "vendor" for one in seeds)
    told = f"{_number(len(seeds), capital=True)} documents were supplied{f' [{keys}]' if keys else ''}"
    told += f", {_number(sellers)} by a seller" if sellers else ""
    more = f"; {_number(others)} others gave selected figures" if others else ""
    return Prose(" ".join(filter(None, (asked, f"{told}{more}. No search was made.", then))))


def _number(count: int, *, capital: bool = False) -> str:
    word = SMALL[count] if count < len(SMALL) else str(count)
    return counted(word.capitalize() if capital else word, "sources")


def reading_prose(answers: Sequence[Answer], data: Dataset) -> Prose:
    """Return, as a box, whose reports were read, what rests on a seller's document alone, and interests."""
    read = [row for row in records(data.studies) if report_read(data, str(row["study_id"]))]
    kinds = {str(one["source_id"]): words_of(str(one["kind"])).lower() for one in records(data.sources)}
    names = [f"{row['label']} ({kinds.get(str(row['source_id']), '')})" for row in read]
    sellers = [one for one in records(data.sources) if one["tier"] == "vendor"]
    sold = joined([lower_first(document_name(data, str(one["source_id"]))) for one in sellers])
    alone = [pretty(lower_first(one.title)) for one in answers if vendor_only(one.finding, data)]
    told = [
        f"This report lists {counted(str(len(data.studies)), 'studies')} studies{_among(data)}.",
        _own_reports(names, len(data.studies)),
        f"From a seller of the substance: {escape(sold)}." if sold else "",
        f"{_one_or_more(len(alone))} on a seller's document alone: {escape('; '.join(alone))}."
        if alone
        else "",
        _interests(data),
    ]
    return Prose(f"> **What this rests on.** {' '.join(filter(None, told))}")


def _own_reports(names: Sequence[str], studies: int) -> str:
    """Return of how many studies their own report was read, and that of the others only figures were."""
    others = counted(str(studies - len(names)), "studies")
    if not names:
        return "We read the own report of none of them, only selected figures."
    own = f"We read the own report of {counted(str(len(names)), 'studies')}: {escape(joined(names))}."
    return f"{own} Of the other {others} we read only selected figures." if studies > len(names) else own


def _one_or_more(answers: int) -> str:
    return f"{counted(str(answers), 'questions')} answer{' rests' if answers == 1 else 's rest'}"


def _among(data: Dataset) -> str:
    """Return how many of what is listed as studies are syntheses of others, or labels."""
    designs = data.studies["design"]
    kinds = {"synthesis": designs.isin(SYNTHESES), "label": designs.eq(LABEL)}
    told = [several(int(found.sum()), name) for name, found in kinds.items() if found.any()]
    return f" ({joined([counted(one, 'studies') for one in told])} among them)" if told else ""


@by_value
def _interests(data: Dataset) -> str:
    """Return whether any document states who paid and whose interests were at stake."""
    paid = int(data.studies["funding"].ne("").sum())
    items = data.protocols["section"].isin(INTERESTS) | data.protocols["item"].isin(INTERESTS)
    stated = data.protocols.loc[items, "study_id"].nunique()
    if not paid and not stated:
        return "Funding and competing interests: not stated in what was read, for any study."
    both = counted(str(len(data.studies)), "studies")
    return f"Of {both} studies, {counted(str(paid), 'studies')} state their funding, " + (
        f"{counted(str(stated), 'protocols')} funding or interests in another place."
    )


@by_value
def licence_prose(data: Dataset, *, drug: str) -> Prose:
    """Return, as a list of terms, the licensed use, label and studied doses, food, and what lies outside it.

    Args:
        data: the dataset.
        drug: the component of an arm that is meant.
    """
    labels = data.studies.loc[data.studies["design"] == LABEL, "study_id"]
    rows = records(data.protocols[data.protocols["study_id"].isin(labels)])
    approval = [row for row in rows if row["section"] == "approval"]
    doses = [row for row in rows if row["section"] == "dose"]
    fed = [row for row in records(data.protocols) if FED.search(str(row["item"]))]
    told = {
        "Licence": [_listed("", approval, data)],
        "Dose": [
            _listed("On the label", doses, data),
            _no_dose(approval, doses),
            studied_doses(data, drug),
            _other_doses(doses, data, drug),
        ],
        "Food": [_listed("With food, against fasting", fed, data), _empty_stomach(data)],
        "Off label here": [_outside(approval, data), _untreated(approval, data)],
    }
    said = {name: " ".join(filter(None, parts)) for name, parts in told.items()}
    items = [f"{name}\n:   {text}" for name, text in said.items() if text]
    head = "**Licensed use, dose, how to take it**"
    return Prose("\n\n".join(["::: {.terms}", head, *items, ":::"]) if items else "")


def _listed(name: str, rows: Sequence[Row], data: Dataset) -> str:
    """Return rows of a protocol as a sentence, each value with its row."""
    each = [
        f"{_item(row)} {traced(quantity(row['value'], row['unit']), [str(row['row_id'])], data)}"
        for row in rows
    ]
    told = "; ".join(each)
    start = f"{name}: " if name else ""
    return f"{start}{told if name else told[:1].upper() + told[1:]}." if each else ""


def _item(row: Row) -> str:
    """Return what a row is about, with a colon before its value unless the words have one."""
    item = re.sub(rf",[^,]*{FED.pattern}", "", str(row["item"]))
    return escape(pretty(item)) + ("" if ":" in item or item != row["item"] else ":")


def _no_dose(approval: Sequence[Row], doses: Sequence[Row]) -> str:
    """Return for which licensed diseases no dose of the label was read."""
    without = undosed(approval, doses)
    return f"No label dose for {escape(joined(without))} was read." if doses and without else ""


def undosed(approval: Sequence[Row], doses: Sequence[Row]) -> list[str]:
    """Return the licensed diseases that no dose row of the label names."""
    wanted = [name for row in approval if "indications" in str(row["item"]) for name in diseases_of(row)]
    return [name for name in wanted if not any(str(row["item"]).startswith(name) for row in doses)]


def dosed_arms(data: Dataset, drug: str) -> dict[str, list[Row]]:
    """Return the arms with a printed dose of a drug, by study that compares: no parts of others."""
    studies = {
        str(row["study_id"])
        for row in records(data.studies)
        if row["comparator"] and not row["parent_study_id"] and row["status"] not in UNDER_WAY
    }
    found: dict[str, list[Row]] = {}
    for row in records(data.arms):
        has = drug in str(row["components"]).split("+") and not missing(row["dose_value"])
        if has and row["study_id"] in studies:
            found.setdefault(str(row["study_id"]), []).append(row)
    return found


def studied_doses(data: Dataset, drug: str) -> str:
    """Return, by disease, which doses of a drug the studies print, each with its rows."""
    diseases = {str(row["study_id"]): str(row["indication"]) for row in records(data.studies)}
    told: dict[str, list[str]] = {str(one): [] for one in data.questions.sort_values("order")["indication"]}
    for study, arms in dosed_arms(data, drug).items():
        told.setdefault(diseases[study], []).append(_study_dose(study, arms, data))
    for row in _starts(data):
        told.setdefault(diseases[str(row["study_id"])], []).append(_start_words(row, data))
    each = [f"{escape(disease)} {', '.join(some)}" for disease, some in told.items() if some]
    return f"Doses in studies: {'; '.join(each)}." if each else ""


def _study_dose(study: str, arms: Sequence[Row], data: Dataset) -> str:
    values = joined(list(dict.fromkeys(f"{row['dose_value']:g}" for row in arms)))
    unit, schedule = str(arms[0]["dose_unit"]), str(arms[0]["dose_schedule"] or "")
    lasting = [
        quantity(row["value"], row["unit"])
        for row in records(data.select("protocols", study_id=study))
        if str(row["item"]).startswith("duration of treatment")
    ]
    how = ", ".join([part for part in re.split(r"[,;] ", schedule) if SCHEDULE.search(part)] + lasting)
    said = numbers_traced(
        f"{values} {unit}{f', {how}' if how else ''}", [row["row_id"] for row in arms], data
    )
    return f"{said} ({escape(study_label(data, study))})"


def _starts(data: Dataset) -> Sequence[Row]:
    """Return what studies print of the doses that their patients started with."""
    return records(data.measurements[data.measurements["outcome_id"] == "starting_dose"])


def _start_words(row: Row, data: Dataset) -> str:
    said = f"start {row['statistic']} {row['value']} {row['unit']}, {row['low']} to {row['high']}"
    name = escape(study_label(data, str(row["study_id"])))
    return f"{numbers_traced(said, [str(row['row_id'])], data)} ({name})"


def _other_doses(doses: Sequence[Row], data: Dataset, drug: str) -> str:
    """Return in which studies patients started above the start of the label, and where above its maximum."""
    start, most = (next((row for row in doses if name in str(row["item"])), None) for name in LABEL_DOSES)
    if start is None or most is None:
        return ""
    disease = str(start["item"]).partition(":")[0]
    studies = set(data.studies.loc[data.studies["indication"] == disease, "study_id"])
    begun = [
        (row, "dose_value", "dose_unit", "")
        for rows in dosed_arms(data, drug).values()
        for row in rows
        if "initial" in str(row["dose_schedule"])
    ]
    begun += [(row, "high", "unit", "up to ") for row in _starts(data) if not missing(row["high"])]
    told = [
        f"{before}{traced(f'{float(row[value]):g} {row[unit]}', [str(row['row_id'])], data)}"
        f"{', above its maximum' if float(row[value]) > float(most['value']) else ''}"
        f" ({escape(study_label(data, str(row['study_id'])))})"
        for row, value, unit, before in begun
        if row["study_id"] in studies and float(row[value]) > float(start["value"])
    ]
    label = traced(quantity(start["value"], start["unit"]), [str(start["row_id"])], data)
    return f"Starts above the label's {label} in {escape(disease)}: {'; '.join(told)}." if told else ""


def _untreated(approval: Sequence[Row], data: Dataset) -> str:
    """Return how many a study of a licensed disease had newly diagnosed, if the licence is for later."""
    later = [
        row
        for row in approval
        if str(row["item"]) == "line of treatment" and "first" not in str(row["value"])
    ]
    named = {name for row in approval if "indications" in str(row["item"]) for name in diseases_of(row)}
    studies = set(data.studies.loc[data.studies["indication"].isin(named), "study_id"])
    rows = [
        row
        for row in records(data.counts[data.counts["category"].eq("newly_diagnosed")])
        if row["study_id"] in studies and not missing(row["events"]) and row["time"] == 0
    ]
    if not later or not rows:
        return ""
    told = [
        f"{traced(marked(fmt.x_of_n(row['events'], row['n']), *known), [str(row['row_id'])], data)} "
        f"({escape(study_label(data, str(row['study_id'])))})"
        for row in rows
        if (known := (basis_of(row), str(row["origin"])))
    ]
    return f"Newly diagnosed, earlier treatment not stated: {'; '.join(told)}."


def diseases_of(row: Row) -> list[str]:
    """Return the diseases that a row on the indications of a licence names."""
    return re.split(r",\s*|\s+and\s+", str(row["value"]))


def _empty_stomach(data: Dataset) -> str:
    """Return what a protocol says about meals, with the study that says it."""
    rows = [row for row in records(data.protocols) if str(row["item"]).endswith(", intake")]
    told = [
        f"{traced(str(row['value']), [str(row['row_id'])], data)} "
        f"({escape(data.label('studies', str(row['study_id'])))})"
        for row in rows
    ]
    return f"Taken in a trial: {'; '.join(told)}." if told else ""


@by_value
def outside_licence(data: Dataset) -> list[str]:
    """Return whom this report asks about that the licence, as it was read, does not name: disease or line.

    A disease is outside where the row on the indications does not name it, a first treatment where the row on
    the line names a later one. Nothing is outside where no licence was read.
    """
    rows = records(data.protocols[data.protocols["section"] == "approval"])
    named = {name for row in rows if "indications" in str(row["item"]) for name in diseases_of(row)}
    lines = " ".join(str(row["value"]) for row in rows if str(row["item"]) == "line of treatment")
    if not named:
        return []
    asked = records(data.questions.sort_values("order"))
    beyond = [
        split_title(str(one["title"]))[0]
        for one in asked
        if one["indication"] not in named
        or (lines and "first" not in lines and one["population"] == "first_line")
    ]
    return list(dict.fromkeys(filter(None, beyond)))


def _outside(approval: Sequence[Row], data: Dataset) -> str:
    beyond = [lower_first(name) for name in outside_licence(data)]
    if not beyond:
        return ""
    rows = [str(row["row_id"]) for row in approval]
    return (
        f"Outside that licence: {traced('; '.join(beyond), rows, data)}. Later licences were not looked for."
    )
