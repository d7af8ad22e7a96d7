"""Two clean builds in surroundings that have nothing in common but the project give the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.build.provenance import hashes

from ..conftest import write_project
from .conftest import MEASURING

ROOT = Path(__file__).parents[2]
PARTS = [
    "_quarto.yml",
    "_variables.yml",
    "index.ipynb",
    "notebooks",
    "data",
    "scenarios",
    "assets",
    "benchmarks",
    "README.md",
    "Makefile",
]
PLAIN = {
    "LC_ALL": "C",
    "LANG": "C",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "umask": "022",
    "jobs": "1",
    "folder": "a",
}
OTHERS = {
    "time zone ahead": {"TZ": "Pacific/Kiritimati"},
    "time zone behind by half hours": {"TZ": "America/St_Johns"},
    "locale": {"LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"},
    "locale that is none": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "LANGUAGE": "tr"},
    "posix": {"LC_ALL": "POSIX", "LANG": ""},
    "umask": {"umask": "077"},
    "hash seed": {"PYTHONHASHSEED": "12345"},
    "jobs": {"jobs": "2"},
    "folder": {"folder": "a folder with ünusual 'name' & a long one " + "x" * 60},
    "home and columns": {"HOME": "/nowhere", "COLUMNS": "20", "NO_COLOR": "1", "TERM": "dumb"},
    "all at once": {
        "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "umask": "077",
        "jobs": "2", "folder": "b/c d",
    },
}  # fmt: skip
# What measures coverage learns nothing from a whole report that it does not learn from a small one.
UNMEASURED = dict.fromkeys(MEASURING, "")

pytestmark = [pytest.mark.slow]


def build(source: Path, place: Path, more: list[str], **how: str) -> dict[str, str]:
    """Build in a copy of a project, in the surroundings given, and return every file's hash.

    Executed notebooks are among them; the record of the report is, too.
    """
    said = {**PLAIN, **how}
    root = Path(shutil.copytree(source, place / said.pop("folder")))
    umask, jobs = said.pop("umask"), said.pop("jobs")
    command = [sys.executable, "-m", "evidence", "report", "--renderer", "builtin", "--jobs", jobs, *more]
    made = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, **said},
        capture_output=True,
        text=True,
        check=False,
        umask=int(umask, 8),
    )
    assert made.returncode == 0, made.stderr
    report = hashes(root / "_report" / "default")
    report["provenance.json"] = hashes(root / "_report")["default/provenance.json"]
    stage = hashes(root / "_build" / "default" / "project")
    return report | {name: value for name, value in stage.items() if name.endswith(".ipynb")}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("source") / "project")


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return build(source, tmp_path_factory.mktemp("plain"), [])


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


@pytest.mark.parametrize("other", OTHERS)
def test_nothing_around_a_build_reaches_its_bytes(source, plain, tmp_path, other):
    assert {"index.ipynb", "index.html", "report.pdf", "audit.csv", "downloads/reproduce.zip"} <= set(plain)
    assert differing(build(source, tmp_path, [], **OTHERS[other]), plain) == []


def test_the_whole_report_has_the_same_bytes_in_two_places_locales_time_zones_and_with_other_jobs(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in PARTS:
        made = ROOT / name
        shutil.copytree(made, source / name) if made.is_dir() else shutil.copyfile(made, source / name)
    found = [
        build(source, tmp_path / name, [], **UNMEASURED, **how)
        for name, how in (("1", {}), ("2", OTHERS["all at once"]))
    ]
    assert len(found[0]) > 150
    assert differing(*found) == []


def test_source_date_epoch_is_the_date_of_the_paper_and_of_today_and_nothing_else_is(source, plain, tmp_path):
    """Without it the PDF's own date is a fixed day, and ``date: today`` prints no date."""
    dated = build(source, tmp_path / "dated", [], SOURCE_DATE_EPOCH="1700000000")
    assert differing(dated, plain) == ["provenance.json", "report.pdf"]
    import pypdf

    def of(root: Path) -> str:
        return str(pypdf.PdfReader(root / "_report/default/report.pdf").metadata.creation_date)

    assert of(tmp_path / "dated" / "a").startswith("2023-11-14 22:13:20")
    today = Path(shutil.copytree(source, tmp_path / "today"))
    settings = today / "_quarto.yml"
    settings.write_text(settings.read_text().replace("author: Nobody", "author: Nobody\n  date: today"))
    build(today, tmp_path / "with", [], SOURCE_DATE_EPOCH="1700000000")
    assert "14 November 2023" in (tmp_path / "with" / "a" / "_report/default/index.html").read_text()
    build(today, tmp_path / "without", [])
    assert of(tmp_path / "without" / "a").startswith("2020-01-01")


@pytest.mark.parametrize("given", ["yesterday", "-1", "1e9", "", "9" * 30])
def test_a_source_date_epoch_that_is_no_date_is_refused(source, tmp_path, given):
    with pytest.raises(AssertionError, match="give whole seconds since 1970-01-01, or unset it"):
        build(source, tmp_path, [], SOURCE_DATE_EPOCH=given)
