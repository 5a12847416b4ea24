"""A linear classifier on features of real images: does a sample show the intended class?"""

import numpy as np

from tinygan.features.files import Features

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)


def accuracy(images: Features, real: Features) -> tuple[float, float]:
    """Fit a linear classifier on half of the real images and classify the generated ones.

    The classifier is ridge regression from standardised features to one-hot labels in closed form,
    W = (X'X / n + ridge I)^-1 X'Y / n, fitted on the even rows. The ridge is chosen on real images
    only, by the one-standard-error rule: the largest of `RIDGES` whose accuracy on the odd rows is
    within a standard error of the best one. (A smaller ridge relies on directions in which real
    images hardly vary, but generated ones do.)

    Args:
        images: features of generated images, whose labels are the intended classes.
        real: features of real images.

    Returns:
        the accuracy, in [0, 1], on the generated images and on the held-out real images.

    Raises:
        ValueError: the two come from different extractors, or a class of `images` is not in `real`.
    """
    images.check_comparable(real)
    classes, y = np.unique(real.labels, return_inverse=True)
    if missing := set(images.labels.tolist()) - set(classes.tolist()):
        raise ValueError(f"no real images of the classes {sorted(missing)}")
    train = np.arange(len(y)) % 2 == 0
    mean, std = real.features[train].mean(0), real.features[train].std(0) + 1e-6

    def standardise(features: np.ndarray) -> np.ndarray:
        scaled = (features.astype(np.float64) - mean) / std
        return np.hstack([scaled, np.ones((len(scaled), 1))])

    x, held_out = standardise(real.features[train]), standardise(real.features[~train])
    gram, moment = x.T @ x / len(x), x.T @ np.eye(len(classes))[y[train]] / len(x)

    def score(weights: np.ndarray, features: np.ndarray, labels: np.ndarray) -> float:
        return float((classes[(features @ weights).argmax(1)] == labels).mean())

    candidates = [np.linalg.solve(gram + ridge * np.eye(len(gram)), moment) for ridge in RIDGES]
    accuracies = [score(weights, held_out, real.labels[~train]) for weights in candidates]
    best = max(accuracies)
    chosen = max(
        index
        for index, value in enumerate(accuracies)
        if value >= best - np.sqrt(best * (1 - best) / len(held_out))
    )
    generated = score(candidates[chosen], standardise(images.features), images.labels)
    return generated, accuracies[chosen]
