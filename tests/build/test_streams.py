"""The order of what a kernel and its programs print, without a kernel."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
from ipykernel.iostream import IOPubThread
from jupyter_client.session import Session

from evidence.build.streams import OrderedStream

pytestmark = pytest.mark.skipif(os.name != "posix", reason="streams are watched on POSIX alone")
TWO_BYTES = "ä".encode()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """Give the process a standard output of its own that is a file."""
    with (tmp_path / "terminal").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        yield file


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stream(terminal: io.TextIOWrapper, said: io.StringIO) -> Iterator[OrderedStream]:
    context = zmq.Context()
    thread = IOPubThread(context.socket(zmq.PUB))  # not started: what it is asked for is done at once
    made = OrderedStream(Session(key=b"key"), thread, "stdout", echo=said, watchfd="force")
    yield made
    made.close()
    thread.close()
    thread.io_loop.close()
    context.destroy(linger=0)


def test_what_programs_said_before_stands_above_what_the_kernel_says(stream, terminal, said, tmp_path):
    for number in range(50):
        os.write(terminal.fileno(), f"program {number}\n".encode())
        stream.write(f"kernel {number}\n")
    assert said.getvalue() == "".join(f"program {n}\nkernel {n}\n" for n in range(50))
    assert (tmp_path / "terminal").read_text() == "".join(f"program {n}\n" for n in range(50))


def test_a_character_that_comes_in_two_pieces_is_put_together(stream, terminal, said):
    os.write(terminal.fileno(), TWO_BYTES[:1])
    stream.write("between ")
    os.write(terminal.fileno(), TWO_BYTES[1:])
    stream.flush()
    assert said.getvalue() == "between ä"


def test_half_a_character_at_the_end_of_a_cell_is_shown_as_lost(stream, terminal, said):
    os.write(terminal.fileno(), b"end " + TWO_BYTES[:1])
    stream.flush()
    assert said.getvalue() == "end \ufffd"


def test_a_forked_child_takes_nothing_that_is_its_parents(stream, terminal, said, monkeypatch):
    monkeypatch.setattr(stream, "_master_pid", -1)
    os.write(terminal.fileno(), b"for the parent ")
    stream._empty(last=True)
    assert said.getvalue() == ""
    monkeypatch.undo()
    stream.flush()
    assert said.getvalue() == "for the parent "
