"""Where shapes come from: a file, an installed package, a verified download, or the configuration of a run.

A source is a callable without arguments that returns one `trimesh.Trimesh` of all that it holds, in the
user's coordinates, placed as the scene of the file places it. Vertices in exactly one place are one vertex
within an object, and never between two objects; ``face_attributes["object"]`` (T,) numbers the object of each
triangle. The unit of length, where the file states one, is ``metadata["unit"]``, a name of
`creased.io.units.UNITS`.
`creased.shapes.procedural` has more sources.
"""

from creased.shapes.sources.download import BunnyScan, Download
from creased.shapes.sources.mesh_file import File, ShapeError, Source
from creased.shapes.sources.of_run import source_of_run

__all__ = ["BunnyScan", "Download", "File", "ShapeError", "Source", "source_of_run"]
