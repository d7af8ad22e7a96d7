"""The order in which questions stand wherever many of them do: those of the same patients together."""

from __future__ import annotations

from typing import Any

from evidence.data import Dataset
from evidence.results import records


def ordered_questions(data: Dataset) -> list[dict[str, Any]]:
    """Return all questions, those of one disease together and in it those of the same patients.

    Diseases, patients and questions follow each other by the column ``order``. Whom a question is about is
    what its title has before the first colon.
    """
    asked: list[dict[str, Any]] = records(data.questions.sort_values("order", kind="stable"))
    diseases = list(dict.fromkeys(str(one["indication"]) for one in asked))
    whom = list(dict.fromkeys(_whom(one) for one in asked))
    return sorted(asked, key=lambda one: (diseases.index(str(one["indication"])), whom.index(_whom(one))))


def _whom(question: dict[str, Any]) -> str:
    before, colon, _ = str(question["title"]).partition(": ")
    return before if colon else ""
