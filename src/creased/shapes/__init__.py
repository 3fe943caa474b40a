"""Training shapes: where meshes come from, their repair and normalisation, distances, samples, metrics."""

from creased.io.similarity import Similarity
from creased.shapes.errors import ShapeError
from creased.shapes.shape import Shape, load_shape
from creased.shapes.sources import BunnyScan, Download, File

__all__ = ["BunnyScan", "Download", "File", "Shape", "ShapeError", "Similarity", "load_shape"]
