"""What a class contributes to the scores: its intra-FID, and rows for the scores over all classes.

A job that draws the images of some classes computes it at once, so that the features of all images
are never stored: per class a few rows are left.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinygan.evaluation.settings import Settings
from tinygan.external import check_content
from tinygan.features.files import Features, arrays_of, from_arrays
from tinygan.files import atomic_file
from tinygan.metrics.copies import are_copies
from tinygan.metrics.counts import share
from tinygan.metrics.jackknife import Interval, Variance
from tinygan.metrics.leave_one_out import frechet_jackknife
from tinygan.metrics.vendi import vendi
from tinygan.seeding import stream

# Images of a class for its Vendi score, at most. It grows with their number, and half of ImageNet's
# real images of a class, the floor, are 366 to 650.
VENDI_SAMPLES = 300
_COVARIANCE = "an intra-FID needs at least 2 images and 2 real images of the class"


@dataclass(frozen=True)
class ClassScores:
    """The contribution of one class.

    Attributes:
        label: class index.
        samples: number of images.
        intra_fid: their FID against the real images of the class.
        variance: of the intra-FID, between samples of this size.
        overall: features and logits of the images drawn for Inception score and FID.
        pairwise: features [P, d] of those drawn for the scores that compare all pairs.
        real_pairwise: features [Q, d] of the real images drawn for them.
        vendi: the Vendi score of `VENDI_SAMPLES` images.
        copies: how many of the P images copy any real image of the class.
        pair_copies: how many copy any harvested pair of the class; None if none are given.
    """

    label: int
    samples: int
    intra_fid: float
    variance: Variance
    overall: Features
    pairwise: np.ndarray
    real_pairwise: np.ndarray
    vendi: float
    copies: int
    pair_copies: int | None = None

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the intra-FID."""
        return self.variance.interval(self.intra_fid)


def score_classes(
    images: Features,
    real: Features,
    class_names: Sequence[str],
    settings: Settings,
    done: Callable[[], object] = lambda: None,
    pairs: Features | None = None,
) -> list[ClassScores]:
    """Score the classes of some images, several at a time (`settings.threads`).

    Args:
        images, real: features of all images and real images of these classes.
        class_names: the names of all classes of the run, in the order of the class index.
        settings: how to score.
        done: called after each class.
        pairs: features of the harvested pairs of these classes, see `Features.compact`.

    Raises:
        ValueError: a class has fewer than 2 images or real images, or no pairs; the pairs are of
            another extractor; or the features contain NaN.
    """
    if pairs is not None:
        real.check_comparable(pairs, logits=False)
    labels = np.unique(real.labels).tolist()
    found = []
    with ThreadPoolExecutor(settings.threads) as pool:
        score_class = partial(_score_class, images, real, pairs, class_names, settings)
        for scores in pool.map(score_class, labels):
            found.append(scores)
            done()
    return found


def _score_class(
    images: Features,
    real: Features,
    pairs: Features | None,
    class_names: Sequence[str],
    settings: Settings,
    label: int,
) -> ClassScores:
    images, real = (f.take(f.labels == label) for f in (images, real))
    totals = settings.overall_samples, settings.pairwise_samples
    overall, compared = (share(total, len(class_names), label) for total in totals)
    rng = stream(settings.seed, "metrics/images", label)
    order, real_order = rng.permutation(len(images)), rng.permutation(len(real))
    try:
        if min(len(images), len(real)) < 2:
            raise ValueError(f"{_COVARIANCE}, not {len(images)} and {len(real)}")
        intra_fid, variance = frechet_jackknife(images.features, real.features)
        drawn = images.features[np.sort(order[:compared])]
        return ClassScores(
            label=label,
            samples=len(images),
            intra_fid=intra_fid,
            variance=variance,
            overall=images.take(np.sort(order[:overall])),
            pairwise=drawn,
            real_pairwise=real.features[np.sort(real_order[:compared])],
            vendi=vendi(images.features[np.sort(order[:VENDI_SAMPLES])]),
            copies=int(are_copies(drawn, real.features).sum()),
            pair_copies=None
            if pairs is None
            else int(are_copies(drawn, pairs.features[pairs.labels == label]).sum()),
        )
    except ValueError as error:
        raise ValueError(f"class {label} ({class_names[label]}): {error}") from error


# Of each class one row, and of `_ROWS` as many as `_counts` says; `pair_copies` of all or none.
_SCALARS = ("label", "samples", "intra_fid", "vendi", "copies")
_ROWS = ("pairwise", "real_pairwise")


def write_class_scores(path: Path, classes: Sequence[ClassScores]) -> None:
    """Write the contributions of some classes as one npz file, atomically."""
    joined = {
        name: np.concatenate([getattr(c.overall, name) for c in classes])
        for name in ("features", "logits", "labels")
    }
    arrays = arrays_of(replace(classes[0].overall, **joined, class_names=None))
    arrays |= {name: [getattr(c, name) for c in classes] for name in _SCALARS}
    arrays["variance"] = [astuple(c.variance) for c in classes]
    if classes[0].pair_copies is not None:
        arrays["pair_copies"] = [c.pair_copies for c in classes]
    for name in _ROWS:
        rows = [getattr(c, name) for c in classes]
        arrays |= {name: np.concatenate(rows), f"{name}_counts": list(map(len, rows))}
    with atomic_file(path) as partial_file:
        np.savez(partial_file, allow_pickle=False, **arrays)


def read_class_scores(paths: Iterable[Path]) -> list[ClassScores]:
    """Read the contributions of classes from some files, in ascending order of class.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: one is damaged, extractors differ, or a class is in two files.
    """
    found = [scores for path in paths for scores in _read(path)]
    if not found:
        raise ValueError("no file of class scores is given")
    found.sort(key=lambda scores: scores.label)
    for previous, scores in pairwise(found):
        found[0].overall.check_comparable(scores.overall)
        if previous.label == scores.label:
            raise ValueError(f"the scores of class {scores.label} are in two of the files")
    return found


def _read(path: Path) -> list[ClassScores]:
    try:
        check_content(path, "zip")
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        overall = from_arrays(arrays)
        rows = {
            name: np.split(arrays[name], np.cumsum(arrays[f"{name}_counts"])[:-1]) for name in _ROWS
        }
        return [
            ClassScores(
                **{name: arrays[name][i].item() for name in _SCALARS},
                variance=Variance(*arrays["variance"][i].tolist()),
                pair_copies=int(arrays["pair_copies"][i]) if "pair_copies" in arrays else None,
                overall=overall.take(overall.labels == label),
                **{name: parts[i] for name, parts in rows.items()},
            )
            for i, label in enumerate(arrays["label"].tolist())
        ]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, IndexError, TypeError, BadZipFile) as error:
        raise ValueError(f"{path} is not a valid file of class scores ({error})") from error
