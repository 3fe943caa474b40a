"""Load the named networks of the tests, small ones with integer weights, for the drawings."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from creased import Affine, Block, Program

PATH = Path(__file__).parents[1] / "tests" / "fixtures" / "named_nets.json"


def named(name: str) -> Program:
    """Load a named network, in float64."""
    *hidden, head = [
        Affine(*(torch.tensor(_floats(layer[part]), dtype=torch.float64) for part in ("weight", "bias")))
        for layer in json.loads(PATH.read_text())[name]
    ]
    return Program(tuple(Block(affine) for affine in hidden), head)


def _floats(numbers: list[object]) -> list[object]:
    """Convert nested lists of numbers that are written as text."""
    return [_floats(x) if isinstance(x, list) else float(str(x)) for x in numbers]
