from pathlib import Path

import pytest
from helpers.training_setup import Stores, make_stores


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """The pairs and the real images of the toy setup."""
    return make_stores(tmp_path)
