"""Estimate the size of a level set before it is extracted: from experience, not a bound.

How many faces there are is known once they are found. Networks fitted to shapes have had about as many as the
square of their neurons (in the plane, as many edges as neurons): 0.7 to 1.7 times that from 160 neurons to
2048, deep or wide. Untrained ones have fewer. What a face takes follows from what is kept of it, and from
what putting it together takes beside that.
"""

from __future__ import annotations

from typing import NamedTuple

from creased.core.arrangement.signs import WORD
from creased.core.domains.domain import Domain
from creased.core.method_choice import choose_method
from creased.core.numerics.memory import format_bytes
from creased.core.options import ExtractionOptions
from creased.core.program.program import Program
from creased.core.provenance import Method
from creased.core.subdivision.merge import ASSEMBLY

ON_GRID = 20  # vertices for each square of side 1 / N on a side of the cube; 12 to 21 measured with the bunny
IN_SIMPLICES = 2  # times as much is taken before simplices are welded; measured with 64 to 256 cubes
WALK = 4  # what walking takes, as a multiple of what is kept; 3 to 4 measured with 1024 and 2048 neurons


class Expected(NamedTuple):
    """Estimated size of a level set."""

    n_vertices: int  # about as many as faces
    n_bytes: int


def expect(program: Program, n_walls: int, method: Method) -> Expected:
    """Estimate the level set of a network fitted to a shape.

    Args:
        program: of D inputs.
        n_walls: of the domain.
        method: how it is found.
    """
    dim, n_rows = program.in_dim, n_walls + program.n_neurons + 1
    n_vertices, word_bytes = max(program.n_neurons, 1) ** (dim - 1), 8 * -(-n_rows // WORD)
    if program.grid is not None:
        n_vertices, word_bytes = ON_GRID * program.grid.finest ** (dim - 1), word_bytes + 8
    n_edges = dim / 2  # for each vertex of a simple surface
    skeleton = 8 * dim + 4 * dim + word_bytes + n_edges * (8 + 4 * (dim - 1))
    if program.grid is not None:
        in_double = sum(8 * table.numel() for table in program.grid.tables)  # to check what was found
        return Expected(n_vertices, round(IN_SIMPLICES * ASSEMBLY * skeleton * n_vertices) + in_double)
    if method is Method.SUBDIVIDE:
        return Expected(n_vertices, round(ASSEMBLY * skeleton * n_vertices))
    corners, residual = 8 * (dim + 1), 8
    return Expected(n_vertices, round(WALK * (skeleton + corners + residual + word_bytes) * n_vertices))


def format_expected(program: Program, domain: Domain, options: ExtractionOptions) -> str:
    """Describe the estimate, and the memory that is allowed."""
    method, _ = choose_method(program, domain, options)
    n_vertices, n_bytes = expect(program, domain.n_walls, method)
    allowed = options.resources.memory_on(program.device)
    limit = "how much is free is not known" if allowed is None else f"{format_bytes(allowed)} are allowed"
    name = "edges" if program.in_dim == 2 else "faces"
    size = f"{program.n_neurons} neurons" if program.grid is None else f"{program.grid.finest} cubes an axis"
    return (
        f"expects about {format_bytes(n_bytes)} for about {n_vertices:,} {name}, as fitted networks of "
        f"{size} have, to {'walk' if method is Method.MARCH else 'cut'}; {limit}"
    )
