"""Files: exact meshes out, networks in, and what goes with them.

Files are written whole or not at all. Nothing that is read is executed: checkpoints hold tensors and plain
values, archives no pickles. Each mesh has metadata beside it that say what is guaranteed of it.
"""
