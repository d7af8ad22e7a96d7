"""Kernels for papermill: started by the run's server, ready as soon as they answer, quiet to the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.client import KernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Type

from evidence.build.kernel_server import MOST_OUTPUT, receive, send
from evidence.build.kernels import ADDRESS, COLD

# A server that has not loaded its modules after so many seconds is given up.
PATIENCE = 60.0
# How often to look for what nothing announces: the end of a process, the sockets of a new kernel.
GLANCE = 0.002
# From when on the client looks itself for a kernel whose sockets are not there.
LATE = 10.0
# What a kernel does not get to see: what concerns its server, and the sign by which it would leave the output
# of its children to its log, as it does for tests of the kernel itself.
UNSEEN = frozenset({ADDRESS, COLD, "PYTEST_CURRENT_TEST"})


@dataclass(slots=True)
class Witness:
    """What is seen of one notebook's run: the code cell at work, how its kernel ended, whether it flooded."""

    number: int = 0
    source: str = ""
    status: int | None = None
    flooded: bool = False

    def note(self, cell: Any, cell_index: int) -> None:
        """Note that a code cell begins."""
        self.number, self.source = self.number + 1, cell.source


class ServedProcess:
    """A kernel that the server started, with the methods of ``subprocess.Popen`` that a provisioner uses."""

    stdin = stdout = stderr = None

    flooded = False

    def __init__(self, connection: socket.socket, started: dict[str, int]) -> None:
        self.connection, self.pid = connection, started["pid"]
        # One that died at once may have been reported together with its start.
        self.returncode, self.flooded = started.get("status"), bool(started.get("flooded"))
        connection.setblocking(False)

    def poll(self) -> int | None:
        """Return the exit status, or None while the kernel runs; without its server it counts as killed."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                message = receive(self.connection)
                self.returncode = message["status"] if message else -signal.SIGKILL
                self.flooded = bool(message and message.get("flooded"))
                self.connection.close()
        return self.returncode

    def wait(self) -> int:
        """Return the exit status once the kernel has ended."""
        while (status := self.poll()) is None:
            time.sleep(GLANCE)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel and everything that it started."""
        send(self.connection, {"signal": number})

    def kill(self) -> None:
        """Kill the kernel and everything that it started."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel and everything that it started to end."""
        self.send_signal(signal.SIGTERM)


def server_is_gone() -> bool:
    """Return whether this run had a kernel server that does not answer any more."""
    address = os.environ.get(ADDRESS)
    if not address:
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(address) != 0


def ask_for_kernel(command: Sequence[str], environment: dict[str, str], folder: str, log: Path) -> Any:
    """Return a new kernel of the run's server, or None when there is no server or it is gone."""
    address = os.environ.get(ADDRESS)
    if not address:
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    request = {"command": command, "environment": environment, "folder": folder, "log": str(log)}
    try:
        connection.connect(address)
        answer = receive(connection) if send(connection, request) else None
    except OSError:
        answer = None
    if answer is None:
        connection.close()
        return None
    return ServedProcess(connection, answer)


class Provisioner(LocalProvisioner):
    """Kernels from the run's server, or ordinary ones where there is none; neither writes to the terminal."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel and return how to connect to it."""
        environment = {name: value for name, value in kwargs.pop("env").items() if name not in UNSEEN}
        folder = str(kwargs.get("cwd") or Path.cwd())
        log = log_of(self.parent)
        self.process = ask_for_kernel(cmd, environment, folder, log)
        if self.process is None:
            with log.open("ab") as stream:
                return await super().launch_kernel(
                    cmd, env=environment, stdout=stream, stderr=stream, **kwargs
                )
        self.pid, self.cwd = self.process.pid, folder
        return self.connection_info

    async def poll(self) -> int | None:
        """Return the exit status, or None while the kernel runs."""
        status: int | None = await super().poll()
        if status is not None and self.parent:
            self.parent.witness.status = status
            self.parent.witness.flooded |= getattr(self.process, "flooded", False)
        return status

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel, and return as soon as it is gone instead of looking ten times a second."""
        await super().kill(restart)
        deadline = time.monotonic() + 1
        while self.process and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(GLANCE)


def log_of(manager: Any) -> Path:
    """Return the file that a kernel's own messages go to, beside its connection file."""
    return Path(manager.connection_file).with_suffix(".log")


class Outlet(AsyncZMQSocketChannel):
    """The channel of a kernel's outputs; beyond what a notebook may put out it drops them unread."""

    said = 0

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """Return the next message; none any more once there was too much."""
        while True:
            message: dict[str, Any] = await super().get_msg(timeout)
            self.said += _size(message["content"])
            if self.said <= MOST_OUTPUT:
                return message


def _size(content: dict[str, Any]) -> int:
    texts = [content.get("text"), *(content.get("data") or {}).values(), *(content.get("traceback") or ())]
    return sum(len(text) for text in texts if isinstance(text, str))


class Client(AsyncKernelClient):
    """A client that goes on as soon as the kernel answers on both channels, instead of after a silence."""

    iopub_channel_class = Type(Outlet)

    async def is_alive(self) -> bool:
        """Return whether the kernel runs; one that floods its output counts as dead, and is then ended."""
        logged = _length(self.parent) if self.parent else 0
        flooded = max(self.iopub_channel.said, logged) > MOST_OUTPUT
        if flooded and self.parent:
            self.parent.witness.flooded = True
        return not flooded and bool(await super().is_alive())

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers and its outputs arrive.

        Raises:
            RuntimeError: the kernel died first, or ``timeout`` seconds passed.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while not await self._answers():
            if not await self.is_alive():
                raise RuntimeError(f"the kernel died before it was ready: {_last_words(self.parent)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the kernel was not ready after {timeout:g} seconds")

    async def _answers(self) -> bool:
        asked = self.kernel_info()
        try:
            reply = await self.shell_channel.get_msg(timeout=1)
            self._handle_kernel_info_reply(reply)
            while not _ends(await self.iopub_channel.get_msg(timeout=0.2), asked):
                continue
        except Empty:
            return False
        return True


def _length(manager: Any) -> int:
    """Return the length of a kernel's log; one without a server writes there itself."""
    try:
        return log_of(manager).stat().st_size
    except OSError:
        return 0


def _last_words(manager: Any) -> str:
    log = log_of(manager)
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _ends(message: dict[str, Any], asked: str) -> bool:
    """Return whether a message says that the kernel is done with what it was asked."""
    idle = message["content"].get("execution_state") == "idle"
    return bool(idle and message["parent_header"].get("msg_id") == asked)


class Provisioned(KernelManager):
    """Starts kernels through the provisioner above."""

    witness: Witness

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = Provisioner(kernel_spec=self.kernel_spec, parent=self)
        command, kwargs = await super()._async_pre_start_kernel(**kwargs)
        self.provisioner.kernel_id = self.kernel_id
        return command, kwargs


class Manager(Provisioned, AsyncKernelManager):
    """Ends its kernels without interrupting them first.

    The interrupt that jupyter_client sends before every shutdown makes an idle kernel print that it was
    interrupted; a kernel that is killed the next moment needs none.
    """

    client_factory = Type(Client, klass=KernelClient)

    async def _async_interrupt_kernel(self) -> None:
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        # A client that connects too early tries again only a tenth of a second later.
        deadline = time.monotonic() + LATE
        while self._awaited() and await self.is_alive() and time.monotonic() < deadline:
            await asyncio.sleep(GLANCE)
        await super()._async_post_start_kernel(**kwargs)

    def _awaited(self) -> bool:
        paths = [f"{self.ip}-{port}" for port in self.ports] if self.transport == "ipc" else []
        return not all(os.path.exists(path) for path in paths)


def seen_by(witness: Witness) -> type[Manager]:
    """Return the class of a manager whose kernel a witness watches."""
    return type("Manager", (Manager,), {"witness": witness})
