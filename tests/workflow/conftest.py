from pathlib import Path

import pytest
from helpers.stand_ins import finish


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with all results, written by stand-ins; tests leave it as it is."""
    return finish(tmp_path_factory.mktemp("finished"))
