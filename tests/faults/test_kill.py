"""Killed without a word, at the boundary of every stage."""

import subprocess
import time

import pytest

from .conftest import CHANGED, REPORT, stages

SWEEP = ["sweep", "levels.yml", "--jobs", "1", "--render"]
STAGES = {"report": stages("report", "build_report"), "sweep": stages("sweep", "run_sweep")}
COMMANDS = {"report": [*REPORT, *CHANGED], "sweep": SWEEP}
# Stages that another process carries out: it is killed, and the command ends by saying so.
OF_WORKERS = {"sweep:answers_of", "sweep:_row"}
# Stages that these runs have no use for: the pages of the last report are none of those that are asked for.
UNMET = {"report": {"report:_is_whole"}, "sweep": set[str]()}

pytestmark = [pytest.mark.slow]


@pytest.mark.parametrize("what", STAGES)
def test_every_stage_of_the_source_is_met_by_the_runs_that_are_killed(world, tmp_path, what):
    record = tmp_path / "met"
    status, _, said = world.run(COMMANDS[what], {"stages": STAGES[what], "record": str(record)}, fresh=True)
    assert status == 0, said
    assert set(STAGES[what]) - set(record.read_text().split()) == UNMET[what]


@pytest.mark.fault("killed at a stage of a build")
@pytest.mark.parametrize("stage", [name for name in STAGES["report"] if name not in UNMET["report"]])
def test_a_build_that_is_killed_leaves_the_last_report_and_is_taken_up(world, survives, stage):
    status, _, why = world.run(COMMANDS["report"], {"at": stage, "do": "kill"})
    assert status == -9, why
    survives()


@pytest.mark.fault("killed at a stage of a sweep")
@pytest.mark.parametrize("stage", [name for name in STAGES["sweep"] if name not in UNMET["sweep"]])
def test_a_sweep_that_is_killed_leaves_the_last_answers_and_is_taken_up(world, survives, stage):
    status, _, why = world.run(COMMANDS["sweep"], {"at": stage, "do": "kill"})
    assert status == (2 if stage in OF_WORKERS else -9), why
    assert ("a worker died while it computed answers; run the sweep again" in why) == (stage in OF_WORKERS)
    survives("sweep")


@pytest.mark.fault("killed at a write")
@pytest.mark.parametrize("share", [n / 12 for n in range(12)])
def test_a_build_that_is_killed_at_any_write_is_taken_up(world, survives, writes, share):
    fault = {"at": 1 + int(share * writes), "root": str(world.root), "do": "kill"}
    status, _, _ = world.run(COMMANDS["report"], fault)
    assert status == -9
    survives()


@pytest.mark.fault("terminated")
@pytest.mark.parametrize("stage", ["report:carry_out", "report:pages"])
def test_a_build_that_is_terminated_is_taken_up(world, survives, stage):
    assert world.run(COMMANDS["report"], {"at": stage, "do": "terminate"})[0] == -15
    survives()


@pytest.mark.fault("killed with everything that it started")
def test_a_build_whose_whole_family_is_killed_at_once_is_taken_up(world, survives):
    running = world.start(COMMANDS["report"])
    deadline = time.monotonic() + 60
    while len(world.processes()) < 4 and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.02)
    for pid in world.processes():
        subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)
    running.communicate(timeout=20)
    survives()
