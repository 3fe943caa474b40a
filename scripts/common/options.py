"""Make the parsers of the scripts' command lines."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path


def make_parser(doc: str, out: str = "", *, numbers: bool = False) -> ArgumentParser:
    """Make a parser whose help is the script's docstring, with `--out` and `--json` where they are wanted."""
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    if out:
        parser.add_argument("--out", type=Path, default=Path(out))
    if numbers:
        parser.add_argument("--json", type=Path, help="where to write the numbers")
    return parser
