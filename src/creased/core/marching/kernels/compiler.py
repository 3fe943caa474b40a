"""How kernels are compiled, and what they are made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
U = np.uint64  # for indices: signed ones are compared with zero first, which hinders vectorisation

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
reassociated = njit(cache=True, nogil=True, error_model="numpy", fastmath=True)  # sums in any order


def sources() -> str:
    """Hash the kernels' sources.

    The cache of a compiled function is of its own file and of what it closes over. One that calls kernels of
    other files closes over this hash.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
