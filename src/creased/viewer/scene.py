"""Convert surfaces with their creases, and plane sections, to arrays and colours.

An edge of a level set lies on one row besides the level's: that of a neuron, or of a wall of the domain. The
layer of the neuron gives the edge its colour; edges of a plane section are coloured likewise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box, slice_across
from creased.core.extract_complex import extract_complex
from creased.core.extract_level_set import extract_level_set
from creased.core.program.combine import select
from creased.core.program.program import Program
from creased.drawing import palette
from creased.drawing.palette import FAINT, INK, RGB, rgb
from creased.drawing.plane import layers_of

SURFACE: RGB = (226, 214, 190)
WALL: RGB = (130, 130, 130)
PLANE: RGB = rgb(FAINT)  # of a grid
LEVEL: RGB = rgb(INK)  # of the level set in a plane section
LAYERS: tuple[RGB, ...] = tuple(map(rgb, palette.LAYERS))


@dataclass(frozen=True)
class Segments:
    """Coloured line segments."""

    points: NDArray[np.float32]  # (E, 2, 3)
    colours: NDArray[np.uint8]  # (E, 3)


@dataclass(frozen=True)
class Scene:
    """A surface and its creases."""

    vertices: NDArray[np.float32]  # (V, 3)
    triangles: NDArray[np.int32]  # (T, 3): fans of the polygons
    creases: Segments
    caption: str  # one line: name, counts and status
    legend: dict[str, RGB]  # colours of the creases, by meaning
    level_set: LevelSet | None = None  # that it shows; None: of a mesh file


@dataclass(frozen=True)
class Section:
    """The complex and the level set in a plane."""

    cells: Segments  # edges of the complex, by layer
    level: Segments
    n_regions: int


def colours_of(layers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Look up the colour (n, 3) of each layer (n,), walls (-1), the level (-2), planes of a grid (-3)."""
    colours = np.array([*LAYERS, PLANE, LEVEL, WALL], dtype=np.uint8)
    return colours[np.where(layers < 0, layers, layers % len(LAYERS))]


def level_set_scene(level_set: LevelSet, name: str = "") -> Scene:
    """Make the scene of a level set in two or three dimensions; in two it lies in the plane z = 0.

    Raises:
        ValueError: it is in other dimensions, or unbounded.
    """
    if level_set.dim not in (2, 3):
        raise ValueError(f"level_set_scene: needs 2 or 3 dimensions, got D = {level_set.dim}")
    if not level_set.is_bounded:
        raise ValueError("level_set_scene: the level set is unbounded; extract it on a box")
    flat = level_set.vertices.detach().cpu().double()
    points = torch.nn.functional.pad(flat, (0, 3 - level_set.dim)).numpy()
    edges = level_set.edges.cpu().numpy().astype(np.int64)
    layout = level_set.layout
    if level_set.dim == 3:
        layers = layers_of(level_set.edge_zero_ids[:, 0], layout)
    else:  # there an edge lies inside a region, and its only zero is the level's
        layers = np.full(len(edges), -2)
    counts = f"{level_set.polygons.n:,} polygons" if level_set.dim == 3 else f"{len(edges):,} edges"
    return Scene(
        points.astype(np.float32),
        level_set.triangles().cpu().numpy().astype(np.int32),
        Segments(points[edges].astype(np.float32), colours_of(layers)),
        f"{name}: {counts}, {len(points):,} vertices" + (f"; {level_set.status}" if level_set.status else ""),
        legend_of(layers),
        level_set.to("cpu"),
    )


def legend_of(layers: NDArray[np.int64]) -> dict[str, RGB]:
    """Make the legend of the layers that are present."""
    present = np.unique(layers)
    names = {-3: "plane of the grid", -2: "level set", -1: "wall of the domain"}
    colours = [(int(red), int(green), int(blue)) for red, green, blue in colours_of(present)]
    return {names.get(int(i), f"layer {i + 1}"): colour for i, colour in zip(present, colours, strict=True)}


def section(
    program: Program, box: Box, axis: int, offset: float, *, level: float = 0.0, output: int = 0
) -> Section:
    """Extract the complex and the level set in a plane; of a program of two inputs, all of both.

    Args:
        program: of two or three inputs.
        box: the domain.
        axis: the coordinate (0, 1, 2) that is constant on the plane; ignored for two inputs.
        offset: its value; ignored for two inputs.
        level: value of the function.
        output: index of the output.

    Raises:
        ValueError: the program has another number of inputs, or no such output.
    """
    if program.in_dim not in (2, 3):
        raise ValueError(f"section: needs a network of 2 or 3 inputs, got {program.in_dim}")
    one = select(program.detach().to("cpu", torch.float64), output)
    lift = torch.eye(2, 3, dtype=torch.float64)  # the plane z = 0
    origin = torch.zeros(3, dtype=torch.float64)
    if program.in_dim == 3:
        cut, box = slice_across(one, box, axis, offset)
        one, origin, lift = cut.program, cut.origin, cut.basis.T
    complex_ = extract_complex(one, box, level=None)
    curves = extract_level_set(one, box, level)

    def lifted(vertices: Tensor, edges: Tensor) -> NDArray[np.float32]:
        return (origin + vertices @ lift).numpy()[edges.numpy().astype(np.int64)].astype(np.float32)

    layers = layers_of(complex_.edge_zero_ids[:, 0], complex_.layout)
    black = np.tile(np.array(LEVEL, dtype=np.uint8), (curves.edges.shape[0], 1))
    return Section(
        Segments(lifted(complex_.vertices, complex_.edges), colours_of(layers)),
        Segments(lifted(curves.vertices, curves.edges), black),
        complex_.f_vector()[-1],
    )
