"""What kinds of event an outcome is made of, and whether most of them come without the treatment too.

An event that most patients had who got no active treatment is no harm of the treatment: where fewer have it
with the treatment, the disease was held back. A smaller number of such events must not read as less harm.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.data import Dataset
from evidence.data.content import content_of
from evidence.format import in_sentence
from evidence.memo import recalled
from evidence.parameters import Parameters
from evidence.questions.answers import Answer, answer_to, asked_of
from evidence.questions.selection import question_row
from evidence.questions.studies import Arm
from evidence.results import records

INACTIVE = ("placebo", "control")  # roles of arms that no harm of a treatment can come from
HELD = "the disease held back rather than less harm from the drug"


@dataclass(frozen=True, slots=True)
class Parts:
    """The kinds of event behind an answer.

    ``most`` is the kind that more than half of the events on either side are, ``others`` the rest of the
    kinds that were counted; ``held`` says whether the answer's events are fewer because this kind is.
    """

    most: Answer
    others: tuple[Answer, ...]
    held: bool

    @property
    def all(self) -> tuple[Answer, ...]:
        """Return every kind, that of most events first."""
        return (self.most, *self.others)

    @property
    def caveat(self) -> str:
        """Return what has to be said wherever the answer is shown: ``mostly falls, ...``."""
        what = in_sentence(self.most.outcome)
        return f"mostly {what}: {HELD}" if self.held else f"mostly {what}, as without the treatment"


def parts_of(one: Answer, data: Dataset, parameters: Parameters) -> Parts | None:
    """Return what an answer's events were, where most are of one kind that comes without the treatment too.

    The kinds are the outcomes that name this one as ``parent_id`` and were counted in the same studies. One
    kind has to be more than half of the events on both sides, and the other side has to be without an active
    treatment; else nothing is returned, as for outcomes of which more is better.

    Args:
        one: of ``answer``, under the same data and parameters.
        data: the dataset.
        parameters: those of the answer.
    """
    if one.better != "lower" or one.difference is None or not _inactive(one, data):
        return None
    kinds = [part for part in _kinds(one.question_id, data, parameters) if part.studies == one.studies]
    most = max(kinds, key=lambda part: share_of(part, one, "comparator"), default=None)
    if most is None or min(share_of(most, one, side) for side in ("treatment", "comparator")) <= 0.5:
        return None
    return Parts(most, tuple(part for part in kinds if part is not most), _held(one, most))


def events_of(one: Answer, side: str) -> int:
    """Return the events on one side of an answer, ``treatment`` or ``comparator``."""
    arms: list[Arm | None] = [getattr(study, side) for study in one.finding.studies]
    return sum(arm.events for arm in arms if arm)


def share_of(part: Answer, whole: Answer, side: str) -> float:
    """Return the share of the events on one side that are of a kind."""
    return events_of(part, side) / max(events_of(whole, side), 1)


def _held(one: Answer, most: Answer) -> bool:
    """Return whether events are fewer, and most of what they are fewer by is of the kind."""
    if one.verdict.direction != "fewer" or one.difference is None or most.difference is None:
        return False
    return most.difference.estimate < one.difference.estimate / 2


def _inactive(one: Answer, data: Dataset) -> bool:
    """Return whether everyone on the other side got no active treatment."""
    roles = {(row["study_id"], row["arm_id"]): row["role"] for row in records(data.arms)}
    against = [row for row in records(one.included) if row["side"] == "comparator"]
    return all(roles.get((row["study_id"], row["arm_id"])) in INACTIVE for row in against)


def _asked(question_id: str, data: Dataset, parameters: Parameters) -> tuple[object, ...]:
    names = _names(question_id, data)
    return *asked_of(question_id, data, parameters), content_of(data.about(names))


def _names(question_id: str, data: Dataset) -> list[str]:
    whole = question_row(question_id, data)["outcome_id"]
    return [str(one) for one in data.outcomes.loc[data.outcomes["parent_id"] == whole, "outcome_id"]]


@recalled(64, _asked)  # every table and sentence that shows an answer asks what its events were
def _kinds(question_id: str, data: Dataset, parameters: Parameters) -> tuple[Answer, ...]:
    """Return the answers to a question about each kind of its events, those without a comparison left out."""
    question = question_row(question_id, data)
    asked = [
        question | {"question_id": f"{question_id}:{name}", "outcome_id": name}
        for name in _names(question_id, data)
    ]
    made = (answer_to(one, data, parameters) for one in asked)
    return tuple(one for one in made if one.difference is not None)
