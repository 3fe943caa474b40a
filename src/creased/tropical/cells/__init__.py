"""Cells of a network: enumerated in integers or found by the engine, counted, bounded, near data points.

`cells` enumerates the full-dimensional cells exactly, for networks of up to some ten thousand;
`engine_cells` takes those of a float64 complex, and `fingerprints` compares their affine maps modulo
primes. `counts` chooses between the two, `region_bounds` has the bounds of the literature, `report` the
table of both. `local_complexity` counts cells in small balls, of programs without the neurons that are
stable there (`local_programs`).
"""
