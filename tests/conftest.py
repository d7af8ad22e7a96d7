"""A small invented project: another drug, another disease, two notebooks. It shows that the engine is neutral."""

import csv
import json
import os
import runpy
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from nbformat import v4

from evidence.build.notebooks import to_text
from evidence.display import theme

ROOT = Path(__file__).parents[1]

# No test asks the network, nor any process that a test starts.
GUARD = Path(__file__).parent / "guard"
if str(GUARD) not in os.environ.get("PYTHONPATH", ""):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
runpy.run_path(str(GUARD / "sitecustomize.py"))

# The same examples on every machine, and no verdict on how fast the machine is.
EXAMPLES = int(os.environ.get("EVIDENCE_EXAMPLES", "25"))  # of a property; `make assure` asks for more
settings.register_profile("tests", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("tests")

# Files that take longest are begun first, so that no worker is left alone with one at the end.
LONGEST = (
    "test_changed_rows.py",
    "test_add_study.py",
    "test_report.py",
    "test_kernels.py",
    "test_declared.py",
    "test_cli.py",
    "test_pages.py",
    "test_tables.py",
    "test_sweep.py",
    "test_incremental.py",
)


@pytest.fixture(scope="session", autouse=True)
def fonts() -> tuple[str, ...]:
    """Find the fonts before a test makes another folder the project's: a process looks for them once."""
    return theme.font_family()


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes of a test run unmeasured: others reach the same lines, and measuring doubles the time."""
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


TABLES = {
    "sources": [{"source_id": "doc", "citekey": "doc2020", "title": "A trial", "kind": "article", "tier": "primary", "year": "2020"}],
    "studies": [
        {"study_id": "trial_a", "label": "Trial A", "indication": "SAA", "population": "adults", "design": "randomised_trial",
         "randomised": "yes", "n": "100", "status": "completed", "origin": "seed", "period": "2019"}
    ],
    "arms": [
        {"study_id": "trial_a", "arm_id": "drug", "label": "Drug", "components": "drug", "n": "50", "role": "experimental", "node": "drug"},
        {"study_id": "trial_a", "arm_id": "placebo", "label": "Placebo", "components": "placebo", "n": "50", "role": "placebo", "node": "placebo"},
    ],
    "outcomes": [{"outcome_id": "cured", "label": "Cured", "domain": "efficacy", "type": "binary", "better": "higher"}],
    "counts": [
        {"study_id": "trial_a", "arm_id": arm, "outcome_id": "cured", "analysis_set": "randomised", "time": "6", "time_unit": "month",
         "events": events, "n": "50", "n_basis": "printed", "percent": percent, "basis": "printed"}
        for arm, events, percent in (("drug", "30", "60.0"), ("placebo", "20", "40.0"))
    ],
    "questions": [
        {"question_id": "cured_6m", "title": "Cure at 6 months", "indication": "SAA", "population": "adults", "treatment": "drug",
         "comparator": "placebo", "outcome_id": "cured", "time_low": "6", "time_high": "6", "time_unit": "month",
         "measure": "RR", "important_per_1000": "100", "order": "1"}
    ],
}  # fmt: skip
UNDOCUMENTED = {"sources", "outcomes", "questions", "certainty"}
QUARTO = """\
project: {type: book, output-dir: _book}
book:
  title: An invented report
  author: Nobody
  output-file: report
  chapters: [index.ipynb, notebooks/study.ipynb]
execute: {enabled: false}
format: {html: {code-fold: true}, typst: {echo: false}}
"""


def fields() -> dict[str, list[str]]:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    return {
        item["name"]: [field["name"] for field in item["schema"]["fields"]] for item in package["resources"]
    }


def write_tables(folder: Path, tables: dict[str, list[dict[str, str]]] = TABLES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "data" / "datapackage.json", folder / "datapackage.json")
    for name, columns in fields().items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            for number, row in enumerate(tables.get(name, []), start=1):
                place = {
                    "row_id": f"doc-{name[0]}{number:03d}",
                    "source_id": "doc",
                    "locator": f"Table {number}",
                }
                writer.writerow(row if name in UNDOCUMENTED else place | row)


def notebook(title: str, parameters: str, *cells: str) -> str:
    tagged = v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    made = v4.new_notebook(cells=[v4.new_markdown_cell(f"# {title}"), tagged, *map(v4.new_code_cell, cells)])
    made.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return to_text(made)


SET_UP = "import evidence\n\np = evidence.Parameters.of(globals())\ndata = evidence.load(p.data_dir)"
INDEX = notebook(
    "Summary",
    'confidence_level = 0.95\ndata_dir = "data"',
    SET_UP,
    'print(evidence.answer("cured_6m", data, p).sentence)',
)
STUDY = notebook(
    "One study {#sec-study}",
    'study_id = ""\nconfidence_level = 0.95\ndata_dir = "data"',
    SET_UP,
    "print(study_id or data.studies['study_id'].iloc[0], p.confidence_level)",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_project(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


def write_project(root: Path) -> Path:
    write_tables(root / "data")
    (root / "notebooks").mkdir()
    (root / "scenarios").mkdir()
    (root / "_quarto.yml").write_text(QUARTO, encoding="utf-8")
    (root / "index.ipynb").write_text(INDEX, encoding="utf-8")
    (root / "notebooks" / "study.ipynb").write_text(STUDY, encoding="utf-8")
    (root / "scenarios" / "default.yml").write_text(
        "title: Default\nreason: none\nparameters: {}\n", encoding="utf-8"
    )
    return root
