"""Build a plain network from its weights alone: a state dict, or an .npz archive.

Weights do not tell the activation: ReLU is assumed, or LeakyReLU with a given slope.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

WEIGHT = re.compile(r"(?<![a-z])weight(?![a-z])")  # in a name, as in weight_0 and layers.0.weight
FACTORS = re.compile(r"weight_(g|v|u|orig)$|original\d*$")  # of a reparametrized weight


class WeightsError(ValueError):
    """Tensors are not the weights of a plain network."""


def mlp_of_weights(tensors: Mapping[str, Tensor], slope: float = 0.0) -> nn.Sequential:
    """Build linear layers with ReLU between, which hold the given tensors.

    Layers are ordered by the numbers in their names, or without numbers as given. A bias is named like its
    weight, with ``bias`` for ``weight``; it may be missing.

    Args:
        tensors: floating weights (out, in) and biases (out,) by name.
        slope: negative slope of LeakyReLU; 0 for ReLU.

    Raises:
        WeightsError: there are other tensors, consecutive layers do not fit, or the slope is not finite.
    """
    if not math.isfinite(slope):
        raise WeightsError(f"slope must be a finite number, got {slope}")
    if reparametrized := sorted(filter(FACTORS.search, tensors)):
        raise WeightsError(
            f"not the weights of a plain network: {reparametrized[0]} is a factor of a reparametrized weight"
        )
    names = _in_order([name for name, tensor in tensors.items() if WEIGHT.search(name) and tensor.ndim == 2])
    biases = {name: WEIGHT.sub("bias", name) for name in names}
    others = set(tensors).difference(names, biases.values())
    if others or not names:
        found = f"unexpected tensors {', '.join(sorted(others))}" if others else "no weight (out, in)"
        raise WeightsError(f"not the weights of a plain network: {found}")
    layers = [_layer(name, tensors[name], tensors.get(biases[name])) for name in names]
    for (one, first), (other, second) in pairwise(zip(names, layers, strict=True)):
        if first.out_features != second.in_features:
            raise WeightsError(
                f"not the weights of a plain network: {one} has {first.out_features} outputs, {other} takes "
                f"{second.in_features} inputs; weights are (out, in)"
            )
    between = [nn.LeakyReLU(slope) if slope else nn.ReLU() for _ in layers[1:]]
    parts = [part for pair in zip(layers, between, strict=False) for part in pair]
    return nn.Sequential(*parts, layers[-1])


def read_arrays(path: Path) -> dict[str, Tensor]:
    """Read the arrays of an .npz archive; pickled objects are refused.

    Raises:
        ImportError: NumPy is not installed.
        WeightsError: the file is damaged, or holds other things than arrays of numbers.
    """
    try:
        numpy = import_module("numpy")
    except ImportError as error:
        raise ImportError("reading .npz files needs NumPy: pip install 'creased[shapes]'") from error
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            return {name: torch.from_numpy(archive[name]) for name in archive.files}
    except OSError:
        raise
    except Exception as error:  # NumPy raises many types on a damaged file
        raise WeightsError(
            f"{path} is not an archive of arrays of numbers: damaged, of another format, or with objects"
        ) from error


def _in_order(names: list[str]) -> list[str]:
    """Sort names that differ in their numbers only by these; leave other names as they are."""
    if len({re.sub(r"\d+", "0", name) for name in names}) == 1:
        return sorted(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    return names


def _layer(name: str, weight: Tensor, bias: Tensor | None) -> nn.Linear:
    for part in (weight, bias):
        if part is not None and not part.is_floating_point():
            raise WeightsError(f"{name}: weights must be floating, got {part.dtype}")
    if bias is not None and bias.shape != weight.shape[:1]:
        shape, found = tuple(weight.shape), tuple(bias.shape)
        raise WeightsError(f"{name} of shape {shape} needs a bias of shape ({shape[0]},), got {found}")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer
