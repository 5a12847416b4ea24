"""Files with the initial class embedding E(y): refused before the first job, not hours later."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinygan.config.derived import resolve_variant


def require_embeddings(config: Mapping[str, Any], variants: Iterable[str]) -> None:
    """Refuse trainings whose `student.embedding_file` cannot be used.

    Without PyTorch, as where Snakemake makes an environment per rule, nothing is checked: the
    training refuses the file with the same message.

    Args:
        config: validated, `classes` as names.
        variants: those that are to be trained.

    Raises:
        FileNotFoundError, ValueError: see `tinygan.models.embedding.read_embedding`.
    """
    students = [resolve_variant(config, name)["student"] for name in variants]
    files = {(s["embedding_file"], s["embedding"]) for s in students if s["embedding_file"]}
    if not files or find_spec("torch") is None:
        return
    from tinygan.models.embedding import read_embedding

    for file, length in sorted(files):
        read_embedding(Path(file), (len(config["classes"]), length))
