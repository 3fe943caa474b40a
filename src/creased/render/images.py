"""Save, load and caption pictures (H, W, 3) of uint8, and lay them out in sheets."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from creased.extras import how_to_install
from creased.io.atomic_write import write_whole
from creased.render.shading import PORCELAIN, Theme

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FRAMES = 16  # of a contact sheet
LETTER_WIDTH = 0.58  # of the height of a letter, on average
SMALLEST = 8  # pixels, the height of a letter

Frame = TypeVar("Frame")


def save_png(image: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write a picture (H, W, 3) as PNG, atomically; missing folders are made.

    Raises:
        ImportError: pillow is not installed.
        OSError: it cannot be written; whatever was at ``path`` is still there.
    """
    needs("PIL")
    from PIL import Image

    content = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(content, format="PNG", optimize=True)
    write_whole(Path(path), content.getvalue())


def load_png(path: str | os.PathLike[str] | BytesIO) -> NDArray[np.uint8]:
    """Read a picture (H, W, 3) from a PNG file, or from the bytes of one.

    Raises:
        ImportError: pillow is not installed.
        OSError: it cannot be read.
    """
    needs("PIL")
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def captioned(image: NDArray[np.uint8], text: str, *, theme: Theme = PORCELAIN) -> NDArray[np.uint8]:
    """Add one line of text on a strip below a picture (H, W, 3), in smaller letters where it is long."""
    height, width = image.shape[:2]
    letter = max(14, width // 36)
    canvas = np.empty((height + 2 * letter, width, 3), dtype=np.uint8)
    canvas[:height], canvas[height:] = image, theme.background
    fitting = max(SMALLEST, int(width / (LETTER_WIDTH * max(len(text), 1))))
    return written_on(canvas, text, (width / 2, height + letter), min(letter, fitting), theme)


def thin_out(frames: Sequence[Frame], most: int = MOST_FRAMES) -> list[Frame]:
    """Select at most so many frames, evenly, the first and the last among them."""
    kept = np.linspace(0, len(frames) - 1, min(len(frames), most)).round().astype(int)
    return [frames[i] for i in kept]


def contact_sheet(
    frames: Sequence[tuple[str, NDArray[np.uint8]]],
    path: str | os.PathLike[str],
    *,
    columns: int | None = None,
    cell: int = 360,
    theme: Theme = PORCELAIN,
) -> NDArray[np.uint8]:
    """Write small multiples of labelled pictures as one PNG, and return it.

    At most ``MOST_FRAMES`` pictures are kept, see `thin_out`.

    Args:
        frames: labels such as "epoch 3 · 4,812 faces", and pictures (H, W, 3), of one shape.
        path: of the file.
        columns: pictures in a row; by default those of a nearly square sheet.
        cell: pixels, the width of each picture.
        theme: colours of paper and labels.

    Raises:
        ValueError: there are no pictures, or their proportions differ.
        ImportError: pillow or matplotlib is not installed.
    """
    labelled = [captioned(_resized(image, cell), label, theme=theme) for label, image in thin_out(frames)]
    shapes = {image.shape for image in labelled}
    if len(shapes) != 1:
        raise ValueError(f"contact_sheet: needs pictures of one shape, got shapes {sorted(shapes)}")
    columns = columns or math.ceil(math.sqrt(len(labelled)))
    gap, (height, width) = cell // 20, labelled[0].shape[:2]
    n_rows, step_y, step_x = math.ceil(len(labelled) / columns), height + gap, width + gap
    sheet = np.empty((n_rows * step_y + gap, columns * step_x + gap, 3), dtype=np.uint8)
    sheet[:] = theme.background
    for i, image in enumerate(labelled):
        y, x = gap + i // columns * step_y, gap + i % columns * step_x
        sheet[y : y + height, x : x + width] = image
    save_png(sheet, path)
    return sheet


def _resized(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    needs("PIL")
    from PIL import Image

    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def written_on(
    image: NDArray[np.uint8], text: str, middle: tuple[float, float], letter: int, theme: Theme
) -> NDArray[np.uint8]:
    """Write text on a picture, centred at (x, y), in matplotlib's own font."""
    needs("PIL")
    needs("matplotlib")
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(image)
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), letter)
    ImageDraw.Draw(canvas).text(middle, text, fill=theme.text, font=font, anchor="mm")
    return np.asarray(canvas)


def needs(module: str) -> None:
    """Raise ImportError, with the extra to install, if a module is missing."""
    if find_spec(module) is None:
        package = "pillow" if module == "PIL" else module
        raise ImportError(f"pictures need {package}: {how_to_install('train')}")
