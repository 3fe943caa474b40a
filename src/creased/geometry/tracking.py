"""Follow the level set of a network while it is trained, in any loop.

Combinatorics are those of the last extraction, positions those of the live weights. Vertices that have left
their cells in between count as unmoved; the next extraction finds what took their place.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.extract_level_set import extract_level_set
from creased.core.options import SEEDS
from creased.core.program.program import Program
from creased.geometry.implicit_vertices import solve_vertices
from creased.networks.lower import lower_with_last

Measure = Callable[[LevelSet, Program], Tensor]  # a regularizer, or any function to a scalar


class TrackedLevelSet:
    """The level set of a network in training, extracted anew every so many steps.

        surface = creased.TrackedLevelSet(network, creased.Box.cube(3, 0.5), every_n_steps=50)
        for points, distances in batches:
            loss = (network(points)[:, 0] - distances).abs().mean() + 1e-4 * surface.term(measure)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            surface.step()

    Args:
        network: piecewise affine; its weights are read anew in each call.
        domain: where the level set is looked for; None: the cube of the network's grid.
        level: value of the network.
        every_n_steps: interval of extraction, in calls of `step`; None: never by itself.
        stale_above: extract, too, once more than this share of the vertices has left its cells; None: never.

    Raises:
        UnsupportedModuleError: the network is not piecewise affine.
        ValueError: an interval or a share is out of range, or the network does not take the level.
    """

    def __init__(
        self,
        network: nn.Module,
        domain: Domain | None,
        level: float = 0.0,
        *,
        every_n_steps: int | None = 50,
        stale_above: float | None = None,
    ) -> None:
        if every_n_steps is not None and every_n_steps < 1:
            raise ValueError(f"TrackedLevelSet: every_n_steps must be 1 or more, got {every_n_steps}")
        if stale_above is not None and not 0 <= stale_above <= 1:
            raise ValueError(f"TrackedLevelSet: stale_above is a share in [0, 1], got {stale_above}")
        self.network, self.domain = network, domain
        self.last = lower_with_last(network).last  # checks once what `program` then takes for granted
        self.level = level if self.last is None else self.last.before(level)  # of the program
        self.every_n_steps, self.stale_above = every_n_steps, stale_above
        self.level_set: LevelSet | None = None  # the last one extracted, detached
        self._versions: list[int] = []  # of the parameters that it is of
        self.n_steps, self.extracted_at = 0, 0  # steps done, and those that were done at the last extraction

    def program(self) -> Program:
        """Lower the network to a program that shares its weights."""
        return lower_with_last(self.network, check=False).program

    @torch.no_grad()
    def extract(
        self, *, method: str = "auto", warm_start: bool = True, dtype: torch.dtype = torch.float64
    ) -> LevelSet:
        """Extract with the present weights, keep the level set, and return it; it may be empty.

        Args:
            method: "subdivide", "march" or "auto", see `creased.extract_level_set`.
            warm_start: march from the last level set and a coarse grid, in place of a fine grid.
            dtype: of the computation; in float64 vertices lie on the surface to 1e-12.
        """
        last = self.level_set
        seeds = last if warm_start and last is not None and not last.is_empty else SEEDS
        options = {"method": method, "seeds": seeds, "dtype": dtype}
        found = extract_level_set(self.program(), self.domain, self.level, **options)  # type: ignore[arg-type]
        self.keep(found)
        return found

    def keep(self, level_set: LevelSet) -> None:
        """Take a level set that was extracted elsewhere with the present weights."""
        self.level_set, self.extracted_at = level_set, self.n_steps
        self._versions = self._versions_now()

    @property
    def is_current(self) -> bool:
        """True if there is a level set, and no weight was written to since it was extracted."""
        return self.level_set is not None and self._versions == self._versions_now()

    def _versions_now(self) -> list[int]:
        return [parameter._version for parameter in self.network.parameters()]

    def step(self) -> None:
        """Count a step of training, and extract where it is due."""
        self.n_steps += 1
        age = self.n_steps - self.extracted_at
        is_due = self.every_n_steps is not None and age >= self.every_n_steps
        if is_due or (self.stale_above is not None and self.stale_share() > self.stale_above):
            self.extract()

    def term(self, measure: Measure) -> Tensor:
        """Compute a measure () of the level set, differentiable in the weights; 0 while that is empty.

        Args:
            measure: a regularizer of `creased.geometry`, or a function of the level set and the live program,
                whose `implicit_vertices` leave vertices unmoved that have left their cells.
        """
        level_set, program = self.level_set or self.extract(), self.program()
        if level_set.is_empty:
            return 0 * program.head.bias.sum()  # a zero with a gradient
        return measure(level_set, program)

    @torch.no_grad()
    def stale_share(self, n: int = 512) -> float:
        """Estimate the share of vertices that have left their cells, from a sample of n."""
        if self.level_set is None or self.level_set.is_empty:
            return 0.0
        chosen = torch.randperm(self.level_set.vertices.shape[0])[:n]
        solved = solve_vertices(self.level_set, self.program(), chosen)
        return 1 - float(solved.is_current.float().mean())
