"""Graphs whose results would be far larger than a network's are refused before these are computed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creased.io.load import load_program
from creased.networks import UnsupportedModuleError

onnx = pytest.importorskip("onnx")


def _write(path: Path, nodes: list[Any], *, points: tuple[int, ...] = (1, 3), **constants: Any) -> Path:
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    initial = [
        onnx.numpy_helper.from_array(np.asarray(x, dtype=np.float32), name) for name, x in constants.items()
    ]
    x, y = (
        helper.make_tensor_value_info(name, floats, shape) for name, shape in (("x", points), ("y", "nm"))
    )
    graph = helper.make_graph(nodes, "g", [x], [y], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())
    return path


def test_points_of_huge_shape_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.onnx", [onnx.helper.make_node("Flatten", ["x"], ["y"])], points=(1, 2**40))
    with pytest.raises(ValueError, match="1099511627776"):
        load_program(path)


@pytest.mark.parametrize("first", ["w", "x"])
def test_repeated_concatenation_is_refused(tmp_path: Path, first: str) -> None:
    names = [first, *(f"c{k}" for k in range(5)), "y"]
    pairs = pairwise(names)
    nodes = [onnx.helper.make_node("Concat", [a] * 64, [b], axis=-1) for a, b in pairs]
    path = _write(tmp_path / "a.onnx", nodes, w=[[1.0, 2.0, 3.0]])
    with pytest.raises((ValueError, UnsupportedModuleError), match="numbers, and 67,108,864 are allowed"):
        load_program(path)


@pytest.mark.parametrize("kind", ["Add", "MatMul"])
def test_products_of_long_vectors_are_refused(tmp_path: Path, kind: str) -> None:
    make, n = onnx.helper.make_node, 100_000
    nodes = [make(kind, ["a", "b"], ["c"]), make("MatMul", ["x", "c"], ["y"])]
    path = _write(tmp_path / "a.onnx", nodes, a=np.ones((n, 1)), b=np.ones((1, n)))
    with pytest.raises(UnsupportedModuleError, match="10,000,000,000 numbers"):
        load_program(path)
