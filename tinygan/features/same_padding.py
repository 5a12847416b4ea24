"""TensorFlow's 'SAME' padding."""


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the pixels before and after a dimension, for ceil(size / stride) outputs.

    If their sum is odd, the extra pixel is at the end; PyTorch's own padding is symmetric and would
    shift every strided layer.
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
