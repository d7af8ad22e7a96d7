from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests here share the invented book


@pytest.fixture(name="book")
def _book(tmp_path: Path) -> Path:
    from invented_book import write_book

    return write_book(tmp_path / "book")
