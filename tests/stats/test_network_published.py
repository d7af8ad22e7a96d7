"""Networks with multi-arm trials against results that others printed; the README of the folder has the sources."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from evidence.stats import network

COLUMNS = ["study", "treatment1", "treatment0", "y", "v"]
REFERENCES = {"senn2013": "placebo", "hasselblad1998": "no_contact", "dogliotti2014": "Placebo/Control"}


def half_a_unit(printed: str) -> float:
    """Return half a unit of the last printed place, and a hundredth more for a last digit on the edge."""
    return 0.505 * 10.0 ** -len(printed.partition(".")[2])


def corrected_everywhere(arms: list[dict[str, str]]) -> pd.DataFrame:
    """Return the log odds ratios of arms with half a patient added to every cell of every trial."""
    rows = []
    for study in dict.fromkeys(arm["study"] for arm in arms):
        values = []
        for arm in (one for one in arms if one["study"] == study):
            cases, others = int(arm["events"]) + 0.5, int(arm["n"]) - int(arm["events"]) + 0.5
            values.append((arm["treatment"], float(np.log(cases / others)), 1 / cases + 1 / others))
        pairs = combinations(values, 2)
        rows += [(study, b, a, y - x, v + w) for (a, x, w), (b, y, v) in pairs]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="module")
def printed(pinned):
    return pinned.rows("network_printed.csv")


@pytest.fixture(scope="module")
def solved(pinned, printed):
    pairs = pd.DataFrame(pinned.rows("network_data.csv")).astype({"y": float, "v": float})
    arms = [row for row in pinned.rows("network_arms.csv") if row["set"] == "hasselblad1998"]
    data = {name: pairs.loc[pairs["set"] == name, COLUMNS] for name in REFERENCES}
    data["hasselblad1998"] = corrected_everywhere(arms)
    measures = {"senn2013": "MD"}
    return {
        (name, method): network(
            data[name], measure=measures.get(name, "OR"), reference=REFERENCES[name], tau2=method
        )
        for name, method in {(row["set"], row["method"]) for row in printed}
    }


def test_effects_standard_errors_tau2_and_q_round_to_what_others_printed(printed, solved):
    for row in printed:
        ours = solved[row["set"], row["method"]]
        value = getattr(ours, row["what"])
        if row["treatment1"]:
            value = value[ours.treatments.index(row["treatment1"]), ours.treatments.index(row["treatment0"])]
        assert float(value) == pytest.approx(float(row["printed"]), abs=half_a_unit(row["printed"])), row


def test_no_printed_result_was_dropped(printed, solved):
    kinds = Counter((row["set"], row["method"], row["what"]) for row in printed)
    assert len(printed) >= 49
    assert kinds["senn2013", "FE", "se"] == kinds["senn2013", "REML", "estimate"] == 9
    assert kinds["hasselblad1998", "REML", "estimate"] == 3
    assert kinds["dogliotti2014", "DL", "q_between"] == 1
    for name, result in solved.items():
        assert any(len(design) > 2 for design in result.designs), name
