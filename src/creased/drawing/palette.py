"""Colours that colour-blind readers tell apart as well.

Lines are of Okabe and Ito's palette, directions of matplotlib's cyclic `twilight`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INK = "#1f2a3a"
LAYERS = ("#20242c", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")  # of the creases, by layer


def by_direction(gradients: NDArray[Any]) -> NDArray[np.float64]:
    """Colours (n, 3) of vectors (n, 2): the hue is the direction; short ones pale, as the longest do not."""
    from matplotlib import colormaps

    lengths = np.linalg.norm(gradients, axis=1)
    longest = np.quantile(lengths, 0.9) if len(lengths) else 0.0
    strength = np.divide(lengths, longest, out=np.zeros_like(lengths), where=longest > 0).clip(0, 1)
    turn = np.arctan2(gradients[:, 1], gradients[:, 0]) / (2 * np.pi) % 1
    colours = colormaps["twilight"](turn)[:, :3]
    return 1 - (0.72 * strength[:, None]) * (1 - colours)


def by_layer(layer: int) -> str:
    """The colour of the creases of a layer; they repeat after six."""
    return LAYERS[layer % len(LAYERS)]
