"""The precisions of an export, and the names of its files."""

PRECISIONS = ("fp32", "fp16", "int8")


def file_name(precision: str) -> str:
    """Return the name of the file of a precision."""
    return f"generator_{precision}.onnx"
