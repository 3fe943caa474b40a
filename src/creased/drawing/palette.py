"""Colours that colour-blind readers can tell apart.

Lines are of Okabe and Ito's palette, directions of matplotlib's cyclic `twilight`; places have nearly one
lightness in Ottosson's Oklab (2020), so that numbers on them are legible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INK = "#1f2a3a"
FAINT = "#b4b4b4"  # of planes of a grid
LAYERS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # of the creases, by layer
RGB = tuple[int, int, int]

WARM, COLD = 1.1, 4.3  # hues in Oklab: orange and blue
LINEAR_FROM_CONES = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def by_direction(gradients: NDArray[Any]) -> NDArray[np.float64]:
    """Colour vectors (n, 2) by direction, paler the shorter they are: (n, 3)."""
    from matplotlib import colormaps

    lengths = np.linalg.norm(gradients, axis=1)
    longest = np.quantile(lengths, 0.9) if len(lengths) else 0.0
    strength = np.divide(lengths, longest, out=np.zeros_like(lengths), where=longest > 0).clip(0, 1)
    turn = np.arctan2(gradients[:, 1], gradients[:, 0]) / (2 * np.pi) % 1
    colours = colormaps["twilight"](turn)[:, :3]
    return 1 - (0.72 * strength[:, None]) * (1 - colours)


def by_place(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colour points (n, 2) by place: hues evenly around the middle, which is pale; (n, 3)."""
    arms = points - (points.min(0) + points.max(0)) / 2
    radii = np.linalg.norm(arms, axis=1)
    angles = np.arctan2(arms[:, 1], arms[:, 0])
    hues = 2 * np.pi * np.argsort(np.argsort(angles, kind="stable")) / max(len(points), 1)
    share = radii / (radii.max() or 1.0)
    return _from_oklab(0.92 - 0.09 * share, 0.04 + 0.07 * share, hues)


def by_class(numbers: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Colour classes (n,): evenly spaced hues, in two alternating lightnesses; (n, 3)."""
    light = np.where(numbers % 2 == 0, 0.91, 0.85)
    return _from_oklab(light, np.full(len(numbers), 0.07), 2 * np.pi * numbers / n_classes + 0.6)


def by_side(is_first: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colour points (n, 2) by kind: one hue each, shaded by place; (n, 3)."""
    share = np.argsort(np.argsort(points @ [0.6, 0.8], kind="stable")) / max(len(points) - 1, 1)
    turned = np.where(is_first, WARM, COLD) + 0.5 * (share - 0.5)
    return _from_oklab(0.94 - 0.12 * share, 0.04 + 0.05 * share, turned)


def _from_oklab(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Convert lightness, chroma and hue (radians), each (n,), to sRGB (n, 3)."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cones = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    linear = (LINEAR_FROM_CONES @ cones**3).clip(0, 1).T
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def rgb(colour: str) -> RGB:
    """Parse a colour such as "#1f2a3a" to red, green and blue in 0..255."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def by_layer(layer: int) -> str:
    """Return the colour of a layer's creases; colours repeat after six."""
    return LAYERS[layer % len(LAYERS)]
