"""Teachers by URL and from the cache: found, compared with their hashes, and recorded in shards."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch
from helpers.command_line import mini, tinygan
from helpers.published_weights import biggan_weights
from helpers.teachers import replace_module

from tinygan.assets.cache import record_of
from tinygan.assets.table import ASSETS
from tinygan.data.shards import open_shard
from tinygan.folders import folder_sha256
from tinygan.teacher import tfhub

URL = "https://tfhub.dev/deepmind/biggan-deep-128/1"
HARVEST = ["harvest", "--split", "pairs", "--classes", "000-001", "--out"]


def write_module(folder: Path) -> str:
    """Write the files of a module, which is never loaded; return its SHA-256."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    return folder_sha256(folder)


def config_of(**teacher: object) -> dict:
    return mini(teacher={"pairs_per_class": 2, "batch": 2} | teacher)


def recorded(folder: Path) -> str:
    return open_shard(folder).manifest["provenance"]["teacher"]


def test_a_url_with_a_sha256_is_pinned_by_the_downloaded_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "downloaded"
    digest = write_module(folder)
    replace_module(monkeypatch, classes=10)
    monkeypatch.setattr(tfhub, "downloaded", lambda url: str(folder))
    out = tmp_path / "out"
    assert tinygan(tmp_path, config_of(handle=URL, sha256=digest), *HARVEST, out) == 0
    assert recorded(out) == digest
    # The same weights from a local folder have the same fingerprint.
    assert tinygan(tmp_path, config_of(handle=str(folder)), *HARVEST, out) == 0
    assert recorded(out) == digest
    # Without a hash, the URL identifies the module.
    assert tinygan(tmp_path, config_of(handle=URL), *HARVEST, out) == 0
    assert recorded(out) == URL
    (folder / "variables" / "variables.index").write_bytes(b"swapped")
    assert tinygan(tmp_path, config_of(handle=URL, sha256=digest), *HARVEST, out) == 1
    assert f"but the config records {digest}" in capsys.readouterr().err


@pytest.mark.slow
def test_a_module_in_the_cache_of_tf_hub_is_found_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    folder = tmp_path / hashlib.sha1(URL.encode()).hexdigest()
    digest = write_module(folder)
    assert tfhub.downloaded(URL) == str(folder)
    assert tfhub.handle_fingerprint(tfhub.downloaded(URL)) == digest
    with pytest.raises(ValueError, match=r"cannot be downloaded \(no connection: .* give its fold"):
        tfhub.downloaded("http://127.0.0.1:9/module/1")


def test_a_module_from_the_cache_has_the_hash_of_its_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path / "cache"))
    replace_module(monkeypatch, classes=10)
    config, out = config_of(handle="asset:biggan-deep-128"), tmp_path / "out"
    assert tinygan(tmp_path, config, *HARVEST, out) == 1
    error = capsys.readouterr().err
    assert error.endswith(
        f"biggan-deep-128-tfhub is not in the cache {tmp_path / 'cache'}: run "
        "`tinygan fetch biggan-deep-128-tfhub`\n"
    )
    digest = write_module(tmp_path / "cache" / "biggan-deep-128-tfhub")
    assert tinygan(tmp_path, config, *HARVEST, out) == 0
    assert recorded(out) == digest
    record_of("biggan-deep-128-tfhub").write_text(f"{'0' * 64}  biggan-deep-128-tfhub\n")
    assert tinygan(tmp_path, config, *HARVEST, out) == 1
    error = capsys.readouterr().err
    assert f"it has the SHA-256 {digest}, but {'0' * 64} was recorded at first use" in error
    assert "delete it and run `tinygan fetch biggan-deep-128-tfhub`" in error


def test_the_file_of_the_paper_teacher_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))
    name = "biggan-deep-128-torch"
    path = tmp_path / ASSETS[name].path
    torch.save(biggan_weights(ch=8, classes=1000, z_dim=128), path)
    config = config_of(kind="torch", handle="asset:biggan-deep-128", classes="all")
    config |= {"classes": ["tench", "goldfish"], "image_size": 128}
    config["real"] = {"source": "imagenet", "path": "x", "crop": "biggan"}
    config["loss"]["feature"] = [1.0] * 5
    for variant in config["variants"].values():
        variant.get("loss", {}).pop("feature", None)
    out = tmp_path / "out"
    assert tinygan(tmp_path, config, *HARVEST, out) == 1
    assert "but b86146a8" in capsys.readouterr().err
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(ASSETS, name, dataclasses.replace(ASSETS[name], sha256=digest))
    assert tinygan(tmp_path, config, *HARVEST, out) == 0
    shard = open_shard(out, verify=True)
    assert shard.images.shape == (4, 128, 128, 3) and recorded(out) == digest
