"""Export generators to ONNX files, and run these files."""
