"""Runs a plan with the weights that a module has now, and writes down its blocks.

The coordinates that values have columns for are the state of a block; once its neurons are known they come
before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from creased.core.program.program import Affine, Block, Program
from creased.networks.lowering.graph.schedule import Plan, Stage
from creased.networks.lowering.graph.slots import Ref, fill

Values = dict[int, Any]


def write(plan: Plan, module: nn.Module) -> Program:
    """The program of a module; differentiable in the module's tensors."""
    constants: Values = {index: attrgetter(name)(module) for index, name in plan.tensors.items()}
    _run(plan, [i for i in plan.constants if i not in constants], constants, 1)
    states = [*(stage.known for stage in plan.stages), plan.known]
    blocks = [_block(plan, *pair, constants) for pair in zip(plan.stages, states[1:], strict=True)]
    n_rows = _width(plan, plan.known) + 1
    values = constants | _axes(plan, plan.known, n_rows)
    _run(plan, plan.last, values, n_rows)
    return Program(tuple(blocks), _affine([values[plan.output]]))


def _block(plan: Plan, stage: Stage, following: tuple[int, ...], constants: Values) -> Block:
    n_rows = _width(plan, stage.known) + 1
    values = constants | _axes(plan, stage.known, n_rows)
    _run(plan, stage.steps, values, n_rows)
    affine = _affine([values[index] for index in stage.creases])
    if following == stage.neurons:
        return Block(affine)
    n_neurons = affine.bias.shape[0]
    n_rows += n_neurons
    referred = {i for index in stage.mixed for i in plan.steps[index].inputs} | set(following)
    for index in referred.intersection((*stage.known, *stage.steps)):
        values[index] = _after(n_neurons, values[index])
    values |= _axes(plan, stage.neurons, n_rows)
    _run(plan, stage.mixed, values, n_rows)
    state = _affine([values[index] for index in following])
    mix, skip = state.weight.tensor_split([n_neurons], dim=1)
    return Block(affine, mix, skip, state.bias)


def _run(plan: Plan, indices: Iterable[int], values: Values, count: int) -> None:
    """Run steps in order, on columns of which there are so many."""

    def value_of(ref: Ref) -> Any:
        return values[ref.index]

    for index in indices:
        step = plan.steps[index]
        assert step.function is not None
        values[index] = step.function(*fill(step.args, value_of, count), **fill(step.kwargs, value_of, count))


def _width(plan: Plan, indices: Iterable[int]) -> int:
    return sum(plan.steps[index].size for index in indices)


def _axes(plan: Plan, indices: tuple[int, ...], n_rows: int) -> Values:
    """Columns of values that are coordinates themselves, the first ones of so many with the constant."""
    sizes = [plan.steps[index].size for index in indices]
    unit = torch.eye(n_rows, sum(sizes), dtype=plan.dtype, device=plan.device)
    parts = zip(indices, unit.split(sizes, dim=1), strict=True)
    return {index: part.reshape(n_rows, *(plan.steps[index].shape or ())) for index, part in parts}


def _after(n_neurons: int, value: Any) -> Any:
    """The same columns, behind those of neurons, on which it does not depend."""
    if not isinstance(value, Tensor):
        return tuple(_after(n_neurons, part) for part in value)
    return torch.cat([value.new_zeros((n_neurons, *value.shape[1:])), value])


def _affine(columns: list[Tensor]) -> Affine:
    """Values as one map of their coordinates."""
    rows = torch.cat([part.reshape(part.shape[0], -1) for part in columns], dim=1)
    return Affine(rows[:-1].T.contiguous(), rows[-1])
