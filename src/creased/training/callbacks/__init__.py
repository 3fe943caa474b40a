"""Callbacks, one job each. Those that look at the level set come after `ExtractLevelSet`."""

from creased.training.callbacks.draw import DrawLevelSet
from creased.training.callbacks.epochs import KeepEpochs
from creased.training.callbacks.extract import ExtractLevelSet
from creased.training.callbacks.guard import StopOnNaN
from creased.training.callbacks.local_complexity import LocalComplexity
from creased.training.callbacks.log_meshes import LogMeshes
from creased.training.callbacks.progress import TrainingBar
from creased.training.callbacks.save import SaveMesh
from creased.training.callbacks.table import EpochTable

__all__ = [
    "DrawLevelSet",
    "EpochTable",
    "ExtractLevelSet",
    "KeepEpochs",
    "LocalComplexity",
    "LogMeshes",
    "SaveMesh",
    "StopOnNaN",
    "TrainingBar",
]
