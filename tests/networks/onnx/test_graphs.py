"""Graphs as exporters write them: constants, shapes, masks, values within, and further inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import creased
from creased.io.load import load_file, load_program
from creased.networks.onnx.read import read_onnx
from tests.modules import Does

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")

RNG = np.random.default_rng(0)
W1, W2 = RNG.standard_normal((3, 4)).astype(np.float32), RNG.standard_normal((4, 1)).astype(np.float32)
FLOAT = 1


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes)


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


def written(
    path: Path,
    nodes: list[Any],
    constants: dict[str, Any],
    inputs: dict[str, Any],
    outputs: tuple[str, ...] = ("y",),
    opset: int = 19,
) -> Path:
    helper = onnx.helper
    points = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name, shape in inputs.items()]
    ends = [helper.make_tensor_value_info(name, FLOAT, ["?"]) for name in outputs]
    initial = [onnx.numpy_helper.from_array(np.asarray(x), name) for name, x in constants.items()]
    graph = helper.make_graph(nodes, "g", points, ends, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, str(path))
    return path


TAIL = [node("MatMul", ["c", "w1"], "a"), node("Relu", ["a"], "b"), node("MatMul", ["b", "w2"], "y")]
BEFORE: dict[str, tuple[list[Any], dict[str, Any]]] = {  # nodes that make c, or w1, and constants
    "Cast of constants": (
        [node("Cast", ["h"], "w1", to=FLOAT), node("Identity", ["x"], "c")],
        {"h": W1.astype(np.float16)},
    ),
    "Sqrt of a constant": (
        [node("Sqrt", ["k"], "s"), node("Mul", ["x", "s"], "c")],
        {"w1": W1, "k": np.abs(W1[:, 0])},
    ),
    "DequantizeLinear of a constant": (
        [node("DequantizeLinear", ["q", "s", "z"], "w1"), node("Identity", ["x"], "c")],
        {"q": RNG.integers(-9, 9, (3, 4)).astype(np.int8), "s": np.float32(0.1), "z": np.int8(2)},
    ),
    "what torch has no function for": (
        [node("Trilu", ["k"], "t"), node("Det", ["t"], "d"), node("Mul", ["x", "d"], "c")],
        {"w1": W1, "k": W1[:, :3]},
    ),
    "ConstantOfShape": (
        [
            node(
                "ConstantOfShape", ["n"], "o", value=onnx.numpy_helper.from_array(np.array([0.5], np.float32))
            ),
            node("Add", ["x", "o"], "c"),
        ],
        {"w1": W1, "n": ints(1, 3)},
    ),
    "Gather": ([node("Gather", ["x", "i"], "c", axis=1)], {"w1": W1, "i": ints(2, 0, 1)}),
    "Pad": ([node("Pad", ["x", "p"], "c")], {"w1": W1, "p": ints(0, 0, 0, 0)}),
    "Shape": ([node("Shape", ["x"], "d"), node("Reshape", ["x", "d"], "c")], {"w1": W1}),
    "arithmetic of shapes": (
        [
            node("Shape", ["x"], "d"),
            node("Gather", ["d", "zero"], "n", axis=0),
            node("Unsqueeze", ["n", "zeros"], "m"),
            node("Concat", ["m", "minus"], "t", axis=0),
            node("Reshape", ["x", "t"], "c"),
        ],
        {"w1": W1, "zero": np.int64(0), "zeros": ints(0), "minus": ints(-1)},
    ),
    "zeros of the shape of the input": (
        [
            node("Shape", ["x"], "d"),
            node("ConstantOfShape", ["d"], "o"),
            node("Max", ["x", "o"], "c"),
        ],
        {"w1": W1},
    ),
    "a parameter expanded to the batch": (
        [
            node("Shape", ["x"], "d"),
            node("Expand", ["k", "d"], "e"),
            node("Add", ["x", "e"], "c"),
        ],
        {"w1": W1, "k": W1[:1, :3]},
    ),
    "Greater and Where": (
        [node("Greater", ["x", "o"], "g"), node("Where", ["g", "x", "o"], "c")],
        {"w1": W1, "o": np.float32(0)},
    ),
    "a mask": (
        [node("Less", ["o", "x"], "g"), node("Cast", ["g"], "f", to=FLOAT), node("Mul", ["x", "f"], "c")],
        {"w1": W1, "o": np.float32(0)},
    ),
    "a leaky ReLU by a mask that is turned": (
        [
            node("LessOrEqual", ["x", "o"], "g"),
            node("Not", ["g"], "h"),
            node("Mul", ["x", "k"], "l"),
            node("Where", ["h", "x", "l"], "c"),
        ],
        {"w1": W1, "o": np.float32(0), "k": np.float32(0.1)},
    ),
    "GreaterOrEqual": (
        [node("GreaterOrEqual", ["x", "k"], "g"), node("Where", ["g", "x", "k"], "c")],
        {"w1": W1, "k": W1[0, :3]},
    ),
    "branches that nothing needs": (
        [node("Identity", ["x"], "c"), node("NonZero", ["x"], "nowhere")],
        {"w1": W1},
    ),
}


@pytest.mark.parametrize("name", BEFORE)
def test_graphs_agree_with_the_reference_evaluator(name: str, tmp_path: Path) -> None:
    nodes, constants = BEFORE[name]
    path = written(tmp_path / "m.onnx", [*nodes, *TAIL], {"w2": W2, **constants}, {"x": (1, 3)})
    program = load_program(path)
    assert program.n_neurons in (4, 7)
    evaluator = reference.ReferenceEvaluator(str(path))
    for x in RNG.standard_normal((8, 1, 3)).astype(np.float32):
        (expected,) = evaluator.run(None, {"x": x})
        torch.testing.assert_close(program(torch.from_numpy(x)), torch.from_numpy(expected))


def test_any_value_within_is_an_output_by_name(tmp_path: Path) -> None:
    nodes = [node("Identity", ["x"], "c"), *TAIL, node("Sigmoid", ["y"], "p"), node("Sign", ["p"], "s")]
    path = written(tmp_path / "m.onnx", nodes, {"w1": W1, "w2": W2}, {"x": ("n", 3)}, ("s",))
    x = torch.randn(5, 3)
    expected = torch.relu(x @ torch.from_numpy(W1))
    torch.testing.assert_close(load_program(path, output="b")(x), expected)
    loaded = load_file(path, output="p")
    assert str(loaded.last) == "sigmoid(z)"
    torch.testing.assert_close(loaded.program(x), expected @ torch.from_numpy(W2))
    with pytest.raises(creased.UnsupportedModuleError, match=r"Sigmoid_p|Sign_s"):
        load_program(path)


def test_further_inputs_are_fixed_by_value(tmp_path: Path) -> None:
    nodes = [node("Concat", ["x", "t"], "u", axis=1), node("MatMul", ["u", "w1"], "y")]
    path = written(tmp_path / "m.onnx", nodes, {"w1": W1}, {"x": ("n", 2), "t": (1, 1)})
    with pytest.raises(
        ValueError, match=r"one input, got 2: \['x', 't'\]: fix all but the points by inputs="
    ):
        load_program(path)
    with pytest.raises(ValueError, match="no input z: it has x, t"):
        load_program(path, inputs={"z": 1.0})
    with pytest.raises(ValueError, match=r"input t has shape \(1, 1\), got 2 numbers"):
        load_program(path, inputs={"t": [1.0, 2.0]})
    x = torch.randn(5, 2)
    for value in (0.5, [[0.5]], torch.tensor([0.5])):
        expected = torch.cat([x, torch.full((5, 1), 0.5)], 1) @ torch.from_numpy(W1)
        torch.testing.assert_close(load_program(path, inputs={"t": value})(x), expected)


def test_an_input_of_one_axis_is_one_point(tmp_path: Path) -> None:
    nodes = [node("Identity", ["x"], "c"), *TAIL]
    path = written(tmp_path / "m.onnx", nodes, {"w1": W1, "w2": W2}, {"x": (3,)})
    x = torch.randn(5, 3)
    expected = torch.relu(x @ torch.from_numpy(W1)) @ torch.from_numpy(W2)
    torch.testing.assert_close(load_program(path)(x), expected)


def test_an_input_of_one_axis_may_stand_behind_a_matrix(tmp_path: Path) -> None:
    nodes = [node("MatMul", ["w1", "x"], "a"), node("Relu", ["a"], "b"), node("MatMul", ["w2", "b"], "y")]
    path = written(tmp_path / "m.onnx", nodes, {"w1": W1.T.copy(), "w2": W2.T.copy()}, {"x": (3,)})
    x = torch.randn(5, 3)
    expected = torch.relu(x @ torch.from_numpy(W1)) @ torch.from_numpy(W2)
    torch.testing.assert_close(load_program(path)(x), expected)


def test_a_batch_of_one_may_be_squeezed(tmp_path: Path) -> None:
    nodes = [node("Identity", ["x"], "c"), *TAIL[:2], node("Squeeze", ["b", "k"], "y")]
    path = written(tmp_path / "m.onnx", nodes, {"w1": W1, "k": ints(0)}, {"x": (1, 3)})
    x = torch.randn(5, 3)
    torch.testing.assert_close(load_program(path)(x), torch.relu(x @ torch.from_numpy(W1)))


def test_what_is_another_function_without_a_batch_is_refused(tmp_path: Path) -> None:
    square = np.arange(9, dtype=np.float32).reshape(3, 3)
    path = written(tmp_path / "m.onnx", [node("Gemm", ["r", "w"], "y")], {"w": square}, {"r": (3, 3)})
    assert load_program(path).in_dim == 3  # three points
    nodes = [
        node("Squeeze", ["x", "k"], "s"),
        node("Mul", ["s", "w"], "z"),
        node("ReduceSum", ["z", "one"], "y"),
    ]
    constants = {"k": ints(0), "one": ints(1), "w": square}
    path = written(tmp_path / "n.onnx", nodes, constants, {"x": (1, 3, 3)})
    with pytest.raises(ValueError, match="another function in onnx's reference evaluator: not loaded"):
        load_program(path)


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("ConstantOfShape", ["n"], "w")], {"n": ints(1 << 20, 1 << 20)}),
        ([node("Expand", ["k", "n"], "w")], {"k": np.float32(1), "n": ints(1 << 30, 1 << 10)}),
        ([node("Tile", ["k", "n"], "w")], {"k": np.ones((3, 1), np.float32), "n": ints(1, 1 << 40)}),
        ([node("Range", ["a", "b", "s"], "w")], {"a": np.int64(0), "b": np.int64(1 << 50), "s": np.int64(1)}),
        ([node("Pad", ["k", "n"], "w")], {"k": np.ones((3, 1), np.float32), "n": ints(0, 0, 0, 1 << 40)}),
        ([node("Einsum", ["k", "k"], "w", equation="a,b->ab")], {"k": np.ones(1 << 17, np.float32)}),
        ([node("OneHot", ["i", "d", "v"], "w")], {"i": ints(1), "d": ints(1 << 40), "v": ints(0, 1)}),
        (
            [node("EyeLike", ["k"], "e"), node("MatMul", ["k", "r"], "w")],
            {"k": np.ones((1 << 14, 1), np.float32)},
        ),
    ],
)
def test_constants_that_would_be_large_are_refused_unseen(
    nodes: list[Any], constants: dict[str, Any], tmp_path: Path
) -> None:
    constants = {"r": np.ones((1, 1 << 14), np.float32), **constants}
    path = written(tmp_path / "m.onnx", [*nodes, node("MatMul", ["x", "w"], "y")], constants, {"x": (1, 3)})
    with pytest.raises(
        creased.UnsupportedModuleError, match=r"numbers, and 67,108,864 are allowed|unknown size"
    ):
        load_program(path)


def test_all_constants_together_are_bounded(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(4)]
    nodes = [node("ConstantOfShape", ["n"], name) for name in names]
    joined = [node("Concat", names, "w", axis=0), node("MatMul", ["x", "w"], "y")]
    path = written(tmp_path / "m.onnx", [*nodes, *joined], {"n": ints(1 << 13, 1 << 13)}, {"x": (1, 3)})
    with pytest.raises(creased.UnsupportedModuleError, match=r"take too many numbers|allowed"):
        load_program(path)


@pytest.mark.parametrize("kind", ["Expand", "Tile", "Pad", "Resize"])
def test_large_results_of_points_are_refused_unseen(kind: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "Expand": (["x", "n"], ints(1, 1 << 30)),
        "Tile": (["x", "n"], ints(1, 1 << 30)),
        "Pad": (["x", "n"], ints(0, 0, 0, 1 << 30)),
        "Resize": (["x", "", "n"], np.array([1, 1 << 30], np.float32)),
    }
    names, amount = given[kind]
    path = written(tmp_path / "m.onnx", [node(kind, names, "y")], {"n": amount}, {"x": (1, 1)})
    with pytest.raises((creased.UnsupportedModuleError, ValueError), match="67,108,864 are allowed"):
        load_program(path)


EXPORTED: dict[str, nn.Module] = {
    "MLP": creased.MLP(3, 8, 2),
    "SkipMLP": creased.networks.SkipMLP(3, 8, 3),
    "ResidualMLP": creased.networks.ResidualMLP(3, 8, 2),
    "MaxoutMLP": creased.networks.MaxoutMLP(3, 8, 2),
    "TriangleMLP": creased.networks.TriangleMLP(3, 4, 2),
    "GroupSort": nn.Sequential(nn.Linear(3, 8), creased.networks.GroupSort(2), nn.Linear(8, 1)),
    "where": Does(lambda m, x: m.parts[0](torch.where(x > 0, x, m.w * x)), nn.Linear(3, 1)),
    "shapes": Does(lambda m, x: m.parts[0](x.view(x.shape[0], -1, 3).flatten(1)), nn.Linear(3, 1)),
    "tanh": nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.Tanh()),
    "a union": Does(
        lambda m, x: torch.stack([p(x) for p in m.parts]).amin(0), *map(nn.Linear, [3, 3], [1, 1])
    ),
    "topk": Does(lambda m, x: m.parts[0](x).topk(3, dim=1).values, nn.Linear(3, 5)),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("name", EXPORTED)
def test_exports_of_torch_come_back(name: str, tmp_path: Path) -> None:
    module, path = EXPORTED[name].eval(), tmp_path / "m.onnx"
    names: dict[str, Any] = {"input_names": ["x"], "output_names": ["y"]}
    for axes in ({}, {"x": {0: "n"}, "y": {0: "n"}}):
        torch.onnx.export(module, (torch.rand(1, 3),), str(path), dynamo=False, dynamic_axes=axes, **names)
        loaded = load_file(path)
        x = torch.randn(20, 3)
        values = loaded.program(x) if loaded.last is None else loaded.last(loaded.program(x))
        torch.testing.assert_close(values, module(x), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_exports_of_the_newer_exporter_come_back(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    for name, module in EXPORTED.items():
        path = tmp_path / f"{name}.onnx"
        torch.onnx.export(module.eval(), (torch.rand(2, 3),), str(path), dynamo=True)
        loaded = load_file(path)
        x = torch.randn(20, 3)
        values = loaded.program(x) if loaded.last is None else loaded.last(loaded.program(x))
        torch.testing.assert_close(values, module(x), rtol=1e-4, atol=1e-5)


def test_weights_stay_parameters(tmp_path: Path) -> None:
    nodes, constants = BEFORE["a parameter expanded to the batch"]
    path = written(tmp_path / "m.onnx", [*nodes, *TAIL], {"w2": W2, **constants}, {"x": (1, 3)})
    network = read_onnx(path)
    creased.lower(network, input_shape=(3,), check=False)(torch.rand(4, 3)).sum().backward()
    assert [p.grad is not None for p in network.parameters()] == [True, True, True]
