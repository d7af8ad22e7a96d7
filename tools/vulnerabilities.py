"""Known vulnerabilities of the locked packages, asked of a public database where it can be reached.

The status is 1 when a package is known to be vulnerable. Without the network nothing is known, and it says so.
"""

from __future__ import annotations

import json
import subprocess
import sys

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


def ask() -> dict[str, object]:
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
    return {"packages": packages, "asked": True, "vulnerable": sorted(set(wrong))}


def main() -> int:
    """Write what was found and say it."""
    found = ask()
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not found["asked"]:
        print(f"known vulnerabilities: skipped, {found['why']}")
        return 0
    print(*(found["vulnerable"] or [f"{found['packages']} packages, no known vulnerability"]), sep="\n")  # type: ignore[misc]
    return int(bool(found["vulnerable"]))


if __name__ == "__main__":
    sys.exit(main())
