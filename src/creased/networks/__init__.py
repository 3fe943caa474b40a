"""What users train, and how a module becomes a `Program`."""

from creased.networks.lower import lower
from creased.networks.mlp import MLP
from creased.networks.refusals import UnsupportedModuleError

__all__ = ["MLP", "UnsupportedModuleError", "lower"]
