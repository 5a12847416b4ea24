"""The metadata of a model card, as the Hugging Face Hub reads it: YAML at the top of README.md.

https://huggingface.co/docs/hub/model-cards#model-card-metadata
"""

from collections.abc import Mapping
from typing import Any

import yaml

from tinygan.release.evaluation import METRICS
from tinygan.training.settings import LossSettings

LIBRARY = "tinygan"
# The Hub's nearest task: it has none for images of a class.
_TASK = "unconditional-image-generation"


def model_name(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> str:
    """Return the name of a model: ``tinygan-dw-mini``, or as an imported model is called."""
    if "imported_from" in card:
        return card["variant"]
    parts = [LIBRARY, card["variant"]]
    parts += [evaluation["preset"]] if evaluation else []
    parts += [f"seed{card['seed']}"] if card["seed"] else []
    return "-".join(parts)


def uses_teacher(card: Mapping[str, Any]) -> bool:
    """Whether a model was trained on images of a teacher; so was TinyGAN's, if it is imported."""
    if "imported_from" in card:
        return card["generator"]["architecture"] != "sngan"
    return LossSettings.of(card["loss"]).uses_teacher


def front_matter(
    card: Mapping[str, Any], evaluation: Mapping[str, Any] | None, license: str
) -> str:
    """Return the metadata as YAML between lines of ``---``.

    Args:
        card: the model's card.json.
        evaluation: its scores.json; None: it has no results.
        license: as the Hub spells it, such as ``mit`` or ``other``.
    """
    tags = ["gan", "image-generation", "class-conditional", "pytorch"]
    fields = {
        "license": license,
        "library_name": LIBRARY,
        "pipeline_tag": _TASK,
        "tags": [*tags, "knowledge-distillation"] if uses_teacher(card) else tags,
    }
    if evaluation:
        results = [_results(evaluation)]
        fields["model-index"] = [{"name": model_name(card, evaluation), "results": results}]
    # Lists and settings without others inside are on one line.
    text = yaml.safe_dump(fields, sort_keys=False, default_flow_style=None, width=200)
    return f"---\n{text}---\n"


def _results(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of `model-index`: all scores that the model has, with their settings."""
    scores, data = evaluation["scores"]["model"], evaluation["data"]
    metrics = []
    for key, metric in METRICS.items():
        if scores[key] is None:
            continue
        args = {name: scores[name] for name in ("extractor", "input_size")}
        args["images"] = scores[metric.images]
        if metric.reference:
            args["real_images"] = scores[metric.reference]
        args["interval_95"] = [scores[f"{key}_low"], scores[f"{key}_high"]]
        metrics.append({"type": key, "name": metric.title, "value": scores[key], "args": args})
    return {
        "task": {"type": _TASK, "name": "class-conditional image generation"},
        "dataset": {"type": data["source"], "name": data["title"]},
        "metrics": metrics,
    }
