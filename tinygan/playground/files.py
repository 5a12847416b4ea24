"""The names of the playground's files, which the workflow and the builder share."""

from collections.abc import Iterable

from tinygan.export.files import PRECISIONS, file_name

# The page itself, in the repository.
PAGE_FOLDER = "playground"
PAGE = (
    "index.html",
    "style.css",
    "icon.svg",
    "start.js",
    "app.js",
    "page.js",
    "controls.js",
    "latents.js",
    "student.js",
    "view.js",
)
# What npm is to install.
PACKAGE = ("package.json", "package-lock.json", ".npmrc")
# What runs the models, where npm installs it; ort.wasm.bundle runs on the CPU alone.
RUNTIME_FOLDER = f"{PAGE_FOLDER}/node_modules/onnxruntime-web/dist"
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
DATA = "data.json"


def model_file(variant: str, precision: str) -> str:
    """Return the path of a variant's ONNX file below a run's `exports` and the page's `models`."""
    return f"{variant}/{file_name(precision)}"


def strip_file(label: int) -> str:
    """Return the path of the teacher's images of a class."""
    return f"teacher/{label:03d}.png"


def playground_files(variants: Iterable[str], classes: int) -> list[str]:
    """Return the paths of all files in the playground's folder.

    Args:
        variants: the names of the exported variants, such as ``"dw"``.
        classes: number of classes.
    """
    models = [f"models/{model_file(name, kind)}" for name in variants for kind in PRECISIONS]
    strips = [strip_file(label) for label in range(classes)]
    return [*PAGE, *(f"runtime/{name}" for name in RUNTIME), DATA, *models, *strips]
