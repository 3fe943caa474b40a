"""Batches of (point, signed distance) from a shape, with importance sampling near the surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from creased.core.domain import Box
from creased.shapes.sampling import sample_distances
from creased.shapes.shape import Shape


class SampledPoints(Dataset[tuple[Tensor, Tensor]]):
    """Points and distances in memory; indexed by a whole batch at once."""

    def __init__(self, points: Tensor, distances: Tensor) -> None:
        self.points, self.distances = points, distances  # (n, 3), (n,)

    def __getitem__(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The batch of the samples chosen (b,)."""
        return self.points[chosen], self.distances[chosen]


class ShuffledBatches(Sampler[Tensor]):
    """Indices of whole batches, drawn without replacement until the samples are used up, then again.

    The order depends on the seed and the epoch only, so that a resumed run sees what an unbroken one sees.
    """

    def __init__(self, n_samples: int, batch_size: int, n_batches: int, seed: int) -> None:
        self.n_samples, self.batch_size, self.n_batches, self.seed = n_samples, batch_size, n_batches, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order, used = torch.empty(0, dtype=torch.int64), 0
        for _ in range(self.n_batches):
            if used + self.batch_size > order.shape[0]:
                order, used = torch.randperm(self.n_samples, generator=generator), 0
            yield order[used : used + self.batch_size]
            used += self.batch_size


class SDFDataModule(L.LightningDataModule):
    """Samples a shape once, and serves batches from memory.

    Args:
        shape: what to learn.
        domain: where.
        n_samples: points with distances.
        near: the share of them drawn near the surface; the rest is uniform in the domain.
        spreads: standard deviations, in domain units, of the offsets of near points.
        batch_size: points a step.
        n_batches: steps an epoch; an epoch is the time between two extractions, not a pass over the samples.
        n_validation: fresh surface points for validation.
        seed: of samples and order.
    """

    def __init__(
        self,
        shape: Shape,
        domain: Box,
        n_samples: int = 500_000,
        near: float = 0.8,
        spreads: Sequence[float] = (0.01, 0.04),
        batch_size: int = 4096,
        n_batches: int = 1000,
        n_validation: int = 10_000,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not 0 <= near <= 1:
            raise ValueError(f"data.near is a share between 0 and 1, got {near}")
        if min(n_samples, batch_size, n_batches, n_validation) < 1 or batch_size > n_samples:
            raise ValueError(
                f"data: need 1 <= batch_size <= n_samples and positive counts, got batch_size={batch_size}, "
                f"n_samples={n_samples}, n_batches={n_batches}, n_validation={n_validation}"
            )
        self.shape, self.domain = shape, domain
        self.n_samples, self.near, self.spreads = n_samples, near, tuple(spreads)
        self.batch_size, self.n_batches, self.n_validation = batch_size, n_batches, n_validation
        self.seed = seed
        self.samples: SampledPoints | None = None

    def setup(self, stage: str) -> None:
        """Sample the shape, once."""
        if self.samples is not None:
            return
        rng = np.random.default_rng(self.seed)
        samples = sample_distances(self.shape, self.domain, self.n_samples, self.near, self.spreads, rng)
        self.samples = SampledPoints(torch.from_numpy(samples.points), torch.from_numpy(samples.distances))
        surface, _ = self.shape.sample_surface(self.n_validation, rng)
        self.surface = torch.from_numpy(surface.astype(np.float32))

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Whole batches."""
        assert self.samples is not None
        order = ShuffledBatches(self.n_samples, self.batch_size, self.n_batches, self.seed)
        return DataLoader(self.samples, batch_size=None, sampler=order)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Points on the surface, where the function should vanish."""
        return DataLoader(TensorDataset(self.surface), batch_size=self.n_validation)
