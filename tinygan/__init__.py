"""TinyGAN: black-box distillation of a class-conditional GAN (Chang and Lu, ACCV 2020).

`load_generator` opens a trained model to draw pictures; see `tinygan.generation.sampler`.
"""

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # On first use, and not by a statement: PyTorch is slow to import, the environment that runs
    # Snakemake has none, and no step of the pipeline depends on this.
    if name == "load_generator":
        return importlib.import_module("tinygan.generation.sampler").open_sampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
