"""The published report in a real browser, where one is installed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORT = Path(os.environ.get("EVIDENCE_REPORT", ROOT / "docs" / "report"))
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: browser tests are skipped")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


def pages() -> list[str]:
    """Return the first page, the explorer, every sixth chapter and one study page; all of them if asked."""
    found = sorted(path.relative_to(REPORT).as_posix() for path in REPORT.rglob("*.html"))
    if "EVIDENCE_ALL_PAGES" in os.environ:
        return found
    studies = [name for name in found if "/study_" in name]
    chapters = [name for name in found if name not in studies]
    always = [name for name in chapters if name.endswith(("index.html", "explorer.html"))]
    return sorted({*always, *chapters[::6], *studies[:1]})
