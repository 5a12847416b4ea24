# Images -> features, and a class's share of the scores. The images of students and of sources from
# outside are drawn, extracted and scored in one job; only the previews are stored, for the figures.

# Measured on a CPU: 2.4 GB for std of the paper preset, 0.4 GB for mini; and the features of a shard,
# twice 1.2 GB for the paper's.
SAMPLE_MB = 5000 if config["image_size"] >= 128 else 2000
# An extractor names its environment. Images are drawn with PyTorch in the same job: with an extractor
# of another environment, that job runs in the one that has everything.
EXTRACTOR = f"tinygan.features.extractors.{config['metrics']['extractor']}"
EXTRACTOR_ENV = f"../envs/{import_module(EXTRACTOR).ENVIRONMENT}{CUDA}.yaml"
TENSORFLOW = EXTRACTOR_ENV == TENSORFLOW_ENV
STREAM_ENV = "../../environment.yml" if TENSORFLOW else TORCH_ENV
# DINOv2 has 1.2 GB of weights, twice while it is opened.
EXTRACTOR_MB = 4000 if TENSORFLOW or asset_of(config["metrics"]["extractor"]) else 1000
# A graph at a URL, or in the cache, is not a file of the workflow.
GRAPH = (
    [config["metrics"]["inception_graph"]] if config["metrics"]["extractor"] in INCEPTION else []
)
GRAPH = [file for file in GRAPH if "://" not in file and not is_asset(file)]


rule sample:
    input:
        generator=GENERATOR,
        card=CARD,
        real=f"{P}/features/real/{{range}}.npz",
        pairs=f"{P}/features/teacher_pairs/{{range}}.npz",
        graph=GRAPH,
    output:
        scores=temp(f"{P}/class_scores/{{student}}/{{range}}.npz"),
        previews=f"{P}/previews/{{student}}/{{range}}/manifest.json",
        arrays=[f"{P}/previews/{{student}}/{{range}}/{file}" for file in SHARD[1:]],
    log:
        f"{P}/logs/sample/{{student}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/sample/{{student}}/{{range}}.tsv"
    conda:
        STREAM_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB + EXTRACTOR_MB),
        runtime=more(minutes(PER_SHARD * SAMPLES, "sample", "features")),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("sample", EXTRACTOR, architecture(wildcards.student)),
        model=subpath(input.generator, parent=True),
        folder=subpath(output.previews, parent=True),
        settings=sections("seed", "z_dim", "classes", "metrics")
        | {"truncation": config["teacher"]["truncation"]},
    shell:
        "python -m tinygan sample --config {params.config} --threads {threads} --model {params.model}"
        " --classes {wildcards.range} --real {input.real} --pairs {input.pairs} --scores {output.scores}"
        " --previews {params.folder} > {log} 2>&1"


# A folder of the config's `sources`.
rule source:
    input:
        real=f"{P}/features/real/{{range}}.npz",
        graph=GRAPH,
    output:
        scores=temp(f"{P}/class_scores/{{outside}}/{{range}}.npz"),
        previews=f"{P}/previews/{{outside}}/{{range}}/manifest.json",
        arrays=[f"{P}/previews/{{outside}}/{{range}}/{file}" for file in WITHOUT_Z[1:]],
        origin=f"{P}/previews/{{outside}}/{{range}}.origin",
    log:
        f"{P}/logs/source/{{outside}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/source/{{outside}}/{{range}}.tsv"
    conda:
        STREAM_ENV
    threads: 1
    resources:
        # Measured: 3.0 GB for SNGAN at 128 px, 100 images per batch.
        mem_mb=more((4000 if config["image_size"] >= 128 else 2000) + EXTRACTOR_MB),
        runtime=more(minutes(PER_SHARD * SAMPLES, "sample", "features")),
        gpu=GPUS,
    params:
        config=planned,
        code=code("source", EXTRACTOR, "tinygan.models.students.dw", "tinygan.models.students.std"),
        folder=subpath(output.previews, parent=True),
        origin=source_files,
        settings=lambda wildcards: sections("seed", "image_size", "classes", "metrics")
        | {"folder": config["sources"][wildcards.outside]},
    shell:
        "python -m tinygan source --config {params.config} --threads {threads} --name {wildcards.outside}"
        " --classes {wildcards.range} --real {input.real} --scores {output.scores} --previews {params.folder}"
        " > {log} 2>&1 && echo {params.origin} > {output.origin}"


# The real images, the teacher's and those of the pairs, whose features stay: of the pairs in half
# precision, since a student's images are only searched for copies of them.
rule features:
    input:
        lambda wildcards: images_of(wildcards.source, wildcards.range),
        graph=GRAPH,
    output:
        f"{P}/features/{{source}}/{{range}}.npz",
    log:
        f"{P}/logs/features/{{source}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/features/{{source}}/{{range}}.tsv"
    wildcard_constraints:
        source="real|teacher|teacher_pairs",
    # Before the next harvest, so that few of the teacher's images are on the disk at a time.
    priority: 2
    conda:
        EXTRACTOR_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB + EXTRACTOR_MB),
        runtime=more(minutes(PER_SHARD * max(SAMPLES, PAIRS), "features")),
        gpu=GPUS,
    params:
        config=planned,
        code=code("features", EXTRACTOR),
        folder=lambda wildcards: f"{P}/images/{wildcards.source}/{wildcards.range}",
        compact=lambda wildcards: "--compact" if wildcards.source == "teacher_pairs" else "",
        settings={key: config["metrics"][key] for key in EXTRACTION},
    shell:
        "python -m tinygan features --config {params.config} --threads {threads} --images {params.folder}"
        " {params.compact} --out {output} > {log} 2>&1"


# The images that a student is scored on, for those who want them: `snakemake images_dw`.
rule images:
    input:
        generator=GENERATOR,
        card=CARD,
    output:
        [f"{P}/images/{{student}}/{{range}}/{file}" for file in SHARD],
    log:
        f"{P}/logs/images/{{student}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/images/{{student}}/{{range}}.tsv"
    conda:
        TORCH_ENV
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB),
        runtime=more(minutes(PER_SHARD * SAMPLES, "sample")),
        gpu=GPUS,
    params:
        config=planned,
        code=lambda wildcards: code("sample", architecture(wildcards.student)),
        model=subpath(input.generator, parent=True),
        folder=subpath(output[0], parent=True),
        settings=sections("seed", "z_dim", "classes")
        | {
            "truncation": config["teacher"]["truncation"],
            "samples": config["metrics"]["samples_per_class"],
        },
    shell:
        "python -m tinygan sample --config {params.config} --threads {threads} --model {params.model}"
        " --classes {wildcards.range} --images {params.folder} > {log} 2>&1"
