"""Name what `lower` does not support, its place in the module, and the nearest supported part."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

PREFIX = "lower: "  # of messages, once
NO_ACTIVATION = "no activation: the boundaries between classes are those of the logits"
NEAREST_SWITCH = "LeakyReLU, maximum or clamp"
NO_NORM = "BatchNorm, which is affine in eval mode, or no normalisation"


def _nearest_of(names: dict[str, str]) -> dict[str, str]:
    """Map each normalised name to its nearest supported part, given names by nearest part."""
    return {_normalised(name): nearest for nearest, group in names.items() for name in group.split()}


def _normalised(name: str) -> str:
    return name.replace("_", "").lower()


NOT_PIECEWISE_AFFINE = _nearest_of(
    {
        "ReLU": "GELU SiLU Swish Mish Hardswish Softplus LogSigmoid Exp Log Sqrt",
        "LeakyReLU": "ELU CELU SELU Expm1",
        "Hardtanh": "Softsign Erf Arctan",
        "Hardtanh or ReLU": "Tanh",
        "Hardsigmoid or ReLU": "Sigmoid",
        "Softshrink": "Tanhshrink",
        "TriangleWave": "Sin Cos",
        "GridMLP, which interpolates on simplices and not in products of coordinates": "GridSample "
        "GridSampler GridSampler2d GridSampler3d",
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
        NEAREST_SWITCH: "Where",
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
    for property_, nearest_of in tables:
        if nearest := nearest_of.get(_normalised(name)):
            return f"{name} is not {property_}; the nearest supported is {nearest}"
    return f"{name} is not supported"


def is_refused_by_name(module: nn.Module) -> bool:
    """True for torch's own modules that are known not to be supported."""
    is_known = _normalised(type(module).__name__) in NOT_PIECEWISE_AFFINE | NOT_CONTINUOUS
    return is_known and type(module).__module__.startswith("torch.nn")


def refuse_by_name(module: nn.Module) -> None:
    """Refuse a module with a part that `is_refused_by_name`.

    Raises:
        UnsupportedModuleError: the first such part, with its place.
    """
    for path, part in module.named_modules():
        if is_refused_by_name(part):
            reason = unsupported_reason(type(part).__name__)
            raise UnsupportedModuleError(f"lower: {place_of(type(module), path, type(part))}: {reason}")


def refuse_compiled(module: nn.Module) -> None:
    """Refuse modules with a part whose Python code is gone.

    Raises:
        UnsupportedModuleError: it is of TorchScript or of torch.export.
    """
    for path, part in module.named_modules() if isinstance(module, nn.Module) else [("", module)]:
        if (name := _compiler_of(part)) is not None:
            what = f"{place_of(type(module), path, type(part))}: a part" if path else "a program"
            raise UnsupportedModuleError(
                f"lower: {what} of {name} cannot be traced: lower the module that it was made of, or "
                "export that to ONNX and load it with creased.load_program"
            )


def _compiler_of(module: Any) -> str | None:
    """Name what compiled a module, if its Python code is gone."""
    if isinstance(module, torch.jit.ScriptModule):
        return "TorchScript"
    is_exported = isinstance(module, torch.fx.GraphModule) and "_guards_fn" in dict(module.named_children())
    return "torch.export" if is_exported or isinstance(module, torch.export.ExportedProgram) else None


def reason_of(error: Exception) -> str:
    """Return the first line of an error, for a message of `lower` that has its prefix already."""
    return str(error).strip().split("\n")[0].removeprefix(PREFIX) or type(error).__name__


def place_of(root: type, path: str, kind: type) -> str:
    """Spell the place and class of a root module's part, such as ``Net.blocks[2].act (Tanh)``."""
    parts = [f"[{part}]" if part.isdigit() else f".{part}" for part in path.split(".") if part]
    return f"{root.__name__}{''.join(parts)} ({kind.__name__})"
