"""What a cell prints and what programs that it starts print, in the order in which they did.

A kernel's own words go straight to its client; those of programs that it started come through a pipe, which
a thread empties when it gets to it. ipykernel mixes the two as time will have it. Here the kernel empties the
pipe itself before it says anything more, and before a cell ends.
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import threading
from typing import Any

from ipykernel.iostream import OutStream

CHUNK = 65536  # bytes that are taken out of the pipe at a time


class OrderedStream(OutStream):
    """A kernel's stream of which the order depends on the order of writing alone, whoever writes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what any stream of a kernel takes."""
        self._emptying = threading.RLock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        super().__init__(*arguments, **named)  # type: ignore[no-untyped-call]

    def write(self, string: str) -> int | None:  # type: ignore[override]
        """Write what the kernel says, below all that its programs had said before."""
        self._empty()
        return super().write(string)

    def flush(self) -> None:
        """Send all that was said."""
        self._empty(last=True)
        super().flush()  # type: ignore[no-untyped-call]

    def _empty(self, *, last: bool = False) -> None:
        """Take what stands in the pipe, to the ``last`` half of a character; a forked child does not."""
        if not self._should_watch or self._fid is None or os.getpid() != self._master_pid:
            return
        with self._emptying:
            while _holds_something(self._fid) and (part := os.read(self._fid, CHUNK)):
                os.write(self._original_stdstream_copy, part)
                super().write(self._decoder.decode(part))
            if rest := self._decoder.decode(b"", last):
                super().write(rest)

    def _watch_pipe_fd(self) -> None:
        """Empty the pipe whenever something comes, so that no program waits for room in it."""
        try:
            while self._should_watch:
                select.select([self._fid or 0], [], [])
                self._empty()
        except Exception:
            self._exc = sys.exc_info()


def _holds_something(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], 0)[0])
