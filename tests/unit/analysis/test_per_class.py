"""Scores per class of another pipeline in place of a student's."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.paths import AUTHORS_SCORES, ROOT
from helpers.run_results import call, reading

from tinygan.classes.imagenet import wnid_of_name

# Figure 11 of the paper, from left to right.
WORST = [
    *["chambered nautilus", "Indian cobra", "sea snake", "triceratops", "tick", "ringneck snake"],
    *["walking stick", "trilobite", "crayfish", "American lobster"],
]


def per_class(*files: Path, fails: bool = False) -> str:
    """Call the script; return its output, or its message."""
    command = [sys.executable, "analysis/per_class.py", "--intra", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def write_animals(path: Path) -> pd.DataFrame:
    """Write made-up scores of the 398 animals as the authors do; return them.

    The last classes of the paper's figure have the highest scores.
    """
    names = list(wnid_of_name())[:398]
    scores = np.linspace(20, 120, 398).round(4)
    scores[[names.index(name) for name in WORST]] = 300 - np.arange(10.0)
    wnids = [wnid_of_name()[name] for name in names]
    spelled = [name.replace(" ", "_") for name in names]
    frame = pd.DataFrame({"wnid": wnids, "name": spelled, "intra_fid": scores})
    frame.to_csv(path, index_label="index")
    return frame


@pytest.mark.skipif(not AUTHORS_SCORES.is_file(), reason="TINYGAN_AUTHORS_SCORES names no file")
def test_the_authors_scores_give_the_classes_and_the_mean_of_the_paper() -> None:
    lines = per_class(AUTHORS_SCORES).splitlines()
    assert lines[0].endswith(": intra-FID of 398 classes") and lines[1] == "  mean 79.19"
    assert [" ".join(line.split()[:-1]) for line in lines[4:]] == WORST


def test_scores_in_the_form_of_the_authors_are_read_by_wnid(tmp_path: Path) -> None:
    frame = write_animals(tmp_path / "theirs.csv")
    lines = per_class(tmp_path / "theirs.csv").splitlines()
    assert lines[1] == f"  mean {frame.intra_fid.mean():.2f}"
    assert lines[2] == f"  standard deviation {np.std(frame.intra_fid):.2f}"
    found = [(" ".join(line.split()[:-1]), line.split()[-1]) for line in lines[4:]]
    assert found == [(name, f"{300 - i:.2f}") for i, name in enumerate(WORST)]
    table = reading.read_class_scores(tmp_path / "theirs.csv")
    assert list(table["wnid"]) == list(frame["wnid"]) and table["name"][2] == "great white shark"


def test_two_files_are_correlated_class_by_class(tmp_path: Path) -> None:
    frame = write_animals(tmp_path / "theirs.csv")
    rng = np.random.default_rng(0)
    ours = frame.assign(intra_fid=frame.intra_fid + rng.normal(0, 40, 398))
    expected = np.corrcoef(frame.intra_fid, ours.intra_fid)[0, 1]
    ours = ours.iloc[::-1].assign(**{"class": range(398), "name": list(wnid_of_name())[397::-1]})
    ours.drop(columns="wnid").to_csv(tmp_path / "ours.csv", index=False)
    last = per_class(tmp_path / "theirs.csv", tmp_path / "ours.csv").splitlines()[-1]
    assert last.startswith("r over the classes, ") and last.endswith(f": {expected:.3f}")
    ours.head(300).drop(columns="wnid").to_csv(tmp_path / "ours.csv", index=False)
    message = per_class(tmp_path / "theirs.csv", tmp_path / "ours.csv", fails=True)
    assert "ours.csv lacks the classes tench" in message and "Traceback" not in message


def test_figures_show_such_scores_in_place_of_a_students(results: Path) -> None:
    """Figures 9 and 11 of the run are the same with its scores in the authors' form."""
    path = results / "intra_fid" / "dw.csv"
    before = call("fig9", results), call("fig11", results)
    frame = pd.read_csv(path).rename(columns={"class": "index"})
    frame.to_csv(path, index=False)
    assert (call("fig9", results), call("fig11", results)) == before
    frame.assign(intra_fid=frame.intra_fid[::-1].to_numpy()).to_csv(path, index=False)
    assert call("fig11", results) != before[1]


GOOD = "index,name,intra_fid\n0,bear,1.5\n1,cat,2\n2,dog,3\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("intra_fid", "fid"),
            "is not a table of scores per class: it needs rows with the columns",
        ),
        (("index", "number"), "class (or index), name and intra_fid"),
        (("0,bear,1.5\n1,cat,2\n2,dog,3\n", ""), "it needs rows with the columns"),
        (("1.5", "inf"), "scores.csv, line 2: intra_fid is not a finite number"),
        (("2\n", "\n"), "scores.csv, line 3: intra_fid is not a finite number"),
        (("2,dog", "x,dog"), "scores.csv, line 4: class is not a finite number"),
        (("2,dog", "1,dog"), "the classes of its 3 rows are not 0 to 2, each once"),
        (("2,dog", "3,dog"), "the classes of its 3 rows are not 0 to 2, each once"),
        (("2,dog", "2.5,dog"), "the classes of its 3 rows are not 0 to 2, each once"),
        (("dog", "cat"), "class 2 has no name, or that of another class"),
        (("dog", ""), "class 2 has no name, or that of another class"),
        ((GOOD, ""), "scores.csv is not a CSV"),
        ((GOOD, "a,b\n1,2,3\n1\n4,5,6,7\n"), "scores.csv is not a CSV"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    assert reading.read_class_scores(write(tmp_path, GOOD)).intra_fid.to_list() == [1.5, 2.0, 3.0]
    assert GOOD.replace(*change) != GOOD
    with pytest.raises(ValueError) as caught:
        reading.read_class_scores(write(tmp_path, GOOD.replace(*change)))
    assert message in str(caught.value) and str(tmp_path / "scores.csv") in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def write(folder: Path, text: str) -> Path:
    (folder / "scores.csv").write_text(text)
    return folder / "scores.csv"


def test_a_file_that_is_missing_or_bad_ends_the_script_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a\n1\n")
    for name, message in (("none.csv", "there is no file"), ("bad.csv", "is not a table")):
        output = per_class(tmp_path / name, fails=True)
        assert output.startswith("error: ") and message in output and output.count("\n") == 1
