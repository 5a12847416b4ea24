# The rules that are named after variants and sources: a training each, and a target each. They come
# last, when the names of all other rules are known.

# A rule per variant, because the names of its snapshots depend on its own number of steps.
for variant in VARIANTS:

    rule:
        name:
            free(f"train_{variant}", variant)
        input:
            pairs=shards("teacher_pairs", "manifest.json"),
            real=shards(REAL_TRAIN, "manifest.json"),
        output:
            generator=f"{P}/models/{variant}/generator.safetensors",
            card=f"{P}/models/{variant}/card.json",
            table=f"{P}/models/{variant}/log.csv",
            snapshots=snapshots(variant),
        log:
            f"{P}/logs/train/{variant}.log",
        benchmark:
            f"{P}/benchmarks/train/{variant}.tsv"
        # First, so that no training is left for the end, when other cores are idle.
        priority: 1
        conda:
            TORCH_ENV
        threads: training_threads(variant)
        resources:
            **training_resources(variant),
        params:
            config=planned,
            code=code("train", student(variant)),
            variant=variant,
            folder=subpath(output.generator, parent=True),
            # Not an output: Snakemake deletes those of a failed job, and a retry resumes.
            checkpoints=f"{P}/checkpoints/{variant}",
            live=f"{P}/live/{variant}",
            settings=sections(
                *["seed", "image_size", "z_dim", "classes", "student", "train", "loss"],
                of=RESOLVED[variant],
            ),
            truncation=config["teacher"]["truncation"],
        shell:
            "python -m tinygan train --config {params.config} --threads {threads} --variant {params.variant}"
            " --pairs {input.pairs} --real {input.real} --checkpoints {params.checkpoints}"
            " --live {params.live} --out {params.folder} > {log} 2>&1"


rule models:
    input:
        expand(GENERATOR, variant=VARIANTS),


# `snakemake no_feat`: the scores of a variant or source, and all that they need.
for name in [*VARIANTS, *SOURCES]:

    rule:
        name:
            free(name, name)
        input:
            scores_of(name),
            intra_of(name),
            pools(),
