"""How many samples are enough? Scores by number of samples, with 95 % intervals.

    python benchmarks/bench_sample_count.py --real results/mini/images/real \\
        --images results/mini/images/teacher_pairs --out docs/results/mini/sample_count

Each folder is a shard store; a file of features (.npz) works too. The floor is one half of the real
images against the other. Each dot is a draw of n samples, equally many from each class, against all
images of the reference. The bar is the 95 % interval of the first draw. FID is extrapolated to
infinitely many samples by a line through its means in 1 / n.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from tinygan.data.shards import open_store
from tinygan.features.extract import features_of
from tinygan.features.files import Features, read_features
from tinygan.files import atomic_file, write_text
from tinygan.metrics.fid import Gaussian
from tinygan.metrics.inception_score import inception_score, inception_score_jackknife
from tinygan.metrics.jackknife import assign_groups, interval
from tinygan.metrics.kid import kid_jackknife
from tinygan.metrics.leave_one_out import frechet_jackknife
from tinygan.seeding import stream

SCORES = ("FID", "KID", "Inception score")
SPLITS, GROUPS, PAIRWISE = 10, 20, 2000

# The value of each score of one draw, with its 95 % interval.
Scores = dict[str, tuple[float, tuple[float, float]]]


def read(path: Path, side: int, threads: int) -> Features:
    """Read features, or compute those of a shard store."""
    if path.suffix == ".npz":
        return read_features([path])
    shards = open_store(sorted(path.glob("*/manifest.json")))
    images, labels = (np.concatenate([getattr(s, k) for s in shards]) for k in ("images", "labels"))
    return features_of(
        images, labels, input_size=side, batch=100, threads=threads, progress=str(path)
    )


def draw(features: Features, count: int, rng: np.random.Generator) -> Features:
    """Draw `count` rows without replacement, equally many from each class."""
    classes = np.unique(features.labels)
    rows = [
        rng.permutation(np.flatnonzero(features.labels == label))[: count // len(classes)]
        for label in classes
    ]
    return features.take(np.sort(np.concatenate(rows)))


def score(
    sample: Features, reference: Gaussian, some_real: np.ndarray, rng: np.random.Generator
) -> Scores:
    """Score a sample.

    Args:
        sample: the features and logits of the sample.
        reference: the moments of the reference's features.
        some_real: features of the reference [N, D] for KID.
        rng: assigns the images to the groups of the jackknife.
    """
    groups = assign_groups(len(sample), GROUPS, rng)
    fid, variance = frechet_jackknife(sample.features, reference, sample.labels)
    scores = {
        "KID": kid_jackknife(sample.features, some_real, groups),
        "Inception score": (
            inception_score(sample.logits, SPLITS)[0],
            inception_score_jackknife(sample.logits, SPLITS, groups),
        ),
    }
    return {"FID": (fid, variance.interval(fid))} | {
        name: (value, interval(value, without)) for name, (value, without) in scores.items()
    }


def score_draws(
    source: str, images: Features, reference: Features, options: argparse.Namespace
) -> Iterator[tuple[int, list[Scores]]]:
    """Yield each number of samples with the scores of its draws."""
    gaussian = Gaussian.of(reference.features)
    some_real = draw(reference, PAIRWISE, stream(options.seed, "sample_count/real")).features
    for count in options.counts:
        if count > len(images):
            continue
        draws = []
        for i in range(options.draws if count < len(images) else 1):
            rng = stream(options.seed, f"sample_count/{source}", count, i)
            draws.append(score(draw(images, count, rng), gaussian, some_real, rng))
        yield count, draws


def extrapolate(counts: Sequence[int], means: Sequence[float]) -> float | None:
    """Extrapolate FID to infinitely many samples by its means; None for fewer than three counts."""
    if len(counts) < 3:
        return None
    return np.polyfit(1 / np.array(counts[-3:]), means[-3:], 1)[1]


def plot(axes: Axes, name: str, source: str, results: dict[int, list[Scores]]) -> float | None:
    """Plot one score of one source; return its extrapolation, for FID."""
    for count, draws in results.items():
        axes.vlines(count, *draws[0][name][1], color="C0", linewidth=4, alpha=0.35)
    counts = list(results)
    values = [[scores[name][0] for scores in draws] for draws in results.values()]
    means = [np.mean(v) for v in values]
    axes.plot(counts, means, color="C0", linewidth=1)
    for count, drawn in zip(counts, values, strict=True):
        axes.plot([count] * len(drawn), drawn, ".", color="C1")
    axes.set(xscale="log", xlabel="samples", ylabel=name, title=source)
    axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=7)
    axes.minorticks_off()
    limit = extrapolate(counts, means) if name == "FID" else None
    if limit is not None:
        axes.axhline(limit, color="0.5", linestyle="--", linewidth=1)
    return limit


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True, help="shard store or .npz")
    parser.add_argument("--images", type=Path, help="likewise (default: the floor only)")
    parser.add_argument("--out", type=Path, required=True, help="output path without suffix")
    parser.add_argument(
        "--counts",
        type=int,
        nargs="+",
        metavar="N",
        default=[200, 500, 1000, 2000, 5000],
        help="numbers of samples (default: 200 500 1000 2000 5000)",
    )
    parser.add_argument("--draws", type=int, default=5, help="draws per number (default: 5)")
    parser.add_argument("--side", type=int, default=64, help="input size in px (default: 64)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    real = read(options.real, options.side, options.threads)
    even = np.arange(len(real)) % 2 == 0
    pairs = {"floor": (real.take(even), real.take(~even))}
    if options.images:
        pairs["images"] = (read(options.images, options.side, options.threads), real)
    figure, panels = plt.subplots(
        len(pairs), 3, figsize=(9, 2.8 * len(pairs)), squeeze=False, layout="constrained"
    )
    text = "| source | samples | " + " | ".join(f"{name} (95 % interval)" for name in SCORES)
    text += " |\n| :-- | --: | --: | --: | --: |\n"
    for (source, (images, reference)), row in zip(pairs.items(), panels, strict=True):
        results = {}
        for count, draws in score_draws(source, images, reference, options):
            results[count] = draws
            first = (draws[0][name] for name in SCORES)
            cells = [f"{value:.4g} [{low:.4g}, {high:.4g}]" for value, (low, high) in first]
            text += f"| {source} | {count:,} | {' | '.join(cells)} |\n"
            print(text.splitlines()[-1], flush=True)
        for axes, name in zip(row, SCORES, strict=True):
            limit = plot(axes, name, source, results)
            if limit is not None:
                text += f"| {source} | → ∞ | {limit:.4g} | | |\n"
    with atomic_file(options.out.with_suffix(".png")) as partial:
        figure.savefig(partial, dpi=150, metadata={"Software": None})
    write_text(options.out.with_suffix(".md"), text)


if __name__ == "__main__":
    main()
