"""What runs again and what does not, on a small invented project with two studies."""

import copy
import json
from pathlib import Path

import pytest

from evidence.build import Request, build_report, inputs, read_scenario
from evidence.build.explain import Reason
from evidence.build.notebooks import parse_notebook, to_text, with_outputs
from evidence.cli import main

from ..conftest import SET_UP, TABLES, notebook, write_project, write_tables

SECOND = {"study_id": "trial_b", "label": "Trial B"}


def two_studies() -> dict[str, list[dict[str, str]]]:
    tables = copy.deepcopy(TABLES)
    for name in ("studies", "arms", "counts"):
        tables[name] += [
            row | SECOND if name == "studies" else row | {"study_id": "trial_b"} for row in tables[name]
        ]
    return tables


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("steps") / "project")
    write_tables(root / "data", two_studies())
    study = (root / "notebooks" / "study.ipynb").read_text()
    study = study.replace("evidence.load(p.data_dir)", "evidence.dataset(p)")
    (root / "notebooks" / "study.ipynb").write_text(
        study.replace("p.confidence_level)", "p.confidence_level, len(data.counts))")
    )
    return root


def build(root: Path, **asked: object) -> dict[str, Reason]:
    """Build the report and return, by notebook, whether it ran and why."""
    reasons: list[Reason] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        overrides = asked.pop("parameters", {})
        scenario = read_scenario("default", root, overrides)  # type: ignore[arg-type]
        request = Request(root, scenario, "builtin", ("html",), 2, **asked)  # type: ignore[arg-type]
        build_report(request, explain=reasons.append)
    return {Path(one.notebook).stem: one for one in reasons}


def ran(reasons: dict[str, Reason]) -> list[str]:
    return sorted(name for name, one in reasons.items() if one.runs)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def page(root: Path, name: str) -> str:
    return (root / "_report" / "default" / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_only_what_depends_on_a_change_runs_again(root: Path):
    assert ran(build(root)) == ["index", "study_trial_a", "study_trial_b"]

    again = build(root)
    assert ran(again) == []
    assert {one.why for one in again.values()} == {"nothing that it uses changed"}

    # A row of one study: its page and the summary, which reads its outcome; not the other study's page.
    edit(
        root / "data" / "counts.csv",
        "trial_b,drug,cured,,,,randomised,6,month,,30",
        "trial_b,drug,cured,,,,randomised,6,month,,31",
    )
    edit(root / "data" / "counts.csv", "31,50,printed,60.0", "31,50,printed,62.0")
    changed = build(root)
    assert ran(changed) == ["index", "study_trial_b"]
    assert changed["study_trial_b"].why == "data/counts (trial_b)"
    assert changed["index"].why == "data/counts (cured)"
    assert changed["study_trial_a"].why == "nothing that it uses changed"


@pytest.mark.slow
def test_changed_prose_runs_nothing_and_reaches_the_page(root: Path):
    build(root)
    edit(root / "index.ipynb", "# Summary", "# Summary\\n\\nA sentence that is new.")
    before = page(root, "index.html")
    assert ran(build(root)) == []
    assert "A sentence that is new." not in before
    assert "A sentence that is new." in page(root, "index.html")


@pytest.mark.slow
def test_changed_code_runs_its_notebook_and_names_the_cell(root: Path):
    build(root)
    edit(root / "notebooks" / "study.ipynb", "len(data.counts))", "len(data.counts), 'more')")
    reasons = build(root)
    assert ran(reasons) == ["study_trial_a", "study_trial_b"]
    assert reasons["study_trial_a"].why == "code cell 3"


@pytest.mark.slow
def test_a_parameter_runs_what_declares_it_and_its_earlier_value_nothing(root: Path):
    build(root)
    reasons = build(root, parameters={"confidence_level": "0.9"})
    assert ran(reasons) == ["index", "study_trial_a", "study_trial_b"]
    assert reasons["index"].why == "parameter confidence_level 0.95 -> 0.9"
    assert "90% CI" in page(root, "index.html")
    back = build(root)
    assert ran(back) == []
    assert back["index"].why == "as in an earlier build (parameter confidence_level 0.9 -> 0.95)"
    assert "95% CI" in page(root, "index.html")


@pytest.mark.slow
def test_another_engine_or_environment_runs_everything(root: Path, monkeypatch):
    build(root)
    modules = inputs.engine()
    monkeypatch.setattr(inputs, "engine", lambda: {**modules, "results.py": "other"})
    reasons = build(root)
    assert {one.why for one in reasons.values()} == {"engine results.py"}
    assert all(one.runs for one in reasons.values())
    monkeypatch.setattr(inputs, "environment", lambda root: {"python": "9.9"})
    assert "-> absent" in build(root)["index"].why


def test_what_only_prints_pages_is_no_engine_of_notebooks():
    part = inputs.of_notebooks(inputs.engine())
    assert {"results.py", "reads.py", "build/execute.py", "stats/pool.py"} <= set(part)
    assert not [name for name in part if name.startswith("render/") or name in ("cli.py", "build/report.py")]


@pytest.mark.slow
def test_a_file_that_a_cell_reads_is_an_input(root: Path):
    (root / "notebooks" / "extra.txt").write_text("one")
    edit(
        root / "index.ipynb",
        "import evidence",
        "said = open('notebooks/extra.txt' if __import__('os').path.exists('notebooks') else 'extra.txt').read()\\nimport evidence",
    )
    assert ran(build(root)) == ["index"]
    assert ran(build(root)) == []
    (root / "notebooks" / "extra.txt").write_text("two")
    reasons = build(root)
    assert ran(reasons) == ["index"]
    assert reasons["index"].why == "file notebooks/extra.txt"


@pytest.mark.slow
def test_equal_outputs_make_no_new_pages(root: Path, monkeypatch):
    build(root)
    edit(root / "index.ipynb", "import evidence", "# Nothing to see.\\nimport evidence")
    assert ran(build(root)) == ["index"]
    monkeypatch.setattr("evidence.build.report.render", lambda *_, **__: pytest.fail("pages were made again"))
    assert ran(build(root, force=True)) == ["index", "study_trial_a", "study_trial_b"]


@pytest.mark.slow
def test_pages_that_somebody_changed_are_made_again(root: Path):
    build(root)
    target = root / "_report" / "default" / "index.html"
    good = target.read_text()
    target.write_text("spoilt")
    assert ran(build(root)) == []
    assert target.read_text() == good


@pytest.mark.slow
def test_a_failed_build_keeps_what_finished(root: Path):
    build(root)
    edit(root / "index.ipynb", "import evidence", "import evidence # other")
    study = root / "notebooks" / "study.ipynb"
    edit(study, "len(data.counts)", "len(data.counts), 1 / (len(study_id) - len('trial_b') or p.none)")
    with pytest.raises(Exception, match="study_trial_a"):
        build(root)
    edit(study, ", 1 / (len(study_id) - len('trial_b') or p.none)", "")
    assert ran(build(root)) == []


@pytest.mark.slow
def test_nothing_changed_loads_nothing_and_says_so(root: Path, capsys, monkeypatch):
    monkeypatch.chdir(root)
    asked = ["report", "--renderer", "builtin", "--to", "html", "--explain"]
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(asked)
        assert ended.value.code == 0
    said = capsys.readouterr()
    assert "kept  index.ipynb: nothing at all changed" in said.out
    monkeypatch.setattr("evidence.build.report.build_report", lambda *_: pytest.fail("it was built"))
    with pytest.raises(SystemExit):
        main(asked)
    with pytest.raises(pytest.fail.Exception):
        main([*asked, "--force"])


@pytest.mark.slow
def test_a_notebook_that_shows_doubts_runs_when_a_mark_changes_and_not_when_a_row_does(root: Path):
    shown = "from evidence.display.marks import doubts\nprint(doubts(data, ['trial_a'], alpha=0.05))"
    before = (root / "index.ipynb").read_text()
    (root / "index.ipynb").write_text(notebook("Doubts", 'data_dir = "data"', SET_UP, shown))
    try:
        build(root)
        for old, new, runs in (
            ("50,printed,60.0", "50,printed,60.00", []),  # another printing, as sound
            ("50,printed,60.00", "50,printed,70.0", ["index"]),
            ("50,printed,70.0", "50,printed,60.00", []),  # as in an earlier build
        ):
            edit(root / "data" / "counts.csv", old, new)
            reasons = build(root)
            assert ran({"index": reasons["index"]}) == runs
            assert ("doc-c001" in page(root, "index.html")) == bool(runs)
        rerun = "data: doubts about trial_a"
        assert rerun in reasons["index"].why
    finally:
        (root / "index.ipynb").write_text(before)
        edit(root / "data" / "counts.csv", "50,printed,60.00", "50,printed,60.0")


@pytest.mark.slow
def test_a_notebook_put_together_from_kept_outputs_is_the_executed_one(root: Path):
    build(root)
    stage = root / "_build" / "default" / "project" / "index.ipynb"
    executed = stage.read_text()
    source = parse_notebook((root / "index.ipynb").read_text())
    assert to_text(with_outputs(source, parse_notebook(executed))) == executed


@pytest.mark.slow
def test_the_state_says_what_each_notebook_read(root: Path):
    build(root)
    state = json.loads((root / "_build" / ".state" / "default.json").read_text())
    reads = [read for read, _ in state["notebooks"]["notebooks/study_trial_a.ipynb"]["reads"]]
    assert ["rows", "data", "counts", "trial_a"] in reads
    assert ["match", "data", "parent_study_id", ["trial_a"]] in reads
    assert not [read for read in reads if read[0] == "rows" and read[3] == "trial_b"]
    assert not [read for read in reads if read[:3] == ["rows", "data", "counts"] and read[3] is None]
