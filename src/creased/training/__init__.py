"""Train networks as signed distance functions with Lightning, configured by Hydra.

`run` goes from a configuration to a folder of results; `assembly` makes its module and trainer, `result`
measures what it ended with. `command` is `train.py`, with messages for Hydra's errors; `options` checks
options before any work, and `runs` chooses, resumes and locks run folders. `module` holds the network, its
losses and regularizers; `data` serves samples of a shape; `callbacks` extract the level set each epoch, and
write, draw and log it; `checkpoints` are written whole. `distributed` coordinates several processes: rank 0
alone extracts and writes.
"""

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
