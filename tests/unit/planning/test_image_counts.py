"""Too few images for the scores: reported before the first job, with the key to change."""

from pathlib import Path

import pytest
from helpers.command_line import complete, mini, real_files, tinygan
from helpers.image_files import packed, pixels, write_folders
from helpers.metrics_reference import made_up

from tinygan.config.read import ConfigError
from tinygan.data.class_folders import open_class_folders
from tinygan.data.crops import crop_of
from tinygan.data.prepare import write_real
from tinygan.evaluation.scores import score
from tinygan.evaluation.settings import Settings
from tinygan.files import write_json
from tinygan.planning.image_counts import require_images
from tinygan.planning.run import validate


@pytest.fixture
def config(tmp_path: Path) -> dict:
    """The mini config with class folders of its own under tmp_path/data."""
    return complete(mini() | {"classes": ["bear", "zebra"], "real": real_files(tmp_path / "data")})


def files(count: int) -> dict[str, bytes]:
    return {f"{number}.png": b"" for number in range(count)}


def folders(config: dict, *counts: int) -> None:
    for name, count in zip(config["classes"], counts, strict=True):
        write_folders(Path(config["real"]["path"]), {name: files(count)})


def refusal(config: dict, *shards: Path) -> str:
    with pytest.raises(ValueError) as error:
        require_images(config, shards)
    return str(error.value)


def test_two_classes_of_thirty_images_are_enough(config: dict) -> None:
    folders(config, 30, 30)
    validate(config)
    require_images(config)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_class_that_is_too_small_is_named(config: dict, count: int) -> None:
    folders(config, 30, count)
    images = "1 image" if count == 1 else f"{count} images"
    text = refusal(config)
    assert text.startswith(f"real.path: class zebra has {images}; the scores need at least 4")
    assert "`classes`" in text and "bear" not in text


def test_four_images_per_class_are_enough_with_matching_settings(config: dict) -> None:
    folders(config, 4, 4)
    text = refusal(config)
    assert "metrics.is_splits: 10 splits of 4 real images" in text
    assert "metrics.prdc_k: 4 real images" in text
    config["metrics"] |= {"is_splits": 2, "prdc_k": 3}
    require_images(config)


def test_a_missing_class_is_reported_but_not_absent_images(config: dict) -> None:
    require_images(config)  # images are not on this machine
    folders(config, 9, 9)
    with pytest.raises(ValueError, match="lacks 1 of 2 classes: bera; did you mean bear"):
        require_images(config | {"classes": ["bera", "zebra"]})


def test_existing_shards_are_counted_instead_of_files(config: dict, tmp_path: Path) -> None:
    manifests = [tmp_path / str(i) / "manifest.json" for i in range(2)]
    for i, (manifest, count) in enumerate(zip(manifests, (30, 2), strict=True)):
        write_json(manifest, {"classes": {str(i): count}})
    assert refusal(config, *manifests).startswith("real.path: class zebra has 2 images")


def test_a_source_with_a_small_class_is_named(config: dict, tmp_path: Path) -> None:
    folders(config, 30, 30)
    write_folders(tmp_path / "gan", {"bear": files(200), "zebra": {}})
    config["sources"] = {"mine": str(tmp_path / "gan")}
    assert refusal(config).startswith("sources.mine: class zebra has 0 images in ")
    (tmp_path / "gan" / "card.json").touch()
    (tmp_path / "gan" / "zebra").rmdir()
    require_images(config)  # a model draws as many as are needed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overall_samples": 9}, "metrics.overall_samples: 9 images for 10 classes"),
        ({"overall_samples": 10, "is_splits": 11}, "metrics.is_splits: 11 splits of 10 samples"),
        ({"curve_samples_per_class": 2, "is_splits": 21}, "21 splits of 20 samples for a point"),
    ],
)
def test_contradicting_settings_are_refused(changes: dict, message: str) -> None:
    config = mini(metrics=changes)
    with pytest.raises(ConfigError, match=message):
        validate(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairwise_samples": 5}, "metrics.prdc_k: 5 samples .* are too few for 5 nearest"),
        ({"prdc_k": 2000}, "metrics.prdc_k: 2000 samples"),
    ],
)
def test_too_few_samples_for_neighbours_are_reported_before_scoring(
    changes: dict, message: str
) -> None:
    config = complete(mini(metrics=changes))
    validate(config)  # a harvest, for one, can do without
    with pytest.raises(ValueError, match=message):
        require_images(config)


@pytest.mark.parametrize("classes", [1, 3])
def test_the_smallest_settings_that_are_allowed_can_be_scored(classes: int) -> None:
    """What the checks let pass must not fail in the end: the limits are those of the scores."""
    config = mini() | {"classes": [f"c{i}" for i in range(classes)], "real": real_files("x")}
    smallest = {"samples_per_class": 2, "is_splits": 2 * classes}
    smallest |= {"prdc_k": 2 * classes - 1, "curve_samples_per_class": 2}
    config["metrics"] |= smallest
    validate(config)
    images, real = made_up(range(classes), 2), made_up(range(classes), 4, seed=3)
    scores, _ = score("x", [(images, real)], config["classes"], Settings.of(config), {})
    assert scores["samples"] == 2 * classes
    config["metrics"] |= {"overall_samples": max(2, classes), "is_splits": max(2, classes)}
    validate(config)
    scores, _ = score("x", [(images, real)], config["classes"], Settings.of(config), {})
    assert scores["overall_samples"] == max(2, classes)


def test_validate_and_plan_report_too_few_images(config: dict, tmp_path: Path, capsys) -> None:
    folders(config, 30, 1)
    for subcommand in ("validate", "plan"):
        assert tinygan(tmp_path, config, subcommand) == 1
        out, err = capsys.readouterr()
        assert err.startswith(f"tinygan {subcommand}: real.path: class zebra has 1 image;")
        assert not out


def test_a_class_with_too_few_readable_images_fails_with_its_shard(tmp_path: Path) -> None:
    files = {f"{i}.png": packed(pixels(i, 40, 36), "PNG") for i in range(4)}
    root = write_folders(tmp_path / "data", {"a": files | {"bad.png": b"text"}, "b": files})
    options = {"crop": crop_of("biggan", 32, None), "max_dropped": 1, "source": "x"}
    options["provenance"] = {}
    classes = dict(enumerate(open_class_folders(root, ["a", "b"])))
    write_real(tmp_path / "out", classes, least=4, **options)
    (root / "a" / "3.png").write_bytes(b"text")
    with pytest.raises(ValueError, match="class 0 has 3 images left, but the scores need 4"):
        write_real(tmp_path / "again", classes, least=4, **options)
    assert not (tmp_path / "again").exists() and (tmp_path / "again.dropped.csv").exists()
