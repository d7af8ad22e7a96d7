"""What the project stands on: every package pinned with its hashes, its licence known and allowed."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


sys.path.append(str(ROOT))
lock, licences, dictionary = (import_module(f"tools.{name}") for name in ("lock", "licences", "dictionary"))
PINS = lock.read_lock()
FURTHER = lock.read_lock(ROOT / "requirements-assure.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wanted():
    project = PROJECT["project"]
    extras = [one for many in project["optional-dependencies"].values() for one in many]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def test_every_locked_package_has_hashes():
    assert len(PINS) > 100
    assert [pin.name for pin in (*PINS, *FURTHER) if not pin.hashes] == []


def test_what_assurance_needs_is_locked_at_the_same_versions():
    core = {pin.name: {one.version for one in PINS if one.name == pin.name} for pin in PINS}
    assert [pin.name for pin in FURTHER if pin.version not in core.get(pin.name, {pin.version})] == []
    names = {pin.name for pin in FURTHER}
    assert {
        canonicalize_name(Requirement(line).name) for line in PROJECT["dependency-groups"]["assure"]
    } <= names


def test_no_line_of_the_lock_names_a_place_to_download_from():
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("requirements*.txt"))
    assert not re.search(r"https?://|--index-url|--find-links|--trusted-host|@ file", text)


def test_a_line_without_a_pin_is_refused(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text("pandas>=3 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(ValueError, match="pins nothing: pandas"):
        lock.read_lock(path)


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_every_dependency_is_locked_at_a_version_that_fits(requirement):
    name = canonicalize_name(requirement.name)
    pins = [pin for pin in PINS if pin.name == name]
    assert pins, f"run make lock: {name} is not locked"
    assert all(requirement.specifier.contains(pin.version) for pin in pins)


def test_every_dependency_says_why_it_is_there():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    further = [Requirement(line) for line in PROJECT["dependency-groups"]["assure"]]
    for requirement in [*wanted(), *further]:
        assert re.search(rf'"{re.escape(requirement.name)}\b[^"]*",\s+# \w', text), requirement.name


def test_what_is_installed_is_what_is_locked():
    for pin in PINS:
        if pin.here:
            assert version(pin.name) == pin.version, f"make report installs the lock: {pin.name}"


def test_installed_packages_fit_together():
    run = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


ROWS = licences.rows()


def test_every_licence_is_known_and_allowed():
    assert [(pin.name, licence) for pin, licence, _ in ROWS if not licences.allowed(pin.name, licence)] == []


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "Proprietary", "AGPL-3.0-only OR SSPL-1.0"]
)
def test_a_licence_that_is_unknown_or_binds_the_whole_is_refused(licence):
    assert not licences.allowed("anything", licence)


def test_one_allowed_choice_is_enough():
    assert licences.allowed("anything", "MIT OR GPL-3.0-only")


def test_packages_for_tests_alone_are_not_imported_by_the_engine():
    needed = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    assert not needed & set(licences.TESTS_ONLY)
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not any(re.search(rf"^\s*(import|from) {name}\b", text, re.M) for name in licences.TESTS_ONLY)


def test_the_list_of_licences_is_current():
    said = licences.PAGE.read_text(encoding="utf-8")
    elsewhere = next(line for line in said.splitlines() if line.startswith("Locked for other systems"))
    for pin, licence, remark in ROWS:
        assert f"| {pin.name} | {pin.version} | {licence} | {remark} |" in said or pin.name in elsewhere, (
            f"run python -m tools.licences: {pin.name}"
        )


def test_the_data_dictionary_is_current():
    package = json.loads(dictionary.PACKAGE.read_text(encoding="utf-8"))
    assert dictionary.PAGE.read_text(encoding="utf-8") == dictionary.page(package), (
        "run python -m tools.dictionary"
    )


def test_the_data_dictionary_names_every_column_and_its_allowed_values():
    package = json.loads(dictionary.PACKAGE.read_text(encoding="utf-8"))
    said = dictionary.page(package)
    for table in package["resources"]:
        for field in table["schema"]["fields"]:
            assert f"| `{field['name']}` | {field['type']} |" in said
            for value in field.get("constraints", {}).get("enum", []):
                assert str(value) in said
