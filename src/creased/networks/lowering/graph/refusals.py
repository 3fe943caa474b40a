"""What `lower` refuses, and how it says so: by name and place, with the nearest thing that is supported."""

from __future__ import annotations

from torch import nn

NO_ACTIVATION = "no activation: the boundaries between classes are those of the logits"
NO_NORM = "BatchNorm, which is affine in eval mode, or no normalisation"
SMOOTH = {
    "GELU": "ReLU",
    "SiLU": "ReLU",
    "Swish": "ReLU",
    "Mish": "ReLU",
    "Hardswish": "ReLU",
    "ELU": "LeakyReLU",
    "CELU": "LeakyReLU",
    "SELU": "LeakyReLU",
    "GLU": "Maxout",
    "Softplus": "ReLU",
    "LogSigmoid": "ReLU",
    "Softsign": "Hardtanh",
    "Tanhshrink": "Softshrink",
    "Sigmoid": "Hardsigmoid or ReLU",
    "Tanh": "Hardtanh or ReLU",
    "Erf": "Hardtanh",
    "Arctan": "Hardtanh",
    "Exp": "ReLU",
    "Expm1": "LeakyReLU",
    "Log": "ReLU",
    "Sin": "TriangleWave",
    "Cos": "TriangleWave",
    "Sqrt": "ReLU",
    "Softmax": NO_ACTIVATION,
    "Softmax2d": NO_ACTIVATION,
    "Softmin": NO_ACTIVATION,
    "LogSoftmax": NO_ACTIVATION,
    "Logsumexp": "amax",
    "LayerNorm": NO_NORM,
    "GroupNorm": NO_NORM,
    "RMSNorm": NO_NORM,
    "InstanceNorm": NO_NORM,
    "InstanceNorm1d": NO_NORM,
    "InstanceNorm2d": NO_NORM,
    "InstanceNorm3d": NO_NORM,
    "LocalResponseNorm": NO_NORM,
    "Normalize": NO_NORM,
    "MultiheadAttention": "Maxout",
    "ScaledDotProductAttention": "Maxout",
    "Bilinear": "Linear",
    "Pow": "abs",
    "Square": "abs",
    "LPPool1d": "MaxPool1d",
    "LPPool2d": "MaxPool2d",
    "LSTM": "Linear and ReLU",
    "GRU": "Linear and ReLU",
}  # not piecewise affine, and what is nearest to it

JUMPS = {
    "Hardshrink": "Softshrink",
    "Sign": "Hardtanh",
    "Heaviside": "Hardsigmoid",
    "Round": "the identity",
    "Floor": "the identity",
    "Ceil": "the identity",
    "Trunc": "the identity",
    "Fmod": "TriangleWave",
    "Remainder": "TriangleWave",
    "Mod": "TriangleWave",
    "Floordiv": "div",
    "Where": "LeakyReLU, maximum or clamp",
    "Gt": "Hardsigmoid",
    "Lt": "Hardsigmoid",
    "Ge": "Hardsigmoid",
    "Le": "Hardsigmoid",
    "Argmax": NO_ACTIVATION,
}  # not continuous, and what is nearest to it


class UnsupportedModuleError(TypeError):
    """A module, or part of one, that `lower` cannot write as a program."""


class Refusal(Exception):  # noqa: N818 - it becomes an UnsupportedModuleError once its place is known
    """Why an operation is not supported; its place is added by who knows it."""


def reason_against(name: str) -> str:
    """Why an operation or a module of this name is refused."""
    for why, nearest in (("piecewise affine", SMOOTH), ("continuous", JUMPS)):
        known = {_plain(key): value for key, value in nearest.items()}
        if _plain(name) in known:
            return f"{name} is not {why}; the nearest supported is {known[_plain(name)]}"
    return f"{name} is not supported"


def is_known(module: nn.Module) -> bool:
    """True if a module is refused without a look inside: it is torch's own, and its name says enough."""
    name = type(module).__name__
    return type(module).__module__.startswith("torch.nn") and (name in SMOOTH or name in JUMPS)


def refuse_by_name(module: nn.Module) -> None:
    """Refuse a module that has a part whose name says enough.

    Raises:
        UnsupportedModuleError: it has.
    """
    for path, part in module.named_modules():
        if is_known(part):
            name = type(part).__name__
            place = f"{spell(type(module).__name__, path)} ({name})"
            raise UnsupportedModuleError(f"lower: {place}: {reason_against(name)}")


def spell(root: str, path: str) -> str:
    """A module's place, such as ``Net.blocks[2].act``, from the root's class name and its dotted path."""
    parts = [f"[{part}]" if part.isdigit() else f".{part}" for part in path.split(".") if part]
    return root + "".join(parts)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
