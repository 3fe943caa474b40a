"""Load a network from a file: a checkpoint of creased, a state dict, an .npz archive or an ONNX model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.io.checkpoint import FORMAT, KEY, CheckpointError, Record, load_plain, read_record
from creased.io.export import WRITERS
from creased.io.limits import why_too_large
from creased.io.similarity import Similarity
from creased.networks.lower import Lowered, lower, lower_with_last
from creased.networks.lowering.last_activation import LastActivation
from creased.networks.onnx.network import OnnxNetwork
from creased.networks.onnx.read import evaluate_file, read_onnx
from creased.networks.weights import WeightsError, mlp_of_weights, read_arrays


class Loaded(NamedTuple):
    """The content of a file: a program, and what a checkpoint of creased knows beside it."""

    program: Program
    record: Record | None  # None unless the file is a checkpoint of creased
    assumed: str = ""  # what weights alone do not tell; a sentence without a full stop
    last: LastActivation | None = None  # that was taken off


Shape = tuple[int, ...]


def load_program(
    path: str | Path,
    *,
    slope: float = 0.0,
    input_shape: Shape | None = None,
    output: str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Program:
    """Load the program of a network in a file.

    Args:
        path: a checkpoint of creased or of Lightning, a state dict (.pt, .pth), an archive of weights and
            biases (.npz), or an ONNX model (.onnx). A state dict may be nested, if it is the only one.
        slope: for weights alone: that of LeakyReLU between the layers; 0 for ReLU.
        input_shape: for an ONNX model that leaves it open: the shape of one point.
        output: for an ONNX model: the name of an output, or of any tensor within.
        inputs: for an ONNX model of several inputs: values of all but the points, by name.

    Raises:
        CheckpointError: the file is missing or damaged, or holds no network.
        ImportError: the package that reads such files is not installed.
        UnsupportedModuleError: the network is not piecewise affine.
        ValueError: a weight is not finite.
    """
    return load_file(Path(path), slope=slope, input_shape=input_shape, output=output, inputs=inputs).program


def load_file(
    path: Path,
    *,
    slope: float = 0.0,
    input_shape: Shape | None = None,
    output: str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load a file as `load_program` does, with the record of a checkpoint of creased."""
    if path.suffix in (".onnx", ".npz") and not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    if path.suffix.lower() in WRITERS:
        raise CheckpointError(
            f"{path} is a mesh and not a network: creased check, compare and view take meshes"
        )
    if path.suffix == ".onnx":
        network = read_onnx(path, output, inputs)
        program, last = _lower_onnx(network, path, input_shape)
        return Loaded(program.detach(), None, last=last)
    if path.suffix == ".npz":
        if why := why_too_large(path):
            raise CheckpointError(why)
        return _of_weights(path, read_arrays(path), slope)
    values = load_plain(path)
    if KEY in values:
        record = read_record(path)
        return Loaded(record.program, record, last=record.last)
    return _of_weights(path, _state_dict(path, values), slope)


def locate(loaded: Loaded, path: Path, half_width: float | None) -> Record:
    """Set the domain of a record to the requested cube; a function alone gets a record.

    Raises:
        CheckpointError: the file holds a function alone, and no cube is requested.
    """
    record, program = loaded.record, loaded.program
    if half_width is None:
        if record is None:
            raise CheckpointError(f"{path} holds a function alone, and no domain: give --half-width")
        return record
    domain = Box.cube(program.in_dim, half_width)
    if record is None:
        return Record(program, domain, Similarity.identity(), path.name, 0, last=loaded.last)
    return replace(record, domain=domain)


def _lower_onnx(network: OnnxNetwork, path: Path, input_shape: Shape | None) -> Lowered:
    """Lower a network of ONNX, and compare it with the reference evaluator at a point.

    Raises:
        CheckpointError: the shape of its points is not known, or it differs.
    """
    shape = input_shape or network.input_shape
    if shape is None:
        raise CheckpointError(
            f"{path} does not say what shape its points have: give input_shape=, or --input-shape"
        )
    with torch.no_grad():  # a graph would keep what each step made
        lowered = lower_with_last(network, input_shape=shape)
    point = torch.randn((1, *shape), generator=torch.Generator().manual_seed(0))
    if (expected := evaluate_file(path, network, point)) is not None:
        values = lowered.program(point.reshape(1, -1).to(lowered.program.dtype)).detach()
        found = (values if lowered.last is None else lowered.last(values)).reshape(-1)
        tolerance = get_epsilon(torch.float32) * (1 + float(expected.abs().max()))
        differs = found.shape != expected.shape or float((found - expected).abs().max()) > tolerance
        if differs:
            raise CheckpointError(f"{path} is another function in onnx's reference evaluator: not loaded")
    return lowered


def _state_dict(path: Path, values: dict[str, object]) -> dict[str, Tensor]:
    """Find the state dict: the file itself, or the only one in it."""
    found = dict(_state_dicts(values))
    if "state_dict" in found:  # Lightning's
        found = {"state_dict": found["state_dict"]}
    if len(found) != 1:
        what = f"several state dicts: {', '.join(found)}" if found else "no state dict: was it trained by it?"
        raise CheckpointError(f"{path} holds no record of creased (format {FORMAT}), and {what}")
    (inner,) = found.values()
    for name, tensor in inner.items():
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise CheckpointError(
                f"{path}: {name} of shape {tuple(tensor.shape)} has fewer numbers than that"
            )
    return inner


def _state_dicts(values: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield nested dicts of tensors alone, with the keys that lead there."""
    if values and all(isinstance(tensor, Tensor) for tensor in values.values()):
        yield path, {str(name): tensor for name, tensor in values.items()}
        return
    for name, inner in values.items():
        if isinstance(inner, Mapping):
            yield from _state_dicts(inner, f"{path}.{name}" if path else str(name))


def _of_weights(path: Path, tensors: dict[str, Tensor], slope: float) -> Loaded:
    try:
        network = mlp_of_weights(tensors, slope)
        activation = f"LeakyReLU({slope:g})" if slope else "ReLU"
        return Loaded(lower(network).detach(), None, f"{activation} between layers, none behind the last")
    except WeightsError as error:
        raise CheckpointError(f"{path}: {error}; lower the module itself, with creased.lower") from error
