"""The options that several subcommands share, and the type of a subcommand."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Config = dict[str, Any]
Arguments = argparse.Namespace
# Its function, and the keyword arguments of `add_argument` for each of its own options.
Subcommand = tuple[Callable[[Config, Arguments], None], dict[str, dict[str, Any]]]

MANIFESTS = {"nargs": "+", "type": Path, "required": True, "metavar": "MANIFEST"}
FOLDER = {"type": Path, "required": True, "metavar": "FOLDER"}
REAL = MANIFESTS | {"help": "shards of real images"}
REAL_FEATURES = MANIFESTS | {"metavar": "NPZ", "help": "features of the real images"}
FEATURES = {"nargs": "+", "type": Path, "metavar": "NPZ", "help": "features of the images"}
CLASSES = {"required": True, "metavar": "FIRST-LAST", "help": "class range, e.g. 000-004"}
MODEL = FOLDER | {"help": "a trained model"}
