"""Each process takes GPUs that no other one uses; an NVML of four GPUs stands in for the driver."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT

from tinygan import gpu
from tinygan.runtime import device_of

# An NVML that lists GPUs; `tinygan.gpu` imports it by this name.
NVML = """
class NVMLError(Exception):
    pass

def nvmlInit():
    if not GPUS:
        raise NVMLError("no driver")

def nvmlDeviceGetCount():
    return len(GPUS)

def nvmlDeviceGetHandleByIndex(index):
    return index

def nvmlDeviceGetUUID(handle):
    return GPUS[handle]
"""
CLAIM = """
import os, sys, time
from tinygan.gpu import claim_gpus
try:
    claim_gpus(sys.argv[1], int(sys.argv[2]))
except ValueError as error:
    sys.exit(str(error))
print(os.environ.get("CUDA_VISIBLE_DEVICES", "none"), flush=True)
if sys.argv[3:]:
    os.execv("/bin/cat", ["cat"])  # as torchrun replaces the process
sys.stdin.read()
"""


class Machine:
    """A machine with these GPUs, and the processes that claim some of them."""

    def __init__(self, folder: Path, gpus: list[str]) -> None:
        (folder / "pynvml.py").write_text(f"GPUS = {gpus!r}\n{NVML}")
        path = f"{folder}:{ROOT}"
        self.environment = {"PYTHONPATH": path, "TMPDIR": str(folder), "PATH": ""}
        self.running: list[subprocess.Popen] = []

    def claim(
        self, device: str = "auto", count: int = 1, *words: str, **environment: str
    ) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, device, str(count), *words],
            env=self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def sees(self, *arguments, **environment: str) -> str:
        return self.claim(*arguments, **environment).stdout.readline().strip()


@pytest.fixture
def machine(tmp_path: Path):
    machine = Machine(tmp_path, ["GPU-a", "GPU-b", "GPU-c", "GPU-d"])
    yield machine
    for process in machine.running:
        process.kill()
        process.communicate()


def test_every_process_gets_its_own_gpus_until_it_ends(machine):
    first = machine.claim()
    assert first.stdout.readline() == "GPU-a\n"
    assert machine.sees("cuda", 2) == "GPU-b,GPU-c"
    assert machine.sees() == "GPU-d"
    waiting = machine.claim()
    assert waiting.stderr.readline() == (
        "tinygan: waiting for 1 of 4 GPUs, which other processes of tinygan use\n"
    )
    first.kill()
    assert waiting.stdout.readline() == "GPU-a\n"


def test_a_claim_outlives_the_start_of_torchrun(machine):
    assert machine.sees("auto", 3, "exec") == "GPU-a,GPU-b,GPU-c"
    assert machine.sees() == "GPU-d"


def test_only_visible_gpus_are_claimed(machine):
    assert machine.sees("cuda", 1, CUDA_VISIBLE_DEVICES="2,3") == "GPU-c"
    assert machine.sees("cuda", 1, CUDA_VISIBLE_DEVICES="2,GPU-b") == "GPU-b"
    assert machine.sees("cuda", 1, CUDA_VISIBLE_DEVICES="") == ""


def test_the_choice_of_slurm_and_of_torchrun_is_respected(machine):
    assert machine.sees("cuda", 1, CUDA_VISIBLE_DEVICES="0", SLURM_JOB_ID="7") == "0"
    assert machine.sees("cuda", 1, CUDA_VISIBLE_DEVICES="GPU-x", RANK="1") == "GPU-x"
    assert machine.sees() == "GPU-a"  # they locked nothing


def test_nothing_is_claimed_on_the_cpu_or_without_gpus(machine, tmp_path):
    assert machine.sees("cpu") == "none"
    (tmp_path / "bare").mkdir()
    assert Machine(tmp_path / "bare", []).sees("cuda") == "none"


def test_more_gpus_than_there_are_is_an_error(machine):
    _, error = machine.claim("auto", 5).communicate()
    assert error == "5 GPUs are requested (train.processes), but there are 4\n"


def test_a_process_claims_once(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "_visible", lambda: ["GPU-a"])
    monkeypatch.setattr(gpu, "_held", [])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for _ in range(2):
        gpu.claim_gpus("auto")
    assert len(gpu._held) == 1
    gpu._held[0].close()


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device_of("auto").type == device_of("cpu").type == "cpu"
    with pytest.raises(ValueError, match="device is cuda, but PyTorch sees no GPU"):
        device_of("cuda")


def test_a_gpu_that_does_not_exist_is_an_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(ValueError, match="PyTorch sees 2 GPUs, fewer than train.processes"):
        device_of("cuda", 2)
