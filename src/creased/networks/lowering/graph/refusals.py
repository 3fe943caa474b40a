"""Name what `lower` does not support, its place in the module, and the nearest supported part."""

from __future__ import annotations

from torch import nn

NO_ACTIVATION = "no activation: the boundaries between classes are those of the logits"
NO_NORM = "BatchNorm, which is affine in eval mode, or no normalisation"

NOT_PIECEWISE_AFFINE = {
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
}  # nearest supported part by name

NOT_CONTINUOUS = {
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
}  # nearest supported part by name


class UnsupportedModuleError(TypeError):
    """A module, or part of one, that `lower` cannot write as a program."""


class Refusal(Exception):  # noqa: N818 - it becomes an UnsupportedModuleError once its place is known
    """The reason why an operation is not supported; the tracer adds its place."""


def unsupported_reason(name: str) -> str:
    """Say why an operation or module of this name is not supported."""
    tables = (("piecewise affine", NOT_PIECEWISE_AFFINE), ("continuous", NOT_CONTINUOUS))
    for property_, nearest in tables:
        known = {_normalised(key): value for key, value in nearest.items()}
        if _normalised(name) in known:
            return f"{name} is not {property_}; the nearest supported is {known[_normalised(name)]}"
    return f"{name} is not supported"


def is_refused_by_name(module: nn.Module) -> bool:
    """True for torch's own modules that are known not to be supported."""
    name = type(module).__name__
    is_known = name in NOT_PIECEWISE_AFFINE or name in NOT_CONTINUOUS
    return is_known and type(module).__module__.startswith("torch.nn")


def refuse_by_name(module: nn.Module) -> None:
    """Refuse a module with a part that `is_refused_by_name`.

    Raises:
        UnsupportedModuleError: the first such part, with its place.
    """
    for path, part in module.named_modules():
        if is_refused_by_name(part):
            name = type(part).__name__
            place = f"{place_of(type(module).__name__, path)} ({name})"
            raise UnsupportedModuleError(f"lower: {place}: {unsupported_reason(name)}")


def place_of(root: str, path: str) -> str:
    """Spell a module's place, such as ``Net.blocks[2].act``, from the root's class and its dotted path."""
    parts = [f"[{part}]" if part.isdigit() else f".{part}" for part in path.split(".") if part]
    return root + "".join(parts)


def _normalised(name: str) -> str:
    return name.replace("_", "").lower()
