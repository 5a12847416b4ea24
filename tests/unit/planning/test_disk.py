"""Disk space: what is counted, and that no job starts without it."""

import shutil
from collections import namedtuple
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from helpers.command_line import complete, mini, real_files, tinygan
from helpers.image_files import packed, pixels, write_folders
from helpers.paths import ROOT

from tinygan.classes.imagenet import images_of_wnid, wnid_of_name
from tinygan.config.read import DEFAULT
from tinygan.files import write_json
from tinygan.models.discriminator import Discriminator
from tinygan.models.students import build_student
from tinygan.planning.disk import disk_needed, real_counts, require_run, require_space, size_text
from tinygan.planning.network_sizes import discriminator_bytes, generator_bytes
from tinygan.planning.run import load

NAMES = ["bear", "bird", "cat"]


@pytest.fixture
def base() -> dict:
    """The mini config with three class folders as its source."""
    config = mini(teacher={"pairs_per_class": 7}, metrics={"samples_per_class": 20})
    return complete(config | {"classes": list(NAMES), "real": real_files("none")})


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Pretend that every disk has so many bytes free."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**15, 0, free))


def test_the_official_counts_of_images_have_the_published_sum_and_range() -> None:
    counts = images_of_wnid()
    assert list(counts) == list(wnid_of_name().values())
    assert sum(counts.values()) == 1_281_167
    assert (min(counts.values()), max(counts.values())) == (732, 1300)
    assert sum(count == 1300 for count in counts.values()) == 895


def test_the_paper_preset_needs_what_was_computed_by_hand() -> None:
    needed = disk_needed(load(DEFAULT, "paper"))
    image, z = 128 * 128 * 3 + 8, 128 * 4
    animals = 510_530  # of the development kit's counts, the first 398
    assert needed["real"] == needed["real_train"] == animals * image == 25_097_654_800
    assert needed["teacher_pairs"] == 398 * 3000 * (image + z) == 59_308_368_000
    # Two of 20 shards.
    assert needed["teacher"] == 398 * 5000 * (image + z) // 10 == 9_884_728_000
    # Of the teacher and eight students.
    assert needed["previews"] == 9 * 398 * 8 * (image + z)
    row = (2048 + 1000) * 4 + 8
    assert needed["features"] == (animals + 1_990_000) * row + 398 * 3000 * (2048 * 2 + 8)
    assert needed["class_scores"] == 8 * (50_000 + 2 * 10_000) * row
    stored = sum(needed.values()) - 2 * needed["real"] - needed["teacher_pairs"]
    assert stored < 60e9
    for page in ("docs/guide/own_data.md", "docs/results/performance.md"):
        assert f"{stored / 1e9:.0f} GB" in (ROOT / page).read_text()


def test_a_training_needs_space_for_weights_snapshots_and_checkpoint(
    base: dict, tmp_path: Path
) -> None:
    base["variants"] = {"dw": {}, "pix_only": base["variants"]["pix_only"]}
    write_folders(tmp_path / "data", {name: {} for name in NAMES})
    base["real"]["path"] = str(tmp_path / "data")
    size = {"classes": 3, "image_size": 32}
    student = build_student(architecture="dw", channels=16, z_dim=128, embedding=32, **size)
    found = [
        sum(value.nbytes for value in network.state_dict().values())
        for network in (student, Discriminator(channels=16, **size))
    ]
    needed = disk_needed(base)
    assert needed["models"] == 2 * (1 + 6) * found[0] + found[1]
    # pix_only trains no discriminator.
    assert needed["checkpoints"] == 2 * 3 * (2 * found[0] + found[1]) + 2 * 6 * found[0]


def test_every_seed_needs_space_for_its_training_and_for_nothing_else(
    base: dict, tmp_path: Path
) -> None:
    write_folders(tmp_path / "data", {name: {} for name in NAMES})
    base["real"]["path"] = str(tmp_path / "data")
    one = disk_needed(base)
    base["train"] |= {"seeds": [0, 4, 7]}
    base["student"] |= {"embedding_file": "e.npy"}  # of the same length
    times = {name: 3 if name in ("models", "checkpoints") else 1 for name in one}
    variants = len(base["variants"])
    times["class_scores"] = 3
    times["previews"] = Fraction(1 + 3 * variants, 1 + variants)  # and the teacher's
    assert disk_needed(base) == {name: times[name] * size for name, size in one.items()}


@pytest.mark.parametrize("architecture", ["dw", "std"])
@pytest.mark.parametrize("image_channels", [1, 3])
@pytest.mark.parametrize("image_size", [32, 128])
def test_the_sizes_of_networks_are_those_of_pytorch(
    architecture: str, image_channels: int, image_size: int
) -> None:
    size = {"classes": 3, "image_size": image_size}
    shape = {"architecture": architecture, "channels": 4, "embedding": 8, "z_dim": 16}
    shape |= size | {"image_channels": image_channels}
    for network, found in (
        (build_student(**shape), generator_bytes(**shape)),
        (Discriminator(channels=4, **size), discriminator_bytes(channels=4, **size)),
    ):
        assert found == sum(value.nbytes for value in network.state_dict().values())


def test_files_are_counted_in_class_folders_and_known_for_tars(base: dict, tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"bear": {"1.png": b"", "2.png": b""}, "cat": {}})
    base["real"]["path"] = str(root)
    assert real_counts(base, ["bear", "cat"]) == [2, 0]
    base["real"]["source"] = "imagenet"
    assert real_counts(base, ["tench", "bonnet"]) == [1300, images_of_wnid()["n02869837"]]
    write_folders(root, {"n01440764": {"1.JPEG": b""}})
    assert real_counts(base, ["tench"]) == [1]
    assert real_counts(complete(mini()), NAMES) == [1000] * 3


def test_disk_space_is_checked_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, 59_308_368_000)
    require_space(tmp_path / "not" / "there", 59_308_368_000)
    with pytest.raises(OSError, match=r"there needs 59.3 GB, but the disk of .* has 59.3 GB free"):
        require_space(tmp_path / "not" / "there", 59_308_368_001)
    assert [size_text(n) for n in (0, 999, 1000, 25_097_654_800)] == [
        *("0 bytes", "999 bytes", "1.0 kB", "25.1 GB")
    ]


IMAGE = 3 * 32 * 32 + 8


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["real-shard", "--crop", "biggan", "--out"], 4 * IMAGE),
        (["harvest", "--split", "pairs", "--out"], 3 * 7 * (IMAGE + 512)),
        (["harvest", "--split", "evaluation", "--out"], 3 * 20 * (IMAGE + 512)),
        (["sample", "--model", "model", "--images"], 3 * 20 * (IMAGE + 512)),
        (["sample", "--model", "model", "--previews"], 3 * 8 * (IMAGE + 512)),
        (["sample", "--model", "model", "--features"], 3 * 20 * (4 * 2280 + 8)),
        (["source", "--name", "outside", "--images"], 3 * 20 * (IMAGE + 512)),
    ],
)
def test_no_job_starts_without_disk_space(
    base: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    needed: int,
) -> None:
    images = {f"{i}.png": packed(pixels(i, 40, 36), "PNG") for i in range(2)}
    one = {"0.png": images["0.png"]}
    write_folders(tmp_path / "data", {"bear": images, "bird": one, "cat": one})
    base["real"]["path"] = str(tmp_path / "data")
    base["sources"] = {"outside": str(tmp_path / "data")}
    write_json(tmp_path / "model" / "card.json", {"variant": "dw"})
    monkeypatch.setattr("tinygan.teacher.tfhub.handle_fingerprint", lambda handle: "0")
    monkeypatch.setattr("tinygan.teacher.tfhub.load_teacher", lambda *rest, **options: None)
    monkeypatch.chdir(tmp_path)
    leave_free(monkeypatch, needed - 1)
    assert tinygan(tmp_path, base, *words, "out/000-002", "--classes", "000-002") == 1
    assert capsys.readouterr().err == (
        f"tinygan {words[0]}: out/000-002 needs {size_text(needed)}, but the disk of {tmp_path} "
        f"has {size_text(needed - 1)} free: make room, or write to another disk\n"
    )
    assert not Path("out").exists()
    # With one byte more it continues, until it meets the stand-ins.
    leave_free(monkeypatch, needed)
    with suppress(TypeError, KeyError):
        tinygan(tmp_path, base, *words, "out/000-002", "--classes", "000-002")
    assert "make room" not in capsys.readouterr().err


def test_existing_files_need_no_space(
    base: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folders(tmp_path / "data", {name: {} for name in NAMES})
    base["real"]["path"] = str(tmp_path / "data")
    pairs = 3 * 7 * (IMAGE + 512)
    leave_free(monkeypatch, pairs - 1)
    results = tmp_path / "results"
    with pytest.raises(OSError, match=r"(?s)has 75.4 kB free.*75.4 kB  the teacher's pairs\n"):
        require_run(base, results, ["teacher_pairs"])
    require_run(base, results, [])
    existing = results / "images" / "teacher_pairs" / "000-002" / "images.npy"
    existing.parent.mkdir(parents=True)
    existing.write_bytes(b"0")
    require_run(base, results, ["teacher_pairs"])
