"""Turns a notebook with outputs into Pandoc Markdown, cell by cell."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from evidence.errors import Fault
from evidence.render.book import Book, Chapter
from evidence.render.shortcodes import expand

CELL_OPTIONS = (
    "label", "fig-cap", "fig-alt", "tbl-cap", "echo", "include", "output", "code-fold", "code-summary"
)  # fmt: skip
IMAGE_TYPES = {"image/svg+xml": ".svg", "image/png": ".png"}
BLANK = " \t\r\n\f\v"
SPACES = re.compile(f"[{BLANK}]+")
LABEL_MEND = "is no plain label; begin it with a letter, go on with letters, digits, '-', '_' and '.'"
SHOWN = ("text/markdown", "text/plain", *IMAGE_TYPES)
PLAIN_LABEL = re.compile(r"[A-Za-z][\w.-]*")  # of an output: anchors and files are called by it
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


@dataclass(slots=True)
class Source:
    """A chapter as Pandoc Markdown, with the images and data its outputs hold and the faults found.

    ``media`` is named relative to the chapter's page, ``downloads`` relative to the report.
    """

    chapter: Chapter
    front: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    media: dict[str, bytes] = field(default_factory=dict)
    downloads: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, cell: int, value: str, mend: str) -> None:
        """Note what is wrong in a cell (counted from 1)."""
        self.faults.append(Fault(self.chapter.path, 0, f"cell {cell}", value, mend))


def read_source(book: Book, chapter: Chapter) -> Source:
    """Read one chapter; what is wrong with it is kept in ``faults``, never raised."""
    source = Source(chapter)
    try:
        cells = _cells(book, chapter)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        source.faults.append(Fault(chapter.path, 0, "", "", f"cannot be read as a notebook ({error})"))
        return source
    pieces = [piece for index, cell in enumerate(cells, 1) for piece in _piece(book, source, index, cell)]
    source.text = "\n\n".join(pieces) + "\n"
    return source


def _cells(book: Book, chapter: Chapter) -> list[dict[str, Any]]:
    text = (book.root / chapter.path).read_text(encoding="utf-8")
    if not chapter.path.endswith(".ipynb"):
        return [{"cell_type": "markdown", "source": text}]
    content = json.loads(text)
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise TypeError("it has no list of cells")
    for place, cell in enumerate(cells, 1):
        if not _is_cell(cell):
            raise TypeError(f"cell {place} is not made as a notebook's cell")
    return cells


def _is_cell(cell: Any) -> bool:
    """Return whether a cell, and each of its outputs, has the shape that a notebook gives it."""
    if not isinstance(cell, dict) or not _is_text(cell.get("source")):
        return False
    outputs = cell.get("outputs") or []
    return (
        isinstance(cell.get("metadata") or {}, dict)
        and isinstance(outputs, list)
        and all(_is_output(output) for output in outputs)
    )


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict) or not _is_text(output.get("text")):
        return False
    data, metadata = output.get("data") or {}, output.get("metadata") or {}
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return False
    told = metadata.get("evidence") or {}
    shown = [value for kind, value in data.items() if kind in SHOWN]
    return isinstance(told, dict) and all(_is_text(text) for text in (*shown, told.get("csv")))


def _is_text(text: Any) -> bool:
    """Return whether notebook text is whole, a list of lines, or missing."""
    lines = text if isinstance(text, list) else [text or ""]
    return all(isinstance(line, str) for line in lines)


def _piece(book: Book, source: Source, index: int, cell: Mapping[str, Any]) -> Iterator[str]:
    """Yield the marker that tells later steps which cell they are in, then the cell itself."""
    yield f"```{{=cell}}\n{index}\n```"
    text = joined(cell.get("source"))
    kind = cell.get("cell_type")
    if index == 1 and kind in ("raw", "markdown"):
        text = _take_front_matter(source, text)
    if kind == "code":
        yield from _code_cell(source, index, cell, text)
    elif kind == "markdown":
        yield expand(text, book=book, source=source, cell=index)
    elif kind == "raw" and text.strip():
        source.fault(index, "raw cell", "only the first cell may be raw, with the YAML title; use Markdown")


def _take_front_matter(source: Source, text: str) -> str:
    found = FRONT_MATTER.match(text)
    if not found:
        return text
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        source.fault(1, "front matter", f"is not valid YAML: {error}")
        front = {}
    source.front = front if isinstance(front, dict) else {}
    return text[found.end() :]


def _code_cell(source: Source, index: int, cell: Mapping[str, Any], text: str) -> Iterator[str]:
    options, code = cell_options(source, index, cell, text)
    if options.get("include") is False:
        return
    yield "::::::::: {.cell}"
    if options.get("output", True) is not False:
        yield from _outputs(source, index, cell, options)
    if code.strip() and options.get("echo", True) is not False:
        yield _folded(code, options)
    yield ":::::::::"


def cell_options(
    source: Source, index: int, cell: Mapping[str, Any], text: str
) -> tuple[dict[str, Any], str]:
    """Split a code cell into its ``#|`` options (those in the cell's metadata win) and its code."""
    lines = text.splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#|")), len(lines))
    try:
        options = yaml.safe_load("\n".join(line[2:].removeprefix(" ") for line in lines[:count])) or {}
        options = dict(options)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        source.fault(index, "#|", f"options are not valid YAML: {error}")
        options = {}
    for name in options.keys() - set(CELL_OPTIONS):
        source.fault(index, f"#| {name}", f"is outside the subset; the options are {', '.join(CELL_OPTIONS)}")
    metadata = cell.get("metadata") or {}
    options |= {name: metadata[name] for name in CELL_OPTIONS if name in metadata}
    label = options.get("label")
    if label is not None and not (isinstance(label, str) and PLAIN_LABEL.fullmatch(label)):
        source.fault(index, f"label: {flat(label)}", LABEL_MEND)
        del options["label"]
    return options, "\n".join(lines[count:])


def _folded(code: str, options: Mapping[str, Any]) -> str:
    fold = str(options.get("code-fold", True)).lower()
    summary = options.get("code-summary", "Code")
    return fenced(code.strip("\n"), f'.python .cell-code fold="{fold}" summary="{attribute(summary)}"')


def _outputs(
    source: Source, index: int, cell: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[str]:
    blocks = [block for out in cell.get("outputs") or () for block in _output(source, index, out, options)]
    label = str(options.get("label") or "")
    kind = label.partition("-")[0]
    if kind not in ("fig", "tbl"):
        yield from blocks
    elif not blocks:
        source.fault(index, label, "the labelled cell has no output; run the notebook, or remove the label")
    else:
        yield _float(label, kind, blocks, options, _data(source, label, kind, cell.get("outputs") or ()))


def _data(source: Source, label: str, kind: str, outputs: Iterable[Mapping[str, Any]]) -> str:
    """Keep the tidy values behind a labelled output; return their place in the report, or nothing."""
    told = [(output.get("metadata") or {}).get("evidence") or {} for output in outputs]
    found = next((said["csv"] for said in told if said.get("csv")), None)
    if not found:
        return ""
    place = f"{'figures' if kind == 'fig' else 'tables'}/{label}.csv"
    source.downloads[place] = joined(found).encode()
    return place


def _float(label: str, kind: str, blocks: list[str], options: Mapping[str, Any], data: str) -> str:
    caption = flat(options.get(f"{kind}-cap") or "")
    inner = f"::::: {{.float-caption}}\n{caption}\n:::::" if caption else ""
    body = "\n\n".join(part for part in (*blocks, inner) if part)
    attributes = f"#{label} .float" + (f' data="{data}"' if data else "")
    return f":::::: {{{attributes}}}\n{body}\n\n::::::"


def _output(
    source: Source, index: int, output: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[str]:
    kind = output.get("output_type")
    if kind == "stream":
        yield fenced(joined(output.get("text")).rstrip("\n"), ".cell-output")
    elif kind == "error":
        source.fault(
            index, str(output.get("ename", "error")), "the cell failed; mend the notebook and run it again"
        )
    elif kind in ("display_data", "execute_result"):
        said = (output.get("metadata") or {}).get("evidence") or {}
        own = {"fig-alt": said["alt"]} if said.get("kind") == "part" else {}
        own |= {"narrow": said["narrow"]} if said.get("narrow") else {}
        yield from _bundle(source, index, output.get("data") or {}, {**options, **own})


def _bundle(source: Source, index: int, data: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the best representation that both HTML and paper can show."""
    image = next((kind for kind in IMAGE_TYPES if kind in data), None)
    if "text/markdown" in data:
        yield joined(data["text/markdown"])
    elif image:
        yield _image(source, index, image, joined(data[image]), options)
    elif "text/plain" in data:
        yield fenced(joined(data["text/plain"]), ".cell-output")


def _image(source: Source, index: int, kind: str, data: str, options: Mapping[str, Any]) -> str:
    stem = str(options.get("label") or f"cell-{index}")
    folder = PurePosixPath(source.chapter.path).with_suffix("").name + "_files"
    drawn = [name for name in source.media if not PurePosixPath(name).stem.endswith("-narrow")]
    taken = sum(name.startswith(f"{folder}/{stem}") for name in drawn)
    name = f"{folder}/{stem}{f'-{taken + 1}' if taken else ''}{IMAGE_TYPES[kind]}"
    try:
        content = data.encode() if kind == "image/svg+xml" else base64.b64decode(data, validate=False)
    except binascii.Error:
        source.fault(index, kind, "the image cannot be decoded; run the notebook again")
        content = b""
    source.media[name] = content
    alt = flat(options.get("fig-alt") or options.get("fig-cap") or "")
    narrow = _narrow(source, name, options)
    return f'![](<{name}>){{fig-alt="{attribute(alt)}"{narrow}}}'


def _narrow(source: Source, name: str, options: Mapping[str, Any]) -> str:
    """Keep the drawing for narrow screens beside an image; return the attribute that names it, or nothing."""
    if not options.get("narrow"):
        return ""
    path = PurePosixPath(name)
    beside = str(path.with_stem(f"{path.stem}-narrow"))
    source.media[beside] = joined(options["narrow"]).encode()
    return f' narrow="{attribute(beside)}"'


def joined(text: Any) -> str:
    """Return notebook text, which is stored whole or as a list of lines, as one string."""
    return "".join(text) if isinstance(text, list) else str(text or "")


def flat(text: Any) -> str:
    r"""Return text on one line; spaces at which no line breaks stay what they are.

    >>> flat(" P\N{NO-BREAK SPACE}= 0.6\n  in all ")
    'P\xa0= 0.6 in all'
    """
    return SPACES.sub(" ", str(text).strip(BLANK))


def attribute(text: Any) -> str:
    r"""Return text as it stands between quotation marks in Pandoc attributes.

    >>> print(attribute('a "b" & c'))
    a \"b\" &amp; c
    """
    return flat(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def fenced(text: str, attributes: str) -> str:
    """Return text as a code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence} {{{attributes}}}\n{text}\n{fence}"
