"""Compute the least change of a handwritten digit that changes its class, in slices through real images.

    ./run python -m pip install scikit-learn
    ./run python -m scripts.classifiers.distance --images 3

Trains a small ReLU classifier on scikit-learn's digits (8 x 8 pixels in [0, 1]), then takes test images that
it reads rightly. Each slice goes through an image and the two (or three) nearest training images of other
classes, with an orthonormal basis. In it the nearest change of class is found exactly, in three norms of the
64 pixels: an upper bound of the least change in all of them.
"""

from __future__ import annotations

import math
import time

import torch

from creased import Box, Program, slice_through
from creased.core.program.affine_slice import ProgramSlice
from creased.tropical import distance_to_other_class
from scripts.classifiers.digits import TRAINING, Reader, add_options
from scripts.common.options import make_parser

NORMS = (1, 2, math.inf)
HALF_WIDTH = 3.0  # of the squares and cubes that are searched


def report(program: Program, to: ProgramSlice, half_width: float) -> str:
    """Format the three distances in a slice, the class that ties in the 2-norm, and the seconds."""
    dim = to.basis.shape[1]
    box, origin = Box.cube(dim, half_width), torch.zeros(dim)
    start = time.perf_counter()
    found = [distance_to_other_class(to, box, origin, norm) for norm in NORMS]
    seconds = time.perf_counter() - start
    gap = 0.0
    for one in found:
        if one.witness is not None:
            first, second = program(to.lift(one.witness)).topk(2).values.tolist()
            gap = max(gap, first - second)
    values = "  ".join(f"{one.value:8.4f}" for one in found)
    return f"{dim}D  {values}   {found[1].rival!s:>5}   {gap:.0e}   {seconds:6.2f}"


def main() -> None:
    """Train, choose images, and print a table."""
    parser = make_parser(__doc__)
    add_options(parser, images=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    reader = Reader.trained(chosen.width, chosen.steps)
    program, images, classes = reader
    accuracy = (program(images).argmax(1) == classes)[TRAINING:].double().mean()
    print(f"64-{chosen.width}-{chosen.width}-10, test accuracy {accuracy:.3f}")
    print("digit  slice  1-norm    2-norm    inf-norm   rival   tie     seconds")
    for index in reader.read_rightly(chosen.images):
        for dim in (2, 3):
            to = slice_through(program, images[index], *reader.nearest_others(index, dim))
            print(f"  {classes[index]}     {report(program, to, HALF_WIDTH)}")


if __name__ == "__main__":
    main()
