"""The sweep: its figure and its table show the numbers that they are given."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers.pdf_pages import read_page
from helpers.run_results import reading, script, set_score, write_results, write_score
from matplotlib.collections import PathCollection

sweep, figure_of = importlib.import_module("sweep"), importlib.import_module("sweep_figure")

FID = {"dw_ch8": 205.0, "dw": 182.0, "dw_ch32": 160.0, "std_half": 186.0, "std": 158.0}
MACS = {"dw_ch8": 1.5e6, "dw": 4.7e6, "dw_ch32": 16.3e6, "std_half": 5.3e6, "std": 20.7e6}
MS = {"dw_ch8": 0.3, "dw": 0.5, "dw_ch32": 1.25, "std_half": 0.4, "std": 1.0}
TEACHER = 125.0


def write_points(results: Path, seeds: list[int]) -> None:
    """Write what is measured of the default sweep; a FID is 7 larger for each next seed."""
    for name, fid in FID.items():
        for seed in seeds:
            student, shifted = reading.file_name(name, seed), fid + 7 * seed
            write_score(results, student, shifted)
            set_score(results, student, fid_low=shifted - 6, fid_high=shifted + 4)
    set_score(results, "teacher", fid=TEACHER)
    (results / "sweep").mkdir()
    rows = [f"{name},x,0,90000,80000,{macs:.0f}" for name, macs in MACS.items()]
    columns = "source,architecture,channels,parameters_total,parameters_generator,macs"
    rows = [columns, "teacher,biggan-deep,64,3000000,1600000,53800000", *rows]
    (results / "sweep" / "cost.csv").write_text("\n".join(rows) + "\n")
    times = [
        {"model": f"results/mini/models/{reading.file_name(name, seeds[0])}", "batch": batch}
        | {"calls": 50, "ms_per_image": factor * ms, "images_per_second": 1000 / factor / ms}
        | {"ms_per_image_q1": factor * ms * 0.9, "ms_per_image_q3": factor * ms * 1.2}
        for batch, factor in ((1, 10), (64, 1))
        for name, ms in MS.items()
    ]
    about = {"torch": "2.x", "threads": 1, "processor": "a processor", "times": times}
    (results / "sweep" / "speed.json").write_text(json.dumps(about))


def make(results: Path, **sections) -> pd.DataFrame:
    config = yaml.safe_load((results / "config.yaml").read_text()) | sections
    inputs = {
        "scores": sorted((results / "scores").glob("**/*.json")),
        "cost": [results / "sweep" / "cost.csv"],
        "speed": [results / "sweep" / "speed.json"],
    }
    return sweep.sweep(script.Run(config, inputs, results / "out" / "sweep"))


@pytest.fixture
def measured(results: Path) -> Path:
    write_points(results, [0])
    return results


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The figures that would be saved."""
    figures = []
    monkeypatch.setattr(figure_of, "save", lambda figure, out: figures.append(figure))
    return figures


def curves(axes) -> dict[str, np.ndarray]:
    """Return the points [N, 2] of each curve by its label."""
    return {
        container.get_label(): np.column_stack(container.lines[0].get_data()).astype(float)
        for container in axes.containers
    }


def test_the_panels_show_the_planted_points_and_intervals(measured: Path, drawn: list) -> None:
    make(measured)
    (figure,) = drawn
    panels = zip(figure.axes, ({n: m / 1e6 for n, m in MACS.items()}, MS), strict=True)
    for axes, x in panels:
        assert axes.get_xscale() == "log"
        found = curves(axes)
        for label, names in (
            ("TinyGAN-dw", ["dw_ch8", "dw", "dw_ch32"]),
            ("TinyGAN-std", ["std_half", "std"]),
        ):
            expected = [[x[name], FID[name]] for name in names]
            np.testing.assert_allclose(found.pop(label), expected)
            (container,) = [c for c in axes.containers if c.get_label() == label]
            (bars,) = container.lines[2]
            ends = [[[x[n], FID[n] - 6], [x[n], FID[n] + 4]] for n in names]
            np.testing.assert_allclose(np.array(bars.get_segments(), dtype=float), ends)
        assert not found and not axes.collections[2:]  # the bars alone
        (line,) = [line for line in axes.lines if line.get_label() == "teacher"]
        assert set(line.get_ydata()) == {TEACHER}
        low, high = axes.get_xlim()
        assert low < min(x.values()) and max(x.values()) < high
        widths = [text.get_text() for text in axes.texts]
        assert sorted(widths) == sorted(["8", "16", "32", "8", "16"])
    lines = [container.lines[0] for container in figure.axes[0].containers]
    for property_of in ("get_color", "get_marker", "get_linestyle"):  # not by colour alone
        assert len({getattr(line, property_of)() for line in lines}) == 2
    assert figure.axes[0].get_ylabel() == "FID (efficientnet_lite0, 64 px)"
    title = figure.legends[0].get_title().get_text()
    assert title == "numbers: channels; one seed; bars: 95 % interval over the images"


def test_a_width_stands_beside_its_own_point(measured: Path, drawn: list) -> None:
    make(measured)
    renderer = drawn[0].canvas.get_renderer()
    for axes in drawn[0].axes:
        points = [dot for curve in curves(axes).values() for dot in curve]
        dots = axes.transData.transform(points)
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        widths = [text.get_text() for text in axes.texts]
        assert widths == ["8", "16", "32", "8", "16"]
        for box, own in zip(boxes, dots, strict=True):
            center = (box.min + box.max) / 2
            assert np.hypot(*(center - own)) < 15 * drawn[0].dpi / 72
            assert not any(box.contains(*dot) for dot in dots)


def test_the_figure_is_a_page_wide_and_its_text_can_be_read(measured: Path) -> None:
    make(measured)
    page = read_page(measured / "out" / "sweep.pdf")
    assert 6.8 * 72 < page.width <= 6.9 * 72
    sizes = [size for found in page.sizes.values() for size in np.atleast_1d(found)]
    assert min(sizes) >= 6.49
    text = " ".join(page.sizes)
    assert "ms per image on one core (batch 64)" in text and "TinyGAN-std" in text


def test_the_table_has_all_numbers(measured: Path) -> None:
    frame = make(measured).set_index("source")
    assert list(frame.index) == [*FID, "teacher"]
    assert frame.loc[list(FID), "fid"].to_dict() == FID
    assert frame.loc[list(FID), "macs"].to_dict() == MACS
    assert frame.loc[list(FID), "ms_per_image_64"].to_dict() == MS
    assert frame.ms_per_image_q3_1["dw"] == pytest.approx(6)
    assert frame.channels[list(FID)].to_list() == [8, 16, 32, 8, 16]
    assert frame.architecture[list(FID)].to_list() == ["dw"] * 3 + ["std"] * 2
    assert frame.loc["teacher", ["fid", "macs"]].to_list() == [TEACHER, 53.8e6]
    assert frame.loc["teacher", ["ms_per_image_1", "channels"]].isna().all()
    read = pd.read_csv(measured / "out" / "sweep.csv").set_index("source")
    assert read.fid.to_dict() == FID | {"teacher": TEACHER}
    text = (measured / "out" / "sweep.md").read_text()
    assert "| TinyGAN-dw, 32 ch. | 80 k | 16.3 M | 12.50 (11.25 to 15.00) | 1.25 (1.12 to " in text
    assert "| TinyGAN-std, 8 ch. | 80 k | 5.3 M | 4.00 (3.60 to 4.80) | 0.40 (0.36 to " in text
    assert "| teacher | 1.6 M | 53.8 M | – | – | – |" in text
    assert "| TinyGAN-dw, 8 ch. | 5.25 (± 0.50) | 205.0 (± 5.0) | 410.0 (± 0.5) |" in text
    assert "each student trained once (seed 0)" in text
    assert "PyTorch 2.x, 1 thread on a processor" in text
    assert {path.suffix for path in (measured / "out").iterdir()} == {
        ".csv", ".html", ".md", ".pdf", ".png", ".tex",
    }  # fmt: skip


def test_of_several_seeds_the_mean_is_the_curve_and_each_is_a_dot(
    tmp_path: Path, drawn: list
) -> None:
    results = write_results(tmp_path / "results", seeds=[1, 2])
    write_points(results, [1, 2])
    frame = make(results).set_index("source")
    assert frame.fid["dw"] == 182 + 10.5 and frame.seeds["dw"] == 2
    assert frame.fid_sd_seeds["dw"] == pytest.approx(7 / np.sqrt(2))
    for axes in drawn[0].axes:
        assert curves(axes)["TinyGAN-dw"][1, 1] == 192.5
        scatters = [each for each in axes.collections if isinstance(each, PathCollection)]
        dots = np.concatenate([scatter.get_offsets() for scatter in scatters])
        assert sorted(dots[:, 1]) == sorted(
            fid + 7 * seed for fid in FID.values() for seed in (1, 2)
        )
    title = drawn[0].legends[0].get_title().get_text()
    assert "mean of 2 seeds (small dots)" in title
    text = (results / "out" / "sweep.md").read_text()
    assert "each student trained 2 times (seeds 1, 2)" in text
    assert "192.5 ± 4.9 (± 5.0)" in text


@pytest.mark.parametrize("points", [{"std": [8, 16]}, {"dw": [32]}])
def test_one_architecture_or_one_point_is_enough(measured: Path, drawn: list, points: dict) -> None:
    frame = make(measured, sweep=points)
    (architecture,) = points
    assert len(frame) == len(points[architecture]) + 1
    for axes in drawn[0].axes:
        (curve,) = curves(axes).values()
        assert len(curve) == len(points[architecture])
        assert len(axes.texts) == len(curve)
    assert "trained once (seed 0)" in (measured / "out" / "sweep.md").read_text()


def test_scores_without_an_interval_are_drawn_without_bars(measured: Path, drawn: list) -> None:
    for name in FID:
        set_score(measured, name, fid_low=None, fid_high=None)
    make(measured)
    for axes in drawn[0].axes:
        assert len(axes.texts) == 5
    assert "| 205.0 |" in (measured / "out" / "sweep.md").read_text()


def test_missing_measurements_are_named(measured: Path) -> None:
    path = measured / "sweep" / "speed.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"times": about["times"][1:]}))
    with pytest.raises(ValueError, match=r"speed.json has no times of dw_ch8; make it again"):
        make(measured)
    bad = [row | {"ms_per_image": 0.0} if "std" in row["model"] else row for row in about["times"]]
    path.write_text(json.dumps(about | {"times": bad}))
    with pytest.raises(ValueError, match=r"speed.json has no times of std_half, std; make it"):
        make(measured)
    path.write_text(json.dumps(about))
    cost = measured / "sweep" / "cost.csv"
    cost.write_text("".join(cost.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ValueError, match=r"cost.csv lacks std; make it again"):
        make(measured)
    (measured / "scores" / "dw_ch32.json").unlink()
    with pytest.raises(ValueError, match="there is no file of dw_ch32"):
        make(measured)


def test_the_batch_sizes_are_those_that_are_timed() -> None:
    from tinygan.evaluation.speed import BATCHES

    assert sweep.BATCHES == BATCHES
    assert f"ms_per_image_{BATCHES[-1]}" in figure_of._PANELS
