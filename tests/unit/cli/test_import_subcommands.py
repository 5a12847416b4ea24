"""External weights on the command line: import, sample, harvest."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import FEW_SAMPLES, mini, tinygan
from helpers.published_forward import biggan_reference, sngan_reference, tinygan_reference
from helpers.published_weights import biggan_weights, sngan_file, tinygan_file

from tinygan.data.shards import open_shard
from tinygan.models.io import load_generator, read_card
from tinygan.teacher.biggan_pytorch import handle_fingerprint


@pytest.fixture
def config(tmp_path: Path) -> dict:
    return mini(metrics=FEW_SAMPLES | {"batch": 3})


def test_an_imported_student_is_sampled(
    tmp_path: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    weights = tinygan_file(tmp_path / "model_30.tar")
    model, out = tmp_path / "model", tmp_path / "images"
    assert (
        tinygan(tmp_path, config, "import-tinygan", tmp_path / "model_30.tar", "--out", model) == 0
    )
    card = read_card(model)
    assert card["truncation"] == 0.5 and card["imported_from"]["file"] == "model_30.tar"
    draw = ("sample", "--model", model, "--classes", "002-003", "--images", out)
    assert tinygan(tmp_path, config, *draw) == 0
    shard = open_shard(out, verify=True)
    assert shard.labels.tolist() == [2] * 4 + [3] * 4
    assert np.abs(shard.z).max() <= 1 and shard.manifest["source"] == "tinygan_authors"
    expected = tinygan_reference(weights, torch.tensor(shard.z), torch.tensor(shard.labels))
    expected = np.floor((expected.permute(0, 2, 3, 1).numpy() + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images - expected).max() <= 1
    with pytest.raises(SystemExit) as end:
        tinygan(tmp_path, config, "import-tinygan", "--out", model)
    assert end.value.code == 2
    assert "the following arguments are required: FILE" in capsys.readouterr().err


def test_an_imported_sngan_is_sampled_with_an_untruncated_normal(
    tmp_path: Path, config: dict
) -> None:
    weights = sngan_file(tmp_path / "g.npz")
    model, out = tmp_path / "model", tmp_path / "images"
    assert tinygan(tmp_path, config, "import-sngan", tmp_path / "g.npz", "--out", model) == 0
    assert type(load_generator(model)).__module__ == "tinygan.models.sngan"
    config["metrics"]["samples_per_class"] = 500
    draw = ("sample", "--model", model, "--classes", "004-004", "--images", out)
    assert tinygan(tmp_path, config, *draw) == 0
    shard = open_shard(out)
    assert 0.97 < shard.z.std() < 1.03 and np.abs(shard.z).max() > 2.5  # 3,000 numbers
    z, y = torch.tensor(shard.z[:5]), torch.tensor(shard.labels[:5])
    expected = sngan_reference(weights, z, y).permute(0, 2, 3, 1).numpy()
    expected = np.floor((expected + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images[:5] - expected).max() <= 1
    assert shard.manifest["provenance"]["truncation"] is None


def test_a_model_of_fewer_classes_is_refused(
    tmp_path: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    sngan_file(tmp_path / "g.npz")
    tinygan(tmp_path, config, "import-sngan", tmp_path / "g.npz", "--out", tmp_path / "model")
    draw = ("sample", "--model", tmp_path / "model", "--classes", "009-010", "--images", "x")
    assert tinygan(tmp_path, config, *draw) == 1
    assert "has 10 classes, but class 10 is requested" in capsys.readouterr().err


def test_a_torch_teacher_is_harvested(
    tmp_path: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    handle = tmp_path / "b.bin"
    weights = biggan_weights(z_dim=128)
    torch.save(weights, handle)
    config |= {"image_size": 128}
    config["loss"]["feature"] = [0.1] * 5
    config["teacher"] |= {"kind": "torch", "handle": str(handle), "truncation": 0.5, "batch": 2}
    config["teacher"]["sha256"] = handle_fingerprint(str(handle))
    out = tmp_path / "pairs"
    harvest = ("harvest", "--split", "evaluation", "--classes", "001-001", "--out", out)
    assert tinygan(tmp_path, config, *harvest) == 0
    shard = open_shard(out, verify=True)
    assert shard.images.shape == (4, 128, 128, 3) and shard.z.shape == (4, 128)
    assert shard.manifest["provenance"]["teacher"] == config["teacher"]["sha256"]
    y = torch.tensor(shard.labels)
    expected = biggan_reference(weights, torch.tensor(shard.z), y, 25).permute(0, 2, 3, 1)
    expected = np.floor((expected.numpy() + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images - expected).max() <= 1
    config["teacher"]["sha256"] = "0" * 64
    assert tinygan(tmp_path, config, *harvest) == 1
    assert f"but the config records {'0' * 64}" in capsys.readouterr().err
    del config["teacher"]["sha256"]
    config["teacher"]["handle"] = "absent.bin"
    assert tinygan(tmp_path, config, *harvest) == 1
    assert "no weights in 'absent.bin'" in capsys.readouterr().err
