"""Paths that the tests use."""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
BIN = Path(sys.executable).parent
# Photographs of some ImageNet classes (train/WNID/*.JPEG, classes.tsv), beside the checkout unless
# the environment names another folder; tests on them are skipped where there are none.
PHOTOGRAPHS = Path(
    os.environ.get("TINYGAN_TEST_PHOTOGRAPHS", ROOT.parent / "shared/data/imagenet-sample")
)
# The intra-FID of TinyGAN-dw by class as its authors published it, likewise.
AUTHORS_SCORES = Path(
    os.environ.get(
        "TINYGAN_AUTHORS_SCORES",
        ROOT.parent / "shared/data/reference/intra_fid_tinygan_dw.csv",
    )
)
# For processes that import the project and these helpers.
PYTHONPATH = f"{ROOT}{os.pathsep}{TESTS}"
