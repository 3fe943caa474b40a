"""Faces of the finest Kuhn grid, and the simplices around them.

The corners of a face ascend and differ by 0 or 1 in each coordinate: a face is its least corner, the base,
and a chain of offsets from it in {0, 1}^D. An offset with coordinates o_i has the number sum o_i 2^i, and a
chain is the set of these numbers, as bits. Which simplices lie around a face depends on its chain alone.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.tensors import ranges_of
from creased.core.program.kuhn_grid import kuhn_paths, vertex_numbers
from creased.core.program.simplices import cubes_of, n_paths


class Faces(NamedTuple):
    """Faces of the finest grid."""

    base: Tensor  # (n, D) int64: the least corner
    chain: Tensor  # (n,) int64: bits of the offsets of its corners; 0: no face

    def n_corners(self) -> Tensor:
        """Numbers (n,) of corners; 0 of what is no face."""
        return _tables(self.base.shape[1], self.base.device).n_corners[self.chain]

    def numbers(self, n: int) -> Tensor:
        """Numbers (n,) of faces of a grid of n cubes an axis."""
        return vertex_numbers(self.base, n) << 2 ** self.base.shape[1] | self.chain

    def planes(self) -> Tensor:
        """Planes (n, D) through each, as ``axes`` of `plane_id`; first come those that determine it."""
        return _tables(self.base.shape[1], self.base.device).planes.index_select(0, self.chain)

    def choose(self, index: Tensor) -> Faces:
        """Select faces (m,)."""
        return Faces(self.base.index_select(0, index), self.chain.index_select(0, index))


class Around(NamedTuple):
    """Pairs of a face and a simplex that has it."""

    owner: Tensor  # (m,) int64: the face, ascending
    cube: Tensor  # (m, D) int64: coordinates of the cube of the simplex
    path: Tensor  # (m,) int64: its path in the cube
    spanned: Tensor  # (m,) int64: bits of the corners of the simplex that span the face
    starts: Tensor  # (n,) int64: where the pairs of each face start in `places`
    places: Tensor  # (all,) int64: number of each pair, of those left out too

    def simplices(self, n: int) -> Tensor:
        """Numbers (m,) of the simplices in a grid of n cubes an axis."""
        return vertex_numbers(self.cube, n - 1) * n_paths(self.cube.shape[1]) + self.path

    def find(self, faces: Faces, which: Tensor, others: Around) -> Tensor:
        """Numbers (m,) of the pairs of faces (m,), among these ones, with the simplices of other pairs (m,).

        Args:
            faces: of these pairs.
            which: the face (m,) of each; it lies in the simplex.
            others: (m,) pairs.
        """
        tables = _tables(faces.base.shape[1], faces.base.device)
        step = _number(faces.base.index_select(0, which) - others.cube)
        slot = tables.slots[faces.chain.index_select(0, which), step, others.path]
        return self.places.index_select(0, self.starts.index_select(0, which) + slot)


def faces_in(simplices: Tensor, spanned: Tensor, dim: int, n: int) -> Faces:
    """Faces of simplices (m,) of a grid of n cubes an axis, spanned by corners (m,) given as bits."""
    tables, path = _tables(dim, simplices.device), simplices % n_paths(dim)
    at = path * (2 << dim) + spanned
    base = cubes_of(simplices, dim, n) + tables.bases.index_select(0, at)
    return Faces(base, tables.chains.index_select(0, at))


def join(one: Faces, other: Faces) -> Faces:
    """The faces (n,) spanned by two faces each; chain 0 where there is none."""
    tables, base = _tables(one.base.shape[1], one.base.device), torch.minimum(one.base, other.base)
    chains, is_near = [], torch.ones_like(one.chain, dtype=torch.bool)
    for faces in (one, other):
        step = faces.base - base
        is_near &= (step <= 1).all(1)
        chains.append(tables.moved[_number(step.clamp(max=1)), faces.chain])
    chain = (chains[0] | chains[1]).masked_fill((chains[0] == 0) | (chains[1] == 0) | ~is_near, 0)
    return Faces(base, chain.masked_fill(tables.n_corners[chain] == 0, 0))


def around(faces: Faces, lower: Tensor, upper: Tensor) -> Around:
    """List the simplices around faces in cubes with coordinates in [lower, upper), (D,) int64 each."""
    tables = _tables(faces.base.shape[1], faces.base.device)
    is_near = (faces.base[:, 0] >= lower[0]) & (faces.base[:, 0] <= upper[0])
    counts = tables.counts[faces.chain] * is_near
    starts = counts.cumsum(0) - counts
    owner, entry = ranges_of(tables.firsts[faces.chain], counts)
    cube = faces.base.index_select(0, owner) - tables.steps.index_select(0, entry)
    is_in = ((cube >= lower) & (cube < upper)).all(1)
    places = is_in.cumsum(0) - 1
    kept = is_in.nonzero()[:, 0]
    entry = entry[kept]
    return Around(owner[kept], cube[kept], tables.paths[entry], tables.spanned[entry], starts, places)


class _Tables(NamedTuple):
    """The simplices around each chain: entries from ``firsts`` on, ``counts`` many, of the lists (m,)."""

    n_corners: Tensor  # (2^2^D,) int64: of a chain; 0 of other sets of offsets
    firsts: Tensor  # (2^2^D,) int64
    counts: Tensor  # (2^2^D,) int64
    steps: Tensor  # (m, D) int64: from the base of the cube to that of the face
    paths: Tensor  # (m,) int64
    spanned: Tensor  # (m,) int64: bits of the corners of the simplex that are in the face
    slots: Tensor  # (2^2^D, 2^D, D!) int64: entry of a step and a path among those of a chain
    moved: Tensor  # (2^D, 2^2^D) int64: a chain, seen from a base that is lower by an offset; 0 if too far
    planes: Tensor  # (2^2^D, D) int64: see `Faces.planes`
    bases: Tensor  # (D! 2^(D + 1), D) int64: of faces in the unit cube, by path and bits of corners
    chains: Tensor  # (D! 2^(D + 1),) int64


@cache
def _tables(dim: int, device: torch.device) -> _Tables:
    n_offsets, paths = 2**dim, kuhn_paths(dim, torch.device("cpu"))
    offsets = torch.tensor([[code >> axis & 1 for axis in range(dim)] for code in range(n_offsets)])
    ascending = [[int(code) for code in _number(path)] for path in paths]  # of each path
    n_corners, counts = [0] * 2**n_offsets, [0] * 2**n_offsets
    entries: list[tuple[int, int, int]] = []  # step, path, spanned
    firsts = list(n_corners)
    slots = torch.full((2**n_offsets, n_offsets, len(ascending)), -1)
    for chain in range(1, 2**n_offsets, 2):
        firsts[chain] = len(entries)
        members = [code for code in range(n_offsets) if chain >> code & 1]
        for step in range(n_offsets):
            if any(step & code for code in members):
                continue
            for path, codes in enumerate(ascending):
                if all(step | code in codes for code in members):
                    slots[chain, step, path] = len(entries) - firsts[chain]
                    entries.append((step, path, sum(1 << codes.index(step | code) for code in members)))
        counts[chain] = len(entries) - firsts[chain]
        n_corners[chain] = len(members) if counts[chain] else 0
    moved = [[_moved(chain, step, n_offsets) for chain in range(2**n_offsets)] for step in range(n_offsets)]
    steps, path_of, spanned = torch.tensor(entries).unbind(1)
    numbers = (torch.tensor(column) for column in (n_corners, firsts, counts))
    planes = torch.tensor([_planes_along(chain, dim) for chain in range(2**n_offsets)])
    shown = [_spanned_by(codes, bits) for codes in ascending for bits in range(2 << dim)]
    bases, chains = torch.tensor(shown).unbind(1)
    around_chains = (*numbers, offsets[steps], path_of, spanned, slots, torch.tensor(moved))
    tables = (*around_chains, planes, offsets[bases], chains)
    with torch.inference_mode(mode=False):
        return _Tables(*(table.clone().to(device) for table in tables))


def _moved(chain: int, step: int, n_offsets: int) -> int:
    members = [code for code in range(n_offsets) if chain >> code & 1]
    return 0 if any(step & code for code in members) else sum(1 << (step | code) for code in members)


def _planes_along(chain: int, dim: int) -> list[int]:
    """Independent planes along a chain, as ``axes`` of `plane_id`, and zeros up to D."""
    members = [code for code in range(2**dim) if chain >> code & 1]
    shape = [tuple(code >> axis & 1 for code in members) for axis in range(dim)]  # which corners moved along
    planes = [axis for axis in range(dim) if not any(shape[axis])]
    for j in range(dim):  # an axis along which others have moved alike: with the last of these
        alike = [i for i in range(j) if shape[i] == shape[j] and any(shape[j])]
        planes += [dim + i * dim + j for i in alike[-1:]]
    return (planes + [0] * dim)[:dim]


def _spanned_by(codes: list[int], bits: int) -> tuple[int, int]:
    """The base and the chain of a face of the path whose corners have these offsets, given its corners."""
    members = [code for k, code in enumerate(codes) if bits >> k & 1] or [0]
    return members[0], sum(1 << (code ^ members[0]) for code in members)


def _number(offsets: Tensor) -> Tensor:
    """Numbers (...) of offsets (..., D)."""
    number = offsets[..., 0]
    for axis in range(1, offsets.shape[-1]):
        number = number | offsets[..., axis] << axis
    return number
