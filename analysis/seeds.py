"""Statistics over seeds: means and deviations, paired differences, and what would decide them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from paper import SCORES
from results import INTERVALS, MORE, ends_of

LEVEL = 0.95
MOST = 1000  # seeds beyond which no number is given


@dataclass(frozen=True)
class Difference:
    """The mean of a difference over seeds (or paths), and Student's 95 % interval.

    Attributes:
        mean: of the differences.
        low: lower end of the interval; NaN for one value.
        high: upper end; NaN for one value.
        count: how many values.
        to_decide: see `seeds_to_decide`.
    """

    mean: float
    low: float
    high: float
    count: int
    to_decide: int | None

    @property
    def sign(self) -> int:
        """1 if the whole interval is above zero, -1 if it is below, else 0: undecided."""
        return int(self.low > 0) - int(self.high < 0)


def difference(values: np.ndarray) -> Difference:
    """Return mean and interval of paired differences, n - 1 degrees of freedom."""
    values = np.asarray(values, dtype=float)
    mean, low, high = float(values.mean()), np.nan, np.nan
    if len(values) > 1:
        half = float(_half(len(values), values.std(ddof=1)))
        low, high = mean - half, mean + half
    return Difference(mean, low, high, len(values), seeds_to_decide(values))


def seeds_to_decide(differences: np.ndarray) -> int | None:
    """Return the least number of seeds whose interval would exclude zero.

    It takes the observed mean and deviation for the true ones, so from few seeds it is a rough
    estimate.

    Args:
        differences: paired differences, one per seed.

    Returns:
        At least 2; MOST + 1 for more than MOST; None where it is unknown, because there is one
        seed alone or the observed mean is zero.
    """
    differences = np.asarray(differences, dtype=float)
    mean = abs(differences.mean())
    if len(differences) < 2 or mean == 0:
        return None
    counts = np.arange(2, MOST + 1)
    enough = _half(counts, differences.std(ddof=1)) < mean
    return int(counts[enough.argmax()]) if enough.any() else MOST + 1


def _half(count: int | np.ndarray, deviation: float) -> np.ndarray:
    """Return half of Student's interval of the mean of this many values."""
    return t.ppf((1 + LEVEL) / 2, np.subtract(count, 1)) * deviation / np.sqrt(count)


def over_seeds(scores: pd.DataFrame, extra: Sequence[str] = ()) -> pd.DataFrame:
    """Return the scores of each source or variant, averaged over the seeds of its training.

    Args:
        scores: of `results.read_scores`, one row per source and seed.
        extra: more scores, as for `read_scores`.

    Returns:
        One row per source. Every score is the mean over the seeds, and so are the ends of its
        interval, whose half width is then the mean half width; NaN where a seed has none. More
        columns: `seeds`, how many, and {score}_sd_seeds, the deviation over them (ddof 1), NaN for
        one seed. Other columns are those of the first seed.
    """
    names = [*SCORES, *MORE, *INTERVALS, *extra, *ends_of(extra)]
    groups = scores.groupby(level="source", sort=False)
    numbers = scores.reindex(columns=names).astype(float).groupby(level="source", sort=False)
    frame = groups.first()
    frame[names] = numbers.agg(lambda values: values.mean(skipna=False))
    spread = numbers[[*SCORES, *MORE, *extra]].std(ddof=1).add_suffix("_sd_seeds")
    return frame.join(spread).assign(seeds=groups.size())


def paired(scores: pd.DataFrame, key: str, first: str, second: str) -> np.ndarray:
    """Return a score of the first variant minus that of the second, for each seed.

    Raises:
        ValueError: the two were not trained with the same seeds.
    """
    one, other = (scores[key].loc[name] for name in (first, second))
    if set(one.index) != set(other.index):
        raise ValueError(
            f"{first} was trained with seeds {_list(one.index)}, {second} with "
            f"{_list(other.index)}: give the scores of the same seeds"
        )
    return (one - other.loc[one.index]).to_numpy(dtype=float)


def seeds_in(scores: pd.DataFrame, variants: Iterable[str]) -> list[int]:
    """Return the seeds that these variants were trained with."""
    return sorted({seed for name, seed in scores.index if name in set(variants)})


def _list(seeds: pd.Index) -> str:
    return ", ".join(map(str, sorted(seeds)))
