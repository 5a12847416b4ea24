"""The classes of Animal-MNIST, in the order of its labels; for the config, without NumPy."""

CLASSES = (
    "bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra",
)  # fmt: skip
