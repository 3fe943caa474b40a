"""The one place where tolerances live, keyed by dtype."""

import torch


def get_epsilon(dtype: torch.dtype) -> float:
    """Relative tolerance for comparing results of a short chain of operations in ``dtype``.

    It is a thousand units in the last place: what a deep, narrow network loses in practice.
    """
    return 1000 * torch.finfo(dtype).eps
