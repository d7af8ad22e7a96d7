"""Names of studies that tell them apart: two studies of one name get what differs between them added."""

from __future__ import annotations

import pandas as pd

# What tells two studies of one name apart, from what a reader knows best; an id always does.
TELLING = ("registry_id", "period", "country", "n", "source_id", "study_id")


def with_distinct_labels(studies: pd.DataFrame) -> pd.DataFrame:
    """Return the studies with labels that no two share; capitals and blanks at the ends do not tell apart.

    To every label of several studies is added, in brackets, the first of ``TELLING`` that all of them have
    and no two share. Labels that are empty stay so.

    >>> frame = pd.DataFrame({"study_id": ["a", "b"], "label": ["Pilot", "pilot"], "n": [10, 20]})
    >>> list(with_distinct_labels(frame)["label"])
    ['Pilot (n 10)', 'pilot (n 20)']
    """
    labels = studies["label"].astype(str)
    same = labels.str.strip().str.casefold()
    made = labels.copy()
    for key in same[same.duplicated(keep=False) & same.ne("")].unique():
        rows = studies[same == key]
        name = next(one for one in TELLING if one in rows and _tells(rows[one]))
        words = rows[name].astype(str)
        made[rows.index] = labels[rows.index] + " (" + ("n " + words if name == "n" else words) + ")"
    return studies.assign(label=made)


def _tells(values: pd.Series) -> bool:
    text = values.astype("string").fillna("").str.strip().str.casefold()
    return bool(text.ne("").all() and text.is_unique)
