"""What users train, and how a module becomes a `Program`."""

from creased.networks.lower import UnsupportedModuleError, lower
from creased.networks.mlp import MLP

__all__ = ["MLP", "UnsupportedModuleError", "lower"]
