"""Evaluate the graph of an ONNX file as a torch module, node by node; nothing in the file is executed."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from creased.networks.lowering.graph.refusals import (
    PREFIX,
    Refusal,
    UnsupportedModuleError,
    unsupported_reason,
)
from creased.networks.onnx.folding import evaluate
from creased.networks.onnx.layout import LAYOUT
from creased.networks.onnx.nodes import MOST_IN_ALL, SMALL, Node, require_room
from creased.networks.onnx.operators import OPERATORS, require_few
from creased.networks.onnx.spatial import SPATIAL

KNOWN = OPERATORS | LAYOUT | SPATIAL
OWN = ("", "ai.onnx")  # domains of ONNX's own operators


class OnnxNetwork(nn.Module):
    """Evaluate an ONNX graph; its floating constants are parameters. Made by `read_onnx`.

    Args:
        nodes: operations in topological order, that the output depends on.
        constants: tensors by name.
        points: the only input, as the file describes it.
        output_name: of the value to return.
        opset: version of ONNX's operators.

    Raises:
        UnsupportedModuleError: an operator is not supported, or results are too large.
    """

    def __init__(
        self,
        nodes: list[Node],
        constants: dict[str, Tensor],
        points: Any,
        output_name: str,
        opset: int = 18,
    ) -> None:
        super().__init__()
        self.input_name, self.output_name, self.opset = points.name, output_name, opset
        self.input_shape, self.batch = shape_of_point(
            points
        )  # of one point, None if left open; points at once
        self.is_flat = len(points.type.tensor_type.shape.dim) == 1  # a point of one axis, and no batch
        self.constants = dict(constants)
        self.node_at_work = ""  # for messages
        self.fixed: dict[str, Tensor] = {}  # inputs of the file that are constants here
        self.room = MOST_IN_ALL + 4 * sum(tensor.numel() for tensor in constants.values())
        large = [node for node in nodes if not self._fold(node, SMALL)]  # the others tell the sizes of these
        self.n_numbers = require_room(large, self.constants, points, self.batch, opset, self.room)
        self.nodes = [node for node in large if not self._fold(node)]
        self.of_shapes = self._of_shapes()  # names of values that depend on the shapes of others alone
        for node in self.nodes:
            if node.outputs[0] not in self.of_shapes and (node.kind not in KNOWN or node.domain not in OWN):
                raise UnsupportedModuleError(f"{node.refusal}: {unsupported_reason(node.kind)}")
        used = {name for node in self.nodes for name in node.inputs if name in self.constants}
        floating = sorted(name for name in used if self.constants[name].is_floating_point())
        self.parameter_names = {name: str(i) for i, name in enumerate(floating)}
        self.weights = nn.ParameterDict({str(i): self.constants[name] for i, name in enumerate(floating)})
        self.constants = {name: self.constants[name] for name in used.difference(floating)}

    def _fold(self, node: Node, most: float = math.inf) -> bool:
        """Evaluate a node if all its inputs are constants, and its results not too large; tell if it was."""
        if not all(name in self.constants for name in node.inputs if name):
            return False
        if node.kind == "Constant":
            found: tuple[Tensor, ...] = (node.attributes["value"],)
        else:
            found = self._worked_out(node, self.constants, most)
        self.room -= sum(tensor.numel() for tensor in found)
        if self.room < 0:
            raise UnsupportedModuleError(f"{node.refusal}: constants worked out take too many numbers")
        self.constants.update(zip(node.outputs, found, strict=False))
        return bool(found)

    def _worked_out(self, node: Node, values: dict[str, Any], most: float = math.inf) -> tuple[Tensor, ...]:
        """Evaluate a node of constants."""
        inputs = [values[name] if name else None for name in node.inputs]
        try:
            return evaluate(node, inputs, self.opset, most)
        except Refusal as refusal:
            raise UnsupportedModuleError(f"{node.refusal}: {refusal}") from refusal

    def _of_shapes(self) -> set[str]:
        found: set[str] = set()
        for node in self.nodes:
            known = [name in found or name in self.constants for name in node.inputs if name]
            if node.kind in ("Shape", "Size") or all(known):
                found.update(node.outputs)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return the output at points (n, *input_shape)."""
        values: dict[str, Any] = {**self.constants, self.input_name: x}
        values |= {name: self.weights[key] for name, key in self.parameter_names.items()}
        for node in self.nodes:
            if node.kind in ("Shape", "Size"):
                found = self._sizes(node, values[node.inputs[0]])
            elif node.outputs[0] in self.of_shapes and not self._is_of_weights(node):
                found = self._worked_out(node, values)
            else:
                found = self._results(node, values)
            values.update(zip(node.outputs, found, strict=False))
        return values[self.output_name]

    def _is_of_weights(self, node: Node) -> bool:
        return node.kind in KNOWN and any(name in self.parameter_names for name in node.inputs)

    def _sizes(self, node: Node, x: Any) -> tuple[Tensor, ...]:
        """Return the shape of a value, or its size, in the batch that the file is for."""
        shape = [self.batch, *x.shape[1:]]
        if node.kind == "Size":
            return (torch.tensor(math.prod(shape)),)
        return (torch.tensor(shape[node.attributes.get("start", 0) : node.attributes.get("end")]),)

    def _results(self, node: Node, values: dict[str, Any]) -> tuple[Any, ...]:
        inputs = [values[name] if name else None for name in node.inputs]
        self.node_at_work = node.refusal.removeprefix(PREFIX)
        try:
            require_few(node.kind, inputs, node.attributes)
            given = node.attributes | {"n_outputs": len(node.outputs), "batch": self.batch}
            if self.is_flat and node.kind == "MatMul" and node.inputs[0] in self.parameter_names:
                matrix: Any = inputs[0]
                inputs = [inputs[1], matrix.transpose(-1, -2)]  # the points are rows here
            found = KNOWN[node.kind](inputs, given)
        except Refusal as refusal:
            raise UnsupportedModuleError(f"{node.refusal}: {refusal}") from refusal
        return found if isinstance(found, tuple) else (found,)


def shape_of_point(points: Any) -> tuple[tuple[int, ...] | None, int]:
    """Return the shape of one point, None if it is not fixed, and the number of points in a batch.

    The first axis is that of the batch; an input of one axis is one point.
    """
    sizes = [axis.dim_value for axis in points.type.tensor_type.shape.dim]
    batch = max(sizes.pop(0), 1) if len(sizes) > 1 else 1
    return (tuple(sizes) if sizes and all(size > 0 for size in sizes) else None), batch
