"""A study is added or removed by rows alone, in a copy of the real data."""

import csv
import shutil
from pathlib import Path

import pytest

import evidence
from evidence.audit import audit
from evidence.build.stage import plan, read_project
from evidence.display import across_figure, answers_table, evidence_table, representation, study_results_table

ROOT = Path(__file__).parents[1]
P = evidence.Parameters()
NEW = "invented_trial"
PLACE = {"source_id": "invented", "locator": "Table 2"}
ROWS = {
    "sources": [{"source_id": "invented", "citekey": "invented2030", "title": "An invented trial", "kind": "article",
                 "tier": "primary", "year": "2030"}],
    "studies": [{"row_id": "invented-s001", **PLACE, "study_id": NEW, "label": "Invented trial", "indication": "ITP",
                 "population": "previously_treated", "design": "randomised_trial", "randomised": "yes", "n": "200",
                 "status": "published", "origin": "seed"}],
    "arms": [{"row_id": f"invented-a00{i}", **PLACE, "study_id": NEW, "arm_id": arm, "label": label, "components": arm,
              "dose_value": dose, "dose_unit": "mg" if dose else "", "n": "100", "role": role, "node": node}
             for i, (arm, label, dose, role, node) in enumerate(
                 [("drug", "Hetrombopag 2.5 mg", "2.5", "experimental", "hetrombopag"),
                  ("placebo", "Placebo", "", "placebo", "placebo")], start=1)],
    "counts": [{"row_id": f"invented-c00{i}", **PLACE, "study_id": NEW, "arm_id": arm, "outcome_id": "platelets_ge50",
                "analysis_set": "randomised", "time": "8", "time_unit": "week", "events": events, "n": "100",
                "n_basis": "printed", "basis": "printed"}
               for i, (arm, events) in enumerate([("drug", "55"), ("placebo", "10")], start=1)],
}  # fmt: skip
RESULTS = ("arms", "counts", "measurements", "tests", "claims", "protocols", "risk_of_bias", "definitions")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    return tmp_path / "data"


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or []), list(reader)


def write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def add(folder: Path) -> None:
    for name, rows in ROWS.items():
        columns, old = read(folder / f"{name}.csv")
        write(folder / f"{name}.csv", columns, [*old, *rows])


def remove(folder: Path, study: str) -> None:
    for name in ("studies", *RESULTS):
        columns, rows = read(folder / f"{name}.csv")
        kept = [row for row in rows if row.get("study_id") != study]
        if name == "studies":
            kept = [row | {"parent_study_id": ""} if row["parent_study_id"] == study else row for row in kept]
        write(folder / f"{name}.csv", columns, kept)
    columns, rows = read(folder / "ledger.csv")
    write(folder / "ledger.csv", columns, [])


def test_an_added_study_has_its_page_its_line_and_its_results(folder):
    add(folder)
    data = evidence.load(folder)
    jobs = plan(ROOT, read_project(ROOT), data, P)
    assert f"notebooks/study_{NEW}.ipynb" in [job.target for job in jobs]
    assert "Invented trial" in representation(evidence_table(data))[0]["text/plain"]
    assert "55/100" in representation(study_results_table(data, P, study_id=NEW))[0]["text/plain"]


def test_an_added_study_is_drawn_with_the_others_and_audited(folder):
    add(folder)
    data = evidence.load(folder)
    drawn = across_figure(data, P, outcome_ids=["platelets_ge50"], indication="ITP")
    assert NEW in set(drawn.data["study_id"])
    assert "Invented trial" in drawn.alt
    assert NEW in set(audit(data)["study_id"])


def test_an_added_study_enters_every_answer_that_it_fits_and_no_other(folder):
    before = evidence.load(folder)
    add(folder)
    after = evidence.load(folder)
    answers = {q: evidence.answer(q, after, P) for q in after.questions["question_id"]}
    assert [q for q, one in answers.items() if NEW in one.studies] == ["itp_p3_2_5"]
    assert answers["itp_p3_2_5"].studies == ("itp_phase3", NEW)
    assert answers["itp_p3_2_5"].effect.estimate != evidence.answer("itp_p3_2_5", before, P).effect.estimate
    assert "268 (2)" not in str(answers_table([evidence.answer("itp_p3_2_5", before, P)], P).rows)


def test_rows_with_the_fixed_columns_alone_load(folder):
    add(folder)
    optional = {"note", "category_label", "origin", "file", "sha256"}
    for name in ("arms", "counts", "measurements", "tests", "claims"):
        columns, rows = read(folder / f"{name}.csv")
        kept = [column for column in columns if column not in optional]
        write(folder / f"{name}.csv", kept, [{key: row[key] for key in kept} for row in rows])
    assert NEW in set(evidence.load(folder).counts["study_id"])


@pytest.mark.parametrize("study", ["saa_pilot", "itp_realworld", "cit_cohort", "itp_phase3", "race"])
def test_a_removed_study_leaves_answers_that_say_so(folder, study):
    remove(folder, study)
    data = evidence.load(folder)
    answers = [evidence.answer(q, data, P) for q in data.questions["question_id"]]
    assert all(study not in one.studies for one in answers)
    assert all(one.sentence for one in answers)
    assert any("No data on" in one.sentence for one in answers)
    assert len(answers_table(answers, P).rows) == len(answers)


def test_a_result_printed_in_several_documents_counts_once(folder):
    """The phase 3 trial stands in two documents, with a post hoc analysis and an extension of the same patients."""
    data = evidence.load(folder)
    trial = data.counts[
        (data.counts["study_id"] == "itp_phase3") & (data.counts["outcome_id"] == "platelets_ge50")
    ]
    week_8 = trial[(trial["time"] == 8) & (trial["subgroup"] == "")]
    assert len(week_8) > 3
    assert week_8[week_8["counted"]].groupby("arm_id").size().to_dict() == {
        "hpag_2_5": 1,
        "hpag_5": 1,
        "placebo": 1,
    }
    assert set(week_8.loc[week_8["counted"], "tier"]) == {"primary"}
    found = evidence.answer("itp_p3_2_5", data, P)
    assert found.studies == ("itp_phase3",)
    parents = dict(zip(data.studies["study_id"], data.studies["parent_study_id"], strict=True))
    assert parents["itp_persistent"] == parents["itp_phase3_extension"] == "itp_phase3"
