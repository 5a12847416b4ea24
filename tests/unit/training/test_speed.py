"""The keys that trade exactness for speed: what stays equal, and the tolerance of the rest."""

import csv
from functools import partial

import pytest
import torch
from helpers.training_setup import FULL, run


def weights(folder):
    return (folder / "generator.safetensors").read_bytes()


def first_losses(stores, out, **options):
    """Return the loss terms of the first step."""
    with open(run(stores, out, FULL, 1, log_every=1, **options) / "log.csv") as file:
        (row,) = csv.DictReader(file)
    return [float(row[key]) for key in row if key.startswith("loss_") and row[key]]


def test_float32_and_no_compilation_are_the_defaults(stores, tmp_path):
    plain = run(stores, tmp_path / "a", FULL)
    options = {"precision": "float32", "compile": False}
    assert weights(run(stores, tmp_path / "b", FULL, **options)) == weights(plain)


@pytest.mark.slow
def test_compiled_networks_train_to_the_same_bytes_with_the_same_kernels(
    stores, tmp_path, monkeypatch
):
    """Traced by torch.compile, but run by PyTorch's own kernels: the tracing changes nothing."""
    plain = run(stores, tmp_path / "a", FULL)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    assert weights(run(stores, tmp_path / "b", FULL, compile=True)) == weights(plain)


def test_bfloat16_follows_float32_to_two_digits(stores, tmp_path):
    exact, coarse = (
        first_losses(stores, tmp_path / precision, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    assert exact != coarse
    assert coarse == pytest.approx(exact, rel=0.02)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_reported(stores, tmp_path):
    with pytest.raises(ValueError, match="device is cuda, but PyTorch sees no GPU"):
        run(stores, tmp_path / "m", FULL, device="cuda")
    run(stores, tmp_path / "m", FULL, device="auto")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_follows_the_cpu(stores, tmp_path):
    cpu, gpu = (
        first_losses(stores, tmp_path / device, device=device) for device in ("cpu", "cuda")
    )
    assert gpu == pytest.approx(cpu, rel=0.01)
