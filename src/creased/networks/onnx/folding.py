"""Work constants out by onnx's reference evaluator, whatever their operators are.

The size of a result is inferred before it is computed, and one that is large, or not known, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.onnx.operators import Attributes, require_size

LATEST = 21  # version of the operators that the evaluator has most of
SMALL = 4096  # numbers of a constant that shapes are inferred from
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
    kind: str, inputs: Sequence[Tensor | None], attributes: Attributes, opset: int, domain: str = ""
) -> tuple[Tensor, ...]:
    """Apply an operator to constants.

    Raises:
        Refusal: it is random, has graphs of its own, cannot be evaluated, or its result is too large.
    """
    if kind in RANDOM or kind in NESTED:
        raise Refusal(f"{kind} is not supported")
    onnx, reference = import_module("onnx"), import_module("onnx.reference")
    given = {k: v for k, v in attributes.items() if k != "n_outputs"}
    names = [f"i{i}" if x is not None else "" for i, x in enumerate(inputs)]
    outputs = [f"o{i}" for i in range(attributes.get("n_outputs", 1))]
    node = onnx.helper.make_node(kind, names, outputs, domain=domain, **given)
    arrays = {name: x.detach().numpy() for name, x in zip(names, inputs, strict=True) if x is not None}
    if kind not in SHRINKING:
        _require_bounded(onnx, node, arrays, opset)
    try:
        found = _run(reference, node, arrays, opset)
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


def _require_bounded(onnx: Any, node: Any, arrays: dict[str, Any], opset: int) -> None:
    """Infer the shapes of results, from the shapes of inputs and the numbers of small ones."""
    helper = onnx.helper
    kinds = {name: helper.np_dtype_to_tensor_dtype(x.dtype) for name, x in arrays.items()}
    entries = [helper.make_tensor_value_info(name, kinds[name], x.shape) for name, x in arrays.items()]
    known = [onnx.numpy_helper.from_array(x, name) for name, x in arrays.items() if x.size <= SMALL]
    out = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "g", entries, out, known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(node.domain, opset)])
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output
    except Exception as error:
        raise Refusal(f"has results of unknown size: {str(error).strip().splitlines()[0]}") from error
    for entry in inferred:
        axes = entry.type.tensor_type.shape.dim
        is_known = entry.type.tensor_type.HasField("shape") and all(a.HasField("dim_value") for a in axes)
        if not is_known:
            raise Refusal("has a result of unknown size")
        require_size(math.prod(axis.dim_value for axis in axes))
