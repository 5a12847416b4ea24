"""A linear classifier on features of real images: does a sample show the class it was asked for?"""

import numpy as np

from tinygan.features.files import Features

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)


def accuracy(images: Features, real: Features) -> tuple[float, float]:
    """Fit a linear classifier on half of the real images and let it name the classes of the rest.

    The classifier is the closed form of ridge regression on standardised features to one-hot
    labels, W = (X'X / n + ridge I)^-1 X'Y / n, fitted on the even rows. The ridge is chosen on real
    images alone, by the one-standard-error rule: the largest of `RIDGES` whose accuracy on the odd
    rows is within a standard error of the best one. (A smaller ridge leans on directions in which
    real images hardly vary, and generated ones do.)

    Args:
        images: features of generated images, whose labels are the intended classes.
        real: features of real images.

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

    x, held_out = standardise(real.features[fitted]), standardise(real.features[~fitted])
    gram, moment = x.T @ x / len(x), x.T @ np.eye(len(classes))[y[fitted]] / len(x)

    def share(weights: np.ndarray, features: np.ndarray, labels: np.ndarray) -> float:
        return float((classes[(features @ weights).argmax(1)] == labels).mean())

    candidates = [np.linalg.solve(gram + ridge * np.eye(len(gram)), moment) for ridge in RIDGES]
    accuracies = [share(weights, held_out, real.labels[~fitted]) for weights in candidates]
    best = max(accuracies)
    chosen = max(
        index
        for index, value in enumerate(accuracies)
        if value >= best - np.sqrt(best * (1 - best) / len(held_out))
    )
    generated = share(candidates[chosen], standardise(images.features), images.labels)
    return generated, accuracies[chosen]
