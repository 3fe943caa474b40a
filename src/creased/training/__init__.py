"""Training: Lightning modules and callbacks, put together by Hydra."""

from creased.training.data import SDFDataModule
from creased.training.losses import ClampedDistance, Eikonal
from creased.training.module import SDFModule
from creased.training.regularization import Regularization
from creased.training.run import run
from creased.training.schedules import constant, one_cycle

__all__ = [
    "ClampedDistance",
    "Eikonal",
    "Regularization",
    "SDFDataModule",
    "SDFModule",
    "constant",
    "one_cycle",
    "run",
]
