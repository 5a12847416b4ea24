"""The classes of Animal-MNIST, in the order of its labels. No NumPy: the config imports it."""

CLASSES = (
    "bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra",
)  # fmt: skip
