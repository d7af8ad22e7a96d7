"""One run at a time, and nobody waits for the dead."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evidence.build import locks
from evidence.build.files import swap, write_whole
from evidence.build.locks import alone, claim, held

HOLD = "import sys, time\nfrom pathlib import Path\nfrom evidence.build.locks import held\n"
HOLD += "with held(Path(sys.argv[1]), 'x'):\n    print(flush=True)\n    time.sleep(600)"


def test_a_second_holder_waits_and_is_told_for_what(tmp_path):
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with held(tmp_path / "a.lock", "the first", said.append):
            order.append("second")

    with held(tmp_path / "a.lock", "nobody"):
        waiting = threading.Thread(target=second)
        waiting.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    waiting.join(5)
    assert (order, said) == (["first", "second"], ["waiting for the first to end"])
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_stops_nobody(tmp_path):
    path = tmp_path / "a.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        holder.kill()
    assert path.exists()
    said: list[str] = []
    with held(path, "the dead", said.append):
        assert said == []
    assert not path.exists()


SHARES = pytest.mark.skipif(not locks.SHARES, reason="this system has no locks that can be shared")


@SHARES
def test_a_disk_without_locks_is_used_without(tmp_path, monkeypatch):
    def unsupported(*arguments: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    with alone(tmp_path, "default"):
        pass


@SHARES
def test_the_first_run_alone_removes_what_killed_ones_left_half_written(tmp_path):
    left = tmp_path / "_build" / ".cache" / "runs" / ".a.json.x1.part"
    left.parent.mkdir(parents=True)
    left.touch()
    with alone(tmp_path, "one"):
        assert not left.exists()
        left.touch()
        with alone(tmp_path, "two"):
            assert left.exists(), "another run may be writing it"
    assert not list((tmp_path / "_build" / ".locks").iterdir())


@SHARES
def test_a_folder_is_claimed_once(tmp_path):
    first = claim(tmp_path)
    assert first is not None
    assert claim(tmp_path) is None
    os.close(first)
    second = claim(tmp_path)
    assert second is not None
    os.close(second)


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "in two"])
@pytest.mark.parametrize("left", ["", "old beside new", "old without new"])
def test_a_swap_ends_with_the_new_folder_and_nothing_else(tmp_path, monkeypatch, exchange, left):
    if not exchange:
        monkeypatch.setattr("evidence.build.files._exchange", lambda one, other: False)
    write_whole(tmp_path / "new" / "b", "new")
    write_whole(tmp_path / ("target" if left != "old without new" else ".target.old") / "a", "old")
    if left == "old beside new":
        write_whole(tmp_path / ".target.old" / "a", "older")
    swap(tmp_path / "new", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["b"]


def test_between_the_two_steps_of_a_swap_the_old_folder_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr("evidence.build.files._exchange", lambda one, other: False)
    write_whole(tmp_path / "new" / "b", "new")
    write_whole(tmp_path / "target" / "a", "old")
    rename = Path.rename

    def killed(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            swap(tmp_path / "new", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    from evidence.build.files import restore

    restore(tmp_path / "target")
    assert (tmp_path / "target" / "a").read_text() == "old"
