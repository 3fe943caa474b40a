"""Training shapes: where meshes come from, their repair and normalisation, distances, samples, metrics."""

from creased.shapes.errors import ShapeError
from creased.shapes.shape import Shape, load_shape
from creased.shapes.sources import BunnyScan, Download, File
from creased.similarity import Similarity

__all__ = ["BunnyScan", "Download", "File", "Shape", "ShapeError", "Similarity", "load_shape"]
