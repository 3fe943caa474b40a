"""Random module graphs for hypothesis: compositions of supported layers, with skips, joins and branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

ACTIVATIONS: list[Callable[[int], nn.Module]] = [
    lambda n: nn.ReLU(),
    lambda n: nn.ReLU(inplace=False),
    lambda n: nn.LeakyReLU(0.2),
    lambda n: nn.PReLU(n),
    lambda n: nn.RReLU(),
    lambda n: nn.Hardtanh(-0.7, 0.9),
    lambda n: nn.Softshrink(0.2),
    lambda n: nn.Threshold(0.1, 0.1),
    lambda n: nn.Hardsigmoid(),
]

VIEWS: list[Callable[[Tensor], Tensor]] = [
    lambda x: x.flip(1),
    lambda x: x[:, ::2],
    lambda x: -x,
    lambda x: x.abs(),
    lambda x: x.cumsum(1) / 2,
    lambda x: x.sort(1).values,
    lambda x: x.unsqueeze(1).repeat(1, 2, 1).flatten(1),
    lambda x: torch.cat([x.relu(), (-x).relu()], dim=1),
    lambda x: torch.cat(x.chunk(2, dim=1)[::-1], dim=1),
    lambda x: functional.max_pool1d(x[:, None], 2, 1, 1).squeeze(1),
    lambda x: functional.avg_pool1d(x[:, None], 2, 2, 1).flatten(1),
    lambda x: x.amax(1, keepdim=True),
    lambda x: x.clamp(max=0.5).reshape(x.shape[0], -1),
    lambda x: x - x.mean(dim=1, keepdim=True),
    lambda x: 0.5 - 2 * x,
]

JOINS: list[Callable[[Tensor, Tensor], Tensor]] = [
    lambda a, b: a + b,
    lambda a, b: a - 0.5 * b,
    torch.maximum,
    torch.minimum,
    lambda a, b: torch.cat([a, b], dim=1),
    lambda a, b: torch.stack([a, b], dim=2).amax(2),
]

LAYERS: list[Callable[[int, int], nn.Module]] = [
    nn.Linear,
    lambda n, m: nn.Linear(n, m, bias=False),
    lambda n, m: nn.Sequential(nn.Linear(n, m), nn.BatchNorm1d(m), nn.Dropout()),
    lambda n, m: parametrizations.weight_norm(nn.Linear(n, m)),
    lambda n, m: nn.Sequential(nn.Unflatten(1, (1, n)), nn.Conv1d(1, 2, 2, padding=1), nn.Flatten()),
]


class Node(NamedTuple):
    """One value of a graph: what is done to which earlier values."""

    function: Callable[..., Tensor]
    sources: tuple[int, ...]


class Graph(nn.Module):
    """Values one after the other, of which the last is the output."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(node.function for node in nodes if isinstance(node.function, nn.Module))
        self.nodes = nodes

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for node in self.nodes:
            values.append(node.function(*(values[i] for i in node.sources)))
        return values[-1]


@st.composite
def graphs(draw: st.DrawFn, dim: int = 2, n_nodes: int = 10, widest: int = 5) -> Graph:
    """A module on points of a dimension, in double precision and eval mode, with one output."""
    torch.manual_seed(draw(st.integers(0, 2**32)))
    widths, nodes = [dim], []
    for _ in range(draw(st.integers(1, n_nodes))):
        kind = draw(st.sampled_from(["layer", "layer", "activation", "activation", "view", "join"]))
        source = draw(st.integers(max(0, len(widths) - 4), len(widths) - 1))
        node = _node(draw, kind, source, widths)
        width = node.function(*(torch.zeros(2, widths[i]) for i in node.sources)).shape[1]
        if 0 < width <= 2 * widest:
            nodes.append(node)
            widths.append(width)
    nodes.append(Node(nn.Linear(widths[-1], 1), (len(widths) - 1,)))
    graph = Graph(nodes).double()
    for part in graph.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return graph.eval()


def _node(draw: st.DrawFn, kind: str, source: int, widths: list[int]) -> Node:
    width = widths[source]
    if kind == "layer":
        return Node(draw(st.sampled_from(LAYERS))(width, draw(st.integers(1, 5))).eval(), (source,))
    if kind == "activation":
        return Node(draw(st.sampled_from(ACTIVATIONS))(width).eval(), (source,))
    equal = [i for i in range(len(widths)) if widths[i] == width and i != source]
    if kind == "join" and equal:
        return Node(draw(st.sampled_from(JOINS)), (source, draw(st.sampled_from(equal))))
    return Node(draw(st.sampled_from(VIEWS)), (source,))
