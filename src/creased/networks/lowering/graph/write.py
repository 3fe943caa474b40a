"""Run a schedule on the weights that a module has now, and write its blocks.

Within a block all values are affine in the state, and after its rectifications in neurons and state; each is
held as columns over these coordinates, see `tape`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from creased.core.numerics.sparse import ColumnBatches
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.networks.lowering.graph.schedule import Schedule, Stage
from creased.networks.lowering.graph.values import CONSTANT, is_cast, substitute

NUMBERS = 1 << 23  # of a value that are held at once

Columns = dict[int, Any]  # by step: tensor (m + 1, *shape), or a tuple of these; of a constant its value


def write(schedule: Schedule, module: nn.Module, dtype: torch.dtype | None = None) -> Program:
    """Return the program of a module, differentiable in the module's tensors.

    Args:
        schedule: of the module.
        module: with the weights to be written.
        dtype: floating type of the program, in which all is computed; None for that of the schedule.
    """
    schedule = replace(schedule, options=schedule.options | ({} if dtype is None else {"dtype": dtype}))
    constants: Columns = {
        index: _cast(attrgetter(name)(module), schedule) for index, name in schedule.tensors.items()
    }
    _run(schedule, [i for i in schedule.constants if i not in constants], constants, 1)
    states = [stage.state for stage in (*schedule.stages, schedule.head)]
    blocks = [
        _Writer(schedule, stage, following, constants).block()
        for stage, following in zip(schedule.stages, states[1:], strict=True)
    ]
    return Program(tuple(blocks), _Writer(schedule, schedule.head, (), constants).affine())


class _Writer:
    """Writes a stage, some coordinates at a time: columns of convolutions are large, and mostly zero."""

    def __init__(
        self, schedule: Schedule, stage: Stage, following: tuple[int, ...], constants: Columns
    ) -> None:
        self._schedule, self._stage, self._constants = schedule, stage, constants
        self._following = following  # the values that make up the next state; not read for the head
        self._referred = {i for index in stage.state_steps for i in schedule.steps[index].inputs}
        self._referred |= set(following)
        involved = (*stage.state, *stage.steps, *stage.neurons, *stage.state_steps)
        self._n_at_once = max(NUMBERS // max((schedule.steps[i].size for i in involved), default=1), 1)

    def affine(self) -> Affine:
        """Write the map z = A s + b."""
        weight = ColumnBatches()
        for axes in self._batches(self._stage.state):
            columns = self._on_state(axes)
            bias = self._gather(weight, columns, self._stage.preactivations, len(axes))
        return Affine(weight.matrix(), bias)

    def block(self) -> Block:
        """Write the map z = A s + b, and that of state and neurons to the next state."""
        if self._following == self._stage.neurons:
            return Block(self.affine())
        weight, mix, skip = ColumnBatches(), ColumnBatches(), ColumnBatches()
        for axes in self._batches(self._stage.state):
            columns = self._on_state(axes)
            bias = self._gather(weight, columns, self._stage.preactivations, len(axes))
            columns = self._kept(columns, self._referred) | self._units(
                self._stage.neurons, len(axes), range(0)
            )
            self._advance(columns, len(axes), skip)
        constant = self._kept(self._on_state(range(0)), self._referred)
        for axes in self._batches(self._stage.neurons):
            columns = self._constants | {
                index: _prepend_zeros(len(axes), column)
                for index, column in constant.items()
                if index not in self._constants
            }
            shift = self._advance(columns | self._units(self._stage.neurons, len(axes), axes), len(axes), mix)
        return Block(Affine(weight.matrix(), bias), mix.matrix(), skip.matrix(), shift)

    def _on_state(self, axes: range) -> Columns:
        """Return the columns, over some axes of the state, of what the stage needs."""
        stage, count = self._stage, len(axes)
        columns = self._constants | self._units(stage.state, count, axes)
        kept = {*self._constants, *stage.preactivations, *self._referred}
        _run(self._schedule, stage.steps, columns, count + 1, kept)
        return columns

    def _advance(self, columns: Columns, count: int, matrix: ColumnBatches) -> Tensor:
        """Append the next state's columns to a matrix, and return its constant."""
        kept = {*self._constants, *self._following}
        _run(self._schedule, self._stage.state_steps, columns, count + 1, kept)
        return self._gather(matrix, columns, self._following, count)

    def _gather(self, matrix: ColumnBatches, columns: Columns, indices: Sequence[int], count: int) -> Tensor:
        """Append the columns of values, one behind the other, to a matrix; return their constants."""
        flat = [columns[index].reshape(count + 1, -1) for index in indices]
        rows = torch.cat(flat, dim=1) if flat else torch.zeros((count + 1, 0), **self._schedule.options)
        matrix.append(rows[:-1])
        return rows[-1].clone()

    def _kept(self, columns: Columns, kept: Collection[int]) -> Columns:
        return {index: column for index, column in columns.items() if index in {*self._constants, *kept}}

    def _batches(self, indices: tuple[int, ...]) -> Iterator[range]:
        """Yield the coordinates of values in batches; an empty one if there are none."""
        n = self._size(indices)
        for start in range(0, max(n, 1), self._n_at_once):
            yield range(start, min(start + self._n_at_once, n))

    def _units(self, indices: tuple[int, ...], count: int, axes: range) -> Columns:
        """Return ``count`` columns, and the constant, of values that are coordinates: some axes, or none."""
        unit = torch.zeros((count + 1, self._size(indices)), **self._schedule.options)
        unit[range(len(axes)), axes] = 1
        steps = self._schedule.steps
        parts = zip(indices, unit.split([steps[index].size for index in indices], dim=1), strict=True)
        return {index: part.reshape(count + 1, *(steps[index].shape or ())) for index, part in parts}

    def _size(self, indices: tuple[int, ...]) -> int:
        return sum(self._schedule.steps[index].size for index in indices)


def _run(
    schedule: Schedule,
    indices: Sequence[int],
    columns: Columns,
    count: int,
    kept: Collection[int] | None = None,
) -> None:
    """Run steps in order on ``count`` columns; add their results to ``columns``.

    Those that are not to be kept are dropped behind their last use: of convolutions they are large.
    """
    last = {i: index for index in indices for i in schedule.steps[index].inputs}
    for index in indices:
        step = schedule.steps[index]
        assert step.function is not None
        args, kwargs = substitute((step.args, step.kwargs), lambda ref: columns[ref.index], count)
        if is_cast(step.function) and step.level != CONSTANT:
            columns[index] = args[0]  # rounding is no part of the function
        else:
            columns[index] = _cast(step.function(*args, **kwargs), schedule)
        del args, kwargs
        if kept is not None:
            for source in step.inputs:
                if last[source] == index and source not in kept:
                    columns.pop(source, None)


def _cast(result: Any, schedule: Schedule) -> Any:
    """Convert floating constants to the type of the program."""
    dtype = schedule.options["dtype"]
    if isinstance(result, Tensor):
        return result.to(dtype) if result.is_floating_point() and result.dtype != dtype else result
    return tuple(_cast(part, schedule) for part in result)


def _prepend_zeros(n_neurons: int, columns: Any) -> Any:
    """Prepend zero columns for neurons, on which the value does not depend."""
    if not isinstance(columns, Tensor):
        return tuple(_prepend_zeros(n_neurons, part) for part in columns)
    return torch.cat([columns.new_zeros((n_neurons, *columns.shape[1:])), columns])
