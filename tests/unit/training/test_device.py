"""Data in the memory of a GPU, and every step that runs on one; the latter need a GPU."""

import numpy as np
import pytest
import torch
from helpers.training_setup import FULL, OBJECTIVES, run

from tinygan.features.extract import open_extractor
from tinygan.generation.sampling import draw
from tinygan.models.io import load_generator
from tinygan.training import data
from tinygan.training.checkpoint import CheckpointFolder
from tinygan.training.data import ResidentDataset, ShardDataset, open_datasets

CPU, GPU = torch.device("cpu"), torch.device("cuda")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def weights(folder):
    return (folder / "generator.safetensors").read_bytes()


def test_resident_rows_are_those_of_the_shards(stores):
    pairs, _ = stores
    index = np.array([17, 0, 11, 12, 3])
    resident, on_disk = ResidentDataset(pairs, CPU), ShardDataset(pairs)
    for name in ("images", "labels", "z"):
        gathered, expected = resident.gather(name, index), on_disk.gather(name, index)
        assert isinstance(gathered, torch.Tensor) and gathered.numpy().dtype == expected.dtype
        np.testing.assert_array_equal(gathered, expected)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_resident_data_train_the_same_student(stores, tmp_path, monkeypatch, objective):
    plain = run(stores, tmp_path / "a", objective)

    def resident(kinds, device):
        return {name: ResidentDataset(shards, device) for name, shards in kinds.items()}

    monkeypatch.setattr(data, "open_datasets", resident)
    assert weights(run(stores, tmp_path / "b", objective)) == weights(plain)


def test_data_become_resident_if_all_of_them_fit_into_the_gpu(stores, monkeypatch):
    pairs, real = stores
    monkeypatch.setattr(data, "ResidentDataset", lambda shards, device: "resident")
    arrays = [array for shard in pairs for array in (shard.images, shard.labels, shard.z)]
    arrays += [array for shard in real for array in (shard.images, shard.labels)]
    needed = sum(array.nbytes for array in arrays) / data.RESIDENT
    kinds = {"pairs": pairs, "real": real}
    for free, fits in ((needed + 2, True), (needed - 2, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 10 * free))
        opened = open_datasets(kinds, GPU)
        assert opened.keys() == kinds.keys()
        assert all((dataset == "resident") == fits for dataset in opened.values())
    assert all(type(dataset) is ShardDataset for dataset in open_datasets(kinds, CPU).values())


@needs_gpu
def test_a_training_on_a_gpu_resumes(stores, tmp_path):
    """Fused Adam counts its steps on the GPU; a checkpoint restores them there."""
    options = {"device": "cuda", "checkpoint_every": 0}
    checkpoints = CheckpointFolder(tmp_path / "checkpoints", {})
    run(stores, tmp_path / "m", FULL, 2, checkpoints=checkpoints, **options)
    run(stores, tmp_path / "m", FULL, 4, checkpoints=checkpoints, **options)


@needs_gpu
@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_a_compiled_training_on_a_gpu_follows_the_plain_one(stores, tmp_path, mode):
    options = {"device": "cuda", "log_every": 1}
    plain = run(stores, tmp_path / "a", FULL, **options)
    compiled = run(stores, tmp_path / mode, FULL, compile=True, compile_mode=mode, **options)
    read = [np.genfromtxt(folder / "log.csv", delimiter=",")[1] for folder in (plain, compiled)]
    np.testing.assert_allclose(*read, rtol=0.02)


@needs_gpu
def test_sampling_on_a_gpu_follows_the_cpu(stores, tmp_path):
    model = run(stores, tmp_path / "m", FULL)
    options = {"seed": 0, "z_dim": 16, "truncation": 0.5, "batch": 4}
    images = []
    for device in ("cpu", "cuda"):
        batches = draw(load_generator(model, device=device), range(3), 4, **options)
        images.append(np.concatenate([batch for batch, *_ in batches]).astype(int))
    assert abs(images[0] - images[1]).max() <= 1


@needs_gpu
def test_features_on_a_gpu_follow_the_cpu():
    images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    found = []
    for device in ("cpu", "cuda"):
        options = {"input_size": 64, "threads": 1, "device": device}
        with open_extractor("efficientnet_lite0", **options) as extractor:
            found.append(extractor.run(images)[0])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-3)
