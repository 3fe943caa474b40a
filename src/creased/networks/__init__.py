"""What users train, and how a module becomes a `Program`."""

from creased.networks.lower import lower
from creased.networks.lowering.graph.refusals import UnsupportedModuleError
from creased.networks.models.group_sort import GroupSort
from creased.networks.models.maxout import Maxout, MaxoutMLP
from creased.networks.models.mlp import MLP
from creased.networks.models.residual_mlp import ResidualMLP
from creased.networks.models.skip_mlp import SkipMLP
from creased.networks.models.triangle_wave import TriangleMLP, TriangleWave

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
