"""How kernels are compiled, and what they are made of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
U = np.uint64  # for indices: signed ones are compared with zero first, which hinders vectorisation

# References to arrays are not counted, which would take most of the time of small kernels; none allocates.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
PART = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # of a kernel that Python calls
part = njit(**PART, fastmath={"contract"})
inlined = njit(**PART, forceinline=True, fastmath={"contract"})  # a call copies all that records refer to
reassociated = njit(**PART, fastmath=True)  # sums in any order
whole = njit(**OPTIONS, fastmath={"contract"}, cache=True)  # one that Python calls, cached with its parts
ZERO: Any = np.int64(0)  # kernels called with a literal would be compiled again for that


def sources(*modules: str) -> str:
    """Hash the sources of the kernels in the folders of modules, and those of this one.

    The cache of a compiled function is of its own file and of what it closes over. One that calls kernels of
    other files closes over this hash.
    """
    files = sorted(file for path in (*modules, __file__) for file in Path(path).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
