"""Room on disk: the space that a job or a run needs is compared with what is free before it starts.

Sizes are those of the arrays; headers, manifests, logs, tables and figures are a few MB and left
out.
"""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tinygan.config.derived import resolve_variant
from tinygan.data.dataset import open_dataset
from tinygan.features.extractor import outputs_of
from tinygan.planning.network_sizes import discriminator_bytes, generator_bytes
from tinygan.training.settings import LossSettings

_FLOAT = 4
_LABEL = 8
# Figures 1, 3 and 11 show images of these variants, which are kept for them.
_SHOWN = ("dw", "pix_only")

# What `disk_needed` counts, in words.
KINDS = {
    "real": "real images",
    "real_train": "real images in the students' crop",
    "teacher_pairs": "the teacher's pairs",
    "teacher": "the teacher's images for evaluation",
    "samples": "images of the variants that figures show and of another one, deleted after use",
    "features": "features of real images, and of one source, deleted after use",
    "models": "models with their snapshots",
    "checkpoints": "checkpoints of trainings",
}


def shard_bytes(images: int, image_size: int, z_dim: int = 0) -> int:
    """Return the size of a shard in bytes.

    Args:
        images: number of images.
        image_size: their side in pixels.
        z_dim: length of z; 0 where there is none.
    """
    return images * (3 * image_size**2 + _LABEL + _FLOAT * z_dim)


def require_space(folder: Path, needed: int) -> None:
    """Refuse to start what the disk has no room for.

    Args:
        folder: where it will be written; it need not exist.
        needed: bytes.

    Raises:
        OSError: less is free there.
    """
    place = _existing(folder)
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(
            f"{folder} needs {size_text(needed)}, but the disk of {place} has {size_text(free)} "
            "free: make room, or write to another disk"
        )


def require_shard(
    folder: Path, classes: Collection[int], count: int, config: Mapping[str, Any]
) -> None:
    """Refuse with OSError to start a shard with z, `count` images a class, without the room."""
    needed = shard_bytes(len(classes) * count, config["image_size"], config["z_dim"])
    require_space(folder, needed)


def real_counts(config: Mapping[str, Any], names: Collection[str]) -> list[int]:
    """Return the number of images of each of these classes; crops leave some of them out.

    See `count` of `tinygan.data.dataset.Dataset`.

    Raises:
        ValueError: see `tinygan.data.image_folders`.
    """
    real = config["real"]
    path = Path(real["path"]) if real["path"] else None
    return open_dataset(real["source"]).count(path, names)


def disk_needed(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the bytes that a whole run of a config needs, for each of `KINDS`.

    Of what is temporary, the samples that figures show and those of one more variant are counted,
    and the features of real images and of one source: Snakemake deletes them when they are used,
    unless several variants come to be scored at the same time.

    Args:
        config: checked, with the names of its classes.
    """
    real = config["real"]
    classes, size, z_dim = len(config["classes"]), config["image_size"], config["z_dim"]
    files = sum(real_counts(config, config["classes"]))
    other_crop = real["train_crop"] != real["crop"]
    samples = classes * config["metrics"]["samples_per_class"]
    row = _FLOAT * sum(outputs_of(config["metrics"]["extractor"])) + _LABEL
    kept = sum(name in config["variants"] for name in _SHOWN)
    return {
        "real": shard_bytes(files, size),
        "real_train": shard_bytes(files, size) if other_crop else 0,
        "teacher_pairs": shard_bytes(classes * config["teacher"]["pairs_per_class"], size, z_dim),
        "teacher": shard_bytes(samples, size, z_dim),
        "samples": (kept + 1) * shard_bytes(samples, size, z_dim),
        "features": (files + samples) * row,
        **_trainings(config),
    }


def require_run(config: Mapping[str, Any], results: Path, kinds: Collection[str]) -> None:
    """Refuse to start a run whose missing files the disk has no room for.

    Args:
        config: checked, with the names of its classes.
        results: the folder of the run's results; it need not exist. What is there already in the
            folder of a kind counts as made.
        kinds: those of `KINDS` that are to be made.

    Raises:
        OSError: with a table of what is missing.
    """
    missing: dict[Path, dict[str, int]] = {}
    for kind, needed in disk_needed(config).items():
        folders = _folders(config, results, kind)
        if kind in kinds and (more := needed - sum(map(_held, folders))) > 0:
            # Folders of results may be links to other disks.
            place = _existing(folders[0])
            missing.setdefault(_mount(place), {})[kind] = more
    for place, parts in missing.items():
        free, needed = shutil.disk_usage(place).free, sum(parts.values())
        if needed > free:
            rows = [*((KINDS[kind], more) for kind, more in parts.items()), ("together", needed)]
            table = "\n".join(f"  {size_text(more):>9}  {what}" for what, more in rows)
            raise OSError(
                f"the disk of {place} has {size_text(free)} free, but what is still to be made "
                f"under {results} needs {size_text(needed)}:\n{table}"
            )


def size_text(count: int) -> str:
    """Return a number of bytes in words, e.g. ``"59.3 GB"``; 1 GB is 10^9 bytes."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _folders(config: Mapping[str, Any], results: Path, kind: str) -> list[Path]:
    if kind in ("features", "models", "checkpoints"):
        return [results / kind]
    names = [*config["variants"], *config["sources"]] if kind == "samples" else [kind]
    return [results / "images" / name for name in names]


def _held(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    folder = Path(folder).resolve()
    return next(place for place in (folder, *folder.parents) if place.exists())


def _mount(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_mount())


def _trainings(config: Mapping[str, Any]) -> dict[str, int]:
    """Count each variant's generator and snapshots, and its checkpoint.

    A checkpoint has the weights, Adam's two moments of each of them, and the snapshots so far; the
    next one is written before it is removed.
    """
    models = checkpoints = 0
    for name in config["variants"]:
        variant = resolve_variant(config, name)
        shape = {"classes": len(config["classes"]), "image_size": config["image_size"]}
        student = dict(variant["student"])
        width = student.pop("discriminator_channels")
        generator = generator_bytes(**student, **shape, z_dim=config["z_dim"])
        discriminator = discriminator_bytes(channels=width, **shape)
        kept = generator * variant["train"]["snapshots"]
        adversarial = LossSettings.of(variant["loss"]).needs_discriminator
        trained = generator + (discriminator if adversarial else 0)
        models += generator + kept
        checkpoints += 2 * 3 * trained + kept
    return {"models": models, "checkpoints": checkpoints}
