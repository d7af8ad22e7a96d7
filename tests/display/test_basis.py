import functools
import re
from pathlib import Path

import nbformat
import pytest

import evidence
from evidence.display import (
    basis_prose,
    licence_prose,
    plain_harms_prose,
    plain_licence_prose,
    reading_prose,
    stopping_plain,
    stopping_prose,
    summary_prose,
    without_figures_plain,
    without_figures_prose,
)
from evidence.display.basis import outside_licence
from evidence.display.tables.answered import split_asked
from evidence.display.trials import reports_unread
from evidence.display.verdicts import bottom_line
from evidence.results import records
from evidence.synthesis.certainty import certainty
from evidence.synthesis.reading import vendor_only

from ..synthesis.invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
ROOT = Path(__file__).parents[2]
DRUG = "hetrombopag"
QUESTION = "cured_6m"
PLAIN = {"indication": "SAA", "what": "got well", "treated": "the drug", "other": "a dummy"}
CLAIM = {"study_id": "trial_0", "arms": "drug|placebo", "kind": "superior"}
LABEL = {"study_id": "label", "label": "Label", "design": "product_label", "randomised": "", "n": "", "country": "Utopia"}  # fmt: skip


@functools.cache
def real():
    return evidence.load(ROOT / "data")


@functools.cache
def answers():
    data = real()
    return [evidence.answer(one, data, P) for one in data.questions.sort_values("order")["question_id"]]


def read_aloud(prose):
    return re.sub(r"</?span[^>]*>|\\", "", prose.text)


def silent(folder, *claims, **changes):
    """Return a dataset with a randomised trial without a figure."""
    tables = emptied()
    study(tables, "trial_0", (1, 50, 1, 50), label="Trial 0", **changes)
    tables["counts"] = []
    tables["claims"] = [CLAIM | {"outcome_id": "cured"} | one for one in claims]
    return dataset(folder, tables)


def test_the_first_sentences_count_the_documents_and_their_sellers():
    text = read_aloud(basis_prose(real(), asked="Does it?", then="Of 1,000:"))
    origins = real().sources["origin"].value_counts()
    assert text.startswith("Does it? Five documents were supplied")
    assert origins["seed"] == 5
    assert "two by a seller" in text
    assert f"{origins['external']} others gave selected figures" in text
    assert text.endswith("No search was made. Of 1,000:")
    alone = evidence.dataset(evidence.Parameters(include_external=False, data_dir=str(ROOT / "data")))
    assert "selected figures" not in read_aloud(basis_prose(alone, asked=""))


def test_what_rests_on_a_seller_alone_is_named_and_interests_are_said_to_be_unknown():
    text = read_aloud(reading_prose(answers(), real()))
    alone = [one for one in answers() if vendor_only(one.finding, real())]
    assert alone
    assert all(split_asked(one.title)[0].lower() in text.lower() for one in alone)
    assert "Funding and competing interests: not stated" in text
    assert not real().studies["funding"].ne("").any()


def test_a_trial_told_of_in_words_is_told_with_its_document_and_one_without_words_with_its_sizes(tmp_path):
    claim = {"paraphrase": "Cure was more frequent; no rates printed."}
    said = read_aloud(without_figures_prose(silent(tmp_path / "said", claim), indication="SAA"))
    assert "**Trial 0** (randomised), no rate read, told in words: cure was more frequent (" in said
    assert "no rates printed" not in said
    sizes = read_aloud(without_figures_prose(silent(tmp_path / "sizes"), indication="SAA"))
    assert "only the sizes of its groups were read (drug 50; placebo 50)." in sizes
    about = {"paraphrase": "The figure shows a plan.", "arms": "", "kind": "other"}
    unsaid = read_aloud(without_figures_prose(silent(tmp_path / "about", about), indication="SAA"))
    assert "told in words" not in unsaid


def test_a_trial_under_way_or_with_figures_is_not_told_of(tmp_path):
    assert not without_figures_prose(silent(tmp_path / "a", status="recruiting"), indication="SAA").text
    assert not without_figures_prose(of_counts(tmp_path / "b", ((3, 50, 2, 50),)), indication="SAA").text


def test_the_documents_words_on_the_trials_without_rates_are_on_the_first_screen():
    text = read_aloud(summary_prose(answers()[:6], real(), P))
    for study_id in ("saa_phase3", "cit_phase3"):
        row = real().select("studies", study_id=study_id).iloc[0]
        assert str(row["registry_id"]) in text
    claim = real().claims.set_index("row_id").loc["vendor_notes-l016", "paraphrase"]
    assert claim.partition(";")[0].lower() in text.lower()
    for n in real().select("arms", study_id="cit_phase3")["n"]:
        assert f" {int(n)}" in text


def test_patients_read_whether_a_document_says_that_more_people_did_well(tmp_path):
    claim = {"paraphrase": "Cure was more frequent."}
    said = read_aloud(without_figures_plain(silent(tmp_path / "said", claim), **PLAIN))
    assert "a larger share got well with the drug. How many was not in what we read." in said
    silence = read_aloud(without_figures_plain(silent(tmp_path / "no", status="unknown"), **PLAIN))
    assert silence.endswith("was drawn by lot. Its results were not in what we read.")


@pytest.mark.parametrize(
    ("four", "randomised", "expected"),
    [
        ((400, 500, 200, 500), "yes", "Below: a randomised trial (Trial 0)."),
        ((400, 500, 200, 500), "no", "Below: a study that was not randomised (Trial 0)."),
        ((400, 500, 200, 500), "", "Below: a study not known to be randomised (Trial 0)."),
    ],
)
def test_the_bottom_line_says_how_patients_were_allocated(tmp_path, four, randomised, expected):
    data = of_counts(tmp_path, (four,), randomised=randomised)
    one = evidence.answer(QUESTION, data, P)
    line = bottom_line([(one, certainty(one, data, P))])
    assert line.endswith(expected)
    level = certainty(one, data, P).level
    words = {4: "Helps", 3: "Probably helps", 2: "May help", 1: "Not yet settled"}
    assert line.startswith(words[level])
    assert (": more patients with cure. " in line) == (level > 1)


def test_the_bottom_line_never_turns_what_is_uncertain_into_a_direction(tmp_path):
    data = of_counts(tmp_path, ((21, 50, 20, 50),))
    one = evidence.answer(QUESTION, data, P)
    line = bottom_line([(one, certainty(one, data, P))])
    assert line.startswith("Not yet settled. ")
    assert "more" not in line
    assert not re.search(r"no effect|no difference|significan", line)


def licensed(folder, *, indications="ITP", line="second line", arm=None, **changes):
    tables = emptied()
    study(
        tables,
        "trial_0",
        (30, 50, 20, 50),
        population="first_line",
        label="Trial 0",
        comparator="placebo",
        **changes,
    )
    tables["arms"][0] |= arm or {}
    tables["studies"].append(tables["studies"][0] | LABEL)
    tables["questions"] = [
        tables["questions"][0] | {"title": "Adults, untreated: cure", "population": "first_line"}
    ]
    rows = [
        ("approval", "first approval", "2021-06-16", "date"),
        ("approval", "indications of the first approval", indications, ""),
        ("approval", "line of treatment", line, ""),
        ("dose", "ITP: start, once daily", "2.5", "mg"),
        ("dose", "ITP: maximum", "7.5", "mg/day"),
        ("pharmacokinetics", "Cmax, change fed against fasted", "-95.0", "percent"),
    ]  # fmt: skip
    tables["protocols"] = [
        {"study_id": "label", "section": section, "item": item, "value": value, "unit": unit}
        for section, item, value, unit in rows
    ]
    return dataset(folder, tables)


def test_only_what_the_licence_does_not_name_lies_outside_it(tmp_path):
    assert outside_licence(licensed(tmp_path / "other")) == ["Adults, untreated"]
    assert outside_licence(licensed(tmp_path / "line", indications="ITP and SAA")) == ["Adults, untreated"]
    assert outside_licence(licensed(tmp_path / "in", indications="ITP and SAA", line="first line")) == []
    assert outside_licence(of_counts(tmp_path / "none", ((30, 50, 20, 50),))) == []
    assert not licence_prose(of_counts(tmp_path / "empty", ((30, 50, 20, 50),)), drug="drug").text


def test_the_box_on_the_licence_holds_date_line_dose_and_food(tmp_path):
    for data, drug in ((licensed(tmp_path), "drug"), (real(), DRUG)):
        text = read_aloud(licence_prose(data, drug=drug))
        for part in (
            "16 June 2021",
            "second line",
            "2.5 mg",
            "7.5 mg/day",
            "Cmax −95.0%",
            "Outside that licence",
        ):
            assert part in text
    assert "first line; chemotherapy" in read_aloud(licence_prose(real(), drug=DRUG))


def test_patients_read_what_is_licensed_and_what_is_not(tmp_path):
    names = {"ITP": "easy bruising", "SAA": "marrow failure"}
    text = read_aloud(plain_licence_prose(licensed(tmp_path / "a"), drug="drug", names=names))
    assert "licensed in Utopia in 2021 for easy bruising, for people whom a first drug did not help" in text
    assert "no licence for marrow failure or use as a first drug" in text
    assert "2.5 mg once a day and take at most 7.5 mg" in text
    assert "Almost none of it" in text
    both = read_aloud(plain_licence_prose(licensed(tmp_path / "b", indications="ITP and SAA", line="first line"), drug="drug", names=names))  # fmt: skip
    assert "no licence" not in both
    assert "first drug" not in both


def counted_in(arm, outcome):
    row = real().select("counts", study_id="itp_phase3", arm_id=arm, outcome_id=outcome, time=10.0).iloc[0]
    return int(row["events"]), int(row["n"])


def of_hundred(arm, outcome):
    events, n = counted_in(arm, outcome)
    return f"{100 * events / n:.0f}"


def harms_of(question, parameters=P):
    names = {"diarrhoea": "loose stools", "platelet_count_increased": "too many platelets"}
    grave = {
        "sae_gastrointestinal_haemorrhage": "bled in the gut",
        "sae_cerebral_haemorrhage": "in the brain",
    }
    return read_aloud(
        plain_harms_prose(
            real(), parameters, study_of=question, treated="it {dose}", other="a dummy", names=names,
            grave=grave, aside=["ae_dose_interruption_reduction"],
        )
    )  # fmt: skip


def test_patients_read_of_harms_at_all_doses_alike():
    def shares(arm, outcome):
        return f"{of_hundred(arm, outcome)} against {of_hundred('placebo', outcome)}"

    stools = f"2.5 mg: {shares('hpag_2_5', 'diarrhoea')}; 5 mg: {shares('hpag_5', 'diarrhoea')} out of 100"
    many = f"5 mg: {shares('hpag_5', 'platelet_count_increased')} out of 100"
    for question in ("itp_p3_2_5", "itp_p3_5"):
        told = harms_of(question)
        assert re.match(r"\d+ harms were compared at each dose\.", told)
        assert f"Too many platelets ({many}) and loose stools ({stools}) seemed more common" in told
        assert "seemed more common, which may be chance." in told


def test_a_harm_came_more_often_only_where_all_that_were_compared_are_allowed_for():
    """By hand: the interruption at the higher dose, P 0.00016, is one of 44, and 44 x 0.00016 is below 0.05."""
    from scipy.stats import chi2_contingency

    def p_of(arm, outcome):
        pairs = [counted_in(one, outcome) for one in (arm, "placebo")]
        return chi2_contingency([[e, n - e] for e, n in pairs], correction=False).pvalue

    clear, seemed = harms_of("itp_p3_2_5").split(" came more often than with a dummy.")
    assert "dose interruption" in clear.lower()
    assert p_of("hpag_5", "ae_dose_interruption_reduction") * 44 < P.alpha
    assert "loose stools" in seemed
    assert 44 * min(p_of(arm, "diarrhoea") for arm in ("hpag_2_5", "hpag_5")) > P.alpha
    lenient = harms_of("itp_p3_2_5", evidence.Parameters(alpha=0.49)).partition(" came more often")[0]
    assert "too many platelets" in lenient.lower()
    assert "too many platelets" not in clear.lower()


def test_what_is_no_single_harm_is_not_counted_as_one():
    told = int(re.match(r"(\d+) harms", harms_of("itp_p3_2_5")).group(1))
    counts = real().select("counts", study_id="itp_phase3", arm_id="hpag_2_5", time=10.0)
    safety = real().outcomes.set_index("outcome_id")
    single = {one for one in counts["outcome_id"] if safety.loc[one, "domain"] == "safety"}
    single -= {*safety["parent_id"], "ae_dose_interruption_reduction"}
    assert told == len(single)


def test_the_gravest_harms_are_told_in_people_and_as_too_few_to_tell():
    gut, size = counted_in("hpag_2_5", "sae_gastrointestinal_haemorrhage")
    brain, _ = counted_in("hpag_2_5", "sae_cerebral_haemorrhage")
    others = [counted_in(arm, "sae_cerebral_haemorrhage")[1] for arm in ("hpag_5", "placebo")]
    told = (
        f"Of {size} people at 2.5 mg, {gut} bled in the gut and {brain} in the brain; "
        f"of {others[0]} at 5 mg and {others[1]} with a dummy, none did."
    )
    assert f"{told} That is too few to tell." in harms_of("itp_p3_2_5")
    assert "bled" not in harms_of("itp_p3_5")


def test_where_no_harm_is_more_common_patients_read_that():
    strict = evidence.Parameters(confidence_level=0.999999)
    assert "None was more common" in harms_of("itp_p3_2_5", strict)


def dosed(folder, value, schedule, **changes):
    """Return a licence with a study of it whose treated arm has a dose."""
    dose = {"dose_value": value, "dose_unit": "mg", "dose_schedule": schedule}
    return licensed(folder, indications="ITP and SAA", arm=dose, **changes)


def test_a_disease_without_a_label_dose_is_told_with_the_dose_that_its_study_gave(tmp_path):
    data = dosed(tmp_path, "15", "oral, daily for 6 months", indication="SAA")
    text = read_aloud(licence_prose(data, drug="drug"))
    assert "No label dose for SAA was read." in text
    assert "Doses in studies: SAA 15 mg, daily for 6 months (Trial 0)" in text
    names = {"SAA": "marrow failure"}
    plain = read_aloud(plain_licence_prose(data, drug="drug", names=names))
    assert "No label dose for marrow failure was in what we read. A study gave 15 mg a day." in plain
    other = read_aloud(licence_prose(data, drug="another"))
    assert "Doses in studies" not in other


@pytest.mark.parametrize(
    ("dose", "told"),
    [("2.5", ""), ("5", "5 mg (Trial 0)"), ("10", "10 mg, above its maximum (Trial 0)")],
)
def test_a_start_above_that_of_the_label_is_told_and_whether_it_is_above_the_maximum(tmp_path, dose, told):
    data = dosed(tmp_path, dose, "oral; initial dose", indication="ITP")
    text = read_aloud(licence_prose(data, drug="drug"))
    assert ("Starts above the label's 2.5 mg in ITP" in text) == bool(told)
    assert told in text


def test_the_doses_of_the_documents_stand_beside_those_of_the_label():
    text = read_aloud(licence_prose(real(), drug=DRUG))
    arms = real().arms.set_index(["study_id", "arm_id"])
    for name, arm in (("saa_phase3", "hpag_ist"), ("cit_cohort", "hetrombopag"), ("itp_phase3", "hpag_5")):
        dose = arms.loc[(name, arm), "dose_value"]
        assert re.search(rf"{dose:g} mg[^;]* \({re.escape(real().label('studies', name))}\)", text)
    start = real().select("measurements", outcome_id="starting_dose").iloc[0]
    assert f"up to {start['high']} mg, above its maximum" in text
    new = real().select("counts", study_id="itp_realworld", category="newly_diagnosed", time=0.0).iloc[0]
    assert f"earlier treatment not stated: {new['events']:.0f} of {new['n']:.0f}" in text


def test_a_report_that_is_cited_and_was_not_read_is_named(tmp_path):
    rows = records(real().studies[real().studies["study_id"].isin(["saa_phase3", "cit_phase3"])])
    found = {row["study_id"]: [one["source_id"] for one in reports_unread(real(), row)] for row in rows}
    assert found == {"saa_phase3": ["saa_p3_ash2024"], "cit_phase3": []}
    assert not real().counts["source_id"].eq("saa_p3_ash2024").any()
    text = read_aloud(without_figures_prose(real(), indication="SAA"))
    assert text.endswith("its abstract of 2024 was not read.")


def test_what_happens_on_stopping_is_told_from_its_rows():
    row = real().select("counts", outcome_id="relapse_during_taper").iloc[0]
    when = real().select("measurements", outcome_id="time_to_first_relapse").iloc[0]
    asked = {"outcome_id": "relapse_during_taper", "then": "time_to_first_relapse"}
    text = read_aloud(stopping_prose(real(), P, heading="Stopped.", **asked))
    assert text.startswith("**Stopped.** ")
    assert f"{row['events']:.0f} of {row['n']:.0f}§ patients ({row['percent']}%; 95% CI" in text
    assert text.endswith("(§\N{NO-BREAK SPACE}from outside the documents read in full.)")
    assert f"median {float(when['value']):g} days" in text
    assert "nothing to compare it with" in text
    assert "99% CI" in read_aloud(stopping_prose(real(), evidence.Parameters(confidence_level=0.99), **asked))
    plain = read_aloud(stopping_plain(real(), P, outcome_id="relapse_during_taper", what="fell ill"))
    assert f"about {100 * row['events'] / row['n']:.0f} of 100 people fell ill." in plain


def test_an_outcome_of_stopping_without_a_criterion_is_said_to_be_undefined_and_no_other():
    known = set(real().definitions["outcome_id"])
    for outcome in ("relapse_during_taper", "complete_response"):
        told = stopping_plain(real(), P, outcome_id=outcome, what="fell ill", undefined="(not defined)")
        assert ("fell ill (not defined)." in read_aloud(told)) == (outcome not in known)
    assert "relapse_during_taper" not in known
    assert "complete_response" in known


def test_without_documents_of_others_nothing_is_told_of_stopping():
    asked = {"outcome_id": "relapse_during_taper", "then": "time_to_first_relapse"}
    seeds = evidence.dataset(evidence.Parameters(include_external=False, data_dir=str(ROOT / "data")))
    assert not stopping_prose(seeds, P, heading="Stopped.", **asked).text


@pytest.mark.parametrize("name", ["index", "plain_language", "summary_of_findings", "limits", "saa_beyond", "synthesis_saa"])  # fmt: skip
def test_what_was_not_read_is_never_called_unpublished_or_looked_for_in_vain(name):
    path = ROOT / ("index.ipynb" if name == "index" else f"notebooks/{name}.ipynb")
    text = " ".join(str(cell.source) for cell in nbformat.read(path, as_version=4).cells)
    assert not re.search(
        r"[Uu]ntil (?:the |its )?\w+ are published|were not available|found no results", text
    )
