"""What a system other than Linux lacks is asked for only where it has been looked for."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "evidence"
FILES = sorted(SOURCE.rglob("*.py"))
UNIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
UNIX_NAMES = {
    "os": {
        "O_ACCMODE",
        "O_NONBLOCK",
        "fork",
        "geteuid",
        "getuid",
        "killpg",
        "set_blocking",
        "setsid",
        "uname",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGKILL", "alarm"},
    "time": {"tzset"},
}
# Started only where there is ``os.fork``; a served kernel is one that it has started.
SERVER, SERVED = "kernel_server.py", "ServedProcess"
# Functions that take text in the system's own encoding unless they are told another.
TEXTS = {"open", "read_text", "write_text", "fdopen", "NamedTemporaryFile"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            home = node.func.value if isinstance(node.func, ast.Attribute) else None
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if not (isinstance(home, ast.Name) and home.id == "os" and name == "open"):
                yield name, node


def in_bytes(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(given.value for given in call.keywords if given.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in modes)


def test_every_text_is_opened_in_a_named_encoding():
    found = [
        f"{path.name}:{call.lineno}"
        for path in FILES
        for name, call in calls(path)
        if name in TEXTS and not in_bytes(call) and "encoding" not in {given.arg for given in call.keywords}
    ]
    assert found == []


def test_no_file_imports_on_loading_what_only_some_systems_have():
    found = [
        f"{path.name}: {name}"
        for path in FILES
        for node in parsed(path).body
        for name in [alias.name for alias in getattr(node, "names", [])] + [getattr(node, "module", "")]
        if isinstance(node, ast.Import | ast.ImportFrom) and name in UNIX_MODULES
    ]
    assert found == []


@pytest.mark.parametrize("module", UNIX_NAMES)
def test_names_that_only_some_systems_have_are_used_by_the_kernel_server_alone(module):
    found = [
        f"{path.name}:{node.lineno} {module}.{node.attr}"
        for path in FILES
        if path.name != SERVER
        for part in parsed(path).body
        if getattr(part, "name", "") != SERVED
        for node in ast.walk(part)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module
        if node.attr in UNIX_NAMES[module]
    ]
    assert found == []


def test_paths_that_are_kept_or_linked_are_written_with_slashes():
    """``os.path.relpath`` gives the system's own separators: as a message it may, as a key or a link it must not."""
    told = {"cli.py", "report.py"}
    found = [
        f"{path.name}:{line}"
        for path in FILES
        if path.name not in told
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "os.path.relpath(" in text and ".as_posix()" not in text
    ]
    assert found == []
