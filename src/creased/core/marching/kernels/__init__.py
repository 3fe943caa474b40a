"""Kernels of the walk, compiled for the CPU by numba: import them only where `native.is_native` is true.

Cells are visited depth first, those across the neurons of the last block first. The cells with the same signs
up to a block then come one after another, and the maps of all rows up to the next block, which depend on
these signs alone, are composed once for all of them, see `creased.core.program.kernels.composition`.

The search for what a walk has missed (`branch_and_bound`) goes depth first over regions instead.
"""
