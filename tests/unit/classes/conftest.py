from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.command_line import FEW_SAMPLES, TINY_STUDENT, mini, tinygan


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    """Call a subcommand with the mini preset and some changes of it."""
    base = mini(
        metrics=FEW_SAMPLES | {"samples_per_class": 2, "input_size": 32},
        train={"steps": 2, "batch": 4, "snapshots": 1, "log_every": 1},
        student=TINY_STUDENT,
    )

    def call(config: dict, subcommand: str, *words: object) -> int:
        return tinygan(tmp_path, base | config, subcommand, *words)

    return call
