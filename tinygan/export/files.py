"""The names of exported files."""

PRECISIONS = ("fp32", "fp16", "int8")


def file_name(precision: str) -> str:
    """Return the name of the ONNX file of a precision."""
    return f"generator_{precision}.onnx"
