import os
import subprocess
import sys

import pytest

from evidence.build.files import digest_of, swap, write_whole


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_digest_follows_names_and_bytes_but_not_the_place(tmp_path):
    for name in ("one", "two"):
        write_whole(tmp_path / name / "x.csv", "a\n")
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    write_whole(tmp_path / "two" / "x.csv", "b\n")
    assert digest_of(tmp_path / "one") != digest_of(tmp_path / "two")


def test_swap_replaces_a_folder_as_a_whole(tmp_path):
    write_whole(tmp_path / "old" / "a", "old")
    write_whole(tmp_path / "new" / "b", "new")
    swap(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["b"]


def test_finding_that_nothing_changed_loads_no_tables_and_no_notebooks():
    heavy = "{'pandas', 'numpy', 'nbformat', 'evidence.data'} & set(sys.modules)"
    code = (
        f"import sys, evidence.cli, evidence.build.publish, evidence.build.unchanged; print(sorted({heavy}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
