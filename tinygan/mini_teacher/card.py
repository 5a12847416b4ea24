"""The card of the mini teacher: what it was made from, and what it is worth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tinygan.data.classes import teacher_classes
from tinygan.data.shards import Shard
from tinygan.evaluation.scores import Settings, score
from tinygan.features.files import Features
from tinygan.files import atomic_file, sha256, write_text
from tinygan.mini_teacher.linear_probe import accuracy

_COLUMNS = 16


def write_card(
    path: Path, config: dict[str, Any], shards: Sequence[Shard], images: Features, real: Features
) -> None:
    """Write the card as Markdown, and a grid of samples beside it (`path` with the suffix .png).

    Args:
        path: the Markdown file.
        config: the run's config; its section `mini_teacher` is what the teacher was trained with.
        shards: the teacher's evaluation split.
        images: features of these shards.
        real: features of all real images.

    Raises:
        ValueError: the teacher is no TF-Hub module; see also `tinygan.evaluation.scores.score`.
    """
    if config["teacher"]["kind"] != "tfhub":
        raise ValueError("the card describes a TF-Hub module: it needs teacher.kind tfhub")
    module, settings = Path(config["teacher"]["handle"]), config["mini_teacher"]
    truncation = config["teacher"]["truncation"]
    scores, _ = score("teacher", [(images, real)], config["classes"], Settings.of(config), {})
    intended, held_out = accuracy(images, real)
    rows = [
        (
            "Data",
            f"`{config['real']['requirement']}`, padded to {config['image_size']} px, mirrored",
        ),
        ("Data SHA-256", f"`{config['real']['sha256']}`"),
        ("Seed", config["seed"]),
        (
            "Training",
            f"{settings['steps']:,} generator updates, batch {settings['batch']} in groups of "
            f"{settings['group']}, {settings['precision']}",
        ),
        (
            "Learning rates",
            f"{settings['generator_lr']:g} (G), {settings['discriminator_lr']:g} (D)",
        ),
        ("Generator's widths", ", ".join(map(str, settings["generator_widths"]))),
        ("Colours", "one map for red, green and blue: the mean of the three that were trained"),
        ("Batch-norm statistics", f"kept at truncation {settings['truncations']}, interpolated"),
        ("Truncation of the scores", truncation),
        ("Extractor", f"{scores['extractor']} at {scores['input_size']} px"),
        ("Samples, real images", f"{scores['samples']:,}, {scores['real_samples']:,}"),
        ("FID", f"{scores['fid']:.1f}"),
        ("intra-FID", f"{scores['intra_fid']:.1f} ± {scores['intra_fid_std']:.1f}"),
        ("IS", f"{scores['inception_score']:.2f} ± {scores['inception_score_std']:.2f}"),
        ("Intended class named", f"{intended:.1%} of the samples, by a linear classifier"),
        ("The same on held-out real images", f"{held_out:.1%}"),
    ]
    classes = len(teacher_classes(config))
    files = sorted(file for file in module.rglob("*") if file.is_file())
    rows += [(f"SHA-256 of `{file.relative_to(module)}`", f"`{sha256(file)}`") for file in files]
    grid = path.with_suffix(".png")
    text = f"""# The mini teacher

A class-conditional generator in the style of BigGAN-deep at {config["image_size"]} px, trained by
this project on Animal-MNIST and shipped as a TF1-format TF-Hub module with the signature of
`deepmind/biggan-deep-128/1`: inputs `z` [N, {config["z_dim"]}], `y` one-hot
[N, {classes}] and `truncation`, a scalar; output `default`. Trained and exported by
`snakemake --cores 2 --forcerun train_teacher -- mini_teacher`; this page is made by the target
`teacher_card`.

![Samples, one class a row]({grid.name})

| | |
|---|---|
""" + "".join(f"| {name} | {value} |\n" for name, value in rows)
    with atomic_file(grid) as partial:
        Image.fromarray(_grid(shards)).save(partial)
    write_text(path, text)


def _grid(shards: Sequence[Shard]) -> np.ndarray:
    """Lay out the first samples of each class, one class a row, each pixel doubled."""
    rows = []
    for shard in shards:
        for label in np.unique(shard.labels):
            rows.append(np.hstack(list(shard.images[shard.labels == label][:_COLUMNS])))
    return np.vstack(rows).repeat(2, axis=0).repeat(2, axis=1)
