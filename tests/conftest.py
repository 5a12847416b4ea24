import os
import tempfile
from pathlib import Path

import pytest
import torch
from helpers.nasty_folder import write_nasty

# No test depends on what this machine's cache holds.
os.environ["TINYGAN_CACHE"] = str(Path(tempfile.gettempdir(), "tinygan-tests-have-no-cache"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Run PyTorch with one thread: the networks are tiny, and threads would wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """A folder of images with links, hidden files and odd names."""
    return write_nasty(tmp_path)
