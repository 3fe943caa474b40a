"""Compare installed files with hashes.txt: ``python -m scripts.checks.hashes .venv/installed.json``.

The argument is what ``pip install --report`` wrote. What is not in hashes.txt, or is another file, is
printed, and the exit status is 1.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from scripts import ROOT

HASHES = ROOT / "hashes.txt"
PIN = re.compile(r"^([\w.-]+)==|--hash=sha256:([0-9a-f]{64})", re.MULTILINE)


def read_hashes(text: str) -> dict[str, set[str]]:
    """Read the hashes of each package, by its normalised name."""
    found: dict[str, set[str]] = {}
    name = ""
    for pin in PIN.finditer(text):
        if pin[1]:
            name = _normalised(pin[1])
        found.setdefault(name, set()).update(pin.groups()[1:] if pin[2] else ())
    return found


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def find_others(report: dict[str, Any], hashes: dict[str, set[str]]) -> list[str]:
    """List the installed files that are not those of the hashes; this package itself has none."""
    found = []
    for item in report["install"]:
        source, facts = item["download_info"], item["metadata"]
        sha256 = source.get("archive_info", {}).get("hash", "").removeprefix("sha256=")
        name = _normalised(facts["name"])
        if name != "creased" and sha256 not in hashes.get(name, set()):
            found.append(f"{facts['name']} {facts['version']}: {sha256 or 'no hash'} of {source['url']}")
    return found


def main() -> int:
    """Print what differs; return 1 if anything does."""
    report = json.loads(Path(sys.argv[1]).read_text())
    others = find_others(report, read_hashes(HASHES.read_text()))
    print(*others, f"{len(report['install'])} packages, {len(others)} not of hashes.txt", sep="\n")
    return int(bool(others))


if __name__ == "__main__":
    sys.exit(main())
