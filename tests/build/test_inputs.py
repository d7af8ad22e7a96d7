"""What a report is made from besides its files: the commit that is checked out, and what prints the pages."""

import sys
from pathlib import Path

import pytest

from evidence.build import inputs

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ""),
        ({"HEAD": HASH}, HASH),
        ({"HEAD": "ref: refs/heads/main", "refs/heads/main": f"{HASH}\n"}, HASH),
        ({"HEAD": "ref: refs/heads/main", "packed-refs": f"# pack\n{HASH} refs/heads/main\n"}, HASH),
        ({"HEAD": "ref: refs/heads/main", "packed-refs": f"{HASH} refs/heads/other\n"}, ""),
        ({"HEAD": "ref: refs/heads/main"}, ""),
    ],
)
def test_the_commit_is_found_however_git_keeps_it(tmp_path: Path, files: dict[str, str], found: str):
    for name, text in files.items():
        place = tmp_path / ".git" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    assert inputs.commit(tmp_path) == found


@pytest.mark.skipif(sys.platform == "win32", reason="makes a program of a text")
def test_another_quarto_is_another_printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program, version = tmp_path / "bin" / "quarto", tmp_path / "share" / "version"
    for place in (program, version):
        place.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(inputs.sys, "executable", str(tmp_path / "elsewhere" / "python"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert inputs.printer("quarto") == {"SOURCE_DATE_EPOCH": "1"}
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    without = inputs.printer("auto")
    version.write_text("1.6")
    with_version = inputs.printer("auto")
    assert without["version"] == "" != with_version["version"]
    assert without["quarto"] == with_version["quarto"] != ""
    assert inputs.printer("builtin") == {"SOURCE_DATE_EPOCH": "1"}
