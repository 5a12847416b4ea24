"""Disk space: refuse to start a job or a run that needs more than is free.

Sizes are those of the arrays. Headers, manifests, logs, tables and figures (a few MB) are ignored.
"""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tinygan.config.derived import resolve_variant, shard_ranges, students
from tinygan.data.dataset import open_dataset
from tinygan.features.extractor import outputs_of
from tinygan.planning.network_sizes import discriminator_bytes, generator_bytes
from tinygan.training.settings import LossSettings

_FLOAT, _HALF, _LABEL = 4, 2, 8  # bytes
# Shards of the teacher's evaluation images on the disk at a time: one is harvested, one read.
_IN_USE = 2

# The kinds of files that `disk_needed` counts, with their descriptions.
KINDS = {
    "real": "real images",
    "real_train": "real images in the training crop",
    "teacher_pairs": "the teacher's pairs",
    "teacher": "the teacher's images for evaluation, two shards at a time",
    "previews": "the first images of each class of the teacher, the students and the sources",
    "features": "features of the real images, the teacher's and those of the pairs",
    "class_scores": "each class's share of the scores, of all students; deleted after use",
    "models": "models and snapshots",
    "checkpoints": "checkpoints of trainings",
}


def shard_bytes(images: int, image_size: int, z_dim: int = 0) -> int:
    """Return the size of a shard in bytes.

    Args:
        images: number of images.
        image_size: height and width of the images in pixels.
        z_dim: length of z; 0 for a shard without z.
    """
    return images * (3 * image_size**2 + _LABEL + _FLOAT * z_dim)


def require_space(folder: Path, needed: int) -> None:
    """Refuse to start a job whose output does not fit on the disk.

    Args:
        folder: the output folder; it need not exist.
        needed: size of the output in bytes.

    Raises:
        OSError: the disk has less free space.
    """
    parent = _nearest_existing(folder)
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise OSError(
            f"{folder} needs {size_text(needed)}, but the disk of {parent} has {size_text(free)} "
            "free: make room, or write to another disk"
        )


def require_shard(
    folder: Path, classes: Collection[int], count: int, config: Mapping[str, Any]
) -> None:
    """Refuse to start a shard with z and `count` images per class that does not fit on the disk.

    Raises:
        OSError: see `require_space`.
    """
    needed = shard_bytes(len(classes) * count, config["image_size"], config["z_dim"])
    require_space(folder, needed)


def feature_bytes(images: int, extractor: str) -> int:
    """Return the size of the features of some images in bytes."""
    return images * (_FLOAT * sum(outputs_of(extractor)) + _LABEL)


def compact_bytes(images: int, extractor: str) -> int:
    """Return the size of the features of some images without logits, in half precision."""
    return images * (_HALF * outputs_of(extractor)[0] + _LABEL)


def require_features(file: Path, classes: int, config: Mapping[str, Any]) -> None:
    """Refuse to start if the features of the scored images of some classes do not fit on the disk.

    Raises:
        OSError: see `require_space`.
    """
    metrics = config["metrics"]
    images = classes * metrics["samples_per_class"]
    require_space(file, feature_bytes(images, metrics["extractor"]))


def real_counts(config: Mapping[str, Any], names: Collection[str]) -> list[int]:
    """Return the number of real images of each of these classes, before crops drop any.

    See `tinygan.data.dataset.Dataset.count`.

    Raises:
        ValueError: see `tinygan.data.image_folders`.
    """
    real = config["real"]
    path = Path(real["path"]) if real["path"] else None
    return open_dataset(real["source"]).count(path, names)


def disk_needed(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the bytes that a whole run of a config needs, for each of `KINDS`.

    Snakemake deletes temporary files after use. The teacher's images count for the shards in use,
    and class scores for all students, as if none had been combined yet.

    Args:
        config: validated, `classes` as names.
    """
    real = config["real"]
    classes, size, z_dim = len(config["classes"]), config["image_size"], config["z_dim"]
    files = sum(real_counts(config, config["classes"]))
    has_train_crop = real["train_crop"] != real["crop"]
    metrics, shards = config["metrics"], shard_ranges(config)
    samples = classes * metrics["samples_per_class"]
    pairs = classes * config["teacher"]["pairs_per_class"]
    previews = classes * min(metrics["previews_per_class"], metrics["samples_per_class"])
    scored = 1 + len(students(config)) + len(config["sources"])
    # Of each class, the images for the scores over all classes, and as many real ones for some.
    rows = min(metrics["overall_samples"], samples) + 2 * min(metrics["pairwise_samples"], samples)
    in_use = samples * min(_IN_USE, len(shards)) // len(shards)
    return {
        "real": shard_bytes(files, size),
        "real_train": shard_bytes(files, size) if has_train_crop else 0,
        "teacher_pairs": shard_bytes(pairs, size, z_dim),
        "teacher": shard_bytes(in_use, size, z_dim),
        "previews": scored * shard_bytes(previews, size, z_dim),
        "features": feature_bytes(files + samples, metrics["extractor"])
        + compact_bytes(pairs, metrics["extractor"]),
        "class_scores": (scored - 1) * feature_bytes(rows, metrics["extractor"]),
        **_trainings(config),
    }


def require_run(config: Mapping[str, Any], results: Path, kinds: Collection[str]) -> None:
    """Refuse to start a run whose missing files do not fit on the disk.

    Args:
        config: validated, `classes` as names.
        results: the folder of the run's results; it need not exist. Files already in the folder of
            a kind are subtracted from what the kind needs.
        kinds: the kinds of files that the run writes, of `KINDS`.

    Raises:
        OSError: a disk has less free space; the message lists the missing files by kind.
    """
    missing: dict[Path, dict[str, int]] = {}
    for kind, needed in disk_needed(config).items():
        folders = _folders(config, results, kind)
        if kind in kinds and (more := needed - sum(map(_size, folders))) > 0:
            # Folders of results may be links to other disks.
            disk = _mount_point(_nearest_existing(folders[0]))
            missing.setdefault(disk, {})[kind] = more
    for disk, parts in missing.items():
        free, needed = shutil.disk_usage(disk).free, sum(parts.values())
        if needed > free:
            rows = [*((KINDS[kind], more) for kind, more in parts.items()), ("total", needed)]
            table = "\n".join(f"  {size_text(more):>9}  {text}" for text, more in rows)
            raise OSError(
                f"the disk of {disk} has {size_text(free)} free, but the missing files under "
                f"{results} need {size_text(needed)}:\n{table}"
            )


def size_text(count: int) -> str:
    """Format a number of bytes, e.g. ``"59.3 GB"``; 1 GB is 10^9 bytes."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _folders(config: Mapping[str, Any], results: Path, kind: str) -> list[Path]:
    """Return the folders of the results that contain the files of a kind."""
    if kind in ("previews", "features", "class_scores", "models", "checkpoints"):
        return [results / kind]
    return [results / "images" / kind]


def _size(folder: Path) -> int:
    """Return the size of the files in a folder in bytes; 0 if it does not exist."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _nearest_existing(folder: Path) -> Path:
    """Return a folder, or its nearest parent that exists."""
    folder = Path(folder).resolve()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _mount_point(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_mount())


def _trainings(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the bytes of all students' models (with snapshots) and of their checkpoints.

    A checkpoint contains the weights and Adam's two moments of each weight, and beside it are the
    snapshots so far. The next checkpoint is written before the previous one is deleted.
    """
    models = checkpoints = 0
    for name, seed in students(config).values():
        variant = resolve_variant(config, name, seed)
        shape = {"classes": len(config["classes"]), "image_size": config["image_size"]}
        student = dict(variant["student"])
        width = student.pop("discriminator_channels")
        del student["embedding_file"]
        generator = generator_bytes(**student, **shape, z_dim=config["z_dim"])
        discriminator = discriminator_bytes(channels=width, **shape)
        snapshots = generator * variant["train"]["snapshots"]
        adversarial = LossSettings.of(variant["loss"]).needs_discriminator
        trained = generator + (discriminator if adversarial else 0)
        models += trained + snapshots
        checkpoints += 2 * 3 * trained + snapshots
    return {"models": models, "checkpoints": checkpoints}
