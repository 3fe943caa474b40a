"""Count degenerate networks whose cells are all right, against enumeration in rationals.

    ./run python -m scripts.checks.count_exact --peer PATH_TO_relu_edge_subdivision --json counts.json

Networks have random weights in {-1, 0, 1}, or that are multiples of 1/16, biases too; the domain is the box
[-1, 1]^D. "Exact" is right if the cells of all dimensions have the signs that the enumerator gives them, and
the certificate says so; the others if there are as many vertices and edges, once what lies in one place is
made one. "Floating point" is ours without exact decisions, "published" the published edge subdivision, in
float32 as it comes; an exception counts as wrong.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import creased
from creased import Affine, Block, Box, Program
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser
from tests.oracles import true_cells_of

WIDTHS = {2: (6, 5), 3: (4, 4)}
KINDS = {"ternary": 1, "sixteenths": 16}  # weights are multiples of one over that, in [-1, 1]
PLACES = 5  # decimals in which one place differs from another
SYSTEMS = ("exact", "floating point", "published")


def draw(dim: int, kind: str, seed: int) -> Program:
    """Draw a random network whose weights and biases are multiples of 1/n."""
    generator = torch.Generator().manual_seed(seed)
    n, sizes = KINDS[kind], (dim, *WIDTHS[dim], 1)

    def some(*shape: int) -> torch.Tensor:
        return torch.randint(-n, n + 1, shape, generator=generator).double() / n

    layers = [Affine(some(b, a), some(b)) for a, b in pairwise(sizes)]
    return Program(tuple(Block(layer) for layer in layers[:-1]), layers[-1])


def count_places(vertices: torch.Tensor, edges: torch.Tensor) -> tuple[int, int]:
    """Count distinct positions of vertices, and edges between distinct ones."""
    places, number = torch.unique(vertices.double().round(decimals=PLACES) + 0.0, dim=0, return_inverse=True)
    ends = number[edges.long()].sort(1).values
    return len(places), len(torch.unique(ends[ends[:, 0] != ends[:, 1]], dim=0))


def is_right_exact(program: Program, box: Box, cells: list[set[tuple[int, ...]]]) -> bool:
    """Check the cells of the contracted complex against those enumerated, and its certificate."""
    found = creased.extract_complex(program, box, degeneracy="contract")
    signs = [set(map(tuple, found.true.sign_vectors(k).tolist())) for k in range(box.dim + 1)]
    return signs == cells and creased.certify(found, program).is_certified


def published(program: Program, dim: int) -> tuple[int, int]:
    """Count vertices and edges of the published implementation, by position."""
    from edge_subdivision import skeletal_subdivision
    from NN import Net

    layers = [*(block.affine for block in program.blocks), program.head]
    net = Net([dim, *(len(layer.bias) for layer in layers)])
    for linear, layer in zip(net.fcs, layers, strict=True):
        linear.weight.data, linear.bias.data = layer.weight.float(), layer.bias.float()
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        vertices, edges, _ = skeletal_subdivision(net, device="cpu", bbox=(-1, 1), verbose=False)
    return count_places(vertices, edges)


def judge(program: Program, dim: int, *, with_peer: bool) -> dict[str, bool]:
    """Decide which systems are right about a network."""
    box = Box.cube(dim, 1)
    enumerated = true_cells_of(program, box.lower, box.upper)
    cells = [{cell.signs for cell in enumerated if cell.dim == k} for k in range(dim + 1)]
    counts = len(cells[0]), len(cells[1])
    floating = creased.extract_complex(program, box)
    right = {
        "exact": is_right_exact(program, box, cells),
        "floating point": count_places(floating.vertices, floating.edges) == counts,
    }
    if with_peer:
        try:
            right["published"] = published(program, dim) == counts
        except Exception:
            right["published"] = False
    return right


def main() -> None:
    """Draw, judge, print a table, and write JSON."""
    parser = make_parser(__doc__, numbers=True)
    parser.add_argument("--peer", type=Path, help="a checkout of relu_edge_subdivision")
    parser.add_argument("--n", type=int, default=100, help="networks of each kind and dimension")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.peer:
        sys.path.insert(0, str(chosen.peer))
    rows, start = {}, time.perf_counter()
    for dim in WIDTHS:
        for kind in KINDS:
            right: Counter[str] = Counter()
            for seed in range(chosen.n):
                right.update(judge(draw(dim, kind, seed), dim, with_peer=bool(chosen.peer)))
            rows[f"{dim},{'x'.join(map(str, WIDTHS[dim]))} {kind}"] = dict(right)
    table = Table("network", "of", *SYSTEMS[: 3 if chosen.peer else 2])
    for name, right in rows.items():
        table.add_row(name, str(chosen.n), *(str(right[system]) for system in SYSTEMS if system in right))
    Console().print(table, f"{time.perf_counter() - start:.0f} s")
    write_numbers(chosen.json, n=chosen.n, right=rows)


if __name__ == "__main__":
    main()
