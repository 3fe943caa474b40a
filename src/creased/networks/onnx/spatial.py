"""ONNX operators over spatial axes: convolution and pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.onnx.nodes import Attributes, require_size
from creased.networks.onnx.operators import Inputs, Operator


class _Window(NamedTuple):
    """Strides, dilations and padding of a window along the spatial axes."""

    strides: list[int]
    dilations: list[int]
    pads: list[tuple[int, int]]  # before and after

    def equal_pads(self, name: str) -> list[int]:
        """Return the padding of each axis, equal on both sides."""
        if any(before != after for before, after in self.pads):
            raise Refusal(f"{name} needs equal pads before and after each axis, got {self.pads}")
        return [before for before, _ in self.pads]


def _window(x: Any, kernel: Sequence[int], attributes: Attributes) -> _Window:
    n_axes = x.ndim - 2
    strides = list(attributes.get("strides", [1] * n_axes))
    dilations = list(attributes.get("dilations", [1] * n_axes))
    pads = list(attributes.get("pads", [0] * 2 * n_axes))
    mode = attributes.get("auto_pad", b"NOTSET").decode()
    pairs = list(zip(pads[:n_axes], pads[n_axes:], strict=True))
    if mode.startswith("SAME"):
        each = zip(x.shape[2:], kernel, strides, dilations, strict=True)
        pairs = [_same(*options, mode == "SAME_UPPER") for options in each]
    return _Window(strides, dilations, pairs)


def _same(size: int, kernel: int, stride: int, dilation: int, more_after: bool) -> tuple[int, int]:
    """Return the padding before and after an axis for auto_pad SAME: ceil(size / stride) windows."""
    n = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return (n // 2, n - n // 2) if more_after else (n - n // 2, n // 2)


def _padded(x: Any, window: _Window, mode: str = "constant") -> Any:
    if not any(map(any, window.pads)):
        return x
    sizes = [n + sum(pair) for n, pair in zip(x.shape[2:], window.pads, strict=True)]
    require_size(math.prod(x.shape[:2]) * math.prod(sizes))
    return functional.pad(x, [n for pair in reversed(window.pads) for n in pair], mode)


def _of_axes(name: str, x: Any) -> Callable[..., Any]:
    """Return torch's function of a name for the number of spatial axes of x."""
    return getattr(functional, f"{name}{x.ndim - 2}d")


def _conv(inputs: Inputs, attributes: Attributes) -> Any:
    x, weight, bias = (*inputs, None)[:3]
    window = _window(x, weight.shape[2:], attributes)
    options = (window.strides, 0, window.dilations, attributes.get("group", 1))
    padded = _padded(x, window)
    each = zip(padded.shape[2:], weight.shape[2:], window.strides, window.dilations, strict=True)
    sizes = [max((n - dilation * (k - 1) - 1) // stride + 1, 0) for n, k, stride, dilation in each]
    require_size(x.shape[0] * weight.shape[0] * math.prod(sizes))
    return _of_axes("conv", x)(padded, weight, bias, *options)


def _conv_transpose(inputs: Inputs, attributes: Attributes) -> Any:
    x, weight, bias = (*inputs, None)[:3]
    if attributes.get("output_shape") or attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise Refusal("ConvTranspose with output_shape or auto_pad is not supported: give pads")
    window = _window(x, weight.shape[2:], attributes)
    extra = list(attributes.get("output_padding", [0] * (x.ndim - 2)))
    sizes = [
        (n - 1) * stride + dilation * (k - 1) + 1
        for n, k, stride, dilation in zip(
            x.shape[2:], weight.shape[2:], window.strides, window.dilations, strict=True
        )
    ]
    require_size(x.shape[0] * weight.shape[1] * attributes.get("group", 1) * math.prod(sizes))
    pads = window.equal_pads("ConvTranspose")
    options = (window.strides, pads, extra, attributes.get("group", 1), window.dilations)
    return _of_axes("conv_transpose", x)(x, weight, bias, *options)


def _max_pool(inputs: Inputs, attributes: Attributes) -> Any:
    x, kernel = inputs[0], list(attributes["kernel_shape"])
    window = _window(x, kernel, attributes)
    if any(a != b for a, b in window.pads) and all(n == 1 for n in window.dilations):
        x, window = (
            _padded(x, window, "replicate"),
            window._replace(pads=[(0, 0)] * (x.ndim - 2)),
        )  # same maxima
    pads, ceil_mode = window.equal_pads("MaxPool"), bool(attributes.get("ceil_mode", 0))
    return _of_axes("max_pool", x)(x, kernel, window.strides, pads, window.dilations, ceil_mode)


def _average_pool(inputs: Inputs, attributes: Attributes) -> Any:
    x, kernel = inputs[0], list(attributes["kernel_shape"])
    window = _window(x, kernel, attributes)
    if any(n != 1 for n in window.dilations) or attributes.get("ceil_mode", 0):
        raise Refusal("AveragePool with dilations or ceil_mode is not supported")
    pool = _of_axes("avg_pool", x)
    if attributes.get("count_include_pad", 0):
        return pool(_padded(x, window), kernel, window.strides)
    return pool(x, kernel, window.strides, window.equal_pads("AveragePool"), False, False)


def _global_pool(reduced: Callable[..., Any]) -> Operator:
    return lambda inputs, attributes: reduced(inputs[0], tuple(range(2, inputs[0].ndim)), keepdim=True)


SPATIAL: dict[str, Operator] = {
    "AveragePool": _average_pool,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "GlobalAveragePool": _global_pool(torch.mean),
    "GlobalMaxPool": _global_pool(torch.amax),
    "MaxPool": _max_pool,
}
