"""Which notebooks a report consists of, and the project folder that the renderers read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evidence.build.commit import VARIABLES, variables
from evidence.build.files import write_whole
from evidence.build.notebooks import declared_values, read_notebook, specialise, to_text
from evidence.data import Dataset
from evidence.errors import BuildError
from evidence.parameters import Parameters
from evidence.project import ROOT_MARK

TEMPLATE = "notebooks/study.ipynb"
ASSETS = "assets"
SYNTHESIS = "meta_analysis"  # in the design of a study that pools others
SYNTHESES, OTHER = "syntheses", "label and pharmacology"  # groups of study pages beside the indications
DESIGNS = (  # in the order in which the pages of a group stand; a design that is not told comes last
    ("randomised_trial",),
    ("controlled_trial",),
    ("extension", "post_hoc_analysis", "dose_finding"),
    ("matched_cohort", "cohort"),
    ("single_arm",),
    ("case_series",),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to execute: its source in the project, its place in the stage, what is injected."""

    source: str
    target: str
    injected: dict[str, Any]


def read_project(root: Path) -> dict[str, Any]:
    """Return the content of ``_quarto.yml``.

    Raises:
        BuildError: it is not readable, or no book with chapters.
    """
    try:
        project = yaml.safe_load((root / ROOT_MARK).read_text(encoding="utf-8"))
        project["book"]["chapters"][0]
    except (OSError, yaml.YAMLError, KeyError, TypeError, IndexError) as error:
        raise BuildError(
            f"{ROOT_MARK}: give a book with chapters ({type(error).__name__}: {error})"
        ) from error
    return dict(project)


def chapters_of(project: dict[str, Any]) -> list[str]:
    """Return the notebooks of the book in reading order, those inside parts and appendices included."""
    book = project["book"]
    return [
        name for name in _flatten([*book["chapters"], *book.get("appendices", [])]) if name.endswith(".ipynb")
    ]


def _flatten(items: list[Any]) -> list[str]:
    names: list[str] = []
    for item in items:
        if isinstance(item, dict):
            names += _flatten(item.get("chapters", []))
        else:
            names.append(str(item))
    return names


def study_page(study_id: str) -> str:
    """Return the place of a study's page in the stage.

    >>> study_page("trial_a")
    'notebooks/study_trial_a.ipynb'
    """
    return TEMPLATE.replace(".ipynb", f"_{study_id}.ipynb")


def plan(root: Path, project: dict[str, Any], data: Dataset, parameters: Parameters) -> list[Job]:
    """Return the jobs of a report: every chapter once, and the study template once per study."""
    jobs: list[Job] = []
    for name in chapters_of(project):
        declared = declared_values(read_notebook(root / name))
        if name == TEMPLATE:
            jobs += [_study_job(name, study, declared, parameters) for study in data.studies["study_id"]]
        else:
            jobs.append(Job(name, name, _injected(declared, parameters)))
    return jobs


def _study_job(name: str, study: str, declared: dict[str, Any], parameters: Parameters) -> Job:
    return Job(name, study_page(study), {**_injected(declared, parameters), "study_id": study})


def _injected(declared: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Return what must be injected: declared by the notebook, and other than the notebook's own default."""
    values = parameters.values()
    return {name: values[name] for name in declared if name in values and values[name] != declared[name]}


def write_stage(stage: Path, root: Path, project: dict[str, Any], data: Dataset) -> None:
    """Write a fresh project folder: ``_quarto.yml`` with one page per study, and the assets."""
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    if (root / ASSETS).is_dir():
        shutil.copytree(root / ASSETS, stage / ASSETS)
    if content := variables(root):
        (stage / VARIABLES).write_bytes(content)
    groups = study_groups(data)
    book = {**project["book"], "chapters": _expand(project["book"]["chapters"], groups)}
    write_whole(
        stage / ROOT_MARK, yaml.safe_dump({**project, "book": book}, sort_keys=False, allow_unicode=True)
    )


def study_groups(data: Dataset) -> dict[str, list[str]]:
    """Return the pages of the studies by what they belong to: an indication, the syntheses, and all else.

    Within a group those that were randomised come first, then others with a comparison, then those with one
    arm; studies of a kind keep the order of the data.
    """
    studies = data.studies[["study_id", "indication", "design"]].astype(str)
    found: dict[str, list[tuple[int, str]]] = {}
    for study, indication, design in studies.itertuples(index=False):
        group = SYNTHESES if SYNTHESIS in design else indication or OTHER
        found.setdefault(group, []).append((_rank(design), study_page(study)))
    last = [name for name in (SYNTHESES, OTHER) if name in found]
    order = [*(name for name in found if name not in last), *last]
    return {name: [page for _, page in sorted(found[name], key=lambda one: one[0])] for name in order}


def _rank(design: str) -> int:
    return next((place for place, names in enumerate(DESIGNS) if design in names), len(DESIGNS))


def _expand(items: list[Any], groups: dict[str, list[str]]) -> list[Any]:
    """Return the chapters with the pages of the studies: in a part of their own, a part for each group."""
    expanded: list[Any] = []
    for item in items:
        if isinstance(item, dict) and item.get("chapters") == [TEMPLATE]:
            expanded += [
                {**item, "part": f"{item['part']}: {name}", "chapters": pages}
                for name, pages in groups.items()
            ]
        elif isinstance(item, dict) and "chapters" in item:
            expanded.append({**item, "chapters": _expand(item["chapters"], groups)})
        else:
            expanded += [page for pages in groups.values() for page in pages] if item == TEMPLATE else [item]
    return expanded


def source_text(job: Job, root: Path, data: Dataset) -> str:
    """Return the notebook that is executed for a job, made the study's own where it is a study page."""
    notebook = read_notebook(root / job.source)
    if job.source == TEMPLATE:
        study = job.injected["study_id"]
        specialise(notebook, study, data.label("studies", study))
    return to_text(notebook)
