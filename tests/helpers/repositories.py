"""Git repositories with DVC, and an S3 server on this machine as the remote."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer

from helpers.paths import BIN, ROOT

DVC_FILES = (".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitignore")
# The programs of this environment, which stages of DVC call by name, and an author of commits.
ENVIRONMENT = os.environ | {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    **{f"GIT_{role}_NAME": "test" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "test@example.org" for role in ("AUTHOR", "COMMITTER")},
}


def run(
    folder: Path, *command: str, fails: bool = False, env: Mapping[str, str] | None = None
) -> str:
    """Run a command in a folder; return what it prints.

    Args:
        folder: the working directory.
        command: program and arguments, e.g. ``"dvc", "repro"``.
        fails: whether it has to fail; if not, it has to succeed.
        env: variables to add to the environment.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (done.returncode != 0) == fails, f"{' '.join(command)}\n{done.stdout[-6000:]}"
    return done.stdout


def commit(folder: Path, message: str) -> None:
    """Commit all files that git does not ignore."""
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-q", "-m", message)


def make_repository(checkout: Path) -> Path:
    """Make a checkout a git repository with this project's settings of DVC; return it."""
    for name in DVC_FILES:
        (checkout / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    run(checkout, "git", "init", "-q")
    commit(checkout, "Sources")
    return checkout


@contextmanager
def s3_server(bucket: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Run an S3 server; give its URL, and the environment variables that open it."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        urlopen(Request(f"{url}/{bucket}", method="PUT"))
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        yield url, keys | {"AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1"}
    finally:
        server.stop()
