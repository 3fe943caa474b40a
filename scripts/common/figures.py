"""Save figures as small PNG files."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any


def pyplot() -> Any:
    """Import matplotlib's pyplot for figures that go to files."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def save_flat(figure: Any, path: Path, dpi: float, text: Mapping[str, str] | None = None) -> None:
    """Save a figure as a PNG of at most 256 colours, a quarter of the usual size, with texts as metadata."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=dpi)
    flatten_png(drawn, path, text)


def flatten_png(drawn: Path | BytesIO, path: Path, text: Mapping[str, str] | None = None) -> None:
    """Save a picture likewise."""
    from PIL import Image, PngImagePlugin  # come with matplotlib

    entries = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        entries.add_text(key, value)
    with Image.open(drawn) as image:
        flat = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        flat.save(path, "PNG", optimize=True, pnginfo=entries)
