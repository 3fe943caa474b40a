"""Train a piecewise-affine signed distance function on a mesh: python train.py shape=bunny."""

import hydra
from omegaconf import DictConfig

from creased.training.command import objective, run_command
from creased.training.runs.folders import register_resolvers

register_resolvers()


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(cfg: DictConfig) -> float | list[float] | None:
    """Run one training; see `creased.training.run.run`."""
    return objective(cfg)


if __name__ == "__main__":
    run_command(main)
