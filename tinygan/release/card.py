"""The model card, README.md in the Hugging Face Hub's format, from card.json and scores.json."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygan.features.extractor import INCEPTION
from tinygan.release.evaluation import METRICS, SCORED, SCORES_FILE
from tinygan.release.metadata import front_matter, model_name, uses_teacher
from tinygan.training.settings import LossSettings

README, PICTURE = "README.md", "samples.png"
# More class names than this are not listed; card.json has all of them.
_MOST_CLASSES = 20
_ROWS = 10  # of the picture
_TEACHERS = {"tfhub": "a TF-Hub module", "torch": "BigGAN-deep in PyTorch", "python": "a function"}
_NO_LICENSE = "other"
_CITATION = """\
```bibtex
@inproceedings{chang2020tinygan,
  title     = {TinyGAN: Distilling BigGAN for Conditional Image Generation},
  author    = {Chang, Ting-Yun and Lu, Chi-Jen},
  booktitle = {Proceedings of the Asian Conference on Computer Vision (ACCV)},
  year      = {2020}
}
```"""

Json = Mapping[str, Any]


def model_card(
    card: Json, evaluation: Json | None, *, license: str | None = None, picture: bool = False
) -> str:
    """Return the text of README.md.

    Args:
        card: the model's card.json, with the SHA-256 of its weights.
        evaluation: its scores.json, see `tinygan.release.evaluation`; None: it was not scored.
        license: as the Hub spells it; None: that of the evaluation, or ``other``.
        picture: whether `PICTURE` is beside the card, to be shown.
    """
    license = license or (evaluation or {}).get("license") or _NO_LICENSE
    name = model_name(card, evaluation)
    sections = {
        "Use it": _usage(card, name),
        "Training": _training(card, evaluation),
        "Results": _results(evaluation) if evaluation else "This model was not scored here.",
        "Limits": _limits(evaluation),
        "Files": _files(card, evaluation, picture),
        "Licence": _license(license, evaluation),
        "Citation": _citation(card),
    }
    text = [f"# {name}", _introduction(card)]
    text += [_samples(card)] if picture else []
    text += [part for title, body in sections.items() for part in (f"## {title}", body)]
    return front_matter(card, evaluation, license) + "\n" + "\n\n".join(text) + "\n"


def shown_labels(card: Json) -> list[int]:
    """Return the labels that `PICTURE` shows, a row each: all, or ten of them evenly spaced."""
    count = card["generator"]["classes"]
    rows = min(count, _ROWS)
    return [row * count // rows for row in range(rows)]


def weights_of(card: Json) -> dict[str, str]:
    """Return the SHA-256 of each file of weights that a card describes.

    Raises:
        ValueError: it records none, so it is not a card of this project.
    """
    names = ["generator", *(["discriminator"] if card.get("discriminator") else [])]
    keys = {"generator": "sha256", "discriminator": "discriminator_sha256"}
    try:
        return {f"{name}.safetensors": card[keys[name]] for name in names}
    except KeyError as error:
        raise ValueError(f"card.json lacks {error}: train or import the model again") from error


def _introduction(card: Json) -> str:
    shape = card["generator"]
    grey = " grey" if shape.get("image_channels") == 1 else ""
    what = (
        f"A class-conditional generator of{grey} images, {_size(card)} px, of"
        f" {shape['classes']:,} classes, with {card['parameters']:,} parameters"
    )
    if "imported_from" in card:
        return f"{what}. Imported from published weights."
    origin = (
        "distilled from a black-box GAN, its teacher, as in"
        if uses_teacher(card)
        else "trained without a teacher, as a baseline of"
    )
    paper = "*TinyGAN: Distilling BigGAN for Conditional Image Generation* (ACCV 2020)"
    return f"{what}: {origin} {paper}."


def _samples(card: Json) -> str:
    names = ", ".join(_class_names(card, shown_labels(card)))
    return f"![Samples]({PICTURE})\n\n*A row per class, not selected: {names}.*"


def _usage(card: Json, name: str) -> str:
    shape, scale = card["generator"], card["truncation"]
    chosen = list(dict.fromkeys(_class_names(card, [0, shape["classes"] - 1])))
    z = "standard normal" if scale is None else f"truncated normal of scale {scale:g}"
    side = shape["image_size"]
    rows = [
        ("Classes", _all_classes(card)),
        ("Input", f"z [N, {shape['z_dim']}], {z}; class indices [N]"),
        ("Output of `generator.network`", f"images [N, 3, {side}, {side}] in [-1, 1]"),
    ]
    shown = f"uint8 [{8 * len(chosen)}, {side}, {side}, 3]"
    return f"""\
With `tinygan`, a reproduction of TinyGAN (`pip install -e .` in a clone of its repository):

```python
from tinygan import load_generator

generator = load_generator("{name}")  # the folder of this page
images = generator.sample(classes={json.dumps(chosen)}, n=8)  # {shown}
```

```sh
tinygan generate --model {name} --class {shlex.join(chosen)}
```

{_table(("", ""), rows)}"""


def _training(card: Json, evaluation: Json | None) -> str:
    if "imported_from" in card:
        file = card["imported_from"]
        return f"Not trained here: imported from `{file['file']}`, SHA-256 `{file['sha256']}`."
    train, loss = card["train"], LossSettings.of(card["loss"])
    weights = ", ".join(f"`{name}` {weight}" for name, weight in loss.weights.items() if weight)
    judge = card["discriminator_parameters"]
    rows = [
        ("Variant", f"`{card['variant']}`, seed {card['seed']}"),
        *(_data(evaluation, loss) if evaluation else []),
        ("Steps", f"{train['steps']:,}, of {train['batch']} images"),
        ("Loss terms", weights),
        ("Discriminator", f"{judge:,} parameters" if judge else "none"),
        ("Device", card["device"]),
    ]
    note = "`card.json` has every setting, and hashes of the images that it was trained on."
    return f"{_table(('', ''), rows)}\n\n{note}"


def _data(evaluation: Json, loss: LossSettings) -> list[tuple[str, str]]:
    """Return the rows on what the run was given; some variants are trained on a part of it."""
    teacher, data = evaluation["teacher"], evaluation["data"]
    images = data["title"] + (f", `{data['package']}`" if "package" in data else "")
    images += f": {data['shows']}" if "shows" in data else ""
    used = {"Teacher": loss.uses_teacher, "Real images": loss.uses_real}
    rows = {
        "Preset": f"`{evaluation['preset']}`",
        "Teacher": f"`{teacher['name']}`, {_TEACHERS[teacher['kind']]}",
        "Real images": images,
    }
    unused = " (not used in this training)"
    return [(key, text + ("" if used.get(key, True) else unused)) for key, text in rows.items()]


def _results(evaluation: Json) -> str:
    scores = evaluation["scores"]
    own, floor = scores["model"], scores["real"]
    rows = [
        (f"{metric.title} {metric.arrow}", *(_score(scores[name], key) for name in SCORED))
        for key, metric in METRICS.items()
        if own[key] is not None
    ]
    counts = {key: f"{value:,}" for key, value in own.items() if key.endswith("samples")}
    per_class = own["samples"] // len(own["classes"])
    scale = "" if own["truncation"] is None else f", truncation {own['truncation']:g}"
    extractor = f"`{own['extractor']}` at {own['input_size']} px"
    points = {
        "Extractor": f"{extractor}, SHA-256 of its weights `{own['extractor_sha256']}`.",
        "Images": f"{counts['samples']} of this model, {per_class:,} per class{scale}, and"
        f" {scores['teacher']['samples']:,} of the teacher, against {counts['real_samples']} real"
        f" images. FID and Inception score use {counts['overall_samples']} of them, intra-FID, the"
        " mean over the classes, all. KID, precision, recall, density and coverage compare"
        f" {counts['pairwise_samples']} with as many real images (k = {own['prdc_k']}).",
        "Real images": f"{floor['samples']:,} of them scored against the other"
        f" {floor['real_samples']:,}: what a perfect generator would score.",
        "Brackets": "95 % intervals over the images, by a jackknife. They do not cover another seed"
        " of the training.",
    }
    table = _table(("", "this model", "teacher", "real images"), rows)
    return f"{table}\n\n{_list(f'**{key}:** {text}' for key, text in points.items())}"


def _score(scores: Json, key: str) -> str:
    """Return a score with its interval, as far as there are any."""
    value, low, high = scores[key], scores[f"{key}_low"], scores[f"{key}_high"]
    if value is None:
        return "–"
    decimals = METRICS[key].decimals
    interval = "" if low is None else f" [{low:.{decimals}f}, {high:.{decimals}f}]"
    return f"{value:.{decimals}f}{interval}"


def _limits(evaluation: Json | None) -> str:
    points = ["It draws its classes and nothing else."]
    if evaluation:
        shows = evaluation["data"].get("shows")
        points += [f"At best its images look like the real ones: {shows}."] if shows else []
        inception = evaluation["scores"]["model"]["extractor"] in INCEPTION
        others = "" if inception else ", so not with published ones, which use Inception"
        points += [
            "Its scores compare with scores of the same extractor, input size, real images and"
            f" numbers of images only{others}.",
            "It is one training. Another seed gives another model, with other scores.",
        ]
    return _list(points)


def _files(card: Json, evaluation: Json | None, picture: bool) -> str:
    rows = [
        (name, f"weights of the {Path(name).stem}", f"`{digest}`")
        for name, digest in weights_of(card).items()
    ]
    rows.append(("card.json", "architecture, classes, settings, hashes", ""))
    if evaluation:
        rows.append((SCORES_FILE, "the scores unrounded, and their settings", ""))
    if picture:
        rows.append((PICTURE, "the picture above", ""))
    return _table(("", "", "SHA-256"), [(f"`{name}`", *rest) for name, *rest in rows])


def _license(license: str, evaluation: Json | None) -> str:
    if license == _NO_LICENSE:
        return (
            "Not stated. Ask whoever shares this model; the training images and the teacher may"
            " restrict its use."
        )
    data = (evaluation or {}).get("data", {})
    images = f" So are the images of {data['title']}." if data.get("license") == license else ""
    return f"`{license}`.{images}"


def _citation(card: Json) -> str:
    if card["generator"]["architecture"] == "sngan":
        return "Cite the authors of the published weights."
    return _CITATION


def _size(card: Json) -> str:
    side = card["generator"]["image_size"]
    return f"{side} x {side}"


def _class_names(card: Json, labels: Sequence[int]) -> list[str]:
    """Return the names of these labels; where the card has none, the labels themselves."""
    names = card.get("classes")
    return [names[label] if names else str(label) for label in labels]


def _all_classes(card: Json) -> str:
    count = card["generator"]["classes"]
    if count > _MOST_CLASSES:
        return f"{count:,}, named in `card.json`" if card.get("classes") else f"{count:,}, unnamed"
    return ", ".join(_class_names(card, range(count)))


def _list(points: Iterable[str]) -> str:
    return "\n".join(f"- {point}" for point in points)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, with its first column to the left and numbers to the right."""
    lines = [header, [":--", *["--:" if len(header) > 3 else ":--"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
