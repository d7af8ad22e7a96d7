"""The cells of a table about an answer: what was asked, risks, difference, ratio, certainty; its values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from evidence import format as fmt
from evidence.display.labels import sourced
from evidence.display.model import DOUBT, Cell, Mark, mark_from
from evidence.questions import OWN, Answer, Estimate, Finding
from evidence.questions.parts import HELD
from evidence.questions.studies import Arm
from evidence.results import records
from evidence.stats import Proportion
from evidence.synthesis.certainty import Certainty
from evidence.synthesis.reading import UNREAD, UNREAD_SHORT
from evidence.wording import per_1000, sign_of, told_difference

NO_DATA = "No data"
UNCOUNTED = "Patients, x of y: x were counted, and the groups had y."
UNREAD_NOTE = "Paper not read: the summary of findings of the question says what that leaves unknown."
ENDS = ("estimate", "low", "high")


def split_title(title: str) -> tuple[str, str]:
    """Return a question's title as whom it is about and what is asked of them.

    >>> split_title("Adults, first treatment: cure at 6 months"), split_title("Cure")
    (('Adults, first treatment', 'Cure at 6 months'), ('', 'Cure'))
    """
    whom, colon, what = title.partition(": ")
    return (whom, what[:1].upper() + what[1:]) if colon else ("", title)


def split_asked(title: str) -> tuple[str, str]:
    """Return what is asked of a question's title, and what is compared with what where it says so.

    >>> split_asked("Adults: cure at 6 months, drug against placebo"), split_asked("Cure, or better")
    (('Cure at 6 months', 'drug against placebo'), ('Cure, or better', ''))
    """
    what = split_title(title)[1]
    outcome, comma, compared = what.partition(", ")
    return (outcome, compared) if comma and " against " in compared else (what, "")


def rows_of(one: Answer) -> tuple[str, ...]:
    """Return the data rows of both sides of an answer."""
    return tuple(str(row["row_id"]) for row in records(one.included))


def patients(one: Answer) -> int:
    """Return how many patients an answer rests on."""
    return sum(sum(study.four[1::2]) for study in one.finding.studies)


def patients_words(one: Answer) -> str:
    """Return how many patients an answer rests on, and of how many where its groups had more."""
    arms = [arm for study in one.finding.studies for arm in (study.treatment, study.comparator) if arm]
    whole = sum(arm.group or arm.n for arm in arms)
    return f"{patients(one):,}" + (f" of {whole:,}" if whole > patients(one) else "")


def risk_cell(one: Answer, side: str, *, words: bool = False) -> Cell:
    """Return the risk on one side per 1,000 with its interval; of two studies side by side each its own.

    Args:
        one: the answer.
        side: ``treatment`` or ``comparator``.
        words: whether counts and the unit are told too.
    """
    risk = one.treatment if side == "treatment" else one.control
    if risk is None:
        return Cell("–")
    rows = "|".join(str(row["row_id"]) for row in _used(one, side))
    text = _risk_words(one, risk, side) if words else _risk(one, risk, side)
    return sourced(text, rows, mark=mark_from(sign_on(one, side)))


def counts_mark(one: Answer) -> Mark:
    """Return the mark of the counts on both sides of an answer taken together."""
    return mark_from(sign_of(*_known(records(one.included))))


def sign_on(one: Answer, side: str) -> str:
    """Return the signs of how the counts behind a risk are known.

    A risk that comes from outside the included studies has none; one that a ratio makes has those of both
    sides.
    """
    own = one.finding.measured or one.finding.side_by_side or one.control is None
    if own or side == "comparator":
        made = own or one.finding.control_source == OWN
        return sign_of(*_known(_used(one, side) if made else []))
    return sign_of(*_known(records(one.included)))


def signs_of(one: Answer, side: str, open_: Collection[str]) -> str:
    """Return the signs of how a risk is known and of doubt, as a line of prose tells it.

    Args:
        one: the answer.
        side: ``treatment`` or ``comparator``.
        open_: data rows on whose number of patients a question is open (``part_doubts``).
    """
    arms = _sides(one, side)
    return sign_on(one, side) + (doubt_sign(arms[0], open_) if arms else "")


def _known(used: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the bases and the origins of results."""
    return [str(row["basis"]) for row in used], [str(row["origin"]) for row in used]


def _used(one: Answer, side: str) -> list[dict[str, Any]]:
    return [row for row in records(one.included) if row["side"] == side]


def _risk(one: Answer, risk: Proportion, side: str) -> str:
    if one.finding.side_by_side:
        return "; ".join(str(per_1000(events / n)) for events, n in _arms(one, side))
    limits = f"{per_1000(risk.low)} to {per_1000(risk.high)}"
    return f"{per_1000(risk.estimate)}" + (f" ({limits})" if risk.low < risk.high else "")


def _risk_words(one: Answer, risk: Proportion, side: str) -> str:
    counts = "; ".join(arm.words for arm in _sides(one, side))
    shown = _risk(one, risk, side)
    measured = one.finding.measured or one.finding.side_by_side or one.control is None
    tail = f": {counts}" if measured else f", {one.finding.control_source}" if side == "comparator" else ""
    return shown.replace(" (", " per 1,000 (", 1) + ("" if "(" in shown else " per 1,000") + tail


def _arms(one: Answer, side: str) -> list[tuple[int, int]]:
    return [arm.counts for arm in _sides(one, side)]


def _sides(one: Answer, side: str) -> list[Arm]:
    arms = [study.treatment if side == "treatment" else study.comparator for study in one.finding.studies]
    return [arm for arm in arms if arm]


def doubt_sign(arm: Arm, open_: Collection[str]) -> str:
    """Return the sign of doubt where an arm's number of patients does not fit what is printed elsewhere.

    Args:
        arm: a side of a comparison.
        open_: data rows on whose number of patients a question is open (``part_doubts``).
    """
    return DOUBT if arm.doubt or set(arm.rows.split("|")) & set(open_) else ""


def difference_words(one: Answer, *, unit: bool = True) -> str:
    """Return the difference per 1,000 with its interval; of two studies side by side each its own."""
    shown = shown_differences(one.finding)
    return "; ".join(told_difference(each.limits, unit=unit) for each in shown) or "–"


def shown_differences(finding: Finding) -> tuple[Estimate, ...]:
    """Return the differences to show: of two studies side by side each its own, never their pool."""
    if finding.difference is None:
        return ()
    return finding.each if finding.side_by_side else (finding.difference,)


def effect_words(one: Answer) -> str:
    """Return the ratio with its interval; of two studies side by side each its own."""
    pooled = one.finding.pooled
    if one.control is None:
        return "–"
    if one.effect is None or pooled is None:
        return fmt.NOT_ESTIMABLE
    if not one.finding.side_by_side:
        return fmt.ratio(one.effect.estimate, one.effect.low, one.effect.high)
    return "; ".join(
        fmt.ratio(each.estimate, each.low, each.high) if each else fmt.NOT_ESTIMABLE
        for each in pooled.effects
    )


def certainty_words(sure: Certainty) -> str:
    """Return a certainty in signs and in words, ``●●○○ Low``, with what has to be said of what was read."""
    return f"{sure.signs} {sure.word.capitalize()}{caveat_words(sure)}"


def certainty_short(sure: Certainty) -> str:
    """Return a certainty as ``certainty_words`` does, of its caveats only what they are about.

    The summary of findings of the question has the rest, and ``kinds_note`` what events mostly were.
    """
    kept = [one.partition(f": {HELD}")[0] for one in sure.caveats if one not in _unread(sure)]
    told = "; ".join([UNREAD_SHORT] * bool(_unread(sure)) + kept)
    return f"{sure.signs} {sure.word.capitalize()}" + (f" ({told})" if told else "")


def _unread(sure: Certainty) -> list[str]:
    """Return of what has to be said with a level what a paper that was not read leaves unknown."""
    unread = any(UNREAD in one for one in sure.caveats)
    return [one for one in sure.caveats if UNREAD in one or (unread and one == sure.reach)]


def caveat_words(sure: Certainty) -> str:
    """Return what has to be said with a level, in brackets; nothing where there is nothing to say."""
    return f" ({'; '.join(sure.caveats)})" if sure.caveats else ""


def finding_values(one: Answer, sure: Certainty | None) -> dict[str, Any]:
    """Return everything of one finding as unformatted values, a row of the tidy table."""
    values: dict[str, Any] = {
        "question_id": one.question_id,
        "title": one.title,
        "studies": "|".join(one.studies),
        "patients": patients(one),
        "allocation": one.allocation,
    }
    for name, risk in (("treatment", one.treatment), ("control", one.control)):
        values |= {
            f"{name}_{field}": getattr(risk, field, None)
            for field in ("events", "n", "estimate", "low", "high")
        }
    for name, effect in (("difference", one.difference), ("effect", one.effect)):
        values |= {
            f"{name}_{field}": getattr(effect, field, None)
            for field in ("measure", "estimate", "low", "high")
        }
    values |= _each_values(one.finding, "study") if one.finding.side_by_side else {}
    for place, other in enumerate(one.apart, 1):
        values |= (
            _each_values(other, f"apart{place}_study") if other.side_by_side else _apart_values(other, place)
        )
    return values | {"direction": one.verdict.direction} | certainty_values(sure)


def _each_values(found: Finding, name: str) -> dict[str, Any]:
    """Return counts, difference and ratio of every study of studies that stand side by side."""
    values: dict[str, Any] = {}
    effects = found.pooled.effects if found.pooled else [None] * len(found.each)
    for place, (study, each, effect) in enumerate(zip(found.studies, found.each, effects, strict=True), 1):
        values[f"{name}{place}"] = study.study_id
        values |= dict(
            zip((f"{name}{place}_{one}" for one in ("e1", "n1", "e0", "n0")), study.four, strict=True)
        )
        for what, estimate in (("difference", each), ("effect", effect)):
            values |= {f"{name}{place}_{what}_{end}": getattr(estimate, end, None) for end in ENDS}
    return values


def _apart_values(found: Finding, place: int) -> dict[str, Any]:
    """Return the studies and the difference of another design, which stands apart from the answer."""
    name = f"apart{place}"
    values: dict[str, Any] = {f"{name}_studies": "|".join(study.study_id for study in found.studies)}
    values |= {f"{name}_difference_{end}": getattr(found.difference, end, None) for end in ENDS}
    return values | {f"{name}_allocation": found.allocation}


def certainty_values(sure: Certainty | None) -> dict[str, Any]:
    """Return a certainty as unformatted values: its level, where it started, levels and reason by domain."""
    if sure is None:
        return {"certainty": "", "certainty_level": None}
    values: dict[str, Any] = {
        "certainty": sure.word,
        "certainty_level": sure.level,
        "certainty_start": sure.start,
        "certainty_caveats": "|".join(sure.caveats),
    }
    for step in sure.steps:
        values |= {f"{step.domain}_levels": step.levels, f"{step.domain}_reason": step.reason}
    return values
