"""The text of ``creased topology``: Betti numbers of all sides of a level, and the longest intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from creased.core.domains.domain import Domain
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.topology.betti import SIDES, betti_by_side
from creased.topology.diagrams import PersistenceDiagram, diagram_of
from creased.topology.persistence import Filtration
from creased.topology.problem import TopologyOptions, make_problem

CLASSES = (("component", "components"), ("loop", "loops"), ("cavity", "cavities"))
RELATIONS = {"below": "<", "on": "=", "above": ">"}
WIDTH = 22  # of the first column


@dataclass(frozen=True)
class TopologyReport:
    """What is known of a network's topology at a level, and beside it."""

    level: float
    betti_numbers: dict[str, tuple[int, ...]]  # by side
    diagram: PersistenceDiagram | None  # None where there are too many cells
    left_out: str = ""  # why there is none

    def as_plain(self) -> dict[str, Any]:
        """Convert to numbers that JSON holds; None for the end of an interval without one and no diagram."""
        rows = [
            {"dimension": row.dim, "birth": _finite(row.birth), "death": _finite(row.death)}
            for row in self.diagram or ()
        ]
        persistence = None if self.diagram is None else rows
        return {"level": self.level, "betti_numbers": self.betti_numbers, "persistence": persistence}

    def format_persistence(self) -> str:
        """Format the longest intervals, a line a dimension, or why there are none."""
        if self.diagram is None:
            return _in_columns([("persistence", f"left out: {self.left_out}")])
        dims = range(self.diagram.dim)
        found = [self.diagram.format_dim(dim) if len(self.diagram.of_dim(dim)) else "none" for dim in dims]
        return _in_columns([(f"persistence, H{dim}", text) for dim, text in enumerate(found)])


@as_written
@torch.no_grad()
def find_topology(
    program: Program,
    domain: Domain | None,
    level: float,
    options: TopologyOptions,
    tell: Callable[[str], None],
) -> TopologyReport:
    """Compute the Betti numbers of all sides of a level, and, where cells are few, the diagram over Z / 2.

    Args:
        program: of up to four inputs.
        domain: where; None for the cube of a network on a grid.
        level: the level.
        options: of the computation.
        tell: is given the text, that of the Betti numbers before the diagram is computed.

    Raises:
        CellLimitError: there are more cells than allowed, and level sets do not tell the Betti numbers.
    """
    problem = make_problem(program, domain, level, options)
    whole = Filtration(problem)
    numbers = betti_by_side(problem, SIDES, whole)
    sides = [(f"f {RELATIONS[side]} {level:g}", format_betti(found)) for side, found in numbers.items()]
    tell(_in_columns(sides))
    try:
        report = TopologyReport(level, numbers, diagram_of(whole.classes([1], 2)[0], level))
    except CellLimitError as error:
        report = TopologyReport(level, numbers, None, str(error).removeprefix("topology: "))
    tell(report.format_persistence())
    return report


def _in_columns(lines: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<{WIDTH}} {value}" for name, value in lines)


def format_betti(numbers: Sequence[int]) -> str:
    """Format Betti numbers in words: 1 component, 2 loops, 0 cavities."""
    if not any(numbers):
        return "empty"
    last = max(len(numbers) - 1, 1)  # that of dimension D is 0
    words = [f"{n:,} {CLASSES[k][n != 1]}" for k, n in enumerate(numbers[: min(last, len(CLASSES))])]
    words += [f"{n:,} of dimension {k}" for k, n in enumerate(numbers[:last]) if k >= len(CLASSES)]
    return ", ".join(words)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
