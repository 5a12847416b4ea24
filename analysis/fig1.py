"""Figure 1: images of the teacher (odd rows) and of TinyGAN-dw (even rows) for the same z and y."""

from _common import Run, main, save
from _grids import image_grid, pairs, row_pairs, spread_classes
from _paper import NAMES

SAMPLES = 4  # row pairs, if there are so many


def fig1(run: Run) -> None:
    """Draw Figure 1 for at most ten classes, spread evenly over the class indices."""
    names = run.config["classes"]
    classes = spread_classes(len(names))
    count = row_pairs(run.results, "dw", SAMPLES)
    images = pairs(run.results, "dw", classes, count, names)
    rows = [NAMES["teacher"], NAMES["dw"]] * count
    save(image_grid(images, rows, [names[c] for c in classes]), run.out)


if __name__ == "__main__":
    main(fig1, __doc__)
