"""Subcommands that look ahead: what a config describes, and what its run will take."""

from typing import TYPE_CHECKING

from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.planning.disk import KINDS, disk_needed, size_text

if TYPE_CHECKING:
    from tinygan.planning.plan import Speed, Step


def _validate(config: Config, arguments: Arguments) -> None:
    """Check a config and the numbers of images, and say what it describes."""
    from tinygan.planning.image_counts import require_images

    require_images(config)
    print(
        f"{arguments.config}: preset {config['preset']}, {len(config['classes'])} classes of "
        f"{config['image_size']} px, variants {', '.join(config['variants'])}"
    )


def _plan(config: Config, arguments: Arguments) -> None:
    """Estimate time, memory and disk of a whole run; measures each step for some seconds."""
    from tinygan.planning.image_counts import require_images
    from tinygan.planning.plan import measured, steps_of

    require_images(config)
    print("| step | jobs | work | a second | time in all | peak memory of a job |")
    print("| :-- | --: | --: | --: | --: | --: |", flush=True)
    seconds, unknown = 0.0, []
    for step, speed in measured(config, steps_of(config), _stated(arguments.rate)):
        print(_row(step, speed), flush=True)
        if speed is None:
            unknown.append(step.name)
        else:
            seconds += step.amount / speed.rate
    without = f", without {' and '.join(unknown)}" if unknown else ""
    print(f"| together{without} | | | | {_time(seconds)} | |\n")
    for name in unknown:
        print(f"{name} cannot be measured here: state it, e.g. --rate {name}=100\n")
    print("| disk | |\n| :-- | --: |")
    needed = disk_needed(config)
    for kind, size in needed.items():
        print(f"| {KINDS[kind]} | {size_text(size)} |")
    print(f"| together | {size_text(sum(needed.values()))} |")


def _stated(words: list[str]) -> dict[str, float]:
    stated = {}
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            stated[name] = float(number)
        except ValueError:
            stated[name] = 0.0
        if not (name and stated[name] > 0):
            raise ValueError(f"--rate {word}: write STEP=NUMBER, e.g. harvest=250")
    return stated


def _row(step: "Step", speed: "Speed | None") -> str:
    amount = f"{step.amount:,} {step.unit}"
    if speed is None:
        return f"| {step.name} | {step.jobs} | {amount} | – | – | – |"
    memory = size_text(speed.memory) if speed.memory else "–"
    if speed.device_memory:
        memory += f", GPU {size_text(speed.device_memory)}"
    taken = _time(step.amount / speed.rate)
    return f"| {step.name} | {step.jobs} | {amount} | {speed.rate:,.3g} | {taken} | {memory} |"


def _time(seconds: float) -> str:
    """Return a time in the largest unit of which there are two or more."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


SUBCOMMANDS: dict[str, Subcommand] = {
    "validate": (_validate, {}),
    "plan": (
        _plan,
        {
            "--preset": {"metavar": "NAME", "help": "lay a preset over the config, e.g. paper"},
            "--rate": {
                "action": "append",
                "default": [],
                "metavar": "STEP=NUMBER",
                "help": "take this many images (score: classes) a second instead of measuring; "
                "STEP as in the table, or its first word",
            },
        },
    ),
}
