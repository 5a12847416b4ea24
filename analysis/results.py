"""Reading what a run has written: scores, scores per class, learning curves and cost."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import checkout  # noqa: F401
from paper import SCORES
from script import present
from tinygan.classes.by_name import match
from tinygan.classes.imagenet import wnid_of_name
from tinygan.files import read_json

EXTRACTOR = ["extractor", "extractor_sha256", "input_size"]
COUNTS = ["samples", "overall_samples", "real_samples"]
# Metrics that the paper does not have; they are in the CSV files alone.
MORE = ["kid", "precision", "recall", "density", "coverage"]
# Those of the score sheet alone; a run that was scored before they existed lacks them.
SHEET = ["fd_infinity", "mmd_rbf", "vendi", "intra_vendi", "authenticity", "copies", "pair_copies"]
# Those that only the teacher and the students have.
WITH_PAIRS = ("pair_copies",)
# Null where the extractor has no classifier, there are only 2 images, or the source has no pairs.
MAYBE_NULL = ("inception_score", "inception_score_std", "fd_infinity", *WITH_PAIRS)


def ends_of(scores: Iterable[str]) -> list[str]:
    """Return the keys of the ends of these scores' intervals."""
    return [f"{score}_{end}" for score in scores for end in ("low", "high")]


INTERVALS = ends_of(("inception_score", "fid", "intra_fid", *MORE))


def name_of(path: Path) -> tuple[str, int]:
    """Return the source or variant of a file of results, and the seed of its training.

    Files are named after them: ``scores/dw.json`` is of dw, seed 0 (or no training at all), and
    ``scores/dw/seed1.json`` of dw, seed 1; see `tinygan.config.derived.students`.
    """
    if seed := re.fullmatch(r"seed(\d+)", path.stem):
        return path.parent.name, int(seed[1])
    return path.stem, 0


def file_name(name: str, seed: int) -> str:
    """Return what `name_of` reads: the name of a source's or student's files, without suffix."""
    return f"{name}/seed{seed}" if seed else name


def seeds_of(files: Sequence[Path], name: str) -> dict[int, Path]:
    """Return the files of a variant by the seed of its training, or the one file of a source.

    Raises:
        ValueError: there is none of that name.
    """
    found = {name_of(path): path for path in files}
    seeds = {seed: path for (owner, seed), path in sorted(found.items()) if owner == name}
    if not seeds:
        raise ValueError(f"there is no file of {name} among {', '.join(map(str, files))}")
    return seeds


def files_of(files: Sequence[Path], names: Iterable[str]) -> dict[str, Path]:
    """Return the files of these sources or variants, after which files are named.

    Raises:
        ValueError: there is none of that name.
    """
    found = {path.stem: path for path in files}
    if missing := [name for name in names if name not in found]:
        raise ValueError(
            f"there is no file of {', '.join(missing)} among {', '.join(map(str, files))}"
        )
    return {name: found[name] for name in names}


def read_scores(
    files: Sequence[Path], sources: Sequence[str], extra: Sequence[str] = ()
) -> pd.DataFrame:
    """Read the scores of these sources and variants.

    Args:
        files: the files of each source and variant, see `name_of`, and maybe of others.
        sources: the names of the sources and variants.
        extra: scores that the files must have too, with their intervals.

    Returns:
        One row per source, or per variant and seed of its training, with the JSON files' keys as
        columns. The index has two levels, `source` and `train_seed`, which is 0 for a source.

    Raises:
        FileNotFoundError: a file is missing; the message names the target that makes it.
        ValueError: a score is missing or not finite, or the extractors or the classes differ. Only
            the ends of an interval may be null, and `MAYBE_NULL`.
    """
    paths = {(name, seed): p for name in sources for seed, p in seeds_of(files, name).items()}
    rows = {student: _read_score(path, extra) for student, path in paths.items()}
    frame = pd.DataFrame(list(rows.values()))
    frame.index = pd.MultiIndex.from_tuples(rows, names=["source", "train_seed"])
    if len(frame[EXTRACTOR].drop_duplicates()) > 1:
        raise ValueError(
            "scores of different extractors do not compare:\n"
            + frame[EXTRACTOR].to_string()
            + "\nscore all sources with the same metrics.extractor and metrics.input_size"
        )
    named = {file_name(*key): row["classes"] for key, row in rows.items() if "classes" in row}
    for name, classes in named.items():
        first = next(iter(named))
        match(named[first], classes, what=f"{first}.json", by=f"{name}.json", exact=True)
    return frame


def _read_score(path: Path, extra: Sequence[str]) -> dict[str, Any]:
    row = dict.fromkeys([*WITH_PAIRS, *ends_of(WITH_PAIRS)]) | read_json(present(path))
    lacking = [key for key in [*EXTRACTOR, *COUNTS] if key not in row]
    absent = [key for key in MAYBE_NULL if row.get(key, "") is None]
    wanted = [key for key in [*SCORES, *MORE, *extra] if key not in absent]
    lacking += [key for key in wanted if not _finite(row.get(key))]
    # The images may have been too few for an interval.
    ends = {key: row.get(key, np.nan) for key in [*INTERVALS, *ends_of(extra)]}
    lacking += [key for key, end in ends.items() if end is not None and not _finite(end)]
    if lacking:
        raise ValueError(f"{path} has no (finite) {', '.join(lacking)}; make it again")
    return row


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def read_csv(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV that must have these columns; only the `optional` ones may have empty cells.

    Raises:
        FileNotFoundError: it is missing; the message names the target that makes it.
        ValueError: a column is missing, a cell is empty or not finite, or there is no row.
    """
    frame = pd.read_csv(present(path))
    missing = [name for name in [*columns, *optional] if name not in frame]
    if missing or frame.empty:
        raise ValueError(f"{path} lacks {', '.join(missing) or 'rows'}; make it again")
    for name in columns:
        bad = frame[name].isna() | frame[name].isin([np.inf, -np.inf])
        if bad.any():
            raise ValueError(f"{path}, line {bad.idxmax() + 2}: {name} is not a finite value")
    return frame


def read_cost(files: Sequence[Path]) -> pd.DataFrame:
    """Read a CSV of costs, indexed by source; a black-box teacher may lack columns, or its row."""
    (path,) = files
    columns = ["source", "parameters_generator", "macs"]
    frame = read_csv(path, columns, ["channels", "parameters_total"])
    return frame.set_index("source")


def read_steps(files: Sequence[Path], variant: str) -> pd.DataFrame | None:
    """Read the steps of interpolations, of the teacher and of a variant's first seed.

    Returns:
        One row per source, kind and path; columns source, kind (z or y), path, largest and mean,
        the largest and the mean step in feature space. None where there is no file.

    Raises:
        ValueError: a path has a mean step of zero.
    """
    if not files:
        return None
    columns = ["source", "kind", "path", "largest", "mean"]
    frame = read_csv(files[0], columns, ["seed"])
    if (frame["mean"] <= 0).any():
        raise ValueError(f"{files[0]}: a mean step is not above zero; make it again")
    student = frame[frame.source == variant]
    first = student[student.seed == next(iter(student.seed), None)]
    return pd.concat([frame[frame.source == "teacher"], first])[columns]


def read_intra_fid(files: Sequence[Path], source: str) -> pd.DataFrame:
    """Read SOURCE.csv, see `read_class_scores`."""
    return read_class_scores(files_of(files, [source])[source])


def read_class_scores(path: Path) -> pd.DataFrame:
    """Read the intra-FID of each class, of this pipeline or of another one.

    Args:
        path: a CSV with the columns class (or index), name, intra_fid and, for ImageNet, wnid.

    Returns:
        Indexed by class, 0, 1, 2, ...; columns name, intra_fid and, if the file has it, wnid. With
        a WNID, the name is that of `tinygan.classes.imagenet`, however the file spells it.

    Raises:
        FileNotFoundError: it is missing; the message names the target that makes it.
        ValueError: a column is missing, a score is not a finite number, or a class is listed twice
            or missing.
    """
    try:
        frame = pd.read_csv(present(path))
    except ValueError as error:
        raise ValueError(f"{path} is not a CSV ({str(error).strip()})") from error
    if "class" not in frame:
        frame = frame.rename(columns={"index": "class"})
    columns = ["class", "name", "intra_fid"]
    if not set(columns) <= set(frame) or frame.empty:
        raise ValueError(
            f"{path} is not a table of scores per class: it needs rows with the columns class (or "
            "index), name and intra_fid"
        )
    for name in ("class", "intra_fid"):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        bad = ~np.isfinite(numbers)
        if bad.any():
            raise ValueError(f"{path}, line {bad.idxmax() + 2}: {name} is not a finite number")
        frame[name] = numbers
    if sorted(frame["class"]) != list(range(len(frame))):
        raise ValueError(
            f"{path}: the classes of its {len(frame)} rows are not 0 to {len(frame) - 1}, each once"
        )
    frame = frame.astype({"class": int}).set_index("class").sort_index()
    if "wnid" in frame:
        names = {wnid: name for name, wnid in wnid_of_name().items()}
        frame["name"] = frame["wnid"].map(names).fillna(frame["name"])
    twice = frame["name"].duplicated() | frame["name"].isna()
    if twice.any():
        raise ValueError(f"{path}: class {twice.idxmax()} has no name, or that of another class")
    return frame


def read_curve(files: Sequence[Path], variant: str) -> pd.DataFrame:
    """Read the learning curves of a variant: FID by step, in order, a column per seed.

    Raises:
        ValueError: the curves of two seeds have different steps.
    """
    curves = {
        seed: read_csv(path, ["step", "fid"]).set_index("step").sort_index().fid
        for seed, path in seeds_of(files, variant).items()
    }
    steps = {tuple(curve.index) for curve in curves.values()}
    if len(steps) > 1:
        raise ValueError(
            f"the learning curves of {variant} have different steps: seeds "
            f"{', '.join(map(str, curves))}; train all of them with the same settings"
        )
    return pd.DataFrame(curves)


def read_intra_pair(
    files: Sequence[Path], student: str
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the teacher's and the student's intra-FID, float [classes] each, and the names.

    The student's are means over its seeds. The classes are matched by name and come in the
    teacher's order.

    Raises:
        ValueError: the two were scored on different classes.
    """
    teacher = read_intra_fid(files, "teacher")
    names = teacher["name"].astype(str).to_list()
    scores = []
    for path in seeds_of(files, student).values():
        table = read_intra_fid([path], path.stem)
        own = table["name"].astype(str).to_list()
        rows = match(own, names, what=str(path), by="intra_fid/teacher.csv", exact=True)
        scores.append(table.intra_fid.to_numpy()[rows])
    return teacher.intra_fid.to_numpy(), np.mean(scores, axis=0), names


def extractor_label(scores: pd.DataFrame) -> str:
    """Return the extractor and its input size, for labels and notes."""
    return f"{scores.extractor.iloc[0]}, {scores.input_size.iloc[0]} px"
