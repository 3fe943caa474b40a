"""Log the Betti numbers of the network's sets each epoch: how components, loops and cavities come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning as L
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.numerics.memory import CellLimitError
from creased.core.program.program import Program
from creased.topology.betti import SIDES, betti_by_side
from creased.topology.persistence import Filtration
from creased.topology.problem import TopologyOptions, make_problem
from creased.training.callbacks.extract import find_surface
from creased.training.callbacks.measure import MeasureNetwork


class BettiNumbers(MeasureNetwork):
    """Logs the Betti numbers of {f < level}, {f = level} and {f > level}; see `creased.betti_numbers`.

    Logs `topology/below_0`, `topology/below_1`, ... (components, loops, ...) and likewise for other sides,
    one for each dimension below D, and `topology_s`, the seconds taken. Of a network with more cells than
    allowed nothing is logged but a warning.

    Works with any LightningModule whose network can be lowered, of up to four inputs. It comes before
    `EpochTable`, and behind `ExtractLevelSet`, if there is one: for "below" the level set of a large network
    that was extracted, complete and at the same level, does; "on" and "above" take another.

    YAML to paste, in `configs/callbacks/`:

        topology:
          _target_: creased.training.callbacks.BettiNumbers
          level: 0.0
          sides: [below, "on"]   # in quotes: YAML reads on as true
          every_n_epochs: 1
          max_cells: 1000000

    Args:
        level: the value, of the network's output before a last activation.
        sides: which sets: "below", "on", "above".
        every_n_epochs: interval; the last epoch of the run always counts.
        half_width: of the cube to look in; by default the module's `domain`, or, without one, all of space.
        output: index of the network's output.
        max_cells: cells of all dimensions that are allowed; by default as for `creased.betti_numbers`.
        network: the name of the module's attribute that is lowered.
        input_shape: of one point, if the network does not take vectors.
    """

    prefix, subject = "topology", "Betti numbers are"
    failures = (ArithmeticError, CellLimitError)

    def __init__(
        self,
        level: float = 0.0,
        sides: Sequence[str] = SIDES,
        every_n_epochs: int = 1,
        half_width: float | None = None,
        output: int = 0,
        max_cells: int | None = None,
        network: str = "network",
        input_shape: Sequence[int] | None = None,
    ) -> None:
        if every_n_epochs < 1 or not sides or not set(sides) <= set(SIDES):
            raise ValueError(
                f"BettiNumbers: needs every_n_epochs >= 1 and sides among {', '.join(SIDES)}, got "
                f"{every_n_epochs} and {', '.join(map(str, sides)) or 'none'}"
            )
        super().__init__(every_n_epochs, network, input_shape)
        self.level, self.sides, self.half_width = level, tuple(sides), half_width
        self.options = TopologyOptions(output=output, max_cells=max_cells)
        self._known: LevelSet | None = None

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Measure and log; a level set that was extracted of the present network is used."""
        surface = find_surface(trainer)
        if surface is not None and surface.is_current and surface.level_set is not None:
            is_of_network = surface.network is getattr(pl_module, self.network, None)
            self._known = surface.level_set.to("cpu") if is_of_network else None
        super().on_train_epoch_end(trainer, pl_module)
        self._known = None

    @torch.no_grad()
    def measure(self, program: Program, domain: Any) -> dict[str, float]:
        """Count the classes of each side."""
        if self.half_width is not None:
            domain = Box.cube(program.in_dim, self.half_width)
        problem = make_problem(program, domain, self.level, self.options)
        numbers = betti_by_side(problem, self.sides, Filtration(problem), self._known)
        return {
            f"topology/{side}_{dim}": float(number)
            for side, of_side in numbers.items()
            for dim, number in enumerate(of_side[: max(program.in_dim, 1)])
        }
