"""Kernels of a program laid out flat: import them only where `native.available.is_native` is true."""
