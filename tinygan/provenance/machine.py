"""The machine that this process runs on."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Return ``platform``, ``processor``, ``cores``, ``memory_gb`` (GiB) and ``gpus`` (names)."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages * size / 2**30, 1),
        "gpus": _gpus(),
    }


def _processor() -> str:
    """Return the processor's name where Linux tells it, else its architecture."""
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _gpus() -> list[str]:
    """Return the names of NVIDIA's GPUs, which its driver's command lists."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
