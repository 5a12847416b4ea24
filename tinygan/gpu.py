"""Which GPUs a process uses: free ones, by a lock for each.

Snakemake counts GPUs but does not say which of them a job gets. So each job takes those that no
other process of the same user has locked. A lock ends with its process, however that ends.
"""

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

# Seconds between two looks for a free GPU.
_POLL = 1.0
# The locks of this process, which end when their files are closed.
_held: list[IO[str]] = []


def claim_gpus(device: str, count: int = 1) -> None:
    """Wait for free GPUs, lock them and make them the only ones that this process sees.

    Call it before PyTorch or TensorFlow is used; child processes use the same GPUs. It does nothing
    on the CPU, on a machine without NVIDIA GPUs (or without nvidia-ml-py), in a process that
    torchrun has started, if the process has GPUs already, and in a Slurm job, whose GPUs are its
    own.

    Args:
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.
        count: number of GPUs.

    Raises:
        ValueError: fewer GPUs are visible; with ``auto`` and none, there is nothing to claim.
    """
    in_slurm = "SLURM_JOB_ID" in os.environ and "CUDA_VISIBLE_DEVICES" in os.environ
    if device == "cpu" or "RANK" in os.environ or in_slurm or _held:
        return
    gpus = _visible()
    if not gpus:
        return  # `device_of` and TensorFlow report a missing GPU
    if len(gpus) < count:
        raise ValueError(f"{count} GPUs are requested (train.processes), but there are {len(gpus)}")
    waited = False
    while not (chosen := _lock(gpus, count)):
        if not waited:
            text = f"waiting for {count} of {len(gpus)} GPUs, which other processes of tinygan use"
            print(f"tinygan: {text}", file=sys.stderr, flush=True)
        waited = True
        time.sleep(_POLL)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(chosen)


def _visible() -> list[str]:
    """Return the UUIDs of the GPUs that this process may use, in the order of the PCI bus."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        return []
    except pynvml.NVMLError:  # no driver
        return []
    handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
    uuids = [pynvml.nvmlDeviceGetUUID(handle) for handle in handles]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return uuids
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # that of NVML, whose numbers are looked up here
    names = [name.strip() for name in allowed.split(",") if name.strip()]
    return [uuids[int(name)] if _is_index(name, uuids) else name for name in names]


def _is_index(name: str, uuids: Sequence[str]) -> bool:
    return name.isdecimal() and int(name) < len(uuids)


def _lock(gpus: Sequence[str], count: int) -> list[str]:
    """Lock `count` free GPUs and return them; none if fewer are free."""
    folder = Path(tempfile.gettempdir(), f"tinygan-gpus-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    files, chosen = [], []
    for gpu in gpus:
        file = open(folder / gpu.replace("/", "_"), "a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        files.append(file)
        chosen.append(gpu)
        if len(chosen) == count:
            for file in files:
                os.set_inheritable(file.fileno(), True)  # torchrun replaces this process
            _held.extend(files)
            return chosen
    for file in files:
        file.close()
    return []
