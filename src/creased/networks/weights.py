"""A plain network from its weights alone: a state dict, or an archive of arrays.

Weights say nothing of what is between the layers; ReLU is assumed, or LeakyReLU with a slope that is given.
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
PARTS = re.compile(r"weight_(g|v|u|orig)$|original\d*$")  # of weights that a reparametrization makes


class WeightsError(ValueError):
    """Tensors that are not the weights of a plain network; the message says why."""


def mlp_of_weights(tensors: Mapping[str, Tensor], slope: float = 0.0) -> nn.Sequential:
    """Linear layers with ReLU between, holding the given tensors.

    Layers are in the order of the numbers in their names, or where there are none in the order given. A bias
    is named as its weight is, with ``bias`` for ``weight``; a layer may have none.

    Args:
        tensors: weights (out, in) and biases (out,) by name, floating.
        slope: of LeakyReLU on the negative side; 0 for ReLU.

    Raises:
        WeightsError: there are other tensors, the sizes of layers do not fit, or the slope is no number.
    """
    if not math.isfinite(slope):
        raise WeightsError(f"slope must be a finite number, got {slope}")
    if reparametrized := sorted(filter(PARTS.search, tensors)):
        raise WeightsError(f"not the weights of a plain network: {reparametrized[0]} is part of a weight")
    names = [name for name, tensor in tensors.items() if WEIGHT.search(name) and tensor.ndim == 2]
    biases = {name: WEIGHT.sub("bias", name) for name in names}
    others = set(tensors).difference(names, biases.values())
    if others or not names:
        found = ", ".join(sorted(others)) or "nothing"
        raise WeightsError(f"not the weights of a plain network: beside layers there is {found}")
    layers = [_layer(name, tensors[name], tensors.get(biases[name])) for name in _in_order(names)]
    for (one, first), (other, second) in pairwise(zip(_in_order(names), layers, strict=True)):
        if first.out_features != second.in_features:
            raise WeightsError(
                f"not the weights of a plain network: {one} has {first.out_features} outputs, {other} takes "
                f"{second.in_features} inputs; weights are (out, in)"
            )
    between = [nn.LeakyReLU(slope) if slope else nn.ReLU() for _ in layers[1:]]
    parts = [part for pair in zip(layers, between, strict=False) for part in pair]
    return nn.Sequential(*parts, layers[-1])


def read_arrays(path: Path) -> dict[str, Tensor]:
    """The arrays of an .npz archive; nothing in it is executed.

    Raises:
        ImportError: NumPy is not installed.
        WeightsError: the file is damaged, or holds what is no array of numbers.
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
    except Exception as error:  # of a damaged file NumPy raises nearly anything
        raise WeightsError(
            f"{path} is not an archive of arrays of numbers: damaged, another kind of file, or with objects"
        ) from error


def _in_order(names: list[str]) -> list[str]:
    """By the numbers in names that are alike but for these, else as they are."""
    if len({re.sub(r"\d+", "0", name) for name in names}) == 1:
        return sorted(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    return names


def _layer(name: str, weight: Tensor, bias: Tensor | None) -> nn.Linear:
    for part in (weight, bias):
        if part is not None and not part.is_floating_point():
            raise WeightsError(f"{name}: numbers must be floating, got {part.dtype}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise WeightsError(f"{name} has shape {tuple(weight.shape)}, its bias {tuple(bias.shape)}")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer
