"""Which rows take part, as parameters ask."""

import copy
from pathlib import Path

import pytest

from evidence.data import dataset
from evidence.errors import ParameterError
from evidence.parameters import Parameters

from ..conftest import TABLES, write_tables


@pytest.fixture
def folder(tmp_path: Path) -> str:
    tables = copy.deepcopy(TABLES)
    tables["sources"].append(
        tables["sources"][0] | {"source_id": "review", "citekey": "r", "tier": "secondary"}
    )
    tables["studies"].append(tables["studies"][0] | {"study_id": "trial_b", "parent_study_id": "trial_a"})
    tables["studies"].append(tables["studies"][0] | {"study_id": "trial_c"})
    first = tables["counts"][0]
    tables["counts"] += [
        first | {"source_id": "review", "time": "12"},
        first | {"subgroup": "sex", "level": "male", "n": "20", "events": "12"},
        first | {"subgroup": "stage", "level": "early", "n": "20", "events": "12"},
    ]
    write_tables(tmp_path, tables)
    return str(tmp_path)


def counts(folder: str, **parameters: object) -> list[tuple[str, str, float]]:
    frame = dataset(Parameters(data_dir=folder, **parameters)).counts  # type: ignore[arg-type]
    return list(zip(frame["source_id"], frame["subgroup"], frame["time"], strict=True))


def test_primary_only_leaves_out_what_others_print(folder):
    assert ("review", "", 12.0) in counts(folder)
    assert ("review", "", 12.0) not in counts(folder, primary_only=True)
    assert len(counts(folder, primary_only=True)) == len(counts(folder)) - 1


def test_only_the_subgroups_asked_for_are_there_beside_whole_studies(folder):
    assert {subgroup for _, subgroup, _ in counts(folder)} == {"", "sex", "stage"}
    assert {subgroup for _, subgroup, _ in counts(folder, subgroups="stage")} == {"", "stage"}
    assert {subgroup for _, subgroup, _ in counts(folder, subgroups="stage, sex")} == {"", "sex", "stage"}


def test_excluded_studies_are_gone_from_every_table(folder):
    left = dataset(Parameters(data_dir=folder, excluded_studies="trial_a trial_c"))
    assert left.studies["study_id"].tolist() == ["trial_b"]
    assert len(left.counts) == len(left.arms) == 0


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [("excluded_studies", "trial_a, trail_b", "trail_b.*trial_b"), ("subgroups", "sexe", "sexe.*sex")],
)
def test_an_unknown_id_is_refused_with_the_nearest(folder, name, given, message):
    with pytest.raises(ParameterError, match=message):
        dataset(Parameters(data_dir=folder, **{name: given}))


def test_a_study_page_has_its_study_and_those_it_is_a_part_of_or_has_as_parts(folder):
    for study, family in (
        ("trial_a", {"trial_a", "trial_b"}),
        ("trial_b", {"trial_a", "trial_b"}),
        ("trial_c", {"trial_c"}),
    ):
        assert set(dataset(Parameters(data_dir=folder, study_id=study)).studies["study_id"]) == family
