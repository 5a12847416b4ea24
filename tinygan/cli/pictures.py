"""Subcommands that draw pictures with a trained model, without a config or the pipeline."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.files import require_writable

if TYPE_CHECKING:
    import numpy as np

_GRID = Path("generated.png")
_SHOWN = Path("shown.png")
_TILE = 64  # px: smaller images are enlarged to about this size
_SUFFIXES = {"grid": ".png", "gif": ".gif", "webp": ".webp", "npz": ".npz"}


def _generate(_: Config, arguments: Arguments) -> None:
    """Draw pictures with a trained model: one grid, a PNG file per image, or an animation.

    By default 8 images of every class in a grid, generated.png. It needs no config. A file of the
    same name is replaced; other files stay. The same seed draws the same images.
    """
    import numpy as np

    from tinygan.data.npz import write_npz
    from tinygan.generation.sampler import open_sampler

    _check(arguments)
    sampler = open_sampler(arguments.model)
    # Each class once: its images are the same.
    labels = list(dict.fromkeys(sampler.labels(arguments.classes)))
    draw = {"seed": arguments.seed, "truncation": arguments.truncation}
    scale = arguments.truncation or sampler.truncation
    about = f"seed {arguments.seed}, truncation {'none' if scale is None else scale}"
    names = ", ".join(sampler.classes[label] for label in labels)
    if arguments.interpolate:
        count = {"z": arguments.count or 2, "class": arguments.count or 8}[arguments.interpolate]
        options = draw | {"steps": arguments.steps}
        images = sampler.interpolate(arguments.interpolate, labels, count, **options)
        print(f"{sampler.name}: {len(images)} paths of {images.shape[1]} images, {about}: {names}")
        _write_paths(images, count, arguments)
    else:
        count = arguments.count or 8
        images = sampler.sample(labels, count, **draw)
        print(f"{sampler.name}: {len(images)} images, {count} per class, {about}: {names}")
        _write_images(images, count, [sampler.classes[label] for label in labels], arguments)
        if arguments.npz:
            write_npz(arguments.npz, images, np.repeat(labels, count))
            print(f"wrote {arguments.npz}: arr_0, the images, and arr_1, their labels")


def _show(_: Config, arguments: Arguments) -> None:
    """Draw a student of a finished run below its teacher, for the same z and class.

    A grid with two rows per class, the teacher's images above the student's: those that Figure 1
    starts with. It needs no config.
    """
    from tinygan.generation.beside import open_student, teacher_above_student
    from tinygan.generation.pictures import enlarge, grid, write_png

    _check_numbers(arguments, "count", "scale")
    _check_suffix(arguments, "grid")
    require_writable(arguments.grid)
    student = open_student(arguments.run, arguments.student)
    labels = list(dict.fromkeys(student.labels(arguments.classes)))
    images = teacher_above_student(arguments.run, student, labels, arguments.count)
    large = enlarge(images, _scale(images, arguments))
    write_png(arguments.grid, grid(large, arguments.count))
    names = ", ".join(student.classes[label] for label in labels)
    print(f"the teacher above {arguments.student}, {arguments.count} z per class: {names}")
    print(f"wrote {arguments.grid}: two rows per class")


def _write_images(images: "np.ndarray", count: int, names: list[str], arguments: Arguments) -> None:
    """Write images [classes * count, H, W, 3] as files and as a grid with a row per class."""
    from tinygan.generation.pictures import enlarge, grid, write_png

    if arguments.out:
        for i, image in enumerate(enlarge(images, arguments.scale or 1)):
            stem = re.sub(r"[^\w.-]+", "_", names[i // count])
            write_png(arguments.out / f"{stem}-{i % count:04d}.png", image)
        print(f"wrote {len(images)} PNG files to {arguments.out}")
    if arguments.grid or not (arguments.out or arguments.npz):
        large = enlarge(images, _scale(images, arguments))
        write_png(arguments.grid or _GRID, grid(large, count))
        print(f"wrote {arguments.grid or _GRID}: a row per class")


def _write_paths(images: "np.ndarray", columns: int, arguments: Arguments) -> None:
    """Write paths [P, frames, H, W, 3] as animations of all paths, and as a grid of their images.

    An animation has `columns` paths in a row.
    """
    from tinygan.generation.pictures import enlarge, grid, write_animation, write_png

    large = enlarge(images, _scale(images, arguments))
    animations = [path for path in (arguments.gif, arguments.webp) if path]
    for path in animations:
        write_animation(path, [grid(frame, columns) for frame in large.swapaxes(0, 1)])
        print(f"wrote {path}: {images.shape[1]} frames")
    if arguments.grid or not animations:
        write_png(
            arguments.grid or _GRID, grid(large.reshape(-1, *large.shape[2:]), images.shape[1])
        )
        print(f"wrote {arguments.grid or _GRID}: a row per path")


def _scale(images: "np.ndarray", arguments: Arguments) -> int:
    return arguments.scale or max(1, _TILE // images.shape[-2])


def _check(arguments: Arguments) -> None:
    """Refuse, with ValueError or OSError, what cannot be written or makes no sense."""
    _check_numbers(arguments, "count", "steps", "scale")
    if arguments.truncation is not None and not 0 < arguments.truncation < float("inf"):
        raise ValueError(f"--truncation {arguments.truncation}: it must be a number above 0")
    if (arguments.gif or arguments.webp) and not arguments.interpolate:
        raise ValueError("--gif and --webp write an interpolation: add --interpolate z or class")
    for name in ("out", "npz"):
        if getattr(arguments, name) and arguments.interpolate:
            raise ValueError(
                f"--{name} writes single images: with --interpolate use --grid, --gif, --webp"
            )
    _check_suffix(arguments, *_SUFFIXES)
    if arguments.out and arguments.out.exists() and not arguments.out.is_dir():
        raise FileExistsError(f"{arguments.out} is a file: --out is the folder of the images")
    written = [arguments.grid, arguments.gif, arguments.webp, arguments.npz]
    if arguments.out:
        written.append(arguments.out / "image.png")
    for path in written if any(written) else [_GRID]:
        if path:
            require_writable(path)


def _check_numbers(arguments: Arguments, *names: str) -> None:
    for name in names:
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name} {value}: it must be 1 or more")


def _check_suffix(arguments: Arguments, *names: str) -> None:
    for name in names:
        path, suffix = getattr(arguments, name), _SUFFIXES[name]
        if path and path.suffix.lower() != suffix:
            raise ValueError(f"--{name} {path}: its name must end in {suffix}")


_FILE = {"type": Path, "metavar": "FILE"}
_NUMBER = {"type": int, "metavar": "N"}
_CLASSES = {
    "dest": "classes",
    "nargs": "+",
    "metavar": "CLASS",
    "help": "names or indices of classes (default: all)",
}

SUBCOMMANDS: dict[str, Subcommand] = {
    "generate": (
        _generate,
        {
            "--model": {
                "default": "mini-dw",
                "metavar": "MODEL",
                "help": "folder of a trained model, or mini-dw, the shipped one (default)",
            },
            "--class": _CLASSES,
            "--count": _NUMBER
            | {
                "help": "images per class (default: 8); of --interpolate z: paths per class "
                "(default: 2), of --interpolate class: paths (default: 8)"
            },
            "--seed": _NUMBER | {"default": 0, "help": "seed of z (default: 0)"},
            "--truncation": {
                "type": float,
                "metavar": "T",
                "help": "scale of z; smaller: more typical, less varied (default: the model's)",
            },
            "--interpolate": {
                "choices": ["z", "class"],
                "help": "draw paths between two z of each class, or through the classes",
            },
            "--steps": _NUMBER | {"default": 16, "help": "steps of each path (default: 16)"},
            "--grid": _FILE | {"help": "PNG file of all images (default: generated.png)"},
            "--out": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "write a PNG file per image: CLASS-0000.png, ...",
            },
            "--npz": _FILE
            | {"help": "write all images as arr_0 and their labels as arr_1, for evaluations"},
            "--gif": _FILE | {"help": "animation of --interpolate"},
            "--webp": _FILE | {"help": "the same as WebP, lossless"},
            "--scale": _NUMBER
            | {
                "help": "enlarge each pixel N times (default: 1 for --out, else until an image has "
                "about 64 px)"
            },
        },
    ),
    "show": (
        _show,
        {
            "run": {
                "type": Path,
                "metavar": "RUN",
                "help": "folder of a run's results, such as results/mini",
            },
            "--student": {
                "default": "dw",
                "metavar": "NAME",
                "help": "a trained student, such as std or dw/seed1 (default: dw)",
            },
            "--class": _CLASSES,
            "--count": _NUMBER | {"default": 8, "help": "images per class (default: 8)"},
            "--grid": _FILE | {"default": _SHOWN, "help": "PNG file (default: shown.png)"},
            "--scale": _NUMBER
            | {"help": "enlarge each pixel N times (default: until an image has about 64 px)"},
        },
    ),
}
