"""Order linked items into chains and group them into connected components, by pointer doubling.

Polygons and polylines are found as sets of edges. Each edge gives two darts, one a direction; the successor
of a dart leaves its head on the other edge there. Darts are put in order without a loop over them: the number
of rounds is the logarithm of the longest chain.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Chains(NamedTuple):
    """Items in order along chains; a chain is named by its last item."""

    last: Tensor  # (n,) int64: the chain's last item, from every item
    n_behind: Tensor  # (n,) int64: steps from the item to the last one


def order_chains(successor: Tensor) -> Chains:
    """Order items by their successors (n,), -1 where a chain ends; a closed chain ends at its least item."""
    items = torch.arange(successor.shape[0], device=successor.device)
    jump = torch.where(successor < 0, items, successor)
    is_last = (successor < 0) | _is_least_of_cycle(jump, successor < 0)
    jump = torch.where(is_last, items, jump)
    n_behind = (~is_last).long()
    while not bool(is_last[jump].all()):
        n_behind = n_behind + n_behind[jump]
        jump = jump[jump]
    return Chains(jump, n_behind)


def _is_least_of_cycle(jump: Tensor, is_end: Tensor) -> Tensor:
    """Mark the least item of each closed chain; items in ``is_end`` jump to themselves."""
    items = torch.arange(jump.shape[0], device=jump.device)
    least, leads_to_end = items, is_end
    while True:
        lower, ends = torch.minimum(least, least[jump]), leads_to_end | leads_to_end[jump]
        if torch.equal(lower, least) and torch.equal(ends, leads_to_end):
            return (least == items) & ~leads_to_end
        least, leads_to_end, jump = lower, ends, jump[jump]


def match_pairs(slots: Tensor) -> tuple[Tensor, int]:
    """Pair items of equal slots (n,): the other item of the slot, -1 where there is none.

    Returns the mates (n,) and the number of items beyond the second of their slot.
    """
    ordered, order = torch.sort(slots, stable=True)
    is_repeat = torch.zeros_like(slots, dtype=torch.bool)
    is_repeat[1:] = ordered[1:] == ordered[:-1]
    is_second = is_repeat.clone()
    is_second[1:] &= ~is_repeat[:-1]
    second = is_second.nonzero()[:, 0]
    mates = torch.full_like(slots, -1)
    mates[order[second]] = order[second - 1]
    mates[order[second - 1]] = order[second]
    return mates, int((is_repeat & ~is_second).sum())


def label_components(n_items: int, links: Tensor) -> Tensor:
    """Label items (n_items,) by the least item of their component, for links (m, 2) between items."""
    label = torch.arange(n_items, device=links.device)
    if links.shape[0] == 0:
        return label
    a, b = links.long().unbind(1)
    while True:
        low = torch.minimum(label[a], label[b])
        hooked = label.scatter_reduce(0, label[a], low, "amin").scatter_reduce(0, label[b], low, "amin")
        hooked = hooked[hooked]
        if torch.equal(hooked, label):
            return label
        label = hooked
