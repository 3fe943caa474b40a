"""Store a trained function in a checkpoint: program, domain, and similarity to the user's coordinates.

A Lightning checkpoint made by creased carries this record beside Lightning's own entries, so that meshes can
be extracted from it without the code that trained it. It is read with ``weights_only=True``, as tensors and
plain values, and no class is instantiated by a name found in the file.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.program.kuhn_grid import KuhnGrid, require_nested
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.io.limits import printable, why_too_large
from creased.io.similarity import Similarity
from creased.io.units import Length
from creased.networks.lowering.last_activation import LastActivation

KEY = "creased"
FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why."""


@dataclass(frozen=True)
class Record:
    """A trained function and its domain."""

    program: Program  # detached, on the CPU
    domain: Box  # in the domain's coordinates
    to_domain: Similarity  # from the user's coordinates
    shape: str  # name of the training shape
    epoch: int  # epochs done
    sha256: str = ""  # of what was read for the shape; empty if that is not known
    last: LastActivation | None = None  # that stands behind the program in what was trained

    def before(self, level: float, output: int = 0) -> float:
        """Map a value of what was trained to one of the program.

        Raises:
            ValueError: the last activation does not take it.
        """
        return level if self.last is None else self.last.before(level, output)

    def level_of(self, offset: Length) -> float:
        """Compute the level whose set is offset outward, as far as the function is a signed distance.

        Raises:
            UnitError: the offset has a unit, and that of the user's coordinates is not known.
        """
        return offset.within(self.to_domain.unit) * self.to_domain.scale


def write_record(record: Record) -> dict[str, Any]:
    """Convert a record to tensors and plain values."""
    program = record.program.detach().to("cpu")
    return {
        "format": FORMAT,
        **_layers(program),
        "unfolded": None if program.unfolded is None else _layers(program.unfolded),
        "grid": None if program.grid is None else vars(program.grid),
        "domain": {"lower": list(record.domain.lower), "upper": list(record.domain.upper)},
        "to_domain": record.to_domain.as_dict(),
        "shape": record.shape,
        "epoch": record.epoch,
        "sha256": record.sha256,
        "last": None if record.last is None else record.last.as_plain(),
    }


def read_record(path: Path) -> Record:
    """Read the record of a checkpoint file.

    Raises:
        CheckpointError: the file is missing, no checkpoint, none of creased, or its weights are not finite.
    """
    values = load_plain(path).get(KEY)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise CheckpointError(f"{path} holds no record of creased (format {FORMAT}): was it trained by it?")
    try:
        record = _parse(values)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: the record of creased is damaged: {error}") from error
    try:
        record.program.require_finite(str(path))
    except ValueError as error:
        remedy = "take an earlier checkpoint, or train with a lower optimizer.lr"
        raise CheckpointError(f"{error}: training diverged; {remedy}") from None
    return record


def _parse(values: dict[str, Any]) -> Record:
    """Convert plain values to a record, and check that its parts fit together."""
    program = _program(values, _grid(values.get("grid")))
    if (unfolded := values.get("unfolded")) is not None:
        program = program.with_unfolded(_program(unfolded, program.grid))
    domain = Box(list(values["domain"]["lower"]), list(values["domain"]["upper"]))
    if any(not isinstance(t, Tensor) or not t.is_floating_point() for t in program.tensors()):
        raise TypeError("a weight is not a floating tensor")
    if program.in_dim != domain.dim:
        raise ValueError(f"the program takes {program.in_dim} inputs, the domain has {domain.dim} dimensions")
    for form in (program, program.exact):
        form(torch.zeros((1, domain.dim), dtype=form.dtype))  # shapes that do not fit raise here
    if program.exact.n_neurons != program.n_neurons:
        raise ValueError("the unfolded form has another number of neurons")
    to_domain = Similarity.from_dict(values["to_domain"])
    sha256, behind = str(values.get("sha256", "")), values.get("last")
    last = None if behind is None else LastActivation.from_plain(behind)
    shape, epoch = printable(str(values["shape"])), int(values["epoch"])
    return Record(program, domain, to_domain, shape, epoch, sha256, last)


def load_plain(path: Path) -> dict[str, Any]:
    """Load a checkpoint of tensors and plain values; nothing in the file is executed.

    Raises:
        CheckpointError: the file is missing, damaged, or holds anything else.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    if why := why_too_large(path):
        raise CheckpointError(why)
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors and plain values; it is not opened, since it "
            "could run code"
        ) from error
    except Exception as error:  # of a damaged file torch.load raises nearly anything
        raise CheckpointError(
            f"{path} is not a readable checkpoint: it is damaged, cut short, or another kind of file"
        ) from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} is not a checkpoint: it holds a {type(values).__name__}")
    return values


def _layers(program: Program) -> dict[str, Any]:
    blocks = [_weights(block.affine) | _tensors(block) for block in program.blocks]
    return {"blocks": blocks, "head": _weights(program.head)}


def _program(values: dict[str, Any], grid: KuhnGrid | None) -> Program:
    blocks = [Block(_affine(b), b.get("mix"), b.get("skip"), b.get("shift")) for b in values["blocks"]]
    return Program(tuple(blocks), _affine(values["head"]), grid)


def _tensors(block: Block) -> dict[str, Tensor]:
    optional = {"mix": block.mix, "skip": block.skip, "shift": block.shift}
    return {name: tensor for name, tensor in optional.items() if tensor is not None}


def _weights(affine: Affine) -> dict[str, Tensor]:
    return {"weight": affine.matrix, "bias": affine.bias}


def _affine(values: dict[str, Tensor]) -> Affine:
    return Affine(values["weight"], values["bias"])


def _grid(values: dict[str, Any] | None) -> KuhnGrid | None:
    if values is None:
        return None
    levels, tables = tuple(map(int, values["levels"])), tuple(values["tables"])
    require_nested(levels)
    grid = KuhnGrid(int(values["dim"]), float(values["half_width"]), levels, tables)
    for n, table in zip(levels, tables, strict=True):
        n_rows = len(table)
        if n_rows != (n + 1) ** grid.dim and n_rows & (n_rows - 1):
            raise ValueError(f"a table of {n_rows} rows is neither dense nor hashed for {n} cubes an axis")
    return grid
