"""How many samples are enough: scores against the number of samples, with their intervals.

    python benchmarks/bench_sample_count.py --real results/mini/images/real \\
        --images results/mini/images/teacher_pairs --out docs/results/mini/sample_count

Each folder is a shard store; a file of features (.npz) will do as well. The floor is one half of
the real images against the other. Each dot is another draw of n samples, an equal number from each
class, against all images of the reference; the bar is the 95 % interval that the first draw alone
gives. FID is extrapolated to infinitely many samples by the line through its means in 1 / n.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from tinygan.data.shards import open_store
from tinygan.features.extract import features_of
from tinygan.features.files import Features, read_features
from tinygan.files import atomic_file, write_text
from tinygan.metrics.fid import Gaussian, frechet_jackknife
from tinygan.metrics.inception_score import inception_score, inception_score_jackknife
from tinygan.metrics.jackknife import assign_groups, interval
from tinygan.metrics.kid import kid_jackknife
from tinygan.seeding import stream

SCORES = ("FID", "KID", "Inception score")
SPLITS, GROUPS, PAIRWISE = 10, 20, 2000


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
    """Draw `count` rows without replacement, an equal number from each class."""
    classes = np.unique(features.labels)
    rows = [
        rng.permutation(np.flatnonzero(features.labels == label))[: count // len(classes)]
        for label in classes
    ]
    return features.take(np.sort(np.concatenate(rows)))


def scored(
    sample: Features, reference: Gaussian, some_real: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[float, np.ndarray]]:
    """Return each score, and what it is without each group of the jackknife."""
    groups = assign_groups(len(sample), GROUPS, rng)
    return {
        "FID": frechet_jackknife(sample.features, reference, groups),
        "KID": kid_jackknife(sample.features, some_real, groups),
        "Inception score": (
            inception_score(sample.logits, SPLITS)[0],
            inception_score_jackknife(sample.logits, SPLITS, groups),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--images", type=Path, help="default: the floor alone")
    parser.add_argument("--out", type=Path, required=True, help="path without a suffix")
    parser.add_argument("--counts", type=int, nargs="+", default=[200, 500, 1000, 2000, 5000])
    parser.add_argument("--draws", type=int, default=5)
    for name, default in (("side", 64), ("threads", 1), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
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
        gaussian = Gaussian.of(reference.features)
        some_real = draw(reference, PAIRWISE, stream(options.seed, "sample_count/real")).features
        counts = [count for count in options.counts if count <= len(images)]
        values: dict[str, list[list[float]]] = {name: [] for name in SCORES}
        for count in counts:
            first: dict[str, tuple[float, float]] = {}
            for name in SCORES:
                values[name].append([])
            for i in range(options.draws if count < len(images) else 1):
                rng = stream(options.seed, f"sample_count/{source}", count, i)
                found = scored(draw(images, count, rng), gaussian, some_real, rng)
                for name, (value, without) in found.items():
                    values[name][-1].append(value)
                    first.setdefault(name, interval(value, without))
            cells = []
            for axes, name in zip(row, SCORES, strict=True):
                value, (low, high) = values[name][-1][0], first[name]
                axes.vlines(count, low, high, color="C0", linewidth=4, alpha=0.35)
                cells.append(f"{value:.4g} [{low:.4g}, {high:.4g}]")
            text += f"| {source} | {count:,} | {' | '.join(cells)} |\n"
            print(text.splitlines()[-1], flush=True)
        for axes, name in zip(row, SCORES, strict=True):
            means = [np.mean(v) for v in values[name]]
            axes.plot(counts, means, color="C0", linewidth=1)
            for count, drawn in zip(counts, values[name], strict=True):
                axes.plot([count] * len(drawn), drawn, ".", color="C1")
            axes.set(xscale="log", xlabel="samples", ylabel=name, title=source)
            axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=7)
            axes.minorticks_off()
            if name == "FID" and len(counts) > 2:
                slope, limit = np.polyfit(1 / np.array(counts[-3:]), means[-3:], 1)
                axes.axhline(limit, color="0.5", linestyle="--", linewidth=1)
                text += f"| {source} | → ∞ | {limit:.4g} | | |\n"
    with atomic_file(options.out.with_suffix(".png")) as partial:
        figure.savefig(partial, dpi=150, metadata={"Software": None})
    write_text(options.out.with_suffix(".md"), text)


if __name__ == "__main__":
    main()
