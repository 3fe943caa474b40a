"""Exact arithmetic: float weights are rational numbers, and signs are decided in integers.

`elimination` is linear algebra in integers, with python-flint behind it where it is installed.
`integer_program` holds a network's weights as integers over powers of two, and evaluates it at points or, on
a cell, as linear forms. On both rests `exact_signs`: a vertex is the integer vector on which its rows vanish,
and the sign of any row there is that of an integer. Where there are many vertices, `modular_rows` finds the
same integers for all of them together, by `residues` modulo primes of forms that `modular_program` has; on a
CPU `kernels` do so, which compose the map of a cell from where its signs differ from those of the one before.
`decisions` asks while rows cut. `creased.tropical` enumerates cells with the first two.
"""
