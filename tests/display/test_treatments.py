from types import SimpleNamespace

import pandas as pd
import pytest

from evidence.data import load
from evidence.display import theme
from evidence.display.figures.treatments import COLUMNS, OTHERS, plain, treatments
from evidence.reads import held

from ..conftest import TABLES, write_tables

ARMS = [
    ("t1", "a", "Alpha + care", "alpha+care", "experimental"),
    ("t1", "c", "Care", "care", "control"),
    ("t2", "a", "Alpha 5 mg", "alpha", "experimental"),
    ("t2", "p", "Placebo", "placebo", "placebo"),
    ("t3", "b", "Beta", "beta", "experimental"),
    ("t3", "a", "Alpha", "alpha", "active"),
    *((f"s{place}", "x", f"Drug {place}", f"drug{place}", "single") for place in range(6)),
]


@pytest.fixture
def styles():
    columns = ["study_id", "arm_id", "label", "node", "role"]
    return treatments(SimpleNamespace(arms=pd.DataFrame(ARMS, columns=columns)))


def test_a_treatment_looks_the_same_with_its_dose_and_with_what_is_given_to_both_arms(styles):
    assert styles.node("alpha") == styles.node("alpha 5 mg") == styles.node("alpha+care") == theme.style(0)
    assert styles.arm("t1", "a") == styles.label("Alpha 5 mg") == theme.style(0)


def test_what_only_serves_as_placebo_or_control_stands_back(styles):
    assert styles.node("placebo") == styles.node("care") == theme.background()
    assert styles.node("beta") != theme.background()


def test_rare_treatments_share_a_style_that_no_frequent_one_has(styles):
    rare = [styles.node(f"drug{place}") for place in range(6)]
    assert theme.style(OTHERS) in rare
    assert theme.style(OTHERS) not in (styles.node("alpha"), styles.node("beta"))


def test_what_is_no_treatment_has_the_colour_of_the_text():
    assert {plain(place).color for place in range(3)} == {theme.INK}
    assert len({plain(place).marker for place in range(3)}) == 3


def test_a_folder_is_read_for_the_names_of_its_arms_alone(tmp_path):
    write_tables(tmp_path / "data", TABLES)
    with held() as found:
        data = load(tmp_path / "data")
        assert treatments(data).arms
    kinds = {(read[0], read[2:]) for read in found}
    assert ("columns", ("arms", COLUMNS)) in kinds
    assert not any(kind == "rows" for kind, _ in kinds)
