"""Work constants out by onnx's reference evaluator, whatever their operators are.

The size of a result is inferred before it is computed, and one that is too large, or not known, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.onnx.nodes import Node, infer_sizes, require_size

LATEST = 21  # version of the operators that the evaluator has most of
SHRINKING = ("Compress", "NonZero", "Unique")  # the results are no larger than the inputs, axis by axis
RANDOM = (
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
)
NESTED = ("If", "Loop", "Scan", "SequenceMap")


def evaluate(
    node: Node, inputs: Sequence[Tensor | None], opset: int, most: float = math.inf
) -> tuple[Tensor, ...]:
    """Apply an operator to constants; return nothing where a result may have more numbers than ``most``.

    Raises:
        Refusal: it is random, has graphs of its own, cannot be evaluated, or its result is too large.
    """
    if node.kind in RANDOM or node.kind in NESTED:
        raise Refusal(f"{node.kind} is not supported")
    onnx, reference = import_module("onnx"), import_module("onnx.reference")
    names = [f"i{i}" if x is not None else "" for i, x in enumerate(inputs)]
    node = node._replace(inputs=names, outputs=[f"o{i}" for i in range(len(node.outputs))])
    constants = {name: x for name, x in zip(names, inputs, strict=True) if x is not None}
    if _most_numbers(node, constants, opset) > most:
        return ()
    arrays = {name: x.detach().numpy() for name, x in constants.items()}
    try:
        found = _run(reference, node.proto(), arrays, opset)
        return tuple(torch.from_numpy(onnx.numpy_helper.to_array(_proto(onnx, x)).copy()) for x in found)
    except Exception as error:  # the evaluator raises anything
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refusal(f"cannot be worked out: {reason}") from error


def _run(reference: Any, node: Any, arrays: dict[str, Any], opset: int) -> list[Any]:
    """Run a node; in a later version of the operators where the evaluator lacks that of the file."""
    try:
        evaluator = reference.ReferenceEvaluator(node, opsets={node.domain: opset})
    except RuntimeError:
        evaluator = reference.ReferenceEvaluator(node, opsets={node.domain: LATEST})
    return list(evaluator.run(None, arrays))


def _proto(onnx: Any, array: Any) -> Any:
    return onnx.numpy_helper.from_array(import_module("numpy").asarray(array))


def _most_numbers(node: Node, constants: dict[str, Tensor], opset: int) -> int:
    """Infer how many numbers the largest result has, or may have.

    Raises:
        Refusal: that is not known, or too many.
    """
    if node.kind in SHRINKING:
        return max(x.numel() for x in constants.values())
    try:
        sizes = infer_sizes([node], constants, (), opset)
    except Exception as error:
        raise Refusal(f"has results of unknown size: {str(error).strip().splitlines()[0]}") from error
    numbers = []
    for name in node.outputs:
        if name not in sizes or None in sizes[name]:
            raise Refusal("has a result of unknown size")
        numbers.append(math.prod(n for n in sizes[name] if n is not None))
    require_size(max(numbers))
    return max(numbers)
