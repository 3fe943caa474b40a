"""Draw the hull of two zonotopes that belongs to a classifier, and what pruning does to hull and boundary.

    ./run python -m scripts.tropical.pruning --out docs/pictures/pruning.png --json pruning.json

After Alfarra et al. (2020). A layer of 16 neurons tells two half-moons apart. Neurons are removed by the
length of their generators, by their incoming weights, or at random, without further training; then half of
them is trained again, from the first weights (a lottery ticket) and from new ones. Hulls are compared by the
Hausdorff distance, boundaries by the share of the square on which the class changes, both without samples of
points. Last, steps along the gradient are compared with the exact distance to the boundary.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import creased
from creased.drawing.curves import as_points, in_order
from creased.tropical import (
    TropicalPolynomial,
    Zonotope,
    distance_to_level,
    newton_polytope,
    zonotopes_of_map,
)
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.tropical.boundary import fit, half_moons

SQUARE = creased.Box((-1.5, -1.75), (2.5, 2.25))
N_DIRECTIONS = 3600
F_HUE, G_HUE = "tab:orange", "tab:blue"
RULES = {"length of generators": "o-", "incoming weights": "s--", "at random": "^:"}
N_ATTACKED, N_STEPS, OVERSHOOT, NEAR = 40, 50, 1.001, 1.01


def main() -> None:
    """Fit, prune, train again, attack, draw."""
    parser = make_parser(__doc__, "docs/pictures/pruning.png", numbers=True)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    points, is_upper = half_moons()
    full, _ = _fitted(points, is_upper, chosen, 0)
    pruned = {rule: _prune(full, rule, chosen.seeds) for rule in RULES}
    for rule, rows in pruned.items():
        print(
            f"{rule}: " + "; ".join(f"{n} neurons: {h:.3f}, {a:.3f}" for n, h, a in rows if n in (12, 8, 4))
        )
    tickets = _tickets(points, is_upper, chosen)
    print(as_table(["half of the neurons", "right", "hull", "class changes"], tickets))
    attacked = _attack(full, points[:N_ATTACKED].double())
    print(*attacked, sep="\n")
    write_numbers(chosen.json, pruned=pruned, tickets=tickets, attacked=attacked)
    _draw(full, pruned, chosen.out)


def _fitted(
    points: Tensor, is_upper: Tensor, chosen: Namespace, seed: int
) -> tuple[creased.Program, creased.MLP]:
    """Fit a network; return it, and another with the weights that it began with."""
    torch.manual_seed(seed)
    network = creased.MLP(2, chosen.width, 1)
    first = creased.MLP(2, chosen.width, 1)
    first.load_state_dict(network.state_dict())
    return creased.lower(fit(network, points, is_upper, chosen.steps)).detach().to(dtype=torch.float64), first


def _lengths(program: creased.Program) -> Tensor:
    """Lengths (n,) of the generators |v| (w, b)."""
    hidden = program.blocks[0].affine
    rows = torch.cat([hidden.weight, hidden.bias[:, None]], 1)
    return program.head.weight[0].abs() * rows.norm(dim=1)


def _keep(program: creased.Program, kept: Tensor) -> creased.Program:
    """Leave out the neurons of the layer that are not listed."""
    hidden, head = program.blocks[0].affine, program.head
    layer = creased.Block(creased.Affine(hidden.weight[kept], hidden.bias[kept]))
    return creased.Program((layer,), creased.Affine(head.weight[:, kept], head.bias))


def _support(program: creased.Program) -> NDArray[np.float64]:
    """Evaluate the support function of the hull of both zonotopes, max(F, G) without biases."""
    angles = torch.arange(N_DIRECTIONS, dtype=torch.float64) * (2 * torch.pi / N_DIRECTIONS)
    directions = torch.stack([angles.cos(), angles.sin()])
    on = program.head.weight[0, :, None] * (program.blocks[0].affine.weight @ directions).relu()
    return np.asarray(torch.maximum(on.relu().sum(0), (-on).relu().sum(0)))


def _hull_distance(full: creased.Program, other: creased.Program) -> float:
    """Measure the Hausdorff distance of the hulls, as a share of the farthest point of the first."""
    support = _support(full)
    return float(np.abs(support - _support(other)).max() / support.max())


def _share_changed(full: creased.Program, other: creased.Program) -> float:
    """Compute the share of the square on which the signs differ, by volumes of the cells."""
    both = creased.combine.maximum(full, other)
    volumes = [creased.integrate(f, SQUARE, level=0.0).volume_below for f in (full, other, both)]
    return float(volumes[0] + volumes[1] - 2 * volumes[2]) / 16


def _prune(full: creased.Program, rule: str, seeds: int) -> list[tuple[int, float, float]]:
    """Remove neurons one by one; rows of neurons left, distance of the hulls and share of the square."""
    generator = torch.Generator().manual_seed(0)
    sizes = {
        "length of generators": [_lengths(full)],
        "incoming weights": [full.blocks[0].affine.weight.norm(dim=1)],
        "at random": [torch.rand(full.widths[0], generator=generator) for _ in range(seeds)],
    }[rule]
    rows = []
    for n in range(full.widths[0] - 1, 1, -1):
        left = [_keep(full, size.argsort(descending=True)[:n].sort().values) for size in sizes]
        hull = sum(_hull_distance(full, one) for one in left) / len(left)
        rows.append((n, hull, sum(_share_changed(full, one) for one in left) / len(left)))
    return rows


def _tickets(points: Tensor, is_upper: Tensor, chosen: Namespace) -> list[list[str]]:
    """Train half of the neurons again, from their first weights, and from those of another seed."""
    found: dict[str, list[list[float]]] = {"all, for comparison": [], "first weights": [], "new weights": []}
    for seed in range(chosen.seeds):
        half = chosen.width // 2
        full, first = _fitted(points, is_upper, chosen, seed)
        kept = _lengths(full).argsort(descending=True)[:half].sort().values
        torch.manual_seed(100 + seed)
        ticket, new = creased.MLP(2, half, 1), creased.MLP(2, half, 1)
        with torch.no_grad():
            ticket[0].weight.copy_(first[0].weight[kept])
            ticket[0].bias.copy_(first[0].bias[kept])
            ticket[-1].weight.copy_(first[-1].weight[:, kept])
        again = {"all, for comparison": full}
        for name, network in (("first weights", ticket), ("new weights", new)):
            program = creased.lower(fit(network, points, is_upper, chosen.steps)).detach()
            again[name] = program.to(dtype=torch.float64)
        for name, program in again.items():
            right = ((program(points.double())[:, 0] > 0) == is_upper).double().mean()
            found[name].append([float(right), _hull_distance(full, program), _share_changed(full, program)])
    return [[name, *(f"{x:.3f}" for x in np.mean(rows, 0))] for name, rows in found.items()]


def _attack(program: creased.Program, points: Tensor) -> list[str]:
    """Compare steps to where the present monomials of F and G tie, one or many, with the exact distance."""
    found = [distance_to_level(program, SQUARE, point).value for point in points]
    distances = torch.tensor(found, dtype=torch.float64)
    once = _step(program, points).norm(dim=1) / distances
    moved, is_upper = points.clone(), program(points)[:, 0] > 0
    for _ in range(N_STEPS):
        stays = (program(moved)[:, 0] > 0) == is_upper
        moved[stays] += OVERSHOOT * _step(program, moved[stays])
    has_crossed = (program(moved)[:, 0] > 0) != is_upper
    walked = ((moved - points).norm(dim=1) / distances)[has_crossed]
    short, long = int((once < 1 - 1e-9).sum()), int((once > 1 + 1e-9).sum())
    near = int((walked < NEAR).sum())
    return [
        f"one step: {float(once.min()):.3f} to {float(once.max()):.2f} of the exact distance; "
        f"for {len(points)} points {short} times too short, {long} times too long",
        f"steps until the class changes: {len(walked)} of {len(points)} succeed, with "
        f"{float(walked.min()):.4f} to {float(walked.max()):.2f} of it, {near} with less than {NEAR}",
    ]


def _step(program: creased.Program, points: Tensor) -> Tensor:
    """Return the shortest steps (n, D) to where the largest monomials of F and of G are equal."""
    inputs = points.clone().requires_grad_()
    values = program(inputs)[:, 0]
    (gradients,) = torch.autograd.grad(values.sum(), inputs)
    return -(values.detach() / gradients.square().sum(1))[:, None] * gradients


def _outline(zonotopes: Sequence[Zonotope]) -> NDArray[np.float64]:
    """Compute the corners (n, 2), in order, of the hull of the zonotopes' shadows."""
    slopes = [corner for zonotope in zonotopes for corner in zonotope.shadow_vertices()]
    return in_order(as_points(newton_polytope(TropicalPolynomial(slopes, [0] * len(slopes)))))


def _draw(full: creased.Program, pruned: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    plt = pyplot()
    heights = {"height_ratios": (2, 3)}
    figure, grid = plt.subplots(2, 2, figsize=(9.6, 7.2), layout="constrained", gridspec_kw=heights)
    axes, width = grid.ravel(), full.widths[0]
    order = _lengths(full).argsort(descending=True)
    for part, n in zip(axes[:2], (width, width // 2), strict=True):
        _draw_hull(part, _keep(full, order[:n].sort().values))
        part.set_title(
            f"{n} neurons" + (", dashed: the hull of all" if n < width else ": zonotopes, hull"), fontsize=10
        )
    whole = _outline(zonotopes_of_map(full))
    axes[1].plot(*np.vstack([whole, whole[:1]]).T, "--", color="grey", lw=1)
    axes[1].set(xlim=axes[0].get_xlim(), ylim=axes[0].get_ylim())
    for rule, rows in pruned.items():
        n, hulls, areas = zip(*rows, strict=True)
        axes[2].plot(n, hulls, RULES[rule], ms=4, label=rule)
        axes[3].plot(n, areas, RULES[rule], ms=4, label=rule)
    axes[2].set(xlabel="neurons left", ylabel="Hausdorff distance / size")
    axes[2].set_title("distance of the hulls", fontsize=10)
    axes[3].set(xlabel="neurons left", ylabel="share of the square")
    axes[3].set_title("where the class changes", fontsize=10)
    axes[2].legend(frameon=False, fontsize=9)
    for part in axes[2:]:
        part.set(xlim=(width, 1), xticks=range(width, 1, -2))
        part.spines[["top", "right"]].set_visible(False)
    save_flat(figure, path, dpi=110)


def _draw_hull(axes: Any, program: creased.Program) -> None:
    """Fill the shadows of both zonotopes, and draw their hull."""
    sides = zonotopes_of_map(program)
    for zonotope, colour, name in zip(sides, (F_HUE, G_HUE), "FG", strict=True):
        corners = _outline([zonotope])
        axes.fill(*corners.T, color=colour, alpha=0.35, lw=0)
        axes.text(*corners.mean(0), name, ha="center", va="center")
    hull = _outline(sides)
    axes.plot(*np.vstack([hull, hull[:1]]).T, color="black", lw=1.4)
    axes.set(xlabel="slope in x", ylabel="slope in y", aspect="equal")
    axes.margins(0.1)


if __name__ == "__main__":
    main()
