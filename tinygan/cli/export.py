"""Subcommands that export a trained model to ONNX, and draw the exported model's images."""

from pathlib import Path

from tinygan.cli.generate import outputs_of, references_of
from tinygan.cli.options import CLASSES, FILE, OUT, STREAM, Arguments, Config, Subcommand
from tinygan.config.derived import parse_range
from tinygan.data.classes import class_ids
from tinygan.errors import extra
from tinygan.export.files import PRECISIONS, file_name
from tinygan.files import require_writable


def _export(_: Config, arguments: Arguments) -> None:
    """Export a trained model to ONNX files: generator_fp32.onnx, _fp16.onnx, _int8.onnx.

    They take z and a weight per class, and return images in [-1, 1]. Each is compared with PyTorch
    on 1,000 images. It needs no config, but ONNX: pip install 'tinygan[export]'.
    """
    with extra("export"):
        from tinygan.export.write import export_model
    from tinygan.generation.shipped import model_folder

    precisions = [name for name in PRECISIONS if name in arguments.precision]
    for precision in precisions:
        require_writable(arguments.out / file_name(precision))
    folder = model_folder(arguments.model)
    report = export_model(folder, arguments.out, precisions, arguments.pairs)
    if report["calibration"]:
        print(f"int8: calibrated on {report['calibration']}")
    for file in report["files"].values():
        print(
            f"wrote {arguments.out / file['file']}: {file['bytes'] / 1e6:.2f} MB, opset "
            f"{report['opset']}; pixels differ from PyTorch's by up to "
            f"{file['largest_difference']} of 255, {file['mean_difference']:.2g} on average"
        )


def _sample_export(config: Config, arguments: Arguments) -> None:
    """Draw the images of an exported model that are scored, and write their scores, or images.

    The z are those of `sample`, so the images can be compared one by one with PyTorch's.
    """
    from tinygan.evaluation.streaming import write_stream

    with extra("export"):
        from tinygan.export.sampling import draw_export

    # ONNX Runtime draws on the CPU, and its conda environment has PyTorch for the CPU alone.
    config = config | {"device": "cpu"}
    outputs, references = outputs_of(config, arguments), references_of(config, arguments)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    names = class_ids(config)
    drawn, provenance = draw_export(
        arguments.model,
        classes,
        count,
        seed=config["seed"],
        batch=config["metrics"]["batch"],
        names=names,
        threads=arguments.threads,
    )
    about = {"source": arguments.model.stem, "provenance": provenance, "names": names}
    write_stream(drawn, outputs, config, **about, **references, threads=arguments.threads)


SUBCOMMANDS: dict[str, Subcommand] = {
    "sample-export": (
        _sample_export,
        {
            "--model": FILE | {"help": "ONNX file of `tinygan export`"},
            "--classes": CLASSES,
            **STREAM,
        },
    ),
}
STANDALONE: dict[str, Subcommand] = {
    "export": (
        _export,
        {
            "model": {
                "metavar": "MODEL",
                "help": "folder of a trained or imported model, or mini-dw, the shipped one",
            },
            "--out": OUT,
            "--precision": {
                "nargs": "+",
                "choices": PRECISIONS,
                "default": PRECISIONS,
                "help": "precisions to write (default: all three)",
            },
            "--pairs": {
                "nargs": "+",
                "type": Path,
                "default": [],
                "metavar": "MANIFEST",
                "help": "manifest.json of the teacher's training pairs: int8 is calibrated on "
                "their z (default: z drawn with the model's truncation)",
            },
        },
    ),
}
