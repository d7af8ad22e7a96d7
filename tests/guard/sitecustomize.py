"""Loaded by every Python process that the tests start: a connection to anywhere but this computer is an error.

An audit hook cannot be removed again, and sees sockets however they are made.
"""

import sys

NEAR = {"localhost", "127.0.0.1", "::1", "", "0.0.0.0", "::"}
WATCHED = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}


def near(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return host is None or str(host) in NEAR or str(host).startswith("127.")


def guard(event: str, arguments: tuple) -> None:
    if event not in WATCHED:
        return
    place = arguments[0] if event.startswith("socket.get") else arguments[1]
    if isinstance(place, tuple):
        place = place[0]
    elif not event.startswith("socket.get"):
        return  # a path or a name in the kernel: a socket between processes
    if not near(place):
        raise PermissionError(f"the network was asked for: {event} {place}")


if not getattr(sys, "_evidence_guard", False):
    sys._evidence_guard = True
    sys.addaudithook(guard)
