"""The paper's numbers, and which parts of a run are compared with them under the paper's names."""

from collections.abc import Mapping
from typing import Any

import checkout  # noqa: F401
from tinygan.classes.imagenet import imagenet_names
from tinygan.config.derived import VARIANT_SECTIONS, resolve_variant

COST = ["channels", "parameters_total", "parameters_generator", "macs"]
SCORES = ["inception_score", "inception_score_std", "fid", "intra_fid"]

# Tables 1 and 2 of the paper, by the name of the source in this project.
_TABLE1 = {
    "sngan": (64, 72.0e6, 42.0e6, 9.10e9, 31.4, 0.7, 29.0, 84.1),
    "sagan": (64, 81.5e6, 42.0e6, 9.18e9),
    "teacher": (128, 85.0e6, 50.4e6, 8.32e9, 146.1, 1.7, 19.8, 55.6),
    "std": (32, 12.6e6, 9.3e6, 2.29e9, 94.0, 1.2, 21.6, 70.6),
    "std_half": (16, 6.2e6, 2.9e6, 0.58e9, 68.25, 1.0, 27.4, 88.1),
    "dw": (32, 6.4e6, 3.1e6, 0.44e9, 79.19, 1.6, 24.2, 79.1),
}
PAPER: dict[str, dict[str, float]] = {
    source: dict(zip(COST + SCORES, row, strict=False)) for source, row in _TABLE1.items()
} | {
    "no_feat": {"fid": 54.4, "intra_fid": 149.2},
    "no_gan": {"fid": 28.8, "intra_fid": 89.9},
    "no_kd_adv": {"fid": 60.5, "intra_fid": 157.0},
    "pix_only": {"fid": 107.9, "intra_fid": 216.0},
}
PAPER_R = {"dw": 0.54, "std": 0.64}  # Fig. 9
NAMES = {
    "teacher": "teacher",
    "dw": "TinyGAN-dw",
    "std": "TinyGAN-std",
    "std_half": "TinyGAN-std, half ch.",
    "scratch": "from scratch",
    "no_feat": "− L_KD_feat",
    "no_gan": "− L_GAN",
    "no_kd_adv": "− L_KD_S, L_KD_D",
    "pix_only": "L_KD_pix alone",
}

# What a variant must be to have the paper's name: by key a value, or whether the weight is above 0.
# The keys in _FREE may have any value; all others are those of the run's own sections.
_KD = {"loss.kd_student": False, "loss.kd_discriminator": False}
_GAN = {"loss.gan_student": False, "loss.gan_discriminator": False}
_MEANT: dict[str, dict[str, Any]] = {
    "dw": {"student.architecture": "dw"},
    "std": {"student.architecture": "std"},
    "std_half": {"student.architecture": "std"},
    "scratch": {"loss.pixel": False, "loss.feature": False, **_KD}
    | {"loss.gan_student": True, "loss.gan_discriminator": True},
    "no_feat": {"loss.feature": False},
    "no_gan": _GAN,
    "no_kd_adv": _KD,
    "pix_only": {"loss.feature": False, **_KD, **_GAN},
}
_FREE = {"std_half": ["student.channels"], "pix_only": ["loss.pixel_zero_at"]}
# Keys that change the order of sums, and so the rounding, but no formula.
_ROUNDING = [f"train.{key}" for key in ("processes", "threads", "nodes", "compile", "compile_mode")]
_SHOWN = 3


def compares(config: Mapping[str, Any]) -> bool:
    """Return whether the paper's numbers are shown: for the paper's data set and for `mini`."""
    if config["real"]["source"] == "imagenet":
        return list(config["classes"]) == imagenet_names("animals")
    return config["real"]["source"] == "animal_mnist"


def labels(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each variant as the reader sees it.

    A variant with the paper's settings has the paper's name. Any other has its own name and what it
    changes.
    """
    return {name: _label(config, name) for name in config["variants"]}


def own_variants(config: Mapping[str, Any]) -> list[str]:
    """Return the variants that the paper does not have, without those of `rounding_twins`."""
    twins = rounding_twins(config)
    return [name for name in config["variants"] if name not in NAMES and name not in twins]


def own_ablations(config: Mapping[str, Any]) -> list[str]:
    """Return those of them that change the objective alone."""
    return [
        name
        for name in own_variants(config)
        if all(key.startswith("loss.") for key in _changes(config, name))
    ]


def rounding_twins(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the variants that repeat another one with other rounding, and which one they repeat.

    A variant of the paper is never the repetition; of two others it is the later one.
    """
    twins: dict[str, str] = {}
    first: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for name in sorted(config["variants"], key=lambda name: name not in NAMES):
        settings = _flat(resolve_variant(config, name))
        rounding = {key: settings.pop(key) for key in _ROUNDING if key in settings}
        for other, same, others_rounding in first:
            if name not in NAMES and settings == same and rounding != others_rounding:
                twins[name] = other
                break
        else:
            first.append((name, settings, rounding))
    return twins


def _label(config: Mapping[str, Any], name: str) -> str:
    if name in NAMES and _is_the_papers(config, name):
        return NAMES[name]
    changes = [f"{key.split('.')[1]} {_value(v)}" for key, v in _changes(config, name).items()]
    more = [f"{len(changes) - _SHOWN} more"] if len(changes) > _SHOWN else []
    return f"{name}: {', '.join([*changes[:_SHOWN], *more])}" if changes else name


def _is_the_papers(config: Mapping[str, Any], name: str) -> bool:
    changed, resolved = _changes(config, name), _flat(resolve_variant(config, name))
    meant, free = _MEANT[name], _FREE.get(name, [])
    if name == "std_half" and 2 * resolved["student.channels"] != config["student"]["channels"]:
        return False
    return set(changed) <= {*meant, *free} and all(
        _any(resolved[key]) == wanted if isinstance(wanted, bool) else resolved[key] == wanted
        for key, wanted in meant.items()
    )


def _changes(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    base = _flat(config)
    return {
        f"{section}.{key}": value
        for section in VARIANT_SECTIONS
        for key, value in config["variants"][name].get(section, {}).items()
        if base.get(f"{section}.{key}") != value
    }


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{key}": value
        for section in VARIANT_SECTIONS
        for key, value in config[section].items()
    }


def _any(weight: Any) -> bool:
    return any(weight) if isinstance(weight, list) else bool(weight)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else "null" if value is None else str(value)
