"""The subcommands by hand, as a user without Snakemake would run them."""

import csv
import json
import re
import subprocess
import sys

import pytest
from helpers.command_line import FEW_SAMPLES, TINY_STUDENT, mini, real_files, tinygan
from helpers.teachers import replace_module
from helpers.training_setup import write_mini_stores

from tinygan.cli import main
from tinygan.data.shards import open_shard
from tinygan.features.files import read_features, write_features
from tinygan.generation.interpolation_files import read_interpolation


@pytest.mark.slow
def test_train_sample_features_score_curve_cost(tmp_path):
    config = mini(
        train={"steps": 3, "batch": 4, "snapshots": 1, "log_every": 1},
        metrics=FEW_SAMPLES | {"input_size": 32, "curve_samples_per_class": 4},
        student=TINY_STUDENT,
    )
    write_mini_stores(tmp_path, per_class=6)
    pairs, real = tmp_path / "pairs", tmp_path / "real"
    model = tmp_path / "models" / "std_half" / "seed1"

    def run(subcommand: str, *words: object) -> None:
        assert tinygan(tmp_path, config, subcommand, *words) == 0

    manifests = ["--pairs", pairs / "manifest.json", "--real", real / "manifest.json"]
    run("train", "--variant", "std_half", "--seed", 1, *manifests, "--out", model)
    run("sample", "--model", model, "--classes", "000-009", "--images", tmp_path / "samples")
    shard = open_shard(tmp_path / "samples", verify=True)
    assert (shard.manifest["source"], shard.manifest["count"]) == ("std_half", 40)
    for name in ("real", "samples"):
        run("features", "--images", tmp_path / name, "--out", tmp_path / f"{name}.npz")
    files = ["--real", tmp_path / "real.npz", "--images", tmp_path / "samples.npz"]
    outputs = ["--out", tmp_path / "s.json", "--intra", tmp_path / "intra.csv"]
    run("score", "--source", "std_half/seed1", *files, *outputs)
    # Scored as they are drawn, in two jobs: the same bytes.
    moments = tmp_path / "moments.npz"
    run("moments", "--real", tmp_path / "real.npz", "--out", moments)
    parts = {"000-003": slice(0, 24), "004-009": slice(24, 60)}
    real_features = read_features([tmp_path / "real.npz"])
    for name, rows in parts.items():
        part = tmp_path / f"real_{name}.npz"
        write_features(part, real_features.take(rows))
        scores = ["--real", part, "--scores", tmp_path / f"{name}.npz"]
        run("sample", "--model", model, "--classes", name, *scores)
    classes = ["--classes", *(tmp_path / f"{name}.npz" for name in parts), "--moments", moments]
    streamed = ["--out", tmp_path / "s2.json", "--intra", tmp_path / "intra2.csv"]
    run("score", "--source", "std_half/seed1", *classes, *streamed)
    for one, other in (("s.json", "s2.json"), ("intra.csv", "intra2.csv")):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()
    curve = tmp_path / "curve.csv"
    run("curve", "--model", model, "--moments", moments, "--out", curve)
    with open(curve) as file:
        (point,) = csv.DictReader(file)
    assert point["step"] == "3"
    # The last point is the trained model's, whose images were scored above.
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["source"] == "std_half/seed1"
    assert float(point["fid"]) == pytest.approx(scores["fid"], rel=1e-4)
    assert float(point["inception_score"]) == pytest.approx(scores["inception_score"], rel=1e-4)
    run("interpolate", "--model", model, "--out", tmp_path / "paths")
    found = read_interpolation(tmp_path / "paths" / "manifest.json")
    assert (found.source, found.seed) == ("std_half", 1)
    assert found.images.shape == (41, 33, 32, 32, 3)
    run("cost", "--out", tmp_path / "cost.csv")
    with open(tmp_path / "cost.csv") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert int(rows["pix_only"]["parameters_total"]) == int(rows["dw"]["parameters_generator"])
    assert int(rows["dw"]["macs"]) < int(rows["std"]["macs"]) < int(rows["teacher"]["macs"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["sample", "--model", "nowhere", "--classes", "000-001", "--images", "x"],
            "nowhere is not a model: it has no card.json",
        ),
        (["features", "--images", "nowhere", "--out", "x"], "nowhere"),
        (
            ["harvest", "--split", "pairs", "--classes", "1-0", "--out", "x"],
            "'1-0' is not a range of classes; write FIRST-LAST, e.g. 000-004",
        ),
        (["validate", "--config", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (
            ["train", "--variant", "no_faet", "--pairs", "x", "--real", "x", "--out", "x"],
            "unknown variant no_faet; did you mean no_feat?",
        ),
    ],
)
def test_bad_input_is_one_clear_line(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"tinygan {arguments[0]}: ")
    assert message in error
    assert error.count("\n") == 1


SUBCOMMANDS = """
    download real real-shard check-imagenet harvest train-teacher train-diffusion export-teacher
    teacher-card train sample source features score-features moments curve interpolate
    interpolate-teacher smoothness sample-export cost import-tinygan import-sngan provenance
    model-card playground validate plan generate show score statistics speed export fetch
    rocrate release play
""".split()


def test_help_lists_every_subcommand(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    listed = re.findall(r"^    (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert listed == SUBCOMMANDS


def test_help_imports_neither_torch_nor_tensorflow():
    code = (
        "import sys, tinygan.cli as c; c.parser(); print({'torch','tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_imagenet_teacher_gets_imagenets_class_indices(tmp_path, monkeypatch):
    """Classes out of order and not the first ones: shards count them, the teacher knows them."""
    config = mini(teacher={"pairs_per_class": 2, "batch": 2})
    config["classes"] = [300, "n01440764"]  # tiger beetle, tench
    config["real"] = real_files("nowhere", "imagenet")
    calls = replace_module(monkeypatch, classes=1000)
    words = ["--split", "pairs", "--classes", "000-001", "--out", tmp_path / "shard"]
    assert tinygan(tmp_path, config, "harvest", *words) == 0
    # The trial has both classes with two z; the harvest has batches of one class.
    assert calls == [[300, 0], [300, 0], [300, 300], [0, 0]]
    assert open_shard(tmp_path / "shard").labels.tolist() == [0, 0, 1, 1]
