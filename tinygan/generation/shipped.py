"""Models by name: the trained students in the folder resources/ of the repository."""

import difflib
from pathlib import Path

from tinygan.code import ROOT

FOLDER = ROOT / "resources"
# The folder of each shipped model, below FOLDER.
SHIPPED = {"mini-dw": "tinygan_dw_mini"}


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model.

    Args:
        model: the folder itself, or a name in `SHIPPED`. If both exist, it is the folder.

    Raises:
        FileNotFoundError: it is neither, or the shipped model is not installed.
    """
    if Path(model).is_dir():
        return Path(model)
    if str(model) in SHIPPED:
        folder = FOLDER / SHIPPED[str(model)]
        if not (folder / "card.json").is_file():
            raise FileNotFoundError(
                f"{model} is in resources/ of the repository, which is not here ({folder}): a "
                "wheel does not have it; clone the repository and run `pip install -e .` in it, or "
                "give the folder of a model"
            )
        return folder
    near = difflib.get_close_matches(str(model), SHIPPED, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"shipped are: {', '.join(SHIPPED)}"
    raise FileNotFoundError(f"{model} is neither the folder nor the name of a model; {hint}")
