"""From results to words: which words a result allows, as rules that can be tested.

Absolute numbers come first. A difference whose interval includes none is called uncertain, never absent. A
comparison without randomisation never gets a cause. Nothing is called important: the smallest difference that
would matter is named, and the reader judges.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evidence.format import in_sentence, interval, number, percent, x_of_n
from evidence.format import level as level_text
from evidence.stats import Proportion

Direction = Literal["more", "fewer", "uncertain", "small", "described", "nothing"]
Allocation = Literal["randomised", "not randomised", "not stated"]
ALLOCATED: Mapping[Allocation, str] = {
    "randomised": "randomised",
    "not randomised": "not randomised",
    "not stated": "randomisation not stated in what was read",
}
Limits = tuple[float, float, float]  # estimate, lower and upper limit


# How a value is known, where it is not read from one of the documents as it stands.
SIGNS: Mapping[str, str] = {"derived": "†", "assumed": "‡", "external": "§"}


def kinds_of(bases: Collection[str], origins: Collection[str]) -> tuple[str, ...]:
    """Return how counts are known: the weakest of their bases, and whether any comes from outside.

    >>> kinds_of(["printed", "derived"], ["external"]), kinds_of(["printed"], ["seed"])
    (('derived', 'external'), ())
    """
    weakest = [basis for basis in ("assumed", "derived") if basis in bases][:1]
    return (*weakest, *(["external"] if "external" in origins else []))


def sign_of(bases: Collection[str], origins: Collection[str]) -> str:
    """Return the signs of counts by their bases and origins, that of the weakest basis first.

    >>> sign_of(["printed", "derived"], ["seed"]), sign_of(["derived"], ["external"])
    ('†', '†§')
    """
    return "".join(SIGNS[kind] for kind in kinds_of(bases, origins))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of a difference in risk: its direction, and whom it favours."""

    direction: Direction
    favours: Literal["treatment", "comparator", "neither"]


def verdict_of(low: float, high: float, *, better: str, important: float) -> Verdict:
    """Return the verdict on a difference in risk (treatment minus comparator) from its interval.

    Args:
        low: lower limit, as a proportion.
        high: upper limit, as a proportion.
        better: "higher" or "lower", whichever is good for the patient.
        important: the smallest difference that would matter, as a proportion; 0 where none is named.

    >>> verdict_of(0.03, 0.38, better="higher", important=0.1)
    Verdict(direction='more', favours='treatment')
    >>> verdict_of(-0.02, 0.05, better="higher", important=0.1)
    Verdict(direction='small', favours='neither')
    >>> verdict_of(-0.02, 0.38, better="higher", important=0.1)
    Verdict(direction='uncertain', favours='neither')
    """
    if low > 0 or high < 0:
        more = low > 0
        good = more == (better == "higher")
        return Verdict("more" if more else "fewer", "treatment" if good else "comparator")
    return Verdict("small" if max(-low, high) < important else "uncertain", "neither")


def allocation_of(said: Collection[str]) -> Allocation:
    """Return how patients came to their treatments: randomised only if every study says so.

    Args:
        said: what each study says of randomisation: "yes", "no", or nothing.

    >>> allocation_of(["yes", ""]), allocation_of(["yes", "no"])
    ('not stated', 'not randomised')
    """
    if set(said) == {"yes"}:
        return "randomised"
    return "not stated" if set(said) <= {"", "yes"} else "not randomised"


def per_1000(risk: float) -> int:
    """Return a proportion as a whole number per 1,000, halves rounded away from zero.

    >>> per_1000(0.34375), per_1000(-0.0005)
    (344, -1)
    """
    return int(number(risk * 1000, 0).replace("−", "-"))


def size_text(difference: float, *, of: int = 1000) -> str:
    """Return a difference in risk in whole patients of so many, without its unit.

    >>> size_text(-0.0213), size_text(0.198), size_text(0.0004)
    ('21 fewer', '198 more', 'as many')
    """
    size = per_1000(difference * of / 1000)
    return f"{abs(size)} {'more' if size > 0 else 'fewer'}" if size else "as many"


def signed_text(difference: float) -> str:
    """Return a difference in risk in patients per 1,000, in words.

    >>> signed_text(-0.0213), signed_text(0)
    ('21 fewer per 1,000', 'as many')
    """
    return f"{size_text(difference)}{' per 1,000' if per_1000(difference) else ''}"


def difference_text(low: float, high: float, *, of: int = 1000) -> str:
    """Return an interval of a difference in risk in whole patients of so many, in words.

    Each end says its direction, and of two in one direction the smaller stands first.

    >>> difference_text(0.035, 0.385), difference_text(-0.012, 0.38)
    ('35 more to 385 more', '12 fewer to 380 more')
    >>> difference_text(-0.2, -0.05), difference_text(-0.2, 0)
    ('50 fewer to 200 fewer', '0 to 200 fewer')
    """
    ends = (low, high) if per_1000(high * of / 1000) > 0 else (high, low)
    return " to ".join(size_text(end, of=of).replace("as many", "0") for end in ends)


def told_difference(limits: Limits, *, interval: str = "", unit: bool = True) -> str:
    """Return a difference in risk with its interval: the one form in which the report tells it.

    Args:
        limits: estimate, lower and upper limit, as proportions.
        interval: what stands before the limits: ``95% CI``.
        unit: whether "per 1,000" is said; a column or a sentence may have said it.

    >>> told_difference((-0.148, -0.253, -0.027), interval="95% CI")
    '148 fewer per 1,000 (95% CI 27 fewer to 253 fewer)'
    >>> told_difference((0.198, 0.035, 0.38), unit=False), told_difference((0, -0.188, 0.172))
    ('198 more (35 more to 380 more)', 'as many (188 fewer to 172 more)')
    """
    estimate, low, high = limits
    size = signed_text(estimate) if unit else size_text(estimate)
    return f"{size} ({' '.join(filter(None, (interval, difference_text(low, high))))})"


def risk_text(risk: Proportion, sign: str = "") -> str:
    """Return a risk as a count with the sign of how it is known, a percentage and an interval."""
    limits = interval(number(risk.low * 100, 1), number(risk.high * 100, 1))
    share = f"{percent(risk.estimate)}; {level_text(risk.level)} CI {limits}"
    return f"{x_of_n(risk.events, risk.n)}{sign} ({share})"


def risks_text(
    outcome: str,
    names: Mapping[str, str],
    treatment: Proportion,
    control: Proportion | None,
    difference: Limits | None,
    signs: Mapping[str, str] | None = None,
) -> str:
    """Return the sentence with both risks and their difference per 1,000.

    Args:
        outcome: the outcome's label.
        names: the arms' labels by side, ``treatment`` and ``comparator``.
        treatment: risk with the treatment.
        control: risk with the comparator, or None.
        difference: estimate and limits of the absolute difference, or None.
        signs: how each side's counts are known, see ``SIGNS``; nothing for printed ones.
    """
    known = signs or {}
    told = f"{outcome}: {risk_text(treatment, known.get('treatment', ''))} with {names['treatment']}"
    if control is None or difference is None:
        return f"{told}."
    told += f" and {risk_text(control, known.get('comparator', ''))} with {names['comparator']}"
    return f"{told}; {_difference(difference, treatment.level)}."


def side_by_side_text(
    outcome: str, studies: Sequence[tuple[str, str, str, Limits]], confidence: float
) -> str:
    """Return two studies side by side, each with its counts and its own difference.

    Args:
        outcome: the outcome's label.
        studies: per study its label, the counts with treatment and with comparator in words, and estimate and
            limits of its difference in risk.
        confidence: level of the intervals.

    >>> side_by_side_text("Cure", [("A", "8 of 9 on X", "1 of 9 on Y", (0.778, 0.29, 0.91))], 0.95)
    'Cure, side by side. A: 8 of 9 on X and 1 of 9 on Y; 778 more per 1,000 (95% CI 290 more to 910 more).'
    """
    told = [
        f"{label}: {one} and {none}; {_difference(limits, confidence)}."
        for label, one, none, limits in studies
    ]
    return " ".join([f"{outcome}, side by side.", *told])


def pooled_text(
    outcome: str,
    names: Mapping[str, str],
    studies: int,
    treatment: Proportion,
    control: Proportion | None,
    difference: Limits | None,
) -> str:
    """Return the sentence on several studies pooled, or on one study at a control risk from elsewhere.

    Args:
        outcome: the outcome's label.
        names: the arms' labels by side, ``treatment`` and ``comparator``.
        studies: how many.
        treatment: risk with the treatment, at the control risk where there is one.
        control: the control risk, or None.
        difference: estimate and limits of the absolute difference, or None.
    """
    patients = treatment.n + (control.n if control else 0)
    told = f"{outcome}, {studies} {'study' if studies == 1 else 'studies'}, {patients:,} patients:"
    level = level_text(treatment.level)
    limits = f"{per_1000(treatment.low)} to {per_1000(treatment.high)}"
    if control is None or difference is None:
        risk = f"{per_1000(treatment.estimate)} per 1,000 ({level} CI {limits}) with {names['treatment']}"
        return f"{told} {risk} in the median study."
    return (
        f"{told} {per_1000(treatment.estimate)} per 1,000 with {names['treatment']} against "
        f"{per_1000(control.estimate)} per 1,000 with {names['comparator']}; "
        f"{_difference(difference, treatment.level)}."
    )


def apart_text(allocation: Allocation, studies: Sequence[tuple[str, Limits]]) -> str:
    """Return what studies of another design say, as a sentence that keeps them apart.

    >>> apart_text("not randomised", [("Trial B", (0.1, 0.02, 0.2))])
    'Apart from these, not randomised: Trial B, 100 more per 1,000 (20 more to 200 more).'
    """
    told = [f"{label}, {told_difference(limits)}" for label, limits in studies]
    return f"Apart from these, {ALLOCATED[allocation]}: {'; '.join(told)}."


def _difference(limits: Limits, confidence: float) -> str:
    return told_difference(limits, interval=f"{level_text(confidence)} CI")


def conclusion(
    verdict: Verdict, outcome: str, treatment: str, *, allocation: Allocation, important_per_1000: float = 0.0
) -> str:
    """Return the sentence that a verdict allows.

    Args:
        verdict: what may be said.
        outcome: the outcome's label.
        treatment: the label of the treatment's arm.
        allocation: how patients came to their treatments, in all comparisons behind it.
        important_per_1000: the smallest difference that would matter.
    """
    sentences: dict[Direction, str] = {
        "more": f"More patients had {in_sentence(outcome)} with {treatment}{CAVEATS[allocation]}",
        "fewer": f"Fewer patients had {in_sentence(outcome)} with {treatment}{CAVEATS[allocation]}",
        "small": f"The interval leaves room only for differences below {important_per_1000:g} per 1,000.",
        "uncertain": "The interval includes both more and fewer patients: the direction is uncertain.",
        "described": "There was no comparison group, so this does not tell what the treatment added.",
        "nothing": f"No data on {in_sentence(outcome)} are available.",
    }
    return sentences[verdict.direction]


CAVEATS: Mapping[Allocation, str] = {
    "randomised": ".",
    "not randomised": "; they were not randomised, so other differences between the groups may explain it.",
    "not stated": "; whether patients were randomised is not stated in what was read.",
}
