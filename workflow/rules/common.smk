# What the rules share: the checked config, the names of files, and the code that each step depends on.
import os
import re
import sys
import time
from functools import cache
from importlib import import_module
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import DeploymentMethod

ROOT = Path(workflow.basedir).parent
# Under conda, and on a cluster, the package is not installed: the checkout is the package.
sys.path.insert(0, str(ROOT))

import yaml

from tinygan.assets.cache import is_asset, locate, not_fetched
from tinygan.code import closure, digests, digests_of, file_of
from tinygan.config.read import ConfigError
from tinygan.data.dataset import open_dataset
from tinygan.planning.run import load_files
from tinygan.config.derived import (
    resolve_variant,
    shard_ranges,
    snapshot_steps,
    students,
    sweep_points,
)
from tinygan.features.extractor import INCEPTION, asset_of
from tinygan.export.files import PRECISIONS as EXPORT_PRECISIONS, file_name
from tinygan.planning.disk import require_run
from tinygan.planning.embeddings import require_embeddings
from tinygan.planning.image_counts import require_images
from tinygan.files import digest_json, sha256, write_text
from tinygan.generation.paths import COUNTS, STEPS
from tinygan.teacher import MIXTURE_MODULES, MODULES
from tinygan.training.settings import LossSettings

# A job on a cluster parses the workflow again: it gets the config that it was planned with.
PLANNED = None if workflow.is_main_process else os.environ.get("TINYGAN_PLANNED_CONFIG")
given = workflow.config_settings
try:
    # Not Snakemake's own parser, which turns the class 010 into 8 and accepts duplicate keys.
    config = load_files([PLANNED]) if PLANNED else load_files(given.configfiles, given.config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# A run that has nothing to do deletes the lock of another one, which then protects its files no more.
# So a stage of DVC, which starts Snakemake unseen, ends before that.
if (
    workflow.is_main_process
    and os.environ.get("DVC_STAGE")
    and any(Path(".snakemake/locks").glob("*"))
):
    sys.exit(
        "error: Snakemake is already running in this folder; repeat the DVC command when it has ended"
        " (after kill -9, run: snakemake --unlock); nothing was changed"
    )

STARTED = time.time()
P = f"results/{config['preset']}"
# Parsing the workflow writes nothing. `onstart` writes the config to a file named by its hash, so
# that jobs get the settings they were planned with, even if another run starts meanwhile. The
# sections of the config that a step depends on are its params: a change reruns those steps alone.
CONFIG = f"{P}/configs/{digest_json(config)}.yaml"


def planned(wildcards, output):
    """Return the config file of a job. A param that is a function of `output` never causes a rerun."""
    return CONFIG


DATASET = open_dataset(config["real"]["source"])
DATASET_CODE = f"tinygan.data.real.{config['real']['source']}"
VARIANTS = list(config["variants"])
# Every variant is trained once per seed: name -> (variant, seed), and its resolved config.
STUDENTS = students(config)
# The points of the sweep, and the students of those that no variant trains. `all` makes none of them.
POINTS = sweep_points(config)
SWEPT = students(config | {"variants": [name for name in POINTS if name not in VARIANTS]})
TRAINED = STUDENTS | SWEPT
SOURCES = {name: locate(folder) for name, folder in config["sources"].items()}
RESOLVED = {name: resolve_variant(config, *chosen) for name, chosen in TRAINED.items()}
RANGES = shard_ranges(config)
PAPER_VARIANTS = ["dw", "std", "std_half", "scratch", "no_feat", "no_gan", "no_kd_adv", "pix_only"]
OWN = [variant for variant in VARIANTS if variant not in PAPER_VARIANTS]
SCORED = ["real", "teacher", *STUDENTS, *SOURCES]
# ONNX files are scored like sources, such as dw.int8. `all` makes none of them.
EXPORTED = [f"{variant}.{precision}" for variant in VARIANTS for precision in EXPORT_PRECISIONS]
DRAWN = [source for source in [*SCORED, *SWEPT, *EXPORTED] if source != "real"]
# The keys of `metrics` that decide the features of given images.
EXTRACTION = ["extractor", "input_size", "inception_graph", "batch"]
# Those that decide which images are drawn and kept.
DRAWING = ["samples_per_class", "previews_per_class"]
CURVES = ["dw", "scratch"]
# Figure 10 interpolates the teacher and the student dw; not a teacher that takes no mixture of classes.
INTERPOLATES_TEACHER = config["teacher"]["kind"] in MIXTURE_MODULES
# Students may train on another crop of the real images than the one that they are scored against.
CROP = config["real"]["crop"]
TRAIN_CROP = config["real"]["train_crop"]
REAL_TRAIN = "real" if TRAIN_CROP == CROP else "real_train"
# The files of a shard; real images, and sources from outside, have no z.
WITHOUT_Z = ["manifest.json", "images.npy", "labels.npy"]
SHARD = [*WITHOUT_Z, "z.npy"]
# The folders of images that every run makes. Any other folder there has the name of a student.
CROPS = {"real": CROP, "real_train": TRAIN_CROP}
HARVESTED = ["teacher", "teacher_pairs"]
# Steps that can use a GPU request one, unless the config keeps them on the CPU. They take turns: a
# profile says how many GPUs there are. The CUDA builds of PyTorch and TensorFlow cannot share an
# environment, nor replace the CPU builds where their size matters.
GPUS = 0 if config["device"] == "cpu" else 1
CUDA = "-gpu" if GPUS else ""
TORCH_ENV = f"../envs/torch{CUDA}.yaml"
TENSORFLOW_ENV = f"../envs/teacher{CUDA}.yaml"
GENERATOR = f"{P}/models/{{student}}/generator.safetensors"
CARD = f"{P}/models/{{student}}/card.json"
MOMENTS = f"{P}/features/real/moments.npz"


wildcard_constraints:
    range=r"\d{3}-\d{3}",
    crop="|".join(CROPS),
    student="|".join(TRAINED),
    outside="|".join(SOURCES) or "(?!)",  # without sources, nothing
    variant="|".join(VARIANTS),
    precision="|".join(EXPORT_PRECISIONS),
    source="|".join(map(re.escape, ["real", *DRAWN])),


def log_lines(*starts):
    """Return the lines of this run's logs that begin so, each once, with the log's name."""
    found = {}
    for path in sorted(Path(P, "logs").rglob("*.log")):
        if path.stat().st_mtime >= STARTED:
            for line in path.read_text(errors="replace").splitlines():
                if line.startswith(starts):
                    found.setdefault(line, path)
    return [f"{path}: {line}" for line, path in found.items()]


def folders_written():
    """Return the folders of results that this run's jobs write to, and whose images they write."""
    files = [Path(file) for job in workflow.dag.needrun_jobs() for file in job.output]
    parts = [file.relative_to(P).parts for file in files if file.is_relative_to(P)]
    named = ("images", "previews")
    return {part[0] for part in parts} | {part[1] for part in parts if part[0] in named}


def sections(*names, of=config):
    """Return sections of a config, for params, without the keys that do not affect outputs.

    The threads of the shipped teachers' trainings stay: another number rounds differently.
    """
    idle = ("threads", "nodes", "checkpoint_every", "dvclive")
    return {
        name: (
            {key: value for key, value in of[name].items() if key not in idle}
            if isinstance(of[name], dict) and name not in ("mini_teacher", "mini_diffusion")
            else of[name]
        )
        for name in names
    }


@cache
def code(step, *chosen):
    """Return a digest of the modules that a step's output depends on, for params.

    They are not inputs: a comment, or a renamed local variable, must rerun no training.
    """
    return digest_json(digests_of(step, *chosen))


def architecture(student):
    """Return the module of a student's architecture, for `code`."""
    return f"tinygan.models.students.{RESOLVED[student]['student']['architecture']}"


def script_code(name):
    """Return a digest of a script of analysis/ and of all that it imports of this project."""
    if not (ROOT / "analysis" / f"{name}.py").is_file():
        raise WorkflowError(f"ARTEFACTS in analysis.smk: {name} has no script analysis/{name}.py")
    return digest_json(digests(m for m in closure(f"analysis.{name}") if file_of(m)))


def template_code():
    """Return a digest of what the report is made from: its text, style and script."""
    return digest_json([sha256(path) for path in sorted((ROOT / "analysis/templates").iterdir())])


def trained(*variants):
    """Return the names of the students of these variants or points of the sweep, one per seed."""
    return [name for name, (variant, _) in TRAINED.items() if variant in variants]


def shown(variant):
    """Return the student of a variant whose images the figures show: that of the first seed."""
    return trained(variant)[0]


def loss_terms(variant):
    """Return the loss terms of a variant: they decide, not their weights, whether D is trained."""
    return [term for term, weight in RESOLVED[shown(variant)]["loss"].items() if weight]


def baseline():
    """Return whose images Fig. 7 shows beside those of dw: a source named sngan, or a student."""
    return "sngan" if "sngan" in SOURCES else shown("scratch")


def training(student):
    """Return the name of a student's training: a rule per student, with its own names of files."""
    return "_".join(["train", *Path(student).parts])


def free(target, owner):
    """Return the name of a target of a variant or source, unless a rule or a folder has that name."""
    if target in {known.name for known in workflow.rules} or target in (*CROPS, *HARVESTED):
        section = "variants" if owner in VARIANTS else "sources"
        raise WorkflowError(
            f"config: {section}.{owner}: {target} is the name of another target or folder; choose"
            " another name"
        )
    return target


def no_points(wildcards):
    """Refuse the target `sweep` of an empty section."""
    stop("sweep has no points; list channels of an architecture, e.g. sweep: {dw: [8, 16, 32]}")


def environments(wildcards, output):
    """Return the environments that conda made for the rules; none without --use-conda."""
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        return []
    used = {each.conda_env for each in workflow.rules if each.conda_env}
    return sorted(os.path.normpath(f"{workflow.basedir}/rules/{file}") for file in used)
