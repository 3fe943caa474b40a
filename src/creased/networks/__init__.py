"""What users train, and how a module becomes a `Program`."""

from creased.networks.group_sort import GroupSort
from creased.networks.lower import lower
from creased.networks.lowering.refusals import UnsupportedModuleError
from creased.networks.maxout import Maxout, MaxoutMLP
from creased.networks.mlp import MLP
from creased.networks.residual_mlp import ResidualMLP
from creased.networks.skip_mlp import SkipMLP
from creased.networks.triangle_wave import TriangleMLP, TriangleWave

__all__ = [
    "MLP",
    "GroupSort",
    "Maxout",
    "MaxoutMLP",
    "ResidualMLP",
    "SkipMLP",
    "TriangleMLP",
    "TriangleWave",
    "UnsupportedModuleError",
    "lower",
]
