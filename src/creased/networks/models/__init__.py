"""Piecewise-affine networks to train, one architecture a file.

Each is a plain `nn.Module` that `lower` accepts like any other; none has code for the engine. Constructors
share the arguments of `MLP` and default to Kaiming weights. The layers that they are made of (`Maxout`,
`GroupSort`, `TriangleWave`) can be used in networks of one's own.
"""
