"""Batches: only what a step needs is fetched, in the background, without waiting for the device."""

import threading

import numpy as np
import pytest
import torch
from helpers.training_setup import FULL, OBJECTIVES, PIXEL_ONLY, SCRATCH, run, settings

from tinygan.data.prefetch import prefetch
from tinygan.training.data import BatchSource, to_batch


def source(stores, weights):
    return BatchSource.of(
        settings(weights, batch=5), *stores, local_slice=slice(None), device=torch.device("cpu")
    )


def test_an_ablation_fetches_only_what_it_needs(stores):
    full = source(stores, FULL).gather(3)
    assert set(full) == {"z", "y", "teacher", "real", "real_y", "fresh_z"}
    for weights, names in (
        (PIXEL_ONLY, {"z", "y", "teacher"}),
        (SCRATCH, {"real", "real_y", "fresh_z"}),
    ):
        found = source(stores, weights).gather(3)
        assert set(found) == names
        for name in names:
            np.testing.assert_array_equal(found[name], full[name])


def test_a_batch_becomes_floats_on_the_device(stores):
    arrays = source(stores, FULL).gather(1)
    batch = to_batch(arrays, torch.device("cpu"))
    assert arrays["real"].dtype == np.uint8
    assert batch.real.shape == (5, 3, 32, 32)
    assert batch.real.is_contiguous(memory_format=torch.channels_last)
    expected = arrays["real"].transpose(0, 3, 1, 2) / np.float32(127.5) - np.float32(1)
    np.testing.assert_array_equal(batch.real.numpy(), expected)
    assert batch.y.dtype == torch.int64
    assert to_batch({}, torch.device("cpu")).teacher is None


def test_prefetching_keeps_the_order_and_a_bounded_lead():
    loaded, lead = [], []

    def load(step):
        loaded.append(step)
        assert threading.current_thread() is not threading.main_thread()
        return step * step

    for step, value in zip(range(20), prefetch(load, range(20), depth=2), strict=True):
        assert value == step * step
        lead.append(len(loaded) - step)
    assert loaded == list(range(20))
    assert max(lead) <= 3


def test_an_error_while_prefetching_reaches_the_loop():
    def load(step):
        if step == 2:
            raise ValueError("no such row")
        return step

    batches = prefetch(load, range(5))
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(ValueError, match="no such row"):
        next(batches)


@pytest.mark.parametrize("weights", OBJECTIVES.values(), ids=OBJECTIVES)
def test_no_step_waits_for_the_device(stores, tmp_path, monkeypatch, weights):
    """Reading a tensor's value waits for it; the log does so once per row, not per step."""
    reads = []

    def counted(name):
        before = getattr(torch.Tensor, name)

        def read(tensor, *arguments, **options):
            reads.append(name)
            return before(tensor, *arguments, **options)

        return read

    for name in ("item", "__float__", "__bool__", "__int__", "tolist", "cpu", "numpy"):
        monkeypatch.setattr(torch.Tensor, name, counted(name))
    # Adam counts its steps in tensors on the host, which are no one's to wait for.
    monkeypatch.setattr(torch.optim, "Adam", lambda p, rate, **_: torch.optim.SGD(p, rate))
    counts = []
    for steps in (4, 12):
        reads.clear()
        options = {"log_every": steps, "snapshots": 1}
        run(stores, tmp_path / str(steps), weights, steps, **options)
        counts.append(len(reads))
    assert counts[0] == counts[1] > 0
