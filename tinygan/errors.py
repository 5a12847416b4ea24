"""Errors in code that is not ours, with their place; how an error becomes one sentence."""

import importlib
import os
import sys
import sysconfig
import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parent
_LIBRARIES = ("<", *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))


class UserCodeError(RuntimeError):
    """An exception that a user's own code raised; the message names file, line and function.

    Attributes:
        trace: the user's part of the traceback.
    """

    def __init__(self, what: str, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [i for i, frame in enumerate(frames) if _is_ours(frame.filename)]
        frames = frames[own[-1] + 1 :] if own else frames
        # An import goes through frames of the import system first.
        system = ("<frozen", importlib.__file__)
        while len(frames) > 1 and frames[0].filename.startswith(system):
            frames = frames[1:]
        self.trace = "".join(traceback.format_list(frames))
        place = ""
        if isinstance(error, SyntaxError) and error.filename:
            place = f" in {_shown(error.filename)}, line {error.lineno}"
        elif frames:
            # The deepest frame that the user wrote.
            mine = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)]
            frame = (mine or frames)[-1]
            place = f" in {_shown(frame.filename)}, line {frame.lineno}, in {frame.name}"
        super().__init__(f"{what}: {type(error).__name__}{place}: {error}")


def sentence(error: BaseException) -> str:
    """Return an error as one sentence, without a bare error number."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def report(command: str, error: BaseException) -> None:
    """Print an error to standard error, and where it happened if that is not in our own code."""
    print(f"{command}: {sentence(error)}", file=sys.stderr)
    if isinstance(error, UserCodeError):
        print(error.trace, end="", file=sys.stderr)
    elif os.environ.get("TINYGAN_TRACEBACK"):
        traceback.print_exception(error, file=sys.stderr)
    elif not _is_ours(traceback.extract_tb(error.__traceback__)[-1].filename):
        print("(where: call it again with TINYGAN_TRACEBACK=1 in the environment)", file=sys.stderr)


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(_PACKAGE)


def _shown(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
