"""Many scenarios of the small invented project."""

import csv
import os
import signal
from pathlib import Path

import pytest

from evidence.build.files import digest_of
from evidence.build.grid import read_grid
from evidence.build.sweep import NOT_OF_ANSWERS, OF_DATA, Sweep, answers_of, run_sweep
from evidence.cli import main
from evidence.data import dataset
from evidence.errors import NotebookError, ParameterError
from evidence.parameters import Parameters

GRID = "grid:\n  confidence_level: [0.9, 0.95]\n  missing_data: [observed, failure]\n"


@pytest.fixture
def grid(project: Path) -> Path:
    path = project / "levels.yml"
    path.write_text(GRID)
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def swept(project: Path, grid: Path, **how: object) -> tuple[Path, list[str]]:
    """Sweep and return the folder with the names of what ran or was computed."""
    said: list[str] = []
    sweep = Sweep(project, read_grid(grid, project), **how)  # type: ignore[arg-type]
    return run_sweep(sweep, lambda name, *_: said.append(name)), said


def test_a_grid_combines_all_values_and_a_list_takes_them_as_given(project, grid):
    made = read_grid(grid, project)
    assert [one.name for one in made.scenarios] == ["levels-1", "levels-2", "levels-3", "levels-4"]
    assert made.varied == ("confidence_level", "missing_data")
    grid.write_text("list:\n  - {alpha: 0.01}\n  - {alpha: 0.1, effect_measure: OR}\n")
    assert [one.parameters.changed() for one in read_grid(grid, project).scenarios] == [
        {"alpha": 0.01},
        {"alpha": 0.1, "effect_measure": "OR"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("grid: {confidenc_level: [0.9]}", "did you mean confidence_level"),
        ("grid: {alpha: [0.01, 7]}", "alpha 7"),
        ("grid: {alpha: 0.01}", "list of values per parameter"),
        ("grid: {alpha: [0.01]}\nlist: []", "give grid .* or list"),
        ("gird: {}", "give grid"),
        ("list: [1]", "one set of name: value"),
        ("grid: {alpha: [0.01]}\nbase: defualt", "did you mean default"),
        ("a: [", "not readable as YAML"),
        ("grid: {alpha: [0.01]}\nparameters: [alpha]", "give parameters as name: value"),
        ("grid: {alpha: [0.01]}\nparameter: {alpha: 0.1}", "unknown parameter; the keys are"),
        (
            "grid: {alpha: [0.01, 0.02], confidence_level: " + str([0.9] * 6000) + "}",
            "12000 scenarios; at most",
        ),
    ],
)
def test_a_wrong_grid_is_refused_with_its_mend(project, grid, content, message):
    grid.write_text(content)
    with pytest.raises(ParameterError, match=message):
        read_grid(grid, project)


def test_a_grid_with_a_name_that_no_folder_should_have_is_refused(project, grid):
    odd = grid.rename(grid.with_name("all levels.yml"))
    with pytest.raises(ParameterError, match="letters, digits"):
        read_grid(odd, project)


@pytest.mark.slow
def test_a_sweep_runs_each_distinct_notebook_once_and_ends_with_the_answers(project, grid):
    folder, said = swept(project, grid)
    # missing_data is declared by no notebook here: two levels, two notebooks.
    assert sorted(name for name in said if name.endswith(".ipynb")) == [
        "index.ipynb", "index.ipynb", "notebooks/study_trial_a.ipynb", "notebooks/study_trial_a.ipynb"
    ]  # fmt: skip
    found = rows(folder)
    assert [row["scenario"] for row in found] == ["levels-1", "levels-2", "levels-3", "levels-4"]
    assert [row["confidence_level"] for row in found] == ["0.9", "0.9", "0.95", "0.95"]
    # 30/50 against 20/50: a difference of 0.2; the narrower interval lies inside the wider one.
    assert {round(float(row["estimate"]), 6) for row in found} == {0.2}
    assert float(found[0]["low"]) > float(found[2]["low"])
    assert all(row["sentence"] for row in found)
    drawn = (folder / "specification-cured_6m.svg").read_text()
    assert "<svg" in drawn
    assert len((folder / "specification-cured_6m.csv").read_text().splitlines()) == 3
    _, said = swept(project, grid)
    assert [name for name in said if name not in ("Notebooks", "Answers", "Figures")] == []


@pytest.mark.slow
def test_a_sweep_with_pages_makes_each_report_once_from_the_notebooks_it_has_run(project, grid, monkeypatch):
    grid.write_text("list:\n  - {confidence_level: 0.9}\n  - {confidence_level: 0.95}\n")
    ran: list[str] = []
    monkeypatch.setattr(
        "evidence.build.report.run_all", lambda tasks, **_: ran.extend(task.name for task in tasks)
    )
    swept(project, grid, render=True)
    pages = [project / "_report" / f"levels-{number}" / "index.html" for number in (1, 2)]
    assert [page.is_file() for page in pages] == [True, True]
    assert pages[0].read_bytes() != pages[1].read_bytes()
    assert ran == []
    before = [page.stat().st_mtime_ns for page in pages]
    _, said = swept(project, grid, render=True)
    assert "Pages" not in said
    assert [page.stat().st_mtime_ns for page in pages] == before


def test_what_is_said_to_change_no_answer_changes_none(project):
    assert set(NOT_OF_ANSWERS) < set(Parameters().values())
    values = Parameters().values()
    other = {"alpha": 0.3, "noninferiority_margin": 7.0, "reference_treatment": "placebo", "theme": "print"}
    assert set(other) == set(NOT_OF_ANSWERS)
    assert answers_of(str(project), values) == answers_of(str(project), {**values, **other})
    assert answers_of(str(project), values) != answers_of(str(project), {**values, "confidence_level": 0.8})


def test_a_dataset_is_shared_only_where_all_that_makes_it_is_the_same(project):
    used: set[str] = set()

    class Noting:
        def __getattr__(self, name: str) -> object:
            used.add(name)
            values = {**Parameters().values(), "data_dir": str(project / "data")}
            return values[name]

    dataset(Noting())  # type: ignore[arg-type]
    assert used - {"study_id"} == set(OF_DATA)


@pytest.mark.slow
def test_a_stopped_sweep_goes_on_where_it_was(project, grid):
    done: list[str] = []

    def stop(name: str, finished: int, total: int) -> None:
        done.extend([name] if name.endswith(".ipynb") else [])
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(Sweep(project, read_grid(grid, project)), stop)
    _, said = swept(project, grid)
    assert len([name for name in said if name.endswith(".ipynb")]) == 2


def test_what_fails_is_tried_again_and_then_named(project, grid, monkeypatch):
    tries: list[int] = []

    def failing(pool: object, how: object, tasks: list, done: object) -> None:
        tries.append(len(tasks))
        raise (
            NotebookError("index.ipynb: the worker died")
            if len(tries) < 2
            else NotebookError("index.ipynb: lost")
        )

    monkeypatch.setattr("evidence.build.sweep.work", failing)
    with pytest.raises(NotebookError, match=r"index\.ipynb: lost"):
        swept(project, grid)
    assert tries == [4, 4]


@pytest.mark.slow
def test_the_command_writes_the_table_and_says_where(project, grid, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "levels.yml", "--jobs", "1"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "_report/sweep-levels/answers.csv\n"


def test_a_cluster_that_does_not_answer_is_named(project, grid, capsys):
    pytest.importorskip("distributed")
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "levels.yml", "--cluster", "nothing://here"])
    assert ended.value.code == 2
    assert "--cluster nothing://here: no scheduler answers" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_loses_a_worker_gives_the_bytes_of_the_serial_run(project, grid):
    distributed = pytest.importorskip("distributed")
    serial, _ = swept(project, grid)
    expected = digest_of(serial), digest_of(project / "_build" / ".cache" / "texts")
    for path in sorted((project / "_build").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        killed: list[int] = []

        def kill(name: str, finished: int, total: int) -> None:
            if name.endswith(".ipynb") and not killed:
                killed.append(cluster.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        folder = run_sweep(Sweep(project, read_grid(grid, project), cluster=cluster.scheduler_address), kill)
        assert killed
    assert (digest_of(folder), digest_of(project / "_build" / ".cache" / "texts")) == expected
