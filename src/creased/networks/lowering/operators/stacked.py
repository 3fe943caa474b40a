"""Values stacked along a new axis in front of the points: ensembles, unions of shapes, pieces of a maxout.

    torch.stack([f(x) for f in networks]).amin(0)        torch.cat([f(x)[None], g(x)[None]]).mean(0)

Other values have the points in front. A stacked one is held like them, its first two axes exchanged; what
reads or reduces the new axis, moves it, or treats each number by itself, exchanges the axes on the way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.values import CASTS, BatchSize, Value, find_values, substitute
from creased.networks.lowering.operators.extremes import Extremes
from creased.networks.lowering.operators.piecewise import PIECEWISE

Operate = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]  # record a function of ordinary values

PLACES = {0: 1, 1: 0}  # of an axis of the stacked value in the value that is held
ARITHMETIC = {"add", "sub", "subtract", "mul", "multiply", "div", "divide", "truediv", "neg", "negative"}
NUMBER_BY_NUMBER = PIECEWISE.keys() | ARITHMETIC | CASTS | {"clone", "detach"}
REDUCING = ("amax", "amin", "max", "min", "sum", "mean")
EXCHANGING = ("transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "permute")
JOINING = ("cat", "concat", "concatenate")
REFUSAL = "{} of values that are stacked in front of the points; stack along dim=1 or later"


@dataclass(frozen=True, eq=False)
class Stacked(Value):
    """A value (n, BATCH, ...); as a `Value` it is the one that is held, (BATCH, n, ...)."""

    @property
    def shape(self) -> torch.Size:
        """Shape (n, `BatchSize`, ...)."""
        n_points, n, *rest = self.sample.shape
        return torch.Size((n, BatchSize(n_points), *rest))


def in_front(held: Value) -> Stacked:
    """Exchange the axes of a value (BATCH, n, ...)."""
    return Stacked(held.index, held.level, held.sample)


def _held(value: Value) -> Value:
    """Return the value with the points in front."""
    return Value(value.index, value.level, value.sample)


def is_put_in_front(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """True for a new axis in front of the points: ``x[None]``, ``x.unsqueeze(0)``."""
    if not isinstance(args[0], Value) or isinstance(args[0], Stacked):
        return False
    if name == "unsqueeze":
        return kwargs.get("dim", *args[1:]) in (0, -1 - args[0].sample.ndim)
    return name == "getitem" and (args[1][0] if isinstance(args[1], tuple) and args[1] else args[1]) is None


def put_in_front(operate: Operate, x: Value, index: Any = None, **_: Any) -> Stacked:
    """Record a new axis in front of the points, and what an index takes behind it."""
    if isinstance(index, tuple) and index[1:]:
        x = operate(operator.getitem, (x, index[1:]), {})
    return in_front(operate("unsqueeze", (x, 1), {}))


def record_stacked(operate: Operate, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a function of a stacked value.

    Raises:
        Refusal: it mixes points, or is not known to keep them apart.
    """
    ndims = {isinstance(value, Stacked) and value.sample.ndim for value in find_values((args, kwargs))}
    if name in NUMBER_BY_NUMBER and len(ndims) == 1 and False not in ndims:
        return in_front(operate(name, *substitute((args, kwargs), _held, None)))
    x, *others = args
    if name in JOINING and all(isinstance(part, Stacked) for part in x):
        dim = kwargs.get("dim", kwargs.get("axis", *others or (0,)))
        axis = _axis(name, x[0], dim)
        return in_front(operate("cat", ([_held(part) for part in x], PLACES.get(axis, axis)), {}))
    if not isinstance(x, Stacked) or any(not value.is_constant for value in find_values((others, kwargs))):
        raise Refusal(REFUSAL.format(name))
    if name in ("getitem", "select"):
        return _entries(operate, name, x, *others, **kwargs)
    if name == "unbind":
        return operate("unbind", (_held(x), PLACES[_axis(name, x, *others, **kwargs)]), {})
    if name == "squeeze" and x.sample.shape[1] == 1 and (*others, *kwargs.values()) in ((0,), ((0,),)):
        return operate("squeeze", (_held(x), 1), {})
    if name in EXCHANGING:
        return _exchanged(operate, name, x, *others, **kwargs)
    if name in REDUCING and (others or kwargs):
        return _reduced(operate, name, x, *others, **kwargs)
    raise Refusal(REFUSAL.format(name))


def _axis(name: str, x: Stacked, dim: int = 0) -> int:
    """Normalise an axis; refuse that of the points."""
    axis = dim % x.sample.ndim
    if axis == 1:
        raise Refusal(REFUSAL.format(name))
    return axis


def _entries(operate: Operate, name: str, x: Stacked, *index: Any, **named: Any) -> Any:
    """Take entries of the new axis, ``x[i]`` or ``x[i:j]``, and of the axes behind the points."""
    if name == "select":
        dim, entry = (*index, *named.values())
        index = ((*[slice(None)] * _axis(name, x, dim), entry),)
    first, *rest = index[0] if isinstance(index[0], tuple) else index
    everything = rest[:1] in ([], [slice(None)], [Ellipsis])
    if not isinstance(first, int | slice) or not everything:
        raise Refusal(REFUSAL.format(name))
    behind = rest if rest[:1] == [Ellipsis] else rest[1:]
    taken = operate(operator.getitem, (_held(x), (slice(None), first, *behind)), {})
    return taken if isinstance(first, int) else in_front(taken)


def _exchanged(operate: Operate, name: str, x: Stacked, *dims: Any, **named: Any) -> Any:
    """Permute axes; the points stay where they are or come to the front."""
    numbered = torch.empty(tuple(range(x.sample.ndim)), device="meta")
    order = list(getattr(torch.Tensor, name)(numbered, *dims, **named).shape)
    exchanged = [PLACES.get(axis, axis) for axis in order]
    if order[0] == 1:
        return operate("permute", (_held(x), exchanged), {})
    if order[:2] == [0, 1]:
        return in_front(operate("permute", (_held(x), [0, 1, *order[2:]]), {}))
    raise Refusal(REFUSAL.format(name))


def _reduced(operate: Operate, name: str, x: Stacked, dim: Any, keepdim: bool = False, **options: Any) -> Any:
    """Reduce the new axis, or axes behind the points."""
    axes = [_axis(name, x, axis) for axis in ([dim] if isinstance(dim, int) else dim)]
    moved = [PLACES.get(axis, axis) for axis in axes]
    found = operate(name, (_held(x), moved[0] if len(moved) == 1 else moved, keepdim), options)
    if 0 in axes and not keepdim:
        return found
    return Extremes(in_front(found.values)) if isinstance(found, Extremes) else in_front(found)
