import functools
import re
import sys
import types
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

import evidence
from evidence.audit.part_sizes import part_doubts
from evidence.display import (
    absolute_table,
    brief_prose,
    certainty_table,
    current_prose,
    findings_table,
    findings_tables,
    flow_figure,
    in_short,
    key_prose,
    plain_prose,
    questions_table,
    robustness_table,
    scope_prose,
    specification_table,
    study_results_table,
    study_tests_table,
    summary_prose,
    summary_table,
    wrong_prose,
)
from evidence.display.figures.flow import flow_of
from evidence.display.model import DOUBT, Prose
from evidence.display.summary import NOTHING_WRONG, with_result
from evidence.display.synthesis import asked_questions
from evidence.display.tables.answered import UNREAD_NOTE
from evidence.display.traced import numbers_traced
from evidence.display.trials import trial_details, trial_words, without_figures
from evidence.synthesis.certainty import certainty
from evidence.wording import SIGNS

from ..conftest import TABLES
from ..synthesis.invented import dataset, emptied, of_counts, study

P = evidence.Parameters()
ROOT = Path(__file__).parents[2]
QUESTION = "cured_6m"
ASKED = {"what": "got well", "treated": "the drug", "other": "a dummy", "question_id": QUESTION}


@functools.cache
def real():
    return evidence.load(ROOT / "data")


@functools.cache
def answers():
    data = real()
    return [evidence.answer(str(one["question_id"]), data, P) for one in asked_questions(data)]


def arms_of(one):
    arms = [arm for study in one.finding.studies for arm in (study.treatment, study.comparator)]
    return [arm for arm in arms if arm]


def shown_first():
    """Return the answers of the first screen: the first eight questions."""
    data = real()
    first = data.questions.sort_values("order")["question_id"].head(8)
    return [evidence.answer(str(one), data, P) for one in first]


def read_aloud(prose):
    """Return Markdown as it is read: without the origins of its numbers."""
    return re.sub(r"</?span[^>]*>|\\", "", prose.text)


def rows(table):
    return {row[0].text: row[1].text for row in table.rows}


def invented(folder, *fours, **changes):
    return of_counts(folder, fours, **changes)


def test_a_finding_has_patients_both_risks_the_effects_and_the_certainty(tmp_path):
    found = rows(findings_table(invented(tmp_path, (30, 50, 20, 50)), P, question_id=QUESTION))
    assert found["Patients (studies)"].startswith("100 (1): Trial 0")
    assert found["With placebo"].startswith("400 per 1,000 (")
    assert found["With drug"].endswith("): 30 of 50")
    assert found["Difference (95% CI)"].startswith("200 more per 1,000 (")
    assert found["Risk ratio (95% CI)"].startswith("1.50 (")
    assert found["Certainty"].startswith("●●○○ Low")


def test_every_step_down_is_told_with_its_levels_and_its_reason():
    data = real()
    for one, table in zip(answers(), findings_tables(data, P), strict=True):
        found, sure = rows(table), certainty(one, data, P)
        for step in sure.changes:
            text = found[step.name[:1].upper() + step.name[1:]]
            assert text.startswith({-1: "One level down", -2: "Two levels down"}[step.levels])
            assert len(text) > 30
        assert set(found) >= {"Certainty", "Patients (studies)"}
        assert table.data["certainty_level"].iloc[0] == sure.level


def test_there_is_one_table_for_every_question_and_it_names_its_rows():
    data = real()
    tables = findings_tables(data, P)
    assert [table.caption.rstrip(".") for table in tables] == [one.title for one in answers()]
    used = {row for table in tables for line in table.rows for cell in line for row in cell.rows}
    assert used <= {*data.counts["row_id"], *data.tests["row_id"]}
    assert len(used) > 20


def test_two_studies_stand_side_by_side_in_a_finding_and_in_the_summary(tmp_path):
    data = invented(tmp_path, (30, 50, 20, 50), (25, 50, 20, 50))
    found = rows(findings_table(data, P, question_id=QUESTION))
    assert found["With drug"] == "600; 500 per 1,000: 30 of 50; 25 of 50"
    assert found["Difference (95% CI)"].count(";") == 1
    text = read_aloud(summary_prose([evidence.answer(QUESTION, data, P)], data, P))
    assert "Trial 0" in text
    assert "Trial 1" in text


def test_other_designs_stand_apart_in_a_finding(tmp_path):
    tables = emptied()
    study(tables, "trial_a", (30, 50, 20, 50))
    study(tables, "cohort_b", (45, 50, 10, 50), randomised="no", label="Cohort B")
    found = rows(findings_table(dataset(tmp_path, tables), P, question_id=QUESTION))
    assert found["Patients (studies)"].startswith("100 (1)")
    assert "Cohort B" in found["Other designs"]


def test_parameters_change_the_words_of_a_finding(tmp_path):
    data = invented(tmp_path, (30, 50, 20, 50))
    found = rows(
        findings_table(data, replace(P, effect_measure="OR", confidence_level=0.9), question_id=QUESTION)
    )
    assert "Odds ratio (90% CI)" in found


def test_the_profile_has_a_row_per_question_and_adds_up():
    table = certainty_table(real(), P)
    assert len(table.rows) == len(real().questions)
    frame = table.data[table.data["question_id"].isin(real().questions["question_id"])]
    assert len(frame) == len(table.rows)
    for row in frame.to_dict("records"):
        total = row["certainty_start"] + sum(value for name, value in row.items() if name.endswith("_levels"))
        assert row["certainty_level"] == min(4, max(1, total))


def test_an_empty_dataset_says_so_everywhere(tmp_path):
    data = dataset(tmp_path, emptied())
    made = [evidence.answer(QUESTION, data, P)]
    assert "No rows" in findings_table(data, P, question_id=QUESTION).rows[0][0].text
    assert "No rows" in certainty_table(data, P).rows[0][0].text
    assert "no data" in summary_prose(made, data, P).text
    assert summary_table(made, data, P).rows[0][-1].text == "No data"
    assert "no numbers" in plain_prose(data, P, **ASKED).text
    assert flow_of(data, P).studies == 0
    assert flow_figure(data, P).alt
    assert scope_prose(made, data, P).text


def test_the_first_screen_gives_absolute_numbers_and_a_certainty_for_every_answer():
    shown = shown_first()
    text = read_aloud(summary_prose(shown, real(), P))
    lines = [line for line in text.splitlines() if line.startswith("    - ")]
    assert len(lines) == 8
    whom = list(dict.fromkeys(one.title.partition(":")[0] for one in shown))
    together = sorted(shown, key=lambda one: whom.index(one.title.partition(":")[0]))
    for line, one in zip(lines, together, strict=True):
        assert re.search(
            r"[●○]{4} (High|Moderate|Low|Very low) certainty\.$", line.replace("\N{NO-BREAK SPACE}", " ")
        )
        assert f"{round(one.treatment.estimate * 1000)}" in line
        assert f"{round(one.control.estimate * 1000)}" in line
        assert len(line) < 240
        assert all(caveat in line.lower() for caveat in certainty(one, real(), P).caveats)


def test_wherever_a_level_is_shown_stands_what_was_not_read_of_the_studies_behind_it():
    data = real()
    found = {one.question_id: certainty(one, data, P) for one in answers()}
    assert any(sure.caveats for sure in found.values())
    profile = certainty_table(data, P)
    places = {
        "tables": [rows(table)["Certainty"] for table in findings_tables(data, P)],
        "short": [in_short(data, P, question).text for question in found],
    }
    for texts in places.values():
        for text, sure in zip(texts, found.values(), strict=True):
            assert all(caveat in text for caveat in sure.caveats), text
            assert bool(sure.caveats) == any(one in text for one in ("not stated", "vendor", "mostly "))
    for line, question in zip(*lines_asked(profile, found), strict=True):
        assert all(caveat in line[1].text for caveat in found[question].caveats)


def lines_asked(table, found):
    """Return the lines of a table that answer questions, and the questions."""
    lines = [line for line in table.rows if not line[0].text.startswith("of these")]
    return lines, [one for one in table.data["question_id"] if one in found]


def test_the_table_of_all_answers_says_in_short_what_was_not_read_and_where_the_rest_is_told():
    data, table = real(), summary_table(answers(), real(), P)
    found = {one.question_id: certainty(one, data, P) for one in answers()}
    summaries = dict(zip(found, findings_tables(data, P), strict=True))
    told = 0
    for line, question in zip(*lines_asked(table, found), strict=True):
        sure, shown, whole = found[question], line[-1].text, rows(summaries[question])["Certainty"]
        unread = any("the paper was not read" in one for one in sure.caveats)
        assert ("paper not read" in shown) == unread
        assert len(shown) < 60
        for caveat in sure.caveats:
            told += 1
            assert caveat in whole
            assert caveat.partition(":")[0] in shown or unread
    assert told > 5
    assert UNREAD_NOTE in table.note
    read = [one for one in answers() if not found[one.question_id].caveats]
    assert UNREAD_NOTE not in summary_table(read, data, P).note


def test_each_kind_of_event_in_the_table_of_all_answers_names_the_treatment_of_its_question():
    lines = [line[0].text for line in summary_table(answers(), real(), P).rows]
    kinds = [line for line in lines if line.startswith("of these")]
    assert len(set(kinds)) == len(kinds) > 3
    for place, line in enumerate(lines):
        if line in kinds:
            asked = next(one for one in reversed(lines[:place]) if one not in kinds)
            treatment = asked.partition(", ")[2].partition(" against ")[0]
            assert treatment
            assert line.endswith(f", {treatment}")


def test_diseases_stand_together_and_in_one_order_everywhere():
    data = real()
    order = list(dict.fromkeys(data.questions.sort_values("order")["indication"]))
    diseases = dict(zip(data.questions["question_id"], data.questions["indication"], strict=True))
    shuffled = sorted(answers(), key=lambda one: one.question_id)
    for table in (summary_table(shuffled, data, P), certainty_table(data, P)):
        shown = [diseases[question.partition(":")[0]] for question in table.data["question_id"]]
        assert shown == sorted(shown, key=order.index)


@pytest.mark.slow
def test_tables_of_several_questions_name_whom_they_are_about_once_and_in_one_order():
    data = real()
    order = [name for _, name in summary_table(answers(), data, P).groups]
    for table in (absolute_table(data, P), specification_table(data, P), robustness_table(data, P)):
        headings = [name for _, name in table.groups]
        assert headings == [name for name in order if name in headings]
        assert len(set(headings)) > 3
        assert not any(cell.text.startswith(tuple(headings)) for row in table.rows for cell in row[:1])


def test_the_first_screen_names_the_level_of_its_brackets():
    assert "95% confidence interval" in key_prose(shown_first(), real(), P).text
    wide = evidence.Parameters(confidence_level=0.9)
    assert "90% confidence interval" in key_prose(shown_first(), real(), wide).text


def test_the_key_explains_the_signs_that_are_shown_and_no_others():
    shown = shown_first()
    text, key = summary_prose(shown, real(), P).text, key_prose(shown, real(), P).text
    assert [sign in key for sign in SIGNS.values()] == [sign in text for sign in SIGNS.values()]
    assert "†" in key
    none = [one for one in shown if one.question_id == "itp_p3_2_5"]
    assert "†" not in key_prose(none, real(), P).text


def test_an_open_question_on_the_sizes_of_groups_is_signed_in_sentences_as_in_tables():
    data, found = real(), {one.question_id: one for one in answers()}
    open_ = part_doubts(data, alpha=P.alpha)
    for question, one in found.items():
        rows = {row for arm in arms_of(one) for row in arm.rows.split("|")}
        signed = DOUBT in summary_prose([one], data, P).text
        assert signed == bool(rows & set(open_) or any(arm.doubt for arm in arms_of(one))), question
        assert (DOUBT in key_prose([one], data, P).text) == signed
        assert ("is doubtful" in in_short(data, P, question).text) == signed
    assert DOUBT in summary_prose([found["itp_persistent_2_5"]], data, P).text


def test_two_questions_of_one_outcome_are_told_apart_by_their_treatment():
    found = [one for one in answers() if one.question_id.startswith("cit_efficacy")]
    asked = re.findall(r'<span class="asked">(.*?)<', summary_prose(found, real(), P).text)
    assert len(asked) == len(set(asked)) == 2
    (alone,) = re.findall(r'<span class="asked">(.*?)<', summary_prose(found[:1], real(), P).text)
    assert all(one.startswith(f"{alone} (") for one in asked)


def test_every_number_of_the_first_screen_names_the_place_that_it_comes_from():
    data = real()
    told = (
        summary_prose(shown_first(), data, P),
        brief_prose(data, P),
        wrong_prose(data, P),
        current_prose(data),
    )
    for text in [one.text for one in (*told, scope_prose(answers(), data, P))]:
        titles = re.findall(r'<span class="v" title="([^"]+)">', text)
        assert titles
        for title in titles:
            rows = re.findall(r"[\w-]+-[a-z]\d{3}\b", title)
            assert title.startswith("Counted in ") or (rows and all(data.locate(row) for row in rows))
            assert not re.search(r"\.csv, \S+, row", title)
    for line in told[0].text.splitlines():
        untraced = re.sub(
            r'<span class="v".*?</span>|<span class="asked">.*?</span></span>| style="[^"]*"', "", line
        )
        named = re.sub(r"\d+ × 10⁹/L", "", untraced)  # a threshold in the name of an outcome
        assert not re.search(r"\d{2,}", named), untraced


def test_a_number_in_a_name_is_no_number_of_the_sentence():
    said = numbers_traced("33 of rhIL-11, 10⁹/L or −5.2%.", ["saa_pilot-c005"], real())
    assert re.findall(r">([^<]+)</span>", said) == ["33", "−5.2%"]
    assert read_aloud(Prose(said)) == "33 of rhIL-11, 10⁹/L or −5.2%."


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_verb_on_the_first_screen_follows_the_interval(tmp_path, level):
    data = invented(tmp_path, (30, 50, 20, 50))
    wider = replace(P, confidence_level=level)
    one = evidence.answer(QUESTION, data, wider)
    text = summary_prose([one], data, wider).text
    assert ("direction not clear" in text) == (one.difference.low < 0 < one.difference.high)


def test_what_sources_got_wrong_is_one_finding_of_each_and_changes_a_conclusion():
    from evidence.display.marks import findings_of

    text = read_aloud(wrong_prose(real(), P))
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(lines) == 3
    assert len({line.split("**")[1] for line in lines}) == 3
    findings = findings_of(real(), P)
    serious = findings[findings["consequence"].eq("conclusion") & findings["verdict"].ne("consistent")]
    told = [re.sub(r"\W", "", why) for why in serious["why"]]
    for line in lines:
        body = re.sub(r"\W", "", line.split("**", 2)[2])
        assert any(body[:40] in why for why in told), line


def errors_in_brief(data, parameters=P):
    """Return the line on errors and that on how current the report is, as read."""
    wrong, current = read_aloud(brief_prose(data, parameters)).splitlines()[1:3]
    return wrong.partition(".** ")[2], current.partition(".** ")[2]


def test_the_first_screen_names_the_same_errors_as_the_section_on_them_each_in_a_clause():
    whole = [line[2:] for line in read_aloud(wrong_prose(real(), P)).splitlines() if line.startswith("- ")]
    brief, _ = errors_in_brief(real())
    assert len(brief) < 0.8 * len(" ".join(whole))
    at = -1
    for line in whole:
        name, _, said = line.replace("**", "").partition(": ")
        at = brief.index(f"{name}: ", at + 1)
        clause = brief[at + len(name) + 2 :].partition(". ")[0].rstrip(".")
        assert said.casefold().startswith(clause.casefold())
        assert len(clause) > 40


def test_the_first_screen_says_so_where_no_error_changes_a_conclusion(tmp_path):
    sound = dataset(tmp_path, {name: [dict(row) for row in some] for name, some in TABLES.items()})
    brief, current = errors_in_brief(sound)
    assert brief == NOTHING_WRONG == wrong_prose(sound, P).text
    assert current == "Newest documents: 2020."


def test_more_errors_than_are_told_are_counted():
    few = wrong_prose(real(), P, most=2).text
    assert len(re.findall(r"^- ", few, re.M)) == 2
    assert "the weightiest of each of 2" in few
    assert read_aloud(Prose(few)).startswith("In 3 studies or documents")
    part = wrong_prose(real().where(study_id="cit_cohort"), P).text
    assert read_aloud(Prose(part)).startswith("In 2 studies or documents")


def test_the_first_screen_is_as_current_as_the_section_on_it():
    _, current = errors_in_brief(real())
    whole = read_aloud(current_prose(real()))
    for told in re.findall(r"\d[\w ]*\d{4}|\d{4}", current):
        assert told in whole
    assert str(int(real().sources["year"].max())) in current


def test_what_leads_to_an_answer_is_not_told_again_below_it():
    data = real()
    for trial in without_figures(data):
        lead, details = (
            read_aloud(Prose(one)) for one in (trial_words(data, trial), trial_details(data, trial))
        )
        assert not ("primary endpoint" in lead and "primary endpoint" in details)
        assert details.endswith(".")
    assert any("primary endpoint" in trial_words(data, trial) for trial in without_figures(data))


def test_how_current_the_report_is_comes_from_the_data_and_not_from_the_clock(tmp_path):
    text = current_prose(real()).text
    assert str(int(real().sources["year"].max())) in text
    tables = {name: [dict(row) for row in some] for name, some in TABLES.items()}
    tables["protocols"] = [
        {"study_id": "trial_a", "section": "dates", "item": "last date", "value": value, "unit": ""}
        for value in ("March 2019", "5 May 2019")
    ]
    text = read_aloud(current_prose(dataset(tmp_path, tables)))
    assert "2020" in text
    assert "5 May 2019 (Trial A)" in text


def test_the_flow_puts_every_study_in_one_place():
    flow = flow_of(real(), P)
    assert flow.studies == len(real().studies)
    assert flow.syntheses + flow.silent + flow.results == flow.studies
    assert flow.unasked + flow.answering == flow.results
    assert sum(flow.supplied.values()) + sum(flow.added.values()) == len(real().sources)
    assert with_result(real()) >= {study for one in answers() for study in one.studies}
    assert str(flow.answering) in flow_figure(real(), P).caption


def test_the_questions_are_listed_as_asked():
    table = questions_table(real())
    assert len(table.rows) == len(real().questions)
    assert any("week" in row[1].text for row in table.rows)


def test_plain_words_give_people_out_of_100_and_say_what_is_not_known(tmp_path):
    text = read_aloud(plain_prose(invented(tmp_path, (30, 50, 20, 50)), P, **ASKED))
    assert "Out of 100 people with the drug, about 60 got well. With a dummy, about 40 did." in text
    unsure = plain_prose(invented(tmp_path / "b", (21, 50, 20, 50)), P, **ASKED).text
    assert "cannot tell which group did better" in unsure
    loose = plain_prose(invented(tmp_path / "c", (45, 50, 10, 50), randomised="no"), P, **ASKED).text
    assert "was not drawn by lot" in loose
    assert "The gap could be from" in loose
    assert "chance alone" not in loose
    assert "No numbers" not in loose


def test_plain_words_without_a_question_say_so(tmp_path):
    data = invented(tmp_path, (30, 50, 20, 50))
    assert "no numbers" in plain_prose(data, P, **(ASKED | {"question_id": "nobody_asked"})).text


def grade(text: str, monkeypatch) -> tuple[float, float]:
    """Return reading ease and grade.

    textstat imports a module that newer setuptools lack and that only its other formulas use.
    """
    if "textstat" not in sys.modules:
        monkeypatch.setitem(sys.modules, "pkg_resources", types.ModuleType("pkg_resources"))
    from textstat import textstat

    return textstat.flesch_reading_ease(text), textstat.flesch_kincaid_grade(text)


def page(monkeypatch) -> str:
    """Return the words of the page for patients as it is read: prose of the notebook and of its outputs."""
    from evidence.display import publish

    shown: list[str] = []
    monkeypatch.setattr(publish, "show", lambda item: shown.append(item.text))
    monkeypatch.chdir(ROOT / "notebooks")
    names: dict[str, object] = {}
    for cell in nbformat.read(ROOT / "notebooks" / "plain_language.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, "plain_language", "exec"), names)
        else:
            shown.append(re.sub(r"^#+ .*$|@[\w-]+", "", cell.source, flags=re.MULTILINE))
    return re.sub(r"</?span[^>]*>|[*\\]", "", " ".join(shown))


def test_the_page_for_patients_is_short_and_easy_to_read(monkeypatch):
    """Grade 8 at most, reading ease 60 at least: plain English for adults (Flesch 1948, Kincaid 1975)."""
    text = page(monkeypatch)
    ease, level = grade(text, monkeypatch)
    assert ease >= 60
    assert level <= 8
    assert 200 < len(text.split()) < 700  # what fills one page of A4
    assert not re.search(r"significan|hazard|odds|confidence|95%", text)


def test_rates_without_counts_are_not_called_counted_and_have_no_interval():
    bare = study_results_table(real(), P, study_id="itp_phase1")
    assert bare.data["events"].isna().all()
    assert bare.caption.endswith("rates of 5 outcomes, as printed, without counts.")
    assert [column.header for column in bare.columns][-1] == "Rate"
    assert "confidence" not in bare.full_note
    mixed = study_results_table(real(), P, study_id="itp_phase3_extension")
    assert 0 < mixed.data["events"].notna().sum() < len(mixed.data)
    assert mixed.caption.endswith(
        "rates of 4 outcomes, with 95% confidence intervals where a count is known."
    )
    whole = study_results_table(real(), P, study_id="cit_cohort")
    assert "counted results of" in whole.caption
    assert whole.caption.endswith(", with 95% confidence intervals.")


def test_an_interval_that_no_method_gives_is_told_above_the_tests_that_agree():
    made = study_tests_table(real(), P, study_id="avatrombopag_china")
    partly = sum(row[-1].text.endswith("interval not reproduced") for row in made.rows)
    assert partly == 1
    assert made.caption.endswith("Of 1 the interval is not reproduced.")
    unread = study_tests_table(real(), P, study_id="ma_shen2023")
    assert "Recomputed" not in unread.full_note
    assert "Recomputed" in made.full_note
