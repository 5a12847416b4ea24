"""Teachers: black boxes (z, y, truncation) -> images.

Each kind of teacher is a module with two functions. `handle_fingerprint(handle)` returns what
identifies the teacher. `load_teacher`, with the arguments below, loads it and checks that it is the
teacher that the config describes:

    handle: what the teacher is loaded from, see the module.
    classes: number of the teacher's classes.
    z_dim: length of z.
    image_size: side of the images in pixels.
    threads: CPU threads of the library that runs the teacher; None: the library's default.
    device: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.
    trial: batch size of a first call that checks type and size of the images; 0: no such call.

The returned `Teacher` takes z float [N, z_dim], class indices [N] and the truncation, and returns
uint8 [N, image_size, image_size, 3]. z is passed on unchanged: the caller has scaled it by the
truncation. It raises ValueError for a class index out of range. `tinygan.teacher.open` turns a
truncation of None, for a standard normal z, into 1.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# The module of each `teacher.kind`.
MODULES = {
    "tfhub": "tinygan.teacher.tfhub",
    "torch": "tinygan.teacher.biggan_pytorch",
    "python": "tinygan.teacher.callable",
}
# Of the kinds whose teacher also takes a mixture of classes, the module that calls it with one, see
# `tinygan.teacher.mixtures`. A function of class indices (kind python) takes none.
MIXTURE_MODULES = {
    "tfhub": "tinygan.teacher.mixtures_tfhub",
    "torch": "tinygan.teacher.mixtures_torch",
}
# z float [N, z_dim] or [N, *z_shape], class indices [N], truncation -> images uint8 [N, H, W, 3].
Teacher = Callable[["np.ndarray", "np.ndarray", float | None], "np.ndarray"]
# z float32 [N, z_dim], weights of the classes float32 [N, classes] -> images uint8 [N, H, W, 3].
Mixtures = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]
