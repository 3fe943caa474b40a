"""The command `train.py` around Hydra: what is wrong with its words ends in one line, not in a trace.

What goes wrong once a run has begun is said by `creased.training.run.run_or_explain`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException

TRACES = "HYDRA_FULL_ERROR"  # with 1 Hydra raises what it caught; a user who sets it wants the trace
CONFIGS = Path(__file__).parents[3] / "configs"


def run_command(main: Callable[[], object]) -> None:
    """Run what Hydra decorates; exit with status 1 and a line where its words, or its folder, are no good."""
    if os.environ.get(TRACES) == "1":
        main()
        return
    os.environ[TRACES] = "1"
    try:
        main()
    except (HydraException, OSError) as error:
        print(f"creased: {_say(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        os.environ.pop(TRACES, None)


def _say(error: BaseException) -> str:
    """What is wrong and what there is instead; of the rest of Hydra's words, the first lines."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        folder = CONFIGS / group
        options = error.options or [path.stem for path in folder.glob("*.yaml")]
        return f"there is no {group}={name}: choose from {', '.join(sorted(options))}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = "; ".join(line.removesuffix(".") for line in lines[:2] if not line.startswith("See http"))
    if isinstance(error, ConfigCompositionException):
        return f"{words}; ./run train --cfg job shows every option"
    return words
