"""The contrast of every text of a page, as WCAG 2 defines it."""

# The texts of the page with their colours and the ground that they are on, as r, g, b.
_COLOURS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    let ground = node;
    const behind = node => parse(getComputedStyle(node).backgroundColor);
    while (behind(ground)[3] === 0) ground = ground.parentElement;
    const pair = [parse(getComputedStyle(node).color), behind(ground)];
    found.set(JSON.stringify(pair), [...pair, walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return [...found.values()];
}"""


def contrasts(page) -> list[tuple[str, float]]:
    """Return each pair of colours on a page of Playwright: a text that has it, and its ratio."""
    return [(words, _ratio(text, ground)) for text, ground, words in page.evaluate(_COLOURS)]


def _ratio(text: list[float], ground: list[float]) -> float:
    dark, light = sorted((_luminance(text), _luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[float]) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
