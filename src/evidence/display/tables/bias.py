"""Risk of bias in words: judgements with reason and passage, what the tools ask, what was not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.display.across import SYNTHESES
from evidence.display.documents import document_name, document_origin, place_within
from evidence.display.labels import joined, lower_first, outcome_labels, pretty, sourced, study_label
from evidence.display.model import Cell, Column, Prose, Table
from evidence.display.tables.parts import build, grouped
from evidence.results import Tables, records, words_of
from evidence.synthesis.bias import (
    RANKS,
    SIGNS,
    SILENT,
    TOOLS,
    Assessment,
    Judgement,
    Tool,
    assessments,
    bias_frame,
    find_tool,
)

RESULTS = ("efficacy", "safety")


class Shared(NamedTuple):
    """Judgements of one study that stand in one row, and the outcomes that they are on."""

    outcomes: tuple[str, ...]
    judgements: tuple[Judgement, ...]


def bias_table(data: Dataset, *, tool: str) -> Table:
    """Return why each judgement with a tool was made, with the passage that it rests on in brackets.

    Judgements of one study share a row where they are the same with the same reason, and where nothing is
    known; outcomes are named where a judgement is not on all of them.
    """
    made = assessments(data, tool=tool)
    body: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for study, own in _by_study(made).items():
        groups.append((len(body), _heading(data, study, own)))
        body += [_row(data, one, len(own)) for one in _shared(own)]
    words = tool_words(find_tool(tool))
    return build(
        data,
        (Column("Judgement", width=0.8), Column("Domain: reason [passage]", width=4.2)),
        body,
        caption=f"Risk of bias in {words}: reasons and passages. {overall_words(made)}".strip(),
        note=f"{_signs(made)} {reviewers(made)}".strip(),
        frame=_named(data, bias_frame(made)),
        groups=groups,
    )


def _named(data: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return judgements with the labels of their study and outcome."""
    if frame.empty:
        return frame
    studies, outcomes = (frame[name].astype(str) for name in ("study_id", "outcome_id"))
    return frame.assign(
        study_label=[study_label(data, one) for one in studies],
        outcome_label=[outcome_labels(data).get(one, one) for one in outcomes],
    )


def _by_study(made: Sequence[Assessment]) -> dict[str, list[Assessment]]:
    found: dict[str, list[Assessment]] = {}
    for one in made:
        found.setdefault(one.study_id, []).append(one)
    return found


def _heading(data: Dataset, study: str, own: Sequence[Assessment]) -> str:
    found: dict[str, list[str]] = {}
    for one in own:
        found.setdefault(one.overall, []).append(_outcome(data, one.outcome_id))
    said = "; ".join(f"{SIGNS[word]} {word}, {joined(names)}" for word, names in found.items())
    return f"{study_label(data, study)}. Overall {said}"


def _outcome(data: Tables, outcome_id: str) -> str:
    return lower_first(outcome_labels(data).get(outcome_id, outcome_id)) or "all results"


def _shared(own: Sequence[Assessment]) -> list[Shared]:
    """Return the judgements of a study in the tool's order, those with the same reason taken together."""
    found: dict[tuple[str, str], list[tuple[str, Judgement]]] = {}
    for place in range(len(own[0].tool.domains)):
        for one in own:
            judged = one.judgements[place]
            key = (judged.judgement, f"{judged.domain.name}: {judged.reason}")
            found.setdefault(key, []).append((one.outcome_id, judged))
    return [*_known(found.values()), *_silent(found.values())]


def _known(found: Iterable[list[tuple[str, Judgement]]]) -> list[Shared]:
    return [_as_shared(pairs) for pairs in found if pairs[0][1].judgement != SILENT]


def _silent(found: Iterable[list[tuple[str, Judgement]]]) -> list[Shared]:
    """Return what nothing is known of, one for each set of outcomes."""
    by_outcomes: dict[tuple[str, ...], list[tuple[str, Judgement]]] = {}
    for pairs in found:
        if pairs[0][1].judgement == SILENT:
            by_outcomes.setdefault(tuple(outcome for outcome, _ in pairs), []).extend(pairs)
    return [_as_shared(pairs) for pairs in by_outcomes.values()]


def _as_shared(pairs: Sequence[tuple[str, Judgement]]) -> Shared:
    return Shared(tuple(dict.fromkeys(outcome for outcome, _ in pairs)), tuple(judged for _, judged in pairs))


def _row(data: Dataset, one: Shared, results: int) -> tuple[Cell, ...]:
    first = one.judgements[0]
    domains = joined(list(dict.fromkeys(each.domain.name for each in one.judgements)))
    about = joined([_outcome(data, outcome) for outcome in one.outcomes])
    about = "" if len(one.outcomes) == results else f" for {about}"
    reasons = " ".join(dict.fromkeys(pretty(each.reason) for each in one.judgements))
    passages = "; ".join(_passages(data, one.judgements))
    origins = {document_origin(data, each.source_id) for each in one.judgements if each.source_id}
    return (
        Cell(f"{SIGNS[first.judgement]} {first.judgement}"),
        sourced(
            f"{domains[:1].upper()}{domains[1:]}{about}: {reasons}" + (f" [{passages}]" if passages else ""),
            "|".join(each.row_id for each in one.judgements if each.row_id),
            origin="external" if origins == {"external"} else "",
        ),
    )


def _passages(data: Dataset, judgements: Sequence[Judgement]) -> list[str]:
    """Return document and place of the judgements, each document named once."""
    places: dict[str, list[str]] = {}
    for one in judgements:
        if one.source_id:
            within = place_within(one.locator).split("; ")
            places.setdefault(document_name(data, one.source_id), []).extend(within)
    told = {name: "; ".join(filter(None, dict.fromkeys(where))) for name, where in places.items()}
    return [f"{name}: {where}" if where else name for name, where in told.items()]


def tool_words(tool: Tool) -> str:
    """Return what a tool was used for: ``controlled trials (RoB 2)``."""
    return f"{tool.studies} ({tool.name})" if tool.studies else tool.name


def overall_words(made: Sequence[Assessment]) -> str:
    """Return how many results of how many studies were judged, and how they came out overall."""
    if not made:
        return ""
    counts = Counter(one.overall for one in made)
    words = sorted(counts, key=lambda one: RANKS[one])
    each = [f"{word} in {counts[word]}" for word in words]
    said = joined(each) if len(words) > 1 else f"{words[0]} in {'all' if len(made) > 1 else 'it'}"
    return f"{_results(made)}; overall {said}."


def _results(made: Sequence[Assessment]) -> str:
    results, studies = len(made), len({one.study_id for one in made})
    return f"{results} result{'s' * (results != 1)} of {studies} stud{'ies' if studies != 1 else 'y'}"


def reviewers(made: Sequence[Assessment]) -> str:
    """Return who judged, as a sentence."""
    names = joined(list(dict.fromkeys(one.reviewer for one in made if one.reviewer)))
    return f"Judged by {names}." if names else ""


def _signs(made: Sequence[Assessment]) -> str:
    used = {one.judgement for each in made for one in each.judgements}
    words = sorted(used, key=lambda one: RANKS[one])
    return f"{'; '.join(f'{SIGNS[word]} {word}' for word in words)}." if words else ""


def bias_tools_table(data: Dataset) -> Table:
    """Return what each tool asks, domain by domain; a tool that judged nothing is left out."""
    used = {one.tool.name: one.tool for one in assessments(data)}
    known = [tool for tool in TOOLS if tool.name in used]
    tools = [*known, *(tool for name, tool in used.items() if tool not in known)]
    rows = [(tool, domain) for tool in tools for domain in tool.domains]
    tidy = [{"tool": tool.name, "domain": domain.name, "asks": domain.asks} for tool, domain in rows]
    return build(
        data,
        (Column("Domain", width=1.2), Column("What is asked", width=3.0)),
        [(Cell(domain.name[:1].upper() + domain.name[1:]), Cell(domain.asks)) for _, domain in rows],
        caption="The tools: which studies they are for, and what each domain asks.",
        note="In the words of this report.",
        frame=pd.DataFrame(tidy),
        groups=grouped([_scale(tool) for tool, _ in rows]),
    )


def _scale(tool: Tool) -> str:
    name = tool_words(tool)
    return f"{name[:1].upper()}{name[1:]}: {', '.join(tool.scale)}"


def unjudged_table(data: Dataset) -> Table:
    """Return the studies whose risk of bias was not judged, and why not."""
    judged = {one.study_id for one in assessments(data)}
    studies = [row for row in records(data.studies) if row["study_id"] not in judged]
    told = {row["study_id"]: _why(data, row) for row in studies}
    frame = data.studies[data.studies["study_id"].isin(told)][["study_id", "label", "design"]]
    return build(
        data,
        (Column("Study", width=2.0), Column("Design", width=1.4), Column("Why not judged", width=2.4)),
        [
            (
                sourced(str(row["label"]), row["row_id"], origin=str(row["origin"])),
                Cell(words_of(row["design"]) or "Not stated"),
                Cell(told[row["study_id"]]),
            )
            for row in studies
        ],
        caption=f"Studies whose risk of bias was not judged ({len(studies)}), and why.",
        frame=frame.assign(why=[told[one] for one in frame["study_id"]]),
    )


def _why(data: Dataset, study: Mapping[str, Any]) -> str:
    if study["design"] in SYNTHESES:
        return "Puts the results of others together; enters no calculation here"
    return (
        "Results of this study were not judged"
        if study["study_id"] in _reporting(data)
        else "No result was read"
    )


@by_value
def _reporting(data: Dataset) -> set[str]:
    """Return the studies with a count or percentage of benefit or harm after the start of treatment."""
    wanted = set(data.outcomes.loc[data.outcomes["domain"].isin(RESULTS), "outcome_id"])
    counts = data.counts[data.counts["outcome_id"].isin(wanted) & (data.counts["time"] != 0)]
    return set(counts["study_id"])


def bias_prose(data: Dataset) -> Prose:
    """Return how many results were judged by whom, and how they came out overall by tool."""
    made = assessments(data)
    if not made:
        return Prose("No risk of bias was judged.")
    tools = {one.tool.name: one.tool for one in made}
    order = [tool for tool in TOOLS if tool.name in tools]
    order += [tool for tool in tools.values() if tool not in order]
    parts = [
        f"- {words[:1].upper()}{words[1:]}: {overall_words([one for one in made if one.tool == tool])}"
        for tool in order
        if (words := tool_words(tool))
    ]
    return Prose("\n".join([f"{_results(made)}. {reviewers(made)}", "", *parts]))
