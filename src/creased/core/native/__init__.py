"""Compiled kernels for the CPU: where they can be used, and how they are made.

Packages keep their kernels in a folder ``kernels``. Only these, and the modules that hand arrays to them,
import numba and numpy; they are imported where `available.is_native` is true, and so never without numba.
"""
