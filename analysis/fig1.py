"""Figure 1: images of the teacher (odd rows) and of TinyGAN-dw (even rows) for the same z and y."""

from grids import image_grid, images_per_class, pairs, spread_classes
from paper import NAMES
from script import Run, main
from style import save

SAMPLES = 4  # row pairs, at most


def fig1(run: Run) -> None:
    """Draw Figure 1 for at most ten classes, spread evenly over the class indices."""
    names = run.config["classes"]
    classes = spread_classes(len(names))
    stores = run.inputs["teacher"], run.inputs["student"]
    count = min(SAMPLES, images_per_class(*stores))
    images = pairs(*stores, classes, count, names)
    rows = [NAMES["teacher"], NAMES["dw"]] * count
    save(image_grid(images, rows, [names[c] for c in classes]), run.out)


if __name__ == "__main__":
    main(
        fig1,
        __doc__,
        teacher="previews/teacher/*/manifest.json",
        student="previews/dw/*/manifest.json",
    )
