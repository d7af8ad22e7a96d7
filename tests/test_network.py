"""Neither the engine, nor a notebook, nor a test asks the network; the guard is in every process that a test starts."""

import ast
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import KERNEL_NAME
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).parents[1]
FAR = ("192.0.2.1", 9)  # an address reserved for documentation
CLIENTS = {"urllib.request", "urllib3", "http.client", "requests", "httpx", "ftplib", "smtplib", "aiohttp"}
ASK = """
import socket
try:
    socket.create_connection(("192.0.2.1", 9), timeout=0.1)
except PermissionError as error:
    print(error)
"""


def test_a_connection_to_elsewhere_is_refused_and_one_to_this_computer_is_not():
    with pytest.raises(PermissionError, match="the network was asked for"):
        socket.create_connection(FAR, timeout=0.1)
    with pytest.raises(PermissionError, match=r"socket.getaddrinfo example\.org"):
        socket.getaddrinfo("example.org", 443)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_processes_that_a_test_starts_are_guarded_too():
    run = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("the network was asked for")


@pytest.mark.slow
def test_a_kernel_is_guarded_too():
    manager, client = start_new_kernel(kernel_name=KERNEL_NAME)
    try:
        said = []
        client.execute_interactive(
            ASK, output_hook=lambda message: said.append(message["content"].get("text", "")), timeout=60
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(said).startswith("the network was asked for")


def sources():
    for path in sorted((ROOT / "src").rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")
    for path in [ROOT / "index.ipynb", *sorted((ROOT / "notebooks").glob("*.ipynb"))]:
        cells = nbformat.read(path, as_version=4).cells
        yield path, "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def test_engine_and_notebooks_import_no_client_of_the_network():
    for path, text in sources():
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not CLIENTS & set(names), path


def test_published_pages_load_nothing_from_elsewhere():
    loads = re.compile(
        r"""<(?:script|img|iframe|link|source|video|audio)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//"""
    )
    pages = sorted((ROOT / "docs" / "report").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not loads.search(text), page
        assert "@import url" not in text, page
    for sheet in (ROOT / "docs" / "report").rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_stored_outputs_load_nothing_from_elsewhere():
    for path in [ROOT / "index.ipynb", *sorted((ROOT / "notebooks").glob("*.ipynb"))]:
        outputs = [cell.get("outputs", []) for cell in nbformat.read(path, as_version=4).cells]
        assert not re.search(r"<(?:script|img|iframe)\b[^>]*src=\\?[\"']?https?:", json.dumps(outputs)), path
