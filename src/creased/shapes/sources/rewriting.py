"""Rewrite mesh files whose text is valid and read wrong by trimesh.

In Wavefront OBJ an index below 0 counts back from the last vertex *before* its line; trimesh counts from the
last of the file. In OFF a face may go over several lines; trimesh expects one.
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


def one_face_a_line(content: bytes) -> bytes:
    """Rewrite an OFF file whose lines are not one a vertex and one a face; faces must have no colours.

    Raises:
        ValueError: it announces more than it holds.
    """
    words = re.sub(rb"#[^\n]*", b"", content).split()
    if words[:1] != [b"OFF"] or len(words) < 4 or not all(word.isdigit() for word in words[1:4]):
        return content
    n_vertices, n_faces = int(words[1]), int(words[2])
    if n_vertices > len(words) or n_faces > len(words):
        raise ValueError(f"it announces {n_vertices:,} vertices and {n_faces:,} faces, and holds fewer")
    n_lines = sum(1 for line in content.splitlines() if line.split(b"#")[0].split())
    if n_lines in (n_vertices + n_faces + 1, n_vertices + n_faces + 2):
        return content
    at = 4 + 3 * n_vertices
    lines = [b"OFF", b" ".join(words[1:4])]
    lines += [b" ".join(words[i : i + 3]) for i in range(4, at, 3)]
    for _ in range(n_faces):
        if at >= len(words) or not words[at].isdigit():
            return content
        end = at + 1 + int(words[at])
        lines.append(b" ".join(words[at:end]))
        at = end
    return b"\n".join(lines)


REWRITE = {"obj": absolute_indices, "off": one_face_a_line}  # by the kind of file
