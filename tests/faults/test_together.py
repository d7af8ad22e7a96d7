"""Several runs at once, and interruptions."""

import os
import signal
import time

import pytest

from .conftest import CHANGED, REPORT, tree

COMMAND = [*REPORT, *CHANGED]

pytestmark = [pytest.mark.slow]


@pytest.mark.fault("two builds at once")
@pytest.mark.parametrize("after", [0.0, 1.5])
def test_two_builds_of_one_report_follow_each_other(world, survives, after):
    first = world.start_fresh(COMMAND)
    time.sleep(after)
    second = world.start_fresh(COMMAND)
    said = [one.communicate(timeout=120)[1] for one in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert "waiting for another build of default to end" in "".join(said)
    survives()


@pytest.mark.fault("two builds at once")
def test_builds_of_two_scenarios_share_the_store_and_do_not_wait(world):
    scenario = world.root / "scenarios" / "other.yml"
    scenario.write_text("title: Other\nparameters: {confidence_level: 0.99}\n")
    both = [world.start(COMMAND), world.start([*REPORT, "--scenario", "other"])]
    said = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert "waiting" not in "".join(said)
    assert world.is_quiet()
    assert world.left_over() == []
    scenario.unlink()


@pytest.mark.fault("two builds at once")
def test_a_build_that_waits_for_one_that_is_killed_takes_over(world, survives):
    first = world.start(COMMAND)
    locks = world.root / "_build" / ".locks"
    until = time.monotonic() + 60
    while not (locks.is_dir() and list(locks.iterdir())) and time.monotonic() < until:
        time.sleep(0.01)
    second = world.start(COMMAND)
    time.sleep(1)
    first.kill()
    assert second.communicate(timeout=120)[1]
    assert second.returncode == 0
    survives()


@pytest.mark.fault("interrupted")
@pytest.mark.parametrize(
    "stage",
    ["dataset", "write_stage", "carry_out", "run_all", "pages", "write_outputs", "write_bundle", "swap"],
)
def test_an_interrupt_is_told_and_leaves_the_last_report(world, survives, stage):
    status, _, said = world.run(COMMAND, {"at": f"report:{stage}", "do": "interrupt"})
    assert (status, said.splitlines()[-1]) == (130, "Interrupted; the previous report is as it was.")
    assert "Traceback" not in said
    survives()


@pytest.mark.fault("interrupted")
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0, 3.0])
def test_an_interrupt_from_the_terminal_reaches_everything(world, survives, seconds):
    before = tree(world.report / "default")
    running = world.start_fresh(COMMAND)
    time.sleep(seconds)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    # Python itself may still have been starting; a build may have been quick.
    assert running.returncode in (130, -2, 0), said
    if running.returncode == 130:
        assert said.splitlines()[-1] == "Interrupted; the previous report is as it was."
        assert tree(world.report / "default") == before
    survives()
