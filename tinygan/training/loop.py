"""Training of a student (sections 3 and 5.4)."""

import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from tinygan.data.prefetch import prefetch
from tinygan.data.shards import Shard
from tinygan.files import atomic_file, sweep
from tinygan.models.discriminator import Discriminator
from tinygan.models.io import save_weights
from tinygan.models.student import StudentGenerator
from tinygan.seeding import stream_seed
from tinygan.training.checkpoint import StateFolder, Stopped, pack, say, stop_signals, unpack
from tinygan.training.data import Batch, Rows, Source, to_batch
from tinygan.training.distributed import World
from tinygan.training.log import LiveLog, TrainingLog
from tinygan.training.objective import LossWeights, discriminator_loss, generator_loss

ALONE = World()


def learning_rate_at(step: int, steps: int, rate: float, decay_from: float) -> float:
    """Return the learning rate at a step: constant, then linear to 0 at the end (section 5.4)."""
    left = (steps - (step - 1)) / steps
    return rate * min(1.0, left / (1 - decay_from))


def train(
    pairs: Sequence[Shard],
    real: Sequence[Shard],
    generator: StudentGenerator,
    discriminator: Discriminator,
    weights: LossWeights,
    *,
    seed: int,
    truncation: float,
    steps: int,
    batch: int,
    learning_rate: float,
    decay_from: float,
    adversarial_every: int,
    log_every: int,
    snapshot_steps: Sequence[int],
    out: Path,
    name: str = "train",
    state: StateFolder | None = None,
    checkpoint_every: float = 60,
    device: str = "auto",
    precision: str = "float32",
    compile: bool = False,
    live: Path | None = None,
    world: World = ALONE,
) -> None:
    """Train a student on harvested pairs and real images, in place.

    At every step the discriminator takes one step on Eq. 7 and the generator one on its feature
    and pixel terms; at every `adversarial_every`-th step the generator's adversarial terms are
    added (the authors' scheme; the paper's "one generator update after 10 discriminator updates").

    Everything random is a function of (seed, step), and so are the schedules: a run that goes on
    from a kept state ends with the bytes of one that was never stopped.

    Args:
        pairs: the teacher's shards, with z.
        real: shards of real images.
        generator: S, initialised.
        discriminator: D, initialised; untouched where no term needs it.
        weights: of Eq. 6 and 7.
        seed: seed of the order of the data and of the fresh z.
        truncation: scale of the fresh z, the teacher's.
        steps: optimisation steps.
        batch: pairs a step, and as many real images.
        learning_rate: of Adam(0.0, 0.9), for both networks.
        decay_from: fraction of the steps after which the rate falls linearly to 0.
        adversarial_every: see above.
        log_every: steps averaged in one row of log.csv.
        snapshot_steps: steps after which the generator's weights are kept in snapshots/.
        out: folder for log.csv, snapshots/ and generator.safetensors.
        name: shown beside the progress bar.
        state: where the run keeps its checkpoint, from which it resumes; None: nowhere.
        checkpoint_every: seconds between two states; 0: at every step.
        device: ``cpu``, ``cuda``, or ``auto``: the GPU where PyTorch sees one.
        precision: ``float32``, or ``bfloat16``: convolutions and products in it, weights, optimiser
            and losses in float32 (automatic mixed precision).
        compile: run the networks through torch.compile.
        live: folder for the rows of the log in DVCLive's form; None: nowhere.
        world: the processes that share the run, all of which call this; the first one writes.

    Raises:
        FloatingPointError: a loss became NaN or infinite; the step and the term are named, and the
            last state before it stays.
        Stopped: SIGTERM or SIGINT came; the state was kept.
        ValueError: images of pairs and real differ in size, the pairs have no z, the state is
            damaged, there is no such device, or the processes cannot share the batch equally.
    """
    if pairs[0].images.shape[1:] != real[0].images.shape[1:]:
        raise ValueError(
            f"teacher images are {pairs[0].images.shape[1:]}, real ones {real[0].images.shape[1:]}"
        )
    if pairs[0].z is None:
        raise ValueError(f"{pairs[0].folder} has no z: are these pairs?")
    source = Source(
        pairs=Rows(pairs) if weights.distils else None,
        real=Rows(real) if weights.sees_real else None,
        seed=seed,
        batch=batch,
        z_dim=pairs[0].z.shape[1],
        truncation=truncation,
        share=world.share(batch),
    )
    place = world.device(device)
    mixed = torch.autocast(place.type, torch.bfloat16, enabled=precision == "bfloat16")
    networks = {"generator": generator}
    if weights.discriminator:
        networks["discriminator"] = discriminator
    for network in networks.values():
        network.to(place, memory_format=torch.channels_last).train()
        if compile:
            network.compile()
    optimisers = {
        key: torch.optim.Adam(network.parameters(), learning_rate, betas=(0.0, 0.9))
        for key, network in networks.items()
    }
    log, done = TrainingLog(), 0
    with world.main_first():
        sweep(out, out / "snapshots")
        if state and (kept := state.load()):
            tensors, at = kept
            for key, network in networks.items():
                unpack(tensors, key, network, optimisers[key])
            log.unpack(tensors, at["log"])
            done = at["step"]
            if done == steps:
                say(f"trained before, to step {steps}: the outputs are written from its checkpoint")
    joined = {key: world.join(network) for key, network in networks.items()}
    live_log = LiveLog(live) if live and world.main else None
    snapshots = state.snapshots if state else out / "snapshots"

    def keep(step: int) -> None:
        log.check()
        if not world.main:
            return
        tensors, rows = log.pack()
        for key, network in networks.items():
            tensors |= pack(key, network, optimisers[key])
        state.save(tensors, {"step": step, "log": rows})
        log.write(out / "log.csv")

    progress = tqdm(
        range(done + 1, steps + 1),
        desc=name,
        unit="step",
        mininterval=2,
        initial=done,
        total=steps,
        disable=not world.main,
    )
    batches = prefetch(source.gather, range(done + 1, steps + 1))
    logged, logged_at, kept_at = done, time.monotonic(), time.monotonic()
    with stop_signals() if state else nullcontext(lambda: None) as received:
        for step, arrays in zip(progress, batches, strict=True):
            rate = learning_rate_at(step, steps, learning_rate, decay_from)
            for optimiser in optimisers.values():
                optimiser.param_groups[0]["lr"] = rate
            pixel_weight = weights.pixel_at(step, steps)
            terms = update(
                joined["generator"],
                joined.get("discriminator"),
                optimisers,
                weights,
                pixel_weight,
                to_batch(arrays, place),
                mixed,
                adversarial=step % adversarial_every == 0,
            )
            log.note(step, world.mean(terms))
            if step % log_every == 0 or step == steps:
                means = log.close_row(step, pixel_weight, rate)
                speed = (step - logged) * batch / (time.monotonic() - logged_at)
                logged, logged_at = step, time.monotonic()
                shown = {term: mean for term, mean in means.items() if mean}
                progress.set_postfix(shown | {"img/s": round(speed)})
                if live_log:
                    live_log.show(log, speed)
            if step in snapshot_steps and world.main:
                save_weights(generator, snapshots / f"{step:06d}.safetensors")
            due = time.monotonic() - kept_at >= checkpoint_every
            stopped, due = world.any(received() is not None, due)
            if state and (stopped or due or step == steps):
                keep(step)
                kept_at = time.monotonic()
            if stopped:
                raise Stopped(
                    f"stopped by {received() or 'a signal'} after step {step} of {steps}; its "
                    f"checkpoint is {state.file}, and the same command resumes from it"
                )
    if not world.main:
        return
    if state:
        for step in snapshot_steps:
            with atomic_file(out / "snapshots" / f"{step:06d}.safetensors") as partial:
                shutil.copyfile(snapshots / f"{step:06d}.safetensors", partial)
    log.write(out / "log.csv")
    save_weights(generator, out / "generator.safetensors")


def update(
    generator: nn.Module,
    discriminator: nn.Module | None,
    optimisers: dict[str, torch.optim.Adam],
    weights: LossWeights,
    pixel_weight: float,
    data: Batch,
    mixed: torch.autocast,
    *,
    adversarial: bool,
) -> dict[str, Tensor]:
    """One update of D (Eq. 7), then one of S (Eq. 6); S computes its images once for both.

    Args:
        generator: S, in training mode; it and D may be joined with those of other processes.
        discriminator: D, likewise; None where no term needs it.
        optimisers: of S and D, under ``generator`` and ``discriminator``.
        weights: of Eq. 6 and 7.
        pixel_weight: lambda_1 at this step.
        data: what the terms in use ask for.
        mixed: the context in which the networks run.
        adversarial: whether S's adversarial terms enter at this step.

    Returns:
        The terms, unweighted scalars on the device.
    """
    kd_fake = gan_fake = None
    with mixed:
        if weights.distils:
            kd_learns = pixel_weight > 0 or weights.feature or (adversarial and weights.kd_student)
            with torch.set_grad_enabled(bool(kd_learns)):
                kd_fake = generator(data.z, data.y).float()
        if weights.sees_real:
            with torch.set_grad_enabled(adversarial and weights.gan_student > 0):
                gan_fake = generator(data.fresh_z, data.real_y).float()
    terms: dict[str, Tensor] = {}
    if weights.discriminator:
        with mixed:
            loss, terms = discriminator_loss(discriminator, weights, data, kd_fake, gan_fake)
        _descend(loss, optimisers["discriminator"])
        discriminator.requires_grad_(False)
    # D is only passed through now: there are no gradients of its own to join.
    judge = getattr(discriminator, "module", discriminator)
    with mixed:
        loss, generator_terms = generator_loss(
            judge, weights, pixel_weight, data, kd_fake, gan_fake, adversarial=adversarial
        )
    if loss is not None:
        _descend(loss, optimisers["generator"])
    if weights.discriminator:
        discriminator.requires_grad_(True)
    return terms | generator_terms


def _descend(loss: Tensor, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def build(
    *, student: dict, seed: int, classes: int, image_size: int, z_dim: int
) -> tuple[StudentGenerator, Discriminator, dict]:
    """Initialise S and D of a variant from the config's section `student`.

    The initial weights depend on (seed, network, shapes) alone, so all variants of one
    architecture start from the same point.

    Returns:
        The two networks, and the arguments that build the generator again, for its card.
    """
    arguments = {
        "architecture": student["architecture"],
        "channels": student["channels"],
        "classes": classes,
        "image_size": image_size,
        "z_dim": z_dim,
        "embedding": student["embedding"],
        "image_channels": student.get("image_channels", 3),
    }
    torch.manual_seed(stream_seed(seed, "train/generator"))
    generator = StudentGenerator(**arguments)
    torch.manual_seed(stream_seed(seed, "train/discriminator"))
    discriminator = Discriminator(
        channels=student["discriminator_channels"], classes=classes, image_size=image_size
    )
    return generator, discriminator, arguments
