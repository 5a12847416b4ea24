"""Errors for the user: one sentence each, and the location of an error in the user's own code."""

import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PACKAGE = Path(__file__).parent
_LIBRARIES = ("<", *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))


class UserCodeError(RuntimeError):
    """An exception raised by the user's own code; the message has file, line and function.

    Attributes:
        trace: the user's part of the traceback, formatted.
    """

    def __init__(self, what: str, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        inside = [i for i, frame in enumerate(frames) if _in_package(frame.filename)]
        frames = frames[inside[-1] + 1 :] if inside else frames
        # An import starts with frames of the import system.
        system = ("<frozen", importlib.__file__)
        while len(frames) > 1 and frames[0].filename.startswith(system):
            frames = frames[1:]
        self.trace = "".join(traceback.format_list(frames))
        location = ""
        if isinstance(error, SyntaxError) and error.filename:
            location = f" in {_relative(error.filename)}, line {error.lineno}"
        elif frames:
            # The deepest frame that is not in a library.
            user_frames = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)]
            frame = (user_frames or frames)[-1]
            location = f" in {_relative(frame.filename)}, line {frame.lineno}, in {frame.name}"
        super().__init__(f"{what}: {type(error).__name__}{location}: {error}")


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Turn the lack of a package into RuntimeError, with the extra of this project that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tinygan"):
            raise
        raise RuntimeError(
            f"this needs the package {error.name}: pip install 'tinygan[{name}]'"
        ) from error


def sentence(error: BaseException) -> str:
    """Return an error as one sentence, without a bare error number."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def report(command: str, error: BaseException) -> None:
    """Print an error to standard error, with a hint at the traceback if it is from a library."""
    print(f"{command}: {sentence(error)}", file=sys.stderr)
    if isinstance(error, UserCodeError):
        print(error.trace, end="", file=sys.stderr)
    elif os.environ.get("TINYGAN_TRACEBACK"):
        traceback.print_exception(error, file=sys.stderr)
    elif not _in_package(traceback.extract_tb(error.__traceback__)[-1].filename):
        print("(for a traceback, set TINYGAN_TRACEBACK=1 and run again)", file=sys.stderr)


def _in_package(filename: str) -> bool:
    return Path(filename).is_relative_to(_PACKAGE)


def _relative(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
