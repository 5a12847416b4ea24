"""Random numbers: every stream is named by (seed, purpose, keys), so no job depends on another."""

import hashlib
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri


def stream_seed(seed: int, purpose: str, *keys: int) -> int:
    """Return a 63-bit seed for one stream.

    Args:
        seed: the run's seed, from the config.
        purpose: what the numbers are for, e.g. ``"pairs/z"``.
        keys: what tells streams of one purpose apart, e.g. the class index or the step.
    """
    name = "/".join([str(seed), purpose, *map(str, keys)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Return NumPy's generator of the stream that `stream_seed` names."""
    return np.random.default_rng(stream_seed(seed, purpose, *keys))


def truncated_normal(rng: np.random.Generator, count: int, z_dim: int, scale: float) -> np.ndarray:
    """Draw latent vectors z = scale * truncnorm(-2, 2), BigGAN's truncated normal (section 5.1).

    The draw inverts the distribution function, one uniform number a value, so the first n rows
    are the same whatever `count` is: asking for more samples never changes those already drawn.

    Args:
        rng: the stream to draw from.
        count: number of rows.
        z_dim: number of columns.
        scale: BigGAN's truncation, in (0, 1] for its teacher; values lie in [-2 scale, 2 scale].

    Returns:
        float32 array of shape [count, z_dim].
    """
    low, high = ndtr(-2.0), ndtr(2.0)
    uniform = rng.random((count, z_dim))
    return (scale * ndtri(low + (high - low) * uniform)).astype(np.float32)


def latents(
    seed: int, split: str, class_index: int, count: int, z_dim: int, truncation: float | None
) -> np.ndarray:
    """Draw the z of one class and split: the teacher's, and the students' to match row by row.

    Args:
        seed: the run's seed.
        split: ``"pairs"`` or ``"evaluation"``.
        class_index: the class.
        count: number of rows, at least 1; a larger count only adds rows.
        z_dim: number of columns.
        truncation: see `truncated_normal`; None for the standard normal, without bounds.

    Returns:
        float32 array of shape [count, z_dim].
    """
    (z,) = latent_batches(seed, split, class_index, count, z_dim, truncation, batch=count)
    return z


def latent_batches(
    seed: int,
    split: str,
    class_index: int,
    count: int,
    z_dim: int,
    truncation: float | None,
    batch: int,
) -> Iterator[np.ndarray]:
    """Draw the rows of `latents`, `batch` of them at a time, the last time those that are left."""
    rng = stream(seed, f"{split}/z", class_index)
    for start in range(0, count, batch):
        rows = min(batch, count - start)
        if truncation is None:
            yield rng.standard_normal((rows, z_dim), dtype=np.float32)
        else:
            yield truncated_normal(rng, rows, z_dim, truncation)
