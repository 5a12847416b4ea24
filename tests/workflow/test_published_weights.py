"""The files of a module are inputs of the harvest, and assets are in the cache before a run."""

import shutil
from pathlib import Path

import pytest
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.image_files import write_folders

from tinygan.assets.table import ASSETS
from tinygan.classes.imagenet import wnid_of_name

pytestmark = pytest.mark.slow

SHARD = "results/quick/images/teacher_pairs/000-009/manifest.json"
CONFIG = {
    "preset": "quick",
    "classes_per_shard": 10,
    "metrics": {"samples_per_class": 4, "is_splits": 2, "jackknife_groups": 2},
}
# In place of TensorFlow: the files of the module are hashed, but not loaded.
STUB = """

def load_teacher(handle, *, image_size, **options):
    def teacher(z, labels, truncation):
        shade = 20 * labels + 50 * np.abs(z[:, 0])
        size = (len(z), image_size, image_size, 3)
        return np.broadcast_to(shade.astype(np.uint8)[:, None, None, None], size).copy()

    return teacher
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose teachers need no TensorFlow, with a module with variables/."""
    top = tmp_path_factory.mktemp("checkout")
    external = CONFIG | {"teacher": {"handle": "external/module"}}
    make_checkout(top, {"shipped.yaml": CONFIG, "external.yaml": external})
    with open(top / "tinygan" / "teacher" / "tfhub.py", "a") as file:
        file.write(STUB)
    module = top / "resources" / "mini_teacher"
    (module / "variables").mkdir()
    (module / "variables" / "variables.data-00000-of-00001").write_bytes(b"weights")
    shutil.copytree(module, top / "external" / "module")
    return top


@pytest.mark.parametrize(
    ("config", "module"),
    [("shipped.yaml", "resources/mini_teacher"), ("external.yaml", "external/module")],
)
def test_swapped_variables_rerun_the_harvest(checkout: Path, config: str, module: str) -> None:
    def planned() -> int:
        found = jobs(snakemake(checkout, SHARD, "-n", configfiles=[config]))
        return found.get("harvest", 0)

    shutil.rmtree(checkout / "results", ignore_errors=True)
    snakemake(checkout, SHARD, configfiles=[config])
    weights = checkout / module / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(b"swapped")
    assert planned() == 1
    weights.write_bytes(b"weights")
    assert planned() == 0
    weights.with_name("variables.index").write_bytes(b"added")
    assert planned() == 1
    weights.with_name("variables.index").unlink()


def test_the_paper_preset_takes_either_form_of_the_teacher_by_one_key(
    checkout: Path, tmp_path: Path
) -> None:
    source = "results/paper/previews/sngan/000-198/manifest.json"
    shared = ["classes_per_shard=199", "sources={sngan: asset:sngan-projection}"]
    shared += ["real={path: imagenet}", "metrics={extractor: efficientnet_lite0}"]
    write_folders(checkout / "imagenet", {wnid: {} for wnid in wnid_of_name().values()})

    def run(kind: str, *words: str, fails: bool = False) -> str:
        form = [] if kind == "tfhub" else [f"teacher={{kind: {kind}}}"]
        return snakemake(
            checkout,
            *words,
            *("--config", *shared, *form),
            configfiles=["config/paper.yaml"],
            fails=fails,
            env={"TINYGAN_CACHE": str(tmp_path)},
        )

    # A dry run needs no weights.
    assert jobs(run("torch", "teacher", "-n"))["harvest"] == 2
    refused = run("torch", "teacher", source, fails=True)
    missing = "biggan-deep-128-torch sngan-projection"
    assert f"not in the cache {tmp_path}: run `tinygan fetch {missing}`\n" in refused
    refused = run("tfhub", "teacher", fails=True)
    name = "biggan-deep-128-tfhub"
    expected = f"config: {name} is not in the cache {tmp_path}: run `tinygan fetch {name}`\n"
    assert expected in refused and "Traceback" not in refused
    assert not (checkout / "results" / "paper").exists()
    shutil.copytree(checkout / "external" / "module", tmp_path / name)
    (tmp_path / ASSETS["biggan-deep-128-torch"].path).write_bytes(b"weights")
    for kind in ("tfhub", "torch"):
        assert jobs(run(kind, "teacher", "-n"))["harvest"] == 2
