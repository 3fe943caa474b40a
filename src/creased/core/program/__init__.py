"""The canonical form of a piecewise-affine network, and what is computed on it.

A `Program` is a list of blocks (affine map, ReLU, passthrough) and an affine head. Programs are combined and
restricted to affine slices. Affine arithmetic and CROWN bound them over many cells at once; what rounding may
do to their values is bounded beside that. All else of the package knows networks in this form only.
"""
