# What jobs request of a cluster: memory, run time, processors, GPUs and nodes.


# Images per second of one core at 128 px: half of what was measured (docs/results/performance.md); for
# harvest and features, of what their multiply-accumulates suggest.
RATES = {"harvest": 2, "sample": 10, "features": 4, "train": 2.5}
GPU_CORES = 100  # not measured: the cores that a GPU is taken to be as fast as
SHORT = 30  # minutes
PER_SHARD = min(config["classes_per_shard"], len(config["classes"]))
SAMPLES = config["metrics"]["samples_per_class"]
PAIRS = config["teacher"]["pairs_per_class"]
# The images of all interpolations of one teacher or student.
INTERPOLATED = sum(COUNTS.values()) * (STEPS + 1)


def minutes(images, *steps, gpus=GPUS):
    """Return the run time to request for some steps with each of these images, less for small ones."""
    speed = (GPU_CORES * gpus or 1) * (128 / config["image_size"]) ** 2
    return SHORT + round(sum(images / RATES[step] / speed / 60 for step in steps))


def more(amount):
    """Return a resource of which a retried job gets two, then three times as much."""
    return lambda wildcards, attempt: attempt * amount


# Measured on a CPU: 4.9 GB for dw of the paper preset, 0.5 GB for mini.
TRAIN_MB = 6000 if config["image_size"] >= 128 else 2000


def training_resources(student):
    """Return what a training requests; Slurm counts memory and processors per node."""
    train = RESOLVED[student]["train"]
    processes, nodes = train["processes"], train["nodes"]
    gpus = GPUS * processes
    resources = {
        "mem_mb": more(TRAIN_MB * processes // nodes),
        "runtime": more(minutes(train["steps"] * train["batch"], "train", gpus=gpus)),
        "gpu": gpus,
        # Otherwise Slurm may spread the GPUs of one node's training over several nodes.
        "nodes": nodes,
    }
    if nodes > 1:
        resources |= {
            # The subcommand calls srun itself, so the executor must not start it as one task.
            "mpi": "srun",
            "tasks": nodes,
            # Without it, the executor takes `tasks` for the tasks per GPU.
            "tasks_per_gpu": 0,
            "cpus_per_task": training_threads(student) // nodes,
            "slurm_extra": f"--gpus-per-node={gpus // nodes}" if gpus else "",
        }
    return resources


def training_threads(student):
    """Return the CPU threads of a training: at least one for each process."""
    train = RESOLVED[student]["train"]
    return max(train["threads"], train["processes"])
