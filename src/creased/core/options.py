"""Options of an extraction: keywords of the public functions, and the records that they become.

The public functions take keywords, checked here once; everything behind them takes the records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypedDict

import torch
from torch import Tensor

from creased.core.arrangement.signs import WORD
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.domains.domain import Domain, require_domain
from creased.core.domains.polytope import Polytope
from creased.core.numerics.memory import Resources
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.kuhn_grid import KuhnGrid, Section
from creased.core.program.program import Program

METHODS = ("subdivide", "march", "auto")
TREATMENTS = ("perturb", "contract", "error")
SEEDS = 32  # points an axis of the grid that looks for a level set to march on


class PieceKeywords(TypedDict, total=False):
    """Keywords of `stream_complex` and `count_cells`, documented at `extract_complex`."""

    memory: int | None
    at_once: int | None
    device: torch.device | str | None
    dtype: torch.dtype | None


class ComplexKeywords(PieceKeywords, total=False):
    """Keywords of `extract_complex`, documented there."""

    degeneracy: str
    zero_sign: int
    exact: bool


class LevelSetKeywords(ComplexKeywords, total=False):
    """Keywords of `extract_level_set`, documented there."""

    output: int
    method: str
    prune: bool | None
    seeds: int | Tensor | LevelSet
    complete: bool
    budget: float | None
    progress: Callable[[str], None] | None


class Treatment(NamedTuple):
    """How signs in doubt and zeros are treated."""

    degeneracy: str = "perturb"  # one of `TREATMENTS`: where more rows than dimensions meet in a point
    zero_sign: int = 1  # 1 or -1: what an output counts as where it vanishes
    exact: bool = False  # decide signs in doubt in rationals

    @property
    def is_exact(self) -> bool:
        """True if signs have to be exact: treatments other than perturbation need it."""
        return self.exact or self.degeneracy != "perturb"


class March(NamedTuple):
    """How a level set is walked."""

    seeds: int | Tensor | LevelSet = SEEDS
    complete: bool = False  # prove that no component is missing
    budget: float | None = None  # seconds that the proof may take; None: any


class ExtractionOptions(NamedTuple):
    """All options of an extraction."""

    output: int = 0
    method: str = "subdivide"  # one of `METHODS`
    prune: bool | None = None  # None: where it pays
    treatment: Treatment = Treatment()
    march: March = March()
    resources: Resources = Resources()


def options_of(
    call: str, keywords: Mapping[str, Any], kind: type[Any] = LevelSetKeywords
) -> ExtractionOptions:
    """Group and check the keywords of a call, which are those of a TypedDict.

    Raises:
        TypeError: there is no such keyword.
        ValueError: a value is none of those that are possible.
    """
    if unknown := keywords.keys() - kind.__annotations__.keys():
        raise TypeError(f"{call}() got an unexpected keyword argument {min(unknown)!r}")

    def taken(record: type[Any]) -> Any:
        return record(**{name: keywords[name] for name in record._fields if name in keywords})

    groups = {"treatment": taken(Treatment), "march": taken(March), "resources": taken(Resources)}
    options: ExtractionOptions = taken(ExtractionOptions)._replace(**groups)
    chosen = ("degeneracy", options.treatment.degeneracy, TREATMENTS), ("method", options.method, METHODS)
    for name, value, possible in chosen:
        if value not in possible:
            raise ValueError(f"{call}: {name} must be one of {', '.join(possible)}; got {value}")
    if options.treatment.zero_sign not in (1, -1):
        raise ValueError(f"{call}: zero_sign must be 1 or -1, got {options.treatment.zero_sign}")
    for name, limit in (("budget", options.march.budget), ("memory", options.resources.memory)):
        if limit is not None and not limit >= 0:
            raise ValueError(f"{call}: {name} must be 0 or more, got {limit}")
    return options


def domain_of(call: str, program: Program, domain: Domain | None) -> Domain:
    """Return the domain; where none is given, the cube of the program's grid, or its section.

    Raises:
        TypeError: it is no domain.
        ValueError: the program has no grid, the domain is larger than its cube, or a section misses that.
    """
    grid = program.grid
    require_domain(call, domain)
    if domain is None:
        if grid is None:
            raise ValueError(f"{call}: give a domain; only networks on a grid have one of their own")
        return Box.cube(grid.dim, grid.half_width) if grid.section is None else _cube_section(call, grid)
    if grid is not None and domain.dim == grid.in_dim:
        low, high = _reach(grid, domain)
        if low < -grid.half_width or high > grid.half_width:
            raise ValueError(
                f"{call}: the grid fills [{-grid.half_width:g}, {grid.half_width:g}]^{grid.dim}, and the "
                f"domain reaches from {low:g} to {high:g}: take a smaller one, or None for the cube"
            )
    return domain


def _reach(grid: KuhnGrid, domain: Domain) -> tuple[float, float]:
    """Least and greatest coordinate of a domain, in the space of the grid; of a section without rounding."""
    if grid.section is None or not domain.is_bounded:
        return min(domain.lower), max(domain.upper)
    n_words, cpu = -(-domain.n_walls // WORD), torch.device("cpu")
    section = Section(*(x.cpu().double() for x in grid.section))
    corners = section.lift(domain.skeleton(n_words, torch.float64, cpu).vertices)
    low, high = (x / (1 + get_epsilon(corners.dtype)) for x in torch.aminmax(corners))
    return float(low), float(high)


def _cube_section(call: str, grid: KuhnGrid) -> Polytope:
    """The section of a grid's cube; its walls are in the order of those of a box."""
    assert grid.section is not None
    origin, basis = (x.cpu().double() for x in grid.section)
    normals = torch.stack([-basis, basis], dim=1).flatten(0, 1)
    offsets = torch.stack([grid.half_width + origin, grid.half_width - origin], dim=1).flatten()
    try:
        return Polytope(normals, offsets)
    except ValueError as error:
        raise ValueError(f"{call}: the slice does not cut through the cube of the grid") from error


def require_level(call: str, program: Program, level: float | None, output: int = 0) -> None:
    """Refuse levels that are not finite, and outputs that the program does not have.

    Raises:
        ValueError: naming them.
    """
    if not 0 <= output < program.out_dim:
        raise ValueError(f"{call}: output must be in 0..{program.out_dim - 1}, got {output}")
    if level is not None and not math.isfinite(level):
        raise ValueError(f"{call}: level must be finite, got {level}")
