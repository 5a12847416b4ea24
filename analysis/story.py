"""The story of a run in a dozen lines, each from its own numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from paper import compares, labels, own_variants
from tinygan.config.derived import students
from tinygan.features.extractor import INCEPTION

_DATA = {
    "animal_mnist": "Animal-MNIST",
    "imagenet": "ImageNet",
    "image_folder": "a folder of images",
}
# Fewer classes than this are a few points for a correlation.
_FEW_CLASSES = 30


def headline(claims: Sequence[Mapping[str, Any]]) -> str:
    """Return how many claims have which verdict, in one sentence."""
    counts = Counter(claim["verdict"] for claim in claims)
    holding = counts["holds"]
    parts = [f"{holding} of the paper's {len(claims)} claims {'holds' if holding == 1 else 'hold'}"]
    if failed := counts["does not hold"]:
        parts.append(f"{failed} {'does' if failed == 1 else 'do'} not hold")
    if undecided := counts["undecided"]:
        parts.append(f"{undecided} {'is' if undecided == 1 else 'are'} undecided")
    return ", ".join(parts)


def story(
    config: Mapping[str, Any], record: Mapping[str, Any], scores: pd.DataFrame, ratios: pd.Series
) -> list[tuple[str, str]]:
    """Return the story: for each line what it is about, and one or two sentences.

    Args:
        config: the run's config.
        record: of the run, see `tinygan.provenance.record`.
        scores: Table 1's numbers, indexed by source; those of students are means over the seeds.
        ratios: FID of the objective's ablations over that of the full one, by source.
    """
    lines = _lines(config, record, scores, ratios)
    return [(about, text) for about, text in lines if text]


def duration(seconds: float) -> str:
    """Return a time in two units at most, e.g. ``3 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def _lines(
    config: Mapping[str, Any], record: Mapping[str, Any], scores: pd.DataFrame, ratios: pd.Series
) -> Iterator[tuple[str, str]]:
    names, seeds = labels(config), config["train"]["seeds"]
    classes, data = len(config["classes"]), _DATA[config["real"]["source"]]
    pairs, real = config["teacher"]["pairs_per_class"], record["data"]["real"]["images"]
    yield (
        "Data",
        f"Preset {config['preset']}: {_count(classes, 'class', 'classes')}, {real:,} real images "
        f"of {config['image_size']} px from {data}.",
    )
    yield (
        "Teacher",
        f"A black box ({record['teacher']['handle']}), called for {pairs:,} images per class"
        f"{_size(scores.loc['teacher'])}. Its FID is {scores.fid['teacher']:.1f}.",
    )
    yield "Student", _fractions(names["dw"], scores)
    trained = len(students(config))
    yield (
        "Training",
        f"{_count(trained, 'training', 'trainings')}: {_count(len(names), 'variant', 'variants')}, "
        f"{_count(len(seeds), 'seed', 'seeds')} each; {config['train']['steps']:,} steps of "
        f"{config['train']['batch']} pairs unless a variant says otherwise.",
    )
    mean = f", means over {len(seeds)} seeds" if len(seeds) > 1 else ""
    listed = {"Teacher": "teacher"} | {names[v]: v for v in ("std", "dw", "std_half")}
    for about, key in (("FID", "fid"), ("Intra-FID", "intra_fid")):
        shown = ", ".join(f"{name} {scores[key][source]:.1f}" for name, source in listed.items())
        yield about, f"{shown} (lower is better{mean})."
    yield (
        "Floor",
        f"Real images against other real images have an FID of {scores.fid['real']:.1f} and an "
        f"intra-FID of {scores.intra_fid['real']:.1f}: no generator can be expected to do better.",
    )
    yield "Ablations", _ablations(names, ratios)
    yield "Your own", _own(config, names)
    yield "Chance", _chance(seeds)
    yield "Limits", _limits(config, classes)
    jobs, machine = record["jobs"], record["machine"]
    total = sum(row["seconds"] for row in jobs.values())
    training = jobs["train"]["seconds"] if "train" in jobs else 0.0
    yield (
        "Time",
        f"All jobs together took {duration(total)}, of which training {duration(training)}, on "
        f"{machine['processor']}, {_count(machine['cores'], 'core', 'cores')}, with "
        f"{', '.join(machine['gpus']) or 'no GPU'}.",
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _size(cost: pd.Series) -> str:
    if pd.isna(cost.parameters_generator):  # a Python function
        return ""
    return f"; {cost.parameters_generator / 1e6:,.2f} M generator parameters"


def _fractions(name: str, scores: pd.DataFrame) -> str:
    mine, teacher = scores.loc["dw"], scores.loc["teacher"]
    text = (
        f"{name} has {mine.parameters_generator / 1e6:,.2f} M generator parameters and needs "
        f"{mine.macs / 1e6:,.1f} M multiply-accumulates per image"
    )
    if pd.isna(teacher.parameters_generator):
        return f"{text}."
    parameters, macs = (100 * mine[k] / teacher[k] for k in ("parameters_generator", "macs"))
    return f"{text}: {parameters:.1f} % and {macs:.1f} % of the teacher's."


def _ablations(names: Mapping[str, str], ratios: pd.Series) -> str:
    ratios = ratios.drop("dw", errors="ignore")
    if ratios.empty:
        return ""
    worst, best = ratios.idxmax(), ratios.idxmin()
    return (
        f"FID over that of the full objective runs from {ratios[best]:.2f} ({names[best]}) to "
        f"{ratios[worst]:.2f} ({names[worst]})."
    )


def _own(config: Mapping[str, Any], names: Mapping[str, str]) -> str:
    own, parts = [names[name] for name in own_variants(config)], []
    if own:
        parts.append(f"Variants that the paper does not have: {'; '.join(own)}.")
    if config["sources"]:
        parts.append(f"External images or models: {', '.join(config['sources'])}.")
    return " ".join(parts)


def _chance(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return (
            "One seed: a difference between two students may be noise, and a claim about one "
            "stays undecided. Set train.seeds to decide more."
        )
    return (
        f"Every variant was trained {len(seeds)} times. A claim about a difference is decided only "
        "if the interval of the paired difference over the seeds leaves out zero."
    )


def _limits(config: Mapping[str, Any], classes: int) -> str:
    if not compares(config):
        text = (
            "The paper's numbers are of ImageNet's animals, so none is shown beside this data's. "
            "The claims are judged on this run's own numbers."
        )
    elif config["real"]["source"] != "imagenet":
        text = (
            "A small copy of the protocol on other images: compare order and ratios with the "
            "paper's, never absolute values. It shows what the losses do here, not on ImageNet."
        )
    elif config["metrics"]["extractor"] in INCEPTION:
        text = "The paper's data and feature extractor: absolute values compare too."
    else:
        text = (
            "The paper's data, but another feature extractor: compare order and ratios with the "
            "paper's, never absolute values."
        )
    if classes < _FEW_CLASSES:
        text += f" A correlation over classes rests on {_count(classes, 'point', 'points')}."
    return text
