"""Format convex parts for physics engines: MJCF of MuJoCo, and URDF."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from torch import Tensor

from creased.decomposition import ConvexPart
from creased.io.bodies.mass import Mass


def mjcf_text(name: str, parts: Sequence[ConvexPart], mass: Mass) -> str:
    """Format a model of one free body, with a geom and a mesh of vertices a part."""
    meshes = "".join(
        f'    <mesh name="part_{k}" vertex="{_numbers(part.vertices)}"/>\n' for k, part in enumerate(parts)
    )
    geoms = "".join(f'      <geom type="mesh" mesh="part_{k}" mass="0"/>\n' for k in range(len(parts)))
    inertial = (
        f'      <inertial pos="{_numbers(mass.centre)}" mass="{mass.mass:.17g}" fullinertia='
        f'"{_numbers(_six(mass.inertia, (0, 4, 8, 1, 2, 5)))}"/>\n'
    )
    return (
        f"<mujoco model={quoteattr(name)}>\n  <asset>\n{meshes}  </asset>\n  <worldbody>\n"
        f"    <body name={quoteattr(name)}>\n      <freejoint/>\n{inertial}{geoms}"
        "    </body>\n  </worldbody>\n</mujoco>\n"
    )


def urdf_text(name: str, parts: Sequence[ConvexPart], mass: Mass, folder: str) -> str:
    """Format a robot of one link, whose parts are files ``part_0.obj`` and so on in a folder."""
    shapes = "".join(
        f"    <{kind}><geometry><mesh filename={quoteattr(f'{folder}/part_{k}.obj')}/></geometry></{kind}>\n"
        for k in range(len(parts))
        for kind in ("visual", "collision")
    )
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    entries = zip(names, _six(mass.inertia, (0, 4, 8, 1, 2, 5)).tolist(), strict=True)
    inertia = " ".join(f'{entry}="{value:.17g}"' for entry, value in entries)
    inertial = (
        f'    <inertial><origin xyz="{_numbers(mass.centre)}"/><mass value="{mass.mass:.17g}"/>'
        f"<inertia {inertia}/></inertial>\n"
    )
    link = f"  <link name={quoteattr(name)}>\n{inertial}{shapes}  </link>\n"
    return f'<?xml version="1.0"?>\n<robot name={quoteattr(name)}>\n{link}</robot>\n'


def _six(matrix: Tensor, places: Sequence[int]) -> Tensor:
    return matrix.reshape(-1)[list(places)]


def _numbers(values: Tensor) -> str:
    return " ".join(f"{value:.17g}" for value in values.reshape(-1).tolist())
