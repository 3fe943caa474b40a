"""The entry point of `creased`: parse the command line, load the network, run the command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from creased.cli.extract import extract
from creased.cli.parser import OF_MESHES, make_parser
from creased.cli.parts import write_parts
from creased.cli.slices import load_chosen
from creased.cli.values import in_bytes, level_of
from creased.core.domains.box import Box
from creased.core.domains.whole_space import WholeSpace
from creased.core.numerics.sparse import entries_of
from creased.extras import how_to_install
from creased.io.atomic_write import require_place, write_whole
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.export import ExportError
from creased.io.limits import printable
from creased.io.load import Loaded, locate
from creased.io.runs import checkpoint_of, named
from creased.io.units import SHORT
from creased.networks import UnsupportedModuleError
from creased.topology.problem import TopologyOptions
from creased.topology.report import find_topology
from creased.tropical.cells.report import count_table
from creased.tropical.compression.compression import compress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; a user's mistake ends in one line, not in a traceback."""
    chosen = make_parser().parse_args(arguments)
    try:
        _find_last(chosen)
        _require_places(chosen)
        if chosen.command == "eval":
            from creased.cli.evaluate import evaluate  # needs trimesh, warp and rich

            evaluate(chosen)
            return 0
        if chosen.command == "view":
            from creased.cli.view import view  # needs numpy and viser

            view(chosen)
            return 0
        if chosen.command in OF_MESHES:
            from creased.cli.meshes import check, compare_files  # need trimesh and warp

            return check(chosen) if chosen.command == "check" else compare_files(chosen)
        path = checkpoint_of(chosen.file)
        loaded = load_chosen(path, chosen)
        if chosen.command == "info":
            print(_describe(loaded))
        else:
            half_width = 1.0 if getattr(chosen, "whole_space", False) else chosen.half_width
            COMMANDS[chosen.command](locate(loaded, path, half_width), chosen)
    except ModuleNotFoundError as error:
        advice = "" if " install " in str(error) else f"; this needs more than torch: {how_to_install('all')}"
        print(printable(f"creased: {error}{advice}"), file=sys.stderr)
        return 1
    except (ExportError, ImportError, OSError, UnsupportedModuleError, ValueError) as error:
        print(printable(f"creased: {error}"), file=sys.stderr)
        return 1
    return 0


def _find_last(chosen: argparse.Namespace) -> None:
    """Replace the word "last" in place of a path by the newest run folder."""
    for name in ("file", "mesh", "shape", "files"):
        value = getattr(chosen, name, None)
        if isinstance(value, Path):
            setattr(chosen, name, named(value))
        elif isinstance(value, list):
            setattr(chosen, name, [named(path) for path in value])


def _require_places(chosen: argparse.Namespace) -> None:
    """Refuse files that cannot be written before any work."""
    for path in (getattr(chosen, "out", None), getattr(chosen, "json", None)):
        if path is not None and str(path) != "-":
            require_place(path)


def _domain_of(record: Record, chosen: argparse.Namespace) -> Box | WholeSpace:
    if not chosen.whole_space:
        return record.domain
    if record.program.grid is not None:
        raise ValueError("--whole-space: a network on a grid is a function on its cube alone")
    return WholeSpace(record.program.in_dim)


def _count(record: Record, chosen: argparse.Namespace) -> None:
    domain, memory = _domain_of(record, chosen), in_bytes(chosen.memory)
    print(count_table(record.program, domain, method=chosen.method, memory=memory))


def _topology(record: Record, chosen: argparse.Namespace) -> None:
    options = TopologyOptions(
        output=chosen.output, max_cells=chosen.max_cells, memory=in_bytes(chosen.memory), progress=print
    )
    domain, level = _domain_of(record, chosen), level_of(record, chosen)
    found = find_topology(record.program, domain, level, options, print)
    if chosen.json is not None:
        write_whole(chosen.json, json.dumps(found.as_plain(), indent=2).encode())
        print(f"{chosen.json}: Betti numbers{' and all intervals' * (found.diagram is not None)}")


def _compress(record: Record, chosen: argparse.Namespace) -> None:
    program, certificate = compress(
        record.program, record.domain, method=chosen.method, fold=not chosen.delete_only
    )
    checkpoint = BytesIO()
    torch.save({KEY: write_record(replace(record, program=program))}, checkpoint)
    write_whole(chosen.out, checkpoint.getvalue())
    print(f"{chosen.out}: {certificate}")


def _draw(record: Record, chosen: argparse.Namespace) -> None:
    from creased.cli.draw import Section, draw  # needs numpy and matplotlib

    is_section = chosen.across is not None or chosen.at is not None
    section = Section(chosen.across or "z", chosen.at or 0.0) if is_section else None
    torch.set_num_threads(1)
    output, level = chosen.output, level_of(record, chosen)
    options: dict[str, Any] = {"section": section, "level": level, "output": output, "name": record.shape}
    print(draw(record.program, record.domain, chosen.out, **options))


def _describe(loaded: Loaded) -> str:
    program = loaded.program
    n_weights = sum(entries_of(tensor).numel() for tensor in program.tensors())
    lines = _describe_training(loaded.record) if loaded.record else {}
    if program.grid is not None:
        levels, (_, features) = program.grid.levels, program.grid.tables[0].shape
        lines["grid"] = f"{', '.join(map(str, levels))} cubes an axis, {features} features a vertex and level"
    lines |= {
        "network": f"{program.in_dim} inputs, hidden widths {program.widths}, {program.out_dim} output(s)",
        "weights": f"{n_weights:,} in {str(program.dtype).removeprefix('torch.')}",
    }
    if loaded.last is not None:
        lines["taken off"] = (
            f"the last activation: the file's function is {loaded.last}, z the network's output"
        )
    if loaded.assumed:
        lines["assumed"] = loaded.assumed
    return "\n".join(f"{name:<12} {value}" for name, value in lines.items())


def _describe_training(record: Record) -> dict[str, str]:
    sides = " x ".join(
        f"[{a:g}, {b:g}]" for a, b in zip(record.domain.lower, record.domain.upper, strict=True)
    )
    unit = record.to_domain.unit
    return {
        "trained on": f"{record.shape}, {record.epoch} epochs",
        "domain": sides,
        "coordinates": f"one unit of the domain is {1 / record.to_domain.scale:g} "
        + f"{SHORT[unit] if unit else 'of yours'}, centred at "
        + f"({', '.join(f'{c:g}' for c in record.to_domain.centre)})",
    }


COMMANDS: dict[str, Callable[[Record, argparse.Namespace], None]] = {
    "extract": extract,
    "count": _count,
    "topology": _topology,
    "parts": write_parts,
    "compress": _compress,
    "draw": _draw,
}


if __name__ == "__main__":
    sys.exit(main())
