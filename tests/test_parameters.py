import ast
import re
from pathlib import Path

import nbformat
import pytest

from evidence import format as fmt
from evidence import parameters
from evidence.build.notebooks import declared_values
from evidence.build.stage import chapters_of, read_project
from evidence.errors import ParameterError
from evidence.parameters import PARAMETERS, Parameters
from evidence.scenarios import read_scenario

ROOT = Path(__file__).parents[1]
NOTEBOOKS = chapters_of(read_project(ROOT))


def test_every_parameter_has_a_meaning_and_an_allowed_default():
    for spec in PARAMETERS:
        assert len(spec.meaning) > 20
        assert spec.faults(spec.default) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_defaults_are_the_declared_defaults(name: str):
    declared = declared_values(nbformat.read(ROOT / name, as_version=4))
    assert declared, "every notebook has a parameters cell"
    defaults = {spec.name: spec.default for spec in PARAMETERS}
    assert declared == {key: defaults[key] for key in declared}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_declares_each_parameter_that_it_reads(name: str):
    notebook = nbformat.read(ROOT / name, as_version=4)
    declared = declared_values(notebook)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
        assert names & {spec.name for spec in PARAMETERS} <= set(declared)


def test_parse_reports_all_faults_at_once_with_the_nearest_name():
    with pytest.raises(ParameterError) as caught:
        Parameters.parse({"confidenc_level": "0.9", "alpha": "7", "missing_data": "ignore"})
    message = str(caught.value)
    assert "did you mean confidence_level?" in message
    assert "alpha 7.0: give more than 0, less than 0.5" in message
    assert "missing_data 'ignore': give observed | failure | success" in message


@pytest.mark.parametrize("value", ["high", "", True, None, "nan", "inf", 1, 0.5, [0.9]])
def test_confidence_level_refuses_what_is_no_level(value: object):
    with pytest.raises(ParameterError, match="confidence_level"):
        Parameters.parse({"confidence_level": value})


def test_text_is_read_as_the_declared_type():
    assert Parameters.parse({"confidence_level": "0.90"}).confidence_level == 0.9


def test_changed_lists_only_what_differs_from_default():
    assert Parameters.parse({"alpha": "0.01", "effect_measure": "RR"}).changed() == {"alpha": 0.01}


def test_of_picks_declared_names_out_of_a_namespace():
    assert Parameters.of({"alpha": 0.01, "other": 1, "__name__": "x"}).alpha == 0.01


def test_whole_numbers_are_read_and_kept_in_their_range():
    assert Parameters.parse({"rounding": "3"}).rounding == 3
    for wrong in ("4", "-1", "1.5", True, 1.0, ""):
        with pytest.raises(ParameterError, match="whole number from 0 to 3"):
            Parameters.parse({"rounding": wrong})


def test_rounding_is_in_force_for_every_percentage_from_then_on():
    try:
        Parameters.of({"rounding": 2})
        assert fmt.risk(7 / 32, 0.1102, 0.3875) == "21.88% (11.02 to 38.75)"
        assert fmt.difference(1 / 3, None, None) == "+33.33"
        assert fmt.percent(1 / 3, 0) == "33%"
    finally:
        Parameters.of({})
    assert fmt.percent(7 / 32) == "21.9%"


def test_a_scenario_has_the_name_of_its_file_and_says_why():
    scenarios = [read_scenario(path.stem, ROOT) for path in (ROOT / "scenarios").glob("*.yml")]
    assert {"default", "conservative", "printed-only", "primary-only", "best-case"} <= {
        one.name for one in scenarios
    }
    for one in scenarios:
        level = f"{100 * one.parameters.confidence_level:g}%"
        assert all(told == level for told in re.findall(r"[\d.]+%", one.title))
    assert all(len(one.reason) > 40 and one.title for one in scenarios)
    assert len({tuple(one.parameters.values().values()) for one in scenarios}) == len(scenarios)


def test_a_default_at_the_end_of_its_range_belongs_to_it():
    assert Parameters.parse({"noninferiority_margin": "0"}).noninferiority_margin == 0.0
    assert Parameters.parse({"noninferiority_margin": 10}).noninferiority_margin == 10.0
    for wrong in ("-1", "50", "nan", "ten", True, ""):
        with pytest.raises(ParameterError, match=r"noninferiority_margin .*: give 0 or more, less than 50"):
            Parameters.parse({"noninferiority_margin": wrong})


def test_a_whole_number_is_a_number_in_a_notebook_cell_too():
    assert Parameters.of({"noninferiority_margin": 10}).noninferiority_margin == 10
    with pytest.raises(ParameterError, match=r"confidence_level 1: give more than 0.5"):
        Parameters.of({"confidence_level": 1})


@pytest.mark.parametrize("given", ["50", 50, 50.0])
def test_a_threshold_is_a_number_however_it_is_written(given: object):
    assert Parameters.parse({"outcome_threshold": given}).outcome_threshold == "50"


@pytest.mark.parametrize("wrong", ["fifty", ">=50", "-3", "nan", True, None, [50]])
def test_a_threshold_that_is_no_number_is_refused(wrong: object):
    with pytest.raises(ParameterError, match=r"outcome_threshold .*: give empty, or a number such as 50"):
        Parameters.parse({"outcome_threshold": wrong})


def test_a_choice_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(
        ParameterError, match=r"theme 'contrst': give light \| print \| contrast; did you mean contrast"
    ):
        Parameters.parse({"theme": "contrst"})


def test_the_theme_is_in_force_from_then_on():
    assert parameters.theme() == "light"
    try:
        Parameters.of({"theme": "print"})
        assert parameters.theme() == "print"
    finally:
        Parameters.of({})
    assert parameters.theme() == "light"
