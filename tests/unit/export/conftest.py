import contextlib
import io
from pathlib import Path
from typing import NamedTuple

import pytest

from tinygan.cli import main


class Exported(NamedTuple):
    """The shipped student, exported by the subcommand: the folder, and what it printed."""

    folder: Path
    said: str
    errors: str


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("exported")
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        assert main(["export", "mini-dw", "--out", str(folder)]) == 0, errors.getvalue()
    return Exported(folder, said.getvalue(), errors.getvalue())
