# Files from outside: real images, sources, the teacher, initial embeddings. They may be deleted once
# they have been read. All but embeddings are hashes for params: they may be too many to be inputs.
from tinygan.config.derived import parse_range
from tinygan.files import read_json
from tinygan.folders import find_files
from tinygan.planning.assets import missing_assets
from tinygan.planning.origins import real_origin, source_origin, teacher_origin

NO_IMAGES = (
    f"real.path: there is no file or folder {config['real']['path']}; give the path of the"
    " images, e.g. with --config 'real={path: /data/ILSVRC2012_img_train.tar}'"
)
MINI = "resources/mini_teacher"
# The module that this workflow can make is an input, not a file from outside.
SHIPPED = os.path.normpath(config["teacher"]["handle"] or "") == MINI
# What the workflow can make of it; another module in its place may have more files.
MADE = [f"{MINI}/{file}" for file in ("saved_model.pb", "tfhub_module.pb")]


def shipped_module():
    """Return all files of the shipped module, also in variables/: each decides its images."""
    found = find_files(MINI) if os.path.isdir(MINI) else []
    return sorted({*MADE, *(f"{MINI}/{name}" for name, _ in found)})


def stop(message):
    """End with one sentence; Snakemake would wrap an exception of a param in a traceback."""
    sys.exit(f"config: {message}")


def recorded(origin, record):
    """Return a hash, or, where the files are gone, the one that was recorded when the job ran.

    So the outputs of that job stay up to date.
    """
    return Path(record).read_text().strip() if not origin and Path(record).is_file() else origin


def real_images(wildcards):
    """Return the hash over the image files of a shard."""
    origin = real_origin(config, parse_range(wildcards.range))
    origin = recorded(origin, f"{P}/images/{wildcards.crop}/{wildcards.range}.origin")
    if not origin and not Path(config["real"]["path"]).exists():
        stop(NO_IMAGES)
    return origin


def embedding_of(student):
    """Return the input function of a training: its initial E(y), if that is from a file.

    As for the other files from outside, a model that exists does not need it.
    """
    file = RESOLVED[student]["student"]["embedding_file"]

    def existing(wildcards):
        trains = not Path(GENERATOR.format(student=student)).exists()
        if file and trains and not Path(file).is_file():
            stop(f"student.embedding_file: there is no file {file}")
        return file or []

    return existing


def source_files(wildcards):
    """Return the hash over the files of a source that are read for one shard."""
    names = [config["classes"][label] for label in parse_range(wildcards.range)]
    origin = source_origin(SOURCES[wildcards.outside], names)
    return recorded(origin, f"{P}/previews/{wildcards.outside}/{wildcards.range}.origin")


def teacher_files(store, part):
    """Return the teacher's fingerprint, which its shards record."""
    if SHIPPED:
        return ""
    try:
        return teacher_origin(config)
    except (FileNotFoundError, ValueError) as error:
        manifest = Path(f"{P}/images/{store}/{part}/manifest.json")
        if manifest.is_file():
            return read_json(manifest)["provenance"]["teacher"]
        if missing_assets(config, ["harvest"]):  # refused before the first job, not in a dry run
            return ""
        stop(error)
