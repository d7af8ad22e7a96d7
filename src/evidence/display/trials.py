"""Randomised trials that ended without a figure in what was read: what is said of them, and what is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evidence import format as fmt
from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.display.documents import document_name, quantity
from evidence.display.labels import ci, joined, lower_first, mark_legend, marked, outcome_labels, pretty
from evidence.display.markdown import escape, told_small
from evidence.display.model import Prose
from evidence.display.traced import counted, numbers_traced, traced
from evidence.parameters import Parameters, rounding
from evidence.results import rates, records, separate_arms, words_of

UNDER_WAY = ("recruiting", "ongoing", "planned")
TOLD = ("superior", "non_inferior", "comparable", "no_difference", "other")  # kinds of claims on a result
ENDPOINT = re.compile(r"[Pp]rimary endpoint was (not )?met")
UNSEEN = "were not available to us"
READ = ("studies", "arms", "counts", "measurements", "tests", "claims", "protocols")
Row = Mapping[str, Any]


@by_value
def with_result(data: Dataset) -> set[str]:
    """Return the studies of which a figure on benefit or harm after the start of treatment was read."""
    outcomes = data.outcomes.loc[data.outcomes["domain"].isin(("efficacy", "safety")), "outcome_id"]
    return {
        str(study)
        for frame in (data.counts, data.measurements, data.tests)
        for study in frame.loc[frame["outcome_id"].isin(outcomes) & frame["time"].ne(0), "study_id"]
    }


def without_figures(data: Dataset, indication: str = "") -> Sequence[Row]:
    """Return the randomised studies without a figure, less those under way; of one disease or of all."""
    known, trials = with_result(data), data.studies[data.studies["randomised"] == "yes"]
    chosen = trials[~trials["study_id"].isin(known) & ~trials["status"].isin(UNDER_WAY)]
    return records(chosen[chosen["indication"] == indication] if indication else chosen)


def said_of(data: Dataset, study_id: str) -> Sequence[Row]:
    """Return the claims that tell of a study's result: those that name its groups."""
    claims = data.select("claims", study_id=study_id)
    return records(claims[claims["kind"].isin(TOLD) & claims["arms"].ne("")])


def without_figures_words(data: Dataset, study: Row) -> str:
    """Return what was read of a trial without figures, as a sentence in Markdown with its data rows."""
    said = ", no rate read, told in words" if said_of(data, str(study["study_id"])) else ""
    return f"{_named(data, study)}{said}: {_details(data, study)}."


def _details(data: Dataset, study: Row, *, told: str = "", named: bool = True) -> str:
    """Return what documents say of a trial's result, else the sizes of its groups; and what was not read.

    What the row ``told`` says is left out, and the groups are ``named`` or only their sizes stand.
    """
    rows = said_of(data, str(study["study_id"]))
    said = [_said(data, row) for row in rows if row["row_id"] != told]
    unread = [_unread(data, row) for row in reports_unread(data, study)]
    return "; ".join([*(said if rows else [_sizes(data, study, named=named)]), *unread])


def trial_details(data: Dataset, study: Row) -> str:
    """Return what was read of a trial without figures beyond what ``trial_words`` tells, as a sentence."""
    row, _ = _endpoint(data, study)
    told = _details(data, study, told=str(row.get("row_id", "")), named=False)
    more = len(said_of(data, str(study["study_id"]))) > bool(row)
    whose = f"{escape(str(study['label']))}{', in words' if more else ''}"
    return f"{whose}: {told}." if told else ""


def _endpoint(data: Dataset, study: Row) -> tuple[Row, str]:
    """Return the first claim on whether a trial met its primary endpoint, and "not " where it did not."""
    for row in said_of(data, str(study["study_id"])):
        if met := ENDPOINT.search(str(row["paraphrase"])):
            return row, met[1] or ""
    return {}, ""


def trial_words(data: Dataset, study: Row) -> str:
    """Return whether a trial without figures is said to have met its endpoint, and by whom, as a sentence."""
    label, registry = escape(str(study["label"])), str(study["registry_id"] or "")
    number = f", {traced(registry, [str(study['row_id'])], data)}" if registry else ""
    trial = f"randomised trial ({label}{number})"
    row, negated = _endpoint(data, study)
    if not row:
        return f"Of a {trial} the rates {UNSEEN}."
    verb = traced(f"has {negated}met its primary endpoint", [str(row["row_id"])], data)
    return f"A {trial} {verb}, says {_teller(data, row)}; its rates {UNSEEN}."


def _teller(data: Dataset, row: Row) -> str:
    """Return who says it: the company, a seller, or the kind of document."""
    source = next(iter(records(data.sources[data.sources["source_id"] == row["source_id"]])), {})
    kind = words_of(str(source.get("kind", ""))).lower()
    if "company" in kind:
        return "the company"
    return "a seller" if source.get("tier") == "vendor" else f"its {kind}" if kind else "a document"


def reports_unread(data: Dataset, study: Row) -> Sequence[Row]:
    """Return the reports of a study that are cited with its registry number and that no row was read from."""
    number = str(study["registry_id"] or "")
    cited = data.sources["note"].str.contains(number, regex=False) & data.sources["tier"].eq("primary")
    found = data.sources[cited & ~data.sources["source_id"].isin(_sources_read(data))]
    return records(found) if number else []


@by_value
def _sources_read(data: Dataset) -> set[str]:
    """Return the documents that a row was read from."""
    return {str(one) for name in READ for one in getattr(data, name)["source_id"]}


def _unread(data: Dataset, source: Row) -> str:
    year = "" if fmt.missing(source["year"]) else f" of {counted(str(int(source['year'])), 'sources')}"
    return f"its {escape(words_of(source['kind']).lower())}{year} was not read"


def without_figures_prose(data: Dataset, *, indication: str) -> Prose:
    """Return a sentence per randomised trial of a disease that ended without a figure in what was read."""
    told = [without_figures_words(data, study) for study in without_figures(data, indication)]
    return Prose(" ".join(told))


def stopping_prose(
    data: Dataset, parameters: Parameters, *, outcome_id: str, then: str = "", heading: str = ""
) -> Prose:
    """Return how many patients lost their response when treatment was stopped, and how soon, as a sentence.

    Args:
        data: the dataset.
        parameters: the level and method of the interval.
        outcome_id: the loss that was counted.
        then: the outcome that measured when it came.
        heading: what the sentence begins with, in bold.
    """
    found = records(rates(data, parameters, outcome_ids=[outcome_id], subgroup=""))
    rows = [row for row in found if not fmt.missing(row["events"]) and not fmt.missing(row["n"])]
    told = [
        f"{_lost(row, parameters, data)}{_how_soon(row, then, data)} ({escape(str(row['study_label']))}; "
        "one group, nothing to compare it with)."
        for row in rows
    ]
    legend = mark_legend([str(row["basis"]) for row in rows], [str(row["origin"]) for row in rows])
    told += [told_small(legend).strip()] if legend else []
    start = f"**{escape(heading)}** " if heading and told else ""
    return Prose(f"{start}{' '.join(told)}")


def _lost(row: Row, parameters: Parameters, data: Dataset) -> str:
    what = pretty(str(row["outcome_label"]))
    limits = " to ".join(fmt.number(100 * row[end], rounding()) for end in ("low", "high"))
    known = str(row["basis"]), str(row["origin"])
    count, share = marked(fmt.x_of_n(row["events"], row["n"]), *known), fmt.percent(row["estimate"])
    said = f"{count} patients ({share}; {ci(parameters)} {limits})"
    return f"{escape(what)}: {numbers_traced(said, [str(row['row_id'])], data)}"


def _how_soon(row: Row, outcome_id: str, data: Dataset) -> str:
    """Return when the loss came in the same study and group, with its own interval."""
    same = {name: str(row[name]) for name in ("study_id", "arm_id")}
    found = data.select("measurements", outcome_id=outcome_id, **same)
    return "".join(f", {_time(one, data)}" for one in records(found))


def _time(row: Row, data: Dataset) -> str:
    value, low, high = (f"{float(row[name]):g}" for name in ("value", "low", "high"))
    what = lower_first(outcome_labels(data).get(str(row["outcome_id"]), ""))
    said = f"{what}: {row['statistic']} {quantity(value, row['unit'])} ({low} to {high})"
    return numbers_traced(said, [str(row["row_id"])], data)


def _named(data: Dataset, study: Row) -> str:
    registry, rows = str(study["registry_id"] or ""), [str(study["row_id"])]
    told = ", ".join([*([traced(registry, rows, data)] if registry else []), "randomised"])
    return f"**{escape(str(study['label']))}** ({told})"


def _said(data: Dataset, row: Row) -> str:
    """Return a claim up to its first semicolon, after which stands what is missing, with its document."""
    text = lower_first(pretty(str(row["paraphrase"])).partition("; ")[0].rstrip("."))
    name = lower_first(document_name(data, str(row["source_id"]))).partition(", ")[0]
    return f"{numbers_traced(text, [str(row['row_id'])], data)} ({escape(name)})"


def _sizes(data: Dataset, study: Row, *, named: bool) -> str:
    """Return that only the sizes of a trial's groups were read, in which kind of document, and the sizes.

    Each stands with its group where these are ``named``.
    """
    arms = records(separate_arms(data, str(study["study_id"])))
    known = [row for row in arms if not fmt.missing(row["n"])]
    kinds = dict.fromkeys(str(row["source_id"]) for row in known)
    sources = [
        words_of(str(one["kind"])).lower() for one in records(data.sources) if one["source_id"] in kinds
    ]
    if not known:
        return "only its registration was read"
    told = f"of its {escape(joined(sources))} only the sizes of its groups were read"
    sizes = [traced(str(int(row["n"])), [str(row["row_id"])], data) for row in known]
    if not named:
        return f"{told}: {joined(sizes)}"
    labels = [escape(lower_first(str(row["label"]))) for row in known]
    groups = "; ".join(f"{label} {size}" for label, size in zip(labels, sizes, strict=True))
    return f"{told} ({groups})"
