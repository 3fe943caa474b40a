"""ONNX models as modules, lowered like any other; their graphs are read, and no runtime executes them."""
