"""What a figure's PDF holds: its width, its fonts, its text with sizes, and its images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pypdf import PdfReader


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        width: points.
        embedded: by font, whether its file is in the PDF.
        sizes: points, by piece of text.
        images: uint8 [H, W, 3] each, as stored.
        smoothed: whether a viewer is told to smooth an image.
    """

    width: float
    embedded: dict[str, bool]
    sizes: dict[str, float]
    images: list[np.ndarray]
    smoothed: bool


def read_page(path: Path) -> Page:
    (page,) = PdfReader(path).pages
    sizes: dict[str, float] = {}

    def collect(text: str, outer: list, matrix: list, _: object, size: float) -> None:
        if text.strip():
            scale = np.sqrt(np.hypot(*outer[:2]) ** 2 * np.hypot(*matrix[:2]) ** 2)
            sizes[text.strip()] = round(float(size * scale), 3)

    page.extract_text(visitor_text=collect)
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    objects = [each.get_object() for each in page["/Resources"].get("/XObject", {}).values()]
    smoothed = any(each.get("/Interpolate", False) for each in objects)
    images = [np.asarray(image.image.convert("RGB")) for image in page.images]
    embedded = {font["/BaseFont"]: _is_embedded(font) for font in fonts}
    return Page(float(page.mediabox.width), embedded, sizes, images, smoothed)


def _is_embedded(font: dict) -> bool:
    parts = [each.get_object() for each in font.get("/DescendantFonts", [font])]
    files = {"/FontFile", "/FontFile2", "/FontFile3"}
    return all(files & part["/FontDescriptor"].get_object().keys() for part in parts)
