"""Log the local complexity each epoch: neurons whose creases meet balls around points, and cells there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lightning as L
import torch
from torch import Tensor

from creased.core.extract_complex import count_cells
from creased.core.numerics.memory import CellLimitError
from creased.core.program.program import Program
from creased.training.callbacks.measure import MeasureNetwork
from creased.tropical import local_complexity


class LocalComplexity(MeasureNetwork):
    """Logs the exact local complexity around data points; see `creased.tropical.local_complexity`.

    Logs for each set of points NAME the means over points: `complexity/NAME/crossing`, the neurons that cross
    the ball, and `complexity/NAME/crossing_1`, ... of each block; `complexity/NAME/by_corners`, those found
    by the signs at the ball's corners alone; `complexity/NAME/cells`. Also `complexity_s`, the seconds taken.

    Works with any LightningModule whose network can be lowered. Points and random slices stay the same
    through a run. It comes before `EpochTable`.

    YAML to paste, in `configs/callbacks/`:

        complexity:
          _target_: creased.training.callbacks.LocalComplexity
          radius: 0.05
          n_points: 32
          slice_dim: 2
          every_n_epochs: 1
          count_domain: false

    Args:
        radius: of the balls, in the 1-norm.
        n_points: of each set, at most.
        slice_dim: of random slices, where there are more than three inputs.
        every_n_epochs: interval; the last epoch of the run always counts.
        count_domain: log `complexity/cells` too, of all of the module's `domain`; takes longer.
        points: by name, each (P, ...); by default "train" and "val", the first points of the first batches.
        network: the name of the module's attribute that is lowered.
        input_shape: of one point, if the network does not take vectors, such as (1, 28, 28).
        seed: of the slices.
    """

    prefix, subject = "complexity", "local complexity is"
    failures = (ArithmeticError, CellLimitError)

    def __init__(
        self,
        radius: float = 0.05,
        n_points: int = 32,
        slice_dim: int = 2,
        every_n_epochs: int = 1,
        count_domain: bool = False,
        points: Mapping[str, Tensor] | None = None,
        network: str = "network",
        input_shape: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        if not radius > 0 or n_points < 1 or every_n_epochs < 1 or slice_dim not in (1, 2, 3):
            raise ValueError(
                "LocalComplexity: needs radius > 0, n_points >= 1, every_n_epochs >= 1 and slice_dim 1, 2 or "
                f"3, got {radius}, {n_points}, {every_n_epochs} and {slice_dim}"
            )
        super().__init__(every_n_epochs, network, input_shape)
        self.radius, self.n_points, self.slice_dim = radius, n_points, slice_dim
        self.count_domain, self.seed = count_domain, seed
        self.is_collecting = points is None
        self.points = {name: self._first(given) for name, given in (points or {}).items()}

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Collect the first training points."""
        self._keep("train", batch)

    def on_validation_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect the first validation points."""
        self._keep("val", batch)

    def measure(self, program: Program, domain: Any) -> dict[str, float]:
        """Count around each set of points."""
        values: dict[str, float] = {}
        for name, points in self.points.items():
            found = local_complexity(program, points, self.radius, slice_dim=self.slice_dim, seed=self.seed)
            prefix = f"complexity/{name}/"
            values[f"{prefix}crossing"] = float(found.n_crossing.double().mean())
            for block, mean in enumerate(found.crossing.double().mean(0).tolist()):
                values[f"{prefix}crossing_{block + 1}"] = mean
            values[f"{prefix}by_corners"] = float(found.by_corners.sum(1).double().mean())
            values[f"{prefix}cells"] = float(found.cells.double().mean())
        if self.count_domain and domain is not None:
            values["complexity/cells"] = float(count_cells(program, domain, level=None)[-1])
        return values

    def _keep(self, name: str, batch: Any) -> None:
        if self.is_collecting and name not in self.points:
            self.points[name] = self._first(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def _first(self, points: Tensor) -> Tensor:
        """Take the first points, flattened to rows."""
        return points[: self.n_points].detach().flatten(1).to("cpu", torch.float64)

    def state_dict(self) -> dict[str, Any]:
        """Store the points in the checkpoint, so that a resumed run uses the same."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the points of the resumed run."""
        self.points = dict(state_dict["points"])
