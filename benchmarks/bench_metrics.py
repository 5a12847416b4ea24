"""The time of the metrics at the paper's size, on synthetic features and one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/bench_metrics.py

First, the Frechet distance of one class by four methods, each from features to the number, and ours
with its 95 % interval: 1,300 real images against 5,000 samples in 2,048 dimensions. Then an
evaluation: some of the 398 classes and, at full size, the scores of 50,000 images of all classes
together. Times are CPU times, which other jobs on the machine affect less than wall times.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import scipy.linalg

from tinygan.evaluation.parts import Part
from tinygan.evaluation.scores import score
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features
from tinygan.metrics.fid import frechet_distance
from tinygan.metrics.leave_one_out import frechet_jackknife

REAL, SAMPLES, DIMENSIONS, LOGITS, CLASSES = 1300, 5000, 2048, 1000, 398


def synthetic(count: int, seed: int, scale: float) -> np.ndarray:
    """Return features float32 [count, 2048], positive and correlated, with a decaying spectrum."""
    mixing = np.random.default_rng(0).normal(size=(256, DIMENSIONS)).astype(np.float32)
    mixing *= np.arange(1, 257, dtype=np.float32)[:, None] ** -0.5
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((count, 256), np.float32) @ mixing * (0.2 * scale)
    noise = rng.standard_normal((count, DIMENSIONS), np.float32) * 0.1
    return np.abs(latent + noise)


def through_covariances(cross: Callable[[np.ndarray, np.ndarray], float]):
    """Return a distance function that computes tr (S1 S2)^(1/2) from the covariances by `cross`."""

    def distance(x: np.ndarray, y: np.ndarray) -> float:
        x, y = x.astype(np.float64), y.astype(np.float64)
        s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
        means = np.square(x.mean(0) - y.mean(0)).sum()
        return float(means + np.trace(s1) + np.trace(s2) - 2 * cross(s1, s2))

    return distance


def by_svd(x: np.ndarray, y: np.ndarray) -> float:
    """Compute the cross term as the sum of the singular values of X Y', which squares nothing."""
    means, centred, traces = [], [], 0.0
    for a in (x.astype(np.float64), y.astype(np.float64)):
        means.append(a.mean(axis=0))
        centred.append((a - means[-1]) / np.sqrt(len(a) - 1))
        traces += np.square(centred[-1]).sum()
    norm = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    return float(np.square(means[0] - means[1]).sum() + traces - 2 * norm)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "SVD of X Y'": by_svd,
    "tinygan": lambda real, samples: frechet_distance(samples, real),
    "tinygan, with interval": lambda real, samples: frechet_jackknife(samples, real)[0],
    "eigvals of S1 S2": through_covariances(
        lambda a, b: np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0)).sum()
    ),
    "scipy.linalg.sqrtm": through_covariances(
        lambda a, b: np.trace(scipy.linalg.sqrtm(a @ b)).real
    ),
}


def bench_distances(repeats: int) -> None:
    """Print a table of the methods, with medians over some repeats."""
    x, y = synthetic(REAL, 1, 1.0), synthetic(SAMPLES, 2, 1.1)
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    values = {}
    for _ in range(repeats):  # alternating, so that other load slows all of them alike
        for name, method in METHODS.items():
            start = time.process_time()
            values[name] = method(x, y)
            seconds[name].append(time.process_time() - start)
    exact, slowest = values["SVD of X Y'"], median(seconds["scipy.linalg.sqrtm"])
    print(f"distance {exact:.9f}; median of {repeats}\n")
    print("| method | seconds | speed-up over sqrtm | relative difference to the SVD |")
    print("| :-- | --: | --: | --: |")
    for name in METHODS:
        time_, difference = median(seconds[name]), abs(values[name] / exact - 1)
        print(f"| {name} | {time_:.2f} | {slowest / time_:.1f} | {difference:.1e} |")


def bench_evaluation(classes: int) -> None:
    """Score some classes, and extrapolate to all 398."""
    requested: list[float] = []  # CPU time at each request for the next class, and at the end
    generating: list[float] = []  # CPU time spent on the features of each class

    def parts() -> Iterator[Part]:
        for label in range(classes):
            requested.append(time.process_time())
            sides = []
            for count, seed, scale in ((SAMPLES, 2 * label, 1.1), (REAL, 2 * label + 1, 1.0)):
                features, labels = synthetic(count, seed, scale), np.full(count, label)
                logits = features[:, :LOGITS] * 5
                sides.append(Features(features, logits, labels, "synthetic", "0"))
            generating.append(time.process_time() - requested[-1])
            yield sides[0], sides[1]
        requested.append(time.process_time())

    names = [str(label) for label in range(classes)]
    score("bench", parts(), names, Settings(), {}, progress="classes")
    end = time.process_time()
    per_class = median(np.diff(requested) - generating)
    overall, peak = end - requested[-1], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{classes} classes of {SAMPLES:,} against {REAL:,}")
    print(f"per class {per_class:.2f} s; all classes together {overall:.0f} s; peak {peak:.1f} GiB")
    for threads in (1, 2):
        minutes = (CLASSES * per_class / threads + overall) / 60
        print(f"{CLASSES} classes on {threads} thread(s), extrapolated: {minutes:.0f} min")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each method (default: 3)")
    parser.add_argument("--classes", type=int, default=10, help="classes to score (default: 10)")
    options = parser.parse_args()
    bench_distances(options.repeats)
    bench_evaluation(options.classes)
