"""Where the project is: notebooks, tests and the command line find the same folder."""

from __future__ import annotations

import os
from pathlib import Path

from evidence.errors import BuildError

ROOT_MARK = "_quarto.yml"
YEAR_10000 = 253402300800


def find_root(start: Path | str | None = None) -> Path:
    """Return the nearest folder at or above ``start`` (default: where we are) that holds ``_quarto.yml``.

    Raises:
        BuildError: no folder on the way up is a project.
    """
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / ROOT_MARK).is_file():
            return folder
    raise BuildError(f"{here}: no {ROOT_MARK} here or above; run this inside the project folder")


def resolve(path: Path | str) -> Path:
    """Return ``path`` as it is where it exists or is absolute, else below the project's root.

    A notebook runs in its own folder and the command line at the root; both mean the same ``data``.
    """
    given = Path(path)
    if given.is_absolute() or given.exists():
        return given.resolve()
    try:
        return find_root() / given
    except BuildError:
        return given.resolve()


def check_epoch() -> None:
    """Refuse a ``SOURCE_DATE_EPOCH`` that is no date; where there is none, a report bears none.

    Packages below ours read it when they are loaded, and take no other than a number.

    Raises:
        BuildError: it is not a number of seconds since 1970.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not (given.isascii() and given.isdigit() and int(given) < YEAR_10000):
        raise BuildError(f"SOURCE_DATE_EPOCH {given!r}: give whole seconds since 1970-01-01, or unset it")
