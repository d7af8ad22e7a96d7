"""Each notebook declares exactly the parameters that its cells read: what is not declared cannot be changed."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.build.stage import chapters_of, read_project

ROOT = Path(__file__).parents[1]
SUBJECT = "notebooks/study.ipynb"
EVERY = {SUBJECT, "notebooks/methods.ipynb"}  # they show or serve every parameter
EVERYWHERE = {"rounding"}  # every number that is formatted follows it

# Run in a process of its own, since it watches every access to a parameter.
WATCH = """
import ast, json, sys
import nbformat
from evidence import parameters
from evidence.parameters import PARAMETERS, Parameters

names, read = {spec.name for spec in PARAMETERS}, set()
WHOLE = ("parameters.py", "dataclasses.py", "<string>")  # where all of them are read at once
ordinary = Parameters.__getattribute__


def watched(self, name):
    if name in names and not sys._getframe(1).f_code.co_filename.endswith(WHOLE):
        read.add(name)
    return ordinary(self, name)


def drawn():
    read.add("theme")
    return look()


Parameters.__getattribute__ = watched
look, parameters.theme = parameters.theme, drawn
space, declared = {}, set()
for cell in nbformat.read(sys.argv[1], as_version=4).cells:
    if cell.cell_type == "code":
        if "parameters" in cell.metadata.get("tags", []):
            declared = {node.targets[0].id for node in ast.parse(cell.source).body}
        exec(cell.source, space)
print(json.dumps([sorted(declared - {"study_id"}), sorted(read - {"study_id"})]), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("name", chapters_of(read_project(ROOT)))
def test_a_notebook_declares_the_parameters_that_it_reads(name: str):
    path = ROOT / name
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCH, str(path)],
        cwd=path.parent,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=True,
    )
    declared, read = ast.literal_eval(run.stderr.splitlines()[-1])
    assert sorted((set(read) | EVERYWHERE) - set(declared)) == []
    if name not in EVERY:
        assert sorted(set(declared) - set(read) - EVERYWHERE) == []
