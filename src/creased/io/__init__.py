"""Read networks and write exact meshes.

`load` reads a program from any file that holds a network, `checkpoint` the record that training leaves in a
checkpoint: the program, its domain and the similarity to the user's coordinates. `export` writes meshes, one
writer a format, and `metadata` a JSON file beside each with its audit, what is proven and its digest.

Files are written atomically. Nothing that is read is executed: checkpoints hold tensors and plain values,
archives no pickles. Reading checkpoints and writing PLY, OBJ and 3MF need torch alone.
"""
