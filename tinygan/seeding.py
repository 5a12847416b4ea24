"""Random numbers: a stream per (seed, purpose, keys), so results do not depend on the jobs."""

import hashlib
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri


def stream_seed(seed: int, purpose: str, *keys: int) -> int:
    """Return a 63-bit seed for one stream.

    Args:
        seed: the run's seed, from the config.
        purpose: what the numbers are for, e.g. ``"pairs/z"``. Part of the results: never rename.
        keys: distinguish streams of one purpose, e.g. by class index or step.
    """
    name = "/".join([str(seed), purpose, *map(str, keys)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Return the NumPy generator of one stream, see `stream_seed`."""
    return np.random.default_rng(stream_seed(seed, purpose, *keys))


def truncated_normal(rng: np.random.Generator, count: int, z_dim: int, scale: float) -> np.ndarray:
    """Draw latent vectors z = scale * truncnorm(-2, 2), BigGAN's truncated normal (section 5.1).

    Drawn by inverting the distribution function, one uniform number per value. So the first n rows
    do not depend on `count`: drawing more samples never changes the earlier ones.

    Args:
        rng: the stream to draw from.
        count: number of rows.
        z_dim: number of columns.
        scale: BigGAN's truncation, in (0, 1] for its teacher; values are in [-2 scale, 2 scale].

    Returns:
        float32 array of shape [count, z_dim].
    """
    low, high = ndtr(-2.0), ndtr(2.0)
    uniform = rng.random((count, z_dim))
    return (scale * ndtri(low + (high - low) * uniform)).astype(np.float32)


def draw_z(
    rng: np.random.Generator, count: int, z_dim: int, truncation: float | None
) -> np.ndarray:
    """Draw latent vectors: `truncated_normal`, or a standard normal if the truncation is None.

    Returns:
        float32 array of shape [count, z_dim].
    """
    if truncation is None:
        return rng.standard_normal((count, z_dim), dtype=np.float32)
    return truncated_normal(rng, count, z_dim, truncation)


def latents(
    seed: int, split: str, class_index: int, count: int, z_dim: int, truncation: float | None
) -> np.ndarray:
    """Draw the z of one class and split; teacher and students use the same z, row by row.

    Args:
        seed: the run's seed.
        split: ``"pairs"`` or ``"evaluation"``.
        class_index: the class.
        count: number of rows, at least 1; a larger count only adds rows.
        z_dim: number of columns.
        truncation: see `draw_z`.

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
    """Yield the rows of `latents` in batches of at most `batch` rows."""
    rng = stream(seed, f"{split}/z", class_index)
    for start in range(0, count, batch):
        yield draw_z(rng, min(batch, count - start), z_dim, truncation)
