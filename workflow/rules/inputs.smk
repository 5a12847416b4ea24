# The names of the files that rules read and write.


def shards(source, *files, ranges=RANGES, kind="images"):
    """Return these files of every shard of a source."""
    return [f"{P}/{kind}/{source}/{r}/{file}" for r in ranges for file in files]


def previews_of(source):
    """Return the manifests of a source's previews, for rules that show images."""
    return shards(source, "manifest.json", kind="previews")


def pools():
    """Return what stays of the real and of the teacher's images, as images and features.

    Rules that read a shard have its manifest as input, and compare the arrays with it; as targets,
    deleted arrays are made again.
    """
    real = [
        file
        for source in dict.fromkeys(["real", REAL_TRAIN])
        for file in shards(source, *WITHOUT_Z)
    ]
    teacher = shards("teacher_pairs", *SHARD) + shards("teacher", *SHARD, kind="previews")
    extracted = features("teacher") + features("teacher_pairs")
    return real, teacher + shards("teacher", "manifest.json") + extracted


def images_of(source, part):
    """Return the files of a shard of real images, or of the teacher's.

    The teacher's arrays are temporary: only an input stays until it is read.
    """
    names = SHARD if source == "teacher" else ["manifest.json"]
    return shards(source, *names, ranges=[part])


def scores_of(*sources):
    return [f"{P}/scores/{source}.json" for source in sources]


def intra_of(*sources):
    return [f"{P}/intra_fid/{source}.csv" for source in sources]


def curves_of(*students):
    return [f"{P}/scores/curve/{student}.csv" for student in students]


def paths_of(*sources):
    """Return the files of the interpolations of some students, after the teacher's if it has any."""
    sources = ["teacher", *sources] if INTERPOLATES_TEACHER else sources
    folders = [f"{P}/interpolation/{source}/paths" for source in sources]
    return [f"{folder}/{name}" for folder in folders for name in ("manifest.json", "images.npy")]


def discriminator_of(student):
    """Return the weights of a student's discriminator; none where no loss term trains one."""
    has_one = LossSettings.of(RESOLVED[student]["loss"]).needs_discriminator
    return [f"{P}/models/{student}/discriminator.safetensors"] if has_one else []


def snapshots(student):
    """Return the weights of the points of a student's learning curve."""
    folder = f"{P}/models/{student}/snapshots"
    return [f"{folder}/{step:06d}.safetensors" for step in snapshot_steps(RESOLVED[student])]


def features(source):
    """Return the feature files of a source."""
    return [f"{P}/features/{source}/{r}.npz" for r in RANGES]


def scored(wildcards):
    """Return the files that the scores of a source are computed from, by option.

    Of the real images, as many as a model has samples are scored against the others: the floor.
    """
    if wildcards.source == "real":
        return {"real": features("real")}
    if wildcards.source == "teacher":
        pools = {"real": "real", "images": "teacher", "pairs": "teacher_pairs"}
        return {option: features(pool) for option, pool in pools.items()}
    parts = [f"{P}/class_scores/{wildcards.source}/{r}.npz" for r in RANGES]
    return {"classes": parts, "moments": [MOMENTS]}


def exported(variant):
    """Return the names that the ONNX files of a variant are scored as."""
    return [f"{variant}.{precision}" for precision in EXPORT_PRECISIONS]
