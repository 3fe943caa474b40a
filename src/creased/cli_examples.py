"""Two or three examples for each command of `creased`, as its --help shows them."""

from __future__ import annotations

import argparse

EXAMPLES = {
    "extract": """
  creased extract logs/train/runs/RUN --out mesh.ply          polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --complete         and prove that nothing is missing
  creased extract last.ckpt --out mesh.3mf --boundary cap --unit inch   closed along the walls, to print
  creased extract logs/train/runs/RUN --out mesh.ply --against shape    how far from what it was fitted to
  creased extract quantised.npz --half-width 1 --out mesh.ply --exact --certify   every sign is right
  creased extract weights.npz --half-width 1 --out mesh.stl   weights have no domain: say where to look
""",
    "info": """
  creased info logs/train/runs/RUN                            the last checkpoint of a run
  creased info model.onnx                                     a function alone: inputs, widths, weights
""",
    "count": """
  creased count logs/train/runs/RUN                           in its training box, beside the known bounds
  creased count weights.npz --half-width 1 --method stream    cells alone, more than memory holds
""",
    "compress": """
  creased compress RUN --out small.ckpt                       the same function by fewer neurons, certified
  creased compress RUN --out small.ckpt --delete-only         no number is rounded
""",
    "draw": """
  creased draw RUN --across z --at 0.1 --out complex.png      the plane z = 0.1 of three inputs
  creased draw weights.npz --half-width 1 --out complex.svg   all of two inputs
""",
    "view": """
  creased view logs/train/runs/RUN                            the epochs of a run, on a page of this machine
  creased view mesh.ply                                       a mesh
  creased view model.onnx --half-width 1                      the level set of any network
""",
}


def add_examples(commands: dict[str, argparse.ArgumentParser]) -> None:
    """Write them under the options of each command."""
    for name, command in commands.items():
        if name in EXAMPLES:
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            command.epilog = f"examples:\n{EXAMPLES[name].strip(chr(10))}"
