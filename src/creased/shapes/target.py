"""The interface of what a network is trained on and measured against: a solid, or a cloud of points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from creased.core.domains.box import Box
from creased.io.similarity import Similarity
from creased.shapes.comparison import Comparison
from creased.shapes.surface import Surface
from creased.shapes.thickness import Thinness

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = Callable[["NDArray[Any]"], "NDArray[Any]"]  # of points (n, 3) to values (n,), negative inside


class Sizes(NamedTuple):
    """Numbers of points at which a result is measured."""

    surface: int  # on the target
    volume: int  # in the domain
    mesh: int  # on each mesh


class Measured(NamedTuple):
    """A trained function and its mesh, measured against a target."""

    metrics: dict[str, Any]  # in units of the domain, unless they say otherwise
    comparison: Comparison | None  # of the mesh with the surface of a solid


class Target(Protocol):
    """A shape in the domain."""

    @property
    def name(self) -> str:
        """For messages and folders."""

    @property
    def to_domain(self) -> Similarity:
        """The map from the user's coordinates."""

    @property
    def sha256(self) -> str:
        """Of what was read."""

    @property
    def licence(self) -> str:
        """Of what was read."""

    @property
    def credit(self) -> str:
        """Its authors."""

    @property
    def surface(self) -> Surface | None:
        """The surface, to be drawn beside the mesh; None of points."""

    def sample_surface(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw points (n, 3) uniformly on the surface."""
        ...

    def sample_edges(self, n: int, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw points (m, 3) on sharp edges: as many as if they were strips of the surface of a width.

        Of the surface n points are drawn.
        """
        ...

    def signed_distance(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Compute distances (n,) of points (n, 3), negative inside."""
        ...

    def measure_thinness(self, n_cells: int, cell: float, rng: np.random.Generator) -> Thinness | None:
        """Measure walls and gaps against the cells of a grid; None where that is not known."""
        ...

    def measure(
        self, function: Function, mesh: Surface | None, domain: Box, sizes: Sizes, rng: np.random.Generator
    ) -> Measured:
        """Measure a trained function and the mesh of its level set, None if that is empty."""
        ...
