# Students: pairs and real images -> generator -> images.


# Measured on a CPU: 4.9 GB for dw of the paper preset, 0.5 GB for mini.
TRAIN_MB = 6000 if config["image_size"] >= 128 else 2000
# The same: 2.4 GB for std, 0.4 GB.
SAMPLE_MB = 3000 if config["image_size"] >= 128 else 2000


# One rule for each variant, because the names of its snapshots follow from its own steps.
for variant in VARIANTS:

    rule:
        name:
            f"train_{variant}"
        input:
            pairs=shards("teacher_pairs", "manifest.json"),
            real=shards(REAL_TRAIN, "manifest.json"),
            code=code("train"),
        output:
            generator=f"{P}/models/{variant}/generator.safetensors",
            card=f"{P}/models/{variant}/card.json",
            table=f"{P}/models/{variant}/log.csv",
            snapshots=snapshots(variant),
        log:
            f"{P}/logs/train/{variant}.log",
        benchmark:
            f"{P}/benchmarks/train/{variant}.tsv"
        # First, so that no core waits for the last training at the end.
        priority: 1
        conda:
            "../envs/torch.yaml"
        threads: RESOLVED[variant]["train"]["threads"]
        resources:
            mem_mb=TRAIN_MB,
        params:
            config=planned,
            variant=variant,
            folder=subpath(output.generator, parent=True),
            # Out of reach: Snakemake deletes the outputs of a job that fails, and a retry goes on.
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


rule sample:
    input:
        generator=GENERATOR,
        card=CARD,
        latents=f"{P}/images/teacher/{{range}}/manifest.json",
        code=code("sample"),
    output:
        manifest=temp(f"{P}/images/{{variant}}/{{range}}/manifest.json"),
        images=temp(f"{P}/images/{{variant}}/{{range}}/images.npy"),
        labels=temp(f"{P}/images/{{variant}}/{{range}}/labels.npy"),
        z=temp(f"{P}/images/{{variant}}/{{range}}/z.npy"),
    log:
        f"{P}/logs/sample/{{variant}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/sample/{{variant}}/{{range}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=SAMPLE_MB,
    params:
        config=planned,
        model=subpath(input.generator, parent=True),
        folder=subpath(output.manifest, parent=True),
        settings=sections("seed", "z_dim", "classes")
        | {
            "truncation": config["teacher"]["truncation"],
            "samples": config["metrics"]["samples_per_class"],
        },
    shell:
        "python -m tinygan sample --config {params.config} --threads {threads} --model {params.model}"
        " --classes {wildcards.range} --out {params.folder} > {log} 2>&1"
