"""Distance to a network's decision boundary, in a box of up to three dimensions or a slice.

The level set is extracted, and its nearest segment or triangle found (`nearest`). It separates f >= level
from f < level: where f only touches the level there is no boundary (`exact_distance` finds f = level itself).
A slice x0 + U t of a space of more dimensions becomes a small domain by folding U into the first layer;
distances are those of the whole space, for any U. The distance in a slice is an upper bound of that in the
whole space.

The nearest change of class is the nearest tie of class c with any other: on the way there no third class can
have overtaken c, for it would have tied with c before.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import unpack_rows
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.extract_level_set import extract_level_set
from creased.core.formatting import format_point
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points, as_points
from creased.core.program.affine_slice import ProgramSlice
from creased.core.program.combine import difference
from creased.core.program.program import Program
from creased.networks.as_program import Network, as_program
from creased.tropical.algebra.rational_maps import one_output
from creased.tropical.distance.nearest import nearest_point


class Distance(NamedTuple):
    """The distance to a boundary, and its nearest point."""

    value: float  # infinity: there is none in the domain
    witness: Tensor | None  # (D,): the nearest point, in the domain's coordinates
    cell: Tensor | None  # (n_neurons,) bool: the activation pattern of a cell that it lies in
    rival: int | None = None  # the class that ties there
    status: str = ""  # why there is no boundary, and what the value bounds

    def __repr__(self) -> str:
        at = "" if self.witness is None else f", at {format_point(self.witness.tolist())}"
        rival = "" if self.rival is None else f", where class {self.rival} ties"
        return f"distance {self.value:.12g}{at}{rival}" + (f"; {self.status}" if self.status else "")


@as_written
def distance_to_level(
    network: Network,
    domain: Box,
    point: Points,
    norm: float = 2,
    *,
    level: float = 0.0,
    index: int | None = None,
) -> Distance:
    """Compute the distance of a point of the domain to {f = level}, in float64.

    Args:
        network: f: a program, a module that `creased.lower` takes, or a slice (`creased.slice_program`).
        domain: up to three dimensions; of a slice, in its coordinates.
        point: (D,), in the domain.
        norm: 1, 2 or infinity; of a slice, in the whole space.
        level: the value of the output.
        index: which output; may be left out if there is one only.

    Raises:
        ValueError: more than three dimensions, another norm, or a point outside.
        ArithmeticError: the level set is not known to be complete.
    """
    given, basis = _parts(network, "distance_to_level")
    f = one_output(given, index, "distance_to_level").to(dtype=torch.float64).detach()
    point = as_points("distance_to_level", point, f.in_dim, torch.float64, f.device)
    _require_inside(point, domain, "distance_to_level")
    level_set = extract_level_set(f, domain, level)
    if not level_set.is_complete:
        raise ArithmeticError(
            f"distance_to_level: needs a complete level set, got: {level_set.guarantee}; {level_set.status}"
        )
    corners, words = _simplices(level_set)
    metric = _metric(basis, domain.dim, norm).to(f.head.bias)
    found = nearest_point(corners @ metric.mT, metric @ point, norm)
    status = _bound_of(network)
    if float(f(point)) == level and (found is None or found.distance > 0):
        known = "at the point itself f has the level: exact_distance measures how far {f = level} is"
        status = "; ".join(filter(None, (known, status)))
    if found is None:
        return Distance(math.inf, None, None, status="; ".join(filter(None, (level_set.status, status))))
    witness = torch.linalg.lstsq(metric, found.point[:, None]).solution[:, 0]
    n_walls, n_neurons = level_set.layout.n_walls, level_set.layout.n_neurons
    cell = unpack_rows(words[found.simplex : found.simplex + 1], n_walls, n_neurons)[0]
    return Distance(found.distance, witness, cell, status=status)


@as_written
def distance_to_other_class(network: Network, domain: Box, point: Points, norm: float = 2) -> Distance:
    """Compute the distance to the nearest tie of a point's class, that of the largest output, with another.

    The arguments are those of `distance_to_level`.

    Raises:
        ValueError: there is one output only, or as `distance_to_level`.
    """
    given, _ = _parts(network, "distance_to_other_class")
    if given.out_dim < 2:
        raise ValueError(f"distance_to_other_class: needs two outputs or more, got {given.out_dim}")
    classes = given.to(dtype=torch.float64).detach()
    point = as_points("distance_to_other_class", point, classes.in_dim, torch.float64, classes.device)
    _require_inside(point, domain, "distance_to_other_class")
    mine = int(classes(point).argmax())
    status = f"no other class has the largest output in the domain, {mine} has everywhere"
    best = Distance(math.inf, None, None, status="; ".join(filter(None, (status, _bound_of(network)))))
    for rival in range(classes.out_dim):
        if rival != mine:
            margin = difference(classes, mine, rival)
            either = replace(network, program=margin) if isinstance(network, ProgramSlice) else margin
            found = distance_to_level(either, domain, point, norm)
            if found.value < best.value:
                best = found._replace(rival=rival)
    return best


def _simplices(level_set: LevelSet) -> tuple[Tensor, Tensor]:
    """List the simplices (T, D, D) of a level set, and the packed signs (T, W) of their cells."""
    if level_set.dim == 1:
        return level_set.vertices[:, None], level_set.words
    if level_set.dim == 2:
        first, second = level_set.edges.unbind(1)
        return level_set.vertices[level_set.edges], level_set.words[first] | level_set.words[second]
    if level_set.dim == 3:
        triangles, owners = level_set.polygons.triangles()
        return level_set.vertices[triangles], level_set.polygon_words[owners]
    raise ValueError(f"distance_to_level: needs up to three dimensions, got {level_set.dim}: take a slice")


def _parts(network: Network, caller: str) -> tuple[Program, Tensor | None]:
    """Return the program of the domain's coordinates, and the basis of its slice, if it is one."""
    return as_program(network, caller), network.basis if isinstance(network, ProgramSlice) else None


def _metric(basis: Tensor | None, dim: int, norm: float) -> Tensor:
    """Return a matrix (m, k) for which the norm of its product with t is that of U t."""
    if basis is None:
        return torch.eye(dim)
    return torch.linalg.qr(basis).R if norm == 2 else basis


def _bound_of(network: Network) -> str:
    """Say how a distance in a slice bounds that in the whole space; empty where they are equal."""
    if not isinstance(network, ProgramSlice) or network.basis.shape[0] == network.basis.shape[1]:
        return ""
    n, dim = network.basis.shape
    return f"an upper bound of the distance in all {n} dimensions: the slice has {dim}"


def _require_inside(point: Tensor, domain: Box, caller: str) -> None:
    walls = domain.halfspaces(point.dtype, point.device)
    if point.shape != (domain.dim,) or not bool((point @ walls[:-1] + walls[-1] >= 0).all()):
        raise ValueError(f"{caller}: the point {point.tolist()} is not in {domain}")
