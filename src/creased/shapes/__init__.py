"""Training shapes: closed meshes in the domain, samples of their signed distance, and errors against them.

`sources` and `procedural` make meshes, `repair` closes and orients them, and `shape.load_shape` normalises
the result to a `Shape`. `sampling` draws training points with signed distances. `metrics` compares a trained
function and its mesh with the shape in units of the domain, `error_report` a mesh with its source in the
user's coordinates. Signed distances are those of `creased.meshes.queries`.
"""

from creased.io.similarity import Similarity
from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.shape import Shape, load_shape
from creased.shapes.sources import BunnyScan, Download, File, ShapeError

__all__ = [
    "BunnyScan",
    "Download",
    "File",
    "Shape",
    "ShapeError",
    "Similarity",
    "box",
    "bracket",
    "load_shape",
    "sphere",
    "torus",
]
