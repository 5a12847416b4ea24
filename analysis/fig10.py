"""Figure 10: images between two latent vectors and between two classes.

Five interpolations: of z and the class, of the class with z fixed (two), and of z with the class
fixed (two); of each, the teacher's above the student's on the same points, if the teacher can be
interpolated.
"""

import sys
import textwrap

import numpy as np

from grids import image_grid
from paper import NAMES
from script import Run, main
from style import save
from tinygan.generation.interpolation_files import Interpolation, read_interpolation

ROWS = [("both", 0), ("y", 0), ("y", 1), ("z", 0), ("z", 1)]
CHANGES = {"both": "z and class", "y": "class, z fixed", "z": "z, class fixed"}
COLUMNS = 9
_NO_TEACHER = "no teacher: one\nclass per image"


def fig10(run: Run) -> None:
    """Draw Figure 10; without paths of the teacher, it has the student's rows alone."""
    manifests = [path for path in run.inputs["paths"] if path.name == "manifest.json"]
    found = [read_interpolation(manifest) for manifest in manifests]
    sources = sorted(found, key=lambda each: each.source != "teacher")
    corner = ""
    if sources[0].source != "teacher":
        corner = _NO_TEACHER
        print("fig10: no rows of the teacher: it takes one class per image", file=sys.stderr)
    images, rows, ends = [], [], []
    for wanted in ROWS:
        for number, source in enumerate(sources):
            index = find(source, *wanted)
            if index is None:  # with one class, nothing but z can change
                continue
            images.append(shown_frames(source.images[index]))
            first, last = (textwrap.fill(each, 14) for each in source.paths[index]["classes"])
            change = [f"{CHANGES[wanted[0]]}:"] if number == 0 else []
            rows.append("\n".join([*change, NAMES[source.source], first]))
            ends.append(last)
    heads = [f"t = {fraction(column)}" for column in range(COLUMNS)]
    grid = np.stack(images)
    save(image_grid(grid, rows, heads, corner, ends=ends, group=len(sources)), run.out)


def find(source: Interpolation, kind: str, number: int) -> int | None:
    """Return the index of a path; None if there is none."""
    described = [(path["kind"], path["path"]) for path in source.paths]
    return described.index((kind, number)) if (kind, number) in described else None


def shown_frames(images: np.ndarray) -> np.ndarray:
    """Return `COLUMNS` of the images of a path, evenly spaced, both ends included."""
    return images[np.linspace(0, len(images) - 1, COLUMNS).round().astype(int)]


def fraction(column: int) -> str:
    """Return the position of a column on the path, from 0 to 1."""
    share = column / (COLUMNS - 1)
    return f"{share:g}"


if __name__ == "__main__":
    main(fig10, __doc__, paths="interpolation/*/paths/manifest.json")
