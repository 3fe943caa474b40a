"""The operators that can be lowered, one family a file.

Each takes the tape and the arguments of the torch function it stands for, with `Value`s in place of tensors,
and records affine steps and rectifications. The tables by function name are merged in `lowering.recorder`, so
that modules, functions, methods and Python operators share one entry. Operators not listed are refused.
"""
