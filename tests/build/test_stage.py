"""The pages of the studies stand in groups, in an order that a reader can see."""

from types import SimpleNamespace

import pandas as pd

from evidence.build.stage import TEMPLATE, _expand, study_groups, study_page

STUDIES = pd.DataFrame(
    [
        ("b_cohort", "B", "cohort"),
        ("a_arm", "A", "single_arm"),
        ("b_new", "B", ""),
        ("pooled", "A", "network_meta_analysis"),
        ("b_trial", "B", "randomised_trial"),
        ("leaflet", "", "product_label"),
        ("b_next", "B", "cohort"),
    ],
    columns=["study_id", "indication", "design"],
)


def groups() -> dict[str, list[str]]:
    return study_groups(SimpleNamespace(studies=STUDIES))


def test_groups_are_the_indications_then_syntheses_then_the_rest_and_trials_come_first():
    assert groups() == {
        "B": [study_page(one) for one in ("b_trial", "b_cohort", "b_next", "b_new")],
        "A": [study_page("a_arm")],
        "syntheses": [study_page("pooled")],
        "label and pharmacology": [study_page("leaflet")],
    }


def test_a_part_of_studies_alone_becomes_a_part_for_each_group():
    book = ["index.ipynb", {"part": "Pages", "chapters": [TEMPLATE]}]
    first, *parts = _expand(book, groups())
    assert first == "index.ipynb"
    assert [one["part"] for one in parts] == [f"Pages: {name}" for name in groups()]
    assert [page for one in parts for page in one["chapters"]] == [
        p for some in groups().values() for p in some
    ]


def test_studies_among_other_chapters_stay_in_one_row():
    [part] = _expand([{"part": "Pages", "chapters": ["x.ipynb", TEMPLATE]}], groups())
    assert part["chapters"] == ["x.ipynb", *(page for some in groups().values() for page in some)]
