# The teacher, a black box: z, y -> images. Also the trainings of the two teachers that are shipped.
TEACHER_CODE = MODULES[config["teacher"]["kind"]]
MIXTURE_CODE = MIXTURE_MODULES.get(config["teacher"]["kind"])
if config["teacher"]["kind"] == "tfhub":
    TEACHER_ENV = TENSORFLOW_ENV
    TEACHER_MB = 7000 if config["image_size"] >= 128 else 1500
else:
    TEACHER_ENV = TORCH_ENV
    TEACHER_MB = 3500


# The pairs that the students train on.
rule harvest:
    input:
        module=shipped_module() if SHIPPED else [],
    output:
        pairs=[f"{P}/images/teacher_pairs/{{range}}/{file}" for file in SHARD],
    log:
        f"{P}/logs/harvest/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/harvest/{{range}}.tsv"
    conda:
        TEACHER_ENV
    threads: 1
    resources:
        mem_mb=more(TEACHER_MB),
        runtime=more(minutes(PER_SHARD * PAIRS, "harvest")),
        gpu=GPUS,
    params:
        config=planned,
        code=code("harvest", TEACHER_CODE, DATASET_CODE),
        options="--split pairs",
        origin=lambda wildcards: teacher_files("teacher_pairs", wildcards.range),
        folder=subpath(output[0], parent=True),
        settings=sections("seed", "image_size", "z_dim", "classes", "teacher"),
        # It determines the meaning of the teacher's own labels.
        real=config["real"]["source"],
    shell:
        "python -m tinygan harvest --config {params.config} --threads {threads} {params.options}"
        " --classes {wildcards.range} --out {params.folder} > {log} 2>&1"


# The images that the teacher is scored on. They are deleted once their features are extracted; the
# manifest stays, with their hashes.
use rule harvest as harvest_evaluation with:
    output:
        manifest=f"{P}/images/teacher/{{range}}/manifest.json",
        arrays=temp([f"{P}/images/teacher/{{range}}/{file}" for file in SHARD[1:]]),
        previews=[f"{P}/previews/teacher/{{range}}/{file}" for file in SHARD],
    log:
        f"{P}/logs/harvest_evaluation/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/harvest_evaluation/{{range}}.tsv"
    # All of them: none is taken from the other rule.
    resources:
        mem_mb=more(TEACHER_MB),
        runtime=more(minutes(PER_SHARD * SAMPLES, "harvest")),
        gpu=GPUS,
    params:
        options=lambda wildcards: f"--split evaluation --previews {P}/previews/teacher/{wildcards.range}",
        origin=lambda wildcards: teacher_files("teacher", wildcards.range),
        settings=sections("seed", "image_size", "z_dim", "classes", "teacher")
        | {key: config["metrics"][key] for key in DRAWING},


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
            runtime=more(minutes(INTERPOLATED, "harvest")),
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
        runtime=more(minutes(MINI_IMAGES, "train", gpus=0)),
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
        shards=previews_of("teacher"),
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
                    config["mini_diffusion"]["steps"] * config["mini_diffusion"]["batch"],
                    "train",
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
