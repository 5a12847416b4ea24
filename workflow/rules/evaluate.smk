# Evaluation: students and sources from outside -> images -> features -> scores; and how smoothly
# students interpolate.

# Measured on a CPU: 2.4 GB for std of the paper preset, 0.4 GB for mini.
SAMPLE_MB = 3000 if config["image_size"] >= 128 else 2000
# An extractor names its environment. The curve also samples with PyTorch: with an extractor of
# another environment it runs in the one that has everything.
EXTRACTOR = f"tinygan.features.extractors.{config['metrics']['extractor']}"
EXTRACTOR_ENV = f"../envs/{import_module(EXTRACTOR).ENVIRONMENT}{CUDA}.yaml"
TENSORFLOW = EXTRACTOR_ENV == TENSORFLOW_ENV
CURVE_ENV = "../../environment.yml" if TENSORFLOW else TORCH_ENV
# A graph at a URL, or in the cache, is not a file of the workflow.
GRAPH = [config["metrics"]["inception_graph"]] if "inception" in EXTRACTOR else []
GRAPH = [file for file in GRAPH if "://" not in file and not is_asset(file)]
# The keys of `metrics` that decide the features; the others only decide their scores.
EXTRACTION = ["extractor", "input_size", "inception_graph", "batch"]
# The images of one learning curve.
CURVE_IMAGES = (
    max(len(snapshots(student)) for student in trained(*CURVES))
    * len(config["classes"])
    * config["metrics"]["curve_samples_per_class"]
)


rule sample:
    input:
        generator=GENERATOR,
        card=CARD,
        latents=f"{P}/images/teacher/{{range}}/manifest.json",
    output:
        manifest=temp(f"{P}/images/{{student}}/{{range}}/manifest.json"),
        images=temp(f"{P}/images/{{student}}/{{range}}/images.npy"),
        labels=temp(f"{P}/images/{{student}}/{{range}}/labels.npy"),
        z=temp(f"{P}/images/{{student}}/{{range}}/z.npy"),
    log:
        f"{P}/logs/sample/{{student}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/sample/{{student}}/{{range}}.tsv"
    conda:
        TORCH_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB),
        runtime=more(minutes("sample", PER_SHARD * SAMPLES)),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("sample", architecture(wildcards.student)),
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


# A folder of the config's `sources`.
rule source:
    output:
        manifest=temp(f"{P}/images/{{outside}}/{{range}}/manifest.json"),
        images=temp(f"{P}/images/{{outside}}/{{range}}/images.npy"),
        labels=temp(f"{P}/images/{{outside}}/{{range}}/labels.npy"),
        origin=f"{P}/images/{{outside}}/{{range}}.origin",
    log:
        f"{P}/logs/source/{{outside}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/source/{{outside}}/{{range}}.tsv"
    conda:
        TORCH_ENV
    threads: 1
    resources:
        # Measured: 3.0 GB for SNGAN at 128 px, 100 images per batch.
        mem_mb=more(4000 if config["image_size"] >= 128 else 2000),
        runtime=more(minutes("sample", PER_SHARD * SAMPLES)),
        gpu=GPUS,
    params:
        config=planned,
        code=code("source", "tinygan.models.students.dw", "tinygan.models.students.std"),
        folder=subpath(output.manifest, parent=True),
        origin=source_files,
        settings=lambda wildcards: sections("seed", "image_size", "classes")
        | {
            "folder": config["sources"][wildcards.outside],
            "samples": config["metrics"]["samples_per_class"],
        },
    shell:
        "python -m tinygan source --config {params.config} --threads {threads} --name {wildcards.outside}"
        " --classes {wildcards.range} --out {params.folder} > {log} 2>&1"
        " && echo {params.origin} > {output.origin}"


rule features:
    input:
        lambda wildcards: images_of(wildcards.source, [wildcards.range]),
        graph=GRAPH,
    output:
        temp(f"{P}/features/{{source}}/{{range}}.npz"),
    log:
        f"{P}/logs/features/{{source}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/features/{{source}}/{{range}}.tsv"
    wildcard_constraints:
        source="|".join(map(re.escape, DRAWN)),
    conda:
        EXTRACTOR_ENV
    threads: 1
    resources:
        mem_mb=more(4000 if TENSORFLOW else 2000),
        runtime=more(minutes("features", PER_SHARD * SAMPLES)),
        gpu=GPUS,
    params:
        config=planned,
        code=code("features", EXTRACTOR),
        folder=lambda wildcards: f"{P}/images/{wildcards.source}/{wildcards.range}",
        settings={key: config["metrics"][key] for key in EXTRACTION},
    shell:
        "python -m tinygan features --config {params.config} --threads {threads} --images {params.folder}"
        " --out {output} > {log} 2>&1"


# Everything is scored against the real images, so their features stay. It is a rule of its own
# because an output is temporary for all wildcards of a rule or for none.
use rule features as real_features with:
    output:
        f"{P}/features/{{source}}/{{range}}.npz",
    wildcard_constraints:
        source="real",


# Of the real images, as many as a model has samples are scored against the others: the floor.
rule score:
    input:
        real=features("real"),
        images=lambda wildcards: [] if wildcards.source == "real" else features(wildcards.source),
    output:
        score=f"{P}/scores/{{source}}.json",
        intra=f"{P}/intra_fid/{{source}}.csv",
    log:
        f"{P}/logs/score/{{source}}.log",
    benchmark:
        f"{P}/benchmarks/score/{{source}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["metrics"]["threads"]
    resources:
        mem_mb=more(2000),
        # Measured: 31 minutes for the paper preset.
        runtime=more(90),
    params:
        config=planned,
        code=code("score"),
        settings=sections("seed", "classes", "metrics"),
    shell:
        "python -m tinygan score --config {params.config} --threads {threads} --source {wildcards.source}"
        " --real {input.real} --images {input.images}"
        " --out {output.score} --intra {output.intra} > {log} 2>&1"


rule curve:
    input:
        real=features("real"),
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
        CURVE_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB + (4000 if TENSORFLOW else 1000)),
        runtime=more(minutes("sample", CURVE_IMAGES) + minutes("features", CURVE_IMAGES)),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("curve", EXTRACTOR, architecture(wildcards.student)),
        model=subpath(input.card, parent=True),
        settings=sections("seed", "z_dim", "classes", "metrics")
        | {"truncation": config["teacher"]["truncation"]},
    shell:
        "python -m tinygan curve --config {params.config} --threads {threads} --model {params.model}"
        " --real {input.real} --out {output} > {log} 2>&1"


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
        runtime=more(minutes("sample", INTERPOLATED)),
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
        mem_mb=more(4000 if TENSORFLOW else 2000),
        runtime=more(minutes("features", INTERPOLATED * (1 + len(trained("dw"))))),
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
