import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Run PyTorch with one thread: the networks are tiny, and threads would wait for each other."""
    torch.set_num_threads(1)
