"""The fewest numbers that a network must remember between two blocks: a minimum vertex cut.

By the theorem of Menger, Ford and Fulkerson the least size of a set of values that separates what is known
from what is needed is the largest flow from the one to the other, where each value passes on as much as its
size; the flow is found by shortest augmenting paths (Edmonds and Karp 1972).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

Node = tuple[int, bool]  # a value, and whether its far side is meant
SOURCE, SINK = (-1, True), (-2, False)
Flow = dict[Node, dict[Node, int]]


def smallest_cut(
    inputs: Mapping[int, Sequence[int]], sizes: Mapping[int, int], known: Iterable[int], needed: Iterable[int]
) -> set[int]:
    """Values of least size in all that everything needed can be computed from; the earliest such.

    Args:
        inputs: of each value that is computed, the values that it is computed from.
        sizes: what it costs to remember a value; those without a size can't be remembered.
        known: values that are there to begin with.
        needed: values that are to be computed.
    """
    room = _network(inputs, sizes, known, needed)
    while path := _path(room):
        amount = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= amount
            room[b][a] += amount
    reached = _reached(room)
    return {value for value, is_far in reached if not is_far and (value, True) not in reached}


def _network(
    inputs: Mapping[int, Sequence[int]], sizes: Mapping[int, int], known: Iterable[int], needed: Iterable[int]
) -> Flow:
    """What can flow: through each value its size, between values any amount."""
    any_amount = sum(sizes.values()) + 1
    room: Flow = defaultdict(lambda: defaultdict(int))
    known, needed = set(known), set(needed)
    for value in known | needed | set(inputs):
        room[value, False][value, True] = sizes.get(value, any_amount)
    for value, sources in inputs.items():
        for source in sources:
            room[source, True][value, False] = any_amount
    for value in known:
        room[SOURCE][value, False] = any_amount
    for value in needed:
        room[value, True][SINK] = any_amount
    return room


def _reached(room: Flow) -> dict[Node, Node]:
    """Where more could flow to from the source, and from where it would come there."""
    came_from = {SOURCE: SOURCE}
    queue = deque([SOURCE])
    while queue:
        node = queue.popleft()
        for following, amount in list(room[node].items()):
            if amount > 0 and following not in came_from:
                came_from[following] = node
                queue.append(following)
    return came_from


def _path(room: Flow) -> list[tuple[Node, Node]]:
    """A shortest way from the source to the sink, as its steps; empty if there is none."""
    came_from = _reached(room)
    path, node = [], SINK
    while node in came_from and node != SOURCE:
        path.append((came_from[node], node))
        node = came_from[node]
    return path
