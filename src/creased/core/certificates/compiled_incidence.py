"""Match stubs along edges by a compiled kernel, with the results of `incidence`."""

from __future__ import annotations

from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.kernels import stubs


def match(found: Skeleton, n_rows: int, opposite: Tensor) -> int:
    """Write the stubs at the other ends of edges; count wrong edges.

    Args:
        found: a complex, or a level set.
        n_rows: of its arrangement.
        opposite: (2 V D + 1,); see `incidence.EdgeMates`.

    Raises:
        IndexError: an edge ends at a vertex that does not exist.
    """
    columns = (found.zero_ids, found.words, found.edges.int(), found.edge_zero_ids)
    zero_ids, words, edges, kept = (column.contiguous().numpy() for column in columns)
    coded = stubs.Coded(zero_ids, words, edges, kept, n_rows)
    n_wrong: int = stubs.match(coded, opposite.numpy())
    if n_wrong < 0:
        raise IndexError("certify: an edge ends at a vertex that does not exist")
    return n_wrong
