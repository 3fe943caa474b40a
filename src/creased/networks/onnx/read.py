"""Read an ONNX file as a torch module, without executing anything in it and without a runtime."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from creased.extras import how_to_install
from creased.networks.onnx.network import OWN, OnnxNetwork, shape_of_point
from creased.networks.onnx.nodes import MOST_IN_ALL, MOST_NUMBERS, Node

log = logging.getLogger(__name__)


def read_onnx(path: Path, output: str | None = None, inputs: Mapping[str, Any] | None = None) -> OnnxNetwork:
    """Read the network of an ONNX file.

    Args:
        path: the file.
        output: name of an output, or of any value within; required if there are several outputs.
        inputs: values of all inputs but the points, by name: tensors, or nested lists of numbers.

    Raises:
        ImportError: onnx is not installed.
        UnsupportedModuleError: an operator is not supported; the message names it and its node.
        ValueError: the file is not a valid model, has not exactly one input left, or lacks the output.
    """
    try:
        onnx = import_module("onnx")
    except ImportError as error:
        raise ImportError(f"reading ONNX files needs onnx: {how_to_install('onnx')}") from error
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except OSError:
        raise
    except Exception as error:  # onnx raises many types on a damaged file
        raise ValueError(f"{path} is not a valid ONNX model: {str(error).strip().splitlines()[0]}") from error
    return _network_of(onnx, model, path, output, inputs or {})


def _network_of(
    onnx: Any, model: Any, path: Path, output: str | None, fixed: Mapping[str, Any]
) -> OnnxNetwork:
    graph = model.graph
    constants = {entry.name: _tensor(onnx, entry) for entry in graph.initializer}
    output = _output_of(graph, path, output)
    nodes, used = _needed([_node(onnx, entry, i) for i, entry in enumerate(graph.node)], output)
    left = [entry for entry in graph.input if entry.name not in constants]
    if unknown := sorted(set(fixed).difference(entry.name for entry in left)):
        raise ValueError(f"{path} has no input {unknown[0]}: it has {', '.join(e.name for e in left)}")
    given = {e.name: _fixed(onnx, e, fixed[e.name], path) for e in left if e.name in fixed}
    left = [entry for entry in left if entry.name not in fixed and (entry.name in used or len(left) == 1)]
    if len(left) != 1:
        names = [entry.name for entry in left]
        how = ": fix all but the points by inputs=" if left else ": the output is constant"
        raise ValueError(f"{path} must have one input, got {len(left)}: {names}{how}")
    shape, batch = shape_of_point(left[0])
    if shape is not None and batch * math.prod(shape) > MOST_NUMBERS:
        raise ValueError(f"{path} takes {batch} x {shape} numbers: more than {MOST_NUMBERS:,}")
    opset = next((entry.version for entry in model.opset_import if entry.domain in OWN), 18)
    network = OnnxNetwork(nodes, constants | given, left[0], output, opset)
    network.fixed = given
    return network


def _output_of(graph: Any, path: Path, output: str | None) -> str:
    outputs = [entry.name for entry in graph.output]
    if output is None and len(outputs) != 1:
        raise ValueError(f"{path} has {len(outputs)} outputs: choose one of {', '.join(outputs)}")
    if output is not None and all(output not in node.output for node in graph.node):
        raise ValueError(f"{path} has no output {output}: choose one of {', '.join(outputs)}")
    return output or str(outputs[0])


def _needed(nodes: list[Node], output: str) -> tuple[list[Node], set[str]]:
    """Return the nodes that a value depends on, and the names of all values that they need."""
    used, needed = {output}, []
    for node in reversed(nodes):
        if used.intersection(node.outputs):
            used.update(node.inputs)
            needed.append(node)
    return needed[::-1], used


def _fixed(onnx: Any, entry: Any, value: Any, path: Path) -> Tensor:
    """Return the value of an input in its type and, as far as that is known, its shape."""
    kind = onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
    shape = [max(axis.dim_value, 1) for axis in entry.type.tensor_type.shape.dim]
    array = import_module("numpy").asarray(value.tolist() if isinstance(value, Tensor) else value, dtype=kind)
    if math.prod(shape) > MOST_NUMBERS:
        raise ValueError(f"{path}: input {entry.name} has shape {shape}: more than {MOST_NUMBERS:,} numbers")
    if array.size not in (1, math.prod(shape)):
        raise ValueError(f"{path}: input {entry.name} has shape {tuple(shape)}, got {array.size} numbers")
    return torch.from_numpy(array).reshape(-1).expand(math.prod(shape)).reshape(shape).clone()


def _node(onnx: Any, entry: Any, index: int) -> Node:
    name = entry.name or str(index)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in entry.attribute}
    if entry.op_type == "Constant":
        attributes = {"value": _constant(onnx, attributes)}
    return Node(entry.op_type, name, list(entry.input), list(entry.output), attributes, entry.domain)


def _constant(onnx: Any, attributes: dict[str, Any]) -> Tensor:
    (value,) = attributes.values()
    return _tensor(onnx, value) if hasattr(value, "raw_data") else torch.as_tensor(value)


def _tensor(onnx: Any, entry: Any) -> Tensor:
    return torch.from_numpy(onnx.numpy_helper.to_array(entry).copy())


def evaluate_file(path: Path, network: OnnxNetwork, point: Tensor) -> Tensor | None:
    """Evaluate the file at one point (1, *shape) by onnx's reference evaluator; None where that fails."""
    if network.n_numbers > MOST_IN_ALL:
        log.info("%s is not compared with onnx's reference evaluator: its batch is too large", path)
        return None
    onnx, reference = import_module("onnx"), import_module("onnx.reference")
    model = onnx.load(str(path))
    (entry,) = (entry for entry in model.graph.input if entry.name == network.input_name)
    kind = onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
    is_flat = network.is_flat
    points = point[0] if is_flat else point.expand(network.batch, *point.shape[1:])
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(network.output_name))
    feeds = {name: tensor.numpy() for name, tensor in network.fixed.items()}
    try:
        evaluator = reference.ReferenceEvaluator(model)
        (out,) = evaluator.run(None, {network.input_name: points.numpy().astype(kind), **feeds})
        found = torch.from_numpy(import_module("numpy").array(out, dtype="float64"))
        return found.reshape(-1) if is_flat else found.reshape(network.batch, -1)[0]
    except Exception as error:  # the evaluator raises anything
        log.info("%s is not compared with onnx's reference evaluator, which fails: %s", path, error)
        return None
