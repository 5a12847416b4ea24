"""What a run will take: time and memory of each step, measured briefly on this machine.

Each step is measured (see `throughput`) at the config's sizes in a process of its own, whose
largest memory is read. The rest is multiplication.
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
from tinygan.planning import throughput as measures
from tinygan.planning.disk import real_counts

_CURVES = ("dw", "scratch")


@dataclass(frozen=True)
class Speed:
    """What one measurement found.

    Attributes:
        rate: images, or classes, a second.
        memory: largest memory of the process, bytes; None where the rate was stated.
        device_memory: largest memory on the GPU, bytes; None without one.
    """

    rate: float
    memory: int | None = None
    device_memory: int | None = None


@dataclass(frozen=True)
class Step:
    """One kind of job of a run.

    Attributes:
        name: ``real biggan``, ``harvest``, ``train dw``, ``sample std 16`` ...
        jobs: how many there are.
        amount: what they do in all, in `unit`.
        unit: ``images`` or ``classes``.
        measure: function of the config that returns the rate, run in a process of its own; None
            where nothing can be measured here.
        arguments: its further arguments.
    """

    name: str
    jobs: int
    amount: int
    unit: str
    measure: Callable[..., float] | None
    arguments: tuple[Any, ...] = ()


def steps_of(config: Mapping[str, Any]) -> list[Step]:
    """Return the steps of a whole run that take time, in the order in which they come.

    Tables, figures and costs, seconds each, are left out.

    Args:
        config: checked, with the names of its classes.
    """
    real, teacher, metrics = config["real"], config["teacher"], config["metrics"]
    classes, shards = len(config["classes"]), len(shard_ranges(config))
    files = sum(real_counts(config, config["classes"]))
    samples = classes * metrics["samples_per_class"]
    crops = {real[key]: None for key in ("crop", "train_crop") if real[key]}
    steps = [
        Step(f"real {crop}", shards, files, "images", measures.real, (crop,)) for crop in crops
    ]
    local = teacher["kind"] == "python" or "://" not in teacher["handle"]
    pairs = classes * teacher["pairs_per_class"]
    measure = measures.harvest if local else None
    steps.append(Step("harvest", 2 * shards, pairs + samples, "images", measure))
    variants = {name: resolve_variant(config, name) for name in config["variants"]}
    students: dict[str, list[str]] = {}
    for name, variant in variants.items():
        amount = variant["train"]["steps"] * variant["train"]["batch"]
        steps.append(Step(f"train {name}", 1, amount, "images", measures.train, (name,)))
        student = f"{variant['student']['architecture']} {variant['student']['channels']}"
        students.setdefault(student, []).append(name)
    for student, (first, *others) in students.items():
        count = 1 + len(others)
        work = (count * shards, count * samples, "images", measures.sample, (first,))
        steps.append(Step(f"sample {student}", *work))
    curves = [variant for name, variant in variants.items() if name in _CURVES]
    points = sum(len(snapshot_steps(variant)) for variant in curves)
    scored = len(variants) + len(config["sources"]) + 1
    shown = files + scored * samples + points * classes * metrics["curve_samples_per_class"]
    measure = measures.features if metrics["extractor"] == "efficientnet_lite0" else None
    jobs = (scored + 1) * shards + len(curves)
    steps.append(Step("features", jobs, shown, "images", measure))
    steps.append(Step("score", scored + 1, (scored + 1) * classes, "classes", measures.score))
    return steps


def measured(
    config: Mapping[str, Any], steps: list[Step], stated: Mapping[str, float]
) -> Iterator[tuple[Step, Speed | None]]:
    """Yield each step with its speed; None where it is neither stated nor to be measured here.

    Args:
        config: checked, with the names of its classes.
        steps: those of the run.
        stated: rates to take instead of measuring, by a step's name or its first word.

    Raises:
        ValueError: a stated name is no step's.
    """
    names = {name for step in steps for name in (step.name, step.name.split()[0])}
    if unknown := sorted(stated.keys() - names):
        raise ValueError(f"--rate {unknown[0]}: there is no such step; choose of {sorted(names)}")
    # A process for each, so that one's memory is not another's.
    options = {"max_workers": 1, "max_tasks_per_child": 1}
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"), **options) as pool:
        for step in steps:
            rate = stated.get(step.name, stated.get(step.name.split()[0]))
            if rate is not None:
                yield step, Speed(rate)
            elif step.measure is None:
                yield step, None
            else:
                yield step, pool.submit(_run, step, dict(config)).result()


def _run(step: Step, config: Mapping[str, Any]) -> Speed:
    rate = step.measure(config, *step.arguments)
    torch = sys.modules.get("torch")
    gpu = torch and torch.cuda.is_available()
    return Speed(rate, _peak_memory(), torch.cuda.max_memory_allocated() if gpu else None)


def _peak_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # where it can, without that of the process that has started this one
        kibibytes = int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1])
    else:
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes * 1024
