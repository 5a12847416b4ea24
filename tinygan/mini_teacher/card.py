"""Write the model card of the mini teacher: how it was trained, and its scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tinygan.data.classes import teacher_classes
from tinygan.data.shards import Shard
from tinygan.evaluation.scores import score
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features
from tinygan.files import atomic_file, sha256, write_text
from tinygan.mini_teacher.linear_probe import accuracy

_COLUMNS = 8  # samples per class in the grid, at most
Row = tuple[str, Any]
_TEXT = """# The mini teacher

A class-conditional generator in the style of BigGAN-deep at {image_size} px, trained by
this project on Animal-MNIST and shipped as a TF1-format TF-Hub module with the signature of
`deepmind/biggan-deep-128/1`: inputs `z` [N, {z_dim}], `y` one-hot
[N, {classes}] and `truncation`, a scalar; output `default`. Train and export it with
`snakemake --cores 2 --forcerun train_teacher -- mini_teacher`; the target `teacher_card` writes
this page.

![Samples, one class per row]({grid})

| | |
|---|---|
"""


def write_card(
    path: Path, config: dict[str, Any], shards: Sequence[Shard], images: Features, real: Features
) -> None:
    """Write the card as Markdown, and a grid of samples beside it (`path` with the suffix .png).

    Args:
        path: the Markdown file.
        config: the run's config; its section `mini_teacher` has the settings of the training.
        shards: the teacher's evaluation split.
        images: features of these shards.
        real: features of all real images.

    Raises:
        ValueError: the teacher is not a TF-Hub module; see also `tinygan.evaluation.scores.score`.
    """
    if config["teacher"]["kind"] != "tfhub":
        raise ValueError("the card describes a TF-Hub module: it needs teacher.kind tfhub")
    rows = [*_training_rows(config), *_score_rows(config, images, real), *_file_rows(config)]
    grid = path.with_suffix(".png")
    text = _TEXT.format(
        image_size=config["image_size"],
        z_dim=config["z_dim"],
        classes=len(teacher_classes(config)),
        grid=grid.name,
    )
    with atomic_file(grid) as partial:
        Image.fromarray(_grid(shards)).save(partial)
    write_text(path, text + "".join(f"| {name} | {value} |\n" for name, value in rows))


def _training_rows(config: dict[str, Any]) -> list[Row]:
    settings, real = config["mini_teacher"], config["real"]
    rates = f"{settings['generator_lr']:g} (G), {settings['discriminator_lr']:g} (D)"
    training = (
        f"{settings['steps']:,} generator updates, batch {settings['batch']} in groups of "
        f"{settings['group']}, {settings['precision']}"
    )
    return [
        ("Data", f"`{real['requirement']}`, padded to {config['image_size']} px, mirrored"),
        ("Data SHA-256", f"`{real['sha256']}`"),
        ("Seed", config["seed"]),
        ("Training", training),
        ("Learning rates", rates),
        ("Generator widths", ", ".join(map(str, settings["generator_widths"]))),
        ("Colours", "grey: red, green and blue have the mean of the three trained filters"),
        ("Batch-norm statistics", f"for truncations {settings['truncations']}, interpolated"),
    ]


def _score_rows(config: dict[str, Any], images: Features, real: Features) -> list[Row]:
    scores, _ = score("teacher", [(images, real)], config["classes"], Settings.of(config), {})
    intended, held_out = accuracy(images, real)
    return [
        ("Truncation of the scores", config["teacher"]["truncation"]),
        ("Extractor", f"{scores['extractor']} at {scores['input_size']} px"),
        ("Samples, real images", f"{scores['samples']:,}, {scores['real_samples']:,}"),
        ("FID", f"{scores['fid']:.1f}"),
        ("intra-FID", f"{scores['intra_fid']:.1f} ± {scores['intra_fid_std']:.1f}"),
        ("IS", f"{scores['inception_score']:.2f} ± {scores['inception_score_std']:.2f}"),
        ("Intended class recognised", f"{intended:.1%} of the samples, by a linear classifier"),
        ("The same on held-out real images", f"{held_out:.1%}"),
    ]


def _file_rows(config: dict[str, Any]) -> list[Row]:
    module = Path(config["teacher"]["handle"])
    files = sorted(file for file in module.rglob("*") if file.is_file())
    return [(f"SHA-256 of `{file.relative_to(module)}`", f"`{sha256(file)}`") for file in files]


def _grid(shards: Sequence[Shard]) -> np.ndarray:
    """Lay out the first samples of each class, one class per row, each pixel doubled."""
    rows = []
    for shard in shards:
        for label in np.unique(shard.labels):
            rows.append(np.hstack(list(shard.images[shard.labels == label][:_COLUMNS])))
    return np.vstack(rows).repeat(2, axis=0).repeat(2, axis=1)
