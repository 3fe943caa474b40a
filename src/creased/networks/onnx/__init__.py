"""ONNX models as torch modules, to be trained or lowered like any other.

`read` parses a file into a graph of nodes, and makes floating constants parameters; `folding` works out what
depends on constants and shapes alone by onnx's reference evaluator, whatever it is. `operators`, `layout` and
`spatial` define each ONNX operator by torch functions that `lower` can trace; others are refused by operator
and node. No ONNX runtime is needed.
"""
