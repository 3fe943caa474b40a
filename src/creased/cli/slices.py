"""Parse --slice, and load the networks of commands, restricted to it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.program.affine_slice import ProgramSlice, slice_program, slice_through
from creased.io.checkpoint import CheckpointError, Record
from creased.io.load import Loaded, load_file
from creased.io.similarity import Similarity

SLICE = (
    "of the inputs: axes counted from 0, the others zero or at a point ('0,1' or '0,2 at 0,0.3,0,1,0'), or "
    "the plane or space through points ('through 0,0,0,0; 1,0,0,0; 0,0,1,1')"
)


@dataclass(frozen=True)
class Slice:
    """An affine subspace of the input, by axes or through points."""

    axes: tuple[int, ...] = ()
    at: tuple[float, ...] = ()  # a point, of which the coordinates of other axes count; zeros if empty
    through: tuple[tuple[float, ...], ...] = ()

    def of(self, loaded: Loaded) -> ProgramSlice:
        """Slice the program of a file.

        Raises:
            ValueError: it has other inputs, or the points do not span the slice.
        """
        n = loaded.program.in_dim
        for point in (self.at, *self.through):
            if point and len(point) != n:
                raise ValueError(f"--slice: points have {n} coordinates, got {len(point)}")
        if self.through:
            return slice_through(loaded.program, *torch.tensor(self.through, dtype=torch.float64))
        if len(set(self.axes)) < len(self.axes) or not all(0 <= axis < n for axis in self.axes):
            raise ValueError(f"--slice: axes are different numbers from 0 to {n - 1}, got {self.axes}")
        origin = torch.tensor(self.at or (0.0,) * n, dtype=torch.float64)
        origin[list(self.axes)] = 0.0
        basis: Tensor = torch.eye(n, dtype=torch.float64)[:, list(self.axes)]
        return slice_program(loaded.program, origin, basis)


SHOWING = ("extract", "draw", "view")  # commands that take two or three inputs


def load_chosen(path: Path, chosen: argparse.Namespace) -> Loaded:
    """Load a file as a command's options say, and restrict it to --slice.

    Raises:
        CheckpointError: it holds no network, or one of too many inputs for the command.
        ValueError: the slice does not fit.
    """
    shape, inputs = chosen.input_shape, dict(chosen.fix)
    loaded = load_file(path, slope=chosen.slope, input_shape=shape, output=chosen.tensor, inputs=inputs)
    if getattr(chosen, "slice", None) is not None:
        loaded = sliced(loaded, chosen.slice)
    if chosen.command in SHOWING:
        require_shown(chosen.command, loaded)
    return loaded


def parse_slice(text: str) -> Slice:
    """Parse --slice.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        if text.strip().startswith("through"):
            points = text.strip().removeprefix("through").split(";")
            found = Slice(through=tuple(_numbers(point) for point in points))
            n_dims = len(points) - 1
        else:
            axes, _, at = text.partition("at")
            found = Slice(tuple(int(axis) for axis in axes.split(",")), _numbers(at) if at else ())
            n_dims = len(found.axes)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a slice is {SLICE}, got {text!r}") from None
    if n_dims not in (1, 2, 3):
        raise argparse.ArgumentTypeError(f"a slice has one to three dimensions, got {n_dims}")
    return found


def sliced(loaded: Loaded, chosen: Slice) -> Loaded:
    """Restrict what was loaded; the domain of a checkpoint is cut along axes, and else to be given."""
    part, record = chosen.of(loaded), loaded.record
    if record is not None and chosen.axes:
        box = record.domain
        domain = Box([box.lower[i] for i in chosen.axes], [box.upper[i] for i in chosen.axes])
        name, epoch = f"{record.shape}, sliced", record.epoch
        record = Record(part.program, domain, Similarity.identity(), name, epoch, last=record.last)
    else:
        record = None
    return loaded._replace(program=part.program, record=record)


def require_shown(command: str, loaded: Loaded) -> None:
    """Refuse networks of too many inputs, before any work.

    Raises:
        CheckpointError: it has others than two or three.
    """
    n = loaded.program.in_dim
    if n not in (2, 3):
        raise CheckpointError(
            f"{command} takes networks of two or three inputs, got {n}: "
            "choose a slice, such as --slice '0,1' or '0,1 at POINT' or 'through POINT; POINT; POINT'"
        )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(","))
