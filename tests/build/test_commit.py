import subprocess

import pytest
import yaml

from evidence.build.commit import VARIABLES, last_commit, variables


def git(folder, *command):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *command], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    (tmp_path / VARIABLES).write_text("season: spring\ncommit: not recorded\n", encoding="utf-8")
    (tmp_path / "_quarto.yml").write_text("project: {type: book}\n", encoding="utf-8")
    return tmp_path


def test_the_pages_name_the_last_commit_that_changed_an_input(project):
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "begin")
    first = last_commit(project)
    (project / "other.txt").write_text("no input", encoding="utf-8")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "nothing that a report is made from")
    assert yaml.safe_load(variables(project)) == {"season": "spring", "commit": first}
    assert len(first) == 40


def test_outside_a_repository_the_commit_stays_as_it_is_written(project, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert last_commit(project) == ""
    assert yaml.safe_load(variables(project))["commit"] == "not recorded"


def test_a_project_without_variables_gets_none(tmp_path):
    assert variables(tmp_path) is None
