"""Read an ONNX file as a torch module, without executing anything in it and without a runtime."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from creased.networks.lowering.graph.refusals import Refusal, UnsupportedModuleError, unsupported_reason
from creased.networks.onnx.operators import MOST_NUMBERS, OPERATORS, Attributes, require_few
from creased.networks.onnx.spatial import SPATIAL

KNOWN = OPERATORS | SPATIAL


class Node(NamedTuple):
    """One operation of an ONNX graph."""

    kind: str  # the operator's name
    name: str
    inputs: list[str]  # names of values; empty for an omitted one
    outputs: list[str]
    attributes: Attributes


class OnnxNetwork(nn.Module):
    """Evaluate an ONNX graph; its floating constants are parameters. Made by `read_onnx`.

    Args:
        nodes: operations in topological order.
        constants: tensors by name.
        input_name: of the only input.
        output_name: of the only output, or the chosen one.
        input_shape: of one point; None if the file leaves it open.
    """

    def __init__(
        self,
        nodes: list[Node],
        constants: dict[str, Tensor],
        input_name: str,
        output_name: str,
        input_shape: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.input_name, self.output_name, self.input_shape = input_name, output_name, input_shape
        self.constants = dict(constants)
        self.node_at_work = ""  # for messages
        self.nodes = [node for node in nodes if not self._fold(node)]
        used = {name for node in self.nodes for name in node.inputs if name in self.constants}
        floating = sorted(name for name in used if self.constants[name].is_floating_point())
        self.parameter_names = {name: str(i) for i, name in enumerate(floating)}
        self.weights = nn.ParameterDict({str(i): self.constants[name] for i, name in enumerate(floating)})
        self.constants = {name: self.constants[name] for name in used.difference(floating)}

    def _fold(self, node: Node) -> bool:
        """Evaluate a node whose inputs are all constants; return False for other nodes."""
        if node.kind != "Constant" and not all(name in self.constants for name in node.inputs if name):
            return False
        found = [node.attributes["value"]] if node.kind == "Constant" else self._results(node, self.constants)
        self.constants.update(zip(node.outputs, found, strict=False))
        return True

    def forward(self, x: Tensor) -> Tensor:
        """Return the output at points (n, *input_shape)."""
        values: dict[str, Any] = {**self.constants, self.input_name: x}
        values |= {name: self.weights[key] for name, key in self.parameter_names.items()}
        for node in self.nodes:
            values.update(zip(node.outputs, self._results(node, values), strict=False))
        return values[self.output_name]

    def _results(self, node: Node, values: dict[str, Any]) -> tuple[Any, ...]:
        inputs = [values[name] if name else None for name in node.inputs]
        self.node_at_work = f"node {node.name} ({node.kind})"
        try:
            require_few(node.kind, inputs)
            found = KNOWN[node.kind](inputs, node.attributes | {"n_outputs": len(node.outputs)})
        except Refusal as refusal:
            raise UnsupportedModuleError(f"lower: {self.node_at_work}: {refusal}") from refusal
        return found if isinstance(found, tuple) else (found,)


def read_onnx(path: Path, output: str | None = None) -> OnnxNetwork:
    """Read the network of an ONNX file.

    Args:
        path: the file.
        output: name of an output; required if there are several.

    Raises:
        ImportError: onnx is not installed.
        UnsupportedModuleError: an operator is not supported; the message names it and its node.
        ValueError: the file is not a valid model, has not exactly one input, or lacks the output.
    """
    try:
        onnx = import_module("onnx")
    except ImportError as error:
        raise ImportError("reading ONNX files needs onnx: pip install 'creased[onnx]'") from error
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except OSError:
        raise
    except Exception as error:  # onnx raises many types on a damaged file
        raise ValueError(f"{path} is not a valid ONNX model: {str(error).strip().splitlines()[0]}") from error
    return _network_of(onnx, model.graph, path, output)


def _network_of(onnx: Any, graph: Any, path: Path, output: str | None) -> OnnxNetwork:
    constants = {entry.name: _tensor(onnx, entry) for entry in graph.initializer}
    points = [entry for entry in graph.input if entry.name not in constants]
    outputs = [entry.name for entry in graph.output]
    if len(points) != 1:
        raise ValueError(f"{path} must have one input, got {len(points)}: {[p.name for p in points]}")
    if output is None and len(outputs) != 1:
        raise ValueError(f"{path} has {len(outputs)} outputs: choose one of {', '.join(outputs)}")
    if output is not None and output not in outputs:
        raise ValueError(f"{path} has no output {output}: choose one of {', '.join(outputs)}")
    shape = _shape_of(points[0])
    if shape is not None and math.prod(shape) > MOST_NUMBERS:
        raise ValueError(f"{path} takes points of shape {shape}: more than {MOST_NUMBERS:,} numbers")
    nodes = [_node(onnx, entry, i) for i, entry in enumerate(graph.node)]
    return OnnxNetwork(nodes, constants, points[0].name, output or outputs[0], shape)


def _node(onnx: Any, entry: Any, index: int) -> Node:
    name = entry.name or str(index)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in entry.attribute}
    if entry.op_type == "Constant":
        attributes = {"value": _constant(onnx, attributes)}
    elif entry.op_type not in KNOWN or entry.domain not in ("", "ai.onnx"):
        reason = unsupported_reason(entry.op_type)
        raise UnsupportedModuleError(f"lower: node {name} ({entry.op_type}): {reason}")
    return Node(entry.op_type, name, list(entry.input), list(entry.output), attributes)


def _constant(onnx: Any, attributes: Attributes) -> Tensor:
    (value,) = attributes.values()
    return _tensor(onnx, value) if hasattr(value, "raw_data") else torch.as_tensor(value)


def _tensor(onnx: Any, entry: Any) -> Tensor:
    return torch.from_numpy(onnx.numpy_helper.to_array(entry).copy())


def _shape_of(points: Any) -> tuple[int, ...] | None:
    """Return the shape of one point, all axes but the first; None if it is not fixed."""
    axes = points.type.tensor_type.shape.dim
    sizes = tuple(axis.dim_value for axis in axes)[1:]
    return sizes if sizes and all(size > 0 for size in sizes) else None
