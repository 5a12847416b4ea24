"""Standard output and error that tolerate closed pipes, so that no computed result is lost."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

# The exit status of a tool that wrote to a closed pipe.
BROKEN_PIPE = 128 + signal.SIGPIPE


class OutputClosed(Exception):
    """The reader of standard output has exited, as with `| head`."""


class _Stream:
    """A text stream that discards its output once the reader has exited.

    Args:
        stream: the stream to write to.
        required: raise `OutputClosed` when the reader has exited; else continue silently.
    """

    def __init__(self, stream: TextIO, *, required: bool) -> None:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        self._stream, self._required = stream, required

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
            # Redirect the stream, or Python's flush at exit would print an error.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
            if self._required:
                raise OutputClosed from None


@contextmanager
def tolerant_streams() -> Iterator[None]:
    """Replace characters that the terminal cannot print, and ignore a closed standard error.

    Raises:
        OutputClosed: on a write to standard output whose reader has exited.
    """
    output, error = _Stream(sys.stdout, required=True), _Stream(sys.stderr, required=False)
    with redirect_stdout(output), redirect_stderr(error):
        try:
            yield
        finally:
            output.flush()
