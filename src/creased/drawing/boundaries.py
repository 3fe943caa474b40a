"""Decision boundaries {F = G}, as part of the tropical curve of the larger of F and G.

The curve of F (+) G is the union of the boundary, the curve of F where F is larger, and that of G where G is
(Zhang, Naitzat, Lim 2018, proposition 6.1). Each region has the hue of the larger one, so the boundary is
where hues meet; dual to it are the edges from a monomial of F to one of G.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.drawing.curves import TropicalCurve, as_points, draw_curve, flatten_curve
from creased.drawing.palette import by_side
from creased.drawing.plane import draw_bold
from creased.tropical.algebra.rational_maps import TropicalRational
from creased.tropical.algebra.subdivisions import decision_boundary

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PlaneBoundary:
    """The curve of F (+) G in a box, and the part of it that is the boundary."""

    curve: TropicalCurve
    is_numerator: NDArray[np.bool_]  # (m,): whether a monomial is one of F; else it is one of G
    segments: NDArray[np.float64]  # (B, 2, 2): the boundary in the box

    @property
    def colours(self) -> NDArray[np.float64]:
        """Colours (m, 3) of the monomials: one hue for F, one for G."""
        return by_side(self.is_numerator, self.curve.slopes)

    @property
    def dual_mask(self) -> NDArray[np.bool_]:
        """True (E,) for edges of the dual subdivision that are dual to the boundary."""
        sides = self.is_numerator[np.array(self.curve.dual.edges, dtype=np.int64).reshape(-1, 2)]
        mask: NDArray[np.bool_] = sides[:, 0] != sides[:, 1]
        return mask

    def __repr__(self) -> str:
        return f"boundary of {len(self.segments):,} edges in the {self.curve}"


def flatten_boundary(rational: TropicalRational, domain: Box | None = None) -> PlaneBoundary:
    """Compute the boundary {F = G} in the plane.

    Args:
        rational: exact, of two variables, known everywhere.
        domain: the box to show; by default one around all vertices.

    Raises:
        ZeroSetHasInteriorError: F and G are equal on an open set.
        ValueError: the map is rounded or known in a box only; otherwise as `flatten_curve`.
    """
    if rational.domain is not None:
        raise ValueError(
            f"flatten_boundary: needs F and G everywhere, but they are known on {rational.domain}"
        )
    curve = flatten_curve(rational.numerator.oplus(rational.denominator), domain)
    faces = [as_points(face.vertices) for face in decision_boundary(rational, curve.domain)]
    ours = set(zip(rational.numerator.slopes, rational.numerator.coefficients, strict=True))
    shown = curve.dual.polynomial
    owned = [monomial in ours for monomial in zip(shown.slopes, shown.coefficients, strict=True)]
    segments = np.array([face for face in faces if len(face) == 2]).reshape(-1, 2, 2)
    return PlaneBoundary(curve, np.array(owned), segments)


def draw_boundary(axes: Any, boundary: PlaneBoundary, *, numbers: bool = True) -> None:
    """Draw the curve of F (+) G, regions coloured by the larger of F and G, and {F = G} bold.

    Args:
        axes: of matplotlib.
        boundary: see `flatten_boundary`.
        numbers: whether to number the regions; `draw_dual` with the same ``colours`` numbers their points.

    Raises:
        ImportError: matplotlib is not installed.
    """
    draw_curve(axes, boundary.curve, colours=boundary.colours, numbers=numbers)
    draw_bold(axes, boundary.segments, (5.6, 3.2), zorder=2.5)
