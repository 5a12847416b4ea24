"""Standard output and error: what is computed is not lost because somebody stopped reading it."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

# The exit status of a tool that wrote to a pipe whose reader has gone.
BROKEN_PIPE = 128 + signal.SIGPIPE


class ReaderHasGone(Exception):
    """Nobody reads standard output any more, as after `| head`."""


class _Stream:
    """A stream that drops what is written once its reader has gone, and says so if it matters."""

    def __init__(self, stream: TextIO, *, matters: bool):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        self._stream, self._matters = stream, matters

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._do(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._do(self._stream.flush)

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError:
            # Also what Python would write at its end, and complain.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
            if self._matters:
                raise ReaderHasGone from None


@contextmanager
def patient_streams() -> Iterator[None]:
    """Replace characters that a terminal does not know, and go on without readers of the progress.

    Raises:
        ReaderHasGone: by whatever writes to standard output; not by what writes to standard error.
    """
    output, error = _Stream(sys.stdout, matters=True), _Stream(sys.stderr, matters=False)
    with redirect_stdout(output), redirect_stderr(error):
        try:
            yield
        finally:
            output.flush()
