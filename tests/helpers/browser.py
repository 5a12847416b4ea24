"""The report in a real browser: a script in a copy of the page clicks through it."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE, DESKTOP = (390, 844), (1280, 900)

# Clicks a category of the menu, and the first button of each of its results.
_CLICKS = """
<script>
const seen = {errors: [], overview: "", text: "", results: {}};
window.addEventListener("error", event => seen.errors.push(event.message));
const wait = time => new Promise(done => setTimeout(done, time));
async function click() {
  await wait(300);
  seen.overview = document.body.innerText;
  [...document.querySelectorAll("a")].find(a => a.textContent.trim() === CATEGORY).click();
  await wait(150);
  seen.text = document.body.innerText;
  for (let i = 0; i < document.querySelectorAll("tbody tr").length; i++) {
    const row = document.querySelectorAll("tbody tr")[i];
    row.querySelector("a, button").click();
    await wait(150);
    seen.results[row.innerText.trim()] = [...document.querySelectorAll("iframe, embed, img")]
      .map(node => [decodeURIComponent(node.src), node.getBoundingClientRect().width])
      .filter(([source, width]) => width > 150 && source.startsWith("data:"))
      .map(([source]) => source.slice(0, 30));
  }
}
click().catch(error => seen.errors.push(String(error))).then(() => {
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>
"""


def categories(report: Path) -> list[str]:
    """Return the categories of a report's menu."""
    found = re.search(r"var categories = (\{.*?\});?\s*</script>", report.read_text(), re.DOTALL)
    return list(json.loads(found[1]))


def visit(report: Path, folder: Path, size: tuple[int, int], category: str) -> dict:
    """Click through a category of a report.

    Args:
        report: the report.
        folder: for a copy of it.
        size: width and height of the window in px.
        category: one of `categories`.

    Returns:
        the errors of its scripts, the text of its first page and of the category's, and what each
        result shows.
    """
    page = folder / "visited.html"
    clicks = _CLICKS.replace("CATEGORY", json.dumps(category))
    page.write_text(report.read_text(encoding="utf-8") + clicks, encoding="utf-8")
    dumped = _chromium(folder, size, "--virtual-time-budget=60000", "--dump-dom", page.as_uri())
    seen = re.search(r'<pre id="seen">(.*?)</pre>', dumped, re.DOTALL)
    assert seen, dumped[-2000:]
    return json.loads(html.unescape(seen[1]))


def screenshot(page: Path, path: Path, size: tuple[int, int]) -> None:
    """Write what a window of this size shows of a page."""
    _chromium(path.parent, size, f"--screenshot={path}", page.as_uri())


def _chromium(folder: Path, size: tuple[int, int], *words: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--window-size={size[0]},{size[1]}"]
    done = subprocess.run([CHROMIUM, *options, *words], capture_output=True, text=True, timeout=120)
    return done.stdout
