"""The intra-FID of each class in the terminal: mean, deviation, the worst classes, correlation.

It needs no images and no config. A file may be one of this pipeline, intra_fid/SOURCE.csv, or any
other CSV with the columns class (or index), name, intra_fid and, for ImageNet, wnid.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from measures import correlation, worst_classes
from results import read_class_scores
from tinygan.classes.by_name import match


def report(files: Sequence[Path]) -> str:
    """Return the summary of each file, and Pearson's r of each with the first one.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `read_class_scores`; or a file has other classes than the first.
    """
    if missing := [str(path) for path in files if not path.is_file()]:
        raise FileNotFoundError(f"there is no file {', '.join(missing)}")
    first, *others = tables = [read_class_scores(path) for path in files]
    parts = [_summary(*pair) for pair in zip(files, tables, strict=True)]
    for path, table in zip(files[1:], others, strict=True):
        names = [list(frame["name"].astype(str)) for frame in (table, first)]
        rows = match(*names, what=str(path), by=str(files[0]), exact=True)
        r = correlation(first.intra_fid.to_numpy(), table.intra_fid.to_numpy()[rows])
        value = "none (too few classes, or equal scores)" if r is None else f"{r:.3f}"
        parts.append(f"r over the classes, {files[0]} and {path}: {value}")
    return "\n\n".join(parts)


def _summary(path: Path, table: pd.DataFrame) -> str:
    scores, worst = table.intra_fid, worst_classes(table.intra_fid.to_dict())
    width = max(len(str(table["name"][label])) for label in worst)
    lines = [f"{path}: intra-FID of {len(table)} classes", f"  mean {scores.mean():.2f}"]
    lines += [f"  standard deviation {scores.std(ddof=0):.2f}", "  worst classes:"]
    lines += [f"    {table['name'][c]:<{width}}  {scores[c]:7.2f}" for c in worst]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python analysis/per_class.py --intra results/mini/intra_fid/dw.csv",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = {"nargs": "+", "type": Path, "required": True, "metavar": "FILE"}
    parser.add_argument("--intra", **option, help="scores per class; r is with the first file")
    try:
        print(report(parser.parse_args().intra))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: {error}")
