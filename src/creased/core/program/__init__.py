"""The canonical form of a piecewise-affine network, and bounds and error estimates on it.

A `Program` is a list of `layers` (affine map, ReLU, passthrough) and an affine head. `combine` makes programs
of programs, which `side_by_side` joins; `affine_slice` restricts them to affine subspaces.
`affine_arithmetic` and `bounds` (CROWN) enclose their values over many cells at once, rounding included;
`rounding` snaps values within the rounding error to zero. The rest of the package knows networks in this form
only.
"""
