"""Name what `lower` does not support, its place in the module, and the nearest supported part."""

from __future__ import annotations

from torch import nn

NO_ACTIVATION = "no activation: the boundaries between classes are those of the logits"
NO_NORM = "BatchNorm, which is affine in eval mode, or no normalisation"


def _nearest_of(names: dict[str, str]) -> dict[str, str]:
    """Map each name to its nearest supported part, given names by nearest part."""
    return {name: nearest for nearest, group in names.items() for name in group.split()}


NOT_PIECEWISE_AFFINE = _nearest_of(
    {
        "ReLU": "GELU SiLU Swish Mish Hardswish Softplus LogSigmoid Exp Log Sqrt",
        "LeakyReLU": "ELU CELU SELU Expm1",
        "Hardtanh": "Softsign Erf Arctan",
        "Hardtanh or ReLU": "Tanh",
        "Hardsigmoid or ReLU": "Sigmoid",
        "Softshrink": "Tanhshrink",
        "TriangleWave": "Sin Cos",
        "Maxout": "GLU MultiheadAttention ScaledDotProductAttention",
        "amax": "Logsumexp",
        "abs": "Pow Square",
        "Linear": "Bilinear",
        "Linear and ReLU": "LSTM GRU",
        "MaxPool1d": "LPPool1d",
        "MaxPool2d": "LPPool2d",
        NO_ACTIVATION: "Softmax Softmax2d Softmin LogSoftmax",
        NO_NORM: "LayerNorm GroupNorm RMSNorm InstanceNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d "
        "LocalResponseNorm Normalize",
    }
)

NOT_CONTINUOUS = _nearest_of(
    {
        "Softshrink": "Hardshrink",
        "Hardtanh": "Sign",
        "Hardsigmoid": "Heaviside Gt Lt Ge Le",
        "the identity": "Round Floor Ceil Trunc",
        "TriangleWave": "Fmod Remainder Mod",
        "div": "Floordiv",
        "LeakyReLU, maximum or clamp": "Where",
        NO_ACTIVATION: "Argmax",
    }
)


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
