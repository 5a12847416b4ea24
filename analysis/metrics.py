"""The few numbers of each source that runs are compared by, for `dvc metrics show`."""

from _common import Run, main, read_scores

from tinygan.files import write_json

KEYS = ("fid", "intra_fid", "inception_score", "kid")


def metrics(run: Run) -> dict[str, dict[str, float]]:
    """Write, and return, the scores of every source of the run with six significant digits."""
    sources = ["real", "teacher", *run.config["variants"], *run.config.get("sources", {})]
    scores = read_scores(run.results, sources)
    numbers = {
        source: {key: float(f"{scores[key][source]:.6g}") for key in KEYS} for source in sources
    }
    write_json(run.out, numbers)
    return numbers


if __name__ == "__main__":
    main(metrics, __doc__)
