"""Figure 11: samples of the classes with TinyGAN-dw's highest intra-FID; teacher above student."""

from grids import image_grid, pairs, row_pairs
from measures import worst_classes
from paper import NAMES
from results import extractor_label, read_intra_fid, read_scores
from script import Run, main
from style import save

SAMPLES = 3  # row pairs, at most


def fig11(run: Run) -> list[int]:
    """Draw Figure 11; return the classes shown."""
    table = read_intra_fid(run.inputs["intra"], "dw")
    extractor = extractor_label(read_scores(run.inputs["scores"], ["dw"]))
    classes = worst_classes(table.intra_fid.to_dict())
    heads = [f"{table['name'][c]}\n{table['intra_fid'][c]:.1f}" for c in classes]
    stores = run.inputs["teacher"], run.inputs["student"]
    count = row_pairs(*stores, SAMPLES)
    images = pairs(*stores, classes, count, table["name"].astype(str).to_list())
    rows = [NAMES["teacher"], NAMES["dw"]] * count
    corner = "intra-FID\n" + extractor.replace(", ", "\n")
    save(image_grid(images, rows, heads, corner), run.out)
    return classes


if __name__ == "__main__":
    main(
        fig11,
        __doc__,
        teacher="images/teacher/*/manifest.json",
        student="images/dw/*/manifest.json",
        scores="scores/dw.json",
        intra="intra_fid/dw.csv",
    )
