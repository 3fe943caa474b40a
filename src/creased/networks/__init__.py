"""What users train, and how a module becomes a `Program`."""

from creased.networks.lower import lower
from creased.networks.lowering.refusals import UnsupportedModuleError
from creased.networks.mlp import MLP

__all__ = ["MLP", "UnsupportedModuleError", "lower"]
