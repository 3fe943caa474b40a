"""Numerical building blocks that know nothing of networks.

Tolerances are functions of the dtype and live in one file, limits of memory in another. The rest of the
engine builds on growable tensors and records of tensors, on independent rows and null spaces, and on chains
and connected components by pointer doubling.
"""
