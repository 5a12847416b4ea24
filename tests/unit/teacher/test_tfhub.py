"""The exported module against PyTorch, the checks on a module, and the harvest.

PyTorch and TensorFlow must not share a process: this file runs itself once for each of them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT, TESTS
from helpers.teachers import PUBLISHED, gather, write_module, write_published

from tinygan.data.shards import open_shard
from tinygan.teacher.tfhub import handle_fingerprint, load_teacher

pytestmark = pytest.mark.slow

CLASSES, Z_DIM, EMBEDDING, WIDTHS, SIDE = 3, 8, 4, [8, 8, 8, 8], 32
TRUNCATIONS = [0.2, 0.5, 1.0]
# truncation -> weights of the three kept rows: exact, between, and outside the range
ROWS = {
    0.2: [1, 0, 0],
    0.5: [0, 1, 0],
    1.0: [0, 0, 1],
    0.4: [1 / 3, 2 / 3, 0],
    0.6: [0, 0.8, 0.2],
    0.05: [1, 0, 0],
    1.7: [0, 0, 1],
}


def torch_side(folder: Path) -> None:
    """Write weights with random statistics, and the images PyTorch makes of them."""
    import torch
    from safetensors.torch import save_file

    from tinygan.models.biggan_deep import Generator

    torch.manual_seed(0)
    torch.set_num_threads(1)
    generator = Generator(CLASSES, Z_DIM, EMBEDDING, WIDTHS).eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    state = generator.state_dict()
    kept = {
        name: torch.rand(len(TRUNCATIONS), *value.shape) + name.endswith("var") * 0.3
        for name, value in state.items()
        if "running" in name
    }
    save_file({**state, **kept}, folder / "weights.safetensors")
    z, y = torch.randn(6, Z_DIM), torch.arange(6) % CLASSES
    images = {}
    for truncation, rows in ROWS.items():
        statistics = {
            name: torch.einsum("t,tc->c", torch.tensor(rows).float(), value)
            for name, value in kept.items()
        }
        generator.load_state_dict({**state, **statistics})
        with torch.no_grad():
            images[str(truncation)] = generator(z, y).permute(0, 2, 3, 1).numpy()
    np.savez(folder / "torch.npz", z=z.numpy(), y=y.numpy(), **images)


def tensorflow_side(folder: Path) -> None:
    """Export these weights, load the module, and provoke every refusal of `load_teacher`."""
    from safetensors.numpy import load_file

    from tinygan.mini_teacher.export import export

    weights = load_file(folder / "weights.safetensors")
    export(weights, TRUNCATIONS, folder / "module")
    export(weights, TRUNCATIONS, folder / "again")
    expected = {"classes": CLASSES, "z_dim": Z_DIM, "image_size": SIDE, "threads": 1}
    teacher = load_teacher(str(folder / "module"), **expected)

    import tensorflow as tf
    import tensorflow_hub as hub

    given = np.load(folder / "torch.npz")
    signature = hub.load(str(folder / "module")).signatures["default"]
    images = {}
    for truncation in ROWS:
        images[str(truncation)] = signature(
            z=tf.constant(given["z"]),
            y=tf.one_hot(given["y"], CLASSES),
            truncation=tf.constant(truncation),
        )["default"].numpy()
    pixels = teacher(given["z"], given["y"], 0.4)
    np.savez(folder / "tensorflow.npz", pixels=pixels, **images)

    cuts = {"one": (range(3), 5), "first": (range(1), 5), "few": (range(1, 3), 3)}
    for name, (classes, count) in cuts.items():
        gather(folder / name, classes, count=count, z_dim=Z_DIM, teacher=teacher)

    _published_signature(folder)
    broken = _broken_modules(folder)
    partial = {name: array for name, array in weights.items() if name != "blocks.2.convs.1.bias"}
    same = str(folder / "module")
    attempts = {
        **{name: lambda path=path: load_teacher(path, **expected) for name, path in broken.items()},
        "classes": lambda: load_teacher(same, **{**expected, "classes": 4}),
        "z_dim": lambda: load_teacher(same, **{**expected, "z_dim": 9}),
        "image_size": lambda: load_teacher(same, **{**expected, "image_size": 64}),
        "label": lambda: teacher(given["z"][:1], np.array([CLASSES]), 0.4),
        "rows": lambda: export(weights, [0.5, 1.0], folder / "refused"),
        "order": lambda: export(weights, [0.5, 0.2, 1.0], folder / "refused"),
        "partial": lambda: export(partial, TRUNCATIONS, folder / "refused"),
        "foreign": lambda: export({"a": np.zeros(2)}, TRUNCATIONS, folder / "refused"),
    }
    errors = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except (ValueError, FloatingPointError) as error:
            errors[name] = str(error)
    (folder / "errors.json").write_text(json.dumps(errors))


def _broken_modules(folder: Path) -> dict[str, str]:
    """Write modules that are each wrong in one respect; return their folders."""
    wrong = {
        "signature": {"key": "serve"},
        "output": {"output": "images"},
        "input": {"z_name": "noise"},
        "float64": {"z_type": "float64"},
        "images": {"image_type": "float64"},
        "nan": {"scale": float("nan")},
    }
    for name, respect in wrong.items():
        write_module(folder / name, sizes=(CLASSES, Z_DIM, SIDE), **respect)
    return {name: str(folder / name) for name in wrong}


def _published_signature(folder: Path) -> None:
    """Call a module of the published sizes, by its URL from TF-Hub's cache, with fake GPUs."""
    import tensorflow as tf

    write_published(folder / "cache")
    os.environ["TFHUB_CACHE_DIR"] = str(folder / "cache")
    grown: list[tuple[str, bool]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
        patch.setattr(
            tf.config.experimental, "set_memory_growth", lambda *called: grown.append(called)
        )
        sizes = {"classes": 1000, "z_dim": 128, "image_size": 128}
        teacher = load_teacher(PUBLISHED, **sizes, device="cuda")
    z = np.random.default_rng(0).uniform(-0.1, 0.1, (3, 128)).astype(np.float32)
    images = teacher(z, np.array([7, 397, 999]), 0.5)
    np.savez(folder / "published.npz", z=z, images=images, grown=np.array(grown))


if __name__ == "__main__":
    {"torch": torch_side, "tensorflow": tensorflow_side}[sys.argv[1]](Path(sys.argv[2]))
    sys.exit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run both sides; return the folder with what they wrote."""
    folder = tmp_path_factory.mktemp("teacher")
    for side in ("torch", "tensorflow"):
        done = subprocess.run(
            [sys.executable, __file__, side, str(folder)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("truncation", list(map(str, ROWS)))
def test_module_agrees_with_torch(folder: Path, truncation: str) -> None:
    reference = np.load(folder / "torch.npz")[truncation]
    images = np.load(folder / "tensorflow.npz")[truncation]
    assert images.shape == (6, SIDE, SIDE, 3)
    assert reference.std() > 0.1
    np.testing.assert_allclose(images, reference, atol=1e-4)


def test_truncation_matters(folder: Path) -> None:
    images = np.load(folder / "torch.npz")
    assert np.abs(images["0.4"] - images["0.6"]).max() > 0.01


def test_pixels(folder: Path) -> None:
    found = np.load(folder / "tensorflow.npz")
    expected = np.floor(np.clip((found["0.4"].astype(np.float64) + 1) / 2 * 256, 0, 255))
    assert found["pixels"].dtype == np.uint8
    # float32 may round a value at a threshold to its other side
    assert np.abs(found["pixels"] - expected).max() <= 1
    assert (found["pixels"] != expected).mean() < 1e-3


def test_a_module_of_the_published_sizes_is_read_from_the_cache(folder: Path) -> None:
    found = np.load(folder / "published.npz")
    shade = np.array([7, 397, 999]) / 512 - 1 + 0.5 * found["z"][:, 0].astype(np.float64)
    expected = np.floor(np.clip((shade + 1) / 2 * 256, 0, 255))
    assert found["images"].shape == (3, 128, 128, 3) and found["images"].dtype == np.uint8
    assert len(set(expected)) == 3
    # float32 may round a value at a threshold to its other side
    assert np.abs(found["images"] - expected[:, None, None, None]).max() <= 1


def test_gpu_memory_grows_on_demand(folder: Path) -> None:
    grown = np.load(folder / "published.npz")["grown"]
    assert grown.tolist() == [["GPU:0", "True"], ["GPU:1", "True"]]


def test_export_is_reproducible(folder: Path) -> None:
    names = sorted(file.name for file in (folder / "module").iterdir())
    assert names == ["saved_model.pb", "tfhub_module.pb"]
    assert (folder / "module" / "tfhub_module.pb").read_bytes() == b"\x08\x03"
    first = handle_fingerprint(str(folder / "module"))
    assert first == handle_fingerprint(str(folder / "again"))
    assert first != handle_fingerprint(str(folder / "output"))
    assert not (folder / "refused").exists()


@pytest.mark.parametrize(
    ("case", "words"),
    {
        "signature": ["expected the signature 'default'", "serve"],
        "output": ["expected the output 'default'", "images"],
        "input": ["expected the inputs ['truncation', 'y', 'z']", "noise"],
        "float64": ["input z as float32", "float64"],
        "images": ["expected images float32, found float64"],
        "nan": ["NaN"],
        "classes": ["input y as float32 [None, 4]", "(None, 3)"],
        "z_dim": ["input z as float32 [None, 9]", "(None, 8)"],
        "image_size": ["(1, 64, 64, 3)", "(1, 32, 32, 3)"],
        "label": ["labels must be in 0..2"],
        "rows": ["one row for each of the 2 truncations", "(3, "],
        "order": ["strictly ascending"],
        "partial": ["lack blocks.2.convs.1.bias"],
        "foreign": ["embedding.weight"],
    }.items(),
)
def test_bad_modules_are_refused(folder: Path, case: str, words: list[str]) -> None:
    errors = json.loads((folder / "errors.json").read_text())
    assert case in errors, f"{case} was accepted"
    for word in words:
        assert word in errors[case]


def test_a_missing_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="teacher.handle"):
        load_teacher(str(tmp_path / "none"), classes=3, z_dim=8, image_size=32)
    with pytest.raises(FileNotFoundError, match="missing or empty"):
        handle_fingerprint(str(tmp_path / "none"))
    assert handle_fingerprint(PUBLISHED) == PUBLISHED


def test_harvest_of_a_module_depends_on_neither_class_ranges_nor_count(folder: Path) -> None:
    one, first, few = (open_shard(folder / name, verify=True) for name in ("one", "first", "few"))
    np.testing.assert_array_equal(first.images, one.images[:5])
    kept = [5, 6, 7, 10, 11, 12]
    np.testing.assert_array_equal(few.images, one.images[kept])
    np.testing.assert_array_equal(few.z, one.z[kept])
    np.testing.assert_array_equal(few.labels, one.labels[kept])
