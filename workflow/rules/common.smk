# What the rules share: the checked config, the names of files, and the code that a step depends on.
import os
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir).parent
# Under conda, and on a cluster, the package is not installed: the checkout is the package.
sys.path.insert(0, str(ROOT))

import yaml

from tinygan.code import closure, code_of, file_of
from tinygan.config.read import ConfigError
from tinygan.planning.run import load_files
from tinygan.config.derived import resolve_variant, shard_ranges, snapshot_steps, teacher_handle
from tinygan.planning.disk import require_run
from tinygan.planning.image_counts import require_images
from tinygan.files import digest_json, write_text

# On a cluster a job reads the workflow anew: it takes the config that it was planned with.
PLANNED = None if workflow.is_main_process else os.environ.get("TINYGAN_PLANNED_CONFIG")
given = workflow.config_settings
try:
    # Not Snakemake's own reading: it turns the class 010 into 8, and takes a key that stands twice.
    config = load_files([PLANNED]) if PLANNED else load_files(given.configfiles, given.config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

STARTED = time.time()
P = f"results/{config['preset']}"
# Reading the workflow writes nothing. `onstart` writes the config under a name that follows from
# its content, so that jobs get the settings they were planned with, whatever is called meanwhile.
# The sections that a step depends on are its params, so that a change reruns what it concerns and
# no more.
CONFIG = f"{P}/configs/{digest_json(config)}.yaml"


def planned(wildcards, output):
    """Return the config that a job reads: of its params, one by `output` is no reason to rerun."""
    return CONFIG


VARIANTS = list(config["variants"])
SOURCES = config.get("sources", {})
RESOLVED = {variant: resolve_variant(config, variant) for variant in VARIANTS}
RANGES = shard_ranges(config)
PAPER_VARIANTS = ["dw", "std", "std_half", "scratch", "no_feat", "no_gan", "no_kd_adv", "pix_only"]
OWN = [variant for variant in VARIANTS if variant not in PAPER_VARIANTS]
# The sections that tell what a variant changes, and so what it is called in tables.
LABELLED = ["student", "train", "loss", "variants"]
SCORED = ["real", "teacher", *VARIANTS, *SOURCES]
GENERATED = "|".join([*VARIANTS, *SOURCES])
CURVES = ["dw", "scratch"]
# Students may train on another crop of the real images than the one that they are scored against.
CROP = config["real"].get("crop")
TRAIN_CROP = config["real"].get("train_crop", CROP)
REAL_TRAIN = "real" if TRAIN_CROP == CROP else "real_train"
GENERATOR = f"{P}/models/{{variant}}/generator.safetensors"
CARD = f"{P}/models/{{variant}}/card.json"


wildcard_constraints:
    range=r"\d{3}-\d{3}",
    source="real|teacher",
    variant="|".join(VARIANTS),
    outside="|".join(SOURCES) or "(?!)",  # without sources, nothing


def said(*starts):
    """Return what jobs of this run have written in their logs, of lines that begin so, once each."""
    found = {}
    for path in sorted(Path(P, "logs").rglob("*.log")):
        if path.stat().st_mtime >= STARTED:
            for line in path.read_text(errors="replace").splitlines():
                if line.startswith(starts):
                    found.setdefault(line, path)
    return [f"{path}: {line}" for line, path in found.items()]


def sections(*names, of=config):
    """Return the named sections of a config, for params, without what decides no output.

    The threads of the mini teacher's training stay: with another number it rounds differently.
    """
    idle = ("threads", "checkpoint_every", "dvclive")
    return {
        name: (
            {key: value for key, value in of[name].items() if key not in idle}
            if isinstance(of[name], dict) and name != "mini_teacher"
            else of[name]
        )
        for name in names
    }


def code(step, *chosen):
    """Return the modules that decide a step's output, see tinygan/code.py."""
    return [os.path.relpath(path) for path in code_of(step, *chosen)]


def script_code(name):
    """Return what a script of analysis/ imports of this project."""
    if not (ROOT / "analysis" / f"{name}.py").is_file():
        return []
    modules = closure(f"analysis.{name}") - {f"analysis.{name}"}
    return sorted(os.path.relpath(path) for path in map(file_of, modules) if path)


def shards(source, *files):
    """Return these files of every shard of a source."""
    return [f"{P}/images/{source}/{r}/{file}" for r in RANGES for file in files]


def pools():
    """Return all files of the shards that stay, for targets: a deleted array is made again.

    What reads a shard has its manifest as input, and compares the arrays with it.
    """
    names = ["manifest.json", "images.npy", "labels.npy"]
    real = [
        file for source in dict.fromkeys(["real", REAL_TRAIN]) for file in shards(source, *names)
    ]
    return real, shards("teacher_pairs", *names, "z.npy") + shards("teacher", *names, "z.npy")


def sampled(variant, ranges=RANGES):
    """Return the images of a variant, or of a source from outside, which has no z.

    They are temporary, so every array is named.
    """
    files = ["manifest.json", "images.npy", "labels.npy"]
    files += [] if variant in SOURCES else ["z.npy"]
    return [f"{P}/images/{variant}/{r}/{file}" for r in ranges for file in files]


def scores_of(*sources):
    return [f"{P}/scores/{source}.json" for source in sources]


def intra_of(*sources):
    return [f"{P}/intra_fid/{source}.csv" for source in sources]


def snapshots(variant):
    """Return the weights of the points of a variant's learning curve."""
    folder = f"{P}/models/{variant}/snapshots"
    return [f"{folder}/{step:06d}.safetensors" for step in snapshot_steps(RESOLVED[variant])]


def features(source):
    """Return the feature files of a source, which are temporary."""
    return [f"{P}/features/{source}/{r}.npz" for r in RANGES]


def reported(path, category, label, caption):
    """Mark a file for the report.

    It has one label: of several, the report makes a switch where one has two values, and fails.
    """
    return report(path, category=category, labels={"result": label}, caption=caption)


def table_files(name, title):
    """Return the files of a table, of which the page is read in the report."""
    path, caption = f"{P}/tables/{name}", f"../report/{name}.rst"
    return [
        f"{path}.md",
        reported(f"{path}.html", "Tables", title, caption),
        reported(f"{path}.csv", "Tables", f"{title} (CSV)", caption),
        reported(f"{path}.tex", "Tables", f"{title} (LaTeX)", caption),
    ]


def figure_files(name, title):
    """Return the files of a figure."""
    path, caption = f"{P}/figures/{name}", f"../report/{name}.rst"
    return [
        reported(f"{path}.png", "Figures", title, caption),
        reported(f"{path}.pdf", "Figures", f"{title} (PDF)", caption),
    ]


# The keys of `metrics` that decide the features; the others decide only what is made of them.
EXTRACTION = ["extractor", "input_size", "inception_graph", "batch"]

# The rules whose jobs write what is counted before a run starts.
WRITERS = {
    "real": {"real", "real_shard"},
    "real_train": {"real_train_shard"},
    "teacher_pairs": {"harvest_pairs"},
    "teacher": {"harvest_evaluation"},
    "samples": {"sample", "source"},
    "features": {"features", "features_sampled"},
    "models": {f"train_{variant}" for variant in VARIANTS},
    "checkpoints": {f"train_{variant}" for variant in VARIANTS},
}
SCORING = {"floor", "score_teacher", "score_variant"}


# Before the first job, and not in a dry run.
onstart:
    # Missing images and a full disk are found now, not hours later.
    planned_jobs = list(workflow.dag.needrun_jobs())
    writing = {job.rule.name for job in planned_jobs}
    if (
        writing & {"real_shard", "real_train_shard"}
        and not Path(config["real"]["path"]).exists()
    ):
        stop(NO_IMAGES)
    for source in {job.wildcards.outside for job in planned_jobs if job.rule.name == "source"}:
        if not Path(SOURCES[source]).is_dir():
            stop(f"sources.{source}: there is no folder {SOURCES[source]}")
    kinds = [kind for kind, writers in WRITERS.items() if writing & writers]
    try:
        if not os.environ.get("TINYGAN_IGNORE_DISK"):
            require_run(config, Path(P), kinds)
    except ValueError as error:  # a folder of images that cannot be read
        raise WorkflowError(str(error)) from None
    except OSError as error:
        raise WorkflowError(
            f"{error}\nMake room, or set TINYGAN_IGNORE_DISK=1 to start all the same."
        ) from None
    # So are too few images.
    try:
        if writing & SCORING:
            made = [] if writing & WRITERS["real"] else shards("real", "manifest.json")
            require_images(config, [Path(manifest) for manifest in made])
    except (OSError, ValueError) as error:
        raise WorkflowError(str(error)) from None
    text = yaml.safe_dump(config, sort_keys=False)
    write_text(CONFIG, text)
    # For people, and for commands by hand.
    write_text(f"{P}/config.yaml", text)
    os.environ.update(TINYGAN_PLANNED_CONFIG=CONFIG)
