"""The real report, built at two confidence levels in a copy of the project."""

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
import pypdf
import pytest

from evidence.build import Request, build_report, read_scenario
from evidence.build.links import link
from evidence.build.notebooks import ANCHOR

from .render.printed import misprints

ROOT = Path(__file__).parents[1]
PARTS = [
    "_quarto.yml",
    "_variables.yml",
    "index.ipynb",
    "notebooks",
    "data",
    "scenarios",
    "assets",
    "benchmarks",
]


# They show other scenarios, each at its own level, beside the report.
SCENARIOS = ("tbl-scenarios", "fig-scenarios")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report") / "project"
    root.mkdir()
    for name in PARTS:
        source = ROOT / name
        shutil.copytree(source, root / name) if source.is_dir() else shutil.copyfile(source, root / name)
    return root


def build(root: Path, name: str, formats: tuple[str, ...] = ("html", "pdf"), **parameters: object) -> Path:
    path = root / f"{name}.yml"  # beside the project's own scenarios, whose chapter stays as it is
    path.write_text(json.dumps({"title": name, "parameters": parameters}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return build_report(
            Request(root, read_scenario(str(path), root), renderer="builtin", formats=formats)
        )


@pytest.fixture(scope="module")
def standard(project: Path) -> Path:
    return build(project, "standard", ("html",))


@pytest.fixture(scope="module")
def printed(project: Path, standard: Path) -> Path:
    """Return the same report with its PDF; no notebook runs again."""
    return build(project, standard.name)


@pytest.fixture(scope="module")
def narrow(project: Path) -> Path:
    return build(project, "narrow", ("html",), confidence_level=0.9)


COMMITTED = [ROOT / "index.ipynb", *sorted((ROOT / "notebooks").glob("*.ipynb"))]


def executed(report: Path) -> list[Path]:
    """Return the notebooks that a report was made from."""
    return sorted((report.parents[1] / "_build" / report.name / "project").rglob("*.ipynb"))


def cells(notebooks: Iterable[Path]) -> Iterator[nbformat.NotebookNode]:
    for path in notebooks:
        yield from nbformat.read(path, as_version=4).cells


def outputs(report: Path) -> dict[str, dict[str, str]]:
    """Return what every labelled output of a report says of itself, by label."""
    return labelled(executed(report))


def labelled(notebooks: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Return what every labelled output says of itself, by label."""
    said: dict[str, dict[str, str]] = {}
    for cell in cells(notebooks):
        if label := re.search(r"^#\| label: (\S+)", cell.source, re.M):
            for output in cell.get("outputs", []):
                about = output.get("metadata", {}).get("evidence")
                if about and about["kind"] != "part":
                    said[label.group(1)] = about | {"text": output["data"].get("text/markdown", "")}
    return said


@pytest.mark.slow
def test_pages_hold_every_study(standard: Path):
    for study in ("saa_pilot", "itp_realworld", "cit_cohort"):
        assert (standard / "notebooks" / f"study_{study}.html").is_file()


@pytest.mark.slow
def test_nothing_in_the_pdf_is_printed_over_something_else_or_in_the_margin(printed: Path):
    pages = pypdf.PdfReader(printed / "report.pdf").pages
    assert len(pages) > 100
    assert [
        f"p. {number}: {found}" for number, page in enumerate(pages, 1) for found in misprints(page)
    ] == []


@pytest.mark.slow
def test_default_notebooks_of_the_report_are_the_committed_ones(standard: Path):
    stage = standard.parents[1] / "_build" / standard.name / "project"
    labels = {label for path in stage.rglob("*.ipynb") for label in ANCHOR.findall(path.read_text())}
    for path in COMMITTED:
        if path.name != "study.ipynb":
            committed = link(path.read_text(), labels)
            assert (stage / path.relative_to(ROOT)).read_text() == committed, f"run evidence refresh: {path}"


@pytest.mark.slow
def test_every_figure_and_table_has_its_tidy_data(standard: Path):
    for label, about in outputs(standard).items():
        kind = {"table": "tables", "figure": "figures"}[about["kind"]]
        if about["csv"]:
            assert (standard / kind / f"{label}.csv").read_text() == about["csv"]
            assert len(list(csv.reader(io.StringIO(about["csv"])))) > 1


def without_numbers(said: dict[str, dict[str, str]]) -> list[str]:
    """Return the figures whose alternative text is short or names no number."""
    figures = {label: about["alt"] for label, about in said.items() if about["kind"] == "figure"}
    assert len(figures) >= 6
    return [label for label, alt in figures.items() if len(alt) <= 60 or not re.search(r"\d", alt)]


def test_every_figure_has_alt_text_with_numbers():
    assert without_numbers(labelled(COMMITTED)) == []


@pytest.mark.slow
def test_every_figure_of_the_pages_on_studies_has_alt_text_with_numbers(standard: Path):
    assert without_numbers(outputs(standard)) == []


@pytest.mark.slow  # the whole report a second time
def test_another_confidence_level_leaves_no_number_of_the_default_behind(standard: Path, narrow: Path):
    before, after = outputs(standard), outputs(narrow)
    assert before.keys() == after.keys()
    for label, about in after.items():
        if label not in SCENARIOS:
            assert "95%" not in about["caption"] + about["alt"], label
    changed = [label for label in before if "95%" in before[label]["caption"] + before[label]["alt"]]
    assert len(changed) >= 12
    for label in changed:
        assert (
            after[label]["caption"] + after[label]["alt"] != before[label]["caption"] + before[label]["alt"]
        )


def limits(about: dict[str, str]) -> list[list[tuple[str, str]]]:
    """Return the pairs of limits in a tidy table, row by row, save those of adjusted effects, which are as printed."""
    rows = list(csv.DictReader(io.StringIO(about["csv"])))
    names = [name for name in (rows[0] if rows else {}) if not name.startswith("adjusted_")]
    lows = [name for name in names if name == "low" or name.endswith("_low")]
    return [[(row[low], row[low.replace("low", "high")]) for low in lows] for row in rows]


COMPUTED = ["tbl-answers", "tbl-saa-response", "fig-saa-response", "fig-saa-severity", "tbl-cit-events"]
COMPUTED += ["fig-cit-pairs", "tbl-itp-rates", "fig-itp-stage", "fig-itp-bounds"]


@pytest.mark.slow
@pytest.mark.parametrize("label", COMPUTED)
def test_another_confidence_level_changes_every_computed_interval(standard: Path, narrow: Path, label: str):
    before, after = (limits(outputs(report)[label]) for report in (standard, narrow))
    assert len(before) == len(after) >= 3
    pairs = [pair for old, new in zip(before, after, strict=True) for pair in zip(old, new, strict=True)]
    computed = [(old, new) for old, new in pairs if all(old)]
    assert len(computed) >= 3
    assert all(old != new for old, new in computed)


@pytest.mark.slow
def test_provenance_names_parameters_and_hashes_every_file(standard: Path):
    made = json.loads((standard / "provenance.json").read_text())
    assert (made["changed_parameters"], made["parameters"]["confidence_level"]) == ({}, 0.95)
    files = {path.relative_to(standard).as_posix() for path in standard.rglob("*") if path.is_file()}
    assert set(made["files"]) == files - {"provenance.json"}


def complaints(notebooks: Iterable[Path]) -> list[str]:
    found = (output for cell in cells(notebooks) for output in cell.get("outputs", []))
    return [output["text"] for output in found if output.get("name") == "stderr"]


def test_no_committed_notebook_writes_to_standard_error():
    assert complaints(COMMITTED) == []


@pytest.mark.slow
def test_no_notebook_writes_to_standard_error(standard: Path):
    assert complaints(executed(standard)) == []
