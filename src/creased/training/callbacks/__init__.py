"""Lightning callbacks, one job each; the docstring of each holds the YAML that configures it.

`ExtractLevelSet` stores the level set of an epoch in the module; callbacks that read it come after it, and
`EpochTable` after all that log. A file that cannot be written is logged, and training continues.
"""

from creased.training.callbacks.betti_numbers import BettiNumbers
from creased.training.callbacks.draw import DrawLevelSet
from creased.training.callbacks.extract import ExtractLevelSet
from creased.training.callbacks.guard import StopOnNaN
from creased.training.callbacks.live_view import LiveView
from creased.training.callbacks.local_complexity import LocalComplexity
from creased.training.callbacks.log_meshes import LogMeshes
from creased.training.callbacks.logged_values import EpochTable, TrainingBar
from creased.training.callbacks.save import KeepEpochs, SaveMesh
from creased.training.callbacks.threads import ChooseThreads

__all__ = [
    "BettiNumbers",
    "ChooseThreads",
    "DrawLevelSet",
    "EpochTable",
    "ExtractLevelSet",
    "KeepEpochs",
    "LiveView",
    "LocalComplexity",
    "LogMeshes",
    "SaveMesh",
    "StopOnNaN",
    "TrainingBar",
]
