"""The settings of the scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tinygan.metrics.fid import AUTHORS_OFFSET


@dataclass(frozen=True)
class Settings:
    """How to score.

    Attributes:
        is_splits: splits of the Inception score.
        overall_samples: images of all classes together for Inception score and FID, drawn evenly
            from the classes; all if there are fewer. Intra-FID always uses all images.
        pairwise_samples: images, and real images, for KID, `prdc` and most of the score sheet,
            which compare all pairs; drawn in the same way.
        prdc_k: number of nearest neighbours k of `prdc`.
        jackknife_groups: groups of the jackknife of all scores but FID and intra-FID; at most the
            number of images.
        fid_mode: ``"exact"``, or ``"authors"`` to reproduce what the authors' released script runs:
            their NumPy code, with an offset, for the FID; TF-GAN's distance, without, for the
            intra-FIDs.
        seed: the run's seed; it determines which images are drawn and how they are grouped.
        threads: classes scored at the same time.
    """

    is_splits: int = 10
    overall_samples: int = 50_000
    pairwise_samples: int = 10_000
    prdc_k: int = 5
    jackknife_groups: int = 20
    fid_mode: str = "exact"
    seed: int = 0
    threads: int = 1

    @classmethod
    def of(cls, config: Mapping[str, Any], *, threads: int = 1) -> Self:
        """Build the settings from a run's config."""
        names = ("is_splits", "overall_samples", "pairwise_samples", "prdc_k", "jackknife_groups")
        chosen = {name: config["metrics"][name] for name in (*names, "fid_mode")}
        return cls(**chosen, seed=config["seed"], threads=threads)

    @property
    def offset(self) -> float:
        """The `offset` of `frechet_distance` for the FID over all classes."""
        return {"exact": 0.0, "authors": AUTHORS_OFFSET}[self.fid_mode]
