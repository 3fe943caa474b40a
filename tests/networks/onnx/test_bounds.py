"""Graphs whose results would be far larger than a network's are refused before these are computed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creased.io.load import load_program
from creased.networks import UnsupportedModuleError
from tests.peak_memory import CAN_MEASURE, forget_peak, peak_bytes

onnx = pytest.importorskip("onnx")

FEW = 30 << 20  # bytes that refusing may take; the results that are refused take gigabytes
N = 24_000


def _write(
    path: Path, nodes: list[Any], end: str = "y", *, points: tuple[int, ...] = (1, 3), **constants: Any
) -> Path:
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    initial = [
        onnx.numpy_helper.from_array(x if isinstance(x, np.ndarray) else np.asarray(x, np.float32), name)
        for name, x in constants.items()
    ]
    x, y = (
        helper.make_tensor_value_info(name, floats, shape) for name, shape in (("x", points), (end, "nm"))
    )
    graph = helper.make_graph(nodes, "g", [x], [y], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())
    return path


def _ones(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def _ints(*values: int) -> Any:
    return np.array(values, np.int64)


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
    path = _write(tmp_path / "a.onnx", nodes, a=_ones(n, 1), b=_ones(1, n))
    with pytest.raises(UnsupportedModuleError, match="10,000,000,000 numbers"):
        load_program(path)


def _node(kind: str, *inputs: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs, ["y"], **attributes)


LINE, COLUMN = (1, 1, N), (1, N, 1)
OF_POINTS: dict[str, tuple[Any, tuple[int, ...], dict[str, Any]]] = {  # a node, its points, and constants
    "Add": (_node("Add", "x", "a"), COLUMN, {"a": _ones(1, N)}),
    "GreaterOrEqual": (_node("GreaterOrEqual", "x", "a"), COLUMN, {"a": _ones(1, N)}),
    "PRelu": (_node("PRelu", "x", "a"), COLUMN, {"a": _ones(1, N)}),
    "Where": (_node("Where", "b", "x", "a"), COLUMN, {"a": _ones(1, N), "b": np.ones((1, 1), bool)}),
    "Expand": (_node("Expand", "x", "a"), LINE, {"a": _ints(1, N, N)}),
    "Tile": (_node("Tile", "x", "a"), LINE, {"a": _ints(1, N, 1)}),
    "Gather": (_node("Gather", "x", "a", axis=1), LINE, {"a": np.zeros(N, np.int64)}),
    "Resize": (_node("Resize", "x", "", "", "a"), LINE, {"a": _ints(1, N, N)}),
    "Resize of one long axis": (_node("Resize", "x", "", "", "a"), LINE, {"a": _ints(1, 1, 2 * N)}),
    "Pad": (_node("Pad", "x", "a"), LINE, {"a": _ints(0, 0, 0, 0, N, 0)}),
    "Einsum": (_node("Einsum", "x", "a", equation="bij,k->bjk"), LINE, {"a": _ones(N)}),
    "Einsum that sums": (_node("Einsum", "x", "a", equation="bij,k->bi"), LINE, {"a": _ones(N)}),
    "MatMul": (_node("MatMul", "x", "a"), COLUMN, {"a": _ones(1, N)}),
    "MatMul of stacks": (_node("MatMul", "x", "a"), (1, 800, 1, 900, 1), {"a": _ones(800, 1, 1)}),
    "Gemm": (_node("Gemm", "x", "a", "c"), (1, 1), {"a": _ones(1, N), "c": _ones(N, 1)}),
    "Conv": (_node("Conv", "x", "a"), LINE, {"a": _ones(N, 1, 1)}),
    "ConvTranspose": (_node("ConvTranspose", "x", "a"), LINE, {"a": _ones(1, N, 1)}),
    "Concat": (_node("Concat", *["x"] * N, axis=1), LINE, {}),
    "BatchNormalization": (_node("BatchNormalization", "x", *"abcd"), LINE, dict.fromkeys("abcd", _ones(N))),
}
OF_CONSTANTS = {
    "Add": _node("Add", "line", "column"),
    "Expand": _node("Expand", "line", "square"),
    "Tile": _node("Tile", "line", "times"),
    "Gather": _node("Gather", "column", "zeros", axis=1),
    "ConstantOfShape": _node("ConstantOfShape", "square"),
    "Resize": _node("Resize", "line", "", "", "square"),
    "Pad": _node("Pad", "line", "around"),
    "Einsum": _node("Einsum", "line", "column", equation="ij,kl->jk"),
    "MatMul": _node("MatMul", "column", "line"),
    "EyeLike": _node("EyeLike", "expanded"),
    "OneHot": _node("OneHot", "zeros", "depth", "values"),
    "Range": _node("Range", "zero", "many", "one"),
}
CONSTANTS = {
    "line": _ones(1, N),
    "column": _ones(N, 1),
    "square": _ints(N, N),
    "times": _ints(N, 1),
    "zeros": np.zeros(N, np.int64),
    "around": _ints(0, 0, N, 0),
    "depth": np.array(N),
    "values": _ones(2),
    "zero": np.array(0),
    "many": np.array(N * N),
    "one": np.array(1),
}


def _peak_of_refusal(path: Path, words: str) -> int:
    """Load a file that is refused; return the bytes that it took at most."""
    before = forget_peak() if CAN_MEASURE else 0
    with pytest.raises((UnsupportedModuleError, ValueError), match=words):
        load_program(path)
    return peak_bytes() - before if CAN_MEASURE else 0


@pytest.mark.parametrize("is_inferred", [True, False])
@pytest.mark.parametrize("name", OF_POINTS)
def test_large_results_of_points_are_refused_before_they_are_computed(
    name: str, is_inferred: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_inferred:  # as where a file has an operator that onnx does not know
        monkeypatch.setattr("creased.networks.onnx.network.require_room", lambda *_: 0)
    made, points, constants = OF_POINTS[name]
    path = _write(tmp_path / "a.onnx", [made], points=points, **constants)
    assert _peak_of_refusal(path, "numbers, and 67,108,864 are allowed") < FEW


@pytest.mark.parametrize("name", OF_CONSTANTS)
def test_large_results_of_constants_are_refused_before_they_are_computed(name: str, tmp_path: Path) -> None:
    make = onnx.helper.make_node
    nodes = [make("Expand", ["line", "square"], ["expanded"])] if name == "EyeLike" else []
    used = {key: x for key, x in CONSTANTS.items() if key in OF_CONSTANTS[name].input or nodes}
    last = make("Add", ["x", "y"], ["z"])
    path = _write(tmp_path / "a.onnx", [*nodes, OF_CONSTANTS[name], last], "z", **used)
    assert _peak_of_refusal(path, r"numbers, and 67,108,864 are allowed|unknown size") < FEW


@pytest.mark.parametrize("kind", ["constants", "points"])
def test_nothing_is_computed_before_a_result_further_on_that_is_too_large(kind: str, tmp_path: Path) -> None:
    make = onnx.helper.make_node
    first = (
        make("ConstantOfShape", ["n"], ["a"]) if kind == "constants" else make("Expand", ["x", "n"], ["a"])
    )
    nodes = [first, make("Mul", ["a", "a"], ["b"]), make("Add", ["b", "c"], ["d"])]
    nodes.append(make("Add", ["x", "d"], ["y"]))
    path = _write(tmp_path / "a.onnx", nodes, points=(1, 1, 1), n=_ints(1, 8000, 8000), c=_ones(10, 1, 1))
    assert _peak_of_refusal(path, r"\(Add\).* 640,000,000 numbers") < FEW


def test_many_results_of_allowed_size_are_refused_together(tmp_path: Path) -> None:
    names = ["x", *(f"c{k}" for k in range(50))]
    nodes = [onnx.helper.make_node("Add", [a, "w"], [b]) for a, b in pairwise([*names, "y"])]
    path = _write(tmp_path / "a.onnx", nodes, points=(1, 2000, 1), w=_ones(1, 2000))
    assert _peak_of_refusal(path, r"results up to its own have .* numbers, and .* are allowed") < FEW


def test_inputs_that_are_fixed_to_one_number_of_a_huge_shape_are_refused(tmp_path: Path) -> None:
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    shapes = {"x": [1, 3], "a": [N, N]}
    inputs = [helper.make_tensor_value_info(name, floats, shape) for name, shape in shapes.items()]
    y = helper.make_tensor_value_info("y", floats, ["n", "m"])
    graph = helper.make_graph([helper.make_node("Add", ["x", "a"], ["y"])], "g", inputs, [y])
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(path))
    with pytest.raises(ValueError, match="more than 67,108,864 numbers"):
        load_program(path, inputs={"a": 1.0})
