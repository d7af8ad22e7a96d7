"""Comparisons that a document makes in words alone, of treatments that no study in it compared."""

from __future__ import annotations

from collections.abc import Iterator

from evidence.audit.finding import Finding
from evidence.audit.material import Claim, Count, Material, part
from evidence.format import in_sentence

COMPARED = ("superior", "non_inferior", "comparable")


def comparisons_are_within_a_study(m: Material) -> Iterator[Finding]:
    """Find comparisons with the patients of another study, and comparisons in words alone."""
    for claim in m.claims:
        if claim.kind not in COMPARED or claim.subgroup:
            continue
        if len(claim.arm_ids) == 1 and (claim.study_id, claim.arm_ids[0]) in m.arms:
            yield _across(claim, m)
        elif not claim.arm_ids and not claim.outcome_id:
            yield _in_words(claim)


def _across(claim: Claim, m: Material) -> Finding:
    """Return that patients of different studies are compared, and which control group is left out."""
    outcome, arm = in_sentence(m.outcome(claim.outcome_id)), in_sentence(m.label(claim.study_id, claim.arms))
    called = {"comparable": "alike", "superior": "better"}.get(claim.kind, "not inferior")
    control = _left_out(claim, m)
    rows = (claim.row_id, *(row.row_id for row in control[:1]))
    why = (
        f"What is called {called}, {outcome} with {arm}, is of another study than what it is compared with: "
        f"patients who were never in one study stand side by side, no test or margin.{_told(control, m)}"
    )
    shown = f"{claim.value}{claim.unit}" if claim.value else ""
    cause = f"{claim.source_id} {claim.study_id}"
    return Finding(rows, claim.paraphrase, shown, "not_checkable", why, "conclusion", cause=cause)


def _left_out(claim: Claim, m: Material) -> list[Count]:
    """Return the control rates of the study that other documents print and the claim's own does not."""
    rows = [row for row in m.counts if part(row) == part(claim) and row.percent and not row.category]
    known = sorted(rows, key=lambda row: row.row_id)  # whatever the order of the table
    control = [row for row in known if m.arms[row.study_id, row.arm_id].role in ("placebo", "control")]
    return [] if any(row.source_id == claim.source_id for row in control) else control


def _told(control: list[Count], m: Material) -> str:
    if not control:
        return ""
    row = control[0]
    arm = in_sentence(m.label(row.study_id, row.arm_id))
    where = m.document(row.source_id)
    return f" The {row.percent}% with {arm} in the same study ({where}) is not given beside it."


def _in_words(claim: Claim) -> Finding:
    """Return that a comparison rests on nothing that its document prints."""
    cited = claim.cites.replace("|", ", ")
    whence = f"it rests on reference {cited} of the document" if cited else "no reference is given for it"
    why = f"Treatments are compared in words: no figure, test or margin is printed here; {whence}."
    cause = f"{claim.source_id} in words"
    return Finding((claim.row_id,), claim.paraphrase, "", "not_checkable", why, "conclusion", cause=cause)
