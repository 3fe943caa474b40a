"""Every operator, beside ONNX's own reference evaluator, and as a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from creased import UnsupportedModuleError, load_program
from creased.networks import lower_with_last
from creased.networks.onnx.network import KNOWN
from creased.networks.onnx.read import read_onnx

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
numpy = pytest.importorskip("numpy")

IN_GRAPHS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "TopK", "Where")  # see test_graphs
RNG = numpy.random.default_rng(0)


def array(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(numpy.float32)


def ints(*values: int) -> Any:
    return numpy.array(values, dtype=numpy.int64)


def model(
    path: Path,
    nodes: list[tuple[str, list[Any], dict[str, Any]]],
    shape: tuple[int | str, ...],
    n_outputs: int = 1,
    opset: int = 18,
) -> Path:
    """Nodes in a chain: the first input of each is the output before; arrays among inputs are constants."""
    made, initializers, value = [], [], "x"
    for i, (kind, inputs, attributes) in enumerate(nodes):
        names = [value]
        for j, entry in enumerate(inputs):
            names.append(entry if isinstance(entry, str) else f"c{i}_{j}")
            if not isinstance(entry, str):
                initializers.append(onnx.numpy_helper.from_array(entry, names[-1]))
        outputs = [f"v{i}", *(f"v{i}_{j}" for j in range(1, n_outputs if i == len(nodes) - 1 else 1))]
        made.append(onnx.helper.make_node(kind, names, outputs, name=f"n{i}", **attributes))
        value = f"v{i}"
    points, out = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, dims)
        for name, dims in (("x", shape), (value, ("?",)))
    )
    graph = onnx.helper.make_graph(made, "g", [points], [out], initializers)
    imports = [onnx.helper.make_opsetid("", opset)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=imports, ir_version=9), str(path))
    return path


# name: nodes, shape of the batch, opset
CASES: dict[str, tuple[list[tuple[str, list[Any], dict[str, Any]]], tuple[int | str, ...], int]] = {
    "Gemm": ([("Gemm", [array(4, 3), array(4)], {"transB": 1, "alpha": 0.5, "beta": 2.0})], ("n", 3), 18),
    "MatMul": ([("MatMul", [array(3, 2)], {})], ("n", 3), 18),
    "Add": ([("Add", [array(3)], {})], ("n", 3), 18),
    "Add of itself": ([("Add", ["x"], {})], ("n", 3), 18),
    "Sub": ([("Sub", [array(1, 3)], {})], ("n", 3), 18),
    "Mul": ([("Mul", [array(3)], {})], ("n", 3), 18),
    "Div": ([("Div", [array(3)], {})], ("n", 3), 18),
    "Neg": ([("Neg", [], {})], ("n", 3), 18),
    "Sum": ([("Sum", ["x", array(3)], {})], ("n", 3), 18),
    "Mean": ([("Mean", ["x", array(3)], {})], ("n", 3), 18),
    "Relu": ([("Relu", [], {})], ("n", 3), 18),
    "LeakyRelu": ([("LeakyRelu", [], {"alpha": 0.2}), ("LeakyRelu", [], {})], ("n", 3), 18),
    "PRelu": ([("PRelu", [array(3)], {})], ("n", 3), 18),
    "PRelu by channel": ([("PRelu", [array(2, 1)], {})], ("n", 2, 3), 18),
    "Abs": ([("Abs", [], {})], ("n", 3), 18),
    "Clip": ([("Clip", [numpy.float32(-0.5), numpy.float32(0.7)], {})], ("n", 3), 18),
    "Clip from below": ([("Clip", [numpy.float32(-0.5)], {})], ("n", 3), 18),
    "Clip of old": ([("Clip", [], {"min": -0.5, "max": 0.7})], ("n", 3), 6),
    "HardSigmoid": ([("HardSigmoid", [], {"alpha": 0.3}), ("HardSigmoid", [], {"beta": 0.4})], ("n", 3), 18),
    "Max": ([("Max", ["x", array(3), array(3)], {})], ("n", 3), 18),
    "Min": ([("Min", [array(3)], {})], ("n", 3), 18),
    "Identity": ([("Identity", [], {})], ("n", 3), 18),
    "Dropout": ([("Dropout", [numpy.float32(0.5)], {})], ("n", 3), 18),
    "Flatten": ([("Flatten", [], {})], ("n", 2, 3), 18),
    "Reshape": ([("Reshape", [ints(0, 3, -1)], {})], ("n", 2, 3), 18),
    "Transpose": ([("Transpose", [], {"perm": [0, 2, 1]})], ("n", 2, 3), 18),
    "Concat": ([("Concat", ["x"], {"axis": 1})], ("n", 3), 18),
    "Slice": ([("Slice", [ints(0, -1), ints(9, -4), ints(1, 2), ints(2, -1)], {})], ("n", 3, 4), 18),
    "Slice of old": ([("Slice", [], {"starts": [1], "ends": [3], "axes": [1]})], ("n", 4), 9),
    "Split": ([("Split", [ints(3, 1)], {"axis": 1})], ("n", 4), 18),
    "Split in equal parts": ([("Split", [], {"axis": 1, "num_outputs": 2})], ("n", 5), 18),
    "Squeeze": ([("Squeeze", [ints(2)], {})], ("n", 3, 1), 18),
    "Squeeze of all": ([("Squeeze", [], {})], ("n", 3, 1), 18),
    "Unsqueeze": ([("Unsqueeze", [ints(1, 3)], {})], ("n", 3), 18),
    "Unsqueeze of old": ([("Unsqueeze", [], {"axes": [1]})], ("n", 3), 11),
    "ReduceSum": ([("ReduceSum", [ints(1)], {"keepdims": 0})], ("n", 3), 18),
    "ReduceMean": ([("ReduceMean", [ints(-1)], {})], ("n", 3), 18),
    "ReduceMean of old": ([("ReduceMean", [], {"axes": [1]})], ("n", 3, 2), 13),
    "ReduceMax": ([("ReduceMax", [ints(1)], {"keepdims": 0})], ("n", 3), 18),
    "ReduceMin": ([("ReduceMin", [ints(1)], {})], ("n", 3), 18),
    "BatchNormalization": (
        [("BatchNormalization", [array(3), array(3), array(3), abs(array(3)) + 1], {"epsilon": 0.1})],
        ("n", 3, 2),
        18,
    ),
    "Conv": (
        [("Conv", [array(4, 1, 3, 2), array(4)], {"group": 2, "strides": [2, 1], "pads": [1, 0, 2, 1]})],
        ("n", 2, 6, 5),
        18,
    ),
    "Conv same": ([("Conv", [array(1, 1, 2)], {"auto_pad": "SAME_UPPER"})], ("n", 1, 5), 18),
    "Conv same below": ([("Conv", [array(1, 1, 2)], {"auto_pad": "SAME_LOWER"})], ("n", 1, 5), 18),
    "Conv 3d": ([("Conv", [array(1, 1, 2, 2, 2)], {"dilations": [1, 1, 2]})], ("n", 1, 3, 3, 3), 18),
    "MaxPool": ([("MaxPool", [], {"kernel_shape": [2], "strides": [2], "pads": [1, 1]})], ("n", 1, 6), 18),
    "AveragePool": (
        [("AveragePool", [], {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]})],
        ("n", 1, 3, 3),
        18,
    ),
    "AveragePool of all": (
        [("AveragePool", [], {"kernel_shape": [2], "pads": [1, 0], "count_include_pad": 1})],
        ("n", 1, 4),
        18,
    ),
    "GlobalAveragePool": ([("GlobalAveragePool", [], {})], ("n", 2, 3, 3), 18),
    "GlobalMaxPool": ([("GlobalMaxPool", [], {})], ("n", 2, 3, 3), 18),
    "MaxPool, padded on one side": (
        [("MaxPool", [], {"kernel_shape": [3], "strides": [2], "pads": [0, 1]})],
        ("n", 1, 6),
        18,
    ),
    "ConvTranspose": (
        [
            (
                "ConvTranspose",
                [array(2, 3, 3, 2), array(3)],
                {"strides": [2, 1], "pads": [1, 0, 1, 0], "output_padding": [1, 0]},
            )
        ],
        ("n", 2, 4, 3),
        18,
    ),
    "Cast": ([("Cast", [], {"to": 11}), ("Cast", [], {"to": 1})], ("n", 3), 18),
    "Celu": ([("Celu", [], {"alpha": 0.5})], ("n", 3), 18),
    "CumSum": ([("CumSum", [ints(1)[0]], {}), ("CumSum", [ints(1)[0]], {"reverse": 1})], ("n", 3), 18),
    "DepthToSpace": ([("DepthToSpace", [], {"blocksize": 2})], ("n", 8, 2, 3), 18),
    "DepthToSpace by columns": ([("DepthToSpace", [], {"blocksize": 2, "mode": "CRD"})], ("n", 8, 2, 3), 18),
    "Einsum": ([("Einsum", [array(3, 2)], {"equation": "bi, ij -> bj"})], ("n", 3), 18),
    "Expand": ([("Expand", [ints(1, 4, 3)], {})], ("n", 1, 3), 18),
    "Gather": ([("Gather", [ints(2, 0, -1)], {"axis": 1})], ("n", 3), 18),
    "Gather a table": ([("Gather", [ints(2, 0, 1, 1).reshape(2, 2)], {"axis": 2})], ("n", 2, 3), 18),
    "Gather one": ([("Gather", [ints(1)[0]], {"axis": 1})], ("n", 3, 2), 18),
    "Pad": ([("Pad", [ints(0, 1, 0, 2), numpy.float32(0.5)], {})], ("n", 3), 18),
    "Pad by the edge": ([("Pad", [ints(0, 0, 1, 0, 0, 2)], {"mode": "edge"})], ("n", 2, 3), 18),
    "Pad by reflection": ([("Pad", [ints(0, 0, 1, 0, 0, 2)], {"mode": "reflect"})], ("n", 2, 4), 18),
    "Pad of chosen axes": ([("Pad", [ints(1, 1), numpy.float32(0), ints(-1)], {})], ("n", 2, 3), 18),
    "ReduceL1": ([("ReduceL1", [ints(1)], {})], ("n", 3), 18),
    "Resize": (
        [("Resize", ["", numpy.array([1, 1, 2, 1.5], numpy.float32)], {"mode": "nearest"})],
        ("n", 1, 3, 4),
        18,
    ),
    "Resize to sizes": (
        [
            (
                "Resize",
                ["", "", ints(7, 1, 6, 2)],
                {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
            )
        ],
        (7, 1, 3, 4),
        18,
    ),
    "Resize, linear": (
        [("Resize", ["", numpy.array([1, 1, 2, 2], numpy.float32)], {"mode": "linear"})],
        ("n", 1, 3, 4),
        18,
    ),
    "Upsample": ([("Upsample", [numpy.array([1, 1, 2], numpy.float32)], {})], ("n", 1, 3), 9),
    "Shrink": ([("Shrink", [], {"lambd": 0.25, "bias": 0.25})], ("n", 3), 18),
    "SpaceToDepth": ([("SpaceToDepth", [], {"blocksize": 2})], ("n", 2, 4, 6), 18),
    "ThresholdedRelu": ([("ThresholdedRelu", [], {"alpha": 0.0})], ("n", 3), 18),
    "Tile": ([("Tile", [ints(1, 2)], {})], ("n", 3), 18),
    "Elu": ([("Elu", [], {"alpha": 0.5})], ("n", 3), 18),
    "Softmax": ([("Softmax", [], {"axis": 1})], ("n", 3), 18),
    "LogSoftmax": ([("LogSoftmax", [], {})], ("n", 3), 18),
    **{
        name: ([(name, [], {})], ("n", 3), 18)
        for name in ("Atan", "Erf", "Exp", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh")
    },
}


@pytest.mark.parametrize("name", CASES)
def test_programs_agree_with_the_reference_evaluator(name: str, tmp_path: Path) -> None:
    nodes, shape, opset = CASES[name]
    n_outputs = 2 if name.startswith("Split") else 1
    path = model(tmp_path / "m.onnx", nodes, shape, n_outputs, opset)
    network = read_onnx(path)
    assert network.input_shape == shape[1:]
    x = array(7, *shape[1:])
    (expected,) = reference.ReferenceEvaluator(str(path)).run(None, {"x": x})
    found = network(torch.from_numpy(x))
    torch.testing.assert_close(found, torch.from_numpy(expected.copy()), rtol=1e-5, atol=1e-5)
    program, last = lower_with_last(network, input_shape=network.input_shape)
    values = program(torch.from_numpy(x).flatten(1))
    torch.testing.assert_close(last(values) if last else values, found.reshape(7, -1), rtol=1e-5, atol=1e-5)


def test_every_operator_is_tested() -> None:
    tested = {kind for nodes, _, _ in CASES.values() for kind, _, _ in nodes}
    assert tested == set(KNOWN) - set(IN_GRAPHS)


@pytest.mark.parametrize(
    ("nodes", "shape", "message"),
    [
        (
            [("Softmax", [], {}), ("Relu", [], {})],
            ("n", 3),
            r"node n0 \(Softmax\): softmax is not .* logits",
        ),
        (
            [("Relu", [], {}), ("Sigmoid", [], {}), ("Abs", [], {})],
            ("n", 3),
            r"node n1 \(Sigmoid\): .* Hardsigmoid or ReLU",
        ),
        ([("Selu", [], {"alpha": 1.0})], ("n", 3), r"node n0 \(Selu\): .* numbers of its own"),
        ([("Det", [], {})], ("n", 3, 3), r"node n0 \(Det\): Det is not supported"),
        ([("Mul", ["x"], {})], ("n", 3), r"node n0 \(Mul\): a product of two values"),
        ([("ReduceMean", [], {})], ("n", 3), "cannot be evaluated|points of a batch"),
        ([("Flatten", [], {"axis": 0})], ("n", 3), "has shape|points of a batch"),
        (
            [("AveragePool", [], {"kernel_shape": [2], "pads": [1, 0]})],
            ("n", 1, 4),
            "needs equal pads",
        ),
        ([("AveragePool", [], {"kernel_shape": [2], "ceil_mode": 1})], ("n", 1, 4), "ceil_mode"),
        (
            [("MaxPool", [], {"kernel_shape": [2], "pads": [1, 0], "dilations": [2]})],
            ("n", 1, 4),
            "needs equal pads",
        ),
        ([("Sign", [], {})], ("n", 3), r"node n0 \(Sign\): Sign is not continuous"),
        ([("Cast", [], {"to": 7})], ("n", 3), r"node n0 \(Cast\): a cast to integers"),
        ([("ThresholdedRelu", [], {"alpha": 0.5})], ("n", 3), "not continuous unless its alpha is 0"),
        ([("Shrink", [], {"lambd": 0.5})], ("n", 3), "not continuous unless its bias is its lambd"),
        (
            [
                (
                    "CumSum",
                    [
                        ints(1)[0],
                    ],
                    {"exclusive": 1},
                )
            ],
            ("n", 3),
            "exclusive=1",
        ),
        ([("Pad", [ints(1, 0, 0, 0)], {})], ("n", 3), "padding of the batch"),
        ([("Gather", [ints(0)], {"axis": 0})], ("n", 3), "points of the batch"),
        ([("Tile", [ints(2, 1)], {})], ("n", 3), "points of a batch|has shape"),
        ([("Greater", [array(3)], {})], ("n", 3), "not continuous|is not floating|not implemented"),
        ([("ConvTranspose", [array(1, 1, 2)], {"output_shape": [5]})], ("n", 1, 4), "output_shape"),
        ([("RandomNormalLike", [], {}), ("Add", ["x"], {})], ("n", 3), "RandomNormalLike"),
    ],
)
def test_what_is_not_supported_is_refused_by_node(
    nodes: list[tuple[str, list[Any], dict[str, Any]]],
    shape: tuple[int | str, ...],
    message: str,
    tmp_path: Path,
) -> None:
    path = model(tmp_path / "m.onnx", nodes, shape)
    with pytest.raises((UnsupportedModuleError, ValueError), match=message):
        load_program(path)
