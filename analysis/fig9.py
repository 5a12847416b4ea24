"""Figure 9: intra-FID of the teacher against that of the students; each dot is a class."""

import matplotlib.pyplot as plt
import numpy as np

from measures import MIN_CLASSES, bootstrap_correlation
from paper import NAMES, PAPER_R, compares
from point_names import name_points
from results import extractor_label, read_intra_pair, read_scores, seeds_of
from script import Run, main
from style import PAGE, save, style
from tinygan.seeding import stream

MARKERS = {"dw": "o", "std": "s"}
MOST_NAMES = 20  # with more classes only those farthest from the regression are named
OUTLIERS = 6
Found = tuple[float, float, float] | None  # Pearson's r and its 95 % interval


def fig9(run: Run) -> dict[str, Found]:
    """Draw Figure 9; return the correlation of each student, None where there are too few classes.

    The students' scores are means over their seeds.
    """
    palette = style(*run.config["classes"])
    label = extractor_label(read_scores(run.inputs["scores"], ["teacher", *PAPER_R]))
    scores = {student: read_intra_pair(run.inputs["intra"], student) for student in PAPER_R}
    figure, panels = plt.subplots(
        1, 2, figsize=(PAGE, 3.5), sharex=True, sharey=True, layout="constrained"
    )
    found = {}
    for axes, colour, (student, (x, y, _)) in zip(panels, palette, scores.items(), strict=False):
        rng = stream(run.config["seed"], "analysis/bootstrap")
        found[student] = bootstrap_correlation(x, y, rng)
        size = 16 if len(x) <= MOST_NAMES else 7
        axes.scatter(x, y, s=size, color=colour, marker=MARKERS[student], linewidth=0, zorder=2)
        axes.axline((x.mean(), x.mean()), slope=1, color="0.4", linestyle="--", label="identity")
        if found[student]:
            span = np.array([x.min(), x.max()])
            axes.plot(span, _fit(x, y)(span), color="0.2", label="regression")
        axes.set_title(f"{NAMES[student]}: {_measured(found[student], student, run, len(x))}")
        axes.set_xlabel("intra-FID of the teacher")
        axes.margins(0.12)
    seeds = len(seeds_of(run.inputs["intra"], "dw"))
    mean = f", mean of {seeds} seeds" if seeds > 1 else ""
    panels[0].set_ylabel(f"intra-FID of the student{mean}\n({label})")
    note = _note(found, len(x))
    legend = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(*panels[0].get_legend_handles_labels(), title=note, **legend)
    figure.draw_without_rendering()  # settles the axes, so that text can be placed in pixels
    figure.set_layout_engine("none")
    for axes, (student, (x, y, names)) in zip(panels, scores.items(), strict=True):
        axes.autoscale(False)
        ends = np.linspace(*axes.get_xlim(), 400)
        lines = [np.column_stack([ends, ends])]
        order = np.argsort(-y, kind="stable")
        if found[student]:
            lines.append(np.column_stack([ends, _fit(x, y)(ends)]))
            order = np.argsort(-np.abs(y - _fit(x, y)(x)), kind="stable")
        chosen = order if len(x) <= MOST_NAMES else order[:OUTLIERS]
        name_points(axes, np.column_stack([x, y]), names, np.concatenate(lines), chosen)
    save(figure, run.out)
    return found


def _fit(x: np.ndarray, y: np.ndarray) -> np.poly1d:
    return np.poly1d(np.polyfit(x, y, 1))


def _measured(found: Found, student: str, run: Run, classes: int) -> str:
    if found:
        r, low, high = found
        paper = f", paper {PAPER_R[student]:.2f}" if compares(run.config) else ""
        return f"r = {r:.2f} [{low:.2f}, {high:.2f}]{paper}"
    return "no r, scores do not differ" if classes >= MIN_CLASSES else "no r"


def _note(found: dict[str, Found], classes: int) -> str:
    """Return what the figure shows of so many classes, and what it cannot show."""
    if classes < MIN_CLASSES:
        return (
            f"A correlation needs at least {MIN_CLASSES} classes, here: {classes}. The dots show "
            "which class is harder for which model, but no relation between the two."
        )
    parts = []
    if any(found.values()):
        parts.append(f"In brackets: 95 % interval of r over the {classes} classes (bootstrap).")
    if classes > MOST_NAMES:
        parts.append(f"Named: the {OUTLIERS} classes farthest from the regression.")
    return " ".join(parts)


if __name__ == "__main__":
    main(
        fig9,
        __doc__,
        scores="scores/{teacher,dw,std}.json",
        intra="intra_fid/{teacher,dw,std}.csv",
    )
