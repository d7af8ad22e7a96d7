"""Texts that mean something to HTML, Markdown, Typst, YAML or a spreadsheet, in every free text of a small folder."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MARK = "zqx"  # in every hostile text, so that one that got anywhere can be found

HOSTILE = (
    "<script>alert(1)</script> zqx",
    '"><img src=x onerror=alert(2)> zqx',
    "' onmouseover='alert(3) zqx",
    "[link](javascript:alert(4)) ![p](file:///zqx) zqx",
    "| pipe | another | zqx",
    "`tick` ``two`` ```{=html} <b>raw</b> ``` zqx",
    "`<i>x</i>`{=html} zqx",
    "[span]{.v onclick=alert(5) title=zqx} zqx",
    "{{< include /etc/passwd >}} {{< var zqx >}} zqx",
    "$x^2$ \\(y\\) $$z$$ \\input{zqx} zqx",
    '#eval("1 + 1") #import "x.typ": * zqx',
    '#read("/etc/passwd") ] ) // /* zqx */ zqx',
    "@zqx2020 [@zqx] ^[note zqx] [^1] zqx",
    "# heading zqx",
    "1. list zqx",
    "::: {.callout-note} zqx",
    "--- ... ~~~ *em* _em_ **strong** zqx",
    "=1+cmd|' /C calc'!A0 zqx",
    "+1+1*cmd|' /C calc'!A0 zqx",
    "-2+3*cmd|' /C calc'!A0 zqx",
    "@SUM(1+1)*cmd|' /C calc'!A0 zqx",
    "&lt;b&gt; &amp;amp; &#x3c; zqx",
    "{a: !!python/object x, *anchor, &b} zqx",
    "%d %s {0} {name} \\n \\x41 \\u0041 zqx",
    "a" * 300 + " zqx",
    "🙂 👍🏽 ✅ zqx",
    "שלום עולם مرحبا zqx",
    "Ａｆｕｌｌ ｗｉｄｔｈ ﬁ zqx",
    "e\u0301 n\u0303 combining zqx",
    "</td></table><style>*{display:none}</style> zqx",
    "<!-- zqx --> <![CDATA[ zqx ]]> zqx",
    "C:\\dir\\file \\begin{zqx} \\ zqx",
)

ROWS: dict[str, list[dict[str, str]]] = {
    "sources": [{"source_id": "doc", "citekey": "doc2020", "tier": "primary", "kind": "article"}],
    "studies": [{"study_id": "trial_a", "origin": "seed", "design": "randomised_trial", "randomised": "yes", "n": "100", "population": "adults", "indication": "SAA"}],
    "arms": [
        {"study_id": "trial_a", "arm_id": arm, "n": "50", "role": role, "node": arm, "components": arm, "combines": ""}
        for arm, role in (("drug", "experimental"), ("placebo", "placebo"))
    ],
    "outcomes": [
        {"outcome_id": "cured", "domain": "efficacy", "type": "binary", "better": "higher"},
        {"outcome_id": "rash", "domain": "safety", "type": "binary", "better": "lower"},
        {"outcome_id": "sex", "domain": "baseline", "type": "categorical"},
        {"outcome_id": "age", "domain": "baseline", "type": "continuous"},
    ],
    "counts": [
        *({"study_id": "trial_a", "arm_id": arm, "outcome_id": outcome, "analysis_set": "randomised", "time": "6", "time_unit": "month",
           "events": events, "n": "50", "n_basis": "printed", "percent": percent, "basis": "printed", "category": "", "subgroup": "", "level": ""}
          for arm, outcome, events, percent in (("drug", "cured", "30", "60.0"), ("placebo", "cured", "20", "40.0"), ("drug", "rash", "5", "10.0"), ("placebo", "rash", "2", "5.0"))),
        *({"study_id": "trial_a", "arm_id": arm, "outcome_id": "cured", "analysis_set": "randomised", "time": "6", "time_unit": "month",
           "events": "10", "n": "20", "n_basis": "printed", "percent": "", "basis": "printed", "category": "", "subgroup": "sex"}
          for arm in ("drug", "placebo")),
    ],
    "measurements": [
        {"study_id": "trial_a", "arm_id": arm, "outcome_id": "age", "analysis_set": "randomised", "statistic": "mean", "value": "40.1", "spread": "3.2", "spread_label": "sd",
         "n": "50", "basis": "printed", "time": "0", "time_unit": "month", "subgroup": "", "level": "", "category": ""}
        for arm in ("drug", "placebo")
    ],
    "tests": [{"study_id": "trial_a", "outcome_id": "cured", "analysis_set": "randomised", "arms": "drug|placebo", "p": "0.046", "time": "6", "time_unit": "month",
               "effect": "1.5", "low": "1.0", "high": "2.2", "effect_label": "RR", "category": "", "subgroup": "", "level": ""}],
    "claims": [{"study_id": "trial_a", "kind": kind, "outcome_id": "cured", "arms": "drug|placebo", "subgroup": "", "level": ""} for kind in ("superior", "rate", "other", "method")],
    "questions": [{"question_id": "q1", "indication": "SAA", "population": "adults", "treatment": "drug", "comparator": "placebo", "outcome_id": "cured",
                   "time_low": "6", "time_high": "6", "time_unit": "month", "measure": "RR", "important_per_1000": "100", "order": "1", "designs": ""}],
    "definitions": [{"outcome_id": "cured", "group": "a", "join": "all", "operator": ">=", "threshold": "30", "study_id": "trial_a"}],
    "protocols": [{"study_id": "trial_a"} for _ in range(12)],
    "risk_of_bias": [{"study_id": "trial_a", "outcome_id": "cured", "judgement": "low"}],
    "certainty": [{"question_id": "q1", "domain": domain, "levels": levels} for domain, levels in (("start", "4"), ("imprecision", "-1"))],
    "pathway_nodes": [{"diagram": "way", "node_id": node} for node in "ab"],
    "pathway_edges": [{"diagram": "way", "from_id": "a", "to_id": "b"}],
}  # fmt: skip


def fields() -> dict[str, list[dict[str, Any]]]:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    return {one["name"]: one["schema"]["fields"] for one in package["resources"]}


def free_text(field: dict[str, Any]) -> bool:
    limits = field.get("constraints", {})
    named = field["name"].endswith("_id") or field["name"] in ("n_source", "parent_id", "cites", "order")
    return field["type"] == "string" and not {"enum", "pattern"} & set(limits) and not named


def hostile_tables(folder: Path) -> None:
    """Write the folder: what a row does not say and may be any text is a hostile one, each in its turn."""
    folder.mkdir(parents=True)
    shutil.copyfile(ROOT / "data" / "datapackage.json", folder / "datapackage.json")
    turn = itertools.cycle(HOSTILE)
    for table, columns in fields().items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [one["name"] for one in columns], restval="", lineterminator="\n")
            writer.writeheader()
            for number, row in enumerate(ROWS.get(table, ()), 1):
                given = {"row_id": f"doc-{table}-{number}", "source_id": "doc"}
                texts = {
                    one["name"]: next(turn) for one in columns if free_text(one) and one["name"] not in row
                }
                names = {one["name"] for one in columns}
                writer.writerow(
                    {**texts, **{name: value for name, value in given.items() if name in names}, **row}
                )
