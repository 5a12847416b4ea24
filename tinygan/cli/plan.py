"""Subcommands that check a config and estimate its run."""

from typing import TYPE_CHECKING

from tinygan.assets.cache import not_fetched
from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.gpu import claim_gpus
from tinygan.planning.disk import KINDS, disk_needed, size_text

if TYPE_CHECKING:
    from tinygan.planning.plan import Speed, Step


def _validate(config: Config, arguments: Arguments) -> None:
    """Check a config and the numbers of images, and print a summary."""
    from tinygan.planning.assets import missing_assets
    from tinygan.planning.embeddings import require_embeddings
    from tinygan.planning.image_counts import require_images

    require_images(config)
    require_embeddings(config, config["variants"])
    if missing := missing_assets(config):
        print(not_fetched(missing))
    print(
        f"{arguments.config}: preset {config['preset']}, {len(config['classes'])} classes of "
        f"{config['image_size']} px, variants {', '.join(config['variants'])}"
    )


def _plan(config: Config, arguments: Arguments) -> None:
    """Estimate the time, memory and disk space of a whole run.

    Each step is measured for a few seconds on this machine, with synthetic data of the config's
    sizes, and extrapolated. Times are those of one job at a time.
    """
    from tinygan.planning.image_counts import require_images
    from tinygan.planning.plan import device_name, measure_steps, steps_of

    require_images(config)
    # Where there is no GPU yet, the CPU is measured, and the table says so.
    config = config | {"device": "cpu" if config["device"] == "cpu" else "auto"}
    claim_gpus(config["device"])
    print(f"Measured on {device_name(config)}.\n")
    print("| step | jobs | work | per second | total time | peak memory per job |")
    print("| :-- | --: | --: | --: | --: | --: |", flush=True)
    seconds, unknown = 0.0, []
    for step, speed in measure_steps(config, steps_of(config), _given_rates(arguments.rate)):
        print(_row(step, speed), flush=True)
        if speed is None:
            unknown.append(step.name)
        else:
            seconds += step.amount / speed.rate
    without = f", without {' and '.join(unknown)}" if unknown else ""
    print(f"| total{without} | | | | {_time(seconds)} | |\n")
    for name in unknown:
        print(f"{name} cannot be measured here: give its rate, e.g. --rate {name}=100\n")
    print("| disk space | |\n| :-- | --: |")
    needed = disk_needed(config)
    for kind, size in needed.items():
        print(f"| {KINDS[kind]} | {size_text(size)} |")
    print(f"| total | {size_text(sum(needed.values()))} |")


def _given_rates(words: list[str]) -> dict[str, float]:
    """Parse the values of --rate; refuse others than STEP=NUMBER with ValueError."""
    rates = {}
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            rates[name] = float(number)
        except ValueError:
            rates[name] = 0.0
        if not (name and rates[name] > 0):
            raise ValueError(f"--rate {word}: write STEP=NUMBER, e.g. harvest=250")
    return rates


def _row(step: "Step", speed: "Speed | None") -> str:
    """Return a row of the table of steps, in Markdown."""
    amount = f"{step.amount:,} {step.unit}"
    if speed is None:
        return f"| {step.name} | {step.jobs} | {amount} | – | – | – |"
    memory = size_text(speed.memory) if speed.memory else "–"
    if speed.device_memory:
        memory += f", GPU {size_text(speed.device_memory)}"
    time = _time(step.amount / speed.rate)
    return f"| {step.name} | {step.jobs} | {amount} | {speed.rate:,.3g} | {time} | {memory} |"


def _time(seconds: float) -> str:
    """Format a time in the largest unit in which it is at least 2, e.g. ``"85.1 min"``."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


SUBCOMMANDS: dict[str, Subcommand] = {
    "validate": (_validate, {}),
    "plan": (
        _plan,
        {
            "--preset": {
                "metavar": "NAME",
                "help": "a preset that overrides the config, e.g. paper; a name or a file",
            },
            "--rate": {
                "action": "append",
                "default": [],
                "metavar": "STEP=NUMBER",
                "help": "use this rate instead of measuring, in images per second (score: classes "
                "per second); STEP as in the table, or its first word; repeatable",
            },
        },
    ),
}
