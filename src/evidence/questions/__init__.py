"""From a question (PICO) to the rows that answer it, the result in absolute terms, and a sentence."""

from evidence.questions.answers import Answer, answer, apart_of, asked_of, grouped, told_of
from evidence.questions.definitions import (
    Definition,
    criterion_words,
    definition_differences,
    definition_of,
    definitions_of,
)
from evidence.questions.extremes import Extremes, extremes
from evidence.questions.findings import (
    OWN,
    ControlRisk,
    Estimate,
    Finding,
    at_control_risk,
    control_risk,
    find,
    finding_verdict,
    measured_difference,
    median_risk,
)
from evidence.questions.order import ordered_questions
from evidence.questions.parts import Parts, events_of, parts_of
from evidence.questions.selection import is_empty, question_row, select
from evidence.questions.studies import (
    ALLOCATIONS,
    Arm,
    Study,
    by_allocation,
    differences_between,
    studies_of,
    when,
    years_of,
)

__all__ = [
    "ALLOCATIONS",
    "OWN",
    "Answer",
    "Arm",
    "ControlRisk",
    "Definition",
    "Estimate",
    "Extremes",
    "Finding",
    "Parts",
    "Study",
    "answer",
    "apart_of",
    "asked_of",
    "at_control_risk",
    "by_allocation",
    "control_risk",
    "criterion_words",
    "definition_differences",
    "definition_of",
    "definitions_of",
    "differences_between",
    "events_of",
    "extremes",
    "find",
    "finding_verdict",
    "grouped",
    "is_empty",
    "measured_difference",
    "median_risk",
    "ordered_questions",
    "parts_of",
    "question_row",
    "select",
    "studies_of",
    "told_of",
    "when",
    "years_of",
]
