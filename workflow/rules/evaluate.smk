# Features -> scores; learning curves, costs, and how smoothly students interpolate.

# The images of one learning curve.
CURVE_IMAGES = (
    max(len(snapshots(student)) for student in trained(*CURVES))
    * len(config["classes"])
    * config["metrics"]["curve_samples_per_class"]
)


# What every score and curve needs of the real images.
rule moments:
    input:
        real=features("real"),
    output:
        MOMENTS,
    log:
        f"{P}/logs/moments.log",
    benchmark:
        f"{P}/benchmarks/moments.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("moments"),
        settings=sections("classes"),
    shell:
        "python -m tinygan moments --config {params.config} --threads {threads} --real {input.real}"
        " --out {output} > {log} 2>&1"


rule score:
    input:
        unpack(scored),
    output:
        score=f"{P}/scores/{{source}}.json",
        intra=f"{P}/intra_fid/{{source}}.csv",
        # The scores that people compare, for `dvc metrics show`.
        metrics=f"{P}/metrics/{{source}}.json",
    log:
        f"{P}/logs/score/{{source}}.log",
    benchmark:
        f"{P}/benchmarks/score/{{source}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["metrics"]["threads"]
    resources:
        # Measured at the paper's size, all classes in one job: 5.2 GiB, and 20 minutes.
        mem_mb=more(6000 if config["image_size"] >= 128 else 2000),
        runtime=more(90),
    params:
        config=planned,
        code=code("score"),
        inputs=lambda wildcards, input: as_options(input),
        settings=sections("seed", "classes", "metrics"),
    shell:
        "python -m tinygan score --config {params.config} --threads {threads} --source {wildcards.source}"
        " {params.inputs} --out {output.score} --intra {output.intra} --metrics {output.metrics} > {log} 2>&1"


rule curve:
    input:
        moments=MOMENTS,
        snapshots=lambda wildcards: snapshots(wildcards.student),
        card=CARD,
        graph=GRAPH,
    output:
        f"{P}/scores/curve/{{student}}.csv",
    log:
        f"{P}/logs/curve/{{student}}.log",
    benchmark:
        f"{P}/benchmarks/curve/{{student}}.tsv"
    conda:
        STREAM_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB + EXTRACTOR_MB),
        runtime=more(minutes(CURVE_IMAGES, "sample", "features")),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("curve", EXTRACTOR, architecture(wildcards.student)),
        model=subpath(input.card, parent=True),
        settings=sections("seed", "z_dim", "classes", "metrics")
        | {"truncation": config["teacher"]["truncation"]},
    shell:
        "python -m tinygan curve --config {params.config} --threads {threads} --model {params.model}"
        " --moments {input.moments} --out {output} > {log} 2>&1"


rule interpolate:
    input:
        generator=GENERATOR,
        card=CARD,
    output:
        manifest=temp(f"{P}/interpolation/{{student}}/paths/manifest.json"),
        images=temp(f"{P}/interpolation/{{student}}/paths/images.npy"),
    log:
        f"{P}/logs/interpolate/{{student}}.log",
    benchmark:
        f"{P}/benchmarks/interpolate/{{student}}.tsv"
    conda:
        TORCH_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB),
        runtime=more(minutes(INTERPOLATED, "sample")),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("interpolate", architecture(wildcards.student)),
        model=subpath(input.generator, parent=True),
        folder=subpath(output.manifest, parent=True),
        settings=sections("seed", "classes"),
    shell:
        "python -m tinygan interpolate --config {params.config} --threads {threads} --model {params.model}"
        " --out {params.folder} > {log} 2>&1"


rule smoothness:
    input:
        files=paths_of(*trained("dw")),
        graph=GRAPH,
    output:
        f"{P}/interpolation.csv",
    log:
        f"{P}/logs/smoothness.log",
    benchmark:
        f"{P}/benchmarks/smoothness.tsv"
    conda:
        EXTRACTOR_ENV
    threads: 1
    resources:
        mem_mb=more(1000 + EXTRACTOR_MB),
        runtime=more(minutes(INTERPOLATED * (1 + len(trained("dw"))), "features")),
        gpu=GPUS,
    params:
        config=planned,
        code=code("smoothness", EXTRACTOR),
        paths=lambda wildcards, input: [f for f in input.files if f.endswith("manifest.json")],
        settings={key: config["metrics"][key] for key in EXTRACTION},
    shell:
        "python -m tinygan smoothness --config {params.config} --threads {threads} --paths {params.paths}"
        " --out {output} > {log} 2>&1"


rule cost:
    output:
        f"{P}/cost.csv",
    log:
        f"{P}/logs/cost.log",
    benchmark:
        f"{P}/benchmarks/cost.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(1000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("cost", *map(architecture, STUDENTS)),
        settings=sections("image_size", "z_dim", "classes", "teacher", "mini_teacher"),
        students={v: sections("student", of=RESOLVED[shown(v)]) for v in VARIANTS},
        terms={v: loss_terms(v) for v in VARIANTS},
    shell:
        "python -m tinygan cost --config {params.config} --threads {threads} --out {output} > {log} 2>&1"


# The six systems of the paper's Table 1 at its size: the same in every preset.
rule cost_paper:
    output:
        f"{P}/tables/cost_paper.csv",
    log:
        f"{P}/logs/cost_paper.log",
    benchmark:
        f"{P}/benchmarks/cost_paper.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("cost", "tinygan.models.students.dw", "tinygan.models.students.std"),
    shell:
        "python -m tinygan cost --paper --config {params.config} --threads {threads} --out {output}"
        " > {log} 2>&1"


rule scores:
    input:
        expand(f"{P}/scores/{{source}}.json", source=SCORED),
        expand(f"{P}/intra_fid/{{source}}.csv", source=SCORED),
        expand(rules.curve.output, student=trained(*CURVES)),
        rules.smoothness.output,
        rules.cost.output,
