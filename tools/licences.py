"""The licence of every locked package, read from what is installed, and whether the project may rely on it.

``python -m tools.licences`` writes ``docs/licences.md``; the tests fail on a licence that is unknown or not allowed,
and on a list that is not current.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from tools.lock import ROOT, Pin, read_lock

PAGE = ROOT / "docs" / "licences.md"
# Permissive licences, and the weak copyleft of MPL-2.0, which binds only changes to the package's own files.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0",
    "PSF", "PSF-2.0", "Zlib",
}  # fmt: skip
# Metadata say the same licence in many ways; the first pattern that fits names it.
NAMES = (
    (r"apache", "Apache-2.0"),
    (r"mozilla public license 2|mpl-2", "MPL-2.0"),
    (r"mit-0", "MIT-0"),
    (r"\bmit\b", "MIT"),
    (r"\bisc\b", "ISC"),
    (r"bsd[- ]3|3-clause", "BSD-3-Clause"),
    (r"bsd[- ]2|2-clause", "BSD-2-Clause"),
    (r"\bbsd\b", "BSD"),
    (r"python software foundation|psf", "PSF"),
)
# A choice that a package offers, or what its metadata leave out, each with where it was read.
CHOSEN = {
    "axe-playwright-python": ("MIT", "the file LICENSE; it carries axe-core, which is MPL-2.0"),
    "pyphen": ("MPL-1.1", "offered under GPL-2.0-or-later, LGPL-2.1-or-later or MPL-1.1"),
    "pdoc": ("MIT-0", "its metadata; only the script of elasticlunr (MIT) is used"),
    "pypandoc-binary": (
        "MIT",
        "its metadata; it carries the program pandoc (GPL-2.0-or-later), which is run as a program of its own",
    ),
    "matplotlib": ("PSF", "its metadata, a licence in the manner of the PSF's; it carries the DejaVu fonts"),
}
# Used by tests alone, never shipped with a report or imported by the engine.
TESTS_ONLY = {"pyphen": "MPL-1.1"}


def licence_of(found: Distribution) -> str:
    """Return the licence that the metadata of an installed package state; empty where they state none."""
    about = found.metadata
    if expressions := about.get_all("License-Expression"):
        return str(expressions[0])
    classes = [
        text.split(" :: ")[-1] for text in about.get_all("Classifier") or [] if text.startswith("License")
    ]
    stated = [*classes, *"".join(about.get_all("License") or []).strip().splitlines()[:1]]
    precise = [known(text) for text in stated if known(text)]
    return max(precise, key=len, default="")


def known(text: str) -> str:
    """Return the usual name of a licence, or nothing."""
    return next((name for pattern, name in NAMES if re.search(pattern, text.lower())), "")


def allowed(name: str, licence: str) -> bool:
    """Return whether a package may be relied on: every part of ``AND``, one part of ``OR``."""
    if TESTS_ONLY.get(name) == licence:
        return True
    every = re.split(r"\s+AND\s+", licence.strip("()"))
    return all(any(one in ALLOWED for one in re.split(r"\s+OR\s+", part.strip("()"))) for part in every)


def rows() -> list[tuple[Pin, str, str]]:
    """Return each package that this computer installs, its licence, and a remark."""
    found = []
    for pin in sorted(read_lock(), key=lambda pin: pin.name):
        if pin.here:
            licence, remark = CHOSEN.get(pin.name) or (licence_of(installed(pin)), "")
            found.append((pin, licence, remark))
    return found


def installed(pin: Pin) -> Distribution:
    """Return an installed package; raises with the mend where it is missing."""
    try:
        return distribution(pin.name)
    except PackageNotFoundError as error:
        raise LookupError(f"{pin.name} is locked and not installed; run make report once") from error


def page() -> str:
    """Return the list as Markdown."""
    made = rows()
    elsewhere = sorted({pin.name for pin in read_lock()} - {pin.name for pin, _, _ in made})
    lines = [
        "# Licences of what this project depends on",
        "",
        "Made by `python -m tools.licences` from the metadata of the installed packages that `requirements-core.txt` "
        "locks. A test fails when a licence is unknown, or neither permissive nor compatible.",
        "",
        "| package | version | licence | remark |",
        "| --- | --- | --- | --- |",
        *(f"| {pin.name} | {pin.version} | {licence} | {remark} |" for pin, licence, remark in made),
        "",
        "Locked for other systems or other versions of Python only, and so not read here: "
        + ", ".join(elsewhere)
        + ".",
        "",
        "Quarto, named by `requirements.txt`, and R, which made `tests/reference`, are programs of their own; neither "
        "is shipped. The fonts are IBM Plex Sans under the SIL Open Font License (`assets/fonts/OFL.txt`).",
        "",
        "The project's own code is under the MIT licence (`LICENSE`), its tables under CC0 1.0 (`LICENSE-DATA.md`).",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the list; the status is 1 when a licence is not allowed."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    wrong = [
        f"{pin.name}: {licence or 'unknown'}" for pin, licence, _ in rows() if not allowed(pin.name, licence)
    ]
    print(*(wrong or [f"{len(rows())} licences in {PAGE.relative_to(ROOT)}"]), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
