"""What a level set is expected to take, said before it is extracted: a guess from experience, not a bound.

How many faces there are is known once they are found. Networks fitted to shapes have had about as many as the
square of their neurons (in the plane, as many edges as neurons): 0.7 to 1.7 times that from 160 neurons to
2048, deep or wide. Untrained ones have fewer. What a face takes follows from what is kept of it, and from
what putting it together takes beside that.
"""

from __future__ import annotations

from typing import NamedTuple

from creased.core.arrangement.signs import WORD
from creased.core.method_choice import choose_method
from creased.core.numerics.memory import free_bytes, in_gigabytes
from creased.core.program.program import Program
from creased.core.subdivision.merge import ASSEMBLY

WALK = 4  # what walking takes, as a multiple of what is kept; 3 to 4 measured with 1024 and 2048 neurons


class Expected(NamedTuple):
    """A guess about a level set."""

    n_vertices: int  # about as many as faces
    n_bytes: int


def expect(program: Program, n_walls: int, method: str) -> Expected:
    """What the level set of a network fitted to a shape would take.

    Args:
        program: of D inputs.
        n_walls: of the domain.
        method: "subdivide" or "march".
    """
    dim, n_rows = program.in_dim, n_walls + program.n_neurons + 1
    n_vertices, word_bytes = max(program.n_neurons, 1) ** (dim - 1), 8 * -(-n_rows // WORD)
    n_edges = dim / 2  # for each vertex of a simple surface
    skeleton = 8 * dim + 4 * dim + word_bytes + n_edges * (8 + 4 * (dim - 1))
    if method == "subdivide":
        return Expected(n_vertices, round(ASSEMBLY * skeleton * n_vertices))
    corners, residual = 8 * (dim + 1), 8
    return Expected(n_vertices, round(WALK * (skeleton + corners + residual + word_bytes) * n_vertices))


def format_expected(
    program: Program, n_walls: int, method: str, memory: int | None, *, complete: bool, exact: bool = False
) -> str:
    """The same in words, with what is allowed.

    Args:
        program: to extract from.
        n_walls: of the domain.
        method: as it was asked for, see `creased.core.extract_level_set.extract_level_set`.
        memory: bytes that are allowed; what is free by default.
        complete: whether nothing may be missing.
        exact: whether signs have to be.
    """
    chosen, _ = choose_method(method, program, complete=complete, exact=exact)
    n_vertices, n_bytes = expect(program, n_walls, chosen)
    allowed = free_bytes(program.device) if memory is None else memory
    limit = "how much is free is not known" if allowed is None else f"{in_gigabytes(allowed)} are allowed"
    name = "edges" if program.in_dim == 2 else "faces"
    return (
        f"expects about {in_gigabytes(n_bytes)} for about {n_vertices:,} {name}, as fitted networks of "
        f"{program.n_neurons} neurons have, to {'walk' if chosen == 'march' else 'cut'}; {limit}"
    )
