"""Numerical ground that knows nothing of networks.

Tolerances are functions of the dtype and live in one file; so do limits of memory. Tensors that grow, records
of tensors, independent rows and null spaces, and chains and components by pointer doubling are what the rest
is built of.
"""
