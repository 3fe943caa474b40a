"""ONNX files are read as modules: whole networks, constants worked out; what is no model is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Box, extract_level_set, load_program, lower
from creased.networks.models.maxout import MaxoutMLP
from creased.networks.models.residual_mlp import ResidualMLP
from creased.networks.models.skip_mlp import SkipMLP
from creased.networks.onnx.read import read_onnx
from tests.networks.onnx.test_operators import array, ints, model

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
numpy = pytest.importorskip("numpy")


def _mlp(path: Path) -> Path:
    layers = [("Gemm", [array(8, 3), array(8)], {"transB": 1}), ("Relu", [], {})]
    return model(path, [*layers, ("Gemm", [array(8, 1), array(1)], {})], ("n", 3))


def test_an_mlp_is_a_plain_program_and_has_its_level_set(tmp_path: Path) -> None:
    path = _mlp(tmp_path / "m.onnx")
    program = lower(read_onnx(path)).detach()
    assert program.widths == (8,)
    assert program.blocks[0].mix is None
    level = float(program(torch.zeros(1, 3)))
    surface = extract_level_set(program, Box.cube(3, 1), level, dtype=torch.float64)
    (values,) = reference.ReferenceEvaluator(str(path)).run(None, {"x": surface.vertices.float().numpy()})
    torch.testing.assert_close(
        torch.from_numpy(values), torch.full_like(surface.vertices[:, :1], level).float()
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_torch_exports_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(12, 6),
        nn.Hardtanh(),
        nn.Linear(6, 2),
    ).eval()
    path = tmp_path / "m.onnx"
    torch.onnx.export(module, (torch.zeros(1, 1, 8, 8),), str(path), dynamo=False)  # for one point at a time
    program = lower(read_onnx(path), input_shape=(1, 8, 8))
    x = torch.randn(20, 1, 8, 8)
    torch.testing.assert_close(program(x.flatten(1)), module(x), rtol=1e-4, atol=1e-5)
    assert program.n_neurons == lower(module, input_shape=(1, 8, 8)).n_neurons


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [MLP, MaxoutMLP, ResidualMLP, SkipMLP])
def test_what_the_dynamo_exporter_writes_comes_back(tmp_path: Path, model: type[nn.Module]) -> None:
    pytest.importorskip("onnxscript")  # that exporter needs it, nothing else does
    torch.manual_seed(0)
    module = model(3, 8, 4).eval()
    path = tmp_path / "m.onnx"
    n_points = torch.export.Dim("n")
    torch.onnx.export(module, (torch.rand(2, 3),), str(path), dynamo=True, dynamic_shapes=({0: n_points},))
    x = torch.rand(20, 3)
    torch.testing.assert_close(load_program(path)(x), module(x), rtol=1e-4, atol=1e-5)


def test_weights_can_be_trained(tmp_path: Path) -> None:
    network = read_onnx(_mlp(tmp_path / "m.onnx"))
    lower(network, check=False)(torch.zeros(1, 3)).sum().backward()
    assert len(list(network.parameters())) == 4
    assert all(parameter.grad is not None for parameter in network.parameters())


def _saved(path: Path, nodes: list[Any], shape: Any = ("n", 3), outputs: tuple[str, ...] = ("y",)) -> Path:
    points = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    outs = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ("?",)) for name in outputs]
    graph = onnx.helper.make_graph(nodes, "g", [points], outs)
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9),
        str(path),
    )
    return path


def test_what_does_not_depend_on_the_input_is_worked_out(tmp_path: Path) -> None:
    def constant(name: str, value: Any) -> Any:
        return onnx.helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))

    nodes = [
        constant("a", array(6)),
        constant("shape", ints(3, 2)),
        onnx.helper.make_node("Reshape", ["a", "shape"], ["w"]),
        onnx.helper.make_node("MatMul", ["x", "w"], ["z"]),
        onnx.helper.make_node("Constant", [], ["low"], value_float=-0.5),
        onnx.helper.make_node("Max", ["z", "low"], ["y"]),
    ]
    path = _saved(tmp_path / "m.onnx", nodes)
    network = read_onnx(path)
    assert [node.kind for node in network.nodes] == ["MatMul", "Max"]
    x = array(5, 3)
    (expected,) = reference.ReferenceEvaluator(str(path)).run(None, {"x": x})
    torch.testing.assert_close(lower(network)(torch.from_numpy(x)), torch.from_numpy(expected))


def test_one_of_several_outputs_is_chosen_by_name(tmp_path: Path) -> None:
    nodes = [
        onnx.helper.make_node("Relu", ["x"], ["y"]),
        onnx.helper.make_node("Neg", ["x"], ["z"]),
    ]
    path = _saved(tmp_path / "m.onnx", nodes, outputs=("y", "z"))
    with pytest.raises(ValueError, match="has 2 outputs: choose one of y, z"):
        read_onnx(path)
    with pytest.raises(ValueError, match="has no output w: choose one of y, z"):
        read_onnx(path, "w")
    x: Tensor = torch.randn(4, 3)
    torch.testing.assert_close(read_onnx(path, "z")(x), -x)


def test_a_shape_that_the_file_does_not_say_is_none(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    assert read_onnx(_saved(tmp_path / "m.onnx", [node], ("n", "d"))).input_shape is None


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    whole = _mlp(tmp_path / "m.onnx").read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "text": b"solid x\n", "empty": b""}.items():
        (tmp_path / f"{name}.onnx").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}.onnx is not a valid ONNX model"):
            read_onnx(tmp_path / f"{name}.onnx")
