"""Draw images to score once, and write what stays of them: scores, previews, or all images."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygan.classes.by_name import Names
from tinygan.data.previews import Previews
from tinygan.data.shards import new_shard
from tinygan.evaluation.class_scores import score_classes, write_class_scores
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features, write_features
from tinygan.features.stream import Batch, open_run_extractor, stream_features


@dataclass(frozen=True)
class Outputs:
    """The files that are written of a stream of images; None for none.

    Attributes:
        scores: NPZ file of what each class contributes to the scores, see `ClassScores`.
        features: NPZ file of the features of all images.
        previews: folder of a shard with the first images of each class.
        images: folder of a shard with all images.
    """

    scores: Path | None = None
    features: Path | None = None
    previews: Path | None = None
    images: Path | None = None


def write_stream(
    batches: Iterable[Batch],
    outputs: Outputs,
    config: Mapping[str, Any],
    *,
    source: str,
    provenance: dict[str, Any],
    names: Names | None,
    real: Features | None = None,
    pairs: Features | None = None,
    threads: int = 1,
) -> None:
    """Draw images once, and write of them what is wanted; no file appears before the last image.

    Args:
        batches: the images in order of class.
        outputs: what to write.
        config: the run's config.
        source, provenance, names: of the shards, see `new_shard`. The names also go with the
            features.
        real: features of the real images of the same classes, with which scores compare.
        pairs: features of the harvested pairs of these classes, among which copies are looked for.
        threads: CPU threads of the extractor, and classes scored at the same time.

    Raises:
        ValueError, OSError: see `new_shard`, `open_extractor` and `write_features`.
    """
    about = {"source": source, "provenance": provenance, "names": names}
    count = config["metrics"]["previews_per_class"]
    with ExitStack() as stack:
        writers = []
        if outputs.images:
            writers.append(stack.enter_context(new_shard(outputs.images, **about)))
        if outputs.previews:
            shard = stack.enter_context(new_shard(outputs.previews, **about))
            writers.append(Previews(shard, count))
        passed = _passed(batches, [writer.append for writer in writers])
        if not (outputs.features or outputs.scores):
            for _ in passed:
                pass
            return
        extractor = stack.enter_context(open_run_extractor(config, threads=threads))
        features = stream_features(passed, extractor, config["metrics"]["batch"], names)
        if outputs.features:
            write_features(outputs.features, features)
        if outputs.scores:
            real.check_comparable(features)
            settings = Settings.of(config, threads=threads)
            scores = score_classes(features, real, config["classes"], settings, pairs=pairs)
            write_class_scores(outputs.scores, scores)


def _passed(batches: Iterable[Batch], takers: Sequence[Callable[..., None]]) -> Iterator[Batch]:
    """Yield batches after each taker got them."""
    for batch in batches:
        for take in takers:
            take(*batch)
        yield batch
