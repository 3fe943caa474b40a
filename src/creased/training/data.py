"""Serve batches of (point, signed distance) from a shape, with importance sampling near the surface."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from creased.core.domains.box import Box
from creased.shapes.sampling import sample_distances
from creased.shapes.target import Target


class ShuffledBatches:
    """Batches of samples, drawn without replacement until the samples are exhausted, then again.

    The order depends on the seed and the epoch only, so that a resumed run sees the batches of an unbroken
    one. All ranks use one order: in each step n ranks take a batch n times as large, and each its part of it.
    Batches are gathered on the device of the samples, to which the order is copied once an epoch or so.

    Args:
        samples: tensors (n, ...) of one length.
        batch_size: samples in a batch.
        n_batches: in an epoch.
        seed: of the order.
        rank: of this process.
        n_ranks: processes.
    """

    def __init__(
        self,
        samples: Sequence[Tensor],
        batch_size: int,
        n_batches: int,
        seed: int,
        rank: int = 0,
        n_ranks: int = 1,
    ) -> None:
        self.samples, self.batch_size, self.n_batches = tuple(samples), batch_size, n_batches
        self.seed, self.rank, self.n_ranks = seed, rank, n_ranks
        self.epoch = 0

    @property
    def sampler(self) -> ShuffledBatches:
        """Itself: Lightning calls `set_epoch` of the sampler of a loader."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of this epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        n_samples, device = self.samples[0].shape[0], self.samples[0].device
        order, used = torch.empty(0, dtype=torch.int64, device=device), 0
        n_taken, first = self.batch_size * self.n_ranks, self.batch_size * self.rank
        for _ in range(self.n_batches):
            if used + n_taken > order.shape[0]:
                order, used = torch.randperm(n_samples, generator=generator).to(device), 0
            chosen = order[used + first : used + first + self.batch_size]
            yield tuple(part.index_select(0, chosen) for part in self.samples)
            used += n_taken


class SDFDataModule(L.LightningDataModule):
    """Samples a shape once, and serves batches from the memory of the device that trains.

    Args:
        shape: the training shape.
        domain: the box to sample.
        n_samples: number of points with distances that are drawn.
        near: share of the points near the surface; the rest is uniform in the domain.
        spreads: standard deviations, in domain units, of the offsets of near points.
        batch_size: points per step and process.
        n_batches: steps per epoch; an epoch is the time between two extractions, not a pass over the samples.
        n_validation: further points on the surface, for validation.
        seed: of samples and order.
        grid_levels: of the network's grid, over the domain; vertices of the finest near the surface and of
            coarse ones are samples, too.
        edge_width: points near sharp edges are samples, too, as many as near strips of this width.
    """

    def __init__(
        self,
        shape: Target,
        domain: Box,
        n_samples: int = 500_000,
        near: float = 0.8,
        spreads: Sequence[float] = (0.01, 0.04),
        batch_size: int = 4096,
        n_batches: int = 1000,
        n_validation: int = 10_000,
        seed: int = 0,
        grid_levels: Sequence[int] | None = None,
        edge_width: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= near <= 1:
            raise ValueError(f"data.near is a share between 0 and 1, got {near}")
        if not 0 <= edge_width < math.inf:
            raise ValueError(f"data.edge_width is a width, 0 or more, got {edge_width}")
        if min(n_samples, batch_size, n_batches, n_validation) < 1 or batch_size > n_samples:
            raise ValueError(
                f"data: need 1 <= batch_size <= n_samples and positive counts, got batch_size={batch_size}, "
                f"n_samples={n_samples}, n_batches={n_batches}, n_validation={n_validation}"
            )
        self.shape, self.domain = shape, domain
        self.n_samples, self.near, self.spreads = n_samples, near, tuple(spreads)
        self.batch_size, self.n_batches, self.n_validation = batch_size, n_batches, n_validation
        self.seed = seed
        self.grid_levels = tuple(grid_levels or ())
        self.edge_width = edge_width
        self.samples: tuple[Tensor, ...] | None = None  # points (n, 3), distances (n,)

    def setup(self, stage: str) -> None:
        """Sample the shape on the first call."""
        if self.samples is not None:
            return
        rng = np.random.default_rng(self.seed)
        samples = sample_distances(
            self.shape,
            self.domain,
            self.n_samples,
            self.near,
            self.spreads,
            rng,
            self.grid_levels,
            self.edge_width,
        )
        self.samples = tuple(map(torch.from_numpy, samples))
        surface = self.shape.sample_surface(self.n_validation, rng)
        self.surface = torch.from_numpy(surface.astype(np.float32))

    def train_dataloader(self) -> ShuffledBatches:
        """Whole batches of this rank, on its device."""
        assert self.samples is not None
        if self.trainer:
            self.samples = tuple(part.to(self.trainer.strategy.root_device) for part in self.samples)
        rank, n_ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        if self.batch_size * n_ranks > self.n_samples:
            raise ValueError(
                f"data.batch_size={self.batch_size} on {n_ranks} processes needs data.n_samples of "
                f"{self.batch_size * n_ranks} or more, got {self.n_samples}"
            )
        return ShuffledBatches(self.samples, self.batch_size, self.n_batches, self.seed, rank, n_ranks)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move what is not there yet; Lightning's own looks through a batch for what to move."""
        return tuple(part.to(device) for part in batch)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Points on the surface, where a signed distance is 0."""
        return DataLoader([(self.surface,)], batch_size=None)  # type: ignore[arg-type]
