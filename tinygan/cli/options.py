"""Options that several subcommands share, and the type of a subcommand."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Config = dict[str, Any]
Arguments = argparse.Namespace
# A function, whose docstring is the help text, and the arguments of `add_argument` for each option.
Subcommand = tuple[Callable[[Config, Arguments], None], dict[str, dict[str, Any]]]

MANIFESTS = {"nargs": "+", "type": Path, "required": True, "metavar": "MANIFEST"}
FOLDER = {"type": Path, "required": True, "metavar": "FOLDER"}
REAL = MANIFESTS | {"help": "manifest.json of the shards of real images"}
REAL_FEATURES = MANIFESTS | {"metavar": "NPZ", "help": "features of the real images"}
FEATURES = {"nargs": "+", "type": Path, "metavar": "NPZ", "help": "features of the images to score"}
CLASSES = {
    "required": True,
    "metavar": "FIRST-LAST",
    "help": "class indices, both ends included, e.g. 000-004",
}
MODEL = FOLDER | {"help": "folder of a trained model"}
OUT = FOLDER | {"help": "folder to write"}
OUT_SHARD = FOLDER | {"help": "folder of the shard to write"}
FILE = FOLDER | {"metavar": "FILE"}
OUT_FILE = FILE | {"help": "file to write"}
# What may be written of a set of images as it is drawn; see `tinygan.cli.generate.outputs_of`.
STREAM = {
    "--scores": {"type": Path, "metavar": "NPZ", "help": "write each class's share of the scores"},
    "--real": {
        "type": Path,
        "metavar": "NPZ",
        "help": "features of the real images of these classes, which --scores compares with",
    },
    "--pairs": {
        "type": Path,
        "metavar": "NPZ",
        "help": "features of the harvested pairs of these classes, for --scores to count copies of",
    },
    "--features": {"type": Path, "metavar": "NPZ", "help": "write the features of all images"},
    "--previews": {
        "type": Path,
        "metavar": "FOLDER",
        "help": "write the first images of each class, metrics.previews_per_class, as a shard",
    },
    "--images": {"type": Path, "metavar": "FOLDER", "help": "write all images, as a shard"},
}
