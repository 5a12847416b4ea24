"""Streams of random numbers: named, independent, and extended without change."""

import numpy as np
import pytest
from scipy import stats

from tinygan.seeding import latent_batches, latents, stream, stream_seed, truncated_normal


def test_streams_differ_in_every_part_of_their_name() -> None:
    names = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", 1, 1), (0, "a", 11)]
    seeds = [stream_seed(*name) for name in names]
    assert len(set(seeds)) == len(names)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeds == [stream_seed(*name) for name in names]


def test_stream_seed_is_fixed() -> None:
    """A change here would change every result."""
    assert stream_seed(0, "pairs/z", 3) == 8252966012122388533


def test_streams_are_independent() -> None:
    draws = np.stack([stream(0, "test", key).standard_normal(20_000) for key in range(6)])
    correlations = np.corrcoef(draws)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(20_000)


@pytest.mark.parametrize("z_dim", [1, 7, 128])
def test_truncated_normal_prefix(z_dim: int) -> None:
    many = truncated_normal(stream(0, "t"), 50, z_dim, 0.5)
    for count in (1, 3, 49):
        few = truncated_normal(stream(0, "t"), count, z_dim, 0.5)
        np.testing.assert_array_equal(few, many[:count])


@pytest.mark.parametrize("scale", [0.04, 0.5, 1.0])
def test_truncated_normal_distribution(scale: float) -> None:
    z = truncated_normal(stream(0, "t"), 2_000, 100, scale)
    assert (z.dtype, z.shape) == (np.float32, (2_000, 100))
    assert np.abs(z).max() <= np.float32(2 * scale)
    assert np.abs(z).max() > 1.99 * scale
    reference = stats.truncnorm(-2, 2, scale=scale)
    error = reference.std() / np.sqrt(z.size)
    assert abs(z.mean(dtype=np.float64) - reference.mean()) < 4 * error
    assert z.std(dtype=np.float64) == pytest.approx(reference.std(), rel=0.01)
    assert stats.kstest(z.ravel()[::10], reference.cdf).pvalue > 1e-3


def test_truncated_normal_scales() -> None:
    half = truncated_normal(stream(0, "t"), 10, 4, 0.5)
    full = truncated_normal(stream(0, "t"), 10, 4, 1.0)
    np.testing.assert_array_equal(2 * half, full)


def test_latents() -> None:
    z = latents(0, "pairs", 3, 20, 8, 0.5)
    assert (z.dtype, z.shape) == (np.float32, (20, 8))
    expected = truncated_normal(stream(0, "pairs/z", 3), 20, 8, 0.5)
    np.testing.assert_array_equal(z, expected)
    np.testing.assert_array_equal(latents(0, "pairs", 3, 5, 8, 0.5), z[:5])
    for other in [(1, "pairs", 3), (0, "evaluation", 3), (0, "pairs", 4)]:
        assert not np.isin(latents(*other, 20, 8, 0.5), z).any()


@pytest.mark.parametrize("truncation", [0.5, None])
@pytest.mark.parametrize("batch", [1, 3, 20, 50])
def test_latents_drawn_in_batches_are_the_same(truncation: float | None, batch: int) -> None:
    whole = latents(0, "pairs", 3, 20, 7, truncation)
    parts = list(latent_batches(0, "pairs", 3, 20, 7, truncation, batch))
    assert [len(part) for part in parts[:-1]] == [batch] * (len(parts) - 1)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
