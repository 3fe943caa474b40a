"""Unfold a tape: keep apart what folding would multiply or add up in floating point.

Between two blocks all values are affine in a state. One step from coordinates is exact: their products with a
weight, their sum with a bias, a sum of what depends on different ones. A step further, such as a weight times
a slope, a batch normalisation behind a layer, or a difference of two rows, would be rounded. Here its
argument is kept: it becomes part of a state, behind a block of its own, and so coordinates for the next step.
Neurons stay in their order.

Coordinates of a value are its bases: the input, positive parts, and what is kept. Of state k positive parts
of block k are made, and from them and state k - 1 the values that are kept in state k. Values of more than
`LARGEST` numbers are not kept but folded, as in convolutions of images: kept, they would take a square
matrix each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from creased.core.numerics.tolerance import is_power_of_two
from creased.networks.lowering.graph.schedule import Graph
from creased.networks.lowering.graph.tape import Step, Tape
from creased.networks.lowering.graph.values import CASTS, CONSTANT, Ref, substitute

LARGEST = 2048  # numbers of a value that is kept

MOVES = (
    "contiguous flatten moveaxis movedim narrow permute ravel reshape reshape_as select squeeze swapaxes "
    "swapdims transpose unflatten unsqueeze view view_as getitem diagonal chunk split tensor_split unbind "
    "clone detach flip roll channel_shuffle pixel_shuffle pixel_unshuffle neg negative pos positive cat "
    "stack identity constant_columns"
)
REPEATS = "expand expand_as broadcast_to repeat repeat_interleave tile index_select unfold pad"
MOVING = CASTS.union(MOVES.split())  # move entries, or negate them
REPEATING = frozenset(REPEATS.split())  # may move an entry to several places


@dataclass(frozen=True)
class _Form:
    """The form of a value over its bases."""

    bases: frozenset[int] = frozenset()
    is_selection: bool = True  # each entry is a coordinate, its negative, or a constant
    is_injective: bool = True  # no two are the same coordinate
    has_constant: bool = False


def unfold(tape: Tape, output: int) -> tuple[Tape, int] | None:
    """Return a tape of which no step rounds, and its output; None if the given one is such a tape."""
    unfolding = _Unfolding(tape)
    unfolding.run(Graph(tape.steps, output))
    return (unfolding.made, unfolding.number[output]) if unfolding.made.kept else None


class _Unfolding:
    """Copies the steps of a tape to another one, with values kept between them."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.made = Tape(tape.dtype, tape.device)
        self.number: dict[int, int] = {}  # of a step on the new tape
        self._forms: list[_Form] = []

    def run(self, graph: Graph) -> None:
        """Copy the steps that the output depends on, block by block, neurons first."""
        steps, rectified = self._tape.steps, self._tape.rectified
        for level in range(CONSTANT, max(steps[i].level for i in graph.live) + 1):
            own = sorted(i for i in graph.live if steps[i].level == level)
            neurons = [i for i in own if i in rectified]
            arguments = [self.number[rectified[i]] for i in neurons]
            block = max((self.made.steps[i].level + 1 for i in arguments), default=0)
            for index, argument in zip(neurons, arguments, strict=True):
                made = self._append(replace(steps[index], inputs=(argument,), level=block))
                self.made.rectified[made] = argument
                self.number[index] = made
            for index in own:
                if index not in rectified:
                    self._copy(index)

    def _copy(self, index: int) -> None:
        step = self._tape.steps[index]
        if step.function is None or step.level == CONSTANT:
            made = self._append(self._renumbered(step))
        else:
            form = self._prepared(step)
            made = self._append(self._renumbered(step), form)
        if index in self._tape.tensors:
            self.made.tensors[made] = self._tape.tensors[index]
        self.number[index] = made

    def _append(self, step: Step, form: _Form | None = None) -> int:
        made = len(self.made.steps)
        self.made.steps.append(step)
        own = frozenset([made]) if step.level != CONSTANT else frozenset[int]()
        self._forms.append(form or _Form(own))
        return made

    def _renumbered(self, step: Step) -> Step:
        args, kwargs = substitute((step.args, step.kwargs), lambda ref: Ref(self.number[ref.index]), None)
        inputs = tuple(self.number[i] for i in step.inputs)
        level = step.level
        if step.function is not None and level != CONSTANT:
            level = max(self.made.steps[i].level for i in inputs)
        return replace(step, args=args, kwargs=kwargs, inputs=inputs, level=level)

    def _prepared(self, step: Step) -> _Form:
        """Keep the arguments of a step for which it would round, and return the form of its result."""
        name = _name_of(step.function)
        values = [i for i in step.inputs if self._tape.steps[i].level != CONSTANT]
        if name in MOVING or name in REPEATING:
            forms = [self._form(i) for i in values]
            bases = frozenset[int]().union(*(form.bases for form in forms))
            is_disjoint = len(bases) == sum(len(form.bases) for form in forms)
            is_repeating = name in REPEATING or _repeats(step)
            return _Form(
                frozenset() if name == "constant_columns" else bases,
                all(form.is_selection for form in forms),
                all(form.is_injective for form in forms) and is_disjoint and not is_repeating,
                any(form.has_constant for form in forms) or name == "constant_columns",
            )
        if name in ("add", "sub", "blend") and len(values) > 1:
            self._prepare_sum(step, values)
        elif name == "shift":
            self._require(values[0], lambda form: not form.has_constant)
        elif name in ("mul", "true_divide"):
            if not is_power_of_two(step.args[1]):
                self._require(values[0], lambda form: form.is_selection)
        else:
            for value in values:
                self._require(value, lambda f: f.is_selection and f.is_injective and not f.has_constant)
        forms = [self._form(i) for i in values]
        has_constant = name == "shift" or any(form.has_constant for form in forms)
        return _Form(frozenset[int]().union(*(form.bases for form in forms)), False, False, has_constant)

    def _prepare_sum(self, step: Step, values: list[int]) -> None:
        """Keep terms of a sum that depend on the same coordinates."""
        first, second = values
        if not is_power_of_two(step.kwargs.get("alpha", 1)):
            self._require(second, lambda form: form.is_selection)
        for value in (second, first):
            a, b = self._form(first), self._form(second)
            is_simple = a.is_selection and b.is_selection and not (a.has_constant or b.has_constant)
            if is_simple or (not a.bases & b.bases and not (a.has_constant and b.has_constant)):
                return
            self._require(value, lambda form: form.is_selection and not form.has_constant)

    def _form(self, index: int) -> _Form:
        return self._forms[self.number[index]]

    def _require(self, index: int, is_met: Callable[[_Form], bool]) -> None:
        """Keep a value unless its form meets a condition; later steps refer to what is kept."""
        number, form = self.number[index], self._form(index)
        step = self.made.steps[number]
        if is_met(form) or step.size > LARGEST or step.shape is None or not form.bases:
            return
        level = max(self.made.steps[base].level + (base not in self.made.rectified) for base in form.bases)
        kept = Step(_keep, (Ref(number),), {}, (number,), level, step.size, step.shape)
        self.number[index] = self._append(kept)
        self.made.kept.add(self.number[index])


def _keep(columns: Tensor) -> Tensor:
    return columns


def _name_of(function: Callable[..., Any] | None) -> str:
    return "" if function is None else getattr(function, "__name__", "").strip("_")


def _repeats(step: Step) -> bool:
    """Tell if a selection by an index takes an entry twice."""
    if _name_of(step.function) == "getitem":
        index = step.args[1] if isinstance(step.args[1], tuple) else (step.args[1],)
        return not all(isinstance(part, int | slice | None | type(...)) for part in index)
    last = step.args[-1]
    return isinstance(last, tuple) and len(set(last)) < len(last) and _name_of(step.function) == "select"
