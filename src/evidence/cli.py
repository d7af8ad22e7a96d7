"""The ``evidence`` command."""

from __future__ import annotations

import argparse
import errno
import gc
import json
import os
import re
import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from evidence.build import CELL_SECONDS
from evidence.errors import DataError, EvidenceError, ParameterError
from evidence.parameters import PARAMETERS
from evidence.project import check_epoch, find_root

if TYPE_CHECKING:
    from evidence.scenarios import Scenario

Command = Callable[[argparse.Namespace], int]

STATUSES = """\
exit status:
  0    done; verify, diff: no difference
  1    a notebook failed; verify, diff: something differs
  2    wrong arguments, parameters, data or sources, or the disk refused; the message says what to mend
  130  interrupted; the previous report is as it was
  141  whoever read the output stopped reading"""

# The most that --jobs and --timeout take: a day in seconds.
MOST = 86_400
# What to do where the system refuses, by its numbers.
MENDS = {
    (errno.ENOSPC, errno.EDQUOT): "free some space",
    (errno.EFBIG,): "raise the limit on the size of files (ulimit -f)",
    (errno.EACCES, errno.EPERM, errno.EROFS): "allow writing there, or work on a copy elsewhere",
    (errno.ENOENT, errno.ENOTDIR, errno.ESTALE): "put back what was removed",
}

# Notebooks that a parameter's row names; beyond that it counts them.
MANY = 4


def main(argv: Sequence[str] | None = None) -> None:
    """Leave with one of the statuses of ``STATUSES``."""
    arguments = _parser().parse_args(argv)
    try:
        check_epoch()
        status = arguments.command(arguments)
        sys.stdout.flush()
    except EvidenceError as error:
        sys.stderr.write(f"{error}\n")
        status = error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; the previous report is as it was.\n")
        status = 130
    except BrokenPipeError:
        # The reader of the list had enough; what is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except OSError as error:
        sys.stderr.write(f"{_trouble(error)}\n")
        status = 2
    gc.freeze()  # what is left need not be looked through once more: that takes half a second after a build
    sys.exit(status)


def _trouble(error: OSError) -> str:
    """Return what the system refused, and what to do about it."""
    where = f"{error.filename}: " if error.filename else ""
    # The maker of the PDF names the system's number in its words alone.
    said = re.search(r"\(os error (\d+)\)", str(error))
    number = error.errno or int(said[1] if said else 0)
    mend = next((mend for numbers, mend in MENDS.items() if number in numbers), "mend it")
    return f"{where}{error.strerror or error}; {mend} and run it again. The previous report is as it was."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evidence",
        description="Reproducible evidence reports",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _report_arguments(_add(commands, "report", _report, "build the report: data, notebooks, HTML and PDF"))
    check = _add(commands, "check", _check, "validate the data and list every fault")
    check.add_argument("data", nargs="?", default="data", help="data folder (default: data)")
    params = _add(commands, "params", _params, "list the parameters: meaning, default, choices")
    params.add_argument("--json", action="store_true", help="as JSON")
    _audit_arguments(_add(commands, "audit", _audit, "check every printed figure against the others"))
    account = "account for every figure that the documents' texts print"
    _ledger_arguments(_add(commands, "ledger", _ledger, account))
    _sweep_arguments(_add(commands, "sweep", _sweep, "build many scenarios and compare their answers"))
    diff = _add(commands, "diff", _diff, "list what differs between two built reports, number by number")
    for name in ("before", "after"):
        diff.add_argument(name, metavar=name.upper(), help="folder of a report, or name of a built scenario")
    diff.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    fresh = _add(commands, "refresh", _refresh, "re-execute the committed notebooks in place")
    _jobs_argument(fresh)
    _timeout_argument(fresh)
    _cold_argument(fresh)
    again = "check a report: make it again and compare every file"
    _verify_arguments(_add(commands, "verify", _verify, again))
    return parser


def _audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", nargs="?", default="data", help="data folder (default: data)")
    for name in ("study", "check", "verdict"):
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"only this {name}")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="default: table")


def _ledger_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sources", type=Path, required=True, metavar="DIR", help="folder of the texts")
    parser.add_argument("--data", default="data", metavar="FOLDER", help="data folder (default: data)")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the ledger as the texts have it, new figures open"
    )


def _sweep_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("grid", type=Path, metavar="GRID.yml", help="values by parameter, or a list of sets")
    parser.add_argument("--render", action="store_true", help="also make every scenario's pages")
    _jobs_argument(parser)
    _timeout_argument(parser)
    _cluster_argument(parser)
    _cold_argument(parser)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report",
        nargs="?",
        default="default",
        metavar="REPORT_FOLDER",
        help="folder of a report, or name of a built scenario (default: default)",
    )
    parser.add_argument(
        "--files-only",
        action="store_true",
        help="make nothing: only compare the files with the hashes that the report records",
    )
    _jobs_argument(parser)
    _timeout_argument(parser)


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
    _jobs_argument(parser)
    _timeout_argument(parser)
    _cluster_argument(parser)
    add("--explain", action="store_true", help="say of each notebook why it runs or does not")
    add("--force", action="store_true", help="run every notebook, changed or not")
    add("--publish", metavar="FOLDER", help="copy the finished report there")
    _cold_argument(parser)


def _jobs_argument(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--jobs", type=_whole, default=cores, metavar="N", help="notebooks at a time (default: cores)"
    )


def _timeout_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=_whole,
        default=CELL_SECONDS,
        metavar="SECONDS",
        help=f"a cell that runs longer fails (default: {CELL_SECONDS})",
    )


def _cluster_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cluster",
        default="",
        metavar="ADDRESS",
        help="run on this Dask cluster, whose workers see the project folder, instead of local processes",
    )


def _cold_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cold", action="store_true", help="start every kernel afresh instead of forking it")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to {MOST}")
    return int(text)


def _report(arguments: argparse.Namespace) -> int:
    from evidence.build.publish import publish
    from evidence.scenarios import read_scenario

    root = find_root()
    scenario = read_scenario(arguments.scenario, root, _overrides(arguments.parameters))
    folder = _as_it_was(arguments, root, scenario) or _built(arguments, root, scenario)
    if arguments.publish:
        folder = publish(folder, root / arguments.publish, _remark)
    sys.stdout.write(f"{os.path.relpath(folder)}/index.html\n")
    return 0


def _as_it_was(arguments: argparse.Namespace, root: Path, scenario: Scenario) -> Path | None:
    """Return the folder of the last report where building it again would change nothing."""
    from evidence.build.unchanged import is_unchanged, read_state

    state = {} if arguments.force else read_state(root, scenario.name)
    if not is_unchanged(root, scenario, renderer=arguments.renderer, formats=arguments.to, state=state):
        return None
    for name in state["notebooks"] if arguments.explain else ():
        sys.stdout.write(f"kept  {name}: nothing at all changed\n")
    return root / "_report" / scenario.name


def _built(arguments: argparse.Namespace, root: Path, scenario: Scenario) -> Path:
    from evidence.build.kernels import chosen_kernels, started_ahead

    formats = tuple(dict.fromkeys(arguments.to))
    how = (arguments.jobs, arguments.force, arguments.cluster, arguments.timeout)
    explain = _say if arguments.explain else lambda reason: None
    kernels = nullcontext() if arguments.cluster else started_ahead()
    with _progress() as show, chosen_kernels(cold=arguments.cold), kernels:
        from evidence.build.report import Request, build_report

        request = Request(root, scenario, arguments.renderer, formats, *how)
        return build_report(request, show, explain)


def _remark(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def _say(reason: object) -> None:
    sys.stdout.write(f"{reason}\n")


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
    used = _used()
    if arguments.json:
        listed = [
            {
                "name": spec.name,
                "type": spec.type.__name__,
                "default": spec.default,
                "allowed": spec.allowed,
                "meaning": spec.meaning,
                "notebooks": used.get(spec.name, []),
            }
            for spec in PARAMETERS
        ]
        sys.stdout.write(json.dumps(listed, indent=1) + "\n")
        return 0
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("name", no_wrap=True), "default", "allowed", "meaning", "notebooks")
    for spec in PARAMETERS:
        names = [Path(name).stem for name in used.get(spec.name, [])]
        table.add_row(spec.name, str(spec.default), spec.allowed, spec.meaning, _in_words(names))
    Console(markup=False).print(table)
    return 0


def _used() -> dict[str, list[str]]:
    """Return the notebooks by parameter; outside a project there are none to name."""
    from evidence.build.usage import notebooks_by_parameter

    try:
        return notebooks_by_parameter(find_root())
    except EvidenceError:
        return {}


def _in_words(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= MANY else f"{len(names)} notebooks"


def _audit(arguments: argparse.Namespace) -> int:
    from evidence.audit import CHECKS, audit
    from evidence.audit.finding import Verdict
    from evidence.data import load
    from evidence.data.export import as_csv

    data = load(arguments.data)
    findings = audit(data)
    known = {"study": sorted(data.studies["study_id"]), "check": sorted(check.name for check in CHECKS)}
    known["verdict"] = sorted(get_args(Verdict))
    for option, column in (("study", "study_id"), ("check", "check"), ("verdict", "verdict")):
        if wanted := getattr(arguments, option):
            if wanted not in {*known[option], *findings[column]}:
                raise ParameterError(
                    f"--{option} {wanted}: there is none; give one of {', '.join(known[option])}"
                )
            findings = findings[findings[column] == wanted]
    if arguments.format == "csv":
        sys.stdout.write(as_csv(findings))
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
    Console(markup=False).print(table)


def _sweep(arguments: argparse.Namespace) -> int:
    from evidence.build.grid import read_grid
    from evidence.build.kernels import chosen_kernels
    from evidence.build.sweep import Sweep, run_sweep

    root = find_root()
    how = (arguments.jobs, arguments.cluster, arguments.timeout, arguments.render)
    sweep = Sweep(root, read_grid(arguments.grid, root), *how)
    with _progress() as show, chosen_kernels(cold=arguments.cold):
        folder = run_sweep(sweep, show)
    sys.stdout.write(f"{os.path.relpath(folder)}/answers.csv\n")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    """List the differences; the status is 0 where there are none and 1 where there are."""
    from evidence.build.compare import compare_reports

    found = compare_reports(_report_folder(arguments.before), _report_folder(arguments.after))
    if arguments.format == "json":
        sys.stdout.write(json.dumps([one.as_row() for one in found], indent=1, ensure_ascii=False) + "\n")
    else:
        _print_rows([one.as_row() for one in found])
        sys.stdout.write(f"{len(found)} differences\n")
    return int(bool(found))


def _report_folder(given: str) -> Path:
    """Return the folder of a report, given itself or as the name of a scenario that was built."""
    if Path(given).is_dir():
        return Path(given)
    try:
        return find_root() / "_report" / given
    except EvidenceError:
        return Path(given)


def _print_rows(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if rows:
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*row.values())
        Console(markup=False).print(table)


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
        changed = refresh(find_root(), jobs=arguments.jobs, progress=show, timeout=arguments.timeout)
    sys.stdout.write("".join(f"changed: {name}\n" for name in changed) or "nothing changed\n")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    """List what differs; the status is 0 where nothing does and 1 where something does."""
    from evidence.build.verify import verify, verify_files

    folder = _report_folder(arguments.report)
    if arguments.files_only:
        verdict = verify_files(folder)
    else:
        with _progress() as show:
            how = {"jobs": arguments.jobs, "timeout": arguments.timeout}
            verdict = verify(folder, find_root(), **how, progress=show)
    lines = [*(f"not as then: {one}" for one in verdict.surroundings), *map(str, verdict.differences)]
    compared = "as recorded" if arguments.files_only else "as recorded and as made again"
    lines.append(f"{verdict.files} files: {_counted(len(verdict.differences))} {compared}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return int(bool(verdict.differences))


def _counted(differences: int) -> str:
    return f"{differences} differences;" if differences else "all"


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
