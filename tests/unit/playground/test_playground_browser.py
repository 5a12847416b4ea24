"""The playground in a real browser: Debian's Chromium, driven by Playwright."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from helpers.browser import CHROMIUM
from helpers.contrast import contrasts
from helpers.playground_run import (
    CLASSES,
    TRUNCATION,
    VARIANTS,
    npm_runtime,
    write_playground_run,
)
from PIL import Image
from scipy import stats
from torch import Tensor

from tinygan.export.files import PRECISIONS
from tinygan.models.pixels import to_uint8
from tinygan.playground.build import build
from tinygan.playground.serve import open_server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed"),
]
WAIT = 120_000  # ms: WebAssembly compiles slowly on a busy machine
PIXELS = """canvas => {
  const {width, height} = canvas;
  return [width, height, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
}"""


@dataclass
class Visit:
    """A page, and what went wrong there."""

    page: object
    errors: list[str] = field(default_factory=list)

    def ready(self) -> None:
        """Wait until everything that was requested is drawn."""
        self.page.locator("#pictures[aria-busy=false]").wait_for(timeout=WAIT)

    def set(self, name: str, value: object) -> None:
        """Move a slider."""
        self.page.get_by_role("slider", name=name).fill(str(value))
        self.ready()

    def choose(self, name: str, value: str) -> None:
        """Choose in a list."""
        self.page.get_by_role("combobox", name=name).select_option(value)
        self.ready()

    def pixels(self, canvas: str) -> np.ndarray:
        """Return the pixels of a canvas, uint8 [H, W, 3]."""
        width, height, values = self.page.locator(f"#{canvas}").evaluate(PIXELS)
        rgba = np.array(values, np.uint8).reshape(height, width, 4)
        assert (rgba[..., 3] == 255).all()
        return rgba[..., :3]

    def module(self, file: str, call: str) -> object:
        """Return what a function of one of the page's modules returns."""
        return self.page.evaluate(f"async () => (await import('/{file}')).{call}")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A built playground, and the networks of its files."""
    top = tmp_path_factory.mktemp("playground")
    runtime = npm_runtime(top)
    networks = write_playground_run(top / "results")
    out = top / "results" / "playground"
    build(top / "results", VARIANTS, out, classes=CLASSES, seed=0, runtime=runtime)
    return out, networks


@pytest.fixture(scope="module")
def address(playground) -> Iterator[str]:
    with open_server(playground[0], 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser, address: str) -> Iterator[Visit]:
    """A visit; whatever a test does, no script fails, and nothing comes from elsewhere."""
    width, scheme = getattr(request, "param", (1440, "light"))
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    visit, requested = Visit(page), []
    page.on("console", lambda said: said.type == "error" and visit.errors.append(said.text))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("requestfailed", lambda failed: visit.errors.append(failed.url))
    page.on("request", lambda asked: requested.append(asked.url))
    page.goto(address)
    visit.ready()
    yield visit
    page.close()
    assert visit.errors == []
    assert [url for url in requested if not url.startswith(address)] == []


def difference(visit: Visit, draw: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
    """Return by how many levels the student's pixels differ from those of another runtime.

    Args:
        visit: shows an image; its z and y are taken from there.
        draw: the other runtime: z [1, z_dim], y [1, classes] -> images in [-1, 1].
    """
    drawn = visit.module("app.js", "current()")
    z, y = (torch.tensor([drawn[name]], dtype=torch.float32) for name in "zy")
    (expected,) = to_uint8(draw(z, y))
    # It is a picture, so that a blank one would not do.
    assert expected.std() > 20
    return np.abs(visit.pixels("student").astype(int) - expected)


def test_the_student_draws_what_pytorch_draws(visit: Visit, playground) -> None:
    def pytorch(z: Tensor, y: Tensor) -> Tensor:
        name = visit.page.get_by_role("combobox", name="Student").locator(":checked").inner_text()
        network = playground[1][name]
        with torch.no_grad():
            return network.synthesise(z, y @ network.embedding.weight)

    seen = []
    for act in (
        lambda: None,
        lambda: visit.set("Along u", 1.35),
        lambda: visit.set("Along v", -2),
        lambda: visit.set("Morph", 0.3),
        lambda: visit.choose("Morph into", "cat"),
        lambda: visit.choose("Class", "zebra"),
        lambda: visit.choose("Student", "std"),
        lambda: visit.page.get_by_role("spinbutton", name="Seed").fill("12"),
        lambda: visit.set("Morph", 1),
    ):
        act()
        visit.ready()
        assert difference(visit, pytorch).max() <= 1
        seen.append(visit.pixels("student").tobytes())
    assert len(set(seen)) == len(seen)  # each act changed the image


def test_an_int8_student_draws_what_onnxruntime_draws(visit: Visit, playground) -> None:
    model = playground[0] / "models" / "dw" / "generator_int8.onnx"
    session = onnxruntime.InferenceSession(model.read_bytes())
    before = visit.pixels("student")
    visit.choose("Weights", "int8")
    assert not np.array_equal(visit.pixels("student"), before)

    def native(z: Tensor, y: Tensor) -> Tensor:
        (images,) = session.run(["images"], {"z": z.numpy(), "y": y.numpy()})
        return torch.from_numpy(images)

    # The integer kernels of processors differ in how they saturate and round.
    assert difference(visit, native).mean() < 2


def test_the_teachers_image_is_shown_for_a_stored_z_alone(visit: Visit, playground) -> None:
    page, teacher = visit.page, visit.page.locator("#teacher")
    visit.choose("Class", "cat")
    page.get_by_role("radio", name="stored z 3").check(force=True)
    visit.ready()
    strip = np.asarray(Image.open(playground[0] / "teacher" / "001.png"))
    assert np.array_equal(visit.pixels("teacher"), strip[:, 2 * 16 : 3 * 16])
    assert teacher.get_attribute("aria-label") == "cat, stored z 3, drawn by the teacher"
    for act in (
        lambda: visit.set("Along u", 0.05),
        lambda: visit.set("Morph", 0.01),
        lambda: page.get_by_role("button", name="Another z").click(),
    ):
        act()
        visit.ready()
        assert not teacher.is_visible()
        assert "The teacher is not in the browser" in page.locator("#absent").inner_text()
        page.get_by_role("button", name="Back to a stored z").click()
        visit.ready()
        assert teacher.is_visible()
        assert page.get_by_role("radio", name="stored z 3").is_checked()
        assert np.array_equal(visit.pixels("teacher"), strip[:, 2 * 16 : 3 * 16])


def test_the_path_leads_from_class_to_class(visit: Visit) -> None:
    path = visit.pixels("path")
    assert path.shape == (16, 9 * 16, 3)
    assert np.array_equal(path[:, :16], visit.pixels("student"))
    visit.set("Morph", 0.5)
    assert np.array_equal(path[:, 4 * 16 : 5 * 16], visit.pixels("student"))
    visit.set("Morph", 1)
    assert np.array_equal(path[:, 8 * 16 :], visit.pixels("student"))
    assert np.array_equal(path, visit.pixels("path"))  # it depends on the classes and z alone


def test_a_seed_finds_a_picture_again(visit: Visit) -> None:
    seed = visit.page.get_by_role("spinbutton", name="Seed")
    assert seed.input_value() == ""
    visit.page.get_by_role("button", name="Another z").click()
    visit.ready()
    drawn, image = seed.input_value(), visit.pixels("student")
    assert visit.page.locator("[name=stored]:checked").count() == 0
    seed.fill("12")
    visit.ready()
    assert not np.array_equal(visit.pixels("student"), image)
    visit.page.reload()
    visit.ready()
    seed.fill(drawn)
    visit.ready()
    assert np.array_equal(visit.pixels("student"), image)


def mulberry32(seed: int) -> Iterator[float]:
    """Yield the numbers of the published generator of that name, in Python's integers."""
    mask = 2**32 - 1
    while True:
        seed = (seed + 0x6D2B79F5) & mask
        t = ((seed ^ (seed >> 15)) * (seed | 1)) & mask
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & mask)) & mask
        yield ((t ^ (t >> 14)) & mask) / 2**32


def test_z_has_the_distribution_of_the_training(visit: Visit) -> None:
    assert visit.module("latents.js", "uniform(7)()") == next(mulberry32(7))
    text = visit.module("latents.js", f"drawZ(7, 20000, {TRUNCATION}).join()")
    z = np.array(text.split(","), float) / TRUNCATION
    assert np.abs(z).max() <= 2
    assert stats.kstest(z, stats.truncnorm(-2, 2).cdf).pvalue > 0.01
    text = visit.module("latents.js", "drawZ(7, 20000, null).join()")
    z = np.array(text.split(","), float)
    assert stats.kstest(z, stats.norm.cdf).pvalue > 0.01 and np.abs(z).max() > 3


def test_what_a_model_costs_changes_with_it(visit: Visit, playground) -> None:
    size, rows = visit.page.locator("#size"), []
    for name in VARIANTS:
        for precision in PRECISIONS:
            visit.choose("Student", name)
            visit.choose("Weights", precision)
            file = playground[0] / "models" / name / f"generator_{precision}.onnx"
            assert size.inner_text() == f"{round(file.stat().st_size / 1000)} kB"
            assert float(visit.page.locator("#time").inner_text().removesuffix(" ms")) >= 0
            assert visit.page.locator("#model").inner_text() == f"{name}, {precision}"
            rows.append(size.inner_text())
    assert len(set(rows)) == 6
    for name, text in {"parameters": "0.123 M", "macs": "2.35 M", "teacher-macs": "150 M"}.items():
        assert visit.page.locator(f"#{name}").inner_text() == text


def test_the_keyboard_works_every_control(visit: Visit) -> None:
    page, seen, outlined = visit.page, [], []
    for _ in range(9):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        seen.append(focus.get_attribute("id") or focus.get_attribute("name"))
        shown = "node => [node, node.parentElement].map(n => getComputedStyle(n).outlineStyle)"
        outlined.append("solid" in focus.evaluate(shown))
    assert seen == ["from", "to", "t", "stored", "another", "seed", "a", "b", "name"]
    assert all(outlined)
    before = visit.pixels("student")
    slider = page.get_by_role("slider", name="Along v")
    slider.focus()
    page.keyboard.press("ArrowRight")
    visit.ready()
    assert slider.input_value() == "0.05" and not np.array_equal(visit.pixels("student"), before)
    page.get_by_role("radio", name="stored z 1").focus()
    page.keyboard.press("ArrowRight")
    visit.ready()
    assert page.get_by_role("radio", name="stored z 2").is_checked()


def test_what_is_shown_is_told_to_screen_readers(visit: Visit) -> None:
    page = visit.page
    visit.set("Morph", 0.3)
    label = "70 % bear, 30 % zebra, stored z 1, drawn by the student dw, fp32"
    assert page.get_by_role("img", name=label).count() == 1
    assert page.get_by_role("slider", name="Morph").get_attribute("aria-valuetext") == (
        "70 % bear, 30 % zebra"
    )
    # Once, when the slider rests.
    sync_api.expect(page.get_by_role("status")).to_have_text(label)
    names = ["Class and morph", "Latent vector z", "Model", "Pictures"]
    assert [page.get_by_role("region", name=name).count() for name in names] == [1] * 4
    assert page.get_by_role("radio").count() == 8


SIZES = [(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]


@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=str)
def test_it_fits_the_window_and_can_be_read(visit: Visit) -> None:
    for slider in (0, 0.5):  # with the teacher's image, and without
        visit.set("Along u", slider)
        assert (
            visit.page.evaluate("document.documentElement.scrollWidth")
            == (visit.page.viewport_size["width"])
        )
        found = contrasts(visit.page)
        assert len(found) >= 5
        assert [(words, ratio) for words, ratio in found if ratio < 4.5] == []


@pytest.mark.parametrize(
    "file", ["app.js", "data.json", "models/dw/generator_fp32.onnx", "teacher/000.png"]
)
@pytest.mark.parametrize("fault", ["missing", "cut off"])
def test_what_cannot_be_loaded_is_said_in_the_page(
    browser, address: str, file: str, fault: str
) -> None:
    page = browser.new_page()
    missing = fault == "missing"
    page.route(f"**/{file}", lambda it: it.fulfill(status=404) if missing else it.abort())
    page.goto(address)
    error = page.get_by_role("alert")
    error.wait_for(timeout=WAIT)
    assert f"{file} cannot be loaded" in error.inner_text()
    assert "\n" not in error.inner_text()
    page.close()


def test_a_model_that_fails_is_left_by_choosing_another(browser, address: str) -> None:
    page = browser.new_page()
    page.route("**/generator_int8.onnx", lambda route: route.fulfill(body="<html>"))
    page.goto(address)
    visit = Visit(page)
    visit.ready()
    visit.choose("Weights", "int8")
    error = page.locator("#error")
    assert "The runtime cannot open models/dw/generator_int8.onnx" in error.inner_text()
    visit.choose("Weights", "fp32")
    assert not error.is_visible()
    page.close()


def test_as_a_file_the_page_says_how_to_open_it(browser, playground) -> None:
    page = browser.new_page()
    page.goto((playground[0] / "index.html").as_uri())
    assert "start `tinygan play`" in page.get_by_role("alert").inner_text()
    page.close()
