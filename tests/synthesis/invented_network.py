"""Invented trials of two drugs against placebo, one drug in two doses, as tidy tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

COLUMNS = {
    "sources": "source_id",
    "studies": "study_id label indication population design randomised n parent_study_id origin",
    "arms": "study_id arm_id label components dose_value dose_unit n role node combines",
    "outcomes": "outcome_id label domain type better unit parent_id partition definition",
    "counts": "row_id study_id arm_id outcome_id category subgroup level analysis_set time time_unit time_label "
    "events n percent basis locator category_label n_basis",
    "measurements": "row_id study_id outcome_id",
    "tests": "row_id study_id",
    "claims": "row_id study_id",
    "definitions": "row_id study_id outcome_id group join criterion operator threshold unit locator source_id",
    "protocols": "row_id study_id",
}
NUMBERS = ("dose_value", "time", "threshold")


@dataclass
class World:
    """Tables that grow by whole studies."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in COLUMNS:
            raise AttributeError(name)
        names = COLUMNS[name].split()
        rows = [dict.fromkeys(names, "") | row for row in self.rows[name]]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        for column in set(names) & {*NUMBERS, "events", "n"}:
            whole = "float64" if column in NUMBERS else "Int64"
            frame[column] = pd.to_numeric(frame[column].replace({"": None}).astype("float64")).astype(whole)
        return frame.assign(counted=True, origin="seed") if name == "counts" else frame

    def outcome(self, outcome_id: str, label: str, better: str = "higher") -> World:
        self.rows["outcomes"].append({"outcome_id": outcome_id, "label": label, "domain": "efficacy",
                                      "type": "binary", "better": better})  # fmt: skip
        return self

    def study(self, study_id: str, *arms: tuple[str, float | None, Any, Any], **more: Any) -> World:
        """Add a study whose arms are (node, dose, events, n), counted at one time."""
        outcome, week = more.pop("outcome", "cured"), more.pop("week", 6)
        known = {"study_id": study_id, "label": study_id.title(), "indication": "SAA", "design": "trial",
                 "randomised": "yes", "origin": "seed"}  # fmt: skip
        self.rows["studies"].append(known | more)
        for place, (node, dose, events, n) in enumerate(arms):
            label = f"{node.title()} {dose:g} mg" if dose else node.title()
            arm = {"study_id": study_id, "arm_id": f"a{place}", "label": label, "components": node, "n": n,
                   "dose_value": dose or "", "dose_unit": "mg" if dose else "", "node": node}  # fmt: skip
            self.rows["arms"].append(arm)
            self.count(study_id, f"a{place}", events, n, outcome=outcome, week=week)
        return self

    def count(self, study_id: str, arm_id: str, events: Any, n: Any, **more: Any) -> World:
        number = len(self.rows["counts"]) + 1
        row = {"row_id": f"{study_id}-c{number:03d}", "study_id": study_id, "arm_id": arm_id,
               "outcome_id": more.get("outcome", "cured"), "analysis_set": "randomised", "events": events, "n": n,
               "time": more.get("week", 6), "time_unit": "week" if more.get("week", 6) != "" else "",
               "percent": more.get("percent", ""), "basis": "printed", "locator": "Table 1"}  # fmt: skip
        self.rows["counts"].append(row)
        return self


def star() -> World:
    """Return two doses of alpha and beta, each against placebo, with a part of a trial and a lone arm."""
    world = World().outcome("cured", "Cured").outcome("relieved", "Relieved")
    world.study("first", ("alpha", 5, 12, 40), ("alpha", 10, 18, 42), ("placebo", None, 4, 40), week=8)
    world.study("second", ("beta", None, 20, 50), ("placebo", None, 3, 48))
    world.study(
        "part", ("alpha", 5, 3, 10), ("placebo", None, 1, 9), parent_study_id="first", design="post_hoc"
    )
    return world.study("lone", ("alpha", 5, 9, 20), design="single_arm", randomised="no")
