"""The flow of documents and studies into the answers, after PRISMA 2020, as a diagram of what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evidence.data import Dataset
from evidence.display.across import SYNTHESES
from evidence.display.documents import document_origin
from evidence.display.figures.diagrams import diagram_figure
from evidence.display.labels import joined
from evidence.display.model import Figure
from evidence.display.trials import with_result
from evidence.parameters import Parameters
from evidence.questions import Answer, answer

TIERS = ("primary", "secondary", "registry", "vendor")
FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Flow:
    """How many documents and studies came to each step, and how many questions the last ones answer."""

    supplied: dict[str, int]
    added: dict[str, int]
    studies: int
    syntheses: int
    silent: int
    results: int
    unasked: int
    answering: int
    questions: int


@dataclass(frozen=True, slots=True)
class _Boxes:
    pathway_nodes: pd.DataFrame
    pathway_edges: pd.DataFrame


def flow_figure(data: Dataset, parameters: Parameters) -> Figure:
    """Draw the flow of documents and studies, every number counted in the data."""
    flow = flow_of(data, parameters)
    boxes = _Boxes(_nodes(flow), _edges())
    caption = (
        f"From documents to answers: {sum(flow.supplied.values())} documents supplied and "
        f"{sum(flow.added.values())} added describe {flow.studies} studies, of which {flow.answering} answer "
        f"the {flow.questions} questions."
    )
    return diagram_figure(boxes, parameters, diagram=FLOW, caption=caption)


def flow_of(data: Dataset, parameters: Parameters) -> Flow:
    """Count documents and studies on their way; a study is in one place only."""
    ids = [str(one) for one in data.studies["study_id"]]
    designs = dict(zip(ids, data.studies["design"], strict=True))
    syntheses = {one for one in ids if designs[one] in SYNTHESES}
    results = (with_result(data) & set(ids)) - syntheses
    questions = [str(one) for one in data.questions["question_id"]]
    answers = [answer(one, data, parameters) for one in questions]
    answering = {study for one in answers for study in _of_all_designs(one)}
    return Flow(
        supplied=_by_tier(data, "seed"),
        added=_by_tier(data, "external"),
        studies=len(ids),
        syntheses=len(syntheses),
        silent=len(set(ids) - syntheses - results),
        results=len(results),
        unasked=len(results - answering),
        answering=len(answering),
        questions=len(questions),
    )


def _of_all_designs(one: Answer) -> list[str]:
    findings = [one.finding, *one.apart]
    return [study.study_id for finding in findings for study in finding.studies]


def _by_tier(data: Dataset, origin: str) -> dict[str, int]:
    documents = zip(data.sources["source_id"], data.sources["tier"], strict=True)
    own = [str(tier) for source, tier in documents if document_origin(data, str(source)) == origin]
    return {tier: own.count(tier) for tier in TIERS if tier in own}


def _told(counts: dict[str, int]) -> str:
    return f"{sum(counts.values())} ({joined([f'{count} {tier}' for tier, count in counts.items()])})"


def _nodes(flow: Flow) -> pd.DataFrame:
    rows = [
        ("search", "Databases and registers searched: none"),
        ("supplied", f"Documents supplied and read in full: {_told(flow.supplied)}"),
        ("added", f"Publications and records behind them, figures added: {_told(flow.added)}"),
        ("studies", f"Studies that they describe: {flow.studies}"),
        ("syntheses", f"Left out of calculations: {flow.syntheses} syntheses of other studies"),
        ("silent", f"Left out: {flow.silent} of whose benefit or harm no figure was read"),
        ("results", f"Studies with a result: {flow.results}"),
        ("unasked", f"Shown, but their results answer no question: {flow.unasked}"),
        ("answering", f"Studies that answer a question: {flow.answering}, for {flow.questions} questions"),
    ]
    return _frame(rows, ["node_id", "label"]).assign(kind="")


def _edges() -> pd.DataFrame:
    pairs = [
        ("supplied", "studies"),
        ("added", "studies"),
        ("studies", "syntheses"),
        ("studies", "results"),
        ("studies", "silent"),
        ("results", "answering"),
        ("results", "unasked"),
    ]
    return _frame([(*pair, "") for pair in pairs], ["from_id", "to_id", "label"])


def _frame(rows: Sequence[tuple[str, ...]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns).assign(diagram=FLOW)
