"""Tables of the audit: what does not fit, what stays open, what was sound, how far it can be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

import pandas as pd

from evidence import format as fmt
from evidence.audit import CHECKS
from evidence.data import Dataset
from evidence.display.counting import several
from evidence.display.documents import FILE_KEY, document_name, place_words
from evidence.display.labels import joined, pretty, study_label
from evidence.display.markdown import escape
from evidence.display.marks import findings_of, row_kinds
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import Body, build, grouped, nothing
from evidence.parameters import Parameters
from evidence.project import resolve
from evidence.results import records
from evidence.stats import Proportion, proportion

Kind = Literal["conclusion", "number", "cosmetic", "question"]
ODD = ("inconsistent", "rounding")
VERDICTS = ("consistent", "rounding", "inconsistent", "not_checkable")
ORDER = {check.name: place for place, check in enumerate(CHECKS)}
# What tells most of a whole paper comes first: whom it is about, what its figures are, what it concludes.
WEIGHT = (
    "implied n", "P values", "spread", "claims", "effects", "tests from data", "sums", "denominators",
    "across documents", "percentages", "reporting",
)  # fmt: skip
MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")
SENTENCE_END = re.compile(r"(?<=[\w)%]\.) (?=[A-Z±≥>])")
NO_CONCLUSION = "- No finding changes a conclusion."
NO_CHECK = "Nothing is printed that could be checked."
CAME = {
    "consistent": "found the printed figures sound",
    "inconsistent": "found figures that do not fit each other",
    "rounding": "found a rounding that only an unusual rule explains",
    "not_checkable": "could not be decided from what is printed",
}
SECTIONS = {
    "tests": "tests",
    "counts": "results",
    "measurements": "results",
    "claims": "claims",
    "protocols": "design",
}
CAPTIONS: Mapping[Kind, str] = {
    "conclusion": "that change a conclusion",
    "number": "that change a number and no conclusion",
    "cosmetic": "that change neither",
    "question": "Conclusions that hang on something the documents do not print",
}
TIDY = (
    "finding_id", "cause", "study_id", "row_id", "locator", "check", "reported", "recomputed", "why",
    "consequence",
)  # fmt: skip
NOTES: Mapping[Kind, str] = {
    "conclusion": "In brackets: findings of one cause; the weightiest is told, some of the others change "
    "less. All are in the table's values.",
    "cosmetic": "A half rounded down so that two classes make 100 is left out: the other was rounded up.",
}
GRAVITY = ("conclusion", "number", "cosmetic")
MOST_REASONS = 6  # of one check; more are told by one example


def doubtful(findings: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return the findings whose cause has one gravest consequence, or the open questions.

    The weightiest come first, the findings of one cause together; ``leads`` says which one tells a cause,
    ``of_cause`` how many findings it has.
    """
    if kind == "question":
        found = findings[findings["verdict"].eq("not_checkable") & findings["consequence"].eq("conclusion")]
    else:
        odd = findings[findings["verdict"].isin(ODD)]
        found = odd[odd["cause"].map(_gravest(odd)).eq(GRAVITY.index(kind))]
    rank = found.assign(
        study=found["study_id"].map(first),
        weight=found["family"].map(WEIGHT.index),
        place=found["check"].map(ORDER),
        grave=found["consequence"].map(GRAVITY.index),
        spread=-found["row_id"].str.count(r"\|"),
    )
    rank = rank.assign(size=-rank.groupby("study")["finding_id"].transform("count"))
    rank = rank.sort_values(["size", "study", "grave", "weight", "spread", "place", "row_id"], kind="stable")
    rank = rank.assign(
        leads=~rank["cause"].duplicated(), of_cause=rank.groupby("cause")["finding_id"].transform("count")
    )
    order = {cause: place for place, cause in enumerate(rank["cause"].drop_duplicates())}
    return rank.sort_values("cause", key=lambda names: names.map(order), kind="stable")


def _gravest(odd: pd.DataFrame) -> dict[str, int]:
    """Return the place of the gravest consequence of every cause."""
    graves = odd["consequence"].map(GRAVITY.index).groupby(odd["cause"]).min()
    return {str(cause): int(grave) for cause, grave in graves.items()}


def causes_of(findings: pd.DataFrame) -> int:
    """Return how many root causes the findings have that found figures which do not fit."""
    return int(findings.loc[findings["verdict"].isin(ODD), "cause"].nunique())


def first(ids: str) -> str:
    """Return the first of several ids joined by a bar.

    >>> first("trial_a|trial_b")
    'trial_a'
    """
    return str(ids).partition("|")[0]


def audit_prose(data: Dataset, parameters: Parameters, *, most: int = 5) -> Prose:
    """Return how the checks came out, and the causes that change a conclusion in one sentence each."""
    findings = findings_of(data, parameters)
    found = doubtful(findings, "conclusion")
    told = found[found["leads"]].sort_values(["weight", "spread", "place"], kind="stable")
    lines = [f"- {_headline(row, data)}" for row in records(told.head(most))]
    odd = findings["verdict"].isin(ODD).any()
    return Prose("\n".join([_totals(findings), "", *(lines or [NO_CONCLUSION] * bool(odd))]).strip())


def _totals(findings: pd.DataFrame) -> str:
    times = {verdict: int(findings["verdict"].eq(verdict).sum()) for verdict in CAME}
    made = f"{several(len(findings), 'check')} of printed figures against each other were made: "
    each = [f"{times[one]:,} {words}" for one, words in CAME.items() if times[one]]
    wrong = times["inconsistent"] + times["rounding"]
    if not wrong:
        return f"{made}{joined(each)}. Nothing printed contradicts itself." if each else NO_CHECK
    return (
        f"{made}{joined(each)}. One figure in error can fail many checks: the {several(wrong, 'finding')} "
        f"have {several(causes_of(findings), 'cause')}. What changes a conclusion:"
    )


def _headline(row: Mapping[str, Any], data: Dataset) -> str:
    return f"**{escape(finding_subject(row, data))}**: {escape(_told(headline(row['why'])))}"


def headline(why: str) -> str:
    """Return the first sentence of what a finding says, which tells it without its figures.

    >>> headline("The figures fit 71 patients, not 187. The intervals go together only with n = 33.")
    'The figures fit 71 patients, not 187.'
    """
    return SENTENCE_END.split(str(why), maxsplit=1)[0]


def _sharing(row: Mapping[str, Any]) -> str:
    """Return how many findings have the cause of this one, empty for one."""
    return f" ({row['of_cause']} findings)" if row["of_cause"] > 1 else ""


def _told(text: Any) -> str:
    """Return what a finding says with the signs of print."""
    return MINUS.sub("−", pretty(text))


def finding_subject(row: Mapping[str, Any], data: Dataset) -> str:
    """Return whose figures a finding is about: the study's, or the document's that quotes the study."""
    studies = [study for study in str(row["study_id"]).split("|") if study]
    source = first(str(row["source_id"]))
    if not studies:
        return document_name(data, source)
    names = [study_label(data, study) for study in studies[:3]]
    told = joined([*names, *([f"{len(studies) - 3} more"] if len(studies) > 3 else [])])
    quoted = source not in studies and is_quoted(data, first(str(row["row_id"])))
    return f"{document_name(data, source)}, quoting {told}" if quoted else told


def is_quoted(data: Dataset, row_id: str) -> bool:
    """Return whether a document gives a data row as somebody else's."""
    frames = [frame for frame in data.tables.values() if {"row_id", "cites"} <= set(frame.columns)]
    return any(frame.loc[frame["row_id"].eq(row_id), "cites"].ne("").any() for frame in frames)


def audit_findings_table(data: Dataset, parameters: Parameters, *, kind: Kind) -> Table:
    """List root causes with what is printed, what follows from the other figures, why, and where it stands.

    A cause with several findings is told by the weightiest; the tidy values hold them all.
    """
    found = doubtful(findings_of(data, parameters), kind)
    told = found[found["leads"]]
    caption = _findings_caption(kind, len(told), len(found))
    if found.empty:
        return nothing(caption)
    kinds, places = row_kinds(data), _places(data)
    columns = (
        Column("Where"),
        Column("Printed → what the other figures give", width=1.5),
        Column("Why", width=2.3),
    )
    names = {str(one): document_name(data, str(one)) for one in data.sources["source_id"]}
    worded = [row | {one: _cited(str(row[one]), names) for one in WORDED} for row in records(told)]
    body = [_finding(row, kinds, places) for row in worded]
    groups = grouped([finding_subject(row, data) for row in records(told)])
    tidy = found[list(TIDY)]
    return build(data, columns, body, caption=caption, note=NOTES.get(kind, ""), frame=tidy, groups=groups)


def _findings_caption(kind: Kind, causes: int, findings: int) -> str:
    if kind == "question":
        return f"{CAPTIONS[kind]}: {several(causes, 'question')}, from {several(findings, 'finding')}."
    return f"{several(causes, 'cause')} with {several(findings, 'finding')} {CAPTIONS[kind]}."


def _finding(row: Mapping[str, Any], kinds: Mapping[str, str], places: Mapping[str, str]) -> tuple[Cell, ...]:
    ids = tuple(str(row["row_id"]).split("|"))
    study = str(row["study"])
    section = SECTIONS.get(kinds.get(ids[0], ""), "card")
    target = f"sec-study-{section}-{study}" if study else ""
    where = Cell(pretty(places.get(ids[0]) or first(row["locator"]) or "Title"), ids, target=target)
    figures = " → ".join(_told(row[name]) for name in ("reported", "recomputed") if row[name])
    return where, Cell(figures), Cell(f"{_told(row['why'])}{_sharing(row)}")


WORDED = ("reported", "recomputed", "why")


def _cited(text: str, names: Mapping[str, str]) -> str:
    """Return a sentence with the names of the documents that it names in brackets by their ids."""
    return re.sub(r"\((\w+)\)", lambda found: f"({names.get(found.group(1), found.group(1))})", text)


def _places(data: Dataset) -> dict[str, str]:
    found: dict[str, str] = {}
    place = cache(partial(_place, data))  # many rows stand in one place
    for frame in data.tables.values():
        if {"row_id", "locator"} <= set(frame.columns):
            sources = frame["source_id"].tolist() if "source_id" in frame else [""] * len(frame)
            rows = zip(frame["row_id"].tolist(), sources, frame["locator"].tolist(), strict=True)
            found |= {str(row): place(str(source), str(locator)) for row, source, locator in rows}
    return found


def _place(data: Dataset, source: str, locator: str) -> str:
    return locator if FILE_KEY.search(locator) is None else place_words(data, source, locator)


def audit_checks_table(data: Dataset, parameters: Parameters) -> Table:
    """List every check with how often it was made and what came of it."""
    findings = findings_of(data, parameters)
    times = findings.groupby(["check", "verdict"]).size().unstack(fill_value=0)
    times = times.reindex(columns=list(VERDICTS), fill_value=0)
    made_by = {str(name): list(made) for name, *made in times.itertuples()}
    rows = [(check, made_by[check.name]) for check in CHECKS if check.name in made_by]
    body: Body = [
        (Cell(_question(check.run.__doc__)), *map(_number, (sum(made), *made))) for check, made in rows
    ]
    columns = (Column("What was done", width=3.4), *(Column(name, "right", 0.8) for name in _HEADINGS))
    caption = f"What was checked: {len(rows)} kinds of check, {len(findings):,} times."
    if not body:
        return nothing(caption)
    groups = grouped([_family(check.family) for check, _ in rows])
    tidy = times.assign(times=times.sum(axis=1)).reset_index()
    return Table(columns, tuple(body), caption, "Empty: none.", tidy, groups)


_HEADINGS = ("Times", "Sound", "Only by rounding", "Does not fit", "Not decidable")


def _question(doc: str | None) -> str:
    return pretty((doc or "").partition("\n")[0].rstrip("."))


def _family(name: str) -> str:
    return name[:1].upper() + name[1:]


def _number(n: int) -> Cell:
    return Cell(f"{n:,}" if n else "")


def audit_undecided_table(data: Dataset, parameters: Parameters) -> Table:
    """Group what could not be checked by the reason, with how often it stood in the way."""
    findings = findings_of(data, parameters)
    found = findings[findings["verdict"] == "not_checkable"]
    caption = f"What could not be decided from what is printed: {len(found)} times, by reason."
    if found.empty:
        return nothing(caption)
    reasons = pd.DataFrame([one for check in CHECKS for one in _reasons(found, check.name)])
    body = [
        (Cell(_told(row["reason"])), Cell(str(row["times"])), Cell(str(row["studies"])))
        for row in records(reasons)
    ]
    groups = grouped([_family(row["family"]) for row in records(reasons)])
    columns = (Column("Reason", width=5), Column("Times", "right", 0.6), Column("Studies", "right", 0.7))
    return Table(columns, tuple(body), caption, "", reasons, groups)


def _reasons(found: pd.DataFrame, check: str) -> list[dict[str, Any]]:
    """Return the reasons of one check; reasons that differ in their numbers only are one, told by example."""
    rows = found[found["check"] == check]
    alike = [same for _, same in rows.groupby(rows["why"].map(_without_numbers), sort=False)]
    alike = [rows] if len(alike) > MOST_REASONS else alike
    return [
        {
            "family": same["family"].iloc[0],
            "reason": _reason(same["why"].tolist()),
            "times": len(same),
            "studies": same["study_id"].map(first).nunique(),
        }
        for same in sorted(alike, key=len, reverse=True)
    ]


def _without_numbers(why: str) -> str:
    return re.sub(r"\(.*?\)", "", re.sub(r"[-+−<]?\d[\d.,]*", "", str(why)))


def _reason(whys: list[str]) -> str:
    return whys[0] if len(set(whys)) == 1 else f"For example: {whys[0]}"


def audit_power_table(path: str, parameters: Parameters) -> Table:
    """Show the measured power and quietness of the audit.

    Args:
        path: CSV that the benchmark wrote, below the project's root: columns error, family, studies,
            detectable, detected, own, checks, alarms; the row without a family is the quietness.
        parameters: level and method of the intervals.
    """
    file = resolve(path)
    caption = "Errors put one at a time into sound simulated studies, and how many the audit finds."
    if not file.is_file():
        return nothing(caption)
    frame = _with_limits(pd.read_csv(file, keep_default_na=False), parameters)
    errors, quiet = frame[frame["family"] != ""], frame[frame["family"] == ""]
    errors = errors.sort_values("family", key=lambda names: names.map(families().index), kind="stable")
    body = [_powered(row) for row in records(errors)]
    columns = (
        Column("Error", width=2.6),
        Column("Detectable", "right", 0.9),
        Column("Found of these", "right", 1.7),
        Column("By its own family", "right", 1.1),
    )
    note = " ".join(_quiet(row) for row in records(quiet))
    groups = grouped([_family(row["family"]) for row in records(errors)])
    return Table(columns, tuple(body), caption, f"{_power_note(parameters)} {note}", frame, groups)


def _with_limits(frame: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Return the measured shares with the limits of their intervals."""
    found = [_share(row, parameters) for row in records(frame)]
    return frame.assign(low=[one.low for one in found], high=[one.high for one in found])


def _share(row: Mapping[str, Any], parameters: Parameters) -> Proportion:
    if row["family"]:
        n = round(int(row["studies"]) * float(row["detectable"]))
        events = round(n * float(row["detected"]))
    else:
        n, events = int(float(row["checks"])), int(float(row["alarms"]))
    return proportion(events, n, level=parameters.confidence_level, method=parameters.proportion_method)


def _power_note(parameters: Parameters) -> str:
    return (
        "Detectable: studies in which the error changes something that is printed twice or follows from "
        f"other printed figures. In brackets {fmt.level(parameters.confidence_level)} intervals."
    )


def _powered(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    low, high = (fmt.percent(float(row[name]), 0) for name in ("low", "high"))
    found = f"{fmt.percent(float(row['detected']), 0)} ({low} to {high})"
    shares = (fmt.percent(float(row["detectable"]), 0), found, fmt.percent(float(row["own"]), 0))
    return (Cell(str(row["error"])), *(Cell(share) for share in shares))


def _quiet(row: Mapping[str, Any]) -> str:
    rate = f"{1000 * float(row['detected']):.2f}"
    limits = f"{1000 * float(row['low']):.2f} to {1000 * float(row['high']):.2f}"
    return (
        f"On {int(row['studies']):,} sound studies: {int(float(row['alarms']))} false alarms in "
        f"{int(float(row['checks'])):,} checks, {rate} per 1,000 ({limits})."
    )


def family_counts(findings: pd.DataFrame) -> pd.DataFrame:
    """Return, by study and family, how often figures were checked and did not fit."""
    one = findings["study_id"].map(lambda ids: ids if ids and "|" not in ids else "")
    odd = findings["verdict"].isin(ODD).astype(int)
    made = pd.DataFrame({"study_id": one, "family": findings["family"], "odd": odd, "checked": 1})
    return made.groupby(["study_id", "family"], as_index=False)[["odd", "checked"]].sum()


def families() -> Sequence[str]:
    """Return the families of checks in their order."""
    return tuple(dict.fromkeys(check.family for check in CHECKS))
