"""The command `train.py` around Hydra: one line for each mistake, and metrics for its sweepers.

`words` quotes names of files, `entry` calls Hydra, whose refusals `refusals` formats; `mistakes` formats
those of a run that has begun, and `sweep` says at the end of a sweep which of its runs failed.
"""

from creased.training.command.entry import objective, run_command

__all__ = ["objective", "run_command"]
