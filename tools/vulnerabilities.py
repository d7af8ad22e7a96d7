"""Known vulnerabilities of the locked packages, asked of a public database where it can be reached.

The status is 1 when a package is known to be vulnerable. What could not be asked is named and not counted as safe:
without the network that is every package, and the status is then 0, since nothing is known against any of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tools.lock import LOCK, ROOT, read_lock

PLACE = ROOT / "_build" / "assurance" / "vulnerabilities.json"
COMMAND = (
    "pip_audit",
    "--disable-pip",
    "--require-hashes",
    "--progress-spinner=off",
    "--format=json",
    "--timeout=10",
)
PATIENCE = 300
UNREACHABLE = (
    "ConnectionError",
    "ServiceError",
    "Connection",
    "HTTPError",
    "timed out",
    "Max retries",
    "resolve",
)


def ask() -> dict[str, Any]:
    """Return the state of the question and what was found."""
    packages = len(read_lock())
    command = [sys.executable, "-m", *COMMAND, "-r", str(LOCK)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return {"packages": packages, "asked": False, "why": f"no answer in {PATIENCE} seconds"}
    try:
        answered = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (run.stderr.strip().splitlines() or ["no output"])[-1]
        if any(word in run.stderr for word in UNREACHABLE):
            return {"packages": packages, "asked": False, "why": "its database could not be reached"}
        return {
            "packages": packages,
            "asked": True,
            "why": last[:200],
            "vulnerable": ["the audit itself failed"],
        }
    wrong = [
        f"{one['name']} {one['version']}: {known['id']}" for one in answered for known in one.get("vulns", [])
    ]
    unknown = sorted(str(one["name"]) for one in answered if "skip_reason" in one)
    if len(unknown) == len(answered):
        return {"packages": packages, "asked": False, "why": "its database knows none of them"}
    return {"packages": packages, "asked": True, "vulnerable": sorted(set(wrong)), "unknown": unknown}


def main() -> int:
    """Write what was found and say it."""
    found = ask()
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not found["asked"]:
        print(
            f"known vulnerabilities: none of the {found['packages']} locked packages was checked, {found['why']};"
        )
        print("run it again where that can be reached, it is asked anew every time")
        return 0
    print(*said(found), sep="\n")
    return int(bool(found["vulnerable"]))


def said(found: dict[str, Any]) -> list[str]:
    """Return what is known against the packages, and which of them nobody could say anything of."""
    unknown = found.get("unknown", [])
    checked = f"{found['packages'] - len(unknown)} packages, no known vulnerability"
    left = [f"not checked, the database does not know them: {', '.join(unknown)}"] if unknown else []
    return [*(found["vulnerable"] or [checked]), *left]


if __name__ == "__main__":
    sys.exit(main())
