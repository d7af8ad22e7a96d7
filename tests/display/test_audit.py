"""The audit as shown: its chapter, and the sign on every cell that rests on a figure in doubt."""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import evidence.display as shown
from evidence.audit import CHECKS, audit
from evidence.audit.part_sizes import part_doubts
from evidence.data import load
from evidence.display import marks
from evidence.display.markdown import table_markdown, table_plain
from evidence.display.marks import doubts, with_doubts
from evidence.display.model import DOUBT, Cell, Column, Table
from evidence.display.publish import representation
from evidence.display.tables.audit import ODD, doubtful
from evidence.parameters import Parameters

ROOT = Path(__file__).parents[2]
P = Parameters()


@pytest.fixture(scope="module")
def real():
    return load(ROOT / "data")


@pytest.fixture(scope="module")
def found(real):
    return audit(real)


def table(cell, **reasons):
    return Table((Column("A"),), ((cell,),), "Caption", doubts=reasons)


def test_a_cell_in_doubt_carries_the_sign_and_the_reason():
    made = table(Cell("7/32", ("x1", "x2")), x2="It is 8.")
    assert made.shown(made.rows[0][0]) == f"7/32{DOUBT}"
    assert f"7/32{DOUBT}</span>" in table_markdown(made)
    assert "It is 8." in table_markdown(made)
    assert made.full_note.startswith(DOUBT)
    assert f"7/32{DOUBT}" in table_plain(made)


def test_a_drawing_says_of_which_studies_it_shows_figures_in_doubt(real):
    everybody = shown.pairwise_figure(real, P, study_id="cit_cohort", outcome_id="treatment_efficacy")
    assert "what is drawn of" not in everybody.caption, "its counts fit what is printed elsewhere"
    agonists = shown.across_figure(real, P, outcome_ids=["complete_response"], indication="SAA")
    wrong = doubts(real, set(agonists.data["study_id"]), alpha=P.alpha)
    told = {
        study
        for study, row in zip(agonists.data["study_id"], agonists.data["row_id"], strict=True)
        if row in wrong
    }
    labels = dict(zip(real.studies["study_id"], real.studies["label"], strict=True))
    assert told
    named = " and ".join(f"“{labels[one]}”" for one in sorted(told))
    assert f"Part of what is drawn of {named} rests on" in agonists.caption


def test_nothing_else_carries_the_sign():
    for cell in (Cell("7/32", ("x1",)), Cell("", ("x2",)), Cell("7/32", ("x2",), "differs")):
        made = table(cell, x2="It is 8.")
        assert DOUBT not in table_markdown(made)


def test_the_sign_is_like_no_other():
    from evidence.display.model import SIGNS

    assert DOUBT not in SIGNS.values()
    assert len(set(SIGNS.values())) == len(SIGNS)


@pytest.mark.slow
def test_every_table_marks_the_rows_that_the_audit_doubts(real, found):
    whole = doubts(real, {*real.studies["study_id"], ""}, alpha=0.05)
    wrong = found[found["verdict"] == "inconsistent"]
    assert set(whole) >= {ids.split("|")[0] for ids in wrong["row_id"]} & set(whole)
    studies = {study for ids in wrong["study_id"] for study in ids.split("|") if study}
    marked = set()
    for study in studies:
        for builder in (shown.study_tests_table, shown.study_measurements_table, shown.study_results_table):
            made = builder(real, P, study_id=study)
            marked |= {row for line in made.rows for cell in line for row in cell.rows if made.doubted(cell)}
    results = set(real.tests["row_id"]) | set(real.measurements["row_id"])
    counted = set(real.measurements.loc[real.measurements["counted"], "row_id"]) | set(real.tests["row_id"])
    assert set(whole) & results & counted <= marked


@pytest.mark.slow
def test_studies_one_by_one_are_in_the_same_doubt_as_all_together(real):
    whole = marks._doubts(real, 0.05, 0.0)
    single = doubts(real, {*real.studies["study_id"], ""}, alpha=0.05)
    open_ = {row for row, why in single.items() if why.startswith(marks.OPEN_QUESTION[:12])}
    assert whole
    assert {row: why for row, why in single.items() if row not in open_ - set(whole)} == whole
    assert open_ == set(part_doubts(real))


def test_a_test_in_doubt_leaves_the_counts_it_was_made_from_alone(real, found):
    inverse = found[(found["check"] == "effect_recomputes") & found["why"].str.contains("inverse")]
    ids = inverse["row_id"].iloc[0].split("|")
    whole = doubts(real, set(inverse["study_id"]), alpha=0.05)
    assert ids[0] in whole
    assert not set(ids[1:]) & set(whole)


def test_the_marks_follow_alpha(real):
    strict = doubts(real, set(real.studies["study_id"]), alpha=0.05)
    loose = doubts(real, set(real.studies["study_id"]), alpha=0.45)
    assert strict != loose


def test_a_table_without_a_dataset_is_left_as_it_is(real):
    made = shown.parameters_table(P)
    assert made.doubts == {}
    assert with_doubts(Table((Column("A"),), ((Cell("1"),),), "x"), real, Parameters()).doubts == {}


@pytest.mark.parametrize("kind", ["conclusion", "number", "cosmetic", "question"])
def test_every_cause_stands_in_one_table_with_what_is_printed(real, found, kind):
    made = shown.audit_findings_table(real, P, kind=kind)
    listed = doubtful(found, kind)
    assert len(made.rows) == listed["cause"].nunique()
    assert all(cell.text for row in made.rows for cell in (row[0], row[2]))
    assert made.data["finding_id"].tolist() == listed["finding_id"].tolist()
    assert not made.doubts


def test_no_finding_is_left_out(real, found):
    tables = [shown.audit_findings_table(real, P, kind=kind) for kind in ("conclusion", "number", "cosmetic")]
    ids = [one for table in tables for one in table.data["finding_id"]]
    assert sorted(ids) == sorted(found.loc[found["verdict"].isin(ODD), "finding_id"])


def test_a_cause_of_several_findings_is_one_row_that_says_how_many(real, found):
    made = shown.audit_findings_table(real, P, kind="conclusion")
    sizes = made.data.groupby("cause", sort=False).size()
    told = [row[2].text.rpartition(" (")[2] for row in made.rows]
    assert [f"{size} findings)" for size in sizes if size > 1] == [
        text for text in told if text.endswith("findings)")
    ]
    assert made.caption.startswith(f"{len(sizes)} causes with {len(made.data)} findings")
    kinds = [
        set(shown.audit_findings_table(real, P, kind=kind).data["cause"])
        for kind in ("conclusion", "number", "cosmetic")
    ]
    assert not kinds[0] & kinds[1] | kinds[1] & kinds[2]
    odd = found[found["verdict"].isin(ODD)]
    assert f"the {len(odd)} findings have {odd['cause'].nunique()} causes" in shown.audit_prose(real, P).text


def test_findings_link_to_the_page_of_their_study(real):
    made = shown.audit_findings_table(real, P, kind="conclusion")
    targets = {row[0].target for row in made.rows if row[0].target}
    assert targets
    assert all(target.startswith("sec-study-") for target in targets)
    studies = tuple(real.studies["study_id"])
    assert all(target.endswith(studies) for target in targets)
    text = table_markdown(made)
    assert "@sec" not in text, "the link is made where the book has the section"


def test_the_prose_counts_the_checks_and_names_at_most_five(real, found):
    text = shown.audit_prose(real, P).text
    assert text.startswith(f"{len(found):,} checks of printed figures against each other were made: ")
    assert 3 <= text.count("\n- ") <= 5


def test_the_heat_map_adds_up_to_the_findings(real, found):
    figure = shown.audit_figure(real, P)
    assert figure.data["checked"].sum() == len(found)
    assert figure.data["odd"].sum() == found["verdict"].isin(ODD).sum()
    words = [text.get_text() for text in figure.figure.axes[0].texts]
    grid = figure.data.groupby(["family", "column"])["odd"].sum()
    assert len(words) == len(grid), "every cell that was checked has its numbers"
    assert figure.alt.startswith("Heat map")
    plt.close("all")


def test_every_check_that_was_made_is_listed_with_its_numbers(real, found):
    made = shown.audit_checks_table(real, P)
    assert len(made.rows) == found["check"].nunique() <= len(CHECKS)
    assert sum(int(row[1].text.replace(",", "")) for row in made.rows) == len(found)


def test_what_could_not_be_decided_is_grouped_with_nothing_lost(real, found):
    made = shown.audit_undecided_table(real, P)
    assert made.data["times"].sum() == (found["verdict"] == "not_checkable").sum()


def test_the_committed_benchmark_meets_its_goal():
    path = ROOT / "benchmarks" / "audit_power.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    quiet = rows[0]
    assert float(quiet["high"]) < 0.001, "fewer than 1 false alarm in 1,000 checks, with its interval"
    assert {check.family for check in CHECKS} == {row["family"] for row in rows if row["family"]}
    made = shown.audit_power_table(str(path), P)
    assert len(made.rows) == len(rows) - 1
    assert "false alarms" in made.note


def test_a_folder_without_a_benchmark_says_so():
    assert len(shown.audit_power_table("no/such.csv", P).columns) == 1


def test_data_without_anything_to_check_is_said_to_be_sound(real):
    import dataclasses

    bare = {name: getattr(real, name).iloc[:0] for name in ("counts", "measurements", "tests", "claims")}
    empty = dataclasses.replace(real, **bare, definitions=real.definitions.iloc[:0], _found={})
    assert "Nothing printed contradicts itself" in shown.audit_prose(empty, P).text
    assert len(shown.audit_findings_table(empty, P, kind="conclusion").rows) == 1
    for item in (shown.audit_figure(empty, P), shown.audit_checks_table(empty, P)):
        assert representation(item)[0]["text/plain"]
    plt.close("all")


def test_tidy_values_are_published_with_the_tables(real):
    bundle = representation(shown.audit_findings_table(real, P, kind="conclusion"))[1]["evidence"]["csv"]
    assert bundle.startswith(
        "finding_id,cause,study_id,row_id,locator,check,reported,recomputed,why,consequence"
    )
    assert isinstance(shown.audit_findings_table(real, P, kind="number").data, pd.DataFrame)
