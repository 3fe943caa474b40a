"""Lowering: a torch module becomes a program, or is refused by name.

`graph` traces a module, orders what it found and writes blocks; `operators` knows what each operator does to
symbolic values. What is not piecewise affine is refused, naming the module and the nearest supported one.
"""
