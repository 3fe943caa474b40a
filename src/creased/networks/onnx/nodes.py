"""Nodes of an ONNX graph, and the sizes of their results, which onnx infers before anything is computed."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from torch import Tensor

from creased.networks.lowering.graph.refusals import PREFIX, Refusal, UnsupportedModuleError

log = logging.getLogger(__name__)
Attributes = dict[str, Any]
MOST_NUMBERS = 1 << 26  # in one result
MOST_IN_ALL = 1 << 27  # in all results, beside four times those of the file
SMALL = 4096  # numbers of a constant that shapes are inferred from


class Node(NamedTuple):
    """One operation of an ONNX graph."""

    kind: str  # the operator's name
    name: str
    inputs: list[str]  # names of values; empty for an omitted one
    outputs: list[str]
    attributes: Attributes
    domain: str = ""

    @property
    def refusal(self) -> str:
        """Begin a message that refuses the node."""
        return f"{PREFIX}node {self.name} ({self.kind})"

    def proto(self) -> Any:
        """Return it as onnx has it."""
        make = import_module("onnx").helper.make_node
        return make(self.kind, self.inputs, self.outputs, domain=self.domain, **self.attributes)


def require_size(n: int) -> None:
    """Refuse a result of so many numbers, if they are too many.

    Raises:
        Refusal: they are.
    """
    if n > MOST_NUMBERS:
        raise Refusal(f"its result would have {n:,} numbers, and {MOST_NUMBERS:,} are allowed")


def infer_sizes(
    nodes: Sequence[Node], constants: Mapping[str, Tensor], points: Iterable[Any], opset: int
) -> dict[str, list[int | None]]:
    """Infer the sizes of the results of nodes by name, None for axes of unknown size; not of all results.

    Args:
        nodes: in topological order.
        constants: by name; of large ones the shape alone is looked at.
        points: other inputs, as onnx describes them.
        opset: version of the operators.

    Raises:
        Exception: of any type, where shapes contradict each other or an operator is not known.
    """
    onnx = import_module("onnx")
    helper = onnx.helper
    arrays = {name: x.detach().numpy() for name, x in constants.items()}
    kinds = {name: helper.np_dtype_to_tensor_dtype(x.dtype) for name, x in arrays.items()}
    entries = [helper.make_tensor_value_info(name, kinds[name], x.shape) for name, x in arrays.items()]
    known = [onnx.numpy_helper.from_array(x, name) for name, x in arrays.items() if x.size <= SMALL]
    results = [helper.make_empty_tensor_value_info(name) for node in nodes for name in node.outputs if name]
    graph = helper.make_graph([node.proto() for node in nodes], "g", [*entries, *points], results, known)
    versions = [helper.make_opsetid(domain, opset) for domain in {node.domain for node in nodes}]
    model = helper.make_model(graph, opset_imports=versions)
    found = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output
    types = {entry.name: entry.type.tensor_type for entry in found}
    return {
        name: [axis.dim_value if axis.HasField("dim_value") else None for axis in kind.shape.dim]
        for name, kind in types.items()
        if kind.HasField("shape")
    }


def require_room(
    nodes: Sequence[Node],
    constants: Mapping[str, Tensor],
    points: Any,
    batch: int,
    opset: int,
    room: int = MOST_IN_ALL,
) -> int:
    """Refuse results that are too large, one or all together; axes of unknown size count as one.

    Args:
        nodes: in topological order.
        constants: by name; of large ones the shape alone is looked at.
        points: the input, as onnx describes it.
        batch: points in it; results are counted for one.
        opset: version of the operators.
        room: numbers that all results may have.

    Returns:
        Numbers of all results, for the whole batch.

    Raises:
        UnsupportedModuleError: naming the node.
    """
    try:
        sizes = infer_sizes(nodes, constants, [points], opset)
    except Exception as error:  # of any type; then each result is looked at when its turn comes
        log.debug("sizes of results are not known beforehand: %s", error)
        return 0
    of_points, n_each, n_all = {points.name}, 0, 0
    for node in nodes:
        numbers = [math.prod(n or 1 for n in sizes.get(name, ())) for name in node.outputs]
        n_all += sum(numbers)
        if not of_points.isdisjoint(node.inputs):
            of_points.update(node.outputs)
            numbers = [n // batch for n in numbers]
        n_each += sum(numbers)
        try:
            require_size(max(numbers))
        except Refusal as refusal:
            raise UnsupportedModuleError(f"{node.refusal}: {refusal}") from refusal
        if n_each > room:
            raise UnsupportedModuleError(
                f"{node.refusal}: results up to its own have {n_each:,} numbers, and {room:,} are allowed"
            )
    return n_all
