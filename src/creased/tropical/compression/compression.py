"""Lossless compression: a smaller network that is the same function on a domain, with a certificate.

Stable units (`creased.tropical.compression.stable`) need no ReLU there (Serra, Kumar, Ramalingam 2020):

- what is never positive is deleted, which changes no number;
- of what is never negative as many rows are kept as are independent, and the others folded into the next
  layer as their combinations; a layer with stable units only is merged into the next one;
- in blocks with a passthrough what is never negative becomes part of the passthrough.

All is computed in fractions, so that the result is the same function; then it is rounded once to floating
point, with a bound on the change over the domain. Deleting alone rounds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import torch

from creased.core.domains.box import Box
from creased.core.numerics.surroundings import as_written
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.algebra.epigraphs import inner
from creased.tropical.cells.cells import MOST_CELLS, is_bounded
from creased.tropical.compression.rational_matrices import (
    Row,
    SparseRow,
    fractions_of,
    independent_rows,
    product,
)
from creased.tropical.compression.rounding import Layer, Matrix, OutputMap, to_program
from creased.tropical.compression.stable import StableUnits, stable_units, state_ranges

ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class Certificate:
    """A record of a compression, and of what is proven of its result."""

    widths_before: tuple[int, ...]
    widths_after: tuple[int, ...]
    n_inactive: int  # stable units that are never positive: deleted
    n_active: int  # stable units that are never negative
    n_folded: int  # of those, the ones that were removed
    n_merged: int  # layers merged into the next one
    error_bound: float  # max |f - g| on the domain, both in real numbers; 0: identical
    stability: str  # the guarantee of the stable units
    domain: Box | None

    @property
    def is_identical(self) -> bool:
        """True if no number was rounded."""
        return self.error_bound == 0

    def __repr__(self) -> str:
        """Format for people."""
        before, after = (
            ", ".join(map(str, widths)) or "none" for widths in (self.widths_before, self.widths_after)
        )
        where = "everywhere" if self.domain is None else f"on {self.domain}"
        result = (
            "the same function, no number was rounded"
            if self.is_identical
            else f"the same function in fractions; with rounded weights it differs by {self.error_bound:.3g} "
            "at most"
        )
        return (
            f"hidden widths {before} -> {after}\n"
            f"stable units {self.n_inactive + self.n_active} of {sum(self.widths_before)}: "
            f"{self.n_inactive} never positive, deleted; {self.n_active} never negative, "
            f"{self.n_folded} of them folded; {self.n_merged} layers merged\n"
            f"{result}, {where}\n"
            f"stability {self.stability}"
        )


class _State(NamedTuple):
    """The given network's state as an affine function of the smaller one's."""

    weight: list[SparseRow]  # (S, S')
    offset: Row  # (S,)
    size: Row | None  # bounds on the absolute values of the smaller one's, (S',); None: there are none


@of_networks
@as_written
def compress(
    program: Program, domain: Box | None, *, method: str = "auto", fold: bool = True, most: int = MOST_CELLS
) -> tuple[Program, Certificate]:
    """Compute a smaller network that is the same function on a domain.

    Args:
        program: detached; the result is in its floating type and on its device.
        domain: a box; None, all of space, for method "exact" only.
        method: how stable units are found; see `creased.tropical.compression.stable`.
        fold: False deletes only, so that the result is identical.
        most: cells that "exact" may enumerate.

    Raises:
        ValueError, CellLimitError: as `stable_units`.
    """
    stable = stable_units(program, domain, method, most=most)
    return compress_stable(program, domain, stable, fold=fold)


@of_networks
@as_written
def compress_stable(
    program: Program, domain: Box | None, stable: StableUnits, *, fold: bool = True
) -> tuple[Program, Certificate]:
    """Compress with the given stable units, which are not verified.

    Raises:
        ValueError: there is not one sign a neuron.
    """
    lengths = tuple(len(signs) for signs in stable.signs)
    if lengths != program.widths:
        raise ValueError(
            f"compress_stable: needs a sign for each neuron, {program.widths} by layer, got {lengths}"
        )
    given = program.detach().to("cpu", torch.float64)
    folding = _Folding(given, domain, fold=fold)
    for index, block in enumerate(given.blocks):
        folding.take(index, block, stable.signs[index].tolist())
    smaller, error_bound = to_program(folding.finish(), given.in_dim, program.dtype)
    certificate = Certificate(
        widths_before=program.widths,
        widths_after=smaller.widths,
        n_inactive=stable.n_inactive,
        n_active=stable.n_active,
        n_folded=folding.n_folded,
        n_merged=len(program.blocks) - len(smaller.blocks),
        error_bound=error_bound,
        stability=stable.guarantee,
        domain=domain,
    )
    return smaller.to(program.device), certificate


class _Folding:
    """Builds the layers of the smaller network, block by block."""

    def __init__(self, program: Program, domain: Box | None, *, fold: bool) -> None:
        self._fold = fold
        self._ranges, self._sizes = (
            state_ranges(program, domain) if domain is not None and is_bounded(domain) else ([], [])
        )
        self._layers: list[Layer] = []
        self._state = self._unchanged(program.in_dim, -1)
        self._width = program.in_dim
        self._head = program.head
        self.n_folded = 0

    def take(self, index: int, block: Block, signs: list[int]) -> None:
        """Append a block; its stable units have a nonzero sign."""
        weight, bias = self._through(block.affine)
        if not self._fold:
            signs = [min(sign, 0) for sign in signs]
        if block.is_plain:
            self._take_plain(index, weight, bias, signs)
        else:
            self._take_passthrough(index, block, weight, bias, signs)

    def finish(self) -> list[Layer]:
        """Return all layers, the head last."""
        return [*self._layers, Layer(*self._through(self._head), None, self._state.size)]

    def _through(self, affine: Affine) -> tuple[Matrix, Row]:
        """Rewrite an affine function of the given network's state in the smaller one's."""
        weight, (bias,) = fractions_of(affine.weight), fractions_of([affine.bias])
        shifted = [b + inner(row, self._state.offset) for row, b in zip(weight, bias, strict=True)]
        return product(weight, self._state.weight, self._width), shifted

    def _take_plain(self, index: int, weight: Matrix, bias: Row, signs: list[int]) -> None:
        active = [i for i, sign in enumerate(signs) if sign > 0]
        if all(signs):  # merged: the state stays the one before
            rows = [_sparse(row) if sign > 0 else {} for row, sign in zip(weight, signs, strict=True)]
            offset = [b if sign > 0 else ZERO for b, sign in zip(bias, signs, strict=True)]
            self._state = _State(rows, offset, self._state.size)
            self.n_folded += len(active)
            return
        chosen, made = independent_rows([weight[i] for i in active])
        kept = sorted([i for i, sign in enumerate(signs) if sign == 0] + [active[k] for k in chosen])
        place = {unit: k for k, unit in enumerate(kept)}
        rows = [{place[i]: ONE} if i in place else {} for i in range(len(signs))]
        offset = [ZERO] * len(signs)
        for k, combination in made.items():
            unit = active[k]
            rows[unit] = {place[active[j]]: factor for j, factor in combination.items()}
            offset[unit] = bias[unit] - sum((c * bias[active[j]] for j, c in combination.items()), ZERO)
        self._layers.append(Layer([weight[i] for i in kept], [bias[i] for i in kept], None, self._state.size))
        self.n_folded += len(made)
        size = self._sizes_behind(index)
        self._state = _State(rows, offset, None if size is None else [size[i] for i in kept])
        self._width = len(kept)

    def _take_passthrough(
        self, index: int, block: Block, weight: Matrix, bias: Row, signs: list[int]
    ) -> None:
        mix, skip, shift = block.output_matrices()
        output_map = OutputMap(fractions_of(mix), *self._through(Affine(skip, shift)))
        for unit, sign in enumerate(signs):
            if sign > 0:
                for i, row in enumerate(output_map.mix):
                    if factor := row[unit]:
                        output_map.shift[i] += factor * bias[unit]
                        pairs = zip(output_map.skip[i], weight[unit], strict=True)
                        output_map.skip[i] = [x + factor * y for x, y in pairs]
        self.n_folded += sum(sign > 0 for sign in signs)
        kept = [unit for unit, sign in enumerate(signs) if sign == 0]
        if not kept:
            self._state = _State(list(map(_sparse, output_map.skip)), output_map.shift, self._state.size)
            return
        smaller_map = output_map._replace(mix=[[row[unit] for unit in kept] for row in output_map.mix])
        rows, biases = [weight[unit] for unit in kept], [bias[unit] for unit in kept]
        hidden_size = fractions_of([self._ranges[index][1][kept].clamp(min=0)])[0] if self._ranges else None
        self._layers.append(Layer(rows, biases, smaller_map, self._state.size, hidden_size))
        self._width = len(output_map.shift)
        self._state = self._unchanged(self._width, index)

    def _unchanged(self, width: int, index: int) -> _State:
        return _State([{i: ONE} for i in range(width)], [ZERO] * width, self._sizes_behind(index))

    def _sizes_behind(self, index: int) -> Row | None:
        """Return bounds on the state behind a block, or on the position for -1."""
        return fractions_of([self._sizes[index + 1]])[0] if self._sizes else None


def _sparse(row: Row) -> SparseRow:
    return {i: x for i, x in enumerate(row) if x}
