"""Values of the config: text is converted by the schema, or refused with its location."""

from pathlib import Path

import pytest
import yaml
from helpers.paths import ROOT

from tinygan.cli import main
from tinygan.config.read import DEFAULT, ConfigError, read_file
from tinygan.files import digest_json
from tinygan.planning import run as configs
from tinygan.planning.run import load, load_files

FOLDERS = "real: {source: image_folder, path: x, crop: biggan, max_dropped: 0}\n"
IMAGENET = FOLDERS.replace("image_folder", "imagenet")


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_the_kind_of_a_teacher_changes_without_its_asset() -> None:
    def teacher(*changes: dict) -> tuple[str, str | None]:
        config = load_files([ROOT / "config/paper.yaml"], {"teacher": dict(*changes)})
        return config["teacher"]["kind"], config["teacher"]["handle"]

    assert teacher() == ("tfhub", "asset:biggan-deep-128")
    assert teacher({"kind": "torch"}) == ("torch", "asset:biggan-deep-128")
    assert teacher({"kind": "torch", "handle": "w.bin"}) == ("torch", "w.bin")
    assert teacher({"kind": "python", "target": "a:b"}) == ("python", None)


def test_the_shipped_config_and_presets_read_as_yaml_reads_them() -> None:
    presets = sorted((ROOT / "config").glob("*.yaml"))
    names = ["mini_diffusion", "paper", "reproduce", "smoke"]
    assert [path.stem for path in presets] == names
    for path in [ROOT / "config.yaml", *presets]:
        found, expected = load_files([path]), yaml.safe_load(path.read_text())
        for key in expected.keys() - {"classes"}:
            part = found[key]
            if isinstance(part, dict):
                part = {name: part[name] for name in expected[key]}
            assert part == expected[key], (path.name, key)


def test_what_a_file_leaves_out_has_the_default_of_the_schema() -> None:
    config = load_files([ROOT / "config.yaml"])
    assert config["metrics"]["input_size"] == 64 and config["metrics"]["threads"] == 1
    assert config["student"]["image_channels"] == 1
    assert (config["teacher"]["files"], config["teacher"]["sha256"]) == ([], None)
    assert (config["real"]["path"], config["real"]["draft"]) == (None, False)
    # A file that is whole is not laid over the default, and is read again as it is.
    assert load_files([], config) == config
    with pytest.raises(KeyError):
        config["variants"]["dw"]["train"]


def test_another_dataset_or_teacher_inherits_nothing() -> None:
    files = {"source": "image_folder", "path": "photos", "crop": "biggan"}
    real = load_files([], {"real": files, "classes": ["a"]})["real"]
    assert (real["requirement"], real["sha256"], real["max_dropped"]) == (None, None, 0)
    teacher = load_files([], {"teacher": {"kind": "python", "target": "mygan:images"}})["teacher"]
    assert (teacher["handle"], teacher["truncation"], teacher["batch"]) == (None, 0.8, 100)
    one = {"teacher": {"handle": "a", "sha256": "0" * 64}}
    assert load_files([], one)["teacher"]["sha256"] == "0" * 64


def test_the_hash_of_a_teacher_is_not_that_of_another(write) -> None:
    first = write("teacher: {handle: a, sha256: " + "0" * 64 + "}\n", "first.yaml")
    second = write("teacher: {handle: b}\n", "second.yaml")
    assert load_files([first, second])["teacher"]["sha256"] is None
    same = write("teacher: {handle: a, batch: 5}\n", "same.yaml")
    assert load_files([first, same])["teacher"]["sha256"] == "0" * 64


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ({"train": {"steps": "10", "snapshots": "2"}}, "steps", 10),
        ({"train": {"steps": "1e4"}}, "steps", 10_000),
        ({"train": {"steps": "3_000"}}, "steps", 3_000),
        ({"train": {"learning_rate": "1e-3"}}, "learning_rate", 1e-3),
        ({"train": {"learning_rate": "2"}}, "learning_rate", 2.0),
        ({"train": {"compile": "True"}}, "compile", True),
        ({"train": {"dvclive": "no"}}, "dvclive", False),
    ],
)
def test_text_of_a_command_line_becomes_a_number_or_boolean(given, key, value) -> None:
    found = load_files([], given)["train"][key]
    assert found == value and type(found) is type(value)


def test_nulls_lists_choices_and_numeric_text_are_converted() -> None:
    given = {"loss": {"pixel_zero_at": "null", "feature": ["0", "1", "0.5"]}, "seed": "7"}
    config = load_files([], given | {"student": {"image_channels": "3"}, "sources": {"a": 2020}})
    assert config["loss"]["pixel_zero_at"] is None and config["loss"]["feature"] == [0, 1, 0.5]
    assert config["seed"] == 7 and config["student"]["image_channels"] == 3
    assert config["sources"]["a"] == "2020"


def test_a_section_without_a_value_is_empty(write) -> None:
    config = load(write("sources:\nvariants: {mine: }\n"))
    assert config["sources"] == {} and config["variants"]["mine"] == {}


@pytest.mark.parametrize("text", ["ten", "1.5", "true", "1_000x", "inf", "nan", ""])
def test_text_that_is_not_an_integer_is_refused_with_its_location(text: str) -> None:
    with pytest.raises(ConfigError, match=r"train\.steps: .*\(in the command line\)$"):
        load_files([], {"train": {"steps": text}})


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ("[001, 010, 0123]", ["001", "010", "0123"]),
        ("[no, yes, on, ~, null]", ["no", "yes", "on", "~", "null"]),
        ("[2020-01-01, 0, 1, 1e3, 0x10, 1_0, .5, 12:30:00]", None),
    ],
)
def test_class_names_are_text_as_written(write, classes: str, names: list[str] | None) -> None:
    names = names or [name.strip() for name in classes.strip("[]").split(",")]
    assert load(write(f"classes: {classes}\n{FOLDERS}"))["classes"] == names


def test_imagenet_takes_indices_without_leading_zeros(write) -> None:
    assert load(write(f"classes: [281, n02099601]\n{IMAGENET}"))["classes"] == [
        "tabby",
        "golden retriever",
    ]
    for name in ("001", "010", "0123"):
        message = refusal(write(f"classes: [{name}]\n{IMAGENET}"))
        assert name in message and "without leading zeros" in message and "mine.yaml" in message


def test_a_repeated_key_is_refused_with_both_lines(write) -> None:
    message = refusal(write("preset: a\ntrain:\n  steps: 5\n  batch: 4\n  steps: 6\n"))
    assert "mine.yaml: the key steps occurs on line 3 and on line 5" in message
    message = refusal(write("seed: 1\nloss: {pixel: 0, pixel: 1}\n"))
    assert "the key pixel occurs on line 2 and on line 2" in message
    merged = write("x: &x {steps: 5}\ntrain:\n  <<: *x\n  steps: 6\n")
    assert read_file(merged)["train"] == {"steps": "6"}


def test_bad_encoding_and_bad_yaml_name_file_and_line(write) -> None:
    message = refusal(write("preset: a\n# caf\u00e9\n".encode("latin-1")))
    assert "mine.yaml, line 2: the byte 0xe9 is not UTF-8" in message
    assert "mine.yaml, line 3 is not valid YAML" in refusal(write("a: 1\nb: [\n"))
    assert "mine.yaml, line 2 is not valid YAML" in refusal(write("a: 1\n\tb: 2\n"))
    assert "Is a directory" in refusal(write("x").parent)


def test_long_values_and_long_lists_of_problems_are_shortened(write) -> None:
    many = ", ".join(f"class{i:05}" for i in range(1001))
    message = refusal(write(f"classes: [{many}]\n"))
    assert "1,001 entries are too many; the maximum is 1,000" in message and len(message) < 300
    message = refusal(write(f"preset: {'x' * 5000}!\nloss: {{feature: [{many}]}}\n"))
    assert max(map(len, message.splitlines())) < 400 and "and 98" in message


def test_each_problem_names_the_file_that_has_the_key(write) -> None:
    one = write("train: {steps: x}\n", "one.yaml")
    two = write("student: {chanels: 1}\nteacher: {batch: 0}\n", "two.yaml")
    with pytest.raises(ConfigError) as caught:
        load_files([one, two])
    lines = sorted(str(caught.value).splitlines())
    assert len(lines) == 3 and sum(f"(in {two})" in line for line in lines) == 2
    assert any("train.steps" in line and f"(in {one})" in line for line in lines)


def test_every_command_accepts_a_file_of_differences(
    write, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = write("preset: mine\nteacher: {pairs_per_class: 7}\n")
    assert main(["validate", "--config", str(mine)]) == 0
    assert "preset mine, 10 classes" in capsys.readouterr().out
    assert configs.load(ROOT / "config.yaml", str(mine))["teacher"]["pairs_per_class"] == 7
    # Elsewhere the project's default is overlaid, unless there is a config.yaml.
    monkeypatch.chdir(mine.parent)
    assert load(mine)["seed"] == 0
    whole = yaml.safe_load(DEFAULT.read_text())
    write(yaml.safe_dump(whole | {"seed": 5}), "config.yaml")
    assert load(mine)["seed"] == 5


def test_a_complete_config_is_not_overlaid(write, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(DEFAULT)
    file = write(yaml.safe_dump(whole))
    write(yaml.safe_dump(whole | {"sources": {"other": "x"}}), "config.yaml")
    monkeypatch.chdir(file.parent)
    assert load(file) == whole


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no preset papr; did you mean paper.*mine.yaml"):
        load(DEFAULT, "papr")
    with pytest.raises(ConfigError, match="cannot read absent.yaml"):
        load(DEFAULT, "absent.yaml")


def test_a_config_that_is_written_and_read_again_keeps_its_digest(write) -> None:
    """Jobs of a cluster read the config that a run has written, under the name of its digest."""
    given = {"loss": {"pixel": 1, "feature": [1, 0, 0]}}
    config = load_files([write("preset: other")], given)
    again = load_files([write(yaml.safe_dump(config), "planned.yaml")])
    assert digest_json(again) == digest_json(config)


def test_a_missing_planned_config_is_explained() -> None:
    with pytest.raises(ConfigError, match="writes it when a run starts, but not with --no-hooks"):
        load("results/mini/configs/0123456789abcdef.yaml")
