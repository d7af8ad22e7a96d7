"""Links from one chapter to a section of another, made where the book has that section."""

from __future__ import annotations

import re
from pathlib import Path

from evidence.build.files import write_draft
from evidence.build.notebooks import ANCHOR

# An empty span that names a section, as tables write it; in a notebook file its quotes are escaped.
WISH = re.compile(r'<span class=\\"see\\" title=\\"(?P<label>[\w-]+)\\"></span>')


def link(text: str, labels: set[str]) -> str:
    r"""Return the text of a notebook file with a reference wherever it wishes for a section that there is.

    >>> link('Table 1<span class=\\"see\\" title=\\"sec-study-a\\"></span>', {"sec-study-a"})
    'Table 1 (@sec-study-a)'
    """

    def reference(wish: re.Match[str]) -> str:
        return f" (@{wish['label']})" if wish["label"] in labels else ""

    return WISH.sub(reference, text)


def link_notebooks(paths: list[Path]) -> None:
    """Make the links among executed notebooks of one book, in place."""
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    labels = {label for text in texts.values() for label in ANCHOR.findall(text)}
    for path, text in texts.items():
        linked = link(text, labels)
        if linked != text:
            write_draft(path, linked)
