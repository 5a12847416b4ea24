"""The size of a student's and its discriminator's weights on disk, computed without PyTorch."""

from tinygan.config.derived import discriminator_layers

_FLOAT, _COUNTER = 4, 8  # bytes


def generator_bytes(
    *, architecture: str, channels: int, embedding: int, image_channels: int, **shape: int
) -> int:
    """Return the size of a student's weights in bytes (section 4.1).

    Other architectures than ``dw`` count as ``std``, the larger of the two.

    Args:
        architecture, channels, embedding, image_channels: see the config's section `student`.
        shape: the number of classes, image_size and z_dim.
    """
    blocks = discriminator_layers(shape["image_size"])  # as many as the discriminator has layers
    widths = [channels * 2**i for i in reversed(range(blocks))]
    widths = [widths[0], *widths]

    def conv3x3(inputs: int, outputs: int) -> int:
        if architecture == "dw":
            return 10 * inputs + inputs * outputs + outputs
        return 9 * inputs * outputs + outputs

    def conditional_norm(width: int) -> int:
        return 2 * (embedding * width + width) + 2 * width

    floats = shape["classes"] * embedding + (shape["z_dim"] + 1) * 16 * widths[0]
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        floats += conditional_norm(inputs) + conditional_norm(outputs)
        floats += conv3x3(inputs, outputs) + conv3x3(outputs, outputs)
        floats += inputs * outputs + outputs  # the shortcut
    floats += 4 * widths[-1] + 9 * widths[-1] * image_channels + image_channels
    return _FLOAT * floats + _COUNTER * (2 * blocks + 1)


def discriminator_bytes(*, channels: int, classes: int, image_size: int) -> int:
    """Return the size of a discriminator's weights in bytes, with spectral norm's vectors."""
    layers = discriminator_layers(image_size)
    widths = [3, *(channels * 2**i for i in range(layers))]
    floats = 0
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        floats += 16 * inputs * outputs + 2 * outputs + 16 * inputs
    last = widths[-1]
    floats += 2 * last + 2  # the linear layer of the head
    floats += classes * last + classes + last  # the class embedding of the head
    return _FLOAT * floats
