"""Figure 3: the student trained on the pixel loss alone (second row) is blurry; teacher above."""

from grids import image_grid, pairs, spread_classes
from paper import NAMES
from script import Run, main
from style import save


def fig3(run: Run) -> None:
    """Draw Figure 3 for at most ten classes, spread evenly over the class indices."""
    names = run.config["classes"]
    classes = spread_classes(len(names))
    images = pairs(run.inputs["teacher"], run.inputs["student"], classes, 1, names)
    rows = [NAMES["teacher"], "pixel loss alone"]
    save(image_grid(images, rows, [names[c] for c in classes]), run.out)


if __name__ == "__main__":
    main(
        fig3,
        __doc__,
        teacher="previews/teacher/*/manifest.json",
        student="previews/pix_only/*/manifest.json",
    )
