# The teacher, a black box: z, y -> images. Also the trainings of the two teachers that are shipped.
TEACHER_CODE = MODULES[config["teacher"]["kind"]]
MIXTURE_CODE = MIXTURE_MODULES.get(config["teacher"]["kind"])
if config["teacher"]["kind"] == "tfhub":
    TEACHER_ENV = TENSORFLOW_ENV
    TEACHER_MB = 7000 if config["image_size"] >= 128 else 1500
else:
    TEACHER_ENV = TORCH_ENV
    TEACHER_MB = 3500


rule harvest:
    input:
        module=shipped_module() if SHIPPED else [],
    output:
        manifest=f"{P}/images/{{split}}/{{range}}/manifest.json",
        images=f"{P}/images/{{split}}/{{range}}/images.npy",
        labels=f"{P}/images/{{split}}/{{range}}/labels.npy",
        z=f"{P}/images/{{split}}/{{range}}/z.npy",
    log:
        f"{P}/logs/harvest/{{split}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/harvest/{{split}}/{{range}}.tsv"
    conda:
        TEACHER_ENV
    threads: 1
    resources:
        mem_mb=more(TEACHER_MB),
        runtime=more(
            minutes("harvest", PER_SHARD * max(SAMPLES, config["teacher"]["pairs_per_class"]))
        ),
        gpu=GPUS,
    params:
        config=planned,
        code=code("harvest", TEACHER_CODE, DATASET_CODE),
        split=lambda wildcards: SPLITS[wildcards.split],
        origin=teacher_files,
        folder=subpath(output.manifest, parent=True),
        settings=lambda wildcards: sections("seed", "image_size", "z_dim", "classes", "teacher")
        # The number of training pairs per class is in `teacher`.
        | (
            {"samples": config["metrics"]["samples_per_class"]}
            if SPLITS[wildcards.split] == "evaluation"
            else {}
        ),
        # It determines the meaning of the teacher's own labels.
        real=config["real"]["source"],
    shell:
        "python -m tinygan harvest --config {params.config} --threads {threads} --split {params.split}"
        " --classes {wildcards.range} --out {params.folder} > {log} 2>&1"


rule teacher:
    input:
        pools()[1],


# The teacher's images between classes and latent vectors, if it can draw them.
if INTERPOLATES_TEACHER:

    rule interpolate_teacher:
        input:
            # It records the teacher's fingerprint.
            harvested=shards("teacher", "manifest.json", ranges=RANGES[:1]),
        output:
            manifest=temp(f"{P}/interpolation/teacher/paths/manifest.json"),
            images=temp(f"{P}/interpolation/teacher/paths/images.npy"),
        log:
            f"{P}/logs/interpolate_teacher.log",
        benchmark:
            f"{P}/benchmarks/interpolate_teacher.tsv"
        conda:
            TEACHER_ENV
        threads: 1
        resources:
            mem_mb=more(TEACHER_MB),
            runtime=more(minutes("harvest", INTERPOLATED)),
            gpu=GPUS,
        params:
            config=planned,
            code=code("interpolate-teacher", MIXTURE_CODE, DATASET_CODE),
            folder=subpath(output.manifest, parent=True),
            settings=sections("seed", "image_size", "z_dim", "classes", "teacher"),
            real=config["real"]["source"],
        shell:
            "python -m tinygan interpolate-teacher --config {params.config} --threads {threads}"
            " --out {params.folder} > {log} 2>&1"


# The shipped module is an input of `all`, not part of it: where it is present, its rule has a mark as
# output instead of the module, so that only the target mini_teacher trains it.
MARK = [f"{P}/mini_teacher/exported"]
MINI_IMAGES = config["mini_teacher"]["steps"] * config["mini_teacher"]["batch"]


rule train_teacher:
    input:
        real=shards("real", "manifest.json"),
    output:
        weights=f"{P}/mini_teacher/generator.safetensors",
        table=f"{P}/mini_teacher/log.csv",
    log:
        f"{P}/logs/train_teacher.log",
    benchmark:
        f"{P}/benchmarks/train_teacher.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["mini_teacher"]["threads"]
    resources:
        mem_mb=more(3000),
        runtime=more(minutes("train", MINI_IMAGES, gpus=0)),
    params:
        config=planned,
        code=code("train-teacher"),
        folder=subpath(output.weights, parent=True),
        settings=sections("seed", "image_size", "z_dim", "classes", "mini_teacher"),
    shell:
        "python -m tinygan train-teacher --config {params.config} --threads {threads} --real {input.real}"
        " --out {params.folder} > {log} 2>&1"


rule export_teacher:
    input:
        weights=rules.train_teacher.output.weights,
    output:
        MARK if all(Path(file).is_file() for file in MADE) else MADE,
    log:
        f"{P}/logs/export_teacher.log",
    benchmark:
        f"{P}/benchmarks/export_teacher.tsv"
    conda:
        "../envs/teacher.yaml"
    threads: 1
    resources:
        mem_mb=more(3000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("export-teacher"),
        weights=subpath(input.weights, parent=True),
        folder=lambda wildcards: MINI,
    shell:
        "python -m tinygan export-teacher --config {params.config} --threads {threads} --weights {params.weights}"
        " --out {params.folder} > {log} 2>&1 && touch {output}"


rule mini_teacher:
    input:
        rules.export_teacher.output,


# The card beside the module, a target of its own, for after the module has been trained again.
rule teacher_card:
    input:
        shards=shards("teacher", "manifest.json"),
        images=features("teacher"),
        real=features("real"),
        origin=shards("real", "manifest.json"),
    output:
        card=f"{MINI}.md",
        grid=f"{MINI}.png",
    log:
        f"{P}/logs/teacher_card.log",
    benchmark:
        f"{P}/benchmarks/teacher_card.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("teacher-card", DATASET_CODE),
        settings=sections("seed", "classes", "real", "teacher", "metrics", "mini_teacher"),
    shell:
        "python -m tinygan teacher-card --config {params.config} --threads {threads} --shards {input.shards}"
        " --real {input.real} --images {input.images} --out {output.card} > {log} 2>&1"


# The shipped diffusion model is a copy of what this rule makes; only its preset has the settings.
if config["mini_diffusion"]:

    rule train_diffusion:
        input:
            real=shards("real", "manifest.json"),
        output:
            weights=f"{P}/mini_diffusion/denoiser.safetensors",
            table=f"{P}/mini_diffusion/log.csv",
        log:
            f"{P}/logs/train_diffusion.log",
        benchmark:
            f"{P}/benchmarks/train_diffusion.tsv"
        conda:
            "../envs/torch.yaml"
        threads: config["mini_diffusion"]["threads"]
        resources:
            mem_mb=more(3000),
            runtime=more(
                minutes(
                    "train",
                    config["mini_diffusion"]["steps"] * config["mini_diffusion"]["batch"],
                    gpus=0,
                )
            ),
        params:
            config=planned,
            code=code("train-diffusion"),
            folder=subpath(output.weights, parent=True),
            settings=sections("seed", "image_size", "classes", "mini_diffusion"),
        shell:
            "python -m tinygan train-diffusion --config {params.config} --threads {threads} --real {input.real}"
            " --out {params.folder} > {log} 2>&1"
