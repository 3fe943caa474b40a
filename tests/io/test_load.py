"""One door for files: what is found in them is the network that was saved, and mistakes end in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import creased
from creased.cli.main import main
from creased.io.checkpoint import CheckpointError


@pytest.fixture
def network() -> creased.MLP:
    torch.manual_seed(0)
    made = creased.MLP(3, 6, 2)
    with torch.no_grad():
        made[-1].bias -= made(torch.zeros(1, 3))[0]
    return made


def _arrays(network: nn.Module) -> dict[str, Any]:
    tensors = network.state_dict()
    return {f"{name[2:]}_{int(name[0]) // 2}": tensor.numpy() for name, tensor in tensors.items()}


def _agrees(program: creased.Program, network: nn.Module) -> None:
    x: Tensor = torch.randn(20, 3)
    torch.testing.assert_close(program(x), network(x))
    assert not any(tensor.requires_grad for tensor in program.tensors())


def test_state_dicts_are_loaded(network: creased.MLP, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "net.pt")
    _agrees(creased.load_program(tmp_path / "net.pt"), network)
    _agrees(creased.load_program(str(tmp_path / "net.pt")), network)


def test_checkpoints_of_lightning_are_loaded(network: creased.MLP, tmp_path: Path) -> None:
    inner = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": inner, "epoch": 3}, tmp_path / "foreign.ckpt")
    _agrees(creased.load_program(tmp_path / "foreign.ckpt"), network)


def test_archives_of_arrays_are_loaded(network: creased.MLP, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.savez(tmp_path / "net.npz", **_arrays(network))
    _agrees(creased.load_program(tmp_path / "net.npz"), network)
    leaky = creased.load_program(tmp_path / "net.npz", slope=0.1)
    assert leaky.blocks[0].skip is not None


def test_models_of_onnx_are_loaded(network: creased.MLP, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    arrays = _arrays(network)
    nodes, value = [], "x"
    for i in range(3):
        nodes.append(onnx.helper.make_node("Gemm", [value, f"weight_{i}", f"bias_{i}"], [f"z{i}"], transB=1))
        nodes.append(onnx.helper.make_node("Relu" if i < 2 else "Identity", [f"z{i}"], [f"s{i}"]))
        value = f"s{i}"
    infos = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", d])
        for name, d in (("x", "d"), ("s2", 1))
    ]
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = onnx.helper.make_graph(nodes, "g", infos[:1], infos[1:], tensors)
    imports = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=imports, ir_version=9), str(tmp_path / "net.onnx"))
    _agrees(creased.load_program(tmp_path / "net.onnx", input_shape=(3,)), network)
    with pytest.raises(CheckpointError, match="shape"):
        creased.load_program(tmp_path / "net.onnx")


def test_a_function_alone_is_extracted_where_it_is_told(
    network: creased.MLP, tmp_path: Path, capsys: Any
) -> None:
    torch.save(network.state_dict(), tmp_path / "net.pt")
    command = ["extract", str(tmp_path / "net.pt"), "--out", str(tmp_path / "mesh.ply")]
    assert main(command) == 1
    assert "net.pt holds a function alone, and no domain: give --half-width" in capsys.readouterr().err
    assert main([*command, "--half-width", "1"]) == 0
    assert "polygons" in capsys.readouterr().out
    assert (tmp_path / "mesh.ply").stat().st_size > 100
    assert main([*command, "--half-width", "1", "--output", "1"]) == 1
    assert "output must be in 0..0, got 1" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "net.pt")]) == 0
    told = capsys.readouterr().out
    assert "3 inputs, hidden widths (6, 6), 1 output(s)" in told
    assert "ReLU between layers, none behind the last" in told


def test_files_that_hold_no_network_are_refused(network: creased.MLP, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(CheckpointError, match="there is no file"):
        creased.load_program(tmp_path / "nowhere.npz")
    with pytest.raises(CheckpointError, match="is a mesh and not a network"):
        creased.load_program(tmp_path / "part.STL")
    numpy.savez(tmp_path / "objects.npz", weight=numpy.array([network], dtype=object))
    (tmp_path / "text.npz").write_text("solid x")
    for name in ("objects", "text"):
        with pytest.raises(ValueError, match=rf"{name}.npz"):
            creased.load_program(tmp_path / f"{name}.npz")
    torch.save({"state_dict": {"a.weight": torch.ones(3)}}, tmp_path / "odd.pt")
    with pytest.raises(CheckpointError, match=r"odd.pt.* a.weight"):
        creased.load_program(tmp_path / "odd.pt")
    torch.save({"a": 1}, tmp_path / "numbers.pt")
    with pytest.raises(CheckpointError, match=r"numbers.pt.*state dict"):
        creased.load_program(tmp_path / "numbers.pt")


def test_weights_that_are_not_finite_are_refused_by_layer(network: creased.MLP, tmp_path: Path) -> None:
    with torch.no_grad():
        network[2].weight[0, 0] = torch.nan
    torch.save(network.state_dict(), tmp_path / "net.pt")
    with pytest.raises(ValueError, match=r"weight of Sequential\[2\] \(Linear\) holds NaN or infinity"):
        creased.load_program(tmp_path / "net.pt")


@pytest.mark.parametrize("keys", [("model_state_dict",), ("net",), ("ema", "decoder")])
def test_the_only_nested_state_dict_is_found(tmp_path: Path, keys: tuple[str, ...]) -> None:
    network, points = creased.MLP(3, 4, 1), torch.rand(5, 3)
    values: dict[str, Any] = dict(network.state_dict())
    for key in reversed(keys):
        values = {key: values, "epoch": 3}
    torch.save(values, tmp_path / "net.pt")
    torch.testing.assert_close(creased.load_program(tmp_path / "net.pt")(points), network(points))
    torch.save({"one": network.state_dict(), "other": network.state_dict()}, tmp_path / "two.pt")
    with pytest.raises(CheckpointError, match="one, other"):
        creased.load_program(tmp_path / "two.pt")
