"""Networks to train, and their lowering to a `Program`.

`models` holds architectures and `initialise` their initial weights; `weights` and `onnx` read networks from
files. `lower` accepts these and any other piecewise-affine torch module; none of them imports it.
"""

from creased.networks.initialise import geometric, kaiming
from creased.networks.lower import Lowered, lower, lower_with_last
from creased.networks.lowering.graph.refusals import UnsupportedModuleError
from creased.networks.models.grid_mlp import GridMLP
from creased.networks.models.group_sort import GroupSort
from creased.networks.models.maxout import Maxout, MaxoutMLP
from creased.networks.models.mlp import MLP
from creased.networks.models.residual_mlp import ResidualMLP
from creased.networks.models.skip_mlp import SkipMLP
from creased.networks.models.triangle_wave import TriangleMLP, TriangleWave
from creased.networks.onnx.network import OnnxNetwork
from creased.networks.onnx.read import read_onnx
from creased.networks.weights import WeightsError, mlp_of_weights

__all__ = [
    "MLP",
    "GridMLP",
    "GroupSort",
    "Lowered",
    "Maxout",
    "MaxoutMLP",
    "OnnxNetwork",
    "ResidualMLP",
    "SkipMLP",
    "TriangleMLP",
    "TriangleWave",
    "UnsupportedModuleError",
    "WeightsError",
    "geometric",
    "kaiming",
    "lower",
    "lower_with_last",
    "mlp_of_weights",
    "read_onnx",
]
