"""A study is added or removed by rows alone, in a copy of the real data."""

import csv
import functools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

import evidence
from evidence.audit import audit
from evidence.build.stage import plan, read_project
from evidence.display import answers_table, evidence_table, publish, representation
from evidence.display.model import Figure

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
    "tests": [{"row_id": "invented-t001", **PLACE, "study_id": NEW, "outcome_id": "platelets_ge50",
               "analysis_set": "randomised", "time": "8", "time_unit": "week", "arms": "drug|placebo", "p": "0.500"}],
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


def run(notebook: Path, folder: Path, monkeypatch, *, write=False, **parameters: str) -> dict[str, object]:
    """Run a chapter's code here, on the data in a folder, and return what it shows by label, written out if asked."""
    shown: list[object] = []
    monkeypatch.setattr(publish, "show", lambda item: shown.append(item) or (write and representation(item)))
    monkeypatch.setattr(evidence, "dataset", loaded)
    monkeypatch.chdir(notebook.parent)
    names: dict[str, object] = {}
    found: dict[str, object] = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, notebook.name, "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= {"data_dir": str(folder), **parameters}
            label = re.search(r"label: (\S+)", cell.source)
            found |= {f"{label[1] if label else 'prose'} {len(found)}": item for item in shown}
            shown.clear()
    return {label.split(" ")[0]: item for label, item in found.items()}


loaded = functools.lru_cache(maxsize=2)(evidence.dataset)


def words(item) -> str:
    """Return all that a reader sees of an item in words."""
    if isinstance(item, Figure):
        return f"{item.caption}\n{item.alt}"
    return representation(item)[0]["text/plain"]


def chapters() -> list[Path]:
    return [*sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT / "index.ipynb"]


@pytest.mark.slow
def test_an_added_study_has_its_line_in_the_evidence_table(folder):
    add(folder)
    (row,) = [row for row in evidence_table(evidence.load(folder)).rows if row[0].text == "Invented trial"]
    assert [cell.text for cell in row] == [
        "Invented trial",
        "ITP",
        "Randomised trial",
        "200",
        "2",
        "0",
        "1",
        "0",
    ]


def test_an_added_study_has_its_own_page_with_its_results_and_tests(folder, monkeypatch):
    add(folder)
    jobs = plan(ROOT, read_project(ROOT), evidence.load(folder), P)
    assert f"notebooks/study_{NEW}.ipynb" in [job.target for job in jobs]
    page = run(ROOT / "notebooks" / "study.ipynb", folder, monkeypatch, study_id=NEW)
    assert "hetrombopag 2.5 mg" in words(page["tbl-study-card"]).lower()
    assert "55/100" in words(page["tbl-study-results"])
    assert "P = 0.500" in words(page["tbl-study-tests"])
    assert "≠" in words(page["tbl-study-tests"])


@pytest.mark.slow
def test_an_added_study_is_drawn_and_listed_with_the_others(folder, monkeypatch):
    add(folder)
    shown = run(ROOT / "notebooks" / "itp_trials.ipynb", folder, monkeypatch)
    for label in (
        "tbl-itp-studies",
        "fig-itp-across",
        "tbl-itp-across",
        "fig-itp-effects",
        "tbl-itp-effects",
    ):
        assert "Invented trial" in words(shown[label]), label
        assert NEW in set(shown[label].data["study_id"]), label


def test_an_added_study_is_audited(folder):
    add(folder)
    findings = audit(evidence.load(folder))
    own = findings[findings["study_id"] == NEW]
    wrong = own[own["row_id"].str.contains("invented-t001") & (own["verdict"] == "inconsistent")]
    assert len(wrong)
    assert set(wrong["reported"].str.contains("0.500")) == {True}


def test_an_added_study_enters_every_answer_that_it_fits_and_no_other(folder):
    before = evidence.load(folder)
    add(folder)
    after = evidence.load(folder)
    answers = {q: evidence.answer(q, after, P) for q in after.questions["question_id"]}
    assert [q for q, one in answers.items() if NEW in one.studies] == ["itp_p3_2_5"]
    assert answers["itp_p3_2_5"].studies == ("itp_phase3", NEW)
    assert answers["itp_p3_2_5"].effect.estimate != evidence.answer("itp_p3_2_5", before, P).effect.estimate
    assert "268 (2)" not in str(answers_table([evidence.answer("itp_p3_2_5", before, P)], before, P).rows)


@pytest.mark.slow
def test_a_study_entered_with_the_fixed_columns_alone_takes_part_everywhere(folder):
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    add(folder)
    for table in package["resources"]:
        optional = {field["name"] for field in table["schema"]["fields"] if "default" in field}
        columns, rows = read(folder / f"{table['name']}.csv")
        kept = [column for column in columns if column not in optional]
        write(folder / f"{table['name']}.csv", kept, [{key: row[key] for key in kept} for row in rows])
    data = evidence.load(folder)
    assert "category_label" not in read(folder / "counts.csv")[0]
    assert NEW in evidence.answer("itp_p3_2_5", data, P).studies
    assert NEW in set(audit(data)["study_id"])
    assert "Invented trial" in words(evidence_table(data))


OWN = {
    "saa_pilot": ["saa_pilot"],
    "itp_realworld": ["itp_realworld"],
    "cit_cohort": ["cit_efficacy", "cit_safety"],
    "itp_phase3": ["itp_trials"],
}


@pytest.mark.parametrize("study", OWN)
def test_the_chapter_of_a_removed_study_says_that_nothing_is_available(folder, monkeypatch, study):
    remove(folder, study)
    for name in OWN[study]:
        shown = run(ROOT / "notebooks" / f"{name}.ipynb", folder, monkeypatch)
        told = [words(item) for item in shown.values()]
        assert any("No rows in the data" in text or "No data" in text for text in told), name


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("study", OWN)
def test_no_chapter_breaks_without_a_study(folder, monkeypatch, study):
    remove(folder, study)
    for chapter in chapters():
        for label, item in run(chapter, folder, monkeypatch, write=True).items():
            frame = getattr(item, "data", None)
            listed = set(frame["study_id"]) if frame is not None and "study_id" in frame else set()
            assert study not in listed, (chapter.name, label)


def test_a_study_without_a_single_result_has_a_page_that_says_so(folder, monkeypatch):
    columns, rows = read(folder / "studies.csv")
    bare = {
        "row_id": "invented-s001",
        "locator": "",
        "source_id": "saa_pilot",
        "study_id": NEW,
        "label": "Bare trial",
    }
    write(folder / "studies.csv", columns, [*rows, bare | {"locator": "Text", "origin": "seed"}])
    page = run(ROOT / "notebooks" / "study.ipynb", folder, monkeypatch, study_id=NEW)
    assert "Bare trial" in words(page["tbl-study-card"])
    for label in ("tbl-study-results", "tbl-study-measurements", "tbl-study-tests", "tbl-study-claims"):
        assert "No rows in the data" in words(page[label]), label


@pytest.mark.parametrize("study", ["saa_pilot", "itp_realworld", "cit_cohort", "itp_phase3", "race"])
def test_a_removed_study_leaves_answers_that_say_so(folder, study):
    remove(folder, study)
    data = evidence.load(folder)
    answers = [evidence.answer(q, data, P) for q in data.questions["question_id"]]
    assert all(study not in one.studies for one in answers)
    assert all(one.sentence for one in answers)
    assert any("No data on" in one.sentence for one in answers)
    assert len(answers_table(answers, data, P).rows) == len(answers)


PHASE_3 = {"hpag_2_5": 1, "hpag_5": 1, "placebo": 1}


def asked(data, **changed):
    """Return the answer to the question on the phase 3 trial, asked more widely."""
    questions = data.questions.copy()
    chosen = questions["question_id"] == "itp_p3_2_5"
    for name, value in ({"population": "", "designs": ""} | changed).items():
        questions.loc[chosen, name] = value
    return evidence.answer("itp_p3_2_5", replace(data, questions=questions), P)


def test_a_result_printed_in_several_documents_counts_once():
    """The phase 3 trial stands in the trial report and, several times, in a document that quotes it."""
    counts = evidence.load(ROOT / "data").counts
    trial = counts[(counts["study_id"] == "itp_phase3") & (counts["outcome_id"] == "platelets_ge50")]
    week_8 = trial[(trial["time"] == 8) & (trial["subgroup"] == "")]
    assert week_8["source_id"].nunique() > 1
    assert week_8.groupby("arm_id").size().min() >= 3
    counted = week_8[week_8["counted"]]
    assert counted.groupby("arm_id").size().to_dict() == PHASE_3
    assert set(counted["tier"]) == {"primary"}
    assert set(week_8.loc[~week_8["counted"], "same_as"]) == set(counted["row_id"])


WIDER = {
    "itp_persistent": {},
    "itp_phase3_extension": {
        "outcome_id": "platelets_ge30_doubled",
        "comparator": "",
        "treatment_dose": np.nan,
        "time_low": np.nan,
        "time_high": np.nan,
        "time_unit": "",
    },
}


@pytest.mark.parametrize("part", WIDER)
def test_patients_of_a_trial_are_not_counted_again_in_a_part_of_it(part):
    """The post hoc analysis and the extension answer the wider question, with patients of the trial."""
    data = evidence.load(ROOT / "data")
    found = asked(data, **WIDER[part])
    assert found.studies == ("itp_phase3",)
    assert set(found.excluded.loc[found.excluded["reason"].str.startswith("shares"), "study_id"]) == {part}
    loose = replace(data, studies=data.studies.assign(parent_study_id=""))
    apart = asked(loose, **WIDER[part])
    assert apart.studies == ("itp_phase3", part)
    assert apart.included["n"].sum() > found.included["n"].sum()
