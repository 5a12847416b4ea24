"""Runs that Snakemake refuses before their first job, and targets that a config adds."""

from pathlib import Path

import pytest
from helpers.checkouts import make_checkout, snakemake
from helpers.command_line import mini, real_files, write_config
from helpers.image_files import packed, pixels, write_folders
from helpers.paths import ROOT

pytestmark = pytest.mark.slow

NAMES = ["bear", "bird", "cat"]


def test_a_run_without_disk_space_stops_before_its_first_job(tmp_path: Path) -> None:
    make_checkout(tmp_path)
    image = {"0.png": packed(pixels(0, 40, 36), "PNG")}
    write_folders(tmp_path / "data", {name: image for name in NAMES})
    config = mini(teacher={"pairs_per_class": 10**12}, metrics={"samples_per_class": 20})
    write_config(tmp_path, config | {"classes": NAMES, "real": real_files("data")})
    output = snakemake(tmp_path, "train_dw", cores=1, fails=True)
    assert "Traceback" not in output
    assert "the missing files under results/mini need 10776.0 TB" in output
    assert "  10776.0 TB  the teacher's pairs\n" in output
    assert "real images\n" in output and "evaluation\n" not in output
    assert not (tmp_path / "results/mini/images").exists()
    assert not (tmp_path / "results/mini/logs").exists()
    snakemake(tmp_path, "train_dw", "-n", cores=1)
    # The real images alone have room.
    snakemake(tmp_path, "real", cores=1)
    assert (tmp_path / "results/mini/images/real/000-002/manifest.json").is_file()


@pytest.mark.parametrize(
    ("count", "sources", "message"),
    [
        (1, {}, "real.path: class zebra has 1 image; the scores need at least 4"),
        (30, {"gan": "nowhere"}, "sources.gan: there is no folder nowhere"),
        (30, {"gan": "data"}, "sources.gan: class bear has 30 images in data, but metrics"),
        (30, {"gan": "other"}, "sources.gan: other: bera is not a class of the run"),
    ],
)
def test_a_run_with_too_few_images_does_not_start(
    tmp_path: Path, count: int, sources: dict[str, str], message: str
) -> None:
    def files(count: int) -> dict[str, bytes]:
        return {f"{number}.png": b"" for number in range(count)}

    write_folders(tmp_path / "data", {"bear": files(30), "zebra": files(count)})
    write_folders(tmp_path / "other", {"bera": {}, "zebra": files(200)})
    config = mini() | {"classes": ["bear", "zebra"], "real": real_files(tmp_path / "data")}
    write_config(tmp_path, config | {"preset": "small", "sources": sources}, "mine.yaml")
    output = snakemake(
        tmp_path,
        "gan" if sources else "dw",
        *("-s", str(ROOT / "workflow" / "Snakefile"), "-d", str(tmp_path)),
        configfiles=["mine.yaml"],
        cores=1,
        fails=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert message in output and "Traceback" not in output
    assert not list((tmp_path / "results").rglob("*.log"))


def test_a_source_of_the_config_is_a_target_that_all_results_score(tmp_path: Path) -> None:
    make_checkout(tmp_path, {"mine.yaml": {"sources": {"mine": "pictures"}}})
    image = {f"{number}.png": b"" for number in range(200)}
    write_folders(tmp_path / "pictures", {name: image for name in mini()["classes"]})

    def plan(target: str) -> str:
        return snakemake(tmp_path, target, "-n", configfiles=["mine.yaml"], cores=1)

    alone = plan("mine")
    assert "rule source:" in alone and "logs/score/mine.log" in alone and "train_" not in alone
    for target in ("all", "results/mini/tables/table1.csv", "results/mini/intra_fid/mine.csv"):
        assert "logs/score/mine.log" in plan(target)
