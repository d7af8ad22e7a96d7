"""The ``evidence`` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from evidence.errors import DataError, EvidenceError, ParameterError
from evidence.parameters import PARAMETERS
from evidence.project import find_root

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with 0, 1 (a notebook failed), 2 (bad input) or 130 (interrupted)."""
    arguments = _parser().parse_args(argv)
    try:
        status = arguments.command(arguments)
    except EvidenceError as error:
        sys.stderr.write(f"{error}\n")
        status = error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; the previous report is as it was.\n")
        status = 130
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evidence", description="Reproducible evidence reports", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _report_arguments(_add(commands, "report", _report, "build the report: data, notebooks, HTML and PDF"))
    check = _add(commands, "check", _check, "validate the data and list every fault")
    check.add_argument("data", nargs="?", default="data", help="data folder (default: data)")
    params = _add(commands, "params", _params, "list the parameters: meaning, default, choices")
    params.add_argument("--json", action="store_true", help="as JSON")
    audit = _add(commands, "audit", _audit, "check every printed figure against the others")
    audit.add_argument("data", nargs="?", default="data", help="data folder (default: data)")
    for name in ("study", "check", "verdict"):
        audit.add_argument(f"--{name}", metavar=name.upper(), help=f"only this {name}")
    audit.add_argument("--format", choices=("table", "csv", "json"), default="table", help="default: table")
    ledger = _add(commands, "ledger", _ledger, "account for every figure that the documents' texts print")
    ledger.add_argument("--sources", type=Path, required=True, metavar="DIR", help="folder of the texts")
    ledger.add_argument("--data", default="data", metavar="FOLDER", help="data folder (default: data)")
    ledger.add_argument(
        "--write", type=Path, metavar="FILE", help="write the ledger as the texts have it, new figures open"
    )
    fresh = _add(commands, "refresh", _refresh, "re-execute the committed notebooks in place")
    fresh.add_argument("--jobs", type=_jobs, default=os.cpu_count() or 1, help="notebooks at a time")
    _cold_argument(fresh)
    return parser


def _add(commands: Any, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    parser.set_defaults(command=command)
    return parser


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--scenario",
        default="default",
        metavar="NAME|FILE",
        help="parameter set below scenarios/, or a YAML file",
    )
    add(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="one parameter",
    )
    add(
        "--renderer",
        choices=("auto", "quarto", "builtin"),
        default="auto",
        help="default: Quarto where it is installed",
    )
    add("--to", nargs="+", choices=("html", "pdf"), default=["html", "pdf"], help="default: html pdf")
    add(
        "--jobs",
        type=_jobs,
        default=os.cpu_count() or 1,
        metavar="N",
        help="notebooks at a time (default: cores)",
    )
    add("--publish", metavar="FOLDER", help="copy the finished report there")
    _cold_argument(parser)


def _cold_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cold", action="store_true", help="start every kernel afresh instead of forking it")


def _jobs(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1")
    return int(text)


def _report(arguments: argparse.Namespace) -> int:
    from evidence.build import Request, build_report, read_scenario
    from evidence.build.kernels import chosen_kernels
    from evidence.build.publish import publish

    root = find_root()
    scenario = read_scenario(arguments.scenario, root, _overrides(arguments.parameters))
    request = Request(root, scenario, arguments.renderer, tuple(dict.fromkeys(arguments.to)), arguments.jobs)
    with _progress() as show, chosen_kernels(cold=arguments.cold):
        folder = build_report(request, show)
    if arguments.publish:
        folder = publish(folder, root / arguments.publish)
    sys.stdout.write(f"{os.path.relpath(folder)}/index.html\n")
    return 0


def _overrides(pairs: list[list[str]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"{', '.join(twice)}: given more than once; give each parameter once")
    return {pair[0]: pair[1] for pair in pairs}


def _check(arguments: argparse.Namespace) -> int:
    from evidence.data import load

    data = load(arguments.data)
    for warning in data.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    rows = sum(len(data.extra[name] if name in data.extra else getattr(data, name)) for name in data.tables)
    sys.stdout.write(f"{len(data.tables)} tables, {rows} rows, no fault, {len(data.warnings)} warnings\n")
    return 0


def _params(arguments: argparse.Namespace) -> int:
    if arguments.json:
        listed = [
            {"name": s.name, "default": s.default, "allowed": s.allowed, "meaning": s.meaning}
            for s in PARAMETERS
        ]
        sys.stdout.write(json.dumps(listed, indent=1) + "\n")
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "default", "allowed", "meaning")
    for spec in PARAMETERS:
        table.add_row(spec.name, str(spec.default), spec.allowed, spec.meaning)
    Console().print(table)
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from evidence.audit import audit
    from evidence.data import load

    findings = audit(load(arguments.data))
    for option, column in (("study", "study_id"), ("check", "check"), ("verdict", "verdict")):
        if wanted := getattr(arguments, option):
            findings = findings[findings[column] == wanted]
    if arguments.format == "csv":
        sys.stdout.write(findings.to_csv(index=False, lineterminator="\n"))
    elif arguments.format == "json":
        sys.stdout.write(findings.to_json(orient="records", indent=1, force_ascii=False) + "\n")
    else:
        _print_findings(findings.to_dict("records"))
    return 0


def _print_findings(rows: list[dict[Hashable, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("study", "check", "verdict", "reported", "recomputed", "why")
    for row in rows:
        names = ("study_id", "check", "verdict", "reported", "recomputed", "why")
        table.add_row(*(str(row[name]) for name in names))
    Console().print(table)


def _ledger(arguments: argparse.Namespace) -> int:
    from evidence.build.files import write_whole
    from evidence.data.ledger import as_csv, check_ledger, read_ledger, read_texts, rebuild

    ledger = read_ledger(arguments.data)
    texts = read_texts(arguments.sources, ledger.files)
    if arguments.write:
        write_whole(arguments.write, as_csv(rebuild(texts, ledger.entries)))
    if faults := check_ledger(ledger, texts):
        raise DataError(faults)
    carried = sum(bool(entry.row_id) for entry in ledger.entries)
    reasons = len(ledger.entries) - carried
    sys.stdout.write(f"{len(texts)} documents: {carried} figures in rows, {reasons} with a reason\n")
    return 0


def _refresh(arguments: argparse.Namespace) -> int:
    from evidence.build.kernels import chosen_kernels
    from evidence.build.refresh import refresh

    with _progress() as show, chosen_kernels(cold=arguments.cold):
        changed = refresh(find_root(), jobs=arguments.jobs, progress=show)
    sys.stdout.write("".join(f"changed: {name}\n" for name in changed) or "nothing changed\n")
    return 0


class _progress:  # noqa: N801
    """One line per finished step; a line that is rewritten in place on a terminal."""

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self._show

    def _show(self, what: str, done: int, total: int) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write(
            f"\x1b[2K[{done}/{total}] {what}{end}" if end == "\r" else f"[{done}/{total}] {what}{end}"
        )
        sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\x1b[2K")


__all__ = ["main"]
