"""Networks as tables and figures show them: made from a choice of results, named, with their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evidence.data.schema import nearest
from evidence.data.treatments import treatments_of
from evidence.display.labels import joined, lower_first, outcome_labels, pretty, titled
from evidence.display.model import COMMON
from evidence.errors import ParameterError
from evidence.parameters import IntervalMethod, Parameters
from evidence.results import Row, Tables, records
from evidence.stats import Network
from evidence.synthesis.connect import Connected, CountMeasure, Linking, connect
from evidence.synthesis.indirect import Baseline, RatioMeasure
from evidence.synthesis.transitivity import unlike_words
from evidence.wording import per_1000

NETWORK_RATIO: RatioMeasure = "OR"
"""The ratio that networks are made of, whatever the parameters say: see ``SCALE``."""
SCALE = (
    "Odds ratios carry over between trials here: with few events on the reference, a risk ratio of one trial "
    "can give a risk above 1,000 in 1,000 in another, and an odds ratio cannot."
)
SOME_OUTSIDE = "Part of it is from outside the documents read in full."
UNPRINTED = {"derived": "follow from printed figures", "assumed": "rest on something assumed, not printed"}
WEAKEST = ("assumed", "derived", "printed")


@dataclass(frozen=True, slots=True)
class Linked:
    """A network made ready for display: its arms, reference, outcome's label and which way is good.

    ``unlike`` says in what its trials differ.
    """

    arms: Connected
    reference: str
    outcome: str
    better: str
    level: float
    unlike: str = ""

    def name(self, treatment: str) -> str:
        """Return how a treatment is written."""
        return self.arms.labels.get(treatment, treatment)

    def inside(self, treatment: str) -> str:
        """Return how a treatment is written inside a sentence."""
        return lower_first(self.name(treatment))

    def result(self, measure: CountMeasure, tau: float | None = 0.0, ci: IntervalMethod = "Wald") -> Network:
        """Return the network's effects in a measure under an assumed tau, or an estimated one for None.

        ``ci`` is how intervals are made where tau is estimated.
        """
        return self.arms.network(
            measure, reference=self.reference, tau=tau, level=self.level, better=self.better, ci=ci
        )

    @property
    def others(self) -> list[str]:
        """Return the treatments other than the reference, in the order of the data."""
        found = dict.fromkeys(str(one) for one in self.arms.arms["treatment"])
        return [one for one in found if one != self.reference]

    @property
    def title(self) -> str:
        """Return outcome and times of the results that went in, as a caption begins."""
        whens = [titled(row).removeprefix(f"{pretty(row['outcome_label'])}, ") for row in self.rows]
        times = list(dict.fromkeys(whens))
        return f"{self.outcome} ({joined(times)})" if times else self.outcome

    @property
    def rows(self) -> list[Row]:
        """Return the arms as dictionaries."""
        return records(self.arms.arms)


def link(
    data: Tables, parameters: Parameters, outcome_ids: Sequence[str], reference: str, choice: Linking
) -> Linked:
    """Return the network that a choice makes, set against the parameters' reference where it holds that."""
    found = connect(data, parameters, outcome_ids=outcome_ids, **choice)
    better = dict(zip(data.outcomes["outcome_id"], data.outcomes["better"], strict=True))
    label = outcome_labels(data).get(outcome_ids[0], outcome_ids[0])
    sense = str(better.get(outcome_ids[0], ""))
    chosen = reference_of(data, parameters, found, reference)
    unlike = unlike_words(data, found, reference=chosen)
    return Linked(found, chosen, label, sense, parameters.confidence_level, unlike)


def reference_of(data: Tables, parameters: Parameters, connected: Connected, usual: str) -> str:
    """Return the treatment to set a network against: the parameters' one if it went in, else the usual one.

    Raises:
        ParameterError: the parameters name what is no treatment in the data.
    """
    asked = parameters.reference_treatment
    if not asked or not usual:
        return usual
    known = treatments_of(data.arms) | _asked_about(data)
    if asked not in known:
        raise ParameterError(
            f"reference_treatment {asked!r}: no treatment of the data is named so{nearest(asked, known)}"
        )
    return asked if asked in set(connected.arms["treatment"]) else usual


def _asked_about(data: Tables) -> set[str]:
    """Return the treatments that the questions name; they stay where the data are narrowed."""
    questions = getattr(data, "questions", None)
    if questions is None:
        return set()
    return {str(one) for name in ("treatment", "comparator") for one in questions[name]} - {""}


def ratio_of(parameters: Parameters) -> RatioMeasure:
    """Return the ratio to show: the effect measure, or the risk ratio where that is a difference."""
    return "OR" if parameters.effect_measure == "OR" else "RR"


def weakest(rows: Sequence[Row]) -> str:
    """Return the weakest basis of rows."""
    return min((str(row["basis"]) for row in rows), key=WEAKEST.index)


def with_unlike(linked: Linked, text: str, *, known: bool = False) -> str:
    """Return a note followed by what its trials differ in and, if asked, by how its counts are known."""
    return " ".join(filter(None, (text, linked.unlike, known_words(linked) if known else "")))


def known_words(*shown: Linked) -> str:
    """Return how the counts that networks rest on are known, where none of them is shown."""
    rows = [row for linked in shown for row in linked.rows]
    origins, bases = ({str(row[name]) for row in rows} for name in ("origin", "basis"))
    outside = COMMON["external"] if origins == {"external"} else SOME_OUTSIDE
    others = " or ".join(words for basis, words in UNPRINTED.items() if basis in bases)
    told = [outside if "external" in origins else "", f"Some of its counts {others}." if others else ""]
    return " ".join(filter(None, told))


def trials(k: int) -> str:
    """Return a number of trials in words.

    >>> trials(1), trials(3)
    ('one trial', '3 trials')
    """
    return "one trial" if k == 1 else f"{k} trials"


def leaves_out(measure: str, low: float, high: float) -> bool:
    """Return whether an interval leaves out the value of no difference: 1 of a ratio, 0 of a difference.

    >>> leaves_out("OR", 1.2, 3.0), leaves_out("RD", -0.1, 0.2)
    (True, False)
    """
    return bool(low > none_of(measure) or high < none_of(measure))


def none_of(measure: str) -> int:
    """Return the value of a measure that means no difference."""
    return 0 if measure == "RD" else 1


def leaving_words(measure: str, clear: Sequence[int], total: int, names: Sequence[str] = ()) -> str:
    """Return how many of as many intervals leave out no difference, for each assumption named, as a sentence.

    >>> leaving_words("OR", [4], 4), leaving_words("RD", [0, 0], 6, ["one", "two"])
    ('All 4 intervals leave out 1.', 'However made, none of the 6 intervals leaves out 0.')
    >>> leaving_words("OR", [4, 1], 4, ["common effect", "τ 0.5 assumed"])
    'Intervals that leave out 1: 4 of 4 with common effect, 1 of 4 with τ 0.5 assumed.'
    """
    value = none_of(measure)
    if len(set(clear)) > 1:
        each = [f"{one} of {total} with {name}" for one, name in zip(clear, names, strict=True)]
        return f"Intervals that leave out {value}: {', '.join(each)}."
    if total == 1:
        return f"The interval {'leaves out' if clear[0] else 'includes'} {value}."
    every = f"{clear[0]} of the {total} intervals {'leaves' if clear[0] == 1 else 'leave'}"
    if clear[0] in (0, total):
        every = f"All {total} intervals leave" if clear[0] else f"None of the {total} intervals leaves"
    return (
        f"However made, {every[:1].lower()}{every[1:]} out {value}." if names[1:] else f"{every} out {value}."
    )


def assumed_words(tau: float) -> str:
    """Return what is assumed of the variation between trials, as a sentence without its stop."""
    return "Common effect (τ 0)" if tau == 0 else f"τ is assumed to be {tau:g}"


def baseline_words(base: Baseline) -> str:
    """Return a baseline risk as a caption names it."""
    limits = f"{per_1000(base.low)} to {per_1000(base.high)}"
    return f"{per_1000(base.estimate)} per 1,000 ({limits}; {base.events}/{base.n} in {trials(base.k)})"


def versus(linked: Linked, pair: dict[str, Any]) -> str:
    """Return a comparison in words."""
    return f"{linked.name(str(pair['treatment1']))} against {linked.inside(str(pair['treatment0']))}"
