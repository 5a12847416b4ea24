"""The config: what is refused and with which message, and what is derived from it."""

import copy
from pathlib import Path

import pytest
from helpers.command_line import complete, mini
from helpers.paths import ROOT

from tinygan.config import derived
from tinygan.config.derived import discriminator_layers
from tinygan.config.read import ConfigError
from tinygan.planning import run as configs


@pytest.fixture
def config() -> dict:
    return mini()


def put(config: dict, path: str, value: object) -> dict:
    changed = copy.deepcopy(config)
    *sections, key = path.split(".")
    inner = changed
    for section in sections:
        inner = inner[section]
    inner[key] = value
    return changed


def refusal(config: object) -> str:
    with pytest.raises(ConfigError) as caught:
        configs.validate(config)
    return str(caught.value)


def test_the_shipped_config_is_valid() -> None:
    configs.load(ROOT / "config.yaml")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("train.step", 5, "config: unknown key train.step; did you mean train.steps?"),
        ("steps", 5, "config: unknown key steps; did you mean train.steps?"),
        ("imagesize", 5, "config: unknown key imagesize; did you mean image_size?"),
        (
            "variants.no_feat.loss.pixle",
            1,
            "config: unknown key variants.no_feat.loss.pixle; "
            "did you mean variants.no_feat.loss.pixel?",
        ),
        ("variants.dw.metrics", {}, "config: unknown key variants.dw.metrics"),
        ("image_size", 33, "the nearest allowed is 32"),
        ("image_size", 4, "the nearest allowed is 8"),
        ("image_size", 16, "image_size: 16 px; animal_mnist can be prepared at 32 to 1024 px"),
        ("classes", ["cat", "dog", "cat"], "classes: cat is listed more than once"),
        ("classes", ["cat", False], "classes[1]: False is not of type 'string'"),
        ("teacher.pairs_per_class", -1, "teacher.pairs_per_class: -1 is less than the minimum"),
        ("teacher.kind", "onnx", "teacher.kind: 'onnx' is not one of ['tfhub', 'torch', 'python']"),
        ("teacher.handle", None, "missing key teacher.handle, which kind tfhub needs"),
        ("teacher.target", "a:b", "teacher.target: kind tfhub has a handle and no target; remove"),
        ("teacher.kind", "python", "missing key teacher.target, which kind python needs"),
        ("teacher.kind", "python", "teacher.handle: kind python has a target and no handle;"),
        ("teacher.targt", "a:b", "unknown key teacher.targt; did you mean teacher.target?"),
        ("teacher.sha256", "ab", "teacher.sha256: 'ab' does not match"),
        (
            "teacher.handle",
            "asset:biggan-deep-12",
            "teacher.handle: there is no asset biggan-deep-12-tfhub; did you mean biggan-deep-128-",
        ),
        ("sources", {"gan": "asset:sngan"}, "sources.gan: there is no asset sngan; did you mean"),
        ("metrics.inception_graph", "asset:x", "metrics.inception_graph: there is no asset x ("),
        ("teacher.truncation", 0, "teacher.truncation: 0 is less than or equal to"),
        ("student.architecture", "mobile", "is not one of ['dw', 'std']"),
        ("loss.feature", [1.0], "loss.feature: 1 weights, but at 32 px"),
        ("variants.std.loss", {"feature": [1.0]}, "variants.std.loss.feature: 1 weights"),
        ("loss.pixel_zero_at", 0, "loss.pixel_zero_at: 0 is less than or equal to"),
        ("loss.pixel_zero_at", 1.5, "loss.pixel_zero_at: 1.5 is greater than the maximum"),
        ("train.decay_from", 1, "train.decay_from: 1 is greater than or equal to"),
        ("train.snapshots", 4000, "config: train.snapshots: 4000 snapshots in"),
        ("train.seeds", [0, 1, 0], "train.seeds: [0, 1, 0] has non-unique elements"),
        ("train.seeds", [], "train.seeds: [] should be non-empty"),
        ("train.seeds", [-1], "train.seeds[0]: -1 is less than the minimum of 0"),
        ("train.seeds", 1, "train.seeds: 1 is not of type 'array'"),
        ("train.seeds", [0.5], "train.seeds[0]: 0.5 is not of type 'integer'"),
        (
            "variants.dw.train",
            {"seeds": [1]},
            "variants.dw.train.seeds: all variants have the same seeds; set train.seeds",
        ),
        ("variants.seed1", {}, "variants.seed1: files of seeds have such names; choose another"),
        ("sources", {"seed20": "x"}, "sources.seed20: files of seeds have such names; choose"),
        ("train.nodes", 2, "train.nodes: 1 processes cannot be divided equally among 2 nodes"),
        ("train.steps", True, "train.steps: True is not of type 'integer'"),
        ("train.learning_rate", "1e-3", "write a number such as 1.0e-3"),
        ("train.learning_rate", float("nan"), "train.learning_rate: nan is not a finite number"),
        ("metrics.is_splits", 2001, "metrics.is_splits: 2001 splits of 2000 samples"),
        ("metrics.jackknife_groups", 1, "metrics.jackknife_groups: 1 is less than the minimum"),
        ("metrics.fid_mode", "fast", "metrics.fid_mode: 'fast' is not one of"),
        ("metrics.side", 64, "unknown key metrics.side: it was renamed to input_size"),
        ("metrics.nearest", 3, "unknown key metrics.nearest: it was renamed to prdc_k"),
        ("variants.dw.train", {"state_every": 0}, "it was renamed to checkpoint_every"),
        ("loss.steps", 1, "unknown key loss.steps; did you mean train.steps?"),
        ("variants.No-1", {}, "'No-1' cannot be a name"),
        (
            "variants.pix_only.loss.pixel",
            0,
            "variants.pix_only.loss: pixel, feature, kd_student, gan_student are all 0",
        ),
        (
            "variants.scratch.loss.gan_discriminator",
            0,
            "variants.scratch.loss: kd_discriminator and gan_discriminator are 0",
        ),
    ],
)
def test_a_bad_value_is_refused_with_its_path(
    config: dict, path: str, value: object, message: str
) -> None:
    assert message in refusal(put(config, path, value))


@pytest.mark.parametrize(
    "target", ["mygan", "mygan.images", "my-gan:images", "a..b:c", "a:b:c", ":"]
)
def test_a_malformed_target_is_refused(config: dict, target: str) -> None:
    config["teacher"] |= {"kind": "python", "handle": None, "target": target}
    assert "is not package.module:function; write e.g. mygan:images" in refusal(config)


def test_what_names_the_teacher(config: dict) -> None:
    assert derived.teacher_handle(config) == "resources/mini_teacher"
    config["teacher"] |= {"kind": "python", "handle": None, "target": "a.b:c"}
    configs.validate(config)
    assert derived.teacher_handle(config) == "a.b:c"


def test_every_problem_is_reported_at_once(config: dict) -> None:
    del config["seed"]
    message = refusal(put(put(config, "train.step", 1), "z_dim", -3))
    assert [line.split(":")[0] for line in message.splitlines()] == ["config"] * 3
    for part in ("missing key seed", "train.step;", "z_dim: -3"):
        assert part in message


def test_a_missing_variant_of_the_paper_is_named(config: dict) -> None:
    del config["variants"]["std"]
    assert refusal(config) == "config: missing key variants.std"


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "7"])
def test_a_file_that_is_not_a_config_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match="^config: "):
        configs.load(tmp_path / "config.yaml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        configs.load(tmp_path / "absent.yaml")


def test_a_variant_overlays_its_sections_and_leaves_the_config_alone(config: dict) -> None:
    before = copy.deepcopy(config)
    resolved = derived.resolve_variant(config, "std_half")
    changed = {"architecture": "std", "channels": 8}
    assert resolved["student"] == before["student"] | changed
    assert resolved["loss"] == before["loss"]
    resolved["loss"]["feature"].append(9)
    assert config == before
    assert derived.resolve_variant(config, "no_feat")["loss"]["feature"] == []


def test_a_variant_is_a_student_per_seed_and_seed_0_bears_its_name(config: dict) -> None:
    assert complete(config)["train"]["seeds"] == [0]
    assert list(derived.students(complete(config))) == list(config["variants"])
    config["variants"] = {"dw": {}, "std": {"student": {"channels": 4}}}
    config["train"]["seeds"] = [1, 0, 12]
    students = derived.students(config)
    assert students == {
        "dw/seed1": ("dw", 1), "std/seed1": ("std", 1), "dw": ("dw", 0), "std": ("std", 0),
        "dw/seed12": ("dw", 12), "std/seed12": ("std", 12),
    }  # fmt: skip
    assert list(students)[:2] == ["dw/seed1", "std/seed1"]
    resolved = derived.resolve_variant(config, "std", 12)
    assert resolved["train"]["seed"] == 12 and "seeds" not in resolved["train"]
    assert resolved["student"]["channels"] == 4
    assert derived.resolve_variant(config, "std")["train"]["seed"] == 1


def test_a_variant_with_the_name_of_a_training_of_another_is_refused(config: dict) -> None:
    config["variants"] |= {"dw_seed1": {}, "dw_seed01": {}, "dw_seed0": {}}
    config["train"]["seeds"] = [0, 2]
    configs.validate(config)
    config["train"]["seeds"] = [0, 1]
    message = "variants.dw_seed1: train_dw_seed1 trains dw with seed 1; choose another name"
    assert refusal(config) == f"config: {message}"


def test_only_the_grey_images_of_animal_mnist_make_a_grey_student(config: dict) -> None:
    def channels() -> int:
        return derived.resolve_variant(complete(config), "dw")["student"]["image_channels"]

    assert channels() == 1
    config["real"]["source"] = "image_folder"
    assert channels() == 3
    config["student"]["image_channels"] = 1
    assert channels() == 1


def test_an_unknown_variant_is_refused_with_the_nearest(config: dict) -> None:
    with pytest.raises(ConfigError, match="unknown variant no_feet; did you mean no_feat?"):
        derived.resolve_variant(config, "no_feet")


@pytest.mark.parametrize(
    ("classes", "size", "ranges"),
    [
        (10, 5, ["000-004", "005-009"]),
        (10, 4, ["000-003", "004-007", "008-009"]),
        (1, 5, ["000-000"]),
    ],
)
def test_shard_ranges_cover_every_class_once(classes: int, size: int, ranges: list[str]) -> None:
    config = {"classes": [str(i) for i in range(classes)], "classes_per_shard": size}
    assert derived.shard_ranges(config) == ranges
    assert [c for r in ranges for c in derived.parse_range(r)] == list(range(classes))


@pytest.mark.parametrize("text", ["", "5", "004-000", "a-b", "-1-3"])
def test_a_bad_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="000-004"):
        derived.parse_range(text)


@pytest.mark.parametrize(
    ("steps", "count", "expected"),
    [
        (3000, 6, [500, 1000, 1500, 2000, 2500, 3000]),
        (20, 2, [10, 20]),
        (7, 3, [2, 4, 7]),
        (2, 2, [1, 2]),
    ],
)
def test_snapshots_are_even_and_end_at_the_last_step(
    steps: int, count: int, expected: list[int]
) -> None:
    assert derived.snapshot_steps({"train": {"steps": steps, "snapshots": count}}) == expected


@pytest.mark.parametrize(("size", "layers"), [(32, 3), (64, 4), (128, 5)])
def test_discriminator_layers_follow_the_image_size(size: int, layers: int) -> None:
    assert discriminator_layers(size) == layers
