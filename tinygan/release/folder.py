"""A model's folder to share: weights, card.json, scores.json, a picture and the model card."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tinygan.files import atomic_folder, read_json, require_own, sha256, write_json, write_text
from tinygan.generation.pictures import enlarge, grid, write_png
from tinygan.generation.sampler import Sampler
from tinygan.generation.shipped import model_folder
from tinygan.models.io import load_generator, read_card
from tinygan.release.card import PICTURE, README, model_card, shown_labels, weights_of
from tinygan.release.evaluation import FORMAT, SCORES_FILE
from tinygan.release.metadata import LIBRARY

# All that a release may have.
FILES = (
    *("generator.safetensors", "discriminator.safetensors", "card.json"),
    *(SCORES_FILE, PICTURE, README),
)
_COLUMNS = 8  # of the picture
_TILE = 64  # px: smaller images are enlarged to about this size


class Model(NamedTuple):
    """A model to release.

    Attributes:
        folder: its folder.
        card: its card.json.
        evaluation: its scores.json, see `tinygan.release.evaluation`; None: it was not scored.
        scores: where that is, or, of a student in a run, would be; None: nowhere.
    """

    folder: Path
    card: Mapping[str, Any]
    evaluation: Mapping[str, Any] | None
    scores: Path | None


def open_model(model: str | Path, scores: Path | None = None) -> Model:
    """Read and check what is to be released.

    Args:
        model: see `tinygan.generation.shipped.model_folder`.
        scores: the file of its scores. None: ``scores.json`` in its folder, or the file in the
            folder ``cards`` of its run.

    Raises:
        FileNotFoundError: there is no such model or no such file of scores.
        ValueError: the weights are not those of card.json, or not those that were scored.
    """
    folder = model_folder(model)
    card = read_card(folder)
    _check_weights(folder, card)
    path = scores or _find_scores(folder)
    if path is None or not path.is_file():
        if scores:
            raise FileNotFoundError(f"{scores}: there is no such file of scores")
        return Model(folder, card, None, path)
    found = read_json(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no {SCORES_FILE}: give that of a release, or a run's cards/NAME.json"
        )
    if found["sha256"] != card["sha256"]:
        raise ValueError(
            f"{path} has scores of other weights than those in {folder}: score these (run the "
            "pipeline again), or give their scores with --scores"
        )
    return Model(folder, card, found, path)


def release(model: Model, out: Path, *, license: str | None = None) -> list[str]:
    """Write a model's folder to share, whole or not at all; return the names of its files.

    Args:
        model: see `open_model`.
        out: absent, empty, or an earlier release of a model of this name, which is replaced.
        license: see `model_card`.

    Raises:
        FileExistsError: the folder has other files; nothing was changed.
        ValueError: the weights do not fit the architecture of card.json.
    """
    _require_earlier_release(out, model.card)
    sampler = Sampler(
        str(model.folder), model.folder, dict(model.card), load_generator(model.folder)
    )
    names = [sampler.classes[label] for label in shown_labels(model.card)]
    images = sampler.sample(names, n=_COLUMNS)
    with atomic_folder(out, FILES) as partial:
        for name in (*weights_of(model.card), "card.json"):
            shutil.copyfile(model.folder / name, partial / name)
        if model.evaluation:
            write_json(partial / SCORES_FILE, model.evaluation)
        large = enlarge(images, max(1, _TILE // images.shape[-2]))
        write_png(partial / PICTURE, grid(large, _COLUMNS))
        text = model_card(model.card, model.evaluation, license=license, picture=True)
        write_text(partial / README, text)
        return sorted(path.name for path in partial.iterdir())


def _check_weights(folder: Path, card: Mapping[str, Any]) -> None:
    for name, digest in weights_of(card).items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing, though card.json describes it")
        if sha256(folder / name) != digest:
            raise ValueError(
                f"{folder / name} does not have the SHA-256 in card.json: it is damaged, or of "
                "another training; get the model again"
            )


def _find_scores(folder: Path) -> Path | None:
    """Return where the scores of a model are expected; None if it is in no run."""
    if (folder / SCORES_FILE).is_file():
        return folder / SCORES_FILE
    for models in folder.absolute().parents:
        if models.name == "models" and (models.parent / "config.yaml").is_file():
            path = models.parent / "cards" / f"{folder.absolute().relative_to(models)}.json"
            return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return None


def _require_earlier_release(out: Path, card: Mapping[str, Any]) -> None:
    require_own(out, FILES)
    if not out.is_dir() or not any(out.iterdir()):
        return
    text = (out / README).read_text("utf-8") if (out / README).is_file() else ""
    same = (out / "card.json").is_file() and read_card(out).get("variant") == card["variant"]
    if not (same and f"library_name: {LIBRARY}\n" in text):
        raise FileExistsError(
            f"{out} is no earlier release of {card['variant']}: nothing was changed; give another "
            "folder, or an empty one"
        )
