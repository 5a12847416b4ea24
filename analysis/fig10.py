"""Figure 10: images between two latent vectors and between two classes.

Five interpolations: of z and the class, of the class with z fixed (two), and of z with the class
fixed (two); of each, the teacher's above the student's on the same points, if the teacher can be
interpolated.
"""

import sys

import numpy as np

from grids import image_grid
from paper import NAMES
from script import Run, main
from style import save
from tinygan.generation.interpolation_files import Interpolation, read_interpolation

ROWS = [("both", 0), ("y", 0), ("y", 1), ("z", 0), ("z", 1)]
CHANGES = {"both": "z and class", "y": "class only", "z": "z only"}
COLUMNS = 9
_ENDS = "The ends were drawn at random."
_NO_TEACHER = "This teacher takes one class per image, so it cannot be interpolated."


def fig10(run: Run) -> None:
    """Draw Figure 10; without paths of the teacher, it has the student's rows alone."""
    manifests = [path for path in run.inputs["paths"] if path.name == "manifest.json"]
    found = [read_interpolation(manifest) for manifest in manifests]
    sources = sorted(found, key=lambda each: each.source != "teacher")
    note = _ENDS
    if sources[0].source != "teacher":
        note += f" {_NO_TEACHER}"
        print(f"Figure 10: {_NO_TEACHER}", file=sys.stderr)
    images, rows, ends = [], [], []
    for wanted in ROWS:
        for number, source in enumerate(sources):
            index = find(source, *wanted)
            if index is None:  # with one class, nothing but z can change
                continue
            images.append(shown_frames(source.images[index]))
            first, last = source.paths[index]["classes"]
            change = [f"{CHANGES[wanted[0]]}:"] if number == 0 else []
            rows.append("\n".join([*change, NAMES[source.source], first]))
            ends.append(last)
    heads = [f"t = {t:g}" for t in np.linspace(0, 1, COLUMNS)]
    groups = [len(sources)] * (len(rows) // len(sources))
    grid = image_grid(np.stack(images), rows, heads, row_groups=groups, ends=ends, note=note)
    save(grid, run.out)


def find(source: Interpolation, kind: str, number: int) -> int | None:
    """Return the index of a path; None if there is none."""
    described = [(path["kind"], path["path"]) for path in source.paths]
    return described.index((kind, number)) if (kind, number) in described else None


def shown_frames(images: np.ndarray) -> np.ndarray:
    """Return `COLUMNS` of the images of a path, evenly spaced, both ends included."""
    return images[np.linspace(0, len(images) - 1, COLUMNS).round().astype(int)]


if __name__ == "__main__":
    main(fig10, __doc__, paths="interpolation/*/paths/manifest.json")
