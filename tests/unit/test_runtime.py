import ctypes
import os
import platform
import subprocess
import sys

import pytest

from tinygan.runtime import quiet_tensorflow

# Frees and allocates 64 MiB ten times; prints the page faults of the system.
SCRIPT = """
import resource
import torch
from tinygan.runtime import configure_torch

if {kept}:
    configure_torch(1)
for _ in range(20):
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
print(torch.get_num_threads(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def threads_and_pages(kept: bool) -> list[int]:
    command = [sys.executable, "-c", SCRIPT.format(kept=kept)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(number) for number in printed.split()]


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept under glibc only")
def test_freed_memory_is_used_again():
    _, returned = threads_and_pages(kept=False)
    threads, kept = threads_and_pages(kept=True)
    assert threads == 1
    assert kept < returned / 10


@pytest.mark.parametrize(
    ("driver", "chosen", "level"), [(True, None, "2"), (False, None, "3"), (False, "0", "0")]
)
def test_without_a_gpu_tensorflow_does_not_report_that_it_found_none(
    monkeypatch: pytest.MonkeyPatch, driver: bool, chosen: str | None, level: str
) -> None:
    def load(name: str) -> None:
        if not driver:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if chosen:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", chosen)
    quiet_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level
