"""Answers for people who are not of the trade: out of 100 people, in short sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict, Unpack

from evidence.data import Dataset
from evidence.display.across import effects_frame
from evidence.display.basis import FED, LABEL, diseases_of, dosed_arms, undosed
from evidence.display.evidence import patients
from evidence.display.labels import joined, lower_first
from evidence.display.markdown import escape
from evidence.display.model import Prose
from evidence.display.synthesis import Asked, asked_questions
from evidence.display.tables.answered import rows_of
from evidence.display.traced import counted, numbers_traced, traced
from evidence.display.trials import Row, said_of, without_figures
from evidence.format import missing, number
from evidence.parameters import Parameters
from evidence.questions import Answer, answer, events_of, parts_of
from evidence.results import rates, records
from evidence.stats.means import holm
from evidence.synthesis.certainty import certainty
from evidence.wording import Allocation, Direction, difference_text

REASONS = {
    4: "We are sure that this is due to the treatment.",
    3: "This is likely to be due to the treatment.",
    2: "This may be due to the treatment, but we are not sure.",
    1: "We cannot tell if this is due to the treatment.",
}
CHANCE: dict[Allocation, str] = {
    "randomised": "",
    "not randomised": "Who got which drug was not drawn by lot.",
    "not stated": "We do not know if who got which drug was drawn by lot.",
}
OPEN: dict[Direction, str] = {
    "small": "So the gap, if there is one, is small.",
    "uncertain": "So we cannot tell which group did better.",
    "described": "No other group was watched. So we cannot tell what the treatment did.",
}
SIDES = ("treatment", "comparator")
ALMOST_ALL = 90.0  # percent less: a tenth or less is left
NO_DATA = "We found no numbers for this."


def plain_prose(
    data: Dataset, parameters: Parameters, *, what: str, treated: str, other: str = "", **asked: Unpack[Asked]
) -> Prose:
    """Return one answer for patients: people out of 100, what is not known, and how sure we are.

    Args:
        data: the dataset.
        parameters: those of the report.
        what: what happened to the people, as it follows a number: ``got well``.
        treated: the treatment in plain words; ``{dose}`` stands for the dose that the question asks about.
        other: what the others had, in plain words.
        asked: columns of ``questions.csv``; the first question that fits is answered.
    """
    questions = asked_questions(data, **asked)
    if not questions:
        return Prose(NO_DATA)
    one = answer(str(questions[0]["question_id"]), data, parameters)
    sure = certainty(one, data, parameters)
    if sure is None or one.treatment is None:
        return Prose(NO_DATA)
    told = [
        *_numbers(one, what, _dosed(treated, one, data), other, data),
        *map(escape, _meaning(one, sure.level)),
    ]
    return Prose(" ".join(told))


def _dosed(treated: str, one: Answer, data: Dataset) -> str:
    """Return a treatment with the dose of the arm that answers in place of ``{dose}``."""
    study = one.finding.studies[0]
    arms = data.select("arms", study_id=study.study_id)
    doses = [_dose(row) for row in records(arms) if study.dose and _dose(row).startswith(f"{study.dose} ")]
    return " ".join(treated.format(dose=next(iter(doses), "")).split())


def _dose(arm: Row) -> str:
    """Return the dose of an arm with its unit; nothing where none was read."""
    return "" if missing(arm["dose_value"]) else f"{arm['dose_value']:g} {arm['dose_unit']}"


def _meaning(one: Answer, level: int) -> list[str]:
    """Return what may be made of the numbers, and whether the treatment is why."""
    if one.verdict.direction in OPEN:
        return [OPEN[one.verdict.direction]]
    return [*filter(None, [CHANCE[one.allocation]]), REASONS[level]]


def _numbers(one: Answer, what: str, treated: str, other: str, data: Dataset) -> list[str]:
    """Return who did how often, and how wide the gap could be, with the data rows."""
    assert one.treatment is not None  # noqa: S101 - the caller has looked
    rows = {
        side: [str(row["row_id"]) for row in records(one.included) if row["side"] == side] for side in SIDES
    }
    with_it = traced(_hundred(one.treatment.estimate), rows["treatment"], data)
    told = [f"Out of 100 people with {escape(treated)}, about {with_it} {escape(what)}."]
    told += _counted_in_part(one, treated, other, data)
    if one.control is None or one.difference is None:
        return told
    without = traced(_hundred(one.control.estimate), rows["comparator"], data)
    shown = one.finding.each if one.finding.side_by_side else (one.difference,)
    gap = difference_text(min(each.low for each in shown), max(each.high for each in shown), of=100)
    between = numbers_traced(gap, [row for side in SIDES for row in rows[side]], data)
    return [
        *told,
        f"With {escape(other)}, about {without} did.",
        f"The gap could be from {between}.",
    ]


def _counted_in_part(one: Answer, treated: str, other: str, data: Dataset) -> list[str]:
    """Return how many were counted of how many where a group was not counted whole."""
    sides = [
        pair
        for study in one.finding.studies
        for pair in ((study.treatment, treated), (study.comparator, other))
    ]
    return [
        numbers_traced(
            f"Of {arm.group} people with {name}, only {arm.n} were counted.", arm.rows.split("|"), data
        )
        for arm, name in sides
        if arm and arm.group
    ]


def _hundred(share: float) -> str:
    return number(share * 100, 0)


def without_figures_plain(data: Dataset, *, indication: str, what: str, treated: str, other: str) -> Prose:
    """Return what is known of the randomised trials of a disease that gave no figure, for patients.

    Args:
        data: the dataset.
        indication: the disease, as the data name it.
        what: what more people are said to have had, as it follows a number; used where a document says it.
        treated: the treatment in plain words.
        other: what the others had, in plain words.
    """
    told = [
        _without_figures(data, study, what, treated, other) for study in without_figures(data, indication)
    ]
    return Prose(" ".join(told))


def _without_figures(data: Dataset, study: Row, what: str, treated: str, other: str) -> str:
    size = patients(data, dict(study))
    people = "" if missing(size) else f" of {traced(str(int(size)), [str(study['row_id'])], data)} people"
    lots = f"In a study{people}, {escape(treated)} or {escape(other)} was drawn by lot."
    better = [row for row in said_of(data, str(study["study_id"])) if row["kind"] == "superior"]
    if not better:
        return f"{lots} Its results were not in what we read."
    share = traced("a larger share", [str(row["row_id"]) for row in better], data)
    said = f"{_teller(data, better)} {share} {escape(what)} with {escape(treated)}."
    return f"{lots} {said} How many was not in what we read."


def _teller(data: Dataset, claims: Sequence[Row]) -> str:
    """Return who says it: a seller where nobody else does."""
    told = set(data.sources.loc[data.sources["source_id"].isin([row["source_id"] for row in claims]), "tier"])
    return "A seller of the drug says that" if told == {"vendor"} else "We read that"


def plain_licence_prose(data: Dataset, *, drug: str, names: Mapping[str, str]) -> Prose:
    """Return what the drug is licensed for, the dose and what food does to it, for patients.

    Args:
        data: the dataset.
        drug: the component of an arm that is meant.
        names: diseases in plain words, by their names in the data.
    """
    rows = records(data.protocols)
    labels = set(data.studies.loc[data.studies["design"] == LABEL, "study_id"])
    approval = [row for row in rows if row["section"] == "approval"]
    doses = [row for row in rows if row["section"] == "dose" and row["study_id"] in labels]
    told = [
        _licensed(approval, names, data),
        _doses(doses, data),
        _no_label_dose(undosed(approval, doses) if doses else [], drug, names, data),
        _food([row for row in rows if FED.search(str(row["item"]))], data),
    ]
    return Prose(" ".join(filter(None, told)) or NO_DATA)


def _licensed(approval: Sequence[Row], names: Mapping[str, str], data: Dataset) -> str:
    """Return what the licence is for, whether a first drug must have failed, and what is outside it."""
    rows = [str(row["row_id"]) for row in approval]
    found = [name for row in approval if "indications" in str(row["item"]) for name in diseases_of(row)]
    if not found:
        return ""
    year = next((str(row["value"])[:4] for row in approval if row["unit"] == "date"), "")
    since = f" in {traced(year, rows, data)}" if year else ""
    country = next((str(row["country"]) for row in records(data.studies) if row["design"] == LABEL), "")
    where = f" in {escape(country)}" if country else ""
    later = any("second" in str(row["value"]) for row in approval)
    after = ", for people whom a first drug did not help" if later else ""
    asked = dict.fromkeys(str(name) for name in data.questions["indication"])
    beyond = [names.get(name, name) for name in asked if name not in found]
    beyond += ["use as a first drug"] if later else []
    tail = f" We read of no licence for {escape(' or '.join(beyond))}." if beyond else ""
    said = escape(joined([names.get(name, name) for name in found]))
    return f"The drug was licensed{where}{since} for {said}{after}.{tail}"


def _doses(rows: Sequence[Row], data: Dataset) -> str:
    each = [traced(str(row["value"]), [str(row["row_id"])], data) for row in rows]
    if len(each) != 2:
        return ""
    disease = escape(str(rows[0]["item"]).partition(":")[0])
    return f"For {disease}, people start with {each[0]} mg once a day and take at most {each[1]} mg a day."


def _no_label_dose(diseases: Sequence[str], drug: str, names: Mapping[str, str], data: Dataset) -> str:
    """Return for which licensed diseases no dose of the label was read, and what studies of them gave."""
    if not diseases:
        return ""
    studies = set(data.studies.loc[data.studies["indication"].isin(list(diseases)), "study_id"])
    given = [row for study, arms in dosed_arms(data, drug).items() if study in studies for row in arms]
    each = dict.fromkeys(traced(_dose(row), [str(row["row_id"])], data) for row in given)
    tail = f" A study gave {' or '.join(each)} a day." if each else ""
    said = escape(joined([names.get(one, one) for one in diseases]))
    return f"No label dose for {said} was in what we read.{tail}"


def stopping_plain(
    data: Dataset, parameters: Parameters, *, outcome_id: str, what: str, undefined: str = ""
) -> Prose:
    """Return what happened to people when the treatment was stopped, out of 100, for patients.

    Args:
        data: the dataset.
        parameters: those of the report.
        outcome_id: the outcome of stopping.
        what: what happened, as it follows a number.
        undefined: what is added to it where no criterion of the outcome was read.
    """
    rows = records(rates(data, parameters, outcome_ids=[outcome_id], subgroup=""))
    known = data.definitions["outcome_id"].eq(outcome_id).any()
    more = f" {escape(undefined)}" if undefined and not known else ""
    shares = [
        (traced(_hundred(row["estimate"]), [str(row["row_id"])], data), _tried_in(row, data))
        for row in rows
        if not missing(row["estimate"])
    ]
    told = [
        f"While the dose was cut to stop, about {share} of 100 people {escape(what)}{more}.{tried}"
        for share, tried in shares
    ]
    return Prose(" ".join(told))


def _tried_in(row: Row, data: Dataset) -> str:
    """Return in how many people of a larger study it was tried; nothing where it was in all of them."""
    own = data.counts[data.counts["study_id"].eq(row["study_id"]) & data.counts["n"].notna()]
    most, size = max(records(own), key=lambda one: int(one["n"])), int(row["n"])
    if int(most["n"]) <= size:
        return ""
    whole = traced(f"{int(most['n'])}", [str(most["row_id"])], data)
    told = traced(f"{size}", [str(row["row_id"])], data)
    return f" That is of {told} in a study of {whole}."


def _food(rows: Sequence[Row], data: Dataset) -> str:
    """Return how much less of the drug gets into the blood with food, from the largest printed fall."""
    falls = [(abs(float(row["value"])), str(row["row_id"])) for row in rows]
    if not falls:
        return ""
    most, row = max(falls)
    much = "Almost none" if most >= ALMOST_ALL else "Less"
    return f"{traced(much, [row], data)} of it gets into the blood if it is taken with food."


def plain_kinds_prose(
    data: Dataset,
    parameters: Parameters,
    *,
    question_id: str,
    names: Mapping[str, str],
    treated: str,
    other: str,
) -> Prose:
    """Return what most harms of an answer were if that is the disease and not the treatment, for patients.

    Args:
        data: the dataset.
        parameters: those of the report.
        question_id: the question about the harms.
        names: kinds of harm in plain words, by their ids.
        treated: the treatment in plain words; ``{dose}`` stands for the dose.
        other: what the others had, in plain words.
    """
    one = answer(question_id, data, parameters)
    parts = parts_of(one, data, parameters)
    if parts is None or not parts.held:
        return Prose("")
    name = names.get(parts.most.question_id.partition(":")[2], lower_first(parts.most.outcome))
    said = {"treatment": _dosed(treated, one, data), "comparator": other}
    counts = [
        f"{events_of(parts.most, side)} of {events_of(one, side)} with {who}" for side, who in said.items()
    ]
    told = numbers_traced(", ".join(counts), rows_of(parts.most), data)
    return Prose(
        f"Most were {escape(name)} ({told}). That is the disease held back, not less harm from the drug."
    )


class Harms(TypedDict, total=False):
    """Harms in plain words: their ``names`` by id, what is none (``aside``), the gravest with their place."""

    names: Mapping[str, str]
    aside: Collection[str]
    grave: Mapping[str, str]


def plain_harms_prose(
    data: Dataset, parameters: Parameters, *, study_of: str, treated: str, other: str, **harms: Unpack[Harms]
) -> Prose:
    """Return which harms came more often with the treatment of an answer, at any of its doses, for patients.

    A harm is told where the interval of its difference lies above none. It came more often only where that
    holds with all harms at all doses allowed for (Holm); else it seemed to, and may be chance. How many harms
    were compared is told; sums of harms and what is ``aside`` do not count as harms.

    Args:
        data: the dataset.
        parameters: those of the report; the level of the intervals follows them.
        study_of: the question whose study and dose are meant.
        treated: the treatment in plain words; ``{dose}`` stands for the dose.
        other: what the others had, in plain words.
        harms: see ``Harms``; outcomes without a name keep their label.
    """
    one = answer(study_of, data, parameters)
    if not one.finding.studies or one.included.empty:
        return Prose(NO_DATA)
    own = {str(row["arm_id"]) for row in records(one.included) if row["side"] == "treatment"}
    study = one.finding.studies[0].study_id
    rows = _compared(data, parameters, study)
    sums = set(data.outcomes["parent_id"])
    single = [row for row in rows if str(row["outcome_id"]) not in sums | set(harms.get("aside", ()))]
    doses = {str(row["arm_id"]): _dose(row) for row in records(data.select("arms", study_id=study))}
    several = len({str(row["arm1"]) for row in single}) > 1
    names = harms.get("names", {})
    compared = len({str(row["outcome_id"]) for row in single})
    each = (_dosed(treated, one, data), other)
    told = [
        *_more_often([row for row in rows if row["outcome_id"] not in sums], names, doses, each, data),
        _grave(rows, own, harms.get("grave", {}), doses, other, data),
    ]
    first = f"{counted(str(compared), 'counts')} harms were compared{' at each dose' if several else ''}."
    return Prose("\n".join([first, "", *(f"- {one}" for one in told if one)]))


def _compared(data: Dataset, parameters: Parameters, study_id: str) -> list[Row]:
    """Return the differences in harms of a study between single arms, the most frequent first.

    ``sure`` says of each whether its P value stands when all of them are allowed for.
    """
    outcomes = data.outcomes.loc[data.outcomes["domain"] == "safety", "outcome_id"].tolist()
    frame = effects_frame(data.where(study_id=study_id), parameters, measure="RD", outcome_ids=outcomes)
    sums = set(data.arms.loc[data.arms["combines"].ne(""), "arm_id"])
    rows = records(frame[~frame["arm1"].isin(sums)])
    chance = holm([row["p"] for row in rows]).tolist() if rows else []
    made = [{**row, "sure": p < parameters.alpha} for row, p in zip(rows, chance, strict=True)]
    return sorted(made, key=lambda row: -row["e1"] / row["n1"])


def _more_often(
    rows: Sequence[Row],
    names: Mapping[str, str],
    doses: Mapping[str, str],
    who: tuple[str, str],
    data: Dataset,
) -> list[str]:
    """Return which harms were more common and which seemed so, all doses alike, as sentences."""
    more = [row for row in rows if row["low"] > 0]
    clear, seemed = ([row for row in more if bool(row["sure"]) == sure] for sure in (True, False))
    if not more:
        return [f"None was more common with {escape(who[0])}."]
    told = [f"{_by_harm(clear, names, doses, data)} came more often than with {escape(who[1])}."] * bool(
        clear
    )
    than = "" if clear else f" with {escape(who[0])}"
    if seemed:
        told.append(f"{_by_harm(seemed, names, doses, data)} seemed more common{than}, which may be chance.")
    return told


def _by_harm(rows: Sequence[Row], names: Mapping[str, str], doses: Mapping[str, str], data: Dataset) -> str:
    """Return harms with the doses that each was more frequent at, out of 100 people."""
    found: dict[str, list[str]] = {}
    for row in rows:
        dose = doses.get(str(row["arm1"]), "")
        found.setdefault(_harm(row, names), []).append(
            f"{f'{escape(dose)}: ' if dose else ''}{_shares(row, data)}"
        )
    told = joined([f"{name} ({'; '.join(shares)} out of 100)" for name, shares in found.items()])
    return f"{told[:1].upper()}{told[1:]}"


def _grave(
    rows: Sequence[Row],
    own: Collection[str],
    places: Mapping[str, str],
    doses: Mapping[str, str],
    other: str,
    data: Dataset,
) -> str:
    """Return the gravest harms that nobody had in the other group, in people, and that they are too few."""
    grave = [row for row in rows if row["outcome_id"] in places]
    here = [row for row in grave if row["arm1"] in own and row["e1"] and not row["e0"] and row["low"] <= 0]
    if not here:
        return ""
    each = [f"{_people(row, 'e1', data)} {escape(places[str(row['outcome_id'])])}" for row in here]
    asked = {row["outcome_id"] for row in here}
    apart: dict[str, list[Row]] = {}
    for row in grave:
        if row["arm1"] not in own and row["outcome_id"] in asked:
            apart.setdefault(str(row["arm1"]), []).append(row)
    none = [
        f"{_people(some[0], 'n1', data)} at {escape(doses.get(arm, ''))}"
        for arm, some in apart.items()
        if not any(row["e1"] for row in some)
    ]
    none.append(f"{_people(here[0], 'n0', data)} with {escape(other)}")
    at = f" at {escape(doses[str(here[0]['arm1'])])}" if apart else ""
    people = _people(here[0], "n1", data)
    return f"Of {people} people{at}, {joined(each)}; of {joined(none)}, none did. That is too few to tell."


def _people(row: Row, what: str, data: Dataset) -> str:
    return traced(str(int(row[what])), str(row["row_id"]).split("|"), data)


def _shares(row: Row, data: Dataset) -> str:
    return f"{_of_hundred(row, 1, data)} against {_of_hundred(row, 0, data)}"


def _harm(row: Row, names: Mapping[str, str]) -> str:
    return escape(names.get(str(row["outcome_id"]), lower_first(str(row["outcome_label"]))))


def _of_hundred(row: Row, side: int, data: Dataset) -> str:
    return traced(_hundred(row[f"e{side}"] / row[f"n{side}"]), str(row["row_id"]).split("|"), data)
