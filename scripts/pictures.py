"""Parse options, write numbers and save figures, for all scripts."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any


def make_parser(doc: str, out: str = "", *, numbers: bool = False) -> ArgumentParser:
    """Make a parser whose help is the script's docstring, with `--out` and `--json` where they are wanted."""
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    if out:
        parser.add_argument("--out", type=Path, default=Path(out))
    if numbers:
        parser.add_argument("--json", type=Path, help="where to write the numbers")
    return parser


def write_numbers(path: Path | None, **numbers: Any) -> None:
    """Write numbers as JSON, with the date, if a path was given."""
    if path:
        path.write_text(json.dumps({"date": str(date.today()), **numbers}, indent=2))


def as_table(header: Collection[str], rows: Iterable[Iterable[str]]) -> str:
    """Format a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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
