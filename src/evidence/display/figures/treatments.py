"""The colour and marker of each treatment: the same in every figure of a report, whatever else is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evidence.data import Dataset
from evidence.data.frame import make_frame
from evidence.data.read import read_sheet
from evidence.data.schema import PACKAGE, read_schema
from evidence.display import theme
from evidence.reads import note_columns, unnoted
from evidence.results import Row, Tables, records

COLUMNS = ("study_id", "arm_id", "label", "node", "role")  # of arms
BACKGROUND = ("placebo", "control")  # roles of what a drug is added to or held against
OTHERS = 5  # place of the style that rarer treatments share


@dataclass(frozen=True, slots=True)
class Treatments:
    """The places of the treatments' styles, and the treatment of each arm and label.

    The treatments of most studies have a colour each; what is added to all arms alike does not count. Rarer
    ones share one; arms without a drug of their own stand back.
    """

    places: dict[str, int]
    background: frozenset[str]
    arms: dict[tuple[str, str], str]
    labels: dict[str, str]

    def node(self, node: str) -> theme.Style:
        """Return the style of a treatment by its node; a dose behind its name does not matter."""
        core = _core(_without_dose(node, self), self.background)
        if not core:
            return theme.background()
        return theme.style(self.places.get(core, OTHERS))

    def arm(self, study_id: str, arm_id: str) -> theme.Style:
        """Return the style of an arm of a study."""
        return self.node(self.arms.get((study_id, arm_id), "?"))

    def label(self, label: str) -> theme.Style:
        """Return the style of a treatment by the label of one of its arms."""
        return self.node(self.labels.get(label, label.lower()))


def treatments(data: Tables) -> Treatments:
    """Return the styles of the treatments, those of most studies first.

    All studies of the folder count, also those that a chapter or a parameter leaves out: a treatment looks
    the same in every chapter and under every scenario.
    """
    arms = [row for row in _arms(data) if row["node"]]
    background = _background(arms)
    studies: dict[str, set[str]] = {}
    for row in arms:
        if core := _core(str(row["node"]), background):
            studies.setdefault(core, set()).add(str(row["study_id"]))
    ranked = sorted(studies, key=lambda core: -len(studies[core]))[:OTHERS]
    return Treatments(
        {core: place for place, core in enumerate(ranked)},
        background,
        {(str(row["study_id"]), str(row["arm_id"])): str(row["node"]) for row in arms},
        {str(row["label"]): str(row["node"]) for row in arms},
    )


def _arms(data: Tables) -> list[Row]:
    """Return the columns used of all arms; of a folder these alone are noted as read."""
    if not isinstance(data, Dataset) or not (data.path / PACKAGE).is_file():
        return records(data.arms)
    note_columns(data.path, "arms", COLUMNS)
    with unnoted():
        arms = next(one for one in read_schema(data.path).resources if one.name == "arms")
        return records(make_frame(read_sheet(data.path, arms))[list(COLUMNS)])


def _background(arms: Sequence[Row]) -> frozenset[str]:
    """Return the nodes that only ever serve as placebo or control."""
    roles: dict[str, set[str]] = {}
    for row in arms:
        roles.setdefault(str(row["node"]), set()).add(str(row["role"]))
    return frozenset(node for node, found in roles.items() if found <= set(BACKGROUND))


def _core(node: str, background: frozenset[str]) -> str:
    return "+".join(part for part in node.split("+") if part not in background)


def _without_dose(node: str, known: Treatments) -> str:
    """Return the node of a treatment that may have its dose behind it: ``drug 5 mg`` as ``drug``."""
    return node if _core(node, known.background) in known.places else node.partition(" ")[0]


def plain(place: int) -> theme.Style:
    """Return a style that stands for no treatment: the colour of the text, with a marker of its own."""
    return replace(theme.style(place), color=theme.INK)
