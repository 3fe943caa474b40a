"""Rows at vertices modulo primes, cell by cell: the linear forms of one cell are all that is held of them.

Residues are those of `residues`: of least absolute value, in floats, with sums of products that are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creased.core.native.compiler import Floats, Integers, part, whole


class FlatRows(NamedTuple):
    """Walls, blocks and outputs modulo P primes: sparse matrices below each other, the bias last."""

    primes: Floats  # (P,)
    entries: Floats  # (P, m): nonzero ones
    columns: Integers  # (m,)
    starts: Integers  # of the entries of each row, and of none behind
    shifts: Floats  # (B, 2, P): scale of a block's affine map and of its output map
    blocks: (
        Integers  # (B, 4): neurons, matrix row of the first, rows of an output map or -1, state that passes
    )
    n_walls: int  # their matrix rows are the first


class Prime(NamedTuple):
    """A prime."""

    value: float
    inverse: float


class Vertices(NamedTuple):
    """Cells (m,), and their vertices (n,), sorted by cells."""

    words: Integers  # (m, W)
    starts: Integers  # (m + 1,): of the vertices of each cell
    order: Integers  # (n,): which they were among those that came
    zeros: Integers  # (n, D)
    last: int  # row up to which rows are wanted


class Pairs(NamedTuple):
    """Rows (k,) that are asked for, sorted by vertices as these came."""

    starts: Integers  # (n + 1,): of those of each vertex
    rows: Integers  # (k,)


class Found(NamedTuple):
    """Residues; see `modular_rows.Residues`."""

    points: Floats  # (P, n, D + 1)
    values: Floats  # (P, k)
    shares: Floats  # (P, k, D or 0)


class Room(NamedTuple):
    """Room for one cell."""

    forms: Floats  # (P, n_rows, D + 1)
    states: (
        Floats  # (P, S, D + 1): before each block, behind its neurons, behind its map, one below the other
    )
    places: Integers  # (2 B + 2,): where each of these begins
    minors: Floats  # (2^(D + 1),)
    own: Floats  # (D + 1, D + 1): a point, then a vector for each of its rows
    ids: Integers  # (D,)


@part
def _centred(x: float, prime: Prime) -> float:
    """Reduce an integer to its residue of least absolute value."""
    return x - np.rint(x * prime.inverse) * prime.value


@part
def _row(rows: FlatRows, p: int, row: int, state: Floats, out: Floats, prime: Prime) -> None:
    """Multiply a matrix row by the state."""
    for k in range(out.shape[0]):
        total = 0.0
        for i in range(rows.starts[row], rows.starts[row + 1]):
            total += rows.entries[p, i] * state[rows.columns[i], k]
        out[k] = _centred(total, prime)


@part
def _compose(
    rows: FlatRows, p: int, vertices: Vertices, c: int, forms: Floats, room: Room, prime: Prime
) -> None:
    """Write the forms of a cell's rows, up to the block of the last that is wanted.

    The forms and states of the cell before are kept up to the first block with another sign.
    """
    words, width, first, states = vertices.words[c], forms.shape[1], rows.n_walls, room.states[p]
    if c == 0:
        for j in range(width):
            for k in range(width):
                states[j, k] = 1.0 * (j == k)
        for row in range(rows.n_walls):
            _row(rows, p, row, states, forms[row], prime)
    is_known, n_state = c > 0, width - 1
    for b in range(rows.blocks.shape[0]):
        n, matrix, n_mixed, n_passing = rows.blocks[b]
        at = room.places[2 * b : 2 * b + 4]
        before, after, mixed = states[at[0] : at[1]], states[at[1] : at[2]], states[at[2] : at[3]]
        if not is_known:
            for i in range(n):
                _row(rows, p, matrix + i, before, forms[first + i], prime)
        if first + n > vertices.last:
            return
        if is_known:
            for i in range(first, first + n):
                if ((words[i >> 6] ^ vertices.words[c - 1, i >> 6]) >> (i & 63)) & 1 == 1:
                    is_known = False
        n_hidden = n + n_passing
        if not is_known:
            for k in range(width):
                for i in range(n):
                    bit = (words[(first + i) >> 6] >> ((first + i) & 63)) & 1
                    after[i, k] = forms[first + i, k] if bit == 1 else 0.0
                for j in range(n_passing):
                    after[n + j, k] = _centred(before[j, k] * rows.shifts[b, 0, p], prime)
                after[n_hidden, k] = _centred(before[n_state, k] * rows.shifts[b, 0, p], prime)
            for i in range(max(n_mixed, 0)):
                _row(rows, p, matrix + n + i, after, mixed[i], prime)
            for k in range(width):
                if n_mixed >= 0:
                    mixed[n_mixed, k] = _centred(after[n_hidden, k] * rows.shifts[b, 1, p], prime)
                else:
                    for i in range(n_hidden + 1):
                        mixed[i, k] = after[i, k]
        n_state, first = n_mixed if n_mixed >= 0 else n_hidden, first + n


@part
def _cofactors(forms: Floats, ids: Integers, n: int, prime: Prime, minors: Floats, out: Floats) -> None:
    """Write the signed minors (n + 1,) of n rows of as many columns: a vector orthogonal to all of them."""
    minors[0] = 1.0
    for columns in range(1, 1 << (n + 1)):
        size = 0
        for j in range(n + 1):
            size += (columns >> j) & 1
        if size > n:
            continue
        total, sign = 0.0, 1.0 - 2.0 * ((size - 1) & 1)
        for j in range(n + 1):
            if (columns >> j) & 1:
                total += sign * forms[ids[size - 1], j] * minors[columns ^ (1 << j)]
                sign = -sign
        minors[columns] = _centred(total, prime)
    sign = 1.0
    for j in range(n + 1):
        out[j] = sign * minors[((1 << (n + 1)) - 1) ^ (1 << j)]
        sign = -sign


@part
def _value(form: Floats, vector: Floats, n: int, prime: Prime) -> float:
    total = 0.0
    for k in range(n):
        total += form[k] * vector[k]
    return _centred(total, prime)


@whole
def look(rows: FlatRows, vertices: Vertices, pairs: Pairs, found: Found, room: Room) -> None:
    """Write points, values and shares of all vertices."""
    dim, n_shares = vertices.zeros.shape[1], found.shares.shape[2]
    for c in range(vertices.words.shape[0]):
        for p in range(rows.primes.shape[0]):
            prime, forms, own = Prime(rows.primes[p], 1.0 / rows.primes[p]), room.forms[p], room.own
            _compose(rows, p, vertices, c, forms, room, prime)
            for at in range(vertices.starts[c], vertices.starts[c + 1]):
                v, zeros = vertices.order[at], vertices.zeros[at]
                _cofactors(forms, zeros, dim, prime, room.minors, own[0])
                for k in range(dim + 1):
                    found.points[p, v, k] = own[0, k]
                for s in range(n_shares):
                    for k in range(dim - 1):
                        room.ids[k] = zeros[k + (k >= s)]
                    _cofactors(forms, room.ids, dim - 1, prime, room.minors, own[s + 1])
                for i in range(pairs.starts[v], pairs.starts[v + 1]):
                    row = pairs.rows[i]
                    found.values[p, i] = _value(forms[row], own[0], dim + 1, prime)
                    for s in range(n_shares):
                        if zeros[s] > row:
                            share = _value(forms[row], own[s + 1], dim, prime)
                            found.shares[p, i, s] = share if s % 2 == 0 else -share


@whole
def zeros(rows: FlatRows, vertices: Vertices, vanishes: Integers, room: Room) -> None:
    """Clear each row (n, n_rows) that does not vanish at a vertex modulo one of the primes."""
    dim = vertices.zeros.shape[1]
    for c in range(vertices.words.shape[0]):
        for p in range(rows.primes.shape[0]):
            prime, forms, own = Prime(rows.primes[p], 1.0 / rows.primes[p]), room.forms[p], room.own
            _compose(rows, p, vertices, c, forms, room, prime)
            for at in range(vertices.starts[c], vertices.starts[c + 1]):
                v = vertices.order[at]
                _cofactors(forms, vertices.zeros[at], dim, prime, room.minors, own[0])
                for row in range(vanishes.shape[1]):
                    if vanishes[v, row] and _value(forms[row], own[0], dim + 1, prime) != 0.0:
                        vanishes[v, row] = 0
