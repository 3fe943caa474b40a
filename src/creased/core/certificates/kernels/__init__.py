"""Kernels of certificates: import them only where `native.available.is_native` is true."""
