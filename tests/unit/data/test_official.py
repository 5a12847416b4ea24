"""The check that ImageNet is ILSVRC2012's: images per class, and the MD5 of the tar."""

import hashlib
from pathlib import Path

import pytest
from helpers.command_line import mini, real_files, tinygan
from helpers.image_files import WNIDS, packed, pixels, write_folders, write_nested, write_tars

from tinygan.config.read import ConfigError
from tinygan.data import official
from tinygan.data.official import check_counts
from tinygan.data.real.imagenet import open_imagenet
from tinygan.planning.run import validate

COUNTS = {WNIDS[0]: 3, WNIDS[1]: 1, WNIDS[2]: 2}


@pytest.fixture(autouse=True)
def small_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """ILSVRC2012 has a handful of images here."""
    monkeypatch.setattr(official, "images_of_wnid", lambda: COUNTS)


@pytest.fixture
def classes() -> dict[str, dict[str, bytes]]:
    return {
        wnid: {f"{wnid}_{n}.JPEG": packed(pixels(n, 40, 36)) for n in range(count)}
        for wnid, count in COUNTS.items()
    }


@pytest.fixture
def config(tmp_path: Path) -> dict:
    real = real_files(tmp_path / "train.tar", "imagenet")
    return mini() | {"classes": list(WNIDS), "real": real}


@pytest.mark.parametrize("write", [write_nested, write_tars, write_folders])
def test_every_format_is_counted(tmp_path: Path, classes: dict, write) -> None:
    path = write(tmp_path / "train.tar", classes)
    found = dict(zip(WNIDS, open_imagenet(path, WNIDS), strict=True))
    assert check_counts(found) == 6
    one = {WNIDS[1]: found[WNIDS[1]]}
    assert check_counts(one) == 1


def test_wrong_counts_are_one_error_with_both_numbers(tmp_path: Path, classes: dict) -> None:
    del classes[WNIDS[0]][f"{WNIDS[0]}_1.JPEG"]
    classes[WNIDS[2]] = {}
    path = write_nested(tmp_path / "train.tar", classes)
    with pytest.raises(ValueError) as caught:
        check_counts(dict(zip(WNIDS, open_imagenet(path, WNIDS), strict=True)))
    assert str(caught.value) == (
        "2 of 3 classes do not have as many images as in ILSVRC2012, in total expected 6, found 3:"
        "\n  n01440764: expected 3, found 2\n  n02105855: expected 2, found 0"
    )


def test_a_long_list_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    wnids = [f"n{i:08d}" for i in range(25)]
    monkeypatch.setattr(official, "images_of_wnid", lambda: dict.fromkeys(wnids, 1300))
    with pytest.raises(ValueError, match=r"25 of 25 .* expected 32,500, found 0:") as caught:
        check_counts({wnid: lambda: iter(()) for wnid in wnids})
    assert str(caught.value).endswith("n00000019: expected 1,300, found 0\n  and 5 more")


def test_the_subcommand_checks_counts_and_on_request_the_md5(
    tmp_path: Path,
    config: dict,
    classes: dict,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_nested(tmp_path / "train.tar", classes)
    assert tinygan(tmp_path, config, "check-imagenet") == 0
    assert "3 classes, 6 images, as many as in ILSVRC2012" in capsys.readouterr().out
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    assert tinygan(tmp_path, config, "check-imagenet", "--md5") == 1
    assert f"has the MD5 {digest}, ILSVRC2012_img_train.tar has 1d675b" in capsys.readouterr().err
    monkeypatch.setattr(official, "TRAIN_MD5", digest)
    monkeypatch.setattr(official, "_BLOCK", 1000)
    assert tinygan(tmp_path, config, "check-imagenet", "--md5") == 0
    assert "the official MD5" in capsys.readouterr().out
    config["real"]["path"] = str(write_folders(tmp_path / "folders", classes))
    assert tinygan(tmp_path, config, "check-imagenet", "--md5") == 1
    assert "only ILSVRC2012_img_train.tar has an official MD5" in capsys.readouterr().err


def test_the_subcommand_is_for_imagenet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tinygan(tmp_path, mini(), "check-imagenet") == 1
    assert "real.source is animal_mnist, not imagenet" in capsys.readouterr().err


def test_a_job_checks_the_counts_of_its_own_classes_first(
    tmp_path: Path, config: dict, classes: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    del classes[WNIDS[0]][f"{WNIDS[0]}_1.JPEG"]
    write_nested(tmp_path / "train.tar", classes)
    options = ["--crop", "biggan", "--out", str(tmp_path / "out"), "--classes"]
    config["real"]["check_counts"] = True
    assert tinygan(tmp_path, config, "real-shard", *options, "000-001") == 1
    assert "n01440764: expected 3, found 2\n" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert tinygan(tmp_path, config, "real-shard", *options, "001-002") == 0
    config["real"]["check_counts"] = False
    assert tinygan(tmp_path, config, "real-shard", *options, "000-001") == 0


def test_other_images_have_no_official_counts(config: dict) -> None:
    config["real"] |= {"source": "image_folder", "check_counts": True}
    with pytest.raises(
        ConfigError,
        match="real.check_counts: image_folder has no official numbers",
    ):
        validate(config)
