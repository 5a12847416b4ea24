"""The training loop of a student (sections 3 and 5.4)."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from tinygan.data.prefetch import prefetch
from tinygan.data.shards import Shard
from tinygan.files import atomic_file, sweep
from tinygan.models.io import save_weights
from tinygan.training.checkpoint import (
    CheckpointFolder,
    Stopped,
    pack,
    print_notice,
    stop_signals,
    unpack,
)
from tinygan.training.data import BatchSource, to_batch
from tinygan.training.distributed import ALONE, World
from tinygan.training.log import Display, TrainingLog
from tinygan.training.settings import Settings
from tinygan.training.step import TrainingStep


def train(
    settings: Settings,
    pairs: Sequence[Shard],
    real: Sequence[Shard],
    out: Path,
    *,
    name: str = "train",
    checkpoints: CheckpointFolder | None = None,
    live: Path | None = None,
    world: World = ALONE,
) -> Mapping[str, nn.Module]:
    """Train a student on harvested pairs and real images; write log.csv, snapshots and weights.

    All random numbers and schedules are functions of (seed, step), so the outputs of a resumed run
    are byte-identical to those of an uninterrupted one.

    Args:
        settings: everything that determines the training except the data.
        pairs: the teacher's shards, with z.
        real: shards of real images.
        out: folder for log.csv, snapshots/, generator.safetensors and, where a term trains the
            discriminator, discriminator.safetensors.
        name: title of the progress bar.
        checkpoints: folder of the run's checkpoints, from which it resumes; None for none.
        live: folder of the DVCLive plots; None for none.
        world: the processes that share the run; all call this function, and rank 0 writes.

    Returns:
        the trained networks by name; the discriminator only where a term trains it.

    Raises:
        FloatingPointError: a loss became NaN or infinite; the message has the step and the term.
            The last checkpoint before it remains.
        Stopped: SIGTERM or SIGINT was received, and a checkpoint was saved.
        ValueError: pairs and real images differ in size, the pairs have no z, the checkpoint is
            damaged, the device does not exist, or the batch cannot be divided by the processes.
    """
    schedule = settings.train
    run = _Run(settings, TrainingStep.of(settings, world), out, checkpoints, world)
    local_slice = world.local_slice(schedule.batch)
    source = BatchSource.of(settings, pairs, real, local_slice=local_slice, device=run.step.device)
    steps = range(run.resume() + 1, schedule.steps + 1)
    display = Display(name, steps, schedule.batch, live=live, visible=world.is_main)
    with stop_signals() if checkpoints else nullcontext(lambda: None) as received:
        for i, arrays in zip(steps, prefetch(source.gather, steps), strict=True):
            rate, weights = schedule.learning_rate_at(i), settings.loss.at(i, schedule)
            run.step.set_learning_rate(rate)
            terms = run.step(to_batch(arrays, run.step.device), weights)
            run.log.note(i, world.mean(terms))
            if i % schedule.log_every == 0 or i == schedule.steps:
                run.log.close_row(i, settings.loss.pixel_at(i, schedule.steps), rate)
                display.show(run.log, i)
            display.update()
            run.save_snapshot(i)
            run.save_checkpoint(i, received)
    display.close()
    run.write_outputs()
    return run.step.networks


@dataclass
class _Run:
    """A training in progress: what it resumes from, and what it writes.

    Attributes:
        settings, out, checkpoints, world: see `train`.
        step: the networks and their optimisers.
        log: the log so far.
    """

    settings: Settings
    step: TrainingStep
    out: Path
    checkpoints: CheckpointFolder | None
    world: World
    log: TrainingLog = field(default_factory=TrainingLog)
    _saved_at: float = field(default_factory=time.monotonic)

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots during the run; not in `out`, which Snakemake may delete."""
        return self.checkpoints.snapshots if self.checkpoints else self.out / "snapshots"

    def resume(self) -> int:
        """Load the run's checkpoint, if there is one; return its step, or 0."""
        with self.world.main_first():
            sweep(self.out, self.out / "snapshots")
            loaded = self.checkpoints.load() if self.checkpoints else None
        if loaded is None:
            return 0
        tensors, progress = loaded
        for name, network in self.step.networks.items():
            unpack(tensors, name, network, self.step.optimisers[name])
        self.log.unpack(tensors, progress["log"])
        if progress["step"] == self.settings.train.steps:
            print_notice(
                f"already trained to step {progress['step']}: writing the outputs of its checkpoint"
            )
        return progress["step"]

    def save_snapshot(self, number: int) -> None:
        """Save the generator if step `number` is one of the learning curve's."""
        if self.world.is_main and number in self.settings.train.snapshot_steps:
            save_weights(self.step.networks["generator"], self.snapshots / _file(number))

    def save_checkpoint(self, number: int, received: Callable[[], str | None]) -> None:
        """Save a checkpoint if one is due: every `checkpoint_every` s, at the end, after a signal.

        Args:
            number: the step that was completed.
            received: returns the name of the signal that was received, see `stop_signals`.

        Raises:
            Stopped: one of the processes received a signal.
        """
        train = self.settings.train
        due = time.monotonic() - self._saved_at >= train.checkpoint_every
        stopped, due = self.world.any_rank(received() is not None, due)
        if self.checkpoints and (stopped or due or number == train.steps):
            self.log.check()
            if self.world.is_main:
                tensors, rows = self.log.pack()
                for name, network in self.step.networks.items():
                    tensors |= pack(name, network, self.step.optimisers[name])
                self.checkpoints.save(tensors, {"step": number, "log": rows})
                self.log.write(self.out / "log.csv")
            self._saved_at = time.monotonic()
        if stopped:
            raise Stopped(
                f"stopped by {received() or 'a signal'} after step {number} of {train.steps}; the "
                f"same command resumes from its checkpoint, {self.checkpoints.file}"
            )

    def write_outputs(self) -> None:
        """Write the log, the weights and, from beside the checkpoint, the snapshots to `out`."""
        if not self.world.is_main:
            return
        for number in self.settings.train.snapshot_steps if self.checkpoints else ():
            with atomic_file(self.out / "snapshots" / _file(number)) as partial:
                shutil.copyfile(self.snapshots / _file(number), partial)
        self.log.write(self.out / "log.csv")
        for name, network in self.step.networks.items():
            save_weights(network, self.out / f"{name}.safetensors")


def _file(step: int) -> str:
    return f"{step:06d}.safetensors"
