"""What CI installed is compared with the hashes of what was pinned."""

import re
from typing import Any

from scripts.checks.hashes import find_others, read_hashes
from tests.configs import ROOT

GOOD, BAD = "a" * 64, "b" * 64


def _installed(name: str, **source: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "version": "1"}, "download_info": {"url": f"file:{name}", **source}}


def _archive(sha256: str) -> dict[str, Any]:
    return {"archive_info": {"hash": f"sha256={sha256}"}}


def test_other_files_unknown_packages_and_files_without_a_hash_are_found() -> None:
    hashes = read_hashes(
        f"some-name==1 ; python_version > '3' \\\n  --hash=sha256:{'c' * 64} \\\n  --hash=sha256:{GOOD}\n"
    )
    same = [_installed("Some_Name", **_archive(GOOD)), _installed("creased", dir_info={"editable": True})]
    assert find_others({"install": same}, hashes) == []
    wrong = [
        _installed("some.name", **_archive(BAD)),
        _installed("other", **_archive(GOOD)),
        _installed("some-name", archive_info={}),
    ]
    found = find_others({"install": [*same, *wrong]}, hashes)
    assert [line.split(" of ")[0] for line in found] == [
        f"some.name 1: {BAD}",
        f"other 1: {GOOD}",
        "some-name 1: no hash",
    ]


def test_every_pin_has_hashes_of_its_version() -> None:
    hashes = set(re.findall(r"^([\w.-]+==[^\s+;]+)", (ROOT / "hashes.txt").read_text().lower(), re.MULTILINE))
    pins = set((ROOT / "constraints.txt").read_text().lower().replace("_", "-").split())
    assert len(pins) > 200
    assert pins <= {pin.replace("_", "-") for pin in hashes}
