"""The subcommand that times trained generators, without a config."""

from pathlib import Path

from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.files import require_writable, write_json


def _speed(_: Config, arguments: Arguments) -> None:
    """Measure how long trained generators take per image, on one core.

    Batches of 1 and of 64 images, with the conversion to uint8; times are those of the processor.
    Several models are called in turn, so that their times compare even on a busy machine. A folder
    is run by PyTorch, a file of `tinygan export` by ONNX Runtime. It needs no config.
    """
    import torch

    from tinygan.evaluation.speed import BATCHES, generator_call, per_image, time_calls
    from tinygan.generation.shipped import model_folder
    from tinygan.provenance.machine import machine
    from tinygan.runtime import configure_torch

    if arguments.out:
        require_writable(arguments.out)
    configure_torch(threads=1)
    models = {
        model: Path(model) if model.endswith(".onnx") else model_folder(model)
        for model in dict.fromkeys(arguments.model)
    }
    rows = []
    for batch in BATCHES:
        calls = {model: generator_call(path, batch) for model, path in models.items()}
        for model, durations in time_calls(calls).items():
            row = {"model": model, "batch": batch} | per_image(durations, batch)
            rows.append(row)
            print(
                f"{model}, batch {batch}: {row['ms_per_image']:.2f} ms per image "
                f"(quartiles {row['ms_per_image_q1']:.2f} to {row['ms_per_image_q3']:.2f}), "
                f"{row['images_per_second']:.0f} images per second, {row['calls']} calls"
            )
    if arguments.out:
        found = machine()
        about = {key: found[key] for key in ("platform", "processor", "cores")}
        about |= {"torch": torch.__version__, "device": "cpu", "threads": 1}
        write_json(arguments.out, about | {"times": rows})


SUBCOMMANDS: dict[str, Subcommand] = {
    "speed": (
        _speed,
        {
            "--model": {
                "nargs": "+",
                "default": ["mini-dw"],
                "metavar": "MODEL",
                "help": "folders of trained models, ONNX files, or mini-dw, the shipped one "
                "(default)",
            },
            "--out": {"type": Path, "metavar": "JSON", "help": "file to write the times to"},
        },
    ),
}
