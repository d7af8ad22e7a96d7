"""How much worse a treatment may be by what was counted: the margin at which it would be not inferior."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from evidence.audit.margin import printed_margin
from evidence.parameters import Parameters
from evidence.results import Row, Tables, contrasts, records, rows_where, separate_arms

COMPARATORS = ("active", "placebo", "control")
WORDS = ("non_inferior", "comparable", "no_difference")  # what documents claim of arms that do equally well


def margins(
    data: Tables, parameters: Parameters, *, study_id: str, outcome_ids: Sequence[str]
) -> pd.DataFrame:
    """Return every experimental arm against every other, with the loss that the interval leaves room for.

    The loss is in percentage points of patients who fare worse: the lower limit of the risk difference with
    its sign changed where more is better, the upper limit where less is. A treatment is not inferior at a
    margin above the loss: the interval then excludes every difference that large (CONSORT extension for
    non-inferiority trials, JAMA 2012, 308: 2594-2604).

    Returns:
        The columns of ``contrasts`` and ``loss``, ``margin`` (chosen, else printed, else not a number),
        ``not_inferior`` (none without a margin) and ``claimed``, the kinds of claim that the document makes.
        Outcomes of which neither more nor less is better are left out.
    """
    better = dict(zip(data.outcomes["outcome_id"], data.outcomes["better"], strict=True))
    wanted = [one for one in outcome_ids if better.get(one) in ("higher", "lower")]
    frame = contrasts(
        data, parameters, study_id=study_id, outcome_ids=wanted, measure="RD", pairs=_pairs(data, study_id)
    )
    rows = [row for row in records(frame) if not pd.isna(row["estimate"])]
    printed = printed_margin(rows_where(data, "protocols", study_id=study_id), study_id)
    margin = parameters.noninferiority_margin or (math.nan if printed is None else printed)
    made = [row | _held(row, str(better[row["outcome_id"]]), margin, data) for row in rows]
    return pd.DataFrame(made, columns=[*frame.columns, "loss", "margin", "not_inferior", "claimed"])


def _pairs(data: Tables, study_id: str) -> list[tuple[str, str]]:
    arms = records(separate_arms(data, study_id))
    against = [str(arm["arm_id"]) for arm in arms if arm["role"] in COMPARATORS]
    return [(str(arm["arm_id"]), none) for arm in arms if arm["role"] == "experimental" for none in against]


def _held(row: Row, better: str, margin: float, data: Tables) -> Row:
    loss = 100 * float(-row["low"] if better == "higher" else row["high"])
    known = not pd.isna(margin)
    return {
        "loss": loss,
        "margin": margin,
        "not_inferior": loss < margin if known else None,
        "claimed": "|".join(_claimed(row, data)),
    }


def _claimed(row: Row, data: Tables) -> list[str]:
    """Return what kinds of claim say that the two arms do equally well in the outcome."""
    own = rows_where(data, "claims", study_id=str(row["study_id"]), outcome_id=str(row["outcome_id"]))
    arms = {row["arm1"], row["arm0"]}
    kinds = {str(one["kind"]) for one in records(own) if arms <= set(str(one["arms"]).split("|"))}
    return [kind for kind in WORDS if kind in kinds]
