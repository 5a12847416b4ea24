"""A run's teacher beside one of its students, for the same z and class."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinygan.data.shards import find_manifests, open_store
from tinygan.generation.sampler import Sampler, open_sampler


def open_student(run: Path, student: str) -> Sampler:
    """Open a student of a run.

    Args:
        run: the folder of its results, such as ``results/mini``.
        student: such as ``dw`` or ``dw/seed1``.

    Raises:
        FileNotFoundError: there is no such folder, or the run has no such student.
    """
    models = Path(run) / "models"
    if not models.is_dir():
        raise FileNotFoundError(
            f"{run} has no results of a run: give a folder such as results/mini, which `make demo` "
            "writes"
        )
    known = sorted(str(card.parent.relative_to(models)) for card in models.rglob("card.json"))
    if student not in known:
        near = difflib.get_close_matches(student, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"it has: {', '.join(known) or 'none'}"
        raise FileNotFoundError(f"{run} has no trained student {student}; {hint}")
    return open_sampler(models / student)


def teacher_above_student(
    run: Path, student: Sampler, labels: Sequence[int], count: int
) -> np.ndarray:
    """Return the teacher's previews, and the student's for the same z.

    Args:
        run: the folder of the run's results.
        student: see `open_student`.
        labels: labels of the student.
        count: images per class.

    Returns:
        uint8 [2 * len(labels) * count, H, W, 3]: for each class the teacher's first `count` images,
        then the student's.

    Raises:
        FileNotFoundError: the run has no previews of the teacher.
        ValueError: a class has fewer images, or the classes differ from the student's.
    """
    folder = Path(run) / "previews" / "teacher"
    manifests = find_manifests(folder)
    if not manifests:
        raise FileNotFoundError(f"{folder} has no images: run the pipeline, or give another run")
    store = open_store(manifests, student.classes, what=str(folder))
    rows = []
    for label in labels:
        shard = next(shard for shard in store if label in shard.labels)
        chosen = np.flatnonzero(shard.labels == label)[:count]
        if len(chosen) < count:
            raise ValueError(
                f"{folder} has {len(chosen)} images of {student.classes[label]}, fewer than "
                f"{count}: show fewer, or raise metrics.previews_per_class and run it again"
            )
        rows += [shard.images[chosen], student.draw(shard.z[chosen], label)]
    return np.concatenate(rows)
