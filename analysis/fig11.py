"""Figure 11: samples of the classes with TinyGAN-dw's highest intra-FID; teacher above student."""

from grids import image_grid, pairs
from measures import worst_classes
from paper import NAMES
from results import extractor_label, read_intra_fid, read_scores
from script import Run, main
from style import save


def fig11(run: Run) -> list[int]:
    """Draw Figure 11; return the classes shown."""
    (path,) = run.inputs["intra"]
    table = read_intra_fid([path], path.stem)
    extractor = extractor_label(read_scores(run.inputs["scores"], ["dw"]))
    classes = worst_classes(table.intra_fid.to_dict())
    heads = [f"{table['name'][c]}\n{table['intra_fid'][c]:.1f}" for c in classes]
    names = table["name"].astype(str).to_list()
    images = pairs(run.inputs["teacher"], run.inputs["student"], classes, 1, names)
    rows = [NAMES["teacher"], NAMES["dw"]]
    note = f"Numbers: intra-FID of {NAMES['dw']} ({extractor})."
    save(image_grid(images, rows, heads, note=note), run.out)
    return classes


if __name__ == "__main__":
    main(
        fig11,
        __doc__,
        teacher="previews/teacher/*/manifest.json",
        student="previews/dw/*/manifest.json",
        scores="scores/dw.json",
        intra="intra_fid/dw.csv",
    )
