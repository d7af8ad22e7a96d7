"""Every notebook run in JupyterLab itself, the way a person does it: open, "Run All Cells", save."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from evidence import memo

from .conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOKS = [
    "index.ipynb",
    *sorted(f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")),
]
NEEDED = ["_quarto.yml", "index.ipynb", "notebooks", "data", "assets", "scenarios", "benchmarks", "src"]
STARTING = 60  # seconds
RUNNING = 120  # seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    copy = tmp_path_factory.mktemp("lab")
    for name in NEEDED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
    return copy


@pytest.fixture(scope="module")
def lab(project) -> Iterator[str]:
    address = f"http://127.0.0.1:{(port := free_port())}"
    options = [
        f"--port={port}",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={project}",
    ]
    # Its kernels share what one of them has computed, as those of a build do.
    environment = os.environ | {memo.FOLDER: str(project / "_build" / "memo")}
    with (project / "lab.log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        wait_for(f"{address}/api")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:  # its kernels take longer to end where the machine is busy
            server.kill()
            server.wait(30)


def wait_for(address: str) -> None:
    until = time.monotonic() + STARTING
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not answer within {STARTING} s")


def code(path: Path) -> list[nbformat.NotebookNode]:
    """Return the cells of code, as soon as the file is whole: JupyterLab empties it before it saves."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until and not path.read_bytes().rstrip().endswith(b"}"):
        time.sleep(0.1)
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def outputs(path: Path) -> list[tuple[str, object]]:
    return [(cell.source, [kept(output) for output in cell.outputs]) for cell in code(path)]


def kept(output: dict) -> dict:
    return {key: value for key, value in output.items() if key != "execution_count"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_in_jupyterlab_gives_the_stored_outputs(browser, lab, project, name):
    stored = outputs(project / name)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{lab}/lab/tree/{name}?reset")
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    idle.wait_for(timeout=RUNNING * 1000, state="attached")
    # A page that is still being set up forgets the choice: it is made again with each look.
    save_until(page, lambda: not any(counts(project / name)), first=("Edit", "Clear Outputs of All Cells"))
    assert not any(counts(project / name)), "the outputs are gone before the run"
    choose(page, "Run", "Run All Cells")
    # A number is given to a cell when it is begun, and its outputs may come after the file was saved.
    save_until(page, lambda: all(counts(project / name)) and outputs(project / name) == stored)
    page.close()
    assert all(counts(project / name))
    assert outputs(project / name) == stored


def choose(page, menu: str, entry: str) -> None:
    """Choose from a menu; an entry that cannot be chosen yet stays so until the menu is opened again."""
    until = time.monotonic() + RUNNING
    while True:
        page.get_by_role("menubar").get_by_text(menu, exact=True).click()
        item = page.get_by_role("menuitem", name=entry).first
        item.wait_for()
        if item.is_enabled():
            item.click()
            return
        assert time.monotonic() < until, f"{entry!r} cannot be chosen"
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)


def save_until(page, done: Callable[[], bool], first: tuple[str, str] | None = None) -> None:
    """Save until the file is as it should be, or the time is up; before each time choose what is to be first."""
    until = time.monotonic() + RUNNING
    while True:
        if first:
            choose(page, *first)
        choose(page, "File", "Save Notebook")
        page.wait_for_timeout(1000)
        if done() or time.monotonic() > until:
            return


def counts(path: Path) -> list[int | None]:
    return [cell.execution_count for cell in code(path)]
