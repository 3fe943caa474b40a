"""Training shapes: closed meshes in the domain, samples of their signed distance, and errors against them.

`sources` and `procedural` make meshes, `repair` closes and orients them, and `shape.load_shape` normalises
the result to a `Shape`. `sampling` draws training points with signed distances. A `Surface` is sampled and
asked for distances; `comparison` compares two of them, in the user's units, and `differences` says what
differs. `metrics` compares a trained function with its shape. Signed distances are those of
`creased.meshes.queries`.
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
