"""Run a schedule on the weights that a module has now, and write its blocks.

Within a block all values are affine in the state, and after its rectifications in neurons and state; each is
held as columns over these coordinates, see `tape`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from creased.core.program.program import Affine, Block, Program
from creased.networks.lowering.graph.schedule import Schedule, Stage
from creased.networks.lowering.graph.values import CONSTANT, is_cast, substitute

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
    blocks = [_block(schedule, *pair, constants) for pair in zip(schedule.stages, states[1:], strict=True)]
    head, _ = _preactivations(schedule, schedule.head, constants)
    return Program(tuple(blocks), head)


def _preactivations(
    schedule: Schedule, stage: Stage, constants: Columns, referred: Collection[int] = ()
) -> tuple[Affine, Columns]:
    """Return the map z = A s + b of a stage, and the columns over the state of what is referred to."""
    n_rows = sum(schedule.steps[index].size for index in stage.state) + 1
    columns = constants | _unit_columns(schedule, stage.state, n_rows)
    _run(schedule, stage.steps, columns, n_rows, {*constants, *stage.preactivations, *referred})
    if not stage.preactivations:
        zeros = torch.zeros((0, n_rows), **schedule.options)
        return Affine(zeros[:, 1:], zeros[:, 0]), columns
    parts = [columns[index] for index in stage.preactivations]
    columns = {index: column for index, column in columns.items() if index in {*constants, *referred}}
    return _affine(parts), columns


def _block(schedule: Schedule, stage: Stage, following: tuple[int, ...], constants: Columns) -> Block:
    """Write one block, given the values ``following`` that make up the next state."""
    referred = {i for index in stage.state_steps for i in schedule.steps[index].inputs} | set(following)
    affine, columns = _preactivations(schedule, stage, constants, referred)
    if following == stage.neurons:
        return Block(affine)
    n_neurons, n_state = affine.weight.shape
    n_rows = n_neurons + n_state + 1
    for index in referred.intersection((*stage.state, *stage.steps)):
        columns[index] = _prepend_zeros(n_neurons, columns[index])
    columns |= _unit_columns(schedule, stage.neurons, n_rows)
    _run(schedule, stage.state_steps, columns, n_rows, {*constants, *following})
    state = _affine([columns[index] for index in following])
    mix, skip = state.weight.tensor_split([n_neurons], dim=1)
    return Block(affine, mix, skip, state.bias)


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


def _unit_columns(schedule: Schedule, indices: tuple[int, ...], n_rows: int) -> Columns:
    """Return columns of values that are the first coordinates themselves, of ``n_rows`` with the constant."""
    sizes = [schedule.steps[index].size for index in indices]
    unit = torch.eye(n_rows, sum(sizes), **schedule.options)
    parts = zip(indices, unit.split(sizes, dim=1), strict=True)
    return {index: part.reshape(n_rows, *(schedule.steps[index].shape or ())) for index, part in parts}


def _prepend_zeros(n_neurons: int, columns: Any) -> Any:
    """Prepend zero columns for neurons, on which the value does not depend."""
    if not isinstance(columns, Tensor):
        return tuple(_prepend_zeros(n_neurons, part) for part in columns)
    return torch.cat([columns.new_zeros((n_neurons, *columns.shape[1:])), columns])


def _affine(columns: list[Tensor]) -> Affine:
    """Concatenate values into one affine map of their coordinates; the list is emptied on the way."""
    flat = [part.reshape(part.shape[0], -1) for part in columns]
    columns.clear()
    rows = flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)
    flat.clear()
    return Affine(rows[:-1].T.contiguous(), rows[-1])
