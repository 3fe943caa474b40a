"""Import open3d, and make its meshes.

Importing open3d needs libusb-1.0, which a machine may lack; it is loaded before from the PyPI package
libusb-package. On a bare container open3d also needs the system's libGL; where it cannot be imported what
needs it is left out, and the reason is logged once.
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


@cache
def import_open3d() -> Any | None:
    """Import open3d; None where it cannot be imported, and the reason is logged once."""
    try:
        import libusb_package

        ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    except (ImportError, OSError) as error:
        log.debug("libusb-package cannot be loaded: %s", error)
    try:
        import open3d
    except (ImportError, OSError) as error:
        log.warning("mesh checks are left out, open3d cannot be imported: %s", error)
        return None
    return open3d


def as_open3d(open3d: Any, vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Any:
    """Make an open3d mesh of triangles (T, 3) over vertices (V, 3)."""
    return open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(vertices), open3d.utility.Vector3iVector(triangles.astype("int32"))
    )
