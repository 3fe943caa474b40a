"""Minimum vertex cut: the smallest set of values that separates known values from needed ones.

By Menger's theorem its size is that of a maximum flow in which each value has its size as capacity (Ford and
Fulkerson 1956); the flow is found by shortest augmenting paths (Edmonds and Karp 1972).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

Node = tuple[int, bool]  # a value split in two: False where flow enters it, True where flow leaves it
SOURCE, SINK = (-1, True), (-2, False)
Capacities = dict[Node, dict[Node, int]]


def min_vertex_cut(
    inputs: Mapping[int, Sequence[int]], sizes: Mapping[int, int], known: Iterable[int], needed: Iterable[int]
) -> set[int]:
    """Return the values of least total size from which all needed values follow; of several, the earliest.

    Args:
        inputs: for each computed value, the values it is computed from.
        sizes: the cost of keeping a value; values without a size are never in the cut.
        known: values that are given.
        needed: values to be computed.
    """
    residual = _flow_network(inputs, sizes, known, needed)
    while path := _augmenting_path(residual):
        amount = min(residual[a][b] for a, b in path)
        for a, b in path:
            residual[a][b] -= amount
            residual[b][a] += amount
    reached = _reachable(residual)
    return {value for value, is_exit in reached if not is_exit and (value, True) not in reached}


def _flow_network(
    inputs: Mapping[int, Sequence[int]], sizes: Mapping[int, int], known: Iterable[int], needed: Iterable[int]
) -> Capacities:
    """Build the network: a value's size through the value, unlimited capacity between values."""
    unlimited = sum(sizes.values()) + 1
    capacity: Capacities = defaultdict(lambda: defaultdict(int))
    known, needed = set(known), set(needed)
    for value in known | needed | set(inputs):
        capacity[value, False][value, True] = sizes.get(value, unlimited)
    for value, sources in inputs.items():
        for source in sources:
            capacity[source, True][value, False] = unlimited
    for value in known:
        capacity[SOURCE][value, False] = unlimited
    for value in needed:
        capacity[value, True][SINK] = unlimited
    return capacity


def _reachable(residual: Capacities) -> dict[Node, Node]:
    """Search breadth first from the source; map each reachable node to its predecessor."""
    came_from = {SOURCE: SOURCE}
    queue = deque([SOURCE])
    while queue:
        node = queue.popleft()
        for following, amount in list(residual[node].items()):
            if amount > 0 and following not in came_from:
                came_from[following] = node
                queue.append(following)
    return came_from


def _augmenting_path(residual: Capacities) -> list[tuple[Node, Node]]:
    """Return the edges of a shortest path from source to sink; empty if there is none."""
    came_from = _reachable(residual)
    path, node = [], SINK
    while node in came_from and node != SOURCE:
        path.append((came_from[node], node))
        node = came_from[node]
    return path
