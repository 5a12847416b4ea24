"""A linear classifier on features of real images: does a sample show the class it was asked for?"""

import numpy as np

from tinygan.metrics.features import Features


def accuracy(images: Features, real: Features, *, ridge: float = 1e-2) -> tuple[float, float]:
    """Fit a linear classifier on half of the real images and let it name the classes of the rest.

    The classifier is the closed form of ridge regression on standardised features to one-hot
    labels, W = (X'X / n + ridge I)^-1 X'Y / n, fitted on the even rows of each class.

    Args:
        images: features of generated images, whose labels are the intended classes.
        real: features of real images.
        ridge: weight of the penalty.

    Returns:
        The share, in [0, 1], of generated images and of held-out real images whose class it names.

    Raises:
        ValueError: the two come from different extractors, or a class of `images` is not in `real`.
    """
    images.check_comparable(real)
    classes, y = np.unique(real.labels, return_inverse=True)
    if missing := set(images.labels.tolist()) - set(classes.tolist()):
        raise ValueError(f"no real images of the classes {sorted(missing)}")
    fitted = np.arange(len(y)) % 2 == 0
    mean, std = real.features[fitted].mean(0), real.features[fitted].std(0) + 1e-6

    def standardise(features: np.ndarray) -> np.ndarray:
        scaled = (features.astype(np.float64) - mean) / std
        return np.hstack([scaled, np.ones((len(scaled), 1))])

    x = standardise(real.features[fitted])
    gram = x.T @ x / len(x) + ridge * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ np.eye(len(classes))[y[fitted]] / len(x))

    def share(features: np.ndarray, labels: np.ndarray) -> float:
        named = classes[(standardise(features) @ weights).argmax(1)]
        return float((named == labels).mean())

    held_out = ~fitted
    return (
        share(images.features, images.labels),
        share(real.features[held_out], real.labels[held_out]),
    )
