"""Every error that a user can meet, under one root."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Characters that cannot be seen: controls but line ends, soft hyphen, zero-width and bidirectional marks.
# Written as code points so that this file holds none of them.
UNSEEN = re.compile(
    "[\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff"
    "\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\uffa0\\ufff0-\\uffff\\U000e0000-\\U000e0fff]"
)


class EvidenceError(Exception):
    """Root of all errors raised on purpose; its message says what to mend."""

    exit_status = 2


class ParameterError(EvidenceError):
    """A parameter has an unknown name, a wrong type or a value out of range."""


class StatisticsError(EvidenceError, ValueError):
    """A statistic was asked for that the numbers given cannot define."""


class RenderError(EvidenceError):
    """The report's sources cannot be turned into pages."""


class BuildError(EvidenceError):
    """The report cannot be built where or as it was asked for."""


class NotebookError(EvidenceError):
    """A notebook cell failed; the message names notebook, cell and error."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in one place of the data, with its mend."""

    file: str
    line: int
    column: str
    value: str
    mend: str

    def __str__(self) -> str:
        """Return the fault as ``file:line column value: mend``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        said = f"{' '.join(part for part in (place, self.column, self.value) if part)}: {self.mend}"
        return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in UNSEEN.sub("?", said))


class DataError(EvidenceError):
    """The data folder has faults; ``faults`` lists every one of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep the faults and show one per line."""
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))
