"""Risk of bias: what the tools ask, how an overall judgement follows, the light beside a study's result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evidence.data import Dataset
from evidence.data.values import by_value
from evidence.results import records

OVERALL = "overall"
SILENT = "no information"
FRAME = [
    "study_id",
    "outcome_id",
    "tool",
    "domain",
    "judgement",
    "reason",
    "source_id",
    "locator",
    "reviewer",
]
NOT_THERE = "Nothing on it in the documents that take part."
# From best to worst. What is not known may be as bad as anything short of a problem that was seen: ROBINS-I
# puts it there, and the other tools are read alike.
RANKS: Mapping[str, int] = {
    "low": 0,
    "some concerns": 1,
    "moderate": 1,
    "unclear": 2,
    SILENT: 2,
    "high": 3,
    "serious": 3,
    "critical": 4,
}
SIGNS: Mapping[str, str] = {
    "low": "+",
    "some concerns": "−",
    "moderate": "−",
    "unclear": "?",
    SILENT: "?",
    "high": "×",
    "serious": "×",
    "critical": "!",
}


@dataclass(frozen=True, slots=True)
class Domain:
    """One way in which a result can go wrong: its name in the table, a short one, and what is asked."""

    name: str
    short: str
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: which studies it is for, its domains in order, its words from best to worst."""

    name: str
    studies: str
    domains: tuple[Domain, ...]
    scale: tuple[str, ...]


_REPORTED = "Could the result have been picked from several measurements or analyses after they were seen?"
_MEASURED = (
    "Was the outcome sought and measured alike in all groups, and could knowing the treatment sway it?"
)

TOOLS = (
    Tool(
        "RoB 2",
        "controlled trials",
        (
            Domain(
                "randomisation process",
                "Randomisation",
                "Was the sequence random and hidden until patients were in, and were the groups alike then?",
            ),
            Domain(
                "deviations from intended interventions",
                "Deviations",
                "Who knew the treatment, did care change because of the trial, and is everybody counted in "
                "the group that they were put in?",
            ),
            Domain(
                "missing outcome data",
                "Missing data",
                "Is the outcome known for nearly everybody; if not, can what is missing depend on it?",
            ),
            Domain("measurement of the outcome", "Measurement", _MEASURED),
            Domain("selection of the reported result", "Reported result", _REPORTED),
        ),
        ("low", "some concerns", SILENT, "high"),
    ),
    Tool(
        "ROBINS-I",
        "comparisons without randomisation",
        (
            Domain(
                "confounding",
                "Confounding",
                "What else differed between the groups that changes the outcome, and was it allowed for?",
            ),
            Domain(
                "selection of participants",
                "Selection",
                "Did being in the study depend on anything that came after treatment had begun?",
            ),
            Domain(
                "classification of interventions",
                "Classification",
                "Was it settled at the start, without knowing the outcome, who had which treatment?",
            ),
            Domain(
                "deviations from intended interventions",
                "Deviations",
                "Did other treatment, stopping or switching differ more than practice brings about?",
            ),
            Domain(
                "missing data",
                "Missing data",
                "Are nearly all patients counted; if not, do the groups differ in who is missing?",
            ),
            Domain("measurement of the outcome", "Measurement", _MEASURED),
            Domain("selection of the reported result", "Reported result", _REPORTED),
        ),
        ("low", "moderate", SILENT, "serious", "critical"),
    ),
    Tool(
        "Murad 2018",
        "single arms and case series",
        (
            Domain("selection", "Selection", "Were all eligible patients taken, or may others be untold?"),
            Domain("exposure", "Exposure", "Is it certain what the patients were given, and how much?"),
            Domain("outcome", "Outcome", "Is it clear what counts as the outcome, and was it measured well?"),
            Domain(
                "causality",
                "Causality",
                "Can something else explain the result; do dose, stopping or starting again speak for the "
                "treatment?",
            ),
            Domain("follow-up", "Follow-up", "Were patients watched long enough, and are all counted?"),
            Domain("reporting", "Reporting", "Is enough told to check the result and to use it?"),
        ),
        ("low", "some concerns", SILENT, "high"),
    ),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement with its reason and the passage behind it; no row where the documents give none."""

    domain: Domain
    judgement: str
    reason: str
    row_id: str = ""
    source_id: str = ""
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The judgements on one result of one study, one per domain in the tool's order."""

    study_id: str
    outcome_id: str
    tool: Tool
    reviewer: str
    judgements: tuple[Judgement, ...]

    @property
    def overall(self) -> str:
        """Return the worst judgement of the domains."""
        return overall(one.judgement for one in self.judgements)

    @property
    def decisive(self) -> tuple[Judgement, ...]:
        """Return the judgements that the overall one rests on."""
        return tuple(one for one in self.judgements if RANKS[one.judgement] == RANKS[self.overall])


@dataclass(frozen=True, slots=True)
class Light:
    """What stands beside a result in a plot: sign, judgement in words, the domains that decide it."""

    sign: str
    judgement: str
    tool: str
    because: tuple[str, ...]


def overall(judgements: Iterable[str]) -> str:
    """Return the overall judgement that follows from those of the domains: the worst of them.

    ``no information`` is worse than ``some concerns`` or ``moderate`` and better than ``high`` or
    ``serious``, as ROBINS-I has it (Sterne 2016). RoB 2 lets a reviewer raise several concerns to ``high``
    (Sterne 2019); that is not done here.

    >>> overall(["low", "some concerns", "low"]), overall(["moderate", "no information"])
    ('some concerns', 'no information')
    >>> overall(["no information", "serious"])
    'serious'
    """
    return max(judgements, key=lambda one: RANKS[one], default=SILENT)


def assessments(data: Dataset, *, tool: str | None = None) -> tuple[Assessment, ...]:
    """Return what was judged: studies in the order of their table, outcomes in the order judged.

    A result is judged where it has an overall row; a domain whose row is left out with its document is then
    ``no information``, and the overall judgement follows from what is left.
    """
    frame = data.risk_of_bias
    frame = frame if tool is None else frame[frame["tool"] == tool]
    order = {study: place for place, study in enumerate(data.studies["study_id"])}
    known = frame[frame["study_id"].isin(order)]
    return tuple(sorted(_assessed(known), key=lambda one: order[one.study_id]))


def _assessed(frame: pd.DataFrame) -> list[Assessment]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in records(frame):
        found.setdefault((row["study_id"], row["outcome_id"], row["tool"]), []).append(row)
    return [_assessment(rows) for rows in found.values() if any(row["domain"] == OVERALL for row in rows)]


def _assessment(rows: Sequence[dict[str, Any]]) -> Assessment:
    tool = find_tool(str(rows[0]["tool"]), [str(row["domain"]) for row in rows])
    own = {str(row["domain"]): row for row in rows}
    judged = tuple(_judgement(domain, own.get(domain.name)) for domain in tool.domains)
    return Assessment(rows[0]["study_id"], rows[0]["outcome_id"], tool, str(rows[0]["reviewer"]), judged)


def _judgement(domain: Domain, row: Mapping[str, Any] | None) -> Judgement:
    if row is None:
        return Judgement(domain, SILENT, NOT_THERE)
    return Judgement(
        domain, *(str(row[name]) for name in ("judgement", "reason", "row_id", "source_id", "locator"))
    )


def find_tool(name: str, domains: Iterable[str] = ()) -> Tool:
    """Return a tool by name; one that is not known has the domains that were judged with it."""
    known = next((tool for tool in TOOLS if tool.name == name), None)
    if known is not None:
        return known
    named = dict.fromkeys(one for one in domains if one != OVERALL)
    return Tool(name, "", tuple(Domain(one, one[:1].upper() + one[1:]) for one in named), tuple(RANKS))


@by_value
def bias_lights(data: Dataset, study_id: str, outcome_id: str) -> Light | None:
    """Return the light of one result for use beside its row in a forest plot, None where it was not judged.

    Args:
        data: the dataset.
        study_id: the study.
        outcome_id: the outcome; a judgement on the whole study (no outcome) stands in where there is none.

    Returns:
        ``sign`` is ``+`` low, ``−`` some concerns or moderate, ``?`` no information, ``×`` high or serious,
        ``!`` critical; ``judgement`` says it in words; ``because`` names the domains that decide it, nothing
        where all are low.
    """
    made = {one.outcome_id: one for one in _assessed(data.select("risk_of_bias", study_id=study_id))}
    found = made.get(outcome_id, made.get(""))
    if found is None:
        return None
    decisive = () if found.overall == "low" else tuple(one.domain.name for one in found.decisive)
    return Light(SIGNS[found.overall], found.overall, found.tool.name, decisive)


def bias_frame(made: Sequence[Assessment]) -> pd.DataFrame:
    """Return the judgements as a tidy table, a row per domain and one for each overall judgement."""
    return pd.DataFrame([row for one in made for row in _tidy(one)], columns=FRAME)


def _tidy(one: Assessment) -> list[tuple[str, ...]]:
    names = (one.study_id, one.outcome_id, one.tool.name)
    rows = [
        (*names, own.domain.name, own.judgement, own.reason, own.source_id, own.locator, one.reviewer)
        for own in one.judgements
    ]
    return [*rows, (*names, OVERALL, one.overall, "", "", "", one.reviewer)]


def shares(made: Sequence[Assessment]) -> pd.DataFrame:
    """Return how many results have which judgement in each domain, and their share of those of the tool.

    Columns: ``tool``, ``domain``, ``judgement``, ``results``, ``share``; judgements from best to worst.
    """
    frame = bias_frame(made)
    keys = ["tool", "domain"]
    counted = frame.groupby([*keys, "judgement"], sort=False).size().rename("results").reset_index()
    total = counted.groupby(keys)["results"].transform("sum")
    counted = counted.assign(share=counted["results"] / total)
    places = {key: place for place, key in enumerate(zip(frame["tool"], frame["domain"], strict=True))}
    keyed = {
        place: (places[row["tool"], row["domain"]], RANKS[row["judgement"]])
        for place, row in enumerate(records(counted))
    }
    return counted.iloc[sorted(keyed, key=lambda place: keyed[place])].reset_index(drop=True)
