"""Make the indices of a Wavefront OBJ file absolute.

An index below 0 counts back from the last vertex *before* its line; trimesh counts from the last of the file.
"""

from __future__ import annotations

import re
from itertools import accumulate

HAS_RELATIVE = re.compile(rb"^\s*f\s.*[\s/]-\d", re.MULTILINE)
KINDS = (b"v", b"vt", b"vn")  # in the order of the indices of a corner


def absolute_indices(content: bytes) -> bytes:
    """Rewrite the faces of an OBJ file that have relative indices."""
    if not HAS_RELATIVE.search(content):
        return content
    lines = [line.split() for line in content.replace(b"\\\n", b" ").splitlines()]
    counts = [list(accumulate(int(words[:1] == [kind]) for words in lines)) for kind in KINDS]
    for number, words in enumerate(lines):
        if words[:1] == [b"f"]:
            before = [count[number] for count in counts]
            words[1:] = [_absolute(corner, before) for corner in words[1:]]
    return b"\n".join(b" ".join(words) for words in lines)


def _absolute(corner: bytes, before: list[int]) -> bytes:
    """Rewrite the indices of a corner, such as -1/-1/-1, by the numbers of lines of each kind before it."""
    indices = corner.split(b"/")
    return b"/".join(
        b"%d" % (n + 1 + int(index)) if index.startswith(b"-") else index
        for index, n in zip(indices, before, strict=False)
    )
