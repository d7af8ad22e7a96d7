"""What a build does not load."""

import subprocess
import sys

import pytest

LOADED = """
import sys
from evidence.build.quick import GRAMMARS, nbformat
import papermill
assert "lark" not in sys.modules and GRAMMARS not in sys.modules
from nbformat import v4
nbformat.validate(v4.new_notebook(cells=[v4.new_markdown_cell("# Words")]))
try:
    nbformat.validate({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "odd"}]})
except nbformat.ValidationError:
    print("refused")
"""
BEFORE = """
import sys, types
sys.modules["rfc3987_syntax"] = mine = types.ModuleType("rfc3987_syntax")
mine.is_valid_syntax = None
import evidence.build.quick
assert sys.modules["rfc3987_syntax"] is mine
"""

pytestmark = [pytest.mark.slow]


def run(source: str) -> str:
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_notebooks_are_checked_without_compiling_grammars_of_addresses():
    assert run(LOADED) == "refused\n"


def test_grammars_that_somebody_has_loaded_stay_loaded():
    run(BEFORE)
