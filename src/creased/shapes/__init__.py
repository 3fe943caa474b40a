"""Training shapes: solids in the domain, samples of their signed distance, and errors against them.

`sources` and `procedural` make meshes, `repair` makes solids of them, and `shape.load_shape` normalises the
result to a `Shape`; `point_cloud` makes a shape of points with normals. Both are a `Target`: `sampling` draws
training points with signed distances from it, and it measures what was learnt, solids by `metrics`. A
`Surface` is sampled and asked for distances; `comparison` compares two of them, in the user's units, and
`differences` says what differs. Signed distances are those of `creased.meshes.queries` and `point_index`.
"""

from creased.io.similarity import Similarity
from creased.shapes.point_cloud import PointCloud
from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.shape import Shape, load_shape
from creased.shapes.sources import BunnyScan, Download, File, ShapeError
from creased.shapes.target import Target

__all__ = [
    "BunnyScan",
    "Download",
    "File",
    "PointCloud",
    "Shape",
    "ShapeError",
    "Similarity",
    "Target",
    "box",
    "bracket",
    "load_shape",
    "sphere",
    "torus",
]
