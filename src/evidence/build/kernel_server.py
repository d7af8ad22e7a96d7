"""A process that keeps the kernels of one run: it starts them, and none of them outlives the run.

Started with modules to import, it forks each kernel off itself, so that a kernel costs no import; started
without, it starts each kernel as an ordinary process. It is run as a script, with the standard library alone
until the modules are loaded, because all it holds is what a kernel holds.

The run and each kernel's client are watched: a kernel whose client hangs up is killed with everything that it
started, and when the run ends, however it ends, so do all kernels, and the run's folder is removed.

What a kernel and its children write to the streams that they inherit comes here. The beginning goes to the
kernel's log; of too much the rest is dropped and the kernel killed, before it fills a disk.

A client connects once per kernel and sends a line of JSON: ``command``, ``environment``, ``folder``, ``log``.
The answer is ``{"pid": n}``; when the kernel ends it is sent again with ``status`` and ``flooded``.
``{"signal": n}`` signals the kernel.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import importlib.util
import io
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

LAUNCHER = ("-m", "ipykernel_launcher")
# How often the server looks whether the run still exists; everything else wakes it at once.
HEARTBEAT = 0.5
# Workers of a killed run may still be writing into its folder for as long as this, and a killed kernel may
# take as long to go.
FAREWELL = 2.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# What all outputs of one notebook may hold, in characters; a page with more could not be read.
MOST_OUTPUT = 50_000_000
# What of a kernel's own words is kept, in bytes: enough to see why it did not start.
MOST_LOG = 1_000_000
# How much is read at a time, and how often before others get their turn.
CHUNK = 65536
TURN = 64


@dataclass(slots=True)
class Words:
    """What a kernel and its children say on the streams that they inherit, and where it goes."""

    end: int
    log: int
    said: int = 0

    @property
    def flooded(self) -> bool:
        """Return whether it was more than a notebook may put out."""
        return self.said > MOST_OUTPUT

    def take(self) -> bool:
        """Take what has been said; False once nobody is left to say anything."""
        for _ in range(TURN):
            try:
                part = os.read(self.end, CHUNK)
            except BlockingIOError:
                return True
            if not part:
                return False
            # A disk that is full is told of by those who must write.
            with contextlib.suppress(OSError):
                os.write(self.log, part[: max(MOST_LOG - self.said, 0)])
            self.said += len(part)
        return True

    def close(self) -> None:
        """Listen no longer; who still speaks is ended by the system."""
        for descriptor in (self.end, self.log):
            os.close(descriptor)


class Server:
    """The loop that starts kernels for clients, passes signals on and reports how each kernel ended."""

    def __init__(self, listener: socket.socket, *, parent: int, forks: bool) -> None:
        self.listener, self.parent, self.forks = listener, parent, forks
        self.kernels: dict[int, socket.socket] = {}
        self.clients: dict[socket.socket, int | None] = {}
        self.words: dict[int, Words] = {}
        self.stopped = False
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = socket.socketpair()

    def run(self) -> None:
        """Serve until the run ends or asks for the end; no kernel is left then."""
        self._listen()
        try:
            while not self.stopped and os.getppid() == self.parent:
                for key, _ in self.selector.select(HEARTBEAT):
                    key.data(key.fileobj)
                self._reap()
        finally:
            for pid in self.kernels:
                signal_group(pid, signal.SIGKILL)
            self._see_off()
            kill_strays()

    def _see_off(self) -> None:
        """Wait for the killed kernels, but not for ever: one may hang inside the system."""
        deadline = time.monotonic() + FAREWELL
        while self.kernels and time.monotonic() < deadline:
            self.kernels = {pid: client for pid, client in self.kernels.items() if not _ended(pid)}
            time.sleep(HEARTBEAT / 100)

    def _listen(self) -> None:
        for end in (self.listener, self.woken, self.waker):
            end.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.selector.register(self.woken, selectors.EVENT_READ, _drain)
        # Without a wake-up, a signal that arrives just before the wait would be noticed a heartbeat late.
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            client, _ = listener.accept()
            client.settimeout(HEARTBEAT)
            self.clients[client] = None
            self.selector.register(client, selectors.EVENT_READ, self._hear)

    def _hear(self, client: socket.socket) -> None:
        message = receive(client)
        if message is None:
            self._hang_up(client)
        elif "command" in message:
            self._start(client, message)
        else:
            self._signal(client, message["signal"])

    def _signal(self, client: socket.socket, number: int) -> None:
        pid = self.clients[client]
        if pid in self.kernels:
            signal_group(pid, number)

    def _hang_up(self, client: socket.socket) -> None:
        self._signal(client, signal.SIGKILL)
        self.selector.unregister(client)
        del self.clients[client]
        client.close()

    def _start(self, client: socket.socket, message: dict[str, Any]) -> None:
        heard, spoken = os.pipe()
        pid = os.fork()
        if not pid:
            self._become(message, spoken)
        os.close(spoken)
        os.set_blocking(heard, False)
        self.words[pid] = Words(heard, open_log(message["log"]))
        self.selector.register(heard, selectors.EVENT_READ, lambda _: self._listen_to(pid))
        self.kernels[pid] = client
        self.clients[client] = pid
        send(client, {"pid": pid})

    def _listen_to(self, pid: int) -> None:
        """Take what a kernel says, and end one that says too much."""
        words = self.words[pid]
        if not words.take():
            self.selector.unregister(words.end)
        if words.flooded:
            signal_group(pid, signal.SIGKILL)

    def _become(self, message: dict[str, Any], spoken: int) -> NoReturn:
        """Turn the forked process into the kernel, and never return to the server's loop."""
        status = 1
        try:
            server = os.getppid()
            self._forget()
            _detach(server)
            _settle(message, spoken)
            command = message["command"]
            if self.forks and can_fork(command, folder=message["folder"]):
                status = run_kernel(command)
            else:
                os.execvpe(command[0], command, os.environ)  # noqa: S606
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            os._exit(status)

    def _forget(self) -> None:
        """Undo in a forked process what belongs to the server alone."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        for end in (self.listener, self.woken, self.waker, *self.clients):
            end.close()
        for words in self.words.values():
            words.close()

    def _reap(self) -> None:
        for pid, client in list(self.kernels.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                signal_group(pid, signal.SIGKILL)
                del self.kernels[pid]
                end = {"status": os.waitstatus_to_exitcode(status), "flooded": self._last_of(pid)}
                send(client, {"pid": pid, **end})
        if not self.kernels:
            kill_strays()

    def _last_of(self, pid: int) -> bool:
        """Take the last words of a kernel that has ended; return whether it flooded."""
        words = self.words.pop(pid)
        words.take()
        with contextlib.suppress(KeyError):
            self.selector.unregister(words.end)
        words.close()
        return words.flooded


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a kernel and everything that it started; nobody may be left to receive it.

    A kernel that was forked a moment ago leads no group yet and is sent the signal itself. Nobody else can
    have its number: it stays taken until the server has waited for it.
    """
    for send_to in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send_to(pid, number)
            return


def open_log(path: str) -> int:
    """Open a kernel's log; where its folder is gone, words are lost and the server goes on."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def adopt_strays() -> None:
    """Become the parent of whatever kernels start and leave behind, where the system allows it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def kill_strays() -> None:
    """Kill what ended kernels have left in groups of its own; while one runs, its children are no strays."""
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in map(int, path.read_text(encoding="ascii").split()):
                os.kill(pid, signal.SIGKILL)
                # One that takes longer is waited for the next time.
                os.waitpid(pid, os.WNOHANG)


def _ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Return the newest message, or None when the other side is gone or sends something else.

    Raises:
        BlockingIOError: the connection does not block and there is no message.
    """
    line = bytearray()
    try:
        while not line.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                return None
            line += part
        message = json.loads(line.splitlines()[-1])
    except BlockingIOError:
        raise
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None


def send(connection: socket.socket, message: dict[str, Any]) -> bool:
    """Send one message; False when the other side is gone."""
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return False
    return True


def _drain(woken: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        woken.recv(4096)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the wake-up that comes with the signal is all that is wanted."""


def can_fork(command: Sequence[str], *, folder: str) -> bool:
    """Return whether a forked kernel is the same as the ordinary one that ``command`` would start.

    It is not for another interpreter or other options, nor where the folder has settings for matplotlib.
    """
    return tuple(command[:3]) == (sys.executable, *LAUNCHER) and not Path(folder, "matplotlibrc").exists()


def _detach(server: int) -> None:
    """Make this process the leader of its own group, and let it die with the server."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != server:
        os._exit(1)


def _settle(message: dict[str, Any], spoken: int) -> None:
    """Give this process the folder, the environment and the streams of the kernel that it becomes."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, stream in ((nothing, 0), (spoken, 1), (spoken, 2)):
        os.dup2(source, stream)
    os.close(spoken)
    os.close(nothing)
    os.chdir(message["folder"])
    os.environ.clear()
    # Where the system does not end a kernel with its parent, the kernel's own watch for its parent does.
    os.environ.update(message["environment"], JPY_PARENT_PID=str(os.getppid()))


def run_kernel(command: Sequence[str]) -> int:
    """Run the kernel in this process as ``command`` would in a fresh one, and return its exit status."""
    from ipykernel.kernelapp import IPKernelApp

    arguments = list(command[3:])
    launcher = importlib.util.find_spec(LAUNCHER[1])
    sys.argv = [str(launcher and launcher.origin), *arguments]
    _freshen()
    try:
        IPKernelApp.launch_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        atexit._run_exitfuncs()
    return 0


def _freshen() -> None:
    """Undo what would make this process differ from one that has just loaded its modules itself."""
    # Handlers of the server's modules would clear away what later kernels still need.
    atexit._clear()
    time.tzset()
    tempfile.tempdir = None
    if "numpy" in sys.modules:
        # Every fork would draw the same numbers; the generator of ``random`` is renewed by Python itself.
        sys.modules["numpy"].random.seed()


def preload(names: Sequence[str]) -> None:
    """Import modules, ``package.*`` all of a package's; one that cannot be imported is passed over."""
    # The backend of kernels is named, not loaded: loaded without a kernel, it would never show a figure.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in names:
        with contextlib.suppress(Exception):
            for module in _expand(name):
                importlib.import_module(module)
    if "matplotlib.figure" in sys.modules:
        draw_once()


def draw_once() -> None:
    """Draw a figure that nobody sees: the first one of a process takes four times as long as the next."""
    figure = sys.modules["matplotlib.figure"].Figure()
    figure.subplots().set_title("0")
    with contextlib.suppress(Exception):
        figure.savefig(io.BytesIO(), format="svg")


def _expand(name: str) -> Iterator[str]:
    package = name.removesuffix(".*")
    yield package
    if package != name:
        paths = importlib.import_module(package).__path__
        yield from (item.name for item in pkgutil.walk_packages(paths, f"{package}."))


def _remove(folder: Path) -> None:
    """Remove the folder of the run, again while something is still being written into it."""
    deadline = time.monotonic() + FAREWELL
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(HEARTBEAT / 10)


def main(descriptor: str, parent: str, folder: str, *modules: str) -> None:
    """Serve on the inherited listening socket until the parent is gone; then remove the folder."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_strays()
    try:
        preload(modules)
        gc.collect()
        # What is frozen is not touched by a kernel's collector, so that its memory stays shared.
        gc.freeze()
        Server(socket.socket(fileno=int(descriptor)), parent=int(parent), forks=bool(modules)).run()
    finally:
        _remove(Path(folder))


if __name__ == "__main__":
    # The folder of this file is no place that a notebook imports from.
    del sys.path[0]
    main(*sys.argv[1:])
