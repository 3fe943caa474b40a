"""Time training on the device: a plain loop, one with a regularizer, and that of Lightning, if installed."""

from __future__ import annotations

import logging
import warnings
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

import creased
from creased.geometry.regularizers.areas import Area
from scripts.accelerator.bench import Bench
from scripts.accelerator.networks import new_grid, optimizer_of, train

EPOCH = 830  # steps
REGULARIZED = 100  # steps with a regularizer
BOX = creased.Box.cube(3, 0.5)


def epochs(bench: Bench) -> None:
    """An epoch of the default grid network and of a plain one, without logging or callbacks."""
    steps = 20 if bench.quick else EPOCH
    torch.manual_seed(0)
    for name, network in (
        ("grid 8..64", new_grid(64, quick=bench.quick)),
        ("grid 8..128", new_grid(128, quick=bench.quick)),
        ("plain 4x96", creased.MLP(3, 96, 4)),
    ):
        network.to(bench.device)
        optimizer = optimizer_of(network)
        bench.time(
            f"epoch of {steps} steps, {name}",
            lambda: train(network, optimizer, (bench.networks.batch() for _ in range(steps))),  # noqa: B023
            lambda loss: f"loss {float(loss):.5f}",
            1,
        )


def regularized(bench: Bench) -> None:
    """Steps with the area of the level set in the loss."""
    steps = 5 if bench.quick else REGULARIZED
    for name, network in (
        ("grid 8..64", bench.networks.grid(64)),
        ("plain 4x96", bench.networks.plain(4, 96)),
    ):
        network = _copy(network)
        method = "subdivide" if isinstance(network, creased.GridMLP) else "march"
        surface, term = creased.extract_level_set(network, BOX, method=method), Area()
        term(surface, creased.lower(network))  # measured once an extraction
        optimizer = torch.optim.SGD(network.parameters(), 1e-6)

        def more() -> Tensor:
            return 1e-3 * term(surface, creased.lower(network, check=False))  # noqa: B023

        for kind, extra in (("plain", None), ("regularized", more)):
            batches = [bench.networks.batch() for _ in range(steps)]
            bench.time(
                f"{steps} {kind} steps, {name}",
                lambda: train(network, optimizer, batches, extra),  # noqa: B023
                lambda loss: f"loss {float(loss):.5f}",
                1,
            )


def _copy(network: nn.Module) -> nn.Module:
    """A copy in single precision with weights of its own."""
    return deepcopy(network).float()


def lightning_epoch(bench: Bench) -> None:
    """An epoch of the default grid network as `train.py` takes it, with its samples on the device."""
    try:
        import lightning

        from creased.training import ClampedDistance, SDFModule, constant
        from creased.training.data import ShuffledBatches
    except ImportError as missing:
        print(f"no training in Lightning: {missing}", flush=True)
        return
    for noisy in ("lightning", "lightning.pytorch"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    steps = 20 if bench.quick else EPOCH
    drawn = [tuple(part.cpu() for part in bench.networks.batch()) for _ in range(64)]
    samples = [torch.cat(parts).to(bench.device) for parts in zip(*drawn, strict=True)]
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.9, 0.99))
    module = SDFModule(new_grid(64, quick=bench.quick), {"distance": ClampedDistance()}, adam, constant())
    where = "gpu" if bench.device.type == "cuda" else "cpu"

    def batches() -> ShuffledBatches:
        return ShuffledBatches(samples, 4096, steps, 0)

    def fit() -> float:
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = lightning.Trainer(
            accelerator=where, devices=1, max_epochs=1, enable_model_summary=False, **quiet
        )
        trainer.fit(module, batches())
        return float(trainer.callback_metrics["loss"])

    bench.time(f"epoch of {steps} steps in Lightning, grid 8..64", fit, lambda loss: f"loss {loss:.5f}", 1)
