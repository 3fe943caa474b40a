"""Make shapes from formulas, without file or network. Each function returns a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimesh import Trimesh


def sphere(subdivisions: int = 5) -> Callable[[], Trimesh]:
    """An icosphere of radius 1 with 20 * 4^subdivisions triangles."""
    return _primitive("icosphere", subdivisions=subdivisions, radius=1.0)


def torus(major: float = 1.0, minor: float = 0.4, sections: int = 96) -> Callable[[], Trimesh]:
    """A torus around the z axis: radius ``major`` to the centre of a tube of radius ``minor``."""
    sides = {"major_sections": 2 * sections, "minor_sections": sections}
    return _primitive("torus", major_radius=major, minor_radius=minor, **sides)


def box(width: float = 1.0, depth: float = 0.7, height: float = 0.5) -> Callable[[], Trimesh]:
    """A box with the given sides along x, y and z."""
    return _primitive("box", extents=(width, depth, height))


def _primitive(kind: str, **options: Any) -> Callable[[], Trimesh]:
    def make() -> Trimesh:
        import trimesh

        return getattr(trimesh.creation, kind)(**options)

    return make


def bracket(sections: int = 96) -> Callable[[], Trimesh]:
    """A mechanical part of genus 3: an angle with bores, a rib and a rounded end.

    Made by constructive solid geometry of manifold3d, whose results are closed manifolds.
    """

    def make() -> Trimesh:
        import trimesh
        from manifold3d import Manifold

        def slab(size: tuple[float, float, float], corner: tuple[float, float, float]) -> Manifold:
            return Manifold.cube(size).translate(corner)

        def bore(radius: float, length: float) -> Manifold:
            return Manifold.cylinder(length, radius, radius, sections, center=True)

        base = slab((1.4, 1.0, 0.2), (-0.7, -0.5, 0.0)) + bore(0.5, 0.2).translate((0.7, 0, 0.1))
        wall = slab((0.2, 1.0, 1.0), (-0.7, -0.5, 0.0))
        corners = ((-0.6, 0.1), (0.0, 0.1), (-0.6, 0.8))
        rib = Manifold.hull_points([(x, side, z) for x, z in corners for side in (-0.08, 0.08)])
        holes = bore(0.26, 1.0).translate((0.7, 0, 0))
        for side in (-0.3, 0.3):
            holes += bore(0.11, 1.0).rotate((0, 90, 0)).translate((-0.6, side, 0.68))
        part = (base + wall + rib - holes).to_mesh()
        return trimesh.Trimesh(part.vert_properties[:, :3], part.tri_verts)

    return make
