"""Figure 7: random samples of TinyGAN-dw (left) beside those of a baseline (right)."""

import numpy as np

from grids import image_grid, images_per_class, same_inputs, source_of
from paper import NAMES
from script import Run, main
from style import save
from tinygan.seeding import stream

ROWS, COLUMNS = 6, 5  # classes, and samples of each in either block, at most
BASELINES = {"sngan": "SNGAN-projection"}


def fig7(run: Run) -> dict[int, list[int]]:
    """Draw Figure 7; return the images shown, by class, in the order of the rows."""
    names = run.config["classes"]
    stores = run.inputs["student"], run.inputs["baseline"]
    chosen = draw(run.config["seed"], len(names), images_per_class(*stores))
    images = same_inputs(stores, chosen, names)
    source = source_of(run.inputs["baseline"])
    baseline = {**NAMES, **BASELINES}.get(source, source)
    note = "Classes (rows) and samples were drawn at random."
    if source in NAMES:
        note += " Images at the same place in both blocks have the same z."
    grid = image_grid(
        np.concatenate(images, axis=1),
        [names[label] for label in chosen],
        row_groups=[len(chosen)],
        blocks={name: images[0].shape[1] for name in (NAMES["dw"], baseline)},
        note=note,
    )
    save(grid, run.out)
    return chosen


def draw(seed: int, classes: int, samples: int) -> dict[int, list[int]]:
    """Draw classes, and images of each, without replacement; return the images by class."""
    rng = stream(seed, "analysis/fig7")
    labels = rng.choice(classes, min(ROWS, classes), replace=False)
    return {
        int(label): rng.choice(samples, min(COLUMNS, samples), replace=False).tolist()
        for label in labels
    }


if __name__ == "__main__":
    main(
        fig7,
        __doc__,
        student="previews/dw/*/manifest.json",
        baseline="previews/scratch/*/manifest.json",
    )
