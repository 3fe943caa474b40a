"""ONNX models as torch modules, to be trained or lowered like any other.

`read` parses a file into a graph of nodes, folds constants, and makes floating constants parameters; nothing
in the file is executed, and no ONNX runtime is needed. `operators` and `spatial` define each ONNX operator by
torch functions that `lower` can trace; unsupported ones are refused by operator and node.
"""
