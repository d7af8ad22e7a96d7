"""Sources, quotations, pooling, effects printed twice."""

SOURCE = {"source_id": "doc", "citekey": "doc", "title": "A trial", "kind": "article", "tier": "primary"}


def source(name, **more):
    return SOURCE | {"source_id": name, "citekey": name, "title": f"Paper {name}"} | more


def test_two_documents_with_one_doi_or_one_title_are_found(audited):
    doi = audited(sources=[source("doc", doi="10.1000/a"), source("other", doi="10.1000/a")])
    assert doi.verdicts("documents_are_listed_once") == ["inconsistent"]
    title = audited(sources=[source("doc", title="The  Trial."), source("other", title="the trial")])
    assert "have one title" in title.one("documents_are_listed_once")["why"]


def test_documents_of_their_own_are_sound(audited):
    found = audited(sources=[source("doc", doi="10.1000/a"), source("other", doi="10.1000/b")])
    assert found.verdicts("documents_are_listed_once") == ["consistent", "consistent"]


def test_the_year_in_a_doi_is_held_against_the_year_of_the_document(audited):
    old = audited(sources=[source("doc", doi="10.1016/j.x.2015.01.002", year="2022")])
    assert old.one("references_are_plausible")["verdict"] == "not_checkable"
    sound = audited(sources=[source("doc", doi="10.1016/j.x.2021.12.002", year="2022")])
    assert sound.verdicts("references_are_plausible") == ["consistent"]
    both = audited(sources=[source("doc", doi="10.1016/j.2011.x.2015.01.002", year="2022")])
    assert both.one("references_are_plausible")["recomputed"] == "2011, 2015"
    parted = audited(sources=[source("doc", doi="10.1016/2015/x.002", year="2022")])
    assert parted.one("references_are_plausible")["recomputed"] == "2015"


def test_a_document_that_pools_nothing_is_no_meta_analysis(audited, rows):
    called = rows.claim("method", arms="", outcome="", paraphrase="The title calls it a meta-analysis.")
    found = audited(claims=[called]).one("pooling_is_shown")
    assert (found["verdict"], found["consequence"]) == ("inconsistent", "conclusion")


def test_a_quoted_figure_is_held_against_its_study(audited, rows):
    own = rows.count(events="21", percent="42.0")
    quoted = own | {"source_id": "other", "cites": "3", "row_id": "other-c001"}
    sources = [source("doc"), source("other", tier="vendor")]
    sound = audited(sources=sources, counts=[own, quoted])
    assert sound.verdicts("quoted_figures_match_their_study") == ["consistent"]
    wrong = audited(sources=sources, counts=[own, quoted | {"events": "24", "percent": "48.0"}])
    found = wrong.one("quoted_figures_match_their_study")
    assert (found["verdict"], found["source_id"]) == ("inconsistent", "other|doc")


def test_one_effect_printed_twice_must_be_one(audited, rows):
    effect = {"effect_label": "OR", "effect": "2.25", "low": "1.01", "high": "5.01", "interval_level": "0.95"}
    again = {"locator": "Abstract", "row_id": "doc-t002"}
    for figure, verdict in (("2.3", "consistent"), ("2.52", "inconsistent")):
        tests = [rows.test("0.045", **effect), rows.test("0.045", **(effect | again | {"effect": figure}))]
        assert audited(tests=tests).verdicts("effects_agree_everywhere") == [verdict]


def test_a_reference_number_stands_for_one_study_or_is_asked_about(audited, rows):
    sources = [source("doc"), source("other", tier="vendor")]
    quoted = rows.count(events="21", percent="42.0") | {
        "source_id": "other",
        "cites": "3|4",
        "row_id": "other-c001",
    }
    one = audited(sources=sources, counts=[quoted]).one("one_reference_one_study")
    assert (one["verdict"], one["reported"], one["recomputed"]) == ("consistent", "reference 3, 4", "trial_a")


def test_figures_of_two_studies_under_one_number_are_a_question(audited, rows):
    studies = [
        {"study_id": name, "label": name.title(), "indication": "SAA", "design": "cohort", "n": "50", "origin": "seed", "status": "completed"}
        for name in ("trial_a", "trial_b")
    ]  # fmt: skip
    arms = [*rows.arms(drug=50), {**rows.arms(drug=50)[0], "study_id": "trial_b"}]
    counts = [rows.count(events="21", study_id=name, cites="3") for name in ("trial_a", "trial_b")]
    found = audited(studies=studies, arms=arms, counts=counts)
    two = found.one("one_reference_one_study")
    assert (two["verdict"], two["consequence"]) == ("not_checkable", "number")
    assert "Figures of 2 studies (Trial_A, Trial_B)" in two["why"]
