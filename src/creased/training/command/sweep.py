"""The outcome of a sweep: which of its runs failed, and an exit status that says so.

Jobs may be processes on other machines, so what failed is noted in a file of the sweep's folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from creased.io.limits import printable
from creased.training.options.shape import forget_shape, settle_shape

FAILED = "failed.txt"  # in the folder of a sweep: a line for each run that failed


def note_failure(message: str) -> None:
    """Note that this job of a sweep failed, and why."""
    sweep = HydraConfig.get().sweep
    with open(Path(sweep.dir) / FAILED, "a", encoding="utf-8") as file:
        file.write(f"{sweep.subdir}: {' '.join(message.split())}\n")


class SweepOutcome(Callback):
    """Names the runs of a sweep that failed, at its end, and exits with status 1.

    A failed trial is a result to a search, which fails if all of its trials do.

    YAML to paste, in `configs/train.yaml`:

        hydra:
          callbacks:
            sweep:
              _target_: creased.training.command.sweep.SweepOutcome
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Forget what failed in the same folder before; keep a user's files from another shape's licence."""
        (Path(config.hydra.sweep.dir) / FAILED).unlink(missing_ok=True)
        parsed = OverridesParser.create().parse_overrides(list(config.hydra.overrides.task))
        if any(word.key_or_group == "shape.path" and word.is_sweep_override() for word in parsed):
            forget_shape(config)
        else:
            settle_shape(config)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Name what failed.

        Raises:
            SystemExit: a run failed; in a search, all did.
        """
        folder = Path(config.hydra.sweep.dir)
        if not (folder / FAILED).is_file():
            return
        lines = (folder / FAILED).read_text(encoding="utf-8").splitlines()
        print(f"creased: {len(lines)} of the runs in {folder} failed:", file=sys.stderr)
        print(*(f"  {printable(line)}" for line in lines), sep="\n", file=sys.stderr)
        is_search = config.optimized_metric is not None
        if not is_search or not any(folder.glob("*/metrics.json")):
            raise SystemExit(1)
