"""ONNX models as torch modules, to be lowered like any other: files are parsed, never executed."""
