"""What was read of the studies behind an answer, and what of them therefore cannot be judged.

A certainty rates what was read. Where a study's own report was not read and nothing else says how patients
came to their treatments or who they were, a low level is silence and no finding, and says so.
"""

from __future__ import annotations

from evidence.data import Dataset
from evidence.questions import Finding, Study

UNREAD = "the paper was not read"
UNREAD_SHORT = "paper not read"  # where a note tells the rest
RANDOMISATION, PATIENTS = "randomisation", "patients"
VENDOR = "read in a vendor's document only"


def report_read(data: Dataset, study_id: str) -> bool:
    """Return whether a study's own report is among the documents that were read in full."""
    used = set(data.select("studies", study_id=study_id)["source_id"])
    own = data.sources[data.sources["tier"].eq("primary") & data.sources["origin"].eq("seed")]
    return bool(used & set(own["source_id"]))


def unstated(study: Study) -> tuple[str, ...]:
    """Return what nothing that was read says of a study, where a judgement needs it."""
    randomisation = study.comparator is not None and study.allocation == "not stated"
    return (*([RANDOMISATION] if randomisation else []), *([] if study.population else [PATIENTS]))


def unstated_words(study: Study, data: Dataset) -> str:
    """Return in words what is not stated of a study, and whether its own report was read; or nothing."""
    missing = unstated(study)
    if not missing:
        return ""
    what = f"{' and '.join(missing)} not stated"
    return f"{what} in what was read" if report_read(data, study.study_id) else f"{UNREAD}, {what}"


def vendor_only(finding: Finding, data: Dataset) -> bool:
    """Return whether every count of a finding was read in a document of somebody who sells the treatment."""
    arms = [arm for study in finding.studies for arm in (study.treatment, study.comparator) if arm]
    used = {row.rpartition("-")[0] for arm in arms for row in arm.rows.split("|") if row}
    tiers = data.sources.loc[data.sources["source_id"].isin(used), "tier"]
    return bool(used) and len(tiers) > 0 and bool(tiers.eq("vendor").all())


def caveats(finding: Finding, data: Dataset) -> tuple[str, ...]:
    """Return what has to be said wherever the certainty of a finding is shown, in words."""
    told = [(study.label, unstated_words(study, data)) for study in finding.studies]
    named = [f"{label}: {words}" if len(told) > 1 else words for label, words in told if words]
    return (*named, *([VENDOR] if vendor_only(finding, data) else []))
