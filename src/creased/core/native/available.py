"""Kernels compiled for the CPU by numba, where it is installed (``pip install 'creased[fast]'``).

A kernel does in one pass over the cells what the torch path does in one operation after another. Kernels take
and give plain arrays, and are for CPU tensors alone; the torch path is the reference, does all of
the work where numba is absent and on every other device, and decides what rounding leaves in doubt. Modules
of kernels import numba, and so are imported only where `is_native` is true.

The first use compiles (seconds) and writes the result beside the module or to the user's cache, from where
later processes take it; where neither can be written to, torch does the work.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec

import torch

SWITCH = "CREASED_NATIVE"  # environment variable; 0: never use compiled kernels


def is_native(device: torch.device) -> bool:
    """Return whether compiled kernels can do the work for tensors on that device."""
    return device.type == "cpu" and os.environ.get(SWITCH) != "0" and _can_compile()


@cache
def _can_compile() -> bool:
    """Return whether numba is installed and works, and can keep what it compiles for later processes."""
    if find_spec("numba") is None:
        return False
    try:
        from numba import njit

        njit(cache=True)(_can_compile.__wrapped__)
    except (ImportError, RuntimeError):  # numba does not fit NumPy; no folder that can be written to
        return False
    return True
