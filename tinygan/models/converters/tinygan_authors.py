"""The TinyGAN authors' checkpoint (``model_30.tar``) -> `tinygan.models.student.StudentGenerator`.

The file is a dictionary of `torch.save` whose entry ``G`` is the generator's state dict (``D`` and
the optimizer states are ignored). Published names are on the left, this project's on the right; i
counts the blocks from 0:

    embeding.weight                 embedding.weight           [classes, embedding]
    fc.*                            first.*
    blocks.i.dw_conv1, pw_conv1     blocks.i.conv1.0, conv1.1  ``dw``
    blocks.i.conv1                  blocks.i.conv1             ``std``, and so for conv2
    blocks.i.cbn0, cbn1             blocks.i.norm1, norm2
    blocks.i.c_sc.*                 blocks.i.shortcut.*
    bn.*, colorize.*                norm.*, to_rgb.*

In each cbn, one linear layer ``embed`` computes the gain in its first half and the bias in its
second. This project adds 1 to the gain, so 1 is subtracted from its constant part. The released
code has ``dw`` blocks only; the names for ``std`` are an assumption.
"""

from pathlib import Path

from torch import Tensor

from tinygan.models.converters.foreign import (
    Origin,
    check_names,
    fill,
    read_torch,
    strip_module,
    unchanged,
)
from tinygan.models.student import StudentGenerator
from tinygan.models.students import build_student

TRUNCATION = 0.5  # of z, in the authors' training and evaluation
_WHAT = "a TinyGAN checkpoint of the authors"


def read_student(path: Path) -> tuple[StudentGenerator, dict[str, int | str]]:
    """Read the generator; architecture, channels and sizes follow from the names and shapes.

    Args:
        path: the checkpoint, or a file with the generator's state dict only. Names may begin
            with ``module.``.

    Returns:
        the student in evaluation mode, and the keyword arguments that build it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a checkpoint: wrong names or shapes, damaged, or it contains code.
    """
    content = read_torch(path)
    state = content.get("G", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError(f"{path} is not {_WHAT}: it has no state dict under the key G")
    state = strip_module(state)
    recipe = _recipe(path, state)
    student = build_student(**recipe)
    origins = _origins(recipe["architecture"], len(student.blocks))
    check_names(path, _WHAT, state, {foreign for foreign, _ in origins.values()})
    fill(path, student, state, origins)
    return student.eval(), recipe


def _recipe(path: Path, state: dict[str, Tensor]) -> dict[str, int | str]:
    sizes = {}
    for name in ("embeding.weight", "fc.weight"):
        value = state.get(name)
        if not isinstance(value, Tensor) or value.ndim != 2:
            raise ValueError(f"{path} is not {_WHAT}: it has no matrix {name}")
        sizes[name] = value.shape
    indices = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    blocks = len(indices)
    if indices != {str(i) for i in range(blocks)} or not blocks:
        raise ValueError(f"{path} is not {_WHAT}: its blocks are not 0, 1, 2, ...")
    (classes, embedding), (first, z_dim) = sizes["embeding.weight"], sizes["fc.weight"]
    if first % (16 * 2 ** (blocks - 1)):
        raise ValueError(f"{path}: fc.weight has {first} rows, which do not fit {blocks} blocks")
    return {
        "architecture": "dw" if "blocks.0.dw_conv1.weight" in state else "std",
        "channels": first // (16 * 2 ** (blocks - 1)),
        "classes": classes,
        "image_size": 4 * 2**blocks,
        "z_dim": z_dim,
        "embedding": embedding,
    }


def _origins(architecture: str, blocks: int) -> dict[str, Origin]:
    names = {"embedding.weight": "embeding.weight"}
    for layer, foreign in (("first", "fc"), ("to_rgb", "colorize")):
        names |= {f"{layer}.{part}": f"{foreign}.{part}" for part in ("weight", "bias")}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    names |= {f"norm.{part}": f"bn.{part}" for part in ("weight", "bias", *statistics)}
    origins: dict[str, Origin] = {}
    for block in (f"blocks.{i}" for i in range(blocks)):
        convs = {"shortcut": "c_sc"}
        for i in (1, 2):
            if architecture == "dw":
                convs |= {f"conv{i}.0": f"dw_conv{i}", f"conv{i}.1": f"pw_conv{i}"}
            else:
                convs[f"conv{i}"] = f"conv{i}"
            norm, cbn = f"{block}.norm{i}", f"{block}.cbn{i - 1}"
            names |= {f"{norm}.norm.{part}": f"{cbn}.bn.{part}" for part in statistics}
            origins |= {
                f"{norm}.gain.weight": (f"{cbn}.embed.weight", lambda t: t.chunk(2)[0]),
                f"{norm}.gain.bias": (f"{cbn}.embed.bias", lambda t: t.chunk(2)[0] - 1),
                f"{norm}.bias.weight": (f"{cbn}.embed.weight", lambda t: t.chunk(2)[-1]),
                f"{norm}.bias.bias": (f"{cbn}.embed.bias", lambda t: t.chunk(2)[-1]),
            }
        for conv, foreign in convs.items():
            for part in ("weight", "bias"):
                names[f"{block}.{conv}.{part}"] = f"{block}.{foreign}.{part}"
    return origins | {name: (foreign, unchanged) for name, foreign in names.items()}
