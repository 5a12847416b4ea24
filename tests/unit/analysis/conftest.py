from pathlib import Path

import pytest
from helpers.run_results import write_results


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results of a finished run."""
    return write_results(tmp_path / "results")
