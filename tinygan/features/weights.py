"""Published weights of an extractor: a file in the cache, checked, and read without unpickling."""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from tinygan.assets.cache import PREFIX, require, sha256_problem
from tinygan.files import sha256
from tinygan.models.converters.foreign import check_names, fill, read_torch, unchanged

# Batch norms count their updates; what is computed does not depend on it.
_COUNTER = ".num_batches_tracked"


def load_asset(
    build: Callable[[], nn.Module], asset: str, *, unused: tuple[str, ...] = ()
) -> tuple[nn.Module, str]:
    """Build a network and load an asset's state dict, which names its tensors alike.

    Args:
        build: returns the network.
        asset: the name in `tinygan.assets.table`.
        unused: names of the file that the network does not need.

    Returns:
        the network, frozen and in evaluation mode, and the SHA-256 of the file.

    Raises:
        FileNotFoundError: it has not been fetched; the message says how to.
        ValueError: it is not the published file, or does not have exactly these tensors.
    """
    path = Path(require(f"{PREFIX}{asset}"))
    digest = sha256(path)
    if problem := sha256_problem(asset, digest):
        raise ValueError(f"{path}: {problem}; delete it and run `tinygan fetch {asset}` again")
    tensors, network = _without_counters(read_torch(path)), build()
    names = _without_counters(network.state_dict())
    check_names(path, asset, tensors, [*names, *unused])
    fill(path, network, tensors, {name: (name, unchanged) for name in names})
    return network.eval().requires_grad_(False), digest


def _without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}
