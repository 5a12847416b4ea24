"""Estimate the time and memory of a run by measuring each of its steps briefly on this machine.

Each step runs on synthetic data at the config's sizes (see `throughput`), in a process of its own,
whose peak memory is reported. Its rate is then extrapolated to the amount of work.
"""

import multiprocessing
import re
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygan.config.derived import resolve_variant, shard_ranges, snapshot_steps
from tinygan.features.extractor import INCEPTION, asset_of
from tinygan.planning import throughput
from tinygan.planning.assets import missing_assets
from tinygan.planning.disk import real_counts
from tinygan.runtime import device_type

# The variants with a learning curve, Figure 8.
_CURVES = ("dw", "scratch")


@dataclass(frozen=True)
class Speed:
    """The speed and memory of one step.

    Attributes:
        rate: images or classes per second.
        memory: peak memory of the process in bytes; None if the rate was given, not measured.
        device_memory: peak memory on the GPU in bytes; None without a GPU.
    """

    rate: float
    memory: int | None = None
    device_memory: int | None = None


@dataclass(frozen=True)
class Step:
    """One kind of job of a run.

    Attributes:
        name: e.g. ``real biggan``, ``harvest``, ``train dw`` or ``sample std 16``.
        jobs: number of jobs.
        amount: total work of all jobs, in `unit`.
        unit: ``images`` or ``classes``.
        measure: function of the config and `arguments` that returns the rate, called in a process
            of its own; None if the step cannot be measured here.
        arguments: see `measure`.
    """

    name: str
    jobs: int
    amount: int
    unit: str
    measure: Callable[..., float] | None
    arguments: tuple[Any, ...] = ()


def steps_of(config: Mapping[str, Any]) -> list[Step]:
    """Return the steps of a whole run in order, without those that take seconds (tables, figures).

    Args:
        config: validated, `classes` as names.
    """
    real, teacher, metrics = config["real"], config["teacher"], config["metrics"]
    classes, shards = len(config["classes"]), len(shard_ranges(config))
    files = sum(real_counts(config, config["classes"]))
    samples = classes * metrics["samples_per_class"]
    crops = {real[key]: None for key in ("crop", "train_crop") if real[key]}
    steps = [
        Step(f"real {crop}", shards, files, "images", throughput.real, (crop,)) for crop in crops
    ]
    is_url = teacher["kind"] != "python" and "://" in teacher["handle"]
    is_local = not is_url and not missing_assets(config, ["harvest"])
    pairs = classes * teacher["pairs_per_class"]
    measure = throughput.harvest if is_local else None
    steps.append(Step("harvest", 2 * shards, pairs + samples, "images", measure))
    variants = {name: resolve_variant(config, name) for name in config["variants"]}
    seeds = len(config["train"]["seeds"])
    shapes: dict[str, list[str]] = {}
    for name, variant in variants.items():
        amount = seeds * variant["train"]["steps"] * variant["train"]["batch"]
        steps.append(Step(f"train {name}", seeds, amount, "images", throughput.train, (name,)))
        shape = f"{variant['student']['architecture']} {variant['student']['channels']}"
        shapes.setdefault(shape, []).append(name)
    for shape, (first, *others) in shapes.items():
        count = seeds * (1 + len(others))
        work = (count * shards, count * samples, "images", throughput.sample, (first,))
        steps.append(Step(f"sample {shape}", *work))
    curves = [variant for name, variant in variants.items() if name in _CURVES]
    points = seeds * sum(len(snapshot_steps(variant)) for variant in curves)
    scored = seeds * len(variants) + len(config["sources"]) + 1  # and the teacher
    curve_images = points * classes * metrics["curve_samples_per_class"]
    extracted = files + pairs + scored * samples + curve_images
    # Weights from the cache may have to be downloaded first.
    fetched = metrics["extractor"] in INCEPTION or asset_of(metrics["extractor"])
    measure = None if fetched else throughput.features
    # Jobs: real images, pairs, the teacher. Students' features are extracted as they are drawn.
    steps.append(Step("features", 3 * shards, extracted, "images", measure))
    steps.append(Step("score", scored + 1, (scored + 1) * classes, "classes", throughput.score))
    return steps


def measure_steps(
    config: Mapping[str, Any], steps: list[Step], given_rates: Mapping[str, float]
) -> Iterator[tuple[Step, Speed | None]]:
    """Yield each step with its speed, or None if it can neither be measured nor was given.

    Args:
        config: validated, `classes` as names.
        steps: the steps of the run, see `steps_of`.
        given_rates: rates to use instead of measuring, by a step's name or its first word.

    Raises:
        ValueError: a name in `given_rates` is not that of a step.
    """
    names = {name for step in steps for name in (step.name, step.name.split()[0])}
    if unknown := sorted(given_rates.keys() - names):
        raise ValueError(
            f"--rate {unknown[0]}: there is no such step; choose one of {sorted(names)}"
        )
    # A new process for each step, so that its peak memory does not include another step's.
    options = {"max_workers": 1, "max_tasks_per_child": 1}
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"), **options) as pool:
        for step in steps:
            rate = given_rates.get(step.name, given_rates.get(step.name.split()[0]))
            if rate is not None:
                yield step, Speed(rate)
            elif step.measure is None:
                yield step, None
            else:
                yield step, pool.submit(_measure, step, dict(config)).result()


def _measure(step: Step, config: Mapping[str, Any]) -> Speed:
    rate = step.measure(config, *step.arguments)
    torch = sys.modules.get("torch")
    has_gpu = torch and torch.cuda.is_available()
    return Speed(rate, _peak_memory(), torch.cuda.max_memory_allocated() if has_gpu else None)


def device_name(config: Mapping[str, Any]) -> str:
    """Return the name of the GPU that the steps of a run use here, or ``the CPU``."""
    import torch

    on_gpu = device_type(config["device"]) == "cuda"
    return torch.cuda.get_device_name() if on_gpu else "the CPU"


def _peak_memory() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux; there, ru_maxrss may include the parent process's memory
        kibibytes = int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1])
    else:
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * 1024
