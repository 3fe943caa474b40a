"""Build a plain network from its weights alone: a state dict, or an .npz archive.

Weights do not tell the activation: ReLU is assumed, or LeakyReLU with a given slope.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import chain, pairwise, permutations
from pathlib import Path

import torch
from torch import Tensor, nn

from creased.extras import how_to_install

WEIGHT = re.compile(r"(?<![a-zA-Z])(weight|kernel|W|w|A)(?![a-zA-Z])")  # in a name, as in weight_0 and W1
BIASES = {"weight": "bias", "kernel": "bias"}  # the name of a bias, by that of its weight; b by default
TRANSPOSED = ("kernel", "A")  # (in, out), as in flax
EITHER = ("W", "w")  # (out, in) or (in, out): biases tell
PARAMETRIZED = "parametrizations.weight.original"
NORMED = (("weight_g", "weight_v"), (f"{PARAMETRIZED}0", f"{PARAMETRIZED}1"))
FACTORS = re.compile(r"weight_(g|v|u|orig)$|original\d*$")  # of a reparametrized weight
MARK = re.compile(
    r"(\d+)\.(\w+)\._$"
)  # an empty array that names an operation, as in neural-implicit-queries
WITHOUT_EFFECT = ("squeeze_last",)  # operations behind the last layer
MOST_FAMILIES = 6  # of names, of which all orders are tried


class WeightsError(ValueError):
    """Tensors are not the weights of a plain network."""


def mlp_of_weights(tensors: Mapping[str, Tensor], slope: float = 0.0) -> nn.Sequential:
    """Build linear layers with ReLU between, which hold the given tensors.

    Names that differ in numbers only are a family, and in the order of these. The order of families, or of
    names without numbers, is the one given, unless that is alphabetical and so tells nothing: then it is the
    only one in which layers fit. A bias is named like its weight: ``weight`` and ``bias``, or, with weights
    (in, out), ``kernel`` and ``bias``, ``A`` and ``b``; it may be missing. ``W`` and ``b`` are (out, in) or
    (in, out), as biases tell. Convolutions of one point, (out, in, 1), are linear layers. Weight
    normalisation is multiplied out. Empty tensors that name operations, such as ``0001.relu._``, must say
    that there is ReLU between layers and nothing at the end.

    Args:
        tensors: floating weights (out, in) and biases (out,) by name.
        slope: negative slope of LeakyReLU; 0 for ReLU.

    Raises:
        WeightsError: there are other tensors, no order or several let layers fit, or the slope is not finite.
    """
    if not math.isfinite(slope):
        raise WeightsError(f"slope must be a finite number, got {slope}")
    tensors = _multiplied_out(_without_marks(tensors, slope))
    if reparametrized := sorted(filter(FACTORS.search, tensors)):
        raise WeightsError(
            f"not the weights of a plain network: {reparametrized[0]} is a factor of a reparametrized weight"
        )
    weights = {name: kind for name, tensor in tensors.items() if (kind := _kind(name)) and _is_matrix(tensor)}
    biases = {name: WEIGHT.sub(BIASES.get(kind, "b"), name) for name, kind in weights.items()}
    others = set(tensors).difference(weights, biases.values())
    if others or not weights:
        found = f"unexpected tensors {', '.join(sorted(others))}" if others else "no weight (out, in)"
        raise WeightsError(f"not the weights of a plain network: {found}")
    matrices = {name: tensors[name].flatten(1) for name in weights}
    offsets = {name: _as_vector(tensors[bias]) for name, bias in biases.items() if bias in tensors}
    either = {name: matrices[name] for name, kind in weights.items() if kind in EITHER}
    is_turned = dict.fromkeys(weights, False) | dict.fromkeys(either, _are_turned(either, offsets))
    is_turned |= {name: True for name, kind in weights.items() if kind in TRANSPOSED}
    layers = {
        name: _layer(name, matrix.T if is_turned[name] else matrix, offsets.get(name))
        for name, matrix in matrices.items()
    }
    ordered = [layers[name] for name in _in_order(layers)]
    between = [nn.LeakyReLU(slope) if slope else nn.ReLU() for _ in ordered[1:]]
    parts = [part for pair in zip(ordered, between, strict=False) for part in pair]
    return nn.Sequential(*parts, ordered[-1])


def _kind(name: str) -> str:
    """Return the word for a weight in a name; empty if it names none."""
    found = WEIGHT.findall(name)
    return found[-1] if found else ""


def _is_matrix(tensor: Tensor) -> bool:
    """True for a matrix, and for the kernel of a convolution of one point."""
    return tensor.ndim >= 2 and all(size == 1 for size in tensor.shape[2:])


def _as_vector(bias: Tensor) -> Tensor:
    """Return a bias (out,) that may be given as a row, (1, out)."""
    return bias[0] if bias.ndim == 2 and bias.shape[0] == 1 else bias


def _are_turned(weights: Mapping[str, Tensor], biases: Mapping[str, Tensor]) -> bool:
    """Tell by their biases whether weights are (in, out).

    Raises:
        WeightsError: all are square, so that nothing tells.
    """
    if weights and all(weight.shape[0] == weight.shape[1] for weight in weights.values()):
        raise WeightsError(
            f"not the weights of a plain network: {', '.join(weights)} are square, which may be (out, in) or "
            "(in, out): name them weight or kernel"
        )
    pairs = [(weights[name].shape, bias.shape) for name, bias in biases.items() if name in weights]
    is_plain, is_turned = (all(bias == (shape[axis],) for shape, bias in pairs) for axis in (0, 1))
    return is_turned and not is_plain


def _without_marks(tensors: Mapping[str, Tensor], slope: float) -> Mapping[str, Tensor]:
    """Drop empty tensors that name operations, once they say what is assumed: ReLU between layers."""
    marks = {name: found for name in tensors if not tensors[name].numel() and (found := MARK.search(name))}
    if not marks:
        return tensors
    layers = {name: tensor for name, tensor in tensors.items() if name not in marks}
    operations = {_numbers(name)[0]: "layer" for name in layers if _numbers(name)}
    operations |= {int(found[1]): found[2] for found in marks.values() if found[2] not in WITHOUT_EFFECT}
    named = [operations[number] for number in sorted(operations)]
    if slope or named != (["layer", "relu"] * len(named))[: len(named)] or named[-1] != "layer":
        others = sorted({*named}.difference(["layer", "relu"])) or ["relu"]
        raise WeightsError(
            f"not the weights of a plain network: the file names {', '.join(others)} where "
            f"{'LeakyReLU' if slope else 'ReLU'} is between layers, and nothing behind the last"
        )
    return layers


def _multiplied_out(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace lengths g and directions v of weight normalisation by the weights g v / |v|."""
    plain = dict(tensors)
    for length, direction in NORMED:
        for name in [name for name in plain if name.endswith(length)]:
            whole = name.removesuffix(length)
            if whole + direction in plain and plain[name].shape[0] == plain[whole + direction].shape[0]:
                lengths, directions = plain.pop(name), plain.pop(whole + direction)
                sizes = directions.flatten(1).norm(dim=1).view_as(lengths)
                plain[f"{whole}weight"] = directions * (lengths / sizes)
    return plain


def read_arrays(path: Path) -> dict[str, Tensor]:
    """Read the arrays of an .npz archive; pickled objects are refused.

    Raises:
        ImportError: NumPy is not installed.
        WeightsError: the file is damaged, or holds other things than arrays of numbers.
    """
    try:
        numpy = import_module("numpy")
    except ImportError as error:
        raise ImportError(f"reading .npz files needs NumPy: {how_to_install('shapes')}") from error
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            return {name: torch.from_numpy(archive[name]) for name in archive.files}
    except OSError:
        raise
    except Exception as error:  # NumPy raises many types on a damaged file
        raise WeightsError(
            f"{path} is not an archive of arrays of numbers: damaged, of another format, or with objects"
        ) from error


def _in_order(layers: Mapping[str, nn.Linear]) -> list[str]:
    """Order layers by their names, and refuse those that do not fit, or fit in several orders."""
    names = list(layers)
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(re.sub(r"\d+", "0", name), []).append(name)
    by_number = [sorted(family, key=_numbers) for family in families.values()]
    if len(families) == 1:
        orders = by_number
    elif names != sorted(names) and list(families.values()) == by_number:
        orders = [names]  # given in an order that means something
    else:
        every = permutations(by_number) if len(families) <= MOST_FAMILIES else [by_number]
        orders = [list(chain(*order)) for order in every] + [sorted(names, key=_naturally)]
    fitting = {tuple(order) for order in orders if not _misfit(order, layers)}
    if len(fitting) > 1:
        raise WeightsError(
            f"not the weights of a plain network: layers {', '.join(names)} fit in several orders, and their "
            "names do not tell which"
        )
    if not fitting:
        raise WeightsError(f"not the weights of a plain network: {_misfit(orders[0], layers)}")
    return list(fitting.pop())


def _numbers(name: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", name)]


def _naturally(name: str) -> list[tuple[str, int]]:
    """Sort numbers in names as numbers."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", name)]


def _misfit(order: Sequence[str], layers: Mapping[str, nn.Linear]) -> str:
    """Say which consecutive layers do not fit; empty if all do."""
    for one, other in pairwise(order):
        first, second = layers[one], layers[other]
        if first.out_features != second.in_features:
            return (
                f"{one} has {first.out_features} outputs, {other} takes {second.in_features} inputs; "
                "weights are (out, in)"
            )
    return ""


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
