"""Draw the exact mesh of a run, and beside it its convex parts within some errors, pulled apart.

    ./run train shape=bunny
    ./run python -m scripts.pictures.parts RUN --out docs/pictures/parts.png

Parts are as they are exported, each moved away from the middle of all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

import creased
from creased import ConvexParts
from creased.io.bodies.part_files import colour_of
from creased.meshes.polygon_mesh import PolygonMesh
from creased.render.camera import View, make_camera
from creased.render.error_picture import side_by_side
from creased.render.images import save_png
from creased.render.render import UNIT_CUBE, average, develop, look
from creased.render.shading import PORCELAIN, paint
from scripts.common.options import make_parser

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIEW = View(azimuth=-62, elevation=12, up="z", zoom=1.1)
APART = 0.35  # of the way from the middle, by which parts are moved
REACH = 0.4  # of what dims the light


def draw_parts(found: ConvexParts, size: int) -> NDArray[np.uint8]:
    """Draw parts in colours, pulled apart."""
    middle, points, facets, owners = found.moments.first / found.volume, [], [], []
    for k, part in enumerate(found.parts):
        facets.append(part.facets + sum(map(len, points)))
        points.append(part.vertices + APART * (part.vertices.mean(0) - middle))
        owners += [k] * len(part.facets)
    mesh = PolygonMesh.of_triangles(torch.cat(points), torch.cat(facets))
    seen = look(mesh, make_camera(VIEW, UNIT_CUBE, size), REACH)
    colours = 255 * np.array([colour_of(k) for k in range(found.n)])
    mine = np.array(owners)[seen.fans.owners[seen.fragments.triangle]]
    return average(paint(seen.light, colours[mine]), seen.fragments.pixel, seen, PORCELAIN)


def main() -> None:
    """Extract, decompose and draw."""
    parser = make_parser(__doc__, "docs/pictures/parts.png")
    parser.add_argument("run", type=Path, help="the folder of a run of a network on a grid")
    parser.add_argument("--errors", type=float, nargs="+", default=[0.02, 0.05])
    parser.add_argument("--size", type=int, default=480, help="pixels, of each picture")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    program = creased.load_program(chosen.run / "checkpoints" / "last.ckpt").detach().to("cpu", torch.float64)
    surface = PolygonMesh.of_level_set(creased.extract_level_set(program, None))
    seen = look(surface, make_camera(VIEW, UNIT_CUBE, chosen.size), REACH)
    panels = [(f"exact mesh: {surface.polygons.n:,} faces", develop(seen, PORCELAIN, 0))]
    for error in chosen.errors:
        found = creased.convex_parts(program, error=error)
        panels.append((f"{found.n} convex parts within {error:g}", draw_parts(found, chosen.size)))
    save_png(side_by_side(panels), chosen.out)


if __name__ == "__main__":
    main()
