"""Teachers: black boxes (z, y, truncation) -> images."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# z float [N, z_dim], class indices [N], truncation -> images uint8 [N, H, W, 3].
Teacher = Callable[["np.ndarray", "np.ndarray", float], "np.ndarray"]
