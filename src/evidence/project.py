"""Where the project is: notebooks, tests and the command line find the same folder."""

from __future__ import annotations

from pathlib import Path

from evidence.errors import BuildError

ROOT_MARK = "_quarto.yml"


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
