"""Extract on independent sub-boxes and stitch the parts: for several machines.

The planes between sub-boxes are scaffolding. A cell in one of them is dropped; an edge that they cut is found
in pieces, which share the edge's own code, its zero ids and its signs, and of which two have one of its ends.
So loose ends with equal codes are tied, and what is left is the complex as if it had not been cut: the same
codes, and vertices that are the same up to rounding. Parts need not meet face to face.

With exact signs this holds wherever the planes are, through degenerate points too. An exact zero counts as +:
row r is moved up by e_r, with e_1 << e_2 << ... (simulation of simplicity); walls and planes are not moved.
The coordinate x_a of a vertex is then an affine function of the e_r. Of the rows through the vertex that x_a
depends on let s be the last neuron: as e_s moves none of the earlier rows, its coefficient is not zero, and
x_a is no constant c. If there is none, x_a is that of a wall of the box, which no plane is in. So a vertex
lies in no plane, an edge meets planes in inner points alone, and a part has the cells that are there.

Rounding told signs at degenerate points otherwise in each part. So signs in doubt are decided in rationals.
Not guaranteed: where rounding exceeds the band of doubt, a vertex may be on both sides of a plane, or on
neither, and leaves ends that nothing is tied to. Then the planes are moved and, where there are few vertices,
all signs are decided in rationals; what is still left over is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, cell_keys, pair_equal
from creased.core.arrangement.skeleton import Skeleton, restrict
from creased.core.domains.box import Box
from creased.core.domains.domain import Domain
from creased.core.numerics.memory import Resources
from creased.core.numerics.tolerance import doubtful_band
from creased.core.provenance import Finding, Provenance
from creased.core.subdivision.merge import Extraction, collect
from creased.core.subdivision.problem import EVERYTHING, FEW_VERTICES, SubdivisionProblem

PLACES = (0.513, 0.479, 0.531, 0.467)  # of planes, as shares of sides, in one round and the next; never 1/2


class Part(NamedTuple):
    """Cells of the whole in one sub-box; none in a plane between sub-boxes."""

    skeleton: Skeleton  # its edges are those with both ends here
    loose_ends: Tensor  # (n,) int64: the one end here of an edge that is cut
    loose_codes: CellCodes  # of that edge, n
    provenance: Provenance


MapParts = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]  # a map, in the order of parts


class Parts(NamedTuple):
    """How many parts there are to cut, and the map that cuts them."""

    n: int = 1
    map: MapParts = map


def split_box(box: Box, n_parts: int, place: float = PLACES[0]) -> list[Box]:
    """Split a box: the largest part is cut across its longest side, until there are ``n_parts``.

    Raises:
        ValueError: fewer than one is asked for.
    """
    if n_parts < 1:
        raise ValueError(f"split_box: n_parts must be 1 or more, got {n_parts}")
    parts = [box]
    while len(parts) < n_parts:
        largest = max(parts, key=lambda part: math.prod(_sides(part)))
        index, sides = parts.index(largest), _sides(largest)
        axis = sides.index(max(sides))
        middle = largest.lower[axis] + place * sides[axis]
        upper = [*largest.upper[:axis], middle, *largest.upper[axis + 1 :]]
        lower = [*largest.lower[:axis], middle, *largest.lower[axis + 1 :]]
        parts[index : index + 1] = [Box(largest.lower, upper), Box(lower, largest.upper)]
    return parts


def _sides(box: Box) -> list[float]:
    return [upper - lower for lower, upper in zip(box.lower, box.upper, strict=True)]


def cut_part(problem: SubdivisionProblem, level_row: int | None, memory: int | None, part: Domain) -> Part:
    """Cut one sub-box by all rows; keep cells of the whole domain, on one row or all."""
    try:
        done = collect(problem.on(part), Resources(memory), level_row)
    except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
        done = collect(problem._replace(band=EVERYTHING).on(part), Resources(memory), level_row)
    cells = done.skeleton
    is_real = ~in_planes(cells.zero_ids, part, problem.domain)
    first, second = cells.edges.long().unbind(1)
    n_ends = is_real[first].long() + is_real[second].long()
    n_ends = n_ends.masked_fill(in_planes(cells.edge_zero_ids, part, problem.domain), 0)
    number = is_real.cumsum(0) - 1
    whole, loose = ((n_ends == n).nonzero()[:, 0] for n in (2, 1))
    ends = number[torch.where(is_real[first], first, second)[loose]]
    words = (cells.words[first] | cells.words[second])[loose]
    codes = CellCodes(words, cells.edge_zero_ids[loose])
    return Part(restrict(cells, is_real, whole), ends, codes, done.provenance)


def in_planes(zero_ids: Tensor, part: Domain, whole: Domain) -> Tensor:
    """True (n,) for cells with zero ids (n, z) in a wall of a part that is no wall of the whole."""
    bounds = zip((part.lower, part.upper), (whole.lower, whole.upper), strict=True)
    lower, upper = ([a != b for a, b in zip(mine, theirs, strict=True)] for mine, theirs in bounds)
    is_plane = torch.tensor([is_so for pair in zip(lower, upper, strict=True) for is_so in pair])
    is_plane = is_plane.to(zero_ids.device)
    is_wall = zero_ids < is_plane.shape[0]
    return (is_wall & is_plane[torch.where(is_wall, zero_ids, 0).long()]).any(1)


def stitch(parts: Sequence[Part], problem: SubdivisionProblem) -> tuple[Extraction, int]:
    """Stitch parts into one skeleton, and count the ends that nothing was tied to."""
    offsets = list(accumulate((part.skeleton.vertices.shape[0] for part in parts), initial=0))[:-1]
    ends = torch.cat([part.loose_ends + n for part, n in zip(parts, offsets, strict=True)])
    columns = zip(*(part.loose_codes for part in parts), strict=True)
    codes = CellCodes(*(torch.cat(column) for column in columns))
    pairs = pair_equal(lambda table: cell_keys(codes, table), codes.choose, problem.rows.keys)
    edges = [part.skeleton.edges + n for part, n in zip(parts, offsets, strict=True)]
    vertices, zero_ids, words, _, edge_zero_ids = zip(*(part.skeleton for part in parts), strict=True)
    done = Skeleton(
        torch.cat(vertices),
        torch.cat(zero_ids),
        torch.cat(words),
        torch.cat([*edges, ends[pairs.entries]]).to(torch.int32),
        torch.cat([*edge_zero_ids, pairs.codes.zero_ids]),
    )
    provenance = together([part.provenance for part in parts], problem.provenance)
    return Extraction(done, provenance), pairs.n_left if provenance.is_whole else 0


def together(parts: Sequence[Provenance], whole: Provenance) -> Provenance:
    """Combine the provenance of parts: open faces add up, and a stop stops all."""
    found = whole.inconsistent(sum(part.n_inconsistent for part in parts))
    stops = [note.sentence for part in parts for note in part.notes if note.finding is Finding.STOPPED]
    for sentence in dict.fromkeys(stops):
        found = found.stopped(sentence)
    return found


def collect_in_parts(
    problem: SubdivisionProblem, parts: Parts, *, level_row: int | None = None, memory: int | None = None
) -> Extraction:
    """Cut a problem on a box by way of sub-boxes; see `creased.core.subdivision.merge.collect`.

    Signs in doubt are decided in rationals. Where parts do not fit all the same the planes are moved and all
    is cut again; what does not fit in the last round either is counted as inconsistent.
    """
    domain = problem.domain
    box = Box(domain.lower, domain.upper)
    problem = problem.deciding(doubtful_band(torch.float64))
    for place in PLACES:
        cut = partial(cut_part, problem, level_row, memory)
        done, n_left = stitch(list(parts.map(cut, split_box(box, parts.n, place))), problem)
        is_small = len(done.skeleton.vertices) <= FEW_VERTICES
        if not n_left and not (is_small and done.provenance.n_inconsistent):
            return done
        if is_small:
            problem = problem.deciding(EVERYTHING)
    return done._replace(provenance=done.provenance.inconsistent(n_left))
