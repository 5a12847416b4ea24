# The rules that are named after variants and sources: a training each, and a target each. They come
# last, when the names of all other rules are known.

# A rule per student, because the names of its snapshots depend on its own number of steps.
for student, (variant, seed) in TRAINED.items():

    rule:
        name:
            free(training(student), variant)
        input:
            pairs=shards("teacher_pairs", "manifest.json"),
            real=shards(REAL_TRAIN, "manifest.json"),
            embedding=embedding_of(student),
        output:
            generator=f"{P}/models/{student}/generator.safetensors",
            discriminator=discriminator_of(student),
            card=f"{P}/models/{student}/card.json",
            table=f"{P}/models/{student}/log.csv",
            snapshots=snapshots(student),
        log:
            f"{P}/logs/train/{student}.log",
        benchmark:
            f"{P}/benchmarks/train/{student}.tsv"
        # First, so that no training is left for the end, when other cores are idle.
        priority: 1
        conda:
            TORCH_ENV
        threads: training_threads(student)
        resources:
            **training_resources(student),
        params:
            config=planned,
            code=code("train", architecture(student)),
            variant=variant,
            seed=seed,
            folder=subpath(output.generator, parent=True),
            # Not an output: Snakemake deletes those of a failed job, and a retry resumes.
            checkpoints=f"{P}/checkpoints/{student}",
            live=f"{P}/live/{student}",
            settings=sections(
                *["image_size", "z_dim", "classes", "student", "train", "loss"],
                of=RESOLVED[student],
            ),
            truncation=config["teacher"]["truncation"],
        shell:
            "python -m tinygan train --config {params.config} --threads {threads} --variant {params.variant}"
            " --seed {params.seed} --pairs {input.pairs} --real {input.real} --checkpoints {params.checkpoints}"
            " --live {params.live} --out {params.folder} > {log} 2>&1"


rule models:
    input:
        expand(GENERATOR, student=STUDENTS),


# `snakemake models_dw`: the trainings of a variant, one per seed.
for variant in VARIANTS:

    rule:
        name:
            free(f"models_{variant}", variant)
        input:
            expand(GENERATOR, student=trained(variant)),


# `snakemake images_dw`: the images that a variant is scored on, which are not stored otherwise.
for variant in VARIANTS:

    rule:
        name:
            free(f"images_{variant}", variant)
        input:
            [shards(student, *SHARD) for student in trained(variant)],


# `snakemake no_feat`: the scores of a variant or source, and all that they need.
for name in [*VARIANTS, *SOURCES]:

    rule:
        name:
            free(name, name)
        input:
            scores_of(*(trained(name) or [name])),
            intra_of(*(trained(name) or [name])),
            pools(),
