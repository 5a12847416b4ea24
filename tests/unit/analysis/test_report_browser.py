"""The report in a real browser: Debian's Chromium, driven by Playwright."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from helpers.browser import CHROMIUM
from helpers.contrast import contrasts
from helpers.report_inputs import CLAIMS, FIGURES, report_run, write_report_inputs

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
report = importlib.import_module("report")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
LONG = "a class with <script>window.hacked = 1</script> and a very long name " + "x" * 300
# Notes what gets the focus, and whether it shows.
FOCUS = """() => {
  window.seen = [];
  document.addEventListener("focusin", ({target}) => {
    const outlined = getComputedStyle(target).outlineStyle !== "none";
    seen.push(outlined ? target.id || target.className || target.tagName : "no outline");
  });
}"""


@dataclass
class Visit:
    """A page, its errors, and the addresses that it has requested."""

    page: object
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run in which one name is as bad as it gets."""
    wide = CLAIMS[1] | {"header": ["model", *(f"column {i}" for i in range(20))]}
    wide |= {"rows": [[LONG, *(f"{10 * i}.00 ± 0.50" for i in range(20))], ["b", *["–"] * 20]]}
    results = write_report_inputs(tmp_path_factory.mktemp("run") / "results", [CLAIMS[0], wide])
    record = json.loads((results / "provenance.json").read_text())
    record["config"]["classes"] = [LONG]
    record["teacher"]["handle"] = LONG
    (results / "provenance.json").write_text(json.dumps(record))
    run = report_run(results)
    report.report(run)
    return run.out.with_suffix(".html").as_uri()


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids=str)
def visit(request: pytest.FixtureRequest, browser, address: str) -> Iterator[Visit]:
    """A visit to the report; whatever a test does there, no script fails and nothing is loaded."""
    size, scheme = request.param
    width, height = SIZES[size]
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height})
    visit = Visit(page)
    page.on("console", lambda said: visit.errors.append(said.text))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("request", lambda asked: visit.requests.append(asked.url))
    page.goto(address)
    yield visit
    page.close()
    assert visit.errors == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [address]


def test_all_is_shown_and_nothing_is_wider_than_the_window(visit: Visit) -> None:
    page = visit.page
    assert page.evaluate("[...document.images].map(i => i.naturalWidth)") == [60] * len(FIGURES)
    assert page.evaluate("window.hacked === undefined")
    width = page.viewport_size["width"]
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Every verdict and every name of a row is inside the window, however wide its table is.
    for selector in (".verdict", "tbody th"):
        for box in (node.bounding_box() for node in page.query_selector_all(selector)):
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
    table = page.locator("#claim2 .scroll")
    table.evaluate("node => node.scrollLeft = 500")
    name = table.locator("tbody th").first.bounding_box()["x"]
    assert name == pytest.approx(table.bounding_box()["x"], abs=2)
    assert table.evaluate("node => node.scrollLeft") == 500


def test_every_text_can_be_read_in_both_schemes(visit: Visit) -> None:
    grounds = []
    for _ in range(2):
        found = contrasts(visit.page)
        assert len(found) > 5
        assert [(words, ratio) for words, ratio in found if ratio < 4.5] == []
        grounds.append(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        visit.page.click("#theme")
    dark = visit.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert sorted(grounds, reverse=not dark) == grounds and len(set(grounds)) == 2


def column(page, table: str, number: int) -> list[str]:
    return page.eval_on_selector_all(
        f"{table} tbody tr > :nth-child({number})", "cells => cells.map(c => c.textContent)"
    )


def test_a_table_sorts_by_click_and_by_keyboard(visit: Visit) -> None:
    page, table = visit.page, "#claim1 table"
    head = page.locator(f"{table} thead th").nth(2)
    assert column(page, table, 3) == ["18.4 %", "6.1 %", "1,024.5 %"]
    head.locator("button").click()
    assert column(page, table, 3) == ["6.1 %", "18.4 %", "1,024.5 %"]
    assert head.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the button has the focus
    assert column(page, table, 3) == ["1,024.5 %", "18.4 %", "6.1 %"]
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, table, 1) == ["a third", "TinyGAN-std", "TinyGAN-dw"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    # What is absent comes last, whatever the direction.
    assert column(page, table, 2) == ["6.2 %", "18.5 %", "–"]
    page.keyboard.press("Space")
    assert column(page, table, 2) == ["18.5 %", "6.2 %", "–"]
    assert head.get_attribute("aria-sort") is None
    page.locator(f"{table} thead button").first.click()
    assert column(page, table, 1) == ["a third", "TinyGAN-dw", "TinyGAN-std"]


def test_an_image_enlarges_and_closes(visit: Visit) -> None:
    page = visit.page
    button, viewer = page.locator("#fig8 .enlarge"), page.locator("#viewer")
    small = button.locator("img").bounding_box()["width"]
    for close in ("Escape", "Close", "beside"):
        button.focus()
        page.keyboard.press("Enter")
        assert viewer.is_visible() and viewer.get_attribute("open") is not None
        assert page.locator("#viewed").text_content() == "Figure 8"
        image = viewer.locator("img")
        assert image.bounding_box()["width"] > small
        assert image.get_attribute("alt") == button.locator("img").get_attribute("alt")
        if close == "Escape":
            page.keyboard.press("Escape")
        elif close == "Close":
            viewer.get_by_role("button", name="Close").click()
        else:
            page.mouse.click(2, 2)
        assert not viewer.is_visible()
        assert button.evaluate("node => node === document.activeElement")


def test_the_keyboard_reaches_the_content_and_every_control(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.evaluate(FOCUS)
    for _ in range(page.locator("a, button, summary").count()):
        page.keyboard.press("Tab")
    seen = set(page.evaluate("window.seen"))
    assert {"theme", "enlarge", "A", "BUTTON", "SUMMARY"} <= seen and "no outline" not in seen


def test_without_scripts_the_page_can_be_read(browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#claim1 table").is_visible() and page.locator("#fig8 img").is_visible()
    assert not page.locator("#theme").is_visible() and page.locator("thead button").count() == 0
    context.close()


def test_the_report_is_one_file(address: str, tmp_path: Path) -> None:
    text = Path(address.removeprefix("file://")).read_text()
    assert "http://" not in text and "https://" not in text
