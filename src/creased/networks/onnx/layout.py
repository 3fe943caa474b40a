"""ONNX operators that move, repeat, select or resample entries of a tensor."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.onnx.folding import evaluate
from creased.networks.onnx.nodes import Attributes, Node, require_size
from creased.networks.onnx.operators import Inputs, Operator, int_list

PADDING = {"constant": "constant", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}


def _flatten(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis = inputs[0], attributes.get("axis", 1)
    return x.flatten(1) if axis % x.ndim == 1 else x.reshape(math.prod(x.shape[:axis]), -1)


def _reshape(inputs: Inputs, attributes: Attributes) -> Any:
    x, shape = inputs[0], int_list(inputs, 1, attributes, "shape") or []
    if not attributes.get("allowzero", 0):
        shape = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
    if shape[:1] == [attributes.get("batch", 1)]:  # a model exported for so many points
        shape[0] = x.shape[0]
    return x.reshape(shape)


def _concat(inputs: Inputs, attributes: Attributes) -> Any:
    axis, n = attributes["axis"], max(part.shape[0] for part in inputs)
    parts = [part if part.shape[0] == n or axis == 0 else part.expand(n, *part.shape[1:]) for part in inputs]
    require_size(sum(math.prod(part.shape) for part in parts))
    return torch.cat(parts, axis)


def _transpose(inputs: Inputs, attributes: Attributes) -> Any:
    return inputs[0].permute(attributes.get("perm", list(range(inputs[0].ndim))[::-1]))


def _slice(inputs: Inputs, attributes: Attributes) -> Any:
    x = inputs[0]
    starts, ends, axes, steps = (
        int_list(inputs, i, attributes, name) for i, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    assert starts is not None
    assert ends is not None
    axes = axes if axes is not None else list(range(len(starts)))
    for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(axes), strict=True):
        entries = range(x.shape[axis])[start:end:step]
        chosen = torch.arange(entries.start, entries.stop, entries.step) if entries else None
        x = x.narrow(axis, 0, 0) if chosen is None else x.index_select(axis, chosen)
    return x


def _split(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis, sizes = inputs[0], attributes.get("axis", 0), int_list(inputs, 1, attributes, "split")
    return x.split(-(-x.shape[axis] // attributes["n_outputs"]) if sizes is None else sizes, axis)


def _squeeze(inputs: Inputs, attributes: Attributes) -> Any:
    axes = int_list(inputs, 1, attributes, "axes")
    if axes is None:
        axes = [i for i, n in enumerate(inputs[0].shape) if n == 1 and i > 0]
    axes = [axis % inputs[0].ndim for axis in axes]
    return inputs[0].squeeze(tuple(axis for axis in axes if axis > 0))  # the points stay apart


def _unsqueeze(inputs: Inputs, attributes: Attributes) -> Any:
    x, axes = inputs[0], int_list(inputs, 1, attributes, "axes") or []
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _gather(inputs: Inputs, attributes: Attributes) -> Any:
    x, index = inputs
    axis = attributes.get("axis", 0) % x.ndim
    require_size(math.prod(x.shape) // max(x.shape[axis], 1) * math.prod(index.shape))
    if axis == 0:
        raise Refusal("a selection of points of the batch")
    picked = x.index_select(axis, index.reshape(-1).to(torch.int64) % x.shape[axis])
    return picked.reshape([*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]])


def _expand(inputs: Inputs, attributes: Attributes) -> Any:
    x, shape = inputs[0], int_list(inputs, 1, attributes, "shape") or []
    n = max(x.ndim, len(shape))
    own, other = ([1] * (n - len(sizes)) + list(sizes) for sizes in (x.shape, shape))
    target = [b if a == 1 else a for a, b in zip(own, other, strict=True)]
    require_size(math.prod(target))
    return x.reshape(own).expand(target)


def _tile(inputs: Inputs, attributes: Attributes) -> Any:
    x, repeats = inputs[0], int_list(inputs, 1, attributes, "repeats") or []
    require_size(math.prod(x.shape) * math.prod(repeats))
    return x.repeat(repeats)


def _pad(inputs: Inputs, attributes: Attributes) -> Any:
    x, pads = inputs[0], int_list(inputs, 1, attributes, "pads") or []
    value = inputs[2] if len(inputs) > 2 and inputs[2] is not None else attributes.get("value", 0.0)
    axes = int_list(inputs, 3, attributes, "axes")
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes]
    pairs = dict(zip(axes, zip(pads[: len(axes)], pads[len(axes) :], strict=True), strict=True))
    if any(pairs.pop(0, (0, 0))):
        raise Refusal("padding of the batch")
    require_size(math.prod(n + sum(pairs.get(i, (0, 0))) for i, n in enumerate(x.shape)))
    mode = PADDING[attributes.get("mode", b"constant").decode()]
    first = min((axis for axis, pair in pairs.items() if any(pair)), default=x.ndim)
    widths = [n for axis in range(x.ndim - 1, first - 1, -1) for n in pairs.get(axis, (0, 0))]
    if not widths:
        return x
    if mode == "constant":
        number = float(value.item()) if hasattr(value, "item") else value
        return functional.pad(x, widths, mode, number)
    return functional.pad(x, widths, mode)


def _resize(inputs: Inputs, attributes: Attributes) -> Any:
    """Resample axis by axis: by a selection, or by a matrix that the reference evaluator gives."""
    x, given = inputs[0], (*inputs, None, None)
    scales = given[1] if len(inputs) == 2 else given[2]
    sizes = int_list(inputs, 3, attributes, "sizes")
    axes = [axis % x.ndim for axis in attributes.get("axes", range(x.ndim))]
    factors: list[float | None] = [None] * len(axes)
    if scales is not None and len(scales):
        numbers = [float(s.item()) if hasattr(s, "item") else float(s) for s in scales]
        factors = [*numbers]
        sizes = [math.floor(x.shape[axis] * s) for axis, s in zip(axes, numbers, strict=True)]
    elif sizes is None or attributes.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        raise Refusal("Resize needs scales, or sizes that stretch")
    n_each = math.prod(x.shape) // max(math.prod(x.shape[axis] for axis in axes), 1)
    require_size(n_each * math.prod(sizes))
    for axis, n, factor in zip(axes, sizes, factors, strict=True):
        if n == x.shape[axis] and factor in (None, 1.0):
            continue
        if axis == 0:
            if n != attributes.get("batch", 1):
                raise Refusal("a selection of points of the batch")
            continue
        x = _resample(x, axis, n, factor, attributes)
    return x


def _resample(x: Any, axis: int, n: int, factor: float | None, attributes: Attributes) -> Any:
    kept = {k: v for k, v in attributes.items() if k not in ("axes", "batch", "n_outputs", "scales", "sizes")}
    require_size(x.shape[axis] * max(x.shape[axis], n))
    unit, none = torch.eye(x.shape[axis]), torch.zeros(0)
    given = (
        [unit, none, none, torch.tensor([x.shape[axis], n])]
        if factor is None
        else [unit, none, torch.tensor([1.0, factor])]
    )
    (matrix,) = evaluate(Node("Resize", "", [], [""], kept), given, 18)
    matrix = matrix.to(torch.float64)
    is_selection = bool(((matrix == 0) | (matrix == 1)).all() & (matrix.sum(0) == 1).all())
    if is_selection:
        return x.index_select(axis, matrix.argmax(0))
    moved = x.movedim(axis, -1) @ matrix.to(x.dtype)
    return moved.movedim(-1, axis)


def _depth_to_space(inputs: Inputs, attributes: Attributes) -> Any:
    x, size = inputs[0], attributes["blocksize"]
    n, c, h, w = x.shape
    if attributes.get("mode", b"DCR") == b"DCR":
        x = x.reshape(n, size, size, c // size**2, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        x = x.reshape(n, c // size**2, size, size, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // size**2, h * size, w * size)


def _space_to_depth(inputs: Inputs, attributes: Attributes) -> Any:
    x, size = inputs[0], attributes["blocksize"]
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // size, size, w // size, size).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * size**2, h // size, w // size)


def _top_k(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis = inputs[0], attributes.get("axis", -1)
    k = int_list(inputs, 1, attributes, "k") or [1]
    ordered = torch.sort(x, axis, descending=bool(attributes.get("largest", 1)))
    return ordered[0].narrow(axis, 0, k[0]), None


LAYOUT: dict[str, Operator] = {
    "Concat": _concat,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": lambda inputs, attributes: inputs[0],
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": _resize,
}
